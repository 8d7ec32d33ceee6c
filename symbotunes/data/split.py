"""Train, validation and test by the content of a piece.

A piece's split is a function of its normalised notes alone: the same music under two names never
straddles two splits, and pieces added later move none of the others.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symbotunes.errors import UserError

SPLITS = ("train", "val", "test")
UNFORCED = 255  # in arrays of splits: the content decides


@dataclass(frozen=True)
class Shares:
    """Shares of pieces held out; the rest is trained on.

    Raises:
        UserError: if a share is negative or nothing is left to train on.
    """

    val: float
    test: float

    def __post_init__(self) -> None:
        if self.val < 0 or self.test < 0 or self.val + self.test >= 1:
            raise UserError(
                f"loader.split: shares val={self.val} and test={self.test} must be >= 0 and leave "
                "something to train on"
            )


def content_hash(content: bytes) -> bytes:
    """SHA-256 of a piece's normalised notes, 32 bytes."""
    return hashlib.sha256(content).digest()


def splits_of(digests: NDArray[np.uint8], shares: Shares) -> NDArray[np.uint8]:
    """The split that each content hash falls into, uniformly over hashes.

    Args:
        digests: ``[N, 32]``, or more or fewer columns but at least 8.
        shares: of the splits.

    Returns:
        ``[N]`` indices into `SPLITS`.
    """
    words = np.ascontiguousarray(digests[:, :8]).view(">u8")[:, 0]
    position = (words >> np.uint64(12)).astype(np.float64) / 2**52  # 52 bits: exact in a float
    return np.select(
        [position < shares.val, position < shares.val + shares.test], [1, 2], default=0
    ).astype(np.uint8)
