"""How many examples a batch has."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symbotunes.data.batches.grouping import Buckets, Grouping, Packing, TokenBudget, Windows
from symbotunes.errors import UserError, require_whole_number


@dataclass(frozen=True)
class BatchRule:
    """How much goes into a batch.

    Attributes:
        batch_size: examples per batch, or rows if they are packed.
        batch_tokens: maximum tokens per batch, padding included; replaces `batch_size` if it is
            given. ``None``: no limit.
        pack: whether rows of training batches hold several whole examples.
        pack_length: length of such a row in tokens.
        even: whether batches share the remainder, see `Buckets` and `TokenBudget`.
        blocks: whether rows are cut from a stream of all pieces, see `BlockBatches`.

    Raises:
        UserError: if a value is out of range.
    """

    batch_size: int
    batch_tokens: int | None = None
    pack: bool = False
    pack_length: int = 1024
    even: bool = True
    blocks: bool = False

    def __post_init__(self) -> None:
        require_whole_number("loader.batch_size", self.batch_size)
        require_whole_number("loader.batch_tokens", self.batch_tokens, optional=True)
        require_whole_number("loader.pack_length", self.pack_length)
        if self.blocks and (self.pack or self.batch_tokens is not None):
            raise UserError(
                "loader.blocks=true: loader.pack and loader.batch_tokens do not apply to blocks"
            )
        if self.pack and self.batch_tokens is not None and self.batch_tokens < self.pack_length:
            raise UserError(
                f"loader.batch_tokens={self.batch_tokens} is less than one row, "
                f"loader.pack_length={self.pack_length}"
            )

    def windows(self, total: int, length: int) -> Grouping:
        """The grouping of examples of one length."""
        size = self.batch_size if self.batch_tokens is None else self.batch_tokens // length
        if not size:
            return TokenBudget(
                np.array([length]), self.batch_tokens or 0
            )  # raises the error that says what to do
        return Windows(total, size)

    def grouping(self, lengths: NDArray[np.int64], *, pack: bool) -> Grouping:
        """The grouping of examples of these lengths."""
        if pack:
            rows = self.batch_tokens // self.pack_length if self.batch_tokens else self.batch_size
            return Packing(lengths, self.pack_length, rows)
        if self.batch_tokens is not None:
            return TokenBudget(lengths, self.batch_tokens, even=self.even)
        return Buckets(lengths, self.batch_size, self.even)

    def whole(self, lengths: NDArray[np.int64], cut: int) -> Grouping:
        """The grouping of held-out pieces, if training reads spans of at most `cut` tokens.

        A batch holds as many tokens as one in training, or one piece if that is longer.
        """
        budget = self.batch_size * cut if self.batch_tokens is None else self.batch_tokens
        return TokenBudget(lengths, max(budget, int(lengths.max(initial=1))))
