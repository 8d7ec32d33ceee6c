"""Stretches of examples, for models that read a fixed number of tokens or bars."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from symbotunes.errors import UserError, require_whole_number
from symbotunes.tokenizers.base import Ids, Tokenizer
from symbotunes.transforms.base import Cut


class Crop(Cut):
    """The beginning of each example.

    Args:
        length: tokens kept, ``bos`` included.
    """

    def __init__(self, length: int) -> None:
        require_whole_number("transforms.crop.length", length)
        self.length = length

    def __call__(self, ids: Ids, generator: torch.Generator) -> Ids:  # noqa: ARG002
        """The first tokens, or all if there are fewer."""
        return ids[: self.length]

    def longest(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.minimum(lengths, self.length)


class SampleSubsequence(Cut):
    """Consecutive tokens of each example, every start equally likely.

    Args:
        length: tokens kept; an example that has no more stays whole.
    """

    def __init__(self, length: int) -> None:
        require_whole_number("transforms.sample_subsequence.length", length)
        self.length = length

    def __call__(self, ids: Ids, generator: torch.Generator) -> Ids:
        """A stretch of `length` tokens."""
        starts = len(ids) - self.length + 1
        if starts <= 1:
            return ids
        start = int(torch.randint(starts, (), generator=generator))
        return ids[start : start + self.length]

    def longest(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.minimum(lengths, self.length)


class SampleBars(Cut):
    """Consecutive bars of each example, every first bar equally likely.

    The head of the example, such as meter and key, stays in front of them; ``bos`` and ``eos`` stay
    only where the stretch holds the first or the last bar.

    Args:
        bars: number of bars kept; an example that has no more stays whole.
    """

    def __init__(self, bars: int) -> None:
        require_whole_number("transforms.sample_bars.bars", bars)
        self.bars = bars
        self.tokenizer: Tokenizer[Any] | None = None

    def bind(self, tokenizer: Tokenizer[Any]) -> None:
        """Learn where bars begin.

        Raises:
            UserError: if the tokenizer cannot tell.
        """
        try:
            tokenizer.bar_starts(np.zeros(0, np.int64))
        except NotImplementedError as error:
            name = str(error) or f"{type(tokenizer).__name__} does not"
            raise UserError(f"sample_bars needs a tokenizer that knows bars; {name}") from error
        self.tokenizer = tokenizer

    def __call__(self, ids: Ids, generator: torch.Generator) -> Ids:
        """A stretch of `bars` bars behind the head."""
        if self.tokenizer is None:
            raise RuntimeError("sample_bars has not met its tokenizer")
        frame = 1 if self.tokenizer.FRAMED else 0
        starts = self.tokenizer.bar_starts(ids[frame : len(ids) - frame]) + frame
        choices = len(starts) - self.bars + 1
        if choices <= 1:
            return ids
        first = int(torch.randint(choices, (), generator=generator))
        bounds = np.append(starts, len(ids))
        stretch = ids[bounds[first] : bounds[first + self.bars]]
        head = ids[: starts[0]] if first == 0 else ids[frame : starts[0]]
        return np.concatenate([head, stretch])
