"""What workers write: encoded pieces of a range of files, before splits and deduplication.

A part holds ids as the tokenizer returned them. Token strings are numbered in order of first
appearance within the part; `symbotunes.data.preparation.merge` renumbers them for the whole corpus.
"""

import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.data.cache.arrays import smallest_dtype
from symbotunes.data.split import SPLITS, UNFORCED
from symbotunes.datasets.base import HELD_OUT, TRAINING, printable
from symbotunes.files import atomic_file

DIGEST_BYTES = 32
SIDES = ("", TRAINING, HELD_OUT)
_NAME = re.compile(r"part-(\d{9})-(\d{9})\.npz")


@dataclass(frozen=True)
class Part:
    """Pieces of the files ``first .. last - 1`` of a corpus.

    It has P pieces, readable or not, in corpus order, with E examples.

    Attributes:
        ids: ``[sum of lengths]`` or ``[sum of lengths, F]``.
        lengths: ``[E]`` time steps of each example.
        owners: ``[E]`` index of the piece of each example, in ascending order.
        sides: ``[E]`` index into `SIDES`: the only side that may use each example, if any.
        digests: ``[P, 32]`` hash of each piece's content: duplicates share it.
        origins: ``[P, 32]`` hash of the piece that a step derived each from, or its own digest.
        works: ``[P, 32]`` hash of the source's name for the work, or zeros.
        forced: ``[P]`` index of the split that a piece must go to, or `UNFORCED`.
        outlines: ``[sum]`` of melodies end to end, see `symbotunes.music.outline`.
        melodies: ``[M, 2]`` piece and number of samples of each melody, sorted by piece.
        names: ``[P]`` id and title.
        reasons: why a piece was dropped, by index.
        remarks: what is doubtful about a piece that was not, by index.
        strings: token strings by raw id; empty if the ids are the tokenizer's own.
        quarantined: reason by file.
        values: what the reasons are about, by index, as far as they say.
    """

    ids: NDArray[Any]
    lengths: NDArray[np.int64]
    owners: NDArray[np.int64]
    sides: NDArray[np.uint8]
    digests: NDArray[np.uint8]
    origins: NDArray[np.uint8]
    works: NDArray[np.uint8]
    forced: NDArray[np.uint8]
    outlines: NDArray[np.uint8]
    melodies: NDArray[np.int64]
    names: Sequence[tuple[str, str]]
    reasons: dict[int, str]
    remarks: dict[int, Sequence[str]]
    strings: Sequence[str]
    quarantined: dict[str, str]
    values: dict[int, str]

    def save(self, path: Path) -> None:
        """Write to `path`, completely or not at all."""
        about = {
            "names": list(self.names),
            "reasons": list(self.reasons.items()),
            "remarks": list(self.remarks.items()),
            "strings": list(self.strings),
            "quarantined": self.quarantined,
            "values": list(self.values.items()),
        }
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        text = np.frombuffer(json.dumps(about).encode(), np.uint8)
        with atomic_file(path, durable=False) as file:  # a broken one is rebuilt
            np.savez(file, about=text, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Part":
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            about = json.loads(stored["about"].tobytes())
            return cls(
                **{name: stored[name] for name in _ARRAYS},
                names=[(name, title) for name, title in about["names"]],
                reasons=dict(about["reasons"]),
                remarks=dict(about["remarks"]),
                strings=about["strings"],
                quarantined=about["quarantined"],
                values=dict(about["values"]),
            )


_ARRAYS = (
    "ids", "lengths", "owners", "sides", "digests", "origins", "works", "forced",
    "outlines", "melodies",
)  # fmt: skip


@dataclass(frozen=True)
class Kinship:
    """What identifies the pieces that one is a version of.

    Attributes:
        digest: hash of its content.
        origin: hash of the piece that a step derived it from, or its digest.
        work: hash of the source's name for the work; zeros if it has none.
        outlines: of its melodies.
    """

    digest: bytes = bytes(DIGEST_BYTES)
    origin: bytes = bytes(DIGEST_BYTES)
    work: bytes = bytes(DIGEST_BYTES)
    outlines: Sequence[NDArray[np.uint8]] = ()


@dataclass
class PartBuilder:
    """A part under construction.

    Args:
        fields: numbers per time step, F.
    """

    fields: int
    _ids: list[NDArray[Any]] = field(default_factory=list)
    _owners: list[int] = field(default_factory=list)
    _sides: list[int] = field(default_factory=list)
    _digests: list[bytes] = field(default_factory=list)
    _origins: list[bytes] = field(default_factory=list)
    _works: list[bytes] = field(default_factory=list)
    _forced: list[int] = field(default_factory=list)
    _outlines: list[NDArray[np.uint8]] = field(default_factory=list)
    _melodies: list[tuple[int, int]] = field(default_factory=list)
    _names: list[tuple[str, str]] = field(default_factory=list)
    _reasons: dict[int, str] = field(default_factory=dict)
    _remarks: dict[int, Sequence[str]] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)  # token string -> raw id
    _quarantined: dict[str, str] = field(default_factory=dict)
    _values: dict[int, str] = field(default_factory=dict)

    def drop(self, piece_id: str, reason: str, value: str = "") -> None:
        """Record a piece that cannot be used, and what its reason is about."""
        if value:
            self._values[len(self._names)] = printable(value)
        self._reasons[len(self._names)] = reason
        self._piece(piece_id, "", Kinship(), None)

    def quarantine(self, path: Path, reason: str) -> None:
        """Record a file that could not be read to its end."""
        self._quarantined[printable(str(path))] = reason
        self.drop(str(path), reason)

    def keep(
        self,
        name: tuple[str, str],
        examples: Sequence[tuple[Any, str]],
        *,
        kinship: Kinship,
        split: str | None,
        remarks: Sequence[str] = (),
    ) -> None:
        """Record a piece with its examples, each with the only side that may use it.

        An example is a sequence of token strings or an array of ids.
        """
        if remarks:
            self._remarks[len(self._names)] = tuple(remarks)
        arrays = [self._numbered(example) for example, _ in examples]
        self._sides += [SIDES.index(side) for _, side in examples]
        self._owners += [len(self._names)] * len(arrays)
        self._ids += arrays
        self._piece(*name, kinship, split)

    def _piece(self, name: str, title: str, kinship: Kinship, split: str | None) -> None:
        self._names.append((printable(name), printable(title)))
        self._digests.append(kinship.digest)
        self._origins.append(kinship.origin)
        self._works.append(kinship.work)
        self._outlines += kinship.outlines
        self._melodies += [(len(self._names) - 1, len(outline)) for outline in kinship.outlines]
        self._forced.append(UNFORCED if split is None else SPLITS.index(split))

    def _numbered(self, example: Any) -> NDArray[Any]:
        if isinstance(example, np.ndarray):
            return example
        numbers = self._numbers
        return np.array([numbers.setdefault(token, len(numbers)) for token in example], np.int64)

    @property
    def mark(self) -> tuple[int, int]:
        """The current position, for `rewind`."""
        return len(self._names), len(self._ids)

    def rewind(self, mark: tuple[int, int]) -> None:
        """Discard what was recorded since `mark`."""
        pieces, examples = mark
        by_piece: list[list[Any]] = [
            self._names, self._forced, self._digests, self._origins, self._works,
        ]  # fmt: skip
        for column in by_piece:
            del column[pieces:]
        del self._ids[examples:], self._owners[examples:], self._sides[examples:]
        melodies = sum(owner < pieces for owner, _ in self._melodies)
        del self._melodies[melodies:], self._outlines[melodies:]
        self._reasons = {index: reason for index, reason in self._reasons.items() if index < pieces}
        self._values = {index: value for index, value in self._values.items() if index < pieces}
        self._remarks = {index: remark for index, remark in self._remarks.items() if index < pieces}

    def build(self) -> Part:
        """The finished part."""
        shape = (0,) if self.fields == 1 else (0, self.fields)
        ids = np.concatenate(self._ids) if self._ids else np.zeros(shape, np.uint8)
        return Part(
            ids=ids.astype(smallest_dtype(int(ids.max())) if ids.size else np.uint8),
            lengths=np.array([len(array) for array in self._ids], np.int64),
            owners=np.array(self._owners, np.int64),
            sides=np.array(self._sides, np.uint8),
            digests=_rows(self._digests),
            origins=_rows(self._origins),
            works=_rows(self._works),
            forced=np.array(self._forced, np.uint8),
            outlines=np.concatenate([np.zeros(0, np.uint8), *self._outlines]),
            melodies=np.array(self._melodies, np.int64).reshape(-1, 2),
            names=self._names,
            reasons=self._reasons,
            remarks=self._remarks,
            strings=list(self._numbers),
            quarantined=self._quarantined,
            values=self._values,
        )


def _rows(digests: Sequence[bytes]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, DIGEST_BYTES)


def part_name(first: int, last: int) -> str:
    """File name of the part of files ``first .. last - 1``."""
    return f"part-{first:09d}-{last:09d}.npz"


def found_parts(folder: Path) -> list[tuple[int, int, Path]]:
    """Complete parts in a folder as (first, last, path), in order; broken ones are deleted."""
    parts = []
    for path in folder.iterdir():
        match = _NAME.fullmatch(path.name)
        if match and zipfile.is_zipfile(path):
            parts.append((int(match[1]), int(match[2]), path))
        else:
            path.unlink(missing_ok=True)
    return sorted(parts)
