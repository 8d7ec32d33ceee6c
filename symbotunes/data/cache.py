"""Tokenized corpora on disk, memory-mapped, keyed by content and config."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.data.receipt import Receipt
from symbotunes.data.split import SPLITS


@dataclass(frozen=True)
class Encoded:
    """A tokenized corpus.

    Attributes:
        ids: ``[sum of lengths]``, the ids of all pieces end to end, without ``bos`` and ``eos``.
        starts: ``[pieces + 1]``, where each piece begins in `ids`.
        splits: ``[pieces]``, index into `SPLITS`.
        titles: ``[pieces]``, for people.
        tokenizer: state of the tokenizer that made the ids.
        receipt: what became of every piece.
        fingerprint: names the content and the config that it was made from.
    """

    ids: NDArray[Any]
    starts: NDArray[np.int64]
    splits: NDArray[np.uint8]
    titles: list[str]
    tokenizer: Mapping[str, Any]
    receipt: Receipt
    fingerprint: str

    def pieces(self, split: str) -> NDArray[np.int64]:
        """Indices of the pieces of one split, in corpus order."""
        return np.flatnonzero(self.splits == SPLITS.index(split))

    def piece(self, index: int) -> NDArray[Any]:
        """Ids of one piece, ``[T]``."""
        return self.ids[self.starts[index] : self.starts[index + 1]]

    def lengths(self, pieces: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of ids of each piece."""
        return self.starts[pieces + 1] - self.starts[pieces]


def pack(
    sequences: Sequence[Sequence[int]],
    splits: Sequence[str],
    titles: list[str],
    *,
    tokenizer: Mapping[str, Any],
    receipt: Receipt,
    fingerprint: str,
) -> Encoded:
    """Lay the sequences end to end."""
    lengths = [len(sequence) for sequence in sequences]
    flat = (value for sequence in sequences for value in sequence)
    width = np.uint16 if receipt.vocabulary <= 2**16 else np.uint32
    return Encoded(
        ids=np.fromiter(flat, width, sum(lengths)),
        starts=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64),
        splits=np.array([SPLITS.index(split) for split in splits], np.uint8),
        titles=titles,
        tokenizer=tokenizer,
        receipt=receipt,
        fingerprint=fingerprint,
    )


def store(encoded: Encoded, folder: Path) -> None:
    """Write to `folder`, whole or not at all: it appears by one rename."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        np.save(draft / "ids.npy", encoded.ids)
        np.save(draft / "starts.npy", encoded.starts)
        np.save(draft / "splits.npy", encoded.splits)
        about = {
            "titles": encoded.titles,
            "tokenizer": dict(encoded.tokenizer),
            "receipt": encoded.receipt.as_dict(),
            "fingerprint": encoded.fingerprint,
        }
        (draft / "about.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def load(folder: Path) -> Encoded:
    """Open what `store` wrote; the arrays stay on disk until they are read."""
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    return Encoded(
        ids=np.load(folder / "ids.npy", mmap_mode="r"),
        starts=np.load(folder / "starts.npy"),
        splits=np.load(folder / "splits.npy"),
        titles=about["titles"],
        tokenizer=about["tokenizer"],
        receipt=Receipt.from_dict(about["receipt"]),
        fingerprint=about["fingerprint"],
    )
