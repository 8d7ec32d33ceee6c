"""Fills that join what surrounds them: as many as there are gaps, with bars of the right length."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from symbotunes.generation.sequences.abc_constraint import TokenCosts, fitting
from symbotunes.music.abc.grammar.cells import NEVER
from symbotunes.music.abc.grammar.gap import Gap
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
    where it belongs. Of what may come next, only that is allowed from which the rest of the tune
    can be reached, see `Gap`: bars get their lengths, ties and repeats are joined, and no gap is
    left out, or filled twice.

    Args:
        tokens: strings of the vocabulary by id, the added ones included.
        eos: id that ends the last fill.
        fill: id that ends every other fill and begins the next.
        parts: ids of what is given: before the first gap, between gaps, and after the last one.
        fills: ids of what stood in the gaps, whose lengths the new music then has: bars that a
            repeat sign splits are split where they were, and upbeats stay upbeats. Without them,
            or if they are not well-formed, it has any length that fits.
        changes: whether meter and key may change after a bar sign.

    Raises:
        ValueError: if no tune can be written with these tokens, or no music fits the gaps.
    """

    def __init__(
        self,
        tokens: Sequence[str],
        *,
        eos: int,
        fill: int,
        parts: Sequence[Sequence[int]],
        fills: Sequence[Sequence[int]] = (),
        changes: bool = False,
    ) -> None:
        self.grammar = Grammar(tokens, eos, changes=changes)
        before, *between, last = parts
        self.gaps: list[Gap] = []
        following, missing = None, self._missing(parts, fills)
        for after in [[*last, eos], *reversed(between)]:
            following = Gap(self.grammar, after, following, missing.pop())
            self.gaps.insert(0, following)
        self.closing = [fill] * len(between) + [eos]
        music = [index for index, name in enumerate(self.grammar.kinds) if name in MUSIC]
        self._costs = [
            GapCosts(tokens, self.grammar, gap=gap, closing=closing, music=music)
            for gap, closing in zip(self.gaps, self.closing, strict=True)
        ]
        # The beginning is read as what follows an empty gap before the first token.
        start = Gap(self.grammar, before, self.gaps[0]).close(State())
        if start is None or self.gaps[0](start) >= NEVER:
            raise ValueError("no music fits the gaps (constraint=abc)")
        self.start = Filling(0, start)

    def _missing(
        self, parts: Sequence[Sequence[int]], fills: Sequence[Sequence[int]]
    ) -> list[int | None]:
        """The cells that bars lacked where gaps are closed; ``None`` for all if that is unknown."""
        unknown: list[int | None] = [None] * (len(parts) - 1)
        missing: list[int | None] = []
        state: State | None = State()
        for part, fill in zip(parts, fills, strict=False):
            for token in (*part, *fill):
                state = None if state is None else self.grammar.advance(state, token)
            settled = None if state is None else self.grammar.settled(state)
            if settled is None:
                return unknown
            missing.append(settled.left)
        return missing or unknown

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
        if token == self.closing:
            return min(NEVER, self.gap.to_close(state) - 1)
        return super().after(state, token)


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
