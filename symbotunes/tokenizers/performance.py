"""Performances as events of 10 ms, as Performance RNN reads them (Oore et al. 2018).

https://arxiv.org/abs/1808.03715; extraction as in Magenta's ``performance_pipeline``.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
import symusic
from numpy.typing import NDArray

from symbotunes.errors import UserError, require_whole_number
from symbotunes.music.excerpt import Excerpt
from symbotunes.music.midi.bars import bar_lines, chosen_bars
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.notes import read_midi
from symbotunes.music.midi.pedal import read_pedal
from symbotunes.music.midi.piece import MidiPiece, read_midi_bytes
from symbotunes.music.midi.tracks import score_of_track
from symbotunes.music.performance.events import (
    HIGHEST_VELOCITY,
    LONGEST_SHIFT,
    STEPS_PER_SECOND,
    EventLayout,
)
from symbotunes.music.performance.notes import PlayedNotes, pieces, played_notes, sustained
from symbotunes.tokenizers.base import (
    NO_ID,
    GrammarCheck,
    Ids,
    Rendition,
    Unencodable,
    Vocabulary,
)
from symbotunes.tokenizers.closed import ClosedTokenizer
from symbotunes.tokenizers.reading import CHOICES
from symbotunes.tokenizers.windows import one_of

TICKS_PER_QUARTER = 500  # at 120 quarters per minute, a tick is 1 ms
TICKS_PER_STEP = 2 * TICKS_PER_QUARTER // STEPS_PER_SECOND
HIGHEST_PITCH = 127
SHORTEST_PIECE = 1.0  # seconds
PROGRAMS = {"one": True, "any": False}
CLASSES = {
    "NoteOn": "pitch",
    "NoteOff": "note off",
    "TimeShift": "time shift",
    "Velocity": "velocity",
    "Reserved": "reserved",
}


class Performance(ClosedTokenizer):
    """Note-on, note-off, time shift and velocity; a file yields an example for each of its pieces.

    All instruments are one stream. Examples have no tokens of their own that begin and end them,
    since most are cut out of a longer performance.

    Args:
        piece_seconds: length of the pieces that a file is cut into; ``None``: it stays whole.
        min_events: pieces with fewer events are left out.
        max_events: the first events of a piece that are kept; ``None``: all.
        sustain: whether notes sound on while the pedal is down; otherwise it is ignored.
        velocities: number of bins, from 1 to 127; 0: events tell no velocity.
        programs: ``one``: pieces with notes of several programs are left out; ``any``: none are.
        pitches: the lowest and the highest that have ids; pieces with others are left out.
        reserved: number of ids, before all others, that stand for no event.
        meter_tracks: whose tempos count, see `Reading`.
        longest_note: seconds after which decoded notes end; ``None``: when their events say.

    Raises:
        UserError: if a value is out of range.
    """

    SCHEMA: ClassVar[int] = 1
    FORMAT: ClassVar[str] = "midi"
    FRAMED: ClassVar[bool] = False

    def __init__(
        self,
        piece_seconds: float | None = 30.0,
        min_events: int = 32,
        max_events: int | None = 512,
        sustain: bool = True,
        velocities: int = 32,
        programs: str = "one",
        pitches: Sequence[int] = (0, 127),
        reserved: int = 0,
        meter_tracks: str = "all",
        longest_note: float | None = 5.0,
    ) -> None:
        require_whole_number("transforms.performance.min_events", min_events)
        require_whole_number("transforms.performance.max_events", max_events, optional=True)
        require_whole_number("transforms.performance.velocities", velocities, least=0)
        require_whole_number("transforms.performance.reserved", reserved, least=0)
        if len(pitches) != 2 or not 0 <= pitches[0] <= pitches[1] <= HIGHEST_PITCH:
            raise UserError(
                f"transforms.performance.pitches={list(pitches)}: must be the lowest and the "
                "highest, from 0 to 127"
            )
        if velocities > HIGHEST_VELOCITY:
            raise UserError(f"transforms.performance.velocities={velocities}: must be at most 127")
        if piece_seconds is not None and not piece_seconds >= SHORTEST_PIECE:
            raise UserError(
                f"transforms.performance.piece_seconds={piece_seconds}: must be at least 1, or null"
            )
        if longest_note is not None and not longest_note > 0:
            raise UserError(
                f"transforms.performance.longest_note={longest_note}: must be above 0, or null"
            )
        if meter_tracks not in CHOICES["meter_tracks"]:
            raise UserError(f"meter_tracks={meter_tracks}: choose first or all")
        self.piece_seconds = piece_seconds
        self.min_events, self.max_events = min_events, max_events
        self.sustain = sustain
        lowest, highest = pitches
        self.layout = EventLayout(velocities, lowest, highest, reserved)
        self.one_program: bool = one_of(PROGRAMS, programs, "transforms.performance.programs")
        self.meter_tracks = meter_tracks
        self.longest_note = longest_note

    # From pieces to ids.

    def tokenize(self, piece: MidiPiece) -> Sequence[Ids]:
        try:
            examples, left_out = self._examples(piece)
        except MidiError as error:
            raise Unencodable(error.reason, error.detail) from error
        if not examples:
            raise Unencodable(next(iter(left_out)))
        return examples

    def remarks(self, piece: MidiPiece) -> Sequence[str]:
        _, left_out = self._examples(piece)
        return [f"some pieces of {self.piece_seconds:g} s: {reason}" for reason in left_out]

    def _examples(self, piece: MidiPiece) -> tuple[list[Ids], list[str]]:
        """The examples of a file, and why pieces of it are left out, in order of appearance."""
        played = self._played(piece)
        cut = [played] if self.piece_seconds is None else pieces(played, self.piece_seconds)
        examples: list[Ids] = []
        reasons: dict[str, None] = {}
        for notes in cut:
            if not len(notes):
                reasons["silence"] = None
            elif not self.layout.holds(notes.pitch):
                reasons[f"notes outside of {self._range} (pitches)"] = None
            elif self.one_program and notes.programs > 1:
                reasons["several instruments at once (programs=any reads them as one)"] = None
            elif len(ids := self.layout.encode(self.layout.quantize(notes))) < self.min_events:
                reasons[f"fewer than {self.min_events} events (min_events)"] = None
            else:
                examples.append(ids[: self.max_events])
        return examples, list(reasons)

    def _played(self, piece: MidiPiece) -> PlayedNotes:
        events = piece.events
        notes = read_midi(events, meter_tracks=self.meter_tracks)
        played = played_notes(notes)
        if not self.sustain:
            return played
        clock = events.clock if self.meter_tracks == "all" else events.first_clock
        return sustained(played, read_pedal(events, notes, clock))

    @property
    def _range(self) -> str:
        return f"pitches {self.layout.lowest} to {self.layout.highest}"

    @cached_property
    def names(self) -> Sequence[str]:
        return list(_names(self.layout))

    @property
    def events(self) -> EventLayout:
        return self.layout

    def begins_note(self, ids: Ids) -> NDArray[np.bool_]:
        return self.layout.begins_note(np.asarray(ids))

    def bar_starts(self, ids: Ids) -> NDArray[np.int64]:  # noqa: ARG002
        """Performances have no bars.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("performance events have no bars")

    # Tokens and ids.

    def decode(self, ids: Sequence[int]) -> list[str]:
        return [self.names[index] for index in ids]

    def token_class(self, token: str) -> str:
        return CLASSES[token.partition("_")[0]]

    # From ids to pieces.

    def render(self, tokens: Sequence[str], title: str, *, number: int = 1) -> Rendition:
        ids = [self._ids[token] for token in tokens if token in self._ids]
        return self.render_ids(np.array(ids, np.int64), title, number=number)

    def render_ids(self, ids: Ids, title: str, *, number: int = 1) -> Rendition:  # noqa: ARG002
        events = np.asarray(ids).astype(np.int64)
        errors = self.layout.count_errors(events)
        problems = []
        if errors:
            problems.append(f"{errors} of {len(events)} events have no effect")
        return Rendition(
            self._score(events), problems=tuple(problems), grammar=GrammarCheck(errors, len(events))
        )

    def _score(self, events: NDArray[np.int64]) -> symusic.Score:
        notes = self.layout.decode(events, self.longest_note)
        order = np.lexsort((notes.pitch, notes.start))
        score = symusic.Score(TICKS_PER_QUARTER)
        score.tempos.append(symusic.Tempo(0, 120))
        track = symusic.Track(name="piano", program=0)
        track.notes = symusic.Note.from_numpy(
            time=(notes.start[order] * TICKS_PER_STEP).astype(np.int32),
            duration=((notes.end - notes.start)[order] * TICKS_PER_STEP).astype(np.int32),
            pitch=notes.pitch[order].astype(np.int8),
            velocity=self.layout.velocity(notes.bins[order]).astype(np.int8),
        )
        score.tracks.append(track)
        return score

    # Prompts.

    def prompt(self, text: str) -> list[int]:  # noqa: ARG002
        """Reject any text, since events cannot be typed.

        Raises:
            ValueError: always.
        """
        raise ValueError("performance events cannot be typed; give the beginning as a MIDI file")

    def prompt_from(
        self, path: Path, bars: int | Excerpt, track: str | int | None = None
    ) -> list[int]:
        """Events of some bars of a MIDI file.

        Args:
            path: of the file.
            bars: how many from the beginning, not counting an upbeat, or which; of a recorded
                performance, they are those that the file states.
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
        score = chosen_bars(score, bars)
        if not any(len(track.notes) for track in score.tracks):
            raise ValueError("the chosen bars are empty")
        played = self._played(MidiPiece(path.name, score))
        if not self.layout.holds(played.pitch):
            raise ValueError(f"notes outside of {self._range} have no tokens here")
        return [int(index) for index in self.layout.encode(self.layout.quantize(played))]

    # The vocabulary.

    @property
    def vocabulary(self) -> Vocabulary:
        # Tensor2Tensor feeds its padding, which embeds to zero, before the first event.
        opening = 0 if self.layout.reserved else self.layout.one_second
        return Vocabulary(self.layout.size, NO_ID, NO_ID, opening=opening)


def _names(layout: EventLayout) -> Iterator[str]:
    """The token of every id."""
    pitches = range(layout.lowest, layout.highest + 1)
    yield from (f"Reserved_{number}" for number in range(layout.reserved))
    yield from (f"NoteOn_{pitch}" for pitch in pitches)
    yield from (f"NoteOff_{pitch}" for pitch in pitches)
    yield from (f"TimeShift_{steps}" for steps in range(1, LONGEST_SHIFT + 1))
    yield from (f"Velocity_{number}" for number in range(1, layout.velocities + 1))
