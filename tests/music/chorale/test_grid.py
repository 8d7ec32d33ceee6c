"""Four voices on a grid of sixteenths, read from MIDI and written to it."""

import numpy as np
import pytest
import symusic

from symbotunes.music.chorale.grid import SILENT, VoiceGrid, read_voices
from symbotunes.music.chorale.layout import BOS, REST, OutOfRange, VoiceLayout
from symbotunes.music.midi.error import MidiError

R = SILENT
PITCHES = np.array([[67, 62, 59, 43], [67, 62, 57, 43], [R, 62, 57, 45], [67, 60, 57, R]])


def score(*tracks, names=("", "", "", ""), ticks=480):
    """Tracks of (start, end, pitch) in ticks."""
    made = symusic.Score(ticks)
    for name, notes in zip(names, tracks, strict=False):
        track = symusic.Track(name=name)
        for start, end, pitch in notes:
            track.notes.append(symusic.Note(start, end - start, pitch, 80))
        made.tracks.append(track)
    return made


def notes_of(made):
    return [[(n.time, n.duration, n.pitch) for n in track.notes] for track in made.tracks]


def test_equal_neighbors_are_one_note_and_rests_end_it():
    assert notes_of(VoiceGrid.joined(PITCHES).score()) == [
        [(0, 240, 67), (360, 120, 67)],
        [(0, 360, 62), (360, 120, 60)],
        [(0, 120, 59), (120, 360, 57)],
        [(0, 240, 43), (240, 120, 45)],
    ]


def test_tracks_have_the_names_of_the_voices():
    tracks = VoiceGrid.joined(PITCHES).score().tracks
    assert [track.name for track in tracks] == ["Soprano", "Alto", "Tenor", "Bass"]


def test_a_grid_is_read_back_from_its_score():
    grid = read_voices(VoiceGrid.joined(PITCHES).score())
    assert grid.pitches.tolist() == PITCHES.tolist()
    assert grid.begins.astype(int).tolist() == [
        [1, 1, 1, 1],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
        [1, 1, 0, 0],
    ]


def test_repeated_notes_begin_again():
    grid = read_voices(score([(0, 120, 60), (120, 480, 60)], *[[(0, 480, 50)]] * 3))
    assert grid.pitches[:, 0].tolist() == [60, 60, 60, 60]
    assert grid.begins[:, 0].tolist() == [True, True, False, False]


def test_what_lies_between_two_sixteenths_is_not_heard():
    """At 480 ticks a quarter, a thirty-second on the beat is heard and one after it is not."""
    ornamented = [(0, 60, 60), (60, 120, 62), (120, 240, 64)]
    grid = read_voices(score(ornamented, *[[(0, 240, 50)]] * 3))
    assert grid.pitches[:, 0].tolist() == [60, 64]


def test_silence_before_the_first_note_is_left_out():
    grid = read_voices(score([(960, 1200, 60)], *[[(1080, 1200, 50)]] * 3))
    assert grid.pitches[:, 0].tolist() == [60, 60]
    assert grid.pitches[:, 3].tolist() == [R, 50]


def test_voices_are_known_by_their_names():
    low_first = score(
        *([(0, 120, pitch)] for pitch in (40, 50, 60, 70)),
        names=("bass", "Tenor", "ALTO", "Soprano"),
    )
    assert read_voices(low_first).pitches.tolist() == [[70, 60, 50, 40]]


@pytest.mark.parametrize(
    ("tracks", "reason"),
    [
        ([[(0, 120, 60)]] * 3, "not in four voices"),
        ([[(0, 240, 60), (120, 240, 64)], *[[(0, 240, 50)]] * 3], "two notes at once"),
    ],
)
def test_other_music_is_refused(tracks, reason):
    with pytest.raises(MidiError, match=reason):
        read_voices(score(*tracks))


def test_ids_are_soprano_alto_tenor_and_bass_of_each_step():
    layout = VoiceLayout()
    assert layout.size == 49
    assert layout.encode(VoiceGrid.joined(PITCHES)).tolist() == [
        34, 29, 26, 10, 34, 29, 24, 10, 2, 29, 24, 12, 34, 27, 24, 2
    ]  # fmt: skip  # 36 is id 3, and 2 is silence


def test_held_notes_may_have_an_id_of_their_own():
    layout = VoiceLayout(holds=True)
    grid = VoiceGrid.joined(PITCHES)
    ids = layout.encode(grid)
    assert [layout.names[index] for index in ids[4:8]] == ["Hold", "Hold", "Pitch_57", "Hold"]
    decoded, errors = layout.decode(ids)
    assert errors == 0
    assert decoded.pitches.tolist() == grid.pitches.tolist()
    assert decoded.begins.tolist() == grid.begins.tolist()


def test_a_hold_of_nothing_and_special_ids_are_silent_errors():
    layout = VoiceLayout(holds=True)
    grid, errors = layout.decode(np.array([layout.hold, BOS, 20, 20, REST, 20, 20]))
    assert errors == 2
    assert grid.pitches.tolist() == [[R, R, 53, 53], [R, 53, 53, R]]


def test_a_pitch_without_an_id_is_named():
    with pytest.raises(OutOfRange, match="pitch 82"):
        VoiceLayout().encode(VoiceGrid.joined(np.array([[82, 60, 50, 40]])))
