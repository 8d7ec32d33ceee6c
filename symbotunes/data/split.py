"""Train, validation and test by the content of a piece.

A piece's split is a function of its normalised notes alone: the same music under two names never
straddles two splits, and pieces added later move none of the others.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from symbotunes.errors import UserError

SPLITS = ("train", "val", "test")


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


def content_hash(tokens: Sequence[str]) -> str:
    """SHA-256 of a piece's normalised tokens, hexadecimal."""
    return hashlib.sha256(" ".join(tokens).encode()).hexdigest()


def split_of(digest: str, shares: Shares) -> str:
    """The split that a content hash falls into, uniformly over hashes."""
    position = int(digest[:13], 16) / 16**13  # 52 bits: exact in a float
    if position < shares.val:
        return "val"
    return "test" if position < shares.val + shares.test else "train"
