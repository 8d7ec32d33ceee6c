"""Training examples with bars to fill in: whole bars are moved to the end of a tune.

The example stays a sequence that a model reads from left to right, so that any autoregressive model
learns to fill in what it has read both sides of: M. Bavarian et al., "Efficient Training of
Language Models to Fill in the Middle", 2022, https://arxiv.org/abs/2207.14255. As in their order of
suffix, prefix and middle, what stands before the missing music comes last, so that a fill continues
it token by token as any tune does, and a model need not learn that anew. Bars take the place of
their spans of characters, and every bar has a sentinel of its own, as the spans of T5 do, so that
the model knows how many to write, wherever they are.
"""

from collections.abc import Collection, Sequence
from typing import Any, ClassVar

import numpy as np
import torch

from symbotunes.errors import UserError, require_whole_number
from symbotunes.tokenizers.base import Ids, Tokenizer

MASK, FILL = "<mask>", "<bar>"  # in place of a bar; before a bar that was moved to the end


class Infill:
    """Moves bars of some examples to the end, behind what stands before them.

    ``M K a | b | c | d`` becomes ``<mask> | <mask> | d M K a | <bar> b <bar> c``. Bar signs stay
    with their neighbors, so that a fill is music alone, and belongs to the ``<mask>`` of the same
    number. Bars are counted between signs: where a repeat sign splits one, both parts count.

    Args:
        share: probability that bars of an example are moved.
        bars: numbers of neighboring bars to choose from, equally likely as far as the example has
            more bars than that.
        spans: in how many places, to choose from; places that meet or overlap become one.

    Attributes:
        TOKENS: what it adds to the vocabulary.

    Raises:
        UserError: if a value is out of range.
    """

    TOKENS: ClassVar[tuple[str, ...]] = (MASK, FILL)

    def __init__(
        self, share: float = 0.5, bars: Sequence[int] = (1, 2, 4), spans: Sequence[int] = (1,)
    ) -> None:
        if not 0 <= share <= 1:
            raise UserError(f"transforms.infill.share={share}: must be from 0 to 1")
        for name, values in (("bars", bars), ("spans", spans)):
            if not len(values):
                raise UserError(f"transforms.infill.{name} needs at least one number, such as [1]")
            for value in values:
                require_whole_number(f"transforms.infill.{name}", value)
        self.share, self.bars, self.spans = share, list(bars), list(spans)
        self.tokenizer: Tokenizer[Any] | None = None

    def bind(self, tokenizer: Tokenizer[Any]) -> None:
        """Keep the tokenizer, which finds bars.

        Raises:
            UserError: if it cannot.
        """
        try:
            tokenizer.split_bars(np.zeros(0, np.int64))
        except NotImplementedError as error:
            raise UserError(
                f"infill moves bars of ABC tunes, and {error} has none that it can move: it needs "
                "abc_tokens, abc_tokens_137 or abc_bpe before it"
            ) from error
        self.tokenizer = tokenizer

    def __call__(self, ids: Ids, generator: torch.Generator) -> Ids:
        """The example with some bars at its end, behind what precedes them, or as it is."""
        if self.tokenizer is None:
            raise RuntimeError("call bind before infill is used: it has no tokenizer")
        if float(torch.rand((), generator=generator)) >= self.share:
            return ids
        parts = self.tokenizer.split_bars(ids)
        chosen = self._choose(len(parts) // 2, generator)
        if not chosen:
            return ids
        return np.concatenate(
            [masked(self.tokenizer, parts, chosen), fills(self.tokenizer, parts, chosen)]
        )

    def _choose(self, count: int, generator: torch.Generator) -> list[int]:
        """Which of `count` bars are moved; at least one stays, and none of a single bar moves."""
        chosen: set[int] = set()
        for _ in range(self.spans[_draw(len(self.spans), generator)]):
            fitting = [length for length in self.bars if length + len(chosen) < count]
            if not fitting:
                break
            length = fitting[_draw(len(fitting), generator)]
            first = _draw(count - length + 1, generator)
            chosen |= set(range(first, first + length))
        return sorted(chosen)


def masked(tokenizer: Tokenizer[Any], parts: Sequence[Ids], bars: Collection[int]) -> Ids:
    """An example from the first of some bars on, with a sentinel in place of each, then its start.

    Args:
        tokenizer: has the sentinels among its added tokens.
        parts: of the example, as its `split_bars` returns them.
        bars: indices of bars, counted from 0; at least one.
    """
    mask = np.array([tokenizer.added_id(MASK)], np.int64)
    kept = [mask if index % 2 and index // 2 in bars else part for index, part in enumerate(parts)]
    first = 2 * min(bars) + 1
    return np.concatenate([*kept[first:], *kept[:first]])


def fills(tokenizer: Tokenizer[Any], parts: Sequence[Ids], bars: Collection[int]) -> Ids:
    """What follows `masked` in a training example: each of the bars behind a sentinel."""
    fill = np.array([tokenizer.added_id(FILL)], np.int64)
    return np.concatenate([piece for bar in sorted(bars) for piece in (fill, parts[2 * bar + 1])])


def _draw(choices: int, generator: torch.Generator) -> int:
    return int(torch.randint(choices, (), generator=generator))
