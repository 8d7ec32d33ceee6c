import io

import numpy as np
import pytest
import symusic
from PIL import Image

from symbotunes.render.piano_roll.bars import bars_of
from symbotunes.render.piano_roll.clock import Clock
from symbotunes.render.piano_roll.pitches import pitch_name, rows_of
from symbotunes.render.piano_roll.roll import draw_roll

BLUE = (0, 0x72, 0xB2)


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def blue_box(png):
    """Left, right, top, bottom of what is drawn in the first track's color, in px."""
    rows, columns = np.nonzero((pixels(png) == BLUE).all(axis=-1))
    return columns.min(), columns.max(), rows.min(), rows.max()


def test_the_picture_of_one_line_is_1600_px_wide_and_as_high_as_its_margins_ask_for(make_score):
    # 15 rows of 15 px for the 14 semitones that any roll spans, 18 px above and 44 px below
    height, width, _ = pixels(draw_roll(make_score([60] * 4)).png).shape
    assert (height, width) == (18 + 15 * 15 + 44, 1600)


def test_a_note_stands_at_its_time(make_score):
    score = make_score([60, 60, 60, 60])  # one bar, from 100 to 1576 px
    for index in (3, 1, 0):
        del score.tracks[0].notes[index]
    score.tracks[0].notes[0].duration = 960  # the second half of the bar
    left, right, *_ = blue_box(draw_roll(score).png)
    assert (left, right) == pytest.approx((838, 1576), abs=3)


def test_without_notes_nothing_is_colored(make_score):
    assert not (pixels(draw_roll(make_score([])).png) == BLUE).all(axis=-1).any()


def test_higher_pitches_stand_higher(make_score):
    score = make_score([60])
    high = symusic.Track(name="High")
    high.notes.append(symusic.Note(0, 480, 72, 90))
    score.tracks.append(high)
    picture = pixels(draw_roll(score).png)[60:]  # below the legend
    low_rows = np.nonzero((picture == BLUE).all(axis=-1))[0]
    high_rows = np.nonzero((picture == (0xD5, 0x5E, 0x00)).all(axis=-1))[0]
    assert high_rows.max() < low_rows.min()


def test_a_long_piece_is_broken_into_lines_of_whole_phrases(make_score):
    lines = draw_roll(make_score([60] * 4 * 34)).lines  # 34 bars in 3 lines: 12, 12, 10
    assert [line.times[0][0] for line in lines] == [0, 24, 48]  # 2 s a bar
    assert lines[-1].times[-1][0] == 68
    assert all(above.bottom < below.top for above, below in zip(lines, lines[1:], strict=False))


def test_the_playhead_knows_changes_of_tempo(make_score):
    score = make_score([60] * 4)
    score.tempos.append(symusic.Tempo(960, 60.0))
    (line,) = draw_roll(score).lines
    left, right = 100 / 1600, 1576 / 1600
    expected = [(0, left), (1, (left + right) / 2), (3, right)]
    assert list(line.times) == [pytest.approx(each, abs=1e-4) for each in expected]


@pytest.mark.parametrize("tracks", [0, 1])
def test_a_score_without_notes_is_drawn_empty(tracks):
    score = symusic.Score(480)
    for _ in range(tracks):
        score.tracks.append(symusic.Track())
    assert pixels(draw_roll(score).png).shape[1] == 1600


def test_drums_have_rows_below_the_pitches(make_score):
    score = make_score([60, 67])
    drums = symusic.Track(is_drum=True)
    drums.notes.append(symusic.Note(0, 60, 36, 90))
    drums.notes.append(symusic.Note(0, 60, 38, 90))
    score.tracks.append(drums)
    rows = rows_of(score)
    assert rows.low > 38  # drums do not widen the range of pitches
    assert rows.bottom < rows.row(38, is_drum=True) < rows.row(36, is_drum=True) < rows.low
    assert [name for _, name in rows.labels(15)][-2:] == ["Kick", "Snare"]


def test_odd_track_names_do_not_stop_the_drawing(make_score):
    score = make_score([60])
    for name in ("$x^", "_hidden", "\n", "名" * 100):
        track = symusic.Track(name=name)
        track.notes.append(symusic.Note(0, 480, 64, 90))
        score.tracks.append(track)
    assert draw_roll(score).png


def test_the_same_score_gives_the_same_picture(make_score):
    assert draw_roll(make_score([60, 64])).png == draw_roll(make_score([60, 64])).png


@pytest.mark.parametrize(("pitch", "name"), [(60, "C4"), (69, "A4"), (61, "C♯4"), (0, "C-1")])
def test_pitches_are_named_as_musicians_do(pitch, name):
    assert pitch_name(pitch) == name


def test_bars_follow_the_meter_and_its_changes(make_score):
    score = make_score([60] * 6, meter=(6, 8))
    score.time_signatures.append(symusic.TimeSignature(1440, 2, 4))
    bars = bars_of(score)  # 6/8: 1440 ticks, dotted beats; then 2/4: 960 ticks
    assert bars.onsets_ticks == (0, 1440, 2400, 3360)
    assert bars.beats_ticks == (720, 480, 480)


def test_a_short_first_bar_is_an_upbeat_and_has_number_0(make_score):
    score = make_score([60] * 6, meter=(1, 8))
    assert bars_of(score).first_number == 1
    score.time_signatures.append(symusic.TimeSignature(240, 2, 4))
    bars = bars_of(score)
    assert bars.first_number == 0
    assert bars.onsets_ticks[:3] == (0, 240, 1200)


def test_a_meter_that_cannot_be_is_ignored(make_score):
    score = make_score([60] * 4)
    score.time_signatures.append(symusic.TimeSignature(0, 0, 4))
    assert bars_of(score).onsets_ticks == (0, 1920)


def test_seconds_agree_with_symusic(make_score):
    score = make_score([60] * 8, tempo_bpm=90.0)
    score.tempos.append(symusic.Tempo(1000, 200.0))
    clock = Clock(score)
    in_seconds = score.to("second").tracks[0].notes
    for note, expected in zip(score.tracks[0].notes, in_seconds, strict=True):
        assert clock.seconds(note.time) == pytest.approx(expected.time, abs=1e-3)
