"""Which notes of a sample were given, and which a model wrote around them."""

from collections.abc import Set

import symusic

from symbotunes.music.arrival.vocabulary import DRUMS

NoteKey = tuple[int, int, int]  # onset in ticks, pitch, and program or `DRUMS`


def keys_of(score: symusic.Score) -> list[list[NoteKey]]:
    """The notes of each track, in their order."""
    return [
        [(note.time, note.pitch, DRUMS if track.is_drum else track.program) for note in track.notes]
        for track in score.tracks
    ]


def marked(score: symusic.Score, given: Set[NoteKey]) -> tuple[tuple[bool, ...], ...]:
    """By track, which notes of a score are among those given; empty if there are none.

    A model may write a note that was given once more; both count as given.
    """
    marks = tuple(tuple(key in given for key in keys) for keys in keys_of(score))
    return marks if any(map(any, marks)) else ()
