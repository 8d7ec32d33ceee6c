"""Several corpora read as one."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from symbotunes.datasets.base import Corpus, DatasetError, Dropped, split_key
from symbotunes.music.abc.tune import AbcTune
from symbotunes.music.convert import midi_of
from symbotunes.music.midi.piece import MidiPiece

VALIDATION = "val"  # name of the validation corpus among the others


class Concat(Corpus):
    """The pieces of all corpora, those of the validation corpus first.

    If several corpora contain the same music, the first copy is kept, so that no piece of the
    validation corpus is ever trained on. If some corpora hold ABC and some MIDI, the tunes are
    converted to MIDI.

    Args:
        corpora: by name, as shown in receipts.
        val: a corpus whose pieces form the val split, or ``None``.
        steps: for each corpus with steps of its own (``val`` may have some too), its score steps by
            name; they run before those of the transforms.
    """

    PARTS = ("corpora", "val", "steps")

    def __init__(
        self,
        corpora: Mapping[str, Corpus],
        val: Corpus | None = None,
        steps: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        if VALIDATION in corpora:
            raise DatasetError("dataset.corpora.val: give the validation corpus as dataset.val")
        if not corpora:
            raise DatasetError(
                "dataset.corpora is empty: add some, as +dataset@dataset.corpora.NAME=DATASET"
            )
        first = {VALIDATION: val} if val is not None else {}
        self.corpora: dict[str, Corpus] = {**first, **corpora}
        self.steps = {name: list(named.values()) for name, named in (steps or {}).items() if named}
        unknown = sorted(set(self.steps) - set(self.corpora))
        if unknown:
            raise DatasetError(
                f"dataset.steps.{unknown[0]}: there is no corpus of this name, only "
                f"{', '.join(self.corpora)}"
            )
        formats = {self._format(name) for name in self.corpora}
        if len(formats) > 1 and formats != {"abc", "midi"}:
            raise DatasetError(f"corpora of {', '.join(sorted(formats))} cannot be combined")
        self.FORMAT = formats.pop() if len(formats) == 1 else "midi"

    def _format(self, name: str) -> str:
        """Format of the corpus's pieces after its own steps."""
        kind = self.corpora[name].FORMAT
        for step in self.steps.get(name, ()):
            if step.FORMAT not in (kind, _CONVERSIONS.get(kind)):
                raise DatasetError(
                    f"dataset.steps.{name}: {type(step).__name__} reads {step.FORMAT}, not {kind}"
                )
            kind = step.FORMAT
        return kind

    @property
    def name(self) -> str:
        return " + ".join(dict.fromkeys(corpus.name for corpus in self.corpora.values()))

    def files(self) -> list[Path]:
        files: list[Path] = []
        for corpus in self.corpora.values():
            files += corpus.files()
        shared = len(files) - len(set(files))
        if shared:
            raise DatasetError(
                f"{shared:,} files belong to two corpora of the dataset; name each file once"
            )
        return files

    def is_at_hand(self) -> bool:
        return all(corpus.is_at_hand() for corpus in self.corpora.values())

    @property
    def validates(self) -> bool:
        return VALIDATION in self.corpora

    def owns(self, path: Path) -> bool:
        return any(corpus.owns(path) for corpus in self.corpora.values())

    def read(self, path: Path) -> Iterator[AbcTune | MidiPiece | Dropped]:
        name = next(name for name, corpus in self.corpora.items() if corpus.owns(path))
        for piece in self.corpora[name].read(path):
            if isinstance(piece, Dropped):
                yield replace(piece, id=f"{name}/{piece.id}")
            else:
                yield from self._versions(name, piece)

    def _versions(self, name: str, piece: Any) -> Iterator[AbcTune | MidiPiece | Dropped]:
        """A piece after its corpus's steps, in the common format."""
        named = replace(piece, id=f"{name}/{piece.id}")
        if name == VALIDATION:
            named = replace(named, split=VALIDATION)
        try:
            pieces = self._stepped(named, self.steps.get(name, ()))
        except ValueError as error:  # such as AbcError and MidiError
            reason = str(getattr(error, "reason", error))
            yield Dropped(named.id, reason, getattr(error, "detail", ""))
            return
        yield from pieces
        if not pieces:
            yield Dropped(named.id, f"left out by the steps of {name}")

    def _stepped(self, piece: Any, steps: Sequence[Any]) -> list[Any]:
        if not steps:
            return [_as(self.FORMAT, piece)]
        family = split_key(_as(self.FORMAT, piece))
        pieces = [piece]
        for step in steps:
            pieces = [version for source in pieces for version in step(_as(step.FORMAT, source))]
        return [replace(_as(self.FORMAT, version), family=family) for version in pieces]

    def checksum(self) -> str:
        """SHA-256 over the checksums of the corpora and the versions of their steps, in hex."""
        digest = hashlib.sha256()
        for name, corpus in self.corpora.items():
            steps = [
                f"{type(step).__qualname__} {step.SCHEMA}" for step in self.steps.get(name, ())
            ]
            digest.update("\0".join((name, corpus.checksum(), *steps, "")).encode())
        return digest.hexdigest()


_CONVERSIONS: Mapping[str, str] = {"abc": "midi"}  # from one kind of piece to another


def _as(kind: str, piece: Any) -> Any:
    """The piece in the requested format: its own, or one that it can be converted to."""
    return midi_of(piece) if kind == "midi" and isinstance(piece, AbcTune) else piece
