"""Chorales as note slots: what soprano, alto, tenor and bass sing at each sixteenth, in turn.

The representation of Music Transformer's experiments with chorales (Huang et al. 2019, section
4.1, https://arxiv.org/abs/1809.04281).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from symbotunes.errors import UserError
from symbotunes.music.chorale.grid import VOICES, read_voices
from symbotunes.music.chorale.layout import BOS, EOS, OutOfRange, VoiceLayout
from symbotunes.music.excerpt import Excerpt
from symbotunes.music.midi.bars import bar_lines, chosen_bars
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.piece import MidiPiece, read_midi_bytes
from symbotunes.tokenizers.base import (
    GrammarCheck,
    Ids,
    Rendition,
    Unencodable,
    Vocabulary,
)
from symbotunes.tokenizers.closed import ClosedTokenizer

SLOT = "note slot"  # class of every token but the end


class ChoraleGrid(ClosedTokenizer):
    """A token for each voice and sixteenth, of one alphabet for all voices.

    Lost are meter, key, tempo and what lies between two sixteenths, and without `holds` whether a
    note is repeated or held.

    Args:
        holds: whether a held note has a token of its own; otherwise its pitch is repeated, as in
            the published results.
        lowest: MIDI pitch; chorales with lower notes are left out.
        highest: MIDI pitch; chorales with higher notes are left out.

    Raises:
        UserError: if there are no pitches between them.
    """

    SCHEMA: ClassVar[int] = 1
    FORMAT: ClassVar[str] = "midi"

    def __init__(self, holds: bool = False, lowest: int = 36, highest: int = 81) -> None:
        if not 0 <= lowest <= highest <= 127:
            raise UserError(
                f"transforms.chorale_grid.lowest={lowest} and highest={highest}: must be MIDI "
                "pitches, the lowest first"
            )
        self.layout = VoiceLayout(lowest, highest, holds)

    @property
    def names(self) -> Sequence[str]:
        return self.layout.names

    @property
    def voices(self) -> VoiceLayout:
        return self.layout

    # From pieces to ids.

    def tokenize(self, piece: MidiPiece) -> Sequence[Ids]:
        try:
            return [self.layout.encode(read_voices(piece.parsed))]
        except MidiError as error:
            raise Unencodable(error.reason, error.detail) from error
        except OutOfRange as error:
            span = f"{self.layout.lowest} to {self.layout.highest}"
            raise Unencodable(f"pitches outside {span}", str(error)) from error

    def bar_starts(self, ids: Ids) -> np.ndarray:  # noqa: ARG002
        """The grid has no bars.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("a grid of sixteenths does not tell where bars begin")

    # Tokens and ids.

    def decode(self, ids: Sequence[int]) -> list[str]:
        return [self.names[index] for index in ids if index not in (BOS, EOS)]

    def token_class(self, token: str) -> str:  # noqa: ARG002
        return SLOT

    # From ids to pieces.

    def render(self, tokens: Sequence[str], title: str, *, number: int = 1) -> Rendition:  # noqa: ARG002
        ids = np.array([self._ids[token] for token in tokens if token in self._ids], np.int64)
        grid, errors = self.layout.decode(ids)
        problems = []
        if missing := -len(ids) % len(VOICES):
            problems.append(f"the last step lacks {missing} of {len(VOICES)} voices")
        if errors:
            problems.append(f"{errors} of {len(ids)} tokens hold no note")
        check = GrammarCheck(errors + bool(missing), len(ids))
        return Rendition(grid.score(), problems=tuple(problems), grammar=check)

    # Prompts.

    def prompt(self, text: str) -> list[int]:  # noqa: ARG002
        """Reject any text, since a grid of voices is not typed.

        Raises:
            ValueError: always.
        """
        raise ValueError("four voices cannot be typed; give the beginning as a MIDI file")

    def prompt_from(
        self, path: Path, bars: int | Excerpt, track: str | int | None = None
    ) -> list[int]:
        """The steps of some bars of a MIDI file in four voices.

        Args:
            path: of the file.
            bars: how many from the beginning, not counting an upbeat, or which.
            track: must be ``None``, since all voices are read.

        Raises:
            ValueError: one line that says why the file cannot be a prompt.
        """
        if track is not None:
            raise ValueError("a chorale is read in all four voices, and not one track of it")
        score = MidiPiece(path.name, read_midi_bytes(path)).score
        lines = bar_lines(score)
        if isinstance(bars, int):
            bars = (range(lines.first, min(bars, lines.last) + 1),)
        chosen = chosen_bars(score, bars)
        quarters = sum(lines.start(span[-1] + 1) - lines.start(span[0]) for span in bars)
        end = int(quarters * score.ticks_per_quarter)
        for part in chosen.tracks:
            for note in part.notes:  # one that sounds on into the next bar ends with its own
                note.duration = min(note.duration, end - note.time)
        return [int(index) for index in self.tokenize(MidiPiece(path.name, chosen))[0]]

    # The vocabulary.

    @property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(self.layout.size, BOS, EOS)
