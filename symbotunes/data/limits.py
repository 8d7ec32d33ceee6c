"""Lengths beyond which examples are left out."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.errors import UserError

SHORT, LONG = "shorter than loader.min_tokens", "longer than loader.max_tokens"


@dataclass(frozen=True)
class Limits:
    """Lengths in tokens, without ``bos`` and ``eos``.

    Attributes:
        min_tokens: shortest example kept.
        max_tokens: longest example kept; ``None`` sets no limit.

    Raises:
        UserError: if no length is within the limits.
    """

    min_tokens: int
    max_tokens: int | None

    def __post_init__(self) -> None:
        if self.min_tokens < 1 or (self.max_tokens or self.min_tokens) < self.min_tokens:
            raise UserError(
                f"loader.min_tokens={self.min_tokens} must be at least 1 and at most "
                f"loader.max_tokens={self.max_tokens}"
            )

    def fit(self, lengths: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the lengths are within the limits."""
        return (lengths >= self.min_tokens) & (lengths <= (self.max_tokens or np.inf))

    def reason(self, length: Any) -> str:
        """Why a length is not within the limits."""
        return SHORT if length < self.min_tokens else LONG
