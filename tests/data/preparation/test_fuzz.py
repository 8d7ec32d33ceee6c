"""Two thousand files that are MIDI only by name go through `prepare`.

They are read in this very process: a crash of the C++ reader would end the tests.
"""

import random
import resource
from collections import Counter

import pytest

from symbotunes.data.limits import Limits
from symbotunes.data.preparation.prepare import Plan, prepare
from symbotunes.data.preparation.workers import Workers
from symbotunes.data.split import Shares
from symbotunes.datasets.midi_folder import MidiFolder
from symbotunes.tokenizers.midi import MidiTokens
from symbotunes.transforms.base import Chain

pytestmark = [
    pytest.mark.xdist_group("fuzz"),  # one process reads all the files
    pytest.mark.slow("reads two thousand files"),
]
FILES = 2_000
MIB = 2**20


def number(value):
    """A number of variable length, as MIDI writes it."""
    digits = [value & 127]
    while value := value >> 7:
        digits.append(value & 127 | 128)
    return bytes(reversed(digits))


def file_of(division, *tracks, count=None):
    header = (1).to_bytes(2) + (count or len(tracks)).to_bytes(2) + division.to_bytes(2)
    chunks = [b"MTrk" + len(track).to_bytes(4) + track for track in tracks]
    return b"MThd" + len(header).to_bytes(4) + header + b"".join(chunks)


def track_of(rng, *, deltas=(0, 24, 48), events=12, channel=0):
    """Notes one after the other, with a controller, a bend, a program and an end of track."""
    track = b"\0" + bytes([0xC0 | channel, rng.randrange(128)])
    track += b"\0" + bytes([0xB0 | channel, 64, 127]) + b"\0" + bytes([0xE0 | channel, 0, 70])
    for _ in range(events):
        pitch = rng.randrange(30, 90)
        track += number(rng.choice(deltas)) + bytes([0x90 | channel, pitch, rng.randrange(1, 128)])
        track += number(rng.choice([12, 24])) + bytes([0x80 | channel, pitch, 0])
    return track + b"\0\xff\x2f\0"


def tempo_track(rng, changes, longest_gap):
    track = b"\0\xff\x58\4\4\2\x18\x08"
    for _ in range(changes):
        gap = number(rng.randrange(longest_gap))
        track += gap + b"\xff\x51\3" + rng.randrange(1, 2**24).to_bytes(3)
    return track + b"\0\xff\x2f\0"


def whole(rng):
    tracks = [track_of(rng, channel=channel) for channel in rng.sample([0, 1, 9], 2)]
    return file_of(rng.choice([24, 96, 480]), tempo_track(rng, 2, 200), *tracks)


# One function for each way to be broken: a whole file and a source of randomness -> bytes.


def truncated(data, rng):
    return data[: rng.randrange(1, len(data))]


def flipped(data, rng):
    broken = bytearray(data)
    for _ in range(rng.choice([1, 2, 8, 40])):
        broken[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(broken)


def wrong_lengths(data, rng):
    at = rng.choice([place for place in range(len(data)) if data[place : place + 4] == b"MTrk"])
    size = rng.choice([0, 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1, rng.randrange(len(data))])
    return data[: at + 4] + size.to_bytes(4) + data[at + 8 :]


def spliced(data, rng):
    begin, end = sorted(rng.sample(range(len(data)), 2))
    junk = bytes(rng.randrange(256) for _ in range(rng.randrange(20)))
    return data[:begin] + junk + data[rng.choice([begin, end]) :]


def huge_deltas(data, rng):
    deltas = (0, 2**28 - 1, 2**21, 2**27 + 1)
    return file_of(rng.choice([1, 96, 32767]), track_of(rng, deltas=deltas, events=20))


def many_tempos(data, rng):
    changes, gap = rng.choice([(1_000, 2), (2_000, 1), (15_000, 2)])
    return file_of(96, tempo_track(rng, changes, gap), track_of(rng))


def no_clock(data, rng):
    return data[:12] + rng.choice([b"\0\0", b"\xe7\x28"]) + data[14:]


def wrong_counts(data, rng):
    return file_of(96, track_of(rng), count=rng.choice([2, 40, 0xFFFF]))


def empty(data, rng):
    return b""


def text(data, rng):
    return b"MThis is no music, " * rng.randrange(1, 50)


def page(data, rng):
    return b"\n<!DOCTYPE html><html><title>404 Not Found</title>" + data


KINDS = [
    truncated, flipped, flipped, wrong_lengths, spliced, huge_deltas, no_clock, wrong_counts,
    empty, text, page, flipped, truncated, spliced, wrong_lengths, flipped, huge_deltas, flipped,
    spliced, many_tempos,
]  # fmt: skip


@pytest.fixture(scope="module")
def receipt(tmp_path_factory):
    """What `prepare` says of all the files, and by how much the process grew at most."""
    folder = tmp_path_factory.mktemp("fuzz")
    rng = random.Random(1)
    (folder / "files").mkdir()
    for index in range(FILES):
        kind = KINDS[index % len(KINDS)]
        path = folder / "files" / f"{index:04d}_{kind.__name__}.mid"
        path.write_bytes(kind(whole(rng), rng))
    chain = Chain({"remi": MidiTokens(config={"use_tempos": True})})
    plan = Plan("", Limits(1, None), Shares(0.1, 0.1), folder / "cache", Workers(0))
    before = peak_bytes()
    encoded = prepare(MidiFolder(folder / "files"), chain, plan)
    return encoded.receipt, peak_bytes() - before


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_every_file_is_accounted_for(receipt):
    found, _ = receipt
    assert found.files == found.read == FILES
    assert found.kept.total() + found.dropped.total() == FILES
    assert found.quarantined == {}


def test_what_can_be_read_is_kept(receipt):
    found, _ = receipt
    assert found.kept.total() > 0.05 * FILES
    assert all(found.kept[split] for split in ("train", "val", "test"))


def test_every_other_file_has_a_reason_of_its_own(receipt):
    found, _ = receipt
    named = Counter(kind.__name__ for kind in KINDS)
    share = FILES // len(KINDS)
    assert found.dropped["empty file"] == share * named["empty"]
    assert found.dropped["a web page, not MIDI"] == share * named["page"]
    assert found.dropped["not a MIDI file"] >= share * named["text"]
    assert found.dropped["truncated"] >= share * named["truncated"]
    assert found.dropped["longer than 20,000 quarters"] > 0
    assert found.dropped["more than 10,000 changes of tempo, meter or key"] > 0
    timeless = ("zero ticks per quarter", "time in frames, not in quarters")
    assert sum(found.dropped[reason] for reason in timeless) >= share * named["no_clock"]


def test_no_file_fails_in_a_way_that_nobody_thought_of(receipt):
    found, _ = receipt
    strange = [reason for reason in found.dropped if "failed with" in reason or "fails" in reason]
    assert strange == []


def test_memory_stays_small(receipt):
    _, growth = receipt
    assert growth < 300 * MIB
