"""A piece of music that a model wrote, as the library returns it."""

from dataclasses import dataclass
from pathlib import Path

import symusic

from symbotunes.errors import UserError
from symbotunes.files import atomic_write
from symbotunes.generation.sample import Sample
from symbotunes.render.forms import FORMS, card_of, write_as
from symbotunes.render.templates import render


@dataclass(frozen=True)
class Piece:
    """A piece of music in every form that Symbotunes writes.

    In a notebook, a piece is displayed as a player and engraved notation. Notation, piano roll and
    audio are rendered on demand.

    Attributes:
        sample: the model's output, with facts about it.
    """

    sample: Sample

    def __repr__(self) -> str:
        notes = sum(len(track.notes) for track in self.score.tracks)
        return f"<Piece {self.title!r}, {notes} notes, seed {self.seed}>"

    @property
    def name(self) -> str:
        """Stem of its files, such as ``sample_01``."""
        return self.sample.name

    @property
    def title(self) -> str:
        """Title shown to people."""
        return self.sample.title

    @property
    def abc(self) -> str | None:
        """ABC notation; ``None`` if the model does not write it."""
        return self.sample.abc

    @property
    def score(self) -> symusic.Score:
        """The notes; times are in ticks."""
        return self.sample.score

    @property
    def seed(self) -> int:
        """The number that writes this piece again, in ``seeds``."""
        return self.sample.seed

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is wrong with it, such as bars of the wrong length; empty for well-formed music."""
        return self.sample.notes

    def midi_bytes(self) -> bytes:
        """A Standard MIDI File."""
        return self._form("mid")

    def wav(self) -> bytes:
        """Audio: a WAV file, played with the included General MIDI soundfont."""
        return self._form("wav")

    def svg(self) -> str:
        """Engraved notation.

        Raises:
            UserError: if the piece has no notation.
        """
        return self._form("svg").decode()

    def save(self, path: str | Path) -> Path:
        """Write the piece to a file in the form given by the suffix; returns the path.

        Args:
            path: ends in ``.abc``, ``.mid``, ``.wav``, ``.mp3``, ``.png`` (piano roll) or
                ``.svg`` (notation), ``.musicxml`` or ``.pdf``; missing folders are created.

        Raises:
            UserError: if the suffix is unknown, the piece has no such form, or the file cannot be
                written.
        """
        target = Path(path)
        suffix = target.suffix.lower().removeprefix(".")
        suffix = {"midi": "mid"}.get(suffix, suffix)
        if suffix not in FORMS:
            raise UserError(f"{target}: the name must end in one of .{', .'.join(FORMS)}")
        try:
            atomic_write(target, self._form(suffix))
        except OSError as error:
            raise UserError(f"{target} cannot be written: {error.strerror or error}") from error
        return target

    def _form(self, suffix: str) -> bytes:
        form = FORMS[suffix]
        written = write_as(form, self.sample)
        if written is None:
            why = "it continues no prompt" if suffix == "json" else "its model does not write ABC"
            raise UserError(f"{self.title} has no {form.noun}: {why}")
        return written.content

    def _repr_html_(self) -> str:
        return render("piece.html", card=card_of(self.sample))
