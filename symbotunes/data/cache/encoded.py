"""A prepared corpus on disk, memory-mapped; docs/data_format.md describes each file.

Not the Arrow tables of Hugging Face's datasets, nor litdata: all examples form one array of
integers, a batch is slices of it, and NumPy maps it without a library, an index of rows or a copy.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.data.cache.arrays import flat_index, shard_name
from symbotunes.data.identity import Identity
from symbotunes.data.receipt import Receipt
from symbotunes.data.split import SPLITS

ABOUT = "about.json"
DROPPED = "dropped.csv"


class DamagedCache(ValueError):
    """A cache that cannot be used; the message says why."""


@dataclass(frozen=True)
class Encoded:
    """A prepared corpus: examples, each the ids of some music without ``bos`` and ``eos``.

    Attributes:
        folder: its path.
        about: content of ``about.json``.
        shards: ids of all examples end to end, ``[N]`` or ``[N, F]``, on disk until they are read.
        starts: ``[E + 1]`` where each example begins, counted over all shards.
        splits: ``[E]`` index into `SPLITS`.
        owners: ``[E]`` the piece of each example; pieces are numbered as in ``names.txt``.
        relatives: ``[P]`` the family of each piece: pieces with the same number are versions of
            each other.
    """

    folder: Path
    about: Mapping[str, Any]
    shards: tuple[NDArray[Any], ...]
    starts: NDArray[np.int64]
    splits: NDArray[np.uint8]
    owners: NDArray[np.int32]
    relatives: NDArray[np.int32]

    @property
    def fingerprint(self) -> str:
        """Identifies the content and everything that it was made with."""
        return str(self.about["fingerprint"])

    @property
    def identity(self) -> Identity:
        """What the data are, wherever their files lie."""
        pieces = self.receipt.kept.total()
        return Identity(str(self.about["dataset"]), str(self.about["content"]), pieces)

    @property
    def tokenizer(self) -> Mapping[str, Any]:
        """State of the tokenizer that made the ids."""
        state: Mapping[str, Any] = self.about["tokenizer"]
        return state

    @cached_property
    def receipt(self) -> Receipt:
        """What became of every piece."""
        return Receipt.from_dict(self.about["receipt"])

    @property
    def length(self) -> int | None:
        """The length of the examples, if all have the same."""
        shortest, longest = self.about["lengths"]
        return int(longest) if shortest == longest else None

    def examples(self, split: str) -> NDArray[np.int64]:
        """Indices of the examples of one split, in corpus order."""
        return np.flatnonzero(self.splits == SPLITS.index(split))

    def families(self, examples: NDArray[np.int64]) -> NDArray[np.int64]:
        """The family of each example; examples of different families are independent."""
        return self.relatives[self.owners[examples]].astype(np.int64)

    def example(self, index: int) -> NDArray[Any]:
        """Ids of one example, ``[T]`` or ``[T, F]``."""
        ids, _ = self.gather(np.array([index]))
        return ids

    def lengths(self, examples: NDArray[np.int64]) -> NDArray[np.int64]:
        """Time steps of each example."""
        return self.starts[examples + 1] - self.starts[examples]

    def gather(self, examples: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Ids of many examples end to end, and their lengths."""
        starts = self.starts[examples]
        lengths = self.starts[examples + 1] - starts
        if len(self.shards) == 1:
            return self.shards[0][flat_index(starts, lengths)], lengths
        homes = np.searchsorted(self._bases, starts, side="right") - 1
        first = self.shards[0]
        ids = np.empty((int(lengths.sum()), *first.shape[1:]), first.dtype)
        places = np.cumsum(lengths) - lengths
        for home in np.unique(homes):
            own = homes == home
            local = flat_index(starts[own] - self._bases[home], lengths[own])
            ids[flat_index(places[own], lengths[own])] = self.shards[home][local]
        return ids, lengths

    @cached_property
    def _bases(self) -> NDArray[np.int64]:
        """Where each shard begins, counted over all shards."""
        sizes = [0, *(len(shard) for shard in self.shards[:-1])]
        return np.cumsum(sizes, dtype=np.int64)

    @cached_property
    def names(self) -> list[tuple[str, str]]:
        """Id and title of every piece; the file is read when they are first asked for."""
        lines = (self.folder / "names.txt").read_text(encoding="utf-8").splitlines()
        return [(name, title) for name, _, title in (line.partition("\t") for line in lines)]

    def title(self, example: int) -> str:
        """Title of the piece of an example; may be empty."""
        return self.names[int(self.owners[example])][1]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle for loader processes as a path; they map the arrays again."""
        return load, (self.folder,)


def write_about(folder: Path, about: Mapping[str, Any]) -> None:
    """Complete a cache with ``about.json``, which lists the sizes of all other files."""
    files = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    content = {"format": FORMAT, **about, "files": files}
    text = json.dumps(content, ensure_ascii=False, indent=1)
    (folder / ABOUT).write_text(text, encoding="utf-8", errors="backslashreplace")


def read_about(folder: Path) -> dict[str, Any]:
    """``about.json`` of a complete cache.

    Raises:
        DamagedCache: if it has another format, or a file is missing or has another size.
    """
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if about["format"] != FORMAT:
            raise DamagedCache(f"format {about['format']}, not {FORMAT}")
        for name, size in about["files"].items():
            actual = (folder / name).stat().st_size
            if actual != size:
                raise DamagedCache(f"{name} has {actual:,} of {size:,} bytes")
    except DamagedCache:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        path = getattr(error, "filename", None) or ABOUT
        raise DamagedCache(f"{Path(path).name} cannot be read") from error
    assert isinstance(about, dict)
    return about


def load(folder: Path) -> Encoded:
    """Open a cache. Only ``about.json`` is read, so it takes milliseconds.

    Raises:
        DamagedCache: see `read_about`.
    """
    about = read_about(folder)
    with suppress(OSError):  # a cache may be read-only; the date is only shown in lists
        os.utime(folder / ABOUT)
    names = [shard_name(number) for number in range(about["shards"])]
    return Encoded(
        folder=folder,
        about=about,
        shards=tuple(mapped(folder / name) for name in names),
        starts=mapped(folder / "starts.npy"),
        splits=mapped(folder / "splits.npy"),
        owners=mapped(folder / "pieces.npy"),
        relatives=mapped(folder / "families.npy"),
    )


def mapped(path: Path) -> NDArray[Any]:
    """An array that stays on disk until it is read.

    Raises:
        DamagedCache: if it is not an array.
    """
    try:
        # A plain array, since slicing it takes a fifth of the time of slicing a memmap.
        return np.asarray(np.load(path, mmap_mode="r"))
    except (ValueError, OSError) as error:
        raise DamagedCache(f"{path.name} cannot be read") from error


FORMAT = (
    5  # of the folder, see docs/data_format.md; raised when it or the code that writes it changes
)
