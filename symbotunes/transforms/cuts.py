"""Spans of training examples, for models that read a fixed number of tokens or bars."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from symbotunes.errors import UserError, require_whole_number
from symbotunes.tokenizers.base import Ids, Tokenizer
from symbotunes.transforms.base import Cut

Choices = NDArray[np.int64]  # indices of spans
UNLIMITED = 512  # predicted tokens per span if the network sets no limit


class Sounding(Cut):
    """A cut that never keeps silence alone, if the tokenizer tells where notes begin."""

    tokenizer: Tokenizer[Any] | None = None

    def bind(self, tokenizer: Tokenizer[Any]) -> None:
        """Keep the tokenizer, which knows notes."""
        self.tokenizer = tokenizer

    def _heard(self, ids: Ids, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Choices:
        """Which of the spans from ``starts`` to ``ends`` hold the beginning of a note.

        All of them if none does, or if that is unknown.
        """
        begins = None if self.tokenizer is None else self.tokenizer.begins_note(ids)
        if begins is None:
            return np.arange(len(starts))
        before = np.concatenate([[0], np.cumsum(begins)])
        heard = np.flatnonzero(before[ends] > before[starts])
        return heard if len(heard) else np.arange(len(starts))


class Crop(Sounding):
    """The beginning of each example; how longer ones continue and end is not learned.

    If it holds no note, the span begins later, by no more than is needed for the first one.

    Args:
        length: tokens kept, ``bos`` included; ``None``: one more than the network reads at once,
            since the last one is only predicted.
    """

    keeps_endings = False

    def __init__(self, length: int | None = None) -> None:
        require_whole_number("transforms.crop.length", length, optional=True)
        self.length = UNLIMITED + 1 if length is None else length
        self._follows_network = length is None

    def fit_context(self, context: int | None) -> None:
        if self._follows_network:
            self.length = (context or UNLIMITED) + 1

    def __call__(self, ids: Ids, generator: torch.Generator) -> tuple[Ids, int]:  # noqa: ARG002
        """The first tokens, or all if there are fewer."""
        starts = np.arange(max(1, len(ids) - self.length + 1))
        first = int(self._heard(ids, starts, np.minimum(starts + self.length, len(ids)))[0])
        return ids[first : first + self.length], first

    def longest(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.minimum(lengths, self.length)


class SampleSubsequence(Sounding):
    """Consecutive tokens of each example.

    Args:
        length: tokens kept; a shorter example stays whole. ``None``: one more than the network
            reads at once, since the last one is only predicted.
        beginnings: share of draws that keep the first tokens. Otherwise every start is equally
            likely, and the beginning, where sampling starts, is as rare as any other position.
        endings: share of draws that keep the last tokens, so that the model learns to end.
        stride: spans begin at multiples of this many tokens, ``bos`` included; the last of them is
            shorter by less than this. With a bar's number of tokens, all begin at the same place
            in a bar.

    Raises:
        UserError: if a value is out of range.
    """

    def __init__(
        self,
        length: int | None = None,
        beginnings: float = 0.0,
        endings: float = 0.0,
        stride: int = 1,
    ) -> None:
        require_whole_number("transforms.sample_subsequence.length", length, optional=True)
        require_whole_number("transforms.sample_subsequence.stride", stride)
        require_shares("transforms.sample_subsequence", beginnings, endings)
        self.length = UNLIMITED + 1 if length is None else length
        self.stride = stride
        self.beginnings, self.endings = beginnings, endings
        self._follows_network = length is None

    def fit_context(self, context: int | None) -> None:
        if self._follows_network:
            self.length = (context or UNLIMITED) + 1

    def __call__(self, ids: Ids, generator: torch.Generator) -> tuple[Ids, int]:
        """A span of `length` tokens."""
        starts = np.arange(0, len(ids) - self.length + self.stride, self.stride)
        if len(starts) <= 1:
            return ids, 0
        heard = self._heard(ids, starts, np.minimum(starts + self.length, len(ids)))
        drawn = draw_start(len(heard), self.beginnings, self.endings, generator)
        start = int(starts[heard[drawn]])
        return ids[start : start + self.length], start

    def longest(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.minimum(lengths, self.length)


class SampleBars(Sounding):
    """Consecutive bars of each example.

    The head of the example, such as meter and key, is kept before them; ``bos`` and ``eos`` are
    kept only if the span contains the first or the last bar.

    Args:
        bars: number of bars kept; a shorter example stays whole.
        beginnings: share of draws that keep the first bars; otherwise every first bar is equally
            likely.
        endings: share of draws that keep the last bars.

    Raises:
        UserError: if a value is out of range.
    """

    def __init__(self, bars: int, beginnings: float = 0.0, endings: float = 0.0) -> None:
        require_whole_number("transforms.sample_bars.bars", bars)
        require_shares("transforms.sample_bars", beginnings, endings)
        self.bars = bars
        self.beginnings, self.endings = beginnings, endings

    def bind(self, tokenizer: Tokenizer[Any]) -> None:
        """Keep the tokenizer, which finds where bars begin.

        Raises:
            UserError: if it cannot.
        """
        try:
            tokenizer.bar_starts(np.zeros(0, np.int64))
        except NotImplementedError as error:
            name = str(error) or f"{type(tokenizer).__name__} does not"
            raise UserError(f"sample_bars needs a tokenizer that knows bars; {name}") from error
        super().bind(tokenizer)

    def __call__(self, ids: Ids, generator: torch.Generator) -> tuple[Ids, int]:
        """A span of `bars` bars after the head, and where its first bar begins in the example.

        For the first bars this is 0, since the head is part of that span.
        """
        if self.tokenizer is None:
            raise RuntimeError("call bind before sample_bars is used: it has no tokenizer")
        frame = 1 if self.tokenizer.FRAMED else 0
        starts = self.tokenizer.bar_starts(ids[frame : len(ids) - frame]) + frame
        choices = len(starts) - self.bars + 1
        if choices <= 1:
            return ids, 0
        bounds = np.append(starts, len(ids))
        heard = self._heard(ids, bounds[:choices], bounds[self.bars :])
        first = int(heard[draw_start(len(heard), self.beginnings, self.endings, generator)])
        span = ids[bounds[first] : bounds[first + self.bars]]
        if first == 0:
            return ids[: bounds[self.bars]], 0
        return np.concatenate([ids[frame : starts[0]], span]), int(bounds[first])


def draw_start(choices: int, beginnings: float, endings: float, generator: torch.Generator) -> int:
    """Draw a start below `choices`: the first or last with these probabilities, else any."""
    if beginnings or endings:
        drawn = float(torch.rand((), generator=generator))
        if drawn < beginnings:
            return 0
        if drawn < beginnings + endings:
            return choices - 1
    return int(torch.randint(choices, (), generator=generator))


def require_shares(where: str, beginnings: float, endings: float) -> None:
    """Raise `UserError` unless both are from 0 to 1 and their sum is at most 1."""
    for name, share in (("beginnings", beginnings), ("endings", endings)):
        if not 0 <= share <= 1:
            raise UserError(f"{where}.{name}={share}: must be from 0 to 1")
    if beginnings + endings > 1:
        raise UserError(
            f"{where}: beginnings={beginnings} and endings={endings} add up to more than 1"
        )
