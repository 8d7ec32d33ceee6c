"""What a model wrote into a tune is shown in another color than what was given."""

import io
from xml.etree import ElementTree

import numpy as np
import symusic
from PIL import Image

from symbotunes.render.notation.colored import with_colored_bars
from symbotunes.render.notation.notation import SVG, engrave
from symbotunes.render.palette import COLORS, NEW
from symbotunes.render.piano_roll import roll
from symbotunes.render.piano_roll.roll import draw_roll

# Between bar signs: an upbeat, bars of 3, 4 and 2 notes, both parts of a split bar, a bar of 6.
TUNE = "X:1\nT:A tune\nM:6/8\nL:1/8\nK:C\nG|:A2A B3|e2e d2c|1 A3 G3:|2 A3 A2|:G|ABc def:|\n"


def classes(element, name):
    groups = element.iter(f"{{{SVG}}}g")
    return [group for group in groups if name in group.get("class", "").split()]


def test_the_music_of_new_bars_is_colored_and_their_lines_are_not():
    plain = engrave(TUNE).svg
    drawing = ElementTree.fromstring(with_colored_bars(plain, [2, 5, 6], NEW))
    colored = [group for group in drawing.iter() if group.get("fill") == NEW]
    assert [group.get("class") for group in colored] == ["layer"] * 3
    assert [len(classes(group, "note")) for group in colored] == [4, 1, 6]
    assert all(group.get("color") == NEW for group in colored)
    assert with_colored_bars(plain, [], NEW) == plain
    assert NEW not in with_colored_bars(plain, [99], NEW)


def rgb(color):
    return tuple(int(color[at : at + 2], 16) for at in (1, 3, 5))


def columns(png, color):
    """Columns of a picture that hold a color."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    return np.flatnonzero((pixels == rgb(color)).all(-1).any(0))


def test_notes_that_begin_in_marked_times_are_colored():
    score = symusic.Score(480)
    track = symusic.Track(name="Melody")
    for onset in range(0, 1920, 480):  # four quarters: one bar
        track.notes.append(symusic.Note(onset, 480, 60, 90))
    score.tracks.append(track)
    new, old = (columns(draw_roll(score, [(480, 960)]).png, color) for color in (NEW, COLORS[0]))
    first, last = old.min(), old.max()
    quarter = (last - first) / 4
    assert abs(new.min() - (first + quarter)) < 5
    assert abs(new.max() - (first + 2 * quarter)) < 5
    assert not len(columns(draw_roll(score).png, NEW))


def test_given_notes_are_paler_than_written_ones_of_their_track_and_the_legend_says_so(monkeypatch):
    legends = []
    monkeypatch.setattr(roll, "_draw_legend", lambda _, entries: legends.append(dict(entries)))
    score = symusic.Score(480)
    flute, drums = symusic.Track(program=73), symusic.Track(is_drum=True)
    score.tracks.append(symusic.Track(name="No notes"))
    for onset in range(0, 1920, 480):
        flute.notes.append(symusic.Note(onset, 480, 60, 90))
    drums.notes.append(symusic.Note(0, 480, 36, 90))
    for track in (flute, drums):
        score.tracks.append(track)
    given = [[], [True, False, False, True], [False]]
    png = draw_roll(score, given=given).png
    full, pale = (columns(png, color) for color in (COLORS[0], "#a6cee4"))
    first, last = pale.min(), pale.max()
    quarter = (last - first) / 4
    assert abs(full.min() - (first + quarter)) < 5
    assert abs(full.max() - (first + 3 * quarter)) < 5
    assert not ((pale > full.min() + 3) & (pale < full.max() - 3)).any()
    draw_roll(score)
    named = {"Flute": COLORS[0], "Drums": "#6b665c"}
    assert legends == [{**named, "pale: given": "#c0bebb"}, named]
