"""Training, validation and test splits by a hash of what a piece is.

By ``family``, all versions of a piece go to one split: the hash is that of the family, as found by
`symbotunes.data.preparation.families`. By ``content``, it is that of the piece's normalized notes,
so that only pieces of equal notation are kept together.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symbotunes.errors import UserError

SPLITS = ("train", "val", "test")
UNFORCED = 255  # in arrays of splits: a hash decides
FAMILY, CONTENT = RULES = ("family", "content")


@dataclass(frozen=True)
class Shares:
    """Shares that are held out; the rest is trained on.

    Attributes:
        val: share of the families (or pieces) to validate on.
        test: share of them to test on.
        by: one of `RULES`. A recipe without it was written before there were families.

    Raises:
        UserError: if a share is negative, nothing is left to train on, or the rule is unknown.
    """

    val: float
    test: float
    by: str = CONTENT

    def __post_init__(self) -> None:
        if self.by not in RULES:
            raise UserError(f"loader.split.by={self.by}: choose one of {', '.join(RULES)}")
        if self.val < 0 or self.test < 0 or self.val + self.test >= 1:
            raise UserError(
                f"loader.split: shares val={self.val} and test={self.test} must be >= 0 and leave "
                "something to train on"
            )


def content_hash(content: bytes) -> bytes:
    """SHA-256 of a piece's normalized notes, 32 bytes."""
    return hashlib.sha256(content).digest()


def family_hash(members: Sequence[bytes]) -> bytes:
    """SHA-256 of the lowest of the members' hashes, 32 bytes.

    The lowest hash itself is not uniform: the larger a family, the lower it is.
    """
    return hashlib.sha256(b"family" + min(members)).digest()


def positions_of(digests: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Where each content hash falls between 0 and 1, uniformly over hashes.

    Args:
        digests: ``[N, 32]``; any number of columns from 8 on will do.

    Returns:
        ``[N]``, at least 0 and below 1.
    """
    words = np.ascontiguousarray(digests[:, :8]).view(">u8")[:, 0]
    return np.asarray((words >> np.uint64(12)).astype(np.float64) / 2**52)  # exact in a float


def splits_at(positions: NDArray[np.float64], shares: Shares) -> NDArray[np.uint8]:
    """The split that each position falls into: validation first, then test, then training.

    Args:
        positions: ``[N]`` of `positions_of`.
        shares: of the splits.

    Returns:
        ``[N]`` indices into `SPLITS`.
    """
    return np.select(
        [positions < shares.val, positions < shares.val + shares.test], [1, 2], default=0
    ).astype(np.uint8)
