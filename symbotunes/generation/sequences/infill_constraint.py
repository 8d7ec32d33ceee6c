"""Fills that join what surrounds them: as many as there are gaps, of the right lengths."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from symbotunes.generation.sequences.abc_constraint import TokenCosts, fitting
from symbotunes.music.abc.grammar.cells import NEVER
from symbotunes.music.abc.grammar.gap import Gap, Surroundings
from symbotunes.music.abc.grammar.grammar import Grammar
from symbotunes.music.abc.grammar.state import State

MUSIC = {"rest", "open", "close", "tie", "tuplet"}  # kinds besides pitches and durations


class Filling(NamedTuple):
    """Where a fill is being written.

    Attributes:
        gap: index of the gap.
        state: of the grammar there, in the order of the tune.
    """

    gap: int
    state: State


class InfillConstraint:
    """The grammar of ABC tokens for music that is written into gaps of a tune, from left to right.

    A model writes the fills one after another, at the end of the sequence; the grammar reads each
    where it belongs. Of what may come next, only that is allowed from which the rest of the gaps
    can be filled, see `Gap`: bars get their lengths, ties are joined, and no gap is left out, or
    filled twice.

    Args:
        tokens: strings of the vocabulary by id, the added ones included.
        eos: id that ends the last fill.
        fill: id that ends every other fill and begins the next.
        gaps: what each gap lies between.

    Raises:
        ValueError: if no tune can be written with these tokens, or no music fits a gap.
    """

    def __init__(
        self, tokens: Sequence[str], *, eos: int, fill: int, gaps: Sequence[Surroundings]
    ) -> None:
        grammar = Grammar(tokens, eos)
        self.gaps: list[Gap] = []
        for around in reversed(gaps):
            self.gaps.insert(0, Gap(grammar, around, self.gaps[0] if self.gaps else None))
        self.grammar = grammar
        self.closing = [fill] * (len(gaps) - 1) + [eos]
        music = [index for index, name in enumerate(grammar.kinds) if name in MUSIC]
        self._costs = [
            GapCosts(tokens, grammar, gap=gap, closing=closing, music=music)
            for gap, closing in zip(self.gaps, self.closing, strict=True)
        ]
        self.start = Filling(0, self.gaps[0].start)

    def begin(self, prompt: Sequence[int], max_tokens: int) -> Filling:  # noqa: ARG002
        """The state before the first fill; the prompt is what is given.

        Raises:
            ValueError: with the number of tokens that it takes to end, if that is more than
                `max_tokens`.
        """
        needed = self.gaps[0](self.start.state)
        if needed > max_tokens:
            raise ValueError(f"max_tokens={max_tokens} is too small: the bars take {needed} tokens")
        return self.start

    def advance(self, state: Filling, token: int) -> Filling:
        """The state after one more allowed token."""
        if token == self.closing[state.gap]:
            after = self.gaps[state.gap].close(state.state)
            assert after is not None, "the gap cannot be closed here"
            return Filling(state.gap + 1, after)
        after = self.grammar.advance(state.state, token)
        assert after is not None, f"token {token} is not allowed here"
        return Filling(state.gap, after)

    def allowed(self, states: Sequence[Filling], left: Sequence[int]) -> Tensor:
        """Which tokens may follow, ``[B, V]`` bool, given the tokens left for each row."""
        return fitting([self._costs[state.gap].row(state.state) for state in states], left)


class GapCosts(TokenCosts):
    """Costs of tokens in a gap: those of music, and of the token that closes it.

    Args:
        tokens: strings of the vocabulary by id.
        grammar: made of the same tokens.
        gap: which gap.
        closing: id of the token that closes it.
        music: ids of music but pitches and durations.
    """

    def __init__(
        self,
        tokens: Sequence[str],
        grammar: Grammar,
        *,
        gap: Gap,
        closing: int,
        music: Sequence[int],
    ) -> None:
        super().__init__(tokens, grammar, distance=gap, body=[*music, closing])
        self.gap, self.closing = gap, closing

    def after(self, state: State, token: int) -> int:
        if token != self.closing:
            return super().after(state, token)
        after = self.gap.close(state)
        if after is None:
            return NEVER
        return 0 if self.gap.following is None else self.gap.following(after)


class FillCount:
    """As many fills as there are gaps, each of some music, whatever its length.

    This holds for any tokens, also where no grammar is asked for. A state is the number of fills
    that are complete and the number of tokens of the current one.

    Args:
        size: of the model's vocabulary, V.
        eos: id that ends the last fill.
        fill: id that ends every other fill and begins the next.
        music: ids that a fill may hold.
        gaps: number of gaps.
    """

    def __init__(
        self, size: int, *, eos: int, fill: int, music: Collection[int], gaps: int
    ) -> None:
        self.closing = [fill] * (gaps - 1) + [eos]
        self._music = torch.zeros(size, dtype=torch.bool)
        self._music[list(music)] = True

    def begin(self, prompt: Sequence[int], max_tokens: int) -> tuple[int, int]:  # noqa: ARG002
        """The state before the first fill.

        Raises:
            ValueError: if `max_tokens` are too few for one token of music in every fill.
        """
        needed = 2 * len(self.closing)
        if needed > max_tokens:
            raise ValueError(f"max_tokens={max_tokens} is too small: the bars take {needed} tokens")
        return 0, 0

    def advance(self, state: tuple[int, int], token: int) -> tuple[int, int]:
        """The state after one more allowed token."""
        gap, length = state
        return (gap + 1, 0) if token == self.closing[gap] else (gap, length + 1)

    def allowed(self, states: Sequence[tuple[int, int]], left: Sequence[int]) -> Tensor:
        """Which tokens may follow, ``[B, V]`` bool, given the tokens left for each row."""
        rows = []
        for (gap, length), tokens in zip(states, left, strict=True):
            after_it = 2 * (len(self.closing) - gap - 1)  # tokens of all later fills
            more = tokens >= 2 + after_it
            row = self._music.clone() if more else torch.zeros_like(self._music)
            row[self.closing[gap]] = length > 0
            rows.append(row)
        return torch.stack(rows)
