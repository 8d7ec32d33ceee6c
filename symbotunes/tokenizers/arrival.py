"""Triplets of arrival time, duration and note, as the Anticipatory Music Transformer reads them.

Thickstun et al. 2023, https://arxiv.org/abs/2306.08620.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from symbotunes.errors import UserError, require_whole_number
from symbotunes.music.arrival.anticipation import padded
from symbotunes.music.arrival.clock import unwrapped, wrapped
from symbotunes.music.arrival.instruments import ids_of, read_instruments
from symbotunes.music.arrival.reading import ArrivalNotes, read_notes
from symbotunes.music.arrival.triplets import parsed
from symbotunes.music.arrival.vocabulary import (
    AUTOREGRESS,
    DRUMS,
    INSTRUMENTS,
    MAX_DURATION,
    MAX_TIME,
    MOST_INSTRUMENTS,
    NOTE,
    PITCHES,
    REST,
    SIZE,
    UNITS_PER_SECOND,
    Triplets,
)
from symbotunes.music.arrival.writing import score_of
from symbotunes.music.excerpt import Excerpt
from symbotunes.music.midi.bars import bar_lines, chosen_bars
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.piece import MidiPiece, read_midi_bytes
from symbotunes.music.midi.tracks import score_of_track
from symbotunes.tokenizers.base import (
    NO_ID,
    GrammarCheck,
    Ids,
    Rendition,
    Unencodable,
    Vocabulary,
)
from symbotunes.tokenizers.closed import ClosedTokenizer

CLASSES = {
    "Time": "onset",
    "Duration": "duration",
    "Note": "note",
    "Drum": "note",
    "Rest": "note",
    "Control": "control",
    "Separator": "separator",
    "Anticipate": "flag",
}


class ArrivalTimes(ClosedTokenizer):
    """A whole file as one example of triplets, with rests in silences of more than a second.

    Times of examples are those of a clock that starts anew every 100 s
    (`symbotunes.music.arrival.clock`), so that all are ids. ``loader=blocks`` makes the excerpts of
    them that the published models were trained on.

    Args:
        min_events: files with fewer notes are left out.
        min_seconds: files whose last note begins earlier are left out.
        max_seconds: files whose last note begins later are left out.
        max_instruments: files with more are left out; drums are one.
        instruments: General MIDI programs, and ``drums``; files with others are left out, and
            networks have no weights for them. ``None``: all.

    Raises:
        UserError: if a value is out of range.
    """

    SCHEMA: ClassVar[int] = 1
    FORMAT: ClassVar[str] = "midi"
    TRIPLETS: ClassVar[bool] = True

    def __init__(
        self,
        min_events: int = 100,
        min_seconds: float = 10.0,
        max_seconds: float = 3600.0,
        max_instruments: int = MOST_INSTRUMENTS,
        instruments: Sequence[Any] | None = None,
    ) -> None:
        require_whole_number("transforms.arrival_times.min_events", min_events)
        require_whole_number("transforms.arrival_times.max_instruments", max_instruments)
        if not 0 <= min_seconds <= max_seconds:
            raise UserError(
                f"transforms.arrival_times.min_seconds={min_seconds}: must be from 0 to "
                f"max_seconds={max_seconds}"
            )
        self.min_events, self.max_instruments = min_events, max_instruments
        self.min_seconds, self.max_seconds = min_seconds, max_seconds
        self.instruments = read_instruments("transforms.arrival_times.instruments", instruments)

    @cached_property
    def names(self) -> list[str]:
        """The token of every id; made when it is first needed, since there are 55,028."""
        return list(_names())

    # From pieces to ids.

    def tokenize(self, piece: MidiPiece) -> Sequence[Ids]:
        notes = _read(piece)
        if reason := self._objection(notes):
            raise Unencodable(reason)
        return [_example(notes.events())]

    def _objection(self, notes: ArrivalNotes) -> str | None:
        """Why a file is left out, in the order in which the authors ask."""
        if len(notes) < self.min_events:
            return f"fewer than {self.min_events} notes (min_events)"
        last = int(notes.time.max()) / UNITS_PER_SECOND
        if last < self.min_seconds:
            return f"the last note begins before {self.min_seconds:g} s (min_seconds)"
        if last > self.max_seconds:
            return f"the last note begins after {self.max_seconds:g} s (max_seconds)"
        used = np.unique(notes.instrument)
        if len(used) > self.max_instruments:
            return f"more than {self.max_instruments} instruments (max_instruments)"
        if self.instruments is not None and not self.instruments.issuperset(used.tolist()):
            return "an instrument that is not among transforms.arrival_times.instruments"
        return None

    def remarks(self, piece: MidiPiece) -> Sequence[str]:
        return ["notes of 10 s or more: cut"] if _read(piece).too_long.any() else []

    def begins_note(self, ids: Ids) -> NDArray[np.bool_]:
        ids = np.asarray(ids)
        return (ids >= NOTE) & (ids < REST)

    def bar_starts(self, ids: Ids) -> NDArray[np.int64]:  # noqa: ARG002
        """Arrival times have no bars.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("arrival times have no bars")

    # Tokens and ids.

    def decode(self, ids: Sequence[int]) -> list[str]:
        return [self.names[index] for index in ids if index != AUTOREGRESS]

    def token_class(self, token: str) -> str:
        return CLASSES[token.partition("_")[0]]

    # From ids to pieces.

    def render(self, tokens: Sequence[str], title: str, *, number: int = 1) -> Rendition:
        ids = [self._ids[token] for token in tokens if token in self._ids]
        return self.render_ids(np.array(ids, np.int64), title, number=number)

    def render_ids(self, ids: Ids, title: str, *, number: int = 1) -> Rendition:  # noqa: ARG002
        """Decode the first piece among ids, whose times may be those of a clock of 100 s."""
        triplets, errors = parsed(np.asarray(ids).astype(np.int64))
        problems = (f"{errors} of {len(ids)} ids belong to no triplet",) if errors else ()
        return Rendition(
            score_of(unwrapped(triplets)), problems=problems, grammar=GrammarCheck(errors, len(ids))
        )

    # Prompts.

    def prompt(self, text: str) -> list[int]:  # noqa: ARG002
        """Reject any text, since events cannot be typed.

        Raises:
            ValueError: always.
        """
        raise ValueError("arrival times cannot be typed; give the beginning as a MIDI file")

    def prompt_from(
        self, path: Path, bars: int | Excerpt, track: str | int | None = None
    ) -> list[int]:
        """Events of some bars of a MIDI file.

        Args:
            path: of the file.
            bars: how many from the beginning, not counting an upbeat, or which.
            track: name or number of the only track that is read; ``None``: all.

        Raises:
            ValueError: one line that says why the file cannot be a prompt.
        """
        score = MidiPiece(path.name, read_midi_bytes(path)).score
        if track is not None:
            score = score_of_track(score, track)
        if isinstance(bars, int):
            lines = bar_lines(score)
            bars = (range(lines.first, min(bars, lines.last) + 1),)
        notes = _read(MidiPiece(path.name, chosen_bars(score, bars)))
        if not len(notes):
            raise ValueError("the chosen bars are empty")
        return [int(index) for index in _example(notes.events())]

    # The vocabulary.

    @property
    def vocabulary(self) -> Vocabulary:
        used = None if self.instruments is None else ids_of(self.instruments)
        return Vocabulary(SIZE, AUTOREGRESS, NO_ID, used=used)


def _read(piece: MidiPiece) -> ArrivalNotes:
    try:
        return read_notes(piece.walked)
    except MidiError as error:
        raise Unencodable(error.reason, error.detail) from error


def _example(events: Triplets) -> Ids:
    """``[3 N]`` ids of a piece: its events and rests, by the clock."""
    return wrapped(padded(events)).flatten()


def _names() -> Iterator[str]:
    """The token of every id."""
    for prefix in ("", "Control_"):
        yield from (f"{prefix}Time_{units}" for units in range(MAX_TIME))
        yield from (f"{prefix}Duration_{units}" for units in range(MAX_DURATION))
        for instrument in range(INSTRUMENTS):
            kind = "Drum" if instrument == DRUMS else f"Note_{instrument}"
            yield from (f"{prefix}{kind}_{pitch}" for pitch in range(PITCHES))
        if not prefix:
            yield "Rest"
    yield from ("Separator", "Autoregress", "Anticipate")
