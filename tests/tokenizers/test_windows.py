"""Which windows a file gives, and what is said of those that give none or doubtful ones."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from symbotunes.errors import UserError
from symbotunes.music.midi.piece import MidiPiece
from symbotunes.paths import CONF
from symbotunes.tokenizers.base import Unencodable
from symbotunes.tokenizers.windows import Drums, Melody, Trio
from tests.music.events import meter, midi, notes, program, tempo

CASES = Path(__file__).parent.parent / "files" / "midi_cases"


def conf(name):
    options = yaml.safe_load((CONF / "transforms" / f"{name}.yaml").read_text())[name]
    options.pop("_target_")
    return options


MELODY = conf("melody")
NO_BASS = "no bass (programs 32 to 39)"


def case(name):
    return MidiPiece(name, (CASES / f"{name}.mid").read_bytes())


def made(*tracks):
    return MidiPiece("made", midi(*tracks))


def named(name, events):
    return [(0, b"\xff\x03" + bytes([len(name)]) + name), *events]


def line(bars, pitch=60, channel=0):
    quarters = ((4 * beat, 4 * beat + 4, pitch + beat % 7) for beat in range(4 * bars))
    return notes(*quarters, channel=channel)


def reason(tokenizer, piece):
    with pytest.raises(Unencodable) as caught:
        tokenizer.tokenize(piece)
    return caught.value.reason


RUBATO = "no 2 bars of melody in 4/4 between changes of tempo (tempo_changes=ignore reads across)"
FREE = "free timing: onsets lie on no grid of beats, as in performances (max_off_grid)"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("f06_waltz_whose_meter_is_on_track_2", "no bar of 4/4: the meter is 3/4"),
        ("f07_written_rubato", RUBATO),
        ("f09_performance_without_beats", FREE),
        ("f25_bars_of_one_quarter", "no bar of 4/4: the meter is 1/4"),
        ("f03_slip_jig_9_8", "no bar of 4/4: the meter is 9/8"),
        ("f03_upbeat_1_8_then_6_8", "no bar of 4/4: the meters are 1/8, 6/8"),
    ],
)
def test_the_reason_says_what_there_is_instead(name, expected):
    assert reason(Melody(**MELODY), case(name)) == expected


def test_many_meters_are_not_all_listed():
    meters = [meter(16 * at, top, 8) for at, top in enumerate((3, 5, 6, 7))]
    assert reason(Melody(**MELODY), made(meters, line(4))) == (
        "no bar of 4/4: the meters are 3/8, 5/8, 6/8, ..."
    )


def test_a_meter_that_another_replaces_at_once_is_not_listed():
    piece = made([meter(0, 4, 4), meter(0, 1, 4), meter(999, 5, 4)], line(4))
    assert reason(Melody(**MELODY), piece) == "no bar of 4/4: the meter is 1/4"


def test_music_that_is_not_in_the_bars_of_4_4_says_so():
    piece = made(
        [meter(0, 3, 4), meter(12 * 8, 4, 4)], [*line(5), *notes((12 * 8, 12 * 8 + 4, 60))]
    )
    assert reason(Melody(**MELODY), piece) == (
        "no 2 bars of melody in 4/4: the meters are 3/4, 4/4"
    )


@pytest.mark.parametrize(
    ("tokenizer", "tracks", "expected"),
    [
        (Trio(2), [line(2)], f"trio in 4/4: {NO_BASS}, no drums"),
        (Trio(2), [line(2, channel=9)], f"trio in 4/4: no melody (programs 0 to 31), {NO_BASS}"),
        (Trio(2), [line(2), [program(0, 33, 1), *line(2, channel=1)]], "trio in 4/4: no drums"),
        (Drums(2), [line(2)], "drums in 4/4: no drums"),
        (Melody(2, programs=None), [line(2, channel=9)], "melody in 4/4: only drums"),
    ],
)  # fmt: skip
def test_missing_instruments_are_named(tokenizer, tracks, expected):
    assert reason(tokenizer, made(*tracks)) == f"no 2 bars of {expected}"


def test_changes_of_tempo_can_be_read_across():
    rows = Melody(**{**MELODY, "tempo_changes": "ignore"}).tokenize(case("f07_written_rubato"))
    assert len(rows) == 7  # eight bars


def test_bars_can_stay_those_of_the_file_across_a_change_of_tempo():
    """The change is on the third beat of bar 2, where the reference begins a bar."""
    restarting = Melody(**{**MELODY, "bars": 1})
    ignoring = Melody(**{**MELODY, "bars": 1, "tempo_changes": "ignore"})
    events = [*line(4)]
    steady = Melody(bars=1).tokenize(made(events))
    changed = made([tempo(24, 400_000)], events)
    assert np.array_equal(ignoring.tokenize(changed), steady)
    assert not np.array_equal(restarting.tokenize(changed), steady)


@pytest.mark.parametrize("name", ["f08_tempo_change_in_mid_bar", "f20_prompt_with_upbeat"])
def test_a_change_of_tempo_inside_a_bar_is_remarked_on(name):
    remark = "a tempo changes inside a bar and begins a new one (tempo_changes)"
    expected = (remark,) if name.startswith("f08") else ()
    assert tuple(Melody(**MELODY).remarks(case(name))) == expected
    assert Melody(**{**MELODY, "tempo_changes": "ignore"}).remarks(case(name)) == []


def test_meters_of_any_track_count_unless_the_reference_is_asked_for():
    piece = case("f06_waltz_whose_meter_is_on_track_2")
    first = Melody(**{**MELODY, "meter_tracks": "first"})
    assert len(first.tokenize(piece)) == 8
    assert first.remarks(piece) == [
        "tempos or meters on another track than the first, not read (meter_tracks=first)"
    ]
    both = made([meter(0, 3, 4)], [meter(0, 4, 4), tempo(0, 400_000), *line(4)])
    every = Melody(**MELODY)
    assert len(every.tokenize(both)) == 3
    assert every.remarks(both) == [
        "tempos or meters on another track than the first, read (meter_tracks=all)"
    ]
    assert every.remarks(made([meter(0, 4, 4)], [meter(0, 4, 4), *line(4)])) == []


SONG = (
    [meter(0, 4, 4)],
    named(b"BRIDGE", [program(0, 40, 1), *line(4, 50, channel=1)]),
    named(b"Melody", [program(0, 80), *line(4, 70)]),
    named(b"PIANO", line(4, 60, channel=2)),
)


@pytest.mark.parametrize(
    ("tracks", "lowest"),
    [(["MELODY"], {70}), ([2], {70}), (["1", "piano"], {50, 60}), (["BRIDGE"], {50})],
)
def test_tracks_are_chosen_by_name_or_number_whatever_their_programs(tracks, lowest):
    rows = Melody(**{**MELODY, "tracks": tracks}).tokenize(made(*SONG))
    found = {int(row[row > 1].min()) - 2 + 21 for row in np.stack(rows)}
    assert found == lowest


def test_a_missing_track_is_the_reason():
    assert reason(Melody(tracks=["Vocals"]), made(*SONG)) == "no track Vocals"


@pytest.mark.parametrize(
    ("key", "value", "choices"),
    [("meter_tracks", "last", "first or all"), ("tempo_changes", "keep", "restart or ignore")],
)
def test_an_unknown_choice_is_named(key, value, choices):
    with pytest.raises(UserError, match=f"{key}={value}: choose {choices}"):
        Drums(**{key: value})
