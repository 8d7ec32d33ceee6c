"""Bars of MIDI tokens are those of the file, or the piece is dropped with the reason."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import symusic
import torch
import yaml

from symbotunes.errors import UserError
from symbotunes.music.midi.piece import MidiPiece
from symbotunes.paths import CONF
from symbotunes.tokenizers.base import Unencodable
from symbotunes.tokenizers.midi import MidiTokens
from symbotunes.transforms.cuts import Crop, SampleBars, SampleSubsequence

CASES = Path(__file__).parent.parent / "files" / "midi_cases"
OF_CONF = yaml.safe_load((CONF / "transforms" / "remi.yaml").read_text())["remi"]
OF_CONF.pop("_target_")


@pytest.fixture(scope="module")
def remi():
    return MidiTokens(**OF_CONF)


def case(name):
    return MidiPiece(name, (CASES / f"{name}.mid").read_bytes())


def scored(meters, *, last=32, first=0, division=480):
    """A piece with a note on every quarter from `first` to `last`, and these meters by quarter."""
    score = symusic.Score(division)
    for quarter, (top, bottom) in meters.items():
        score.time_signatures.append(symusic.TimeSignature(round(quarter * division), top, bottom))
    track = symusic.Track()
    for number in range(round(last - first)):
        track.notes.append(
            symusic.Note(round((first + number) * division), division, 60 + number % 12, 90)
        )
    score.tracks.append(track)
    return MidiPiece("made", bytes(score.dumps_midi()))


def bar_lines(tokenizer, piece):
    """Quarters at which bars begin, and each onset of a note, as the tokens tell them."""
    (ids,) = tokenizer.tokenize(piece)
    now, length, unit = 0.0, 0.0, 0.0
    lines, onsets = [], []
    for token in tokenizer.decode(ids):
        kind, _, value = token.partition("_")
        if kind == "Bar":
            now += length
            lines.append(now)
        elif kind == "TimeSig":
            top, bottom = map(int, value.split("/"))
            length, unit = 4 * top / bottom, 4 / bottom / 8
        elif kind == "Position":
            position = now + int(value) * unit
        elif kind == "Pitch":
            onsets.append(position)
    return lines, onsets


def onsets_of(piece):
    score = piece.parsed
    return sorted(note.time / score.tpq for track in score.tracks for note in track.notes)


EVERY = {
    "f03_slip_jig_9_8": (0, 4.5, 16),
    "f03_upbeat_1_4_then_cut_time": (1, 4, 9),
    "f03_upbeat_1_8_then_6_8": (0.5, 3, 9),
    "f04_tempo_changes_after_the_end": (0, 4, 8),
    "f06_waltz_whose_meter_is_on_track_2": (0, 3, 12),
    "f08_tempo_change_in_mid_bar": (0, 4, 8),
    "f20_prompt_with_upbeat": (1, 4, 9),
    "f25_bars_of_one_quarter": (0, 1, 63),
}  # by file: the first full bar, the quarters of a bar, and the number of bars with an onset


@pytest.mark.parametrize("name", EVERY)
def test_bar_lines_are_those_of_the_file(remi, name):
    first, length, count = EVERY[name]
    lines, onsets = bar_lines(remi, case(name))
    full = [number * length + first for number in range(count)]
    assert lines == (full if first == 0 else [0.0, *full[:-1]])
    assert onsets == onsets_of(case(name))


def test_silence_before_the_first_note_makes_no_bars(remi):
    lines, onsets = bar_lines(remi, case("f05_300_empty_bars_first"))
    assert lines == [4.0 * bar for bar in range(8)]
    assert onsets == [onset - 1200 for onset in onsets_of(case("f05_300_empty_bars_first"))]


@pytest.mark.parametrize(
    ("meters", "first", "lines"),
    [
        ({0: (4, 4), 5: (3, 4)}, 0, [0, 4, 5, 8, 11]),  # the second bar is cut short
        ({0: (4, 4), 1: (3, 4)}, 0, [0, 1, 4, 7, 10]),  # an upbeat without its own meter
        ({2: (3, 4)}, 0, [0, 2, 5, 8, 11]),  # no meter is stated before
        ({0: (3, 8), 1.5: (2, 2)}, 0, [0, 1.5, 5.5, 9.5]),
        ({0: (3, 16), 0.75: (5, 8)}, 0, [0, 0.75, 3.25, 5.75, 8.25, 10.75]),
        ({0: (2, 16), 0.5: (6, 8)}, 0, [0, 0.5, 3.5, 6.5, 9.5]),  # an upbeat as long as 1/8
        ({0: (4, 4), 7.998: (3, 4)}, 0, [0, 4, 8, 11]),  # a tick early
        ({0: (4, 4), 8.002: (3, 4)}, 0, [0, 4, 8, 11]),  # a tick late
        ({0: (4, 4), 4: (4, 4), 8: (3, 4)}, 0, [0, 4, 8, 11]),
        ({0: (17, 16), 17: (3, 4)}, 19, [0, 3, 6, 9, 12]),  # only silence has the unknown meter
        ({0: (3, 4), 12: (17, 16)}, 0, [0, 3, 6, 9]),  # as has what follows the last note
    ],
)  # fmt: skip
def test_every_change_of_meter_begins_a_bar(remi, meters, first, lines):
    piece = scored(meters, first=first, last=first + 12)
    told, onsets = bar_lines(remi, piece)
    assert told == lines
    begin = min(onsets_of(piece)) - min(onsets)
    assert [onset + begin for onset in onsets] == onsets_of(piece)


@pytest.mark.parametrize("division", [24, 96, 100, 120, 192, 220, 240, 256, 384, 480, 960, 1024])
def test_bar_lines_are_the_same_at_any_resolution(remi, division):
    meters = {0: (1, 8), 0.5: (6, 8), 60.5: (7, 8), 88.5: (2, 2), 96.5: (5, 16)}
    lines, _ = bar_lines(remi, scored(meters, last=110, division=division))
    lengths = [second - first for first, second in pairwise(lines)]
    assert lengths == [0.5, *[3.0] * 20, *[3.5] * 8, *[4.0] * 2, *[1.25] * 10]


@pytest.mark.parametrize("name", ["remi", "tsd", "midi_like", "structured"])
def test_onsets_come_back_under_any_succession_of_meters(name):
    options = yaml.safe_load((CONF / "transforms" / f"{name}.yaml").read_text())[name]
    options.pop("_target_")
    tokenizer = MidiTokens(**options)
    meters = {0: (3, 16), 0.75: (2, 2), 8.75: (7, 8), 12.25: (5, 16), 14.75: (4, 2), 20.75: (9, 4)}
    piece = scored(meters, last=31, division=960)  # 4/2 is cut short by 9/4
    (ids,) = tokenizer.tokenize(piece)
    score = tokenizer.render(tokenizer.decode(ids), "").score
    heard = sorted(note.time / score.tpq for track in score.tracks for note in track.notes)
    assert heard == onsets_of(piece)


UNKNOWN = {
    "meter 17/16": {0: (17, 16)},
    "meter 10/4": {0: (4, 4), 8: (10, 4)},
    "meter 1/32": {0: (3, 4), 3: (1, 32)},
    "upbeat of 1/16": {0: (1, 16), 0.25: (3, 4)},
    "a bar of 4/4 cut short by a change of meter": {0: (4, 4), 0.25: (3, 4)},
}


@pytest.mark.parametrize("reason", UNKNOWN)
def test_a_meter_without_a_token_is_the_reason_to_drop_a_piece(remi, reason):
    with pytest.raises(Unencodable) as caught:
        remi.tokenize(scored(UNKNOWN[reason]))
    assert caught.value.reason == reason


def test_such_a_piece_can_be_kept_with_a_remark_instead():
    counting = MidiTokens(**{**OF_CONF, "meters": "count"})
    piece = scored(UNKNOWN["meter 17/16"])
    assert counting.tokenize(piece)
    assert counting.remarks(piece) == ("meter 17/16: its bar lines are wrong",)
    assert counting.remarks(case("f03_slip_jig_9_8")) == ()
    with pytest.raises(UserError, match="meters=keep: choose drop or count"):
        MidiTokens(**{**OF_CONF, "meters": "keep"})


def test_without_meter_tokens_bars_are_known_in_4_4_alone():
    config = {**OF_CONF["config"], "use_time_signatures": False}
    with pytest.raises(Unencodable, match="meter 9/8"):
        MidiTokens(**{**OF_CONF, "config": config}).tokenize(case("f03_slip_jig_9_8"))
    timed = MidiTokens("TSD", config, meters="drop")  # tells no bars at all
    assert timed.tokenize(case("f03_slip_jig_9_8"))


def test_a_missing_key_means_what_was_done_before_there_was_one():
    before = MidiTokens("REMI", {"time_signature_range": {4: [3, 4]}})
    (ids,) = before.tokenize(case("f03_slip_jig_9_8"))
    assert "TimeSig_4/4" in before.decode(ids)
    (ids,) = before.tokenize(case("f04_tempo_changes_after_the_end"))
    assert len(before.tokenize(case("f09_performance_without_beats"))) == 1


def test_a_performance_is_not_read_in_bars(remi):
    with pytest.raises(Unencodable, match="free timing") as caught:
        remi.tokenize(case("f09_performance_without_beats"))
    assert "max_off_grid" in caught.value.reason
    kept = MidiTokens(**{**OF_CONF, "max_off_grid": None})
    assert len(kept.tokenize(case("f09_performance_without_beats"))) == 1


@pytest.mark.parametrize("cut", [Crop(40), SampleSubsequence(40, 0.2, 0.2), SampleBars(2, 0.2)])
@pytest.mark.parametrize("merges", [None, 20])
def test_a_cut_never_gives_an_example_without_a_note(cut, merges):
    before = MidiTokens("REMI", bpe_vocab=merges and 20 + len(MidiTokens("REMI").base))
    piece = case("f05_300_empty_bars_first")  # silence is kept without `meters`
    (ids,) = before.tokenize(piece)
    if merges:
        before.fit_ids([ids])
        ids = before.recode(ids)
    whole = np.concatenate([[before.vocabulary.bos], ids, [before.vocabulary.eos]])
    cut.bind(before)
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        span, _ = cut(whole, generator)
        assert any("Pitch_" in token for token in before.decode(span.tolist()))
