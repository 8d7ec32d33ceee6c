"""Which windows of a file a plan reads: of what track, of which bars, and what is said of them."""

from pathlib import Path

import pytest
import symusic

from symbotunes.errors import UserError
from symbotunes.generation.latent.inputs import Source, read_windows
from symbotunes.generation.latent.interpolate import InterpolatePlan
from symbotunes.generation.latent.reconstruct import ReconstructPlan
from symbotunes.tokenizers.windows import Drums, Melody, Trio
from tests.music.events import meter, midi, notes, program, tempo

CASES = Path(__file__).parents[2] / "files" / "midi_cases"
MELODY = Melody(2, max_off_grid=0.12)


def named(name, events):
    return [(0, b"\xff\x03" + bytes([len(name)]) + name), *events]


def quarters(bars, pitch=60, channel=0, first=0):
    """A note on every quarter, as high as the number of its bar."""
    steps = range(first * 16, (first + bars) * 16, 4)
    return notes(*((at, at + 4, pitch + at // 16) for at in steps), channel=channel)


SONG = (
    [meter(0, 4, 4)],
    named(b"Bass", [program(0, 0), *quarters(8, 30)]),
    named(b"Pad", [program(0, 1, 1), *quarters(8, 50, 1)]),
    named(b"Vocal", [program(0, 80, 2), *quarters(8, 70, 2)]),
)


@pytest.fixture
def file(tmp_path):
    def write(*tracks, name="song.mid"):
        path = tmp_path / name
        if tracks and isinstance(tracks[0], str):
            path.write_text(tracks[0])
        else:
            path.write_bytes(midi(*tracks))
        return str(path)

    return write


def read(path, tokenizer=MELODY, *, track=None, bars=None):
    return read_windows(Source.of("sample.input", path, track, bars), tokenizer)


def pitches(window):
    return [int(number) - 2 + 21 for number in window if number > 1]


def taken(windows, number=1, count=1):
    return windows.describe("input", number, count)["input: taken from"]


def test_the_track_that_was_taken_is_named_with_those_that_there_are(file):
    assert taken(read(file(*SONG))) == "track 1 Bass, bars 1-2; other tracks: 2 Pad, 3 Vocal"


@pytest.mark.parametrize("track", ["Vocal", "vocal", 3, "3"])
def test_a_track_is_chosen_by_name_or_number_whatever_its_program(file, track):
    windows = read(file(*SONG), track=track)
    assert pitches(windows.select(1)[0]) == [70] * 4 + [71] * 4
    assert taken(windows) == "track 3 Vocal, bars 1-2; other tracks: 1 Bass, 2 Pad"


def test_a_missing_track_is_refused_with_its_name(file):
    with pytest.raises(UserError, match="no track Flute: it has 1 Bass, 2 Pad, 3 Vocal"):
        read(file(*SONG), track="Flute")


@pytest.mark.parametrize(
    ("bars", "expected"),
    [
        ("5-6", [[64, 65]]),
        ("5-8", [[64, 65], [66, 67]]),
        (["1-2", "7-8"], [[60, 61], [66, 67]]),
        ("4-6", [[63, 64], [65]]),
        (3, [[62]]),
    ],
)
def test_bars_are_chosen_by_number(file, bars, expected):
    windows = read(file(quarters(8)), bars=bars)
    found = [sorted(set(pitches(window.ids))) for window in windows.found]
    assert found == expected


def test_bars_that_do_not_fill_a_window_are_filled_up_and_it_is_said(file):
    windows = read(file(quarters(8)), bars="4-6")
    assert taken(windows, 1, 2) == (
        "track 1, bars 4-5; track 1, bar 6 filled up with silence to 2 bars"
    )


def test_the_upbeat_is_bar_0():
    path = str(CASES / "f20_prompt_with_upbeat.mid")
    tracks = symusic.Score(path).tracks
    first = sorted((note.time, note.pitch) for track in tracks for note in track.notes)
    windows = read(path, bars="1-2")
    assert pitches(windows.select(1)[0]) == [pitch for time, pitch in first if 480 <= time < 4320]
    upbeat = read(path, bars="0-1")
    assert pitches(upbeat.select(1)[0]) == [pitch for time, pitch in first if time < 2400]
    assert taken(upbeat) == "track 1 Melody, bars 0-1"


REPEATED = "X:1\nT:Reel\nM:4/4\nL:1/4\nK:C\n|:CCCC|DDDD:|EEEE|FFFF|\n"
UPBEAT = "X:1\nT:Song\nM:4/4\nL:1/4\nK:C\nG|CCCC|DDDD|EEEE|FFF|\n"


def test_repeats_are_not_written_out_in_the_numbers_of_bars(file):
    path = file(REPEATED, name="reel.abc")
    windows = read(path, bars="3-4")
    assert pitches(windows.select(1)[0]) == [64] * 4 + [65] * 4
    assert taken(windows) == "bars 3-4"
    assert taken(read(path), 2) == "bars 2-3 as played"


def test_bars_of_a_tune_with_an_upbeat_are_counted_after_it(file):
    path = file(UPBEAT, name="song.abc")
    assert pitches(read(path, bars="1-2").select(1)[0]) == [60] * 4 + [62] * 4
    assert pitches(read(path, bars="0-1").select(1)[0]) == [67] + [60] * 4
    assert taken(read(path)) == "bars 0-1"


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (quarters(1, first=1), "track 1, bars 1-2 (bar 1 is silent)"),
        (quarters(1), "track 1, bar 1 filled up with silence to 2 bars"),
        ([*quarters(1), *quarters(1, first=4)], "track 1, bars 1-2 (bar 2 is silent)"),
    ],
)
def test_a_phrase_shorter_than_a_window_is_filled_up_and_it_is_said(file, events, expected):
    windows = read(file(events))
    assert len(windows.select(1)[0]) == 32
    assert taken(windows) == expected


@pytest.mark.parametrize(
    ("bars", "message"),
    [
        ("9", r"sample\.bars: song\.mid has bars 1 to 8, no bar 9"),
        ("0", r"sample\.bars: song\.mid has bars 1 to 8, no bar 0"),
        ("2-1", r"sample\.bars=2-1: the last bar comes before the first"),
    ],
)
def test_bars_that_there_are_not_are_refused(file, bars, message):
    with pytest.raises(UserError, match=message):
        read(file(quarters(8)), bars=bars)


def test_bars_of_other_meters_are_refused_by_number(file):
    waltz = [meter(0, 4, 4), meter(32, 3, 4)], quarters(8)
    assert len(read(file(*waltz), bars="1-2").found) == 1
    with pytest.raises(UserError, match=r"sample\.bars: bar 3 lasts 3 quarters, and the model"):
        read(file(*waltz), bars="2-3")


def test_silent_bars_are_refused_too(file):
    with pytest.raises(UserError, match="nothing that the model reads is played in these bars"):
        read(file([*quarters(1), *quarters(1, first=5)]), bars="3-4")


def test_a_window_of_the_reference_after_a_change_of_tempo_says_where_it_begins():
    windows = read(str(CASES / "f08_tempo_change_in_mid_bar.mid"))
    places = [window.bars for window in windows.found]
    assert places[:2] == [
        "bars 1-2",
        "bars 2-3, from 2 quarters after the bar line",
    ]


def test_a_performance_is_read_with_a_remark():
    windows = read(str(CASES / "f09_performance_without_beats.mid"))
    assert "onsets lie on no grid: their rhythm is rounded" in taken(windows)


def test_written_rubato_is_read_in_the_bars_of_the_file():
    windows = read(str(CASES / "f07_written_rubato.mid"))
    assert taken(windows) == "track 1 Melody, bars 1-2"


def test_drums_and_trios_are_chosen_by_bars(file):
    beat = named(b"Kit", notes(*((at, at + 1, 36) for at in range(0, 64, 8)), channel=9))
    low = named(b"Low", [program(0, 33, 1), *quarters(4, 40, 1)])
    path = file([*quarters(4)], low, beat)
    drums = read(path, Drums(2), bars="3-4")
    assert drums.select(1)[0].tolist() == [1, 0, 0, 0, 0, 0, 0, 0] * 4
    assert taken(drums) == "bars 3-4"
    trio = read(path, Trio(2), bars="3-4")
    assert sorted(set(pitches(trio.select(1)[0][:, 1]))) == [42, 43]
    assert taken(trio) == "tracks 1, 2 Low, 3 Kit, bars 3-4"
    with pytest.raises(UserError, match=r"sample\.track: a trio reads melody, bass and drums"):
        read(path, Trio(2), track="Low")


def test_both_ends_of_a_path_have_their_own_track_and_bars():
    with pytest.raises(UserError, match=r"sample\.b_bars=5-: not a bar or bars"):
        InterpolatePlan(a="a.mid", b="b.mid", b_bars="5-")
    with pytest.raises(UserError, match=r"sample\.bars=x: not a bar or bars"):
        ReconstructPlan(input="a.mid", bars="x")


def test_tempo_changes_do_not_move_chosen_bars(file):
    plain, changed = (
        read(file(head, quarters(8), name="x.mid"), bars="3-4").select(1)[0].tolist()
        for head in ([meter(0, 4, 4)], [meter(0, 4, 4), tempo(24, 300_000)])
    )
    assert plain == changed
