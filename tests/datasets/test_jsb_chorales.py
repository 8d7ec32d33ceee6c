"""The chorales of the installed music21; expectations are what its own reader says of them."""

from fractions import Fraction

import pytest

from symbotunes.datasets.base import Dropped
from symbotunes.datasets.jsb_chorales import JsbChorales


@pytest.fixture(scope="module")
def corpus():
    return JsbChorales()


def read(corpus, name):
    (piece,) = corpus.read(corpus.folder / name)
    return piece


def test_there_are_410_scores(corpus):
    assert len(corpus.files()) == 410
    assert all(corpus.owns(path) for path in corpus.files())


def test_a_chorale_has_four_voices(corpus):
    piece = read(corpus, "bwv269.mxl")
    score = piece.score
    assert [track.name for track in score.tracks] == ["Soprano", "Alto", "Tenor", "Bass"]
    assert [len(track.notes) for track in score.tracks] == [46, 60, 59, 60]
    assert (piece.id, piece.title) == ("bach/bwv269.mxl", "bwv269")


def test_an_upbeat_ends_on_the_bar_line(corpus):
    """In 3/4 with an upbeat of one quarter the first note is the third beat of a full bar."""
    soprano = read(corpus, "bwv269.mxl").score.tracks[0].notes
    assert [(note.start, note.duration, note.pitch) for note in soprano[:4]] == [
        (960, 480, 67),
        (1440, 960, 67),
        (2400, 480, 74),
        (2880, 720, 71),
    ]


def test_meter_and_key_are_kept(corpus):
    score = read(corpus, "bwv269.mxl").score
    meters = [(each.time, each.numerator, each.denominator) for each in score.time_signatures]
    assert meters == [(0, 3, 4)]
    assert [(each.key, each.tonality) for each in score.key_signatures] == [(1, 0)]


def heard_by_music21(path):
    """(start, end, pitch) in ticks of 1/480 quarter, part by part, upbeats at the end of a bar."""
    from music21 import converter, stream

    for part in converter.parseFile(path, format="musicxml", forceSource=True).parts:
        missing = part.getElementsByClass(stream.Measure).first().paddingLeft
        notes = part.stripTies().flatten().notes
        sounding = [note for note in notes if not note.duration.isGrace]
        yield sorted(
            (
                round((Fraction(note.offset) + Fraction(missing)) * 480),
                round((Fraction(note.offset + missing) + Fraction(note.quarterLength)) * 480),
                pitch.midi,
            )
            for note in sounding
            for pitch in note.pitches
        )


@pytest.mark.slow("music21 takes seconds for a score")
def test_the_voices_are_those_that_music21_reads(corpus):
    compared = 0
    for path in corpus.files()[::80]:
        tracks = read(corpus, path.name).score.tracks
        ours = [sorted((note.start, note.end, note.pitch) for note in t.notes) for t in tracks]
        theirs = list(heard_by_music21(path))
        assert all(voice in theirs for voice in ours), path.name  # beside instruments
        compared += 1
    assert compared == 6


def test_voices_end_together(corpus):
    """Bars of all parts are as long as each other, upbeats and ties included."""
    for path in corpus.files()[:20]:
        (piece,) = corpus.read(path)
        ends = {max(note.end for note in track.notes) for track in piece.score.tracks}
        assert len(ends) == 1, path.name


def test_what_is_not_in_four_parts_is_dropped(corpus):
    assert read(corpus, "bwv846.mxl") == Dropped("bach/bwv846.mxl", "not in four parts")
