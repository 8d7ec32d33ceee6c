"""Samples that are well-formed ABC, with bars of the length that the meter requires."""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor

from symbotunes.music.abc.form import Outline
from symbotunes.music.abc.grammar.cells import NEVER, cells_of
from symbotunes.music.abc.grammar.distance import Distance
from symbotunes.music.abc.grammar.formed import FormDistance, FormGrammar
from symbotunes.music.abc.grammar.grammar import Grammar
from symbotunes.music.abc.grammar.state import Phase, State

MAX_ROWS = 50_000  # of the cache; tunes of one style need a few hundred


class TokenCosts:
    """For every state, how many more tokens are needed once each token is written.

    Args:
        tokens: strings of the vocabulary by id.
        grammar: made of the same tokens.
        distance: tokens needed from a state on.
        body: tokens that may be allowed after the head and are neither pitches nor durations.
        head: tokens that may be allowed in the head.
    """

    def __init__(
        self,
        tokens: Sequence[str],
        grammar: Grammar,
        *,
        distance: Distance,
        body: Sequence[int],
        head: Sequence[int] = (),
    ) -> None:
        self.size = len(tokens)
        self.grammar = grammar
        self.distance = distance
        self._body, self._head = body, head
        self._pitches = [token for token, kind in enumerate(grammar.kinds) if kind == "pitch"]
        self._durations = [
            (token, cells, bool(broken))
            for token, kind in enumerate(grammar.kinds)
            if kind == "duration"
            for cells, broken in [cells_of(tokens[token])]
            if cells in grammar.lengths
        ]
        self._rows: OrderedDict[State, Tensor] = OrderedDict()

    def row(self, state: State) -> Tensor:
        """``[V]`` int16; `NEVER` for a token that is not allowed."""
        key = self.distance.like(state)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = torch.tensor(self._costs(key), dtype=torch.int16)
            if len(self._rows) > MAX_ROWS:
                self._rows.popitem(last=False)
        return row

    def _costs(self, state: State) -> list[int]:
        row = [NEVER] * self.size
        if state.phase == Phase.SOUND:
            settled = self.grammar.settled(state)
            if settled is not None:  # without a duration token, whatever may follow a plain eighth
                row = self.row(settled).tolist()
            for token, cells, broken in self._durations:
                row[token] = self.distance.after_length(state, cells, broken=broken)
            return row
        in_head = state.phase in (Phase.START, Phase.METER)
        for token in self._head if in_head else self._body:
            row[token] = self.after(state, token)
        # All notes lead to the same distance, except after a tie or within a chord.
        same = state.held is None and state.phase != Phase.CHORD
        first = self.after(state, self._pitches[0]) if same else NEVER
        for token in self._pitches:
            row[token] = first if same else self.after(state, token)
        return row

    def after(self, state: State, token: int) -> int:
        """The cost of one token."""
        after = self.grammar.advance(state, token)
        return NEVER if after is None else self.distance(after)


def fitting(rows: Sequence[Tensor], left: Sequence[int]) -> Tensor:
    """Which tokens leave enough for the end, ``[B, V]`` bool, given the tokens left for each row.

    Args:
        rows: of a `TokenCosts`, one for each piece.
        left: tokens that each piece may still have.
    """
    return torch.stack(list(rows)) < torch.tensor(left).clamp_max(NEVER)[:, None]


def _rules(
    tokens: Sequence[str], eos: int, outline: Outline | None, *, changes: bool
) -> tuple[Grammar, Distance]:
    if outline is None:
        grammar = Grammar(tokens, eos, changes=changes)
        return grammar, Distance(grammar)
    formed = FormGrammar(tokens, eos, outline=outline, changes=changes)
    return formed, FormDistance(formed)


class AbcConstraint:
    """The grammar of ABC tokens as masks on logits.

    For every state, one row is cached: for each token, how many more tokens the tune needs to end
    once this one is written (`NEVER` if the token is not allowed). With a number of tokens left,
    those are allowed that leave enough for the end; so every sample can end in time.

    Args:
        tokens: strings of the vocabulary by id, any vocabulary of ABC tokens.
        eos: id that ends a tune.
        outline: what is asked of the bars; ``None``: any number and form.
        changes: whether meter and key may change after a bar sign.

    Raises:
        ValueError: if no tune can be written with these tokens.
    """

    def __init__(
        self,
        tokens: Sequence[str],
        eos: int,
        *,
        outline: Outline | None = None,
        changes: bool = False,
    ) -> None:
        self.tokens = list(tokens)
        self.outline = outline
        self.grammar, self.distance = _rules(tokens, eos, outline, changes=changes)
        kinds = self.grammar.kinds
        head = [token for token, kind in enumerate(kinds) if kind in ("meter", "key")]
        elsewhere = {"meter", "key", "pitch", "duration", "unknown"}
        body = [eos, *(token for token, kind in enumerate(kinds) if kind not in elsewhere)]
        body += head if changes else []
        self._costs = TokenCosts(tokens, self.grammar, distance=self.distance, body=body, head=head)

    def begin(self, prompt: Sequence[int], max_tokens: int) -> State:
        """The state after a prompt.

        Raises:
            ValueError: naming the first token that is not allowed, or the number of tokens that it
                takes to end, if that is more than `max_tokens`.
        """
        state = State()
        for position, token in enumerate(prompt):
            after = self.grammar.advance(state, token)
            if after is None:
                last = prompt[max(0, position - 4) : position]
                text = " ".join(self.tokens[index] for index in last)
                where = f"after {text}" if text else "at the beginning"
                raise ValueError(self.grammar.refusal(state, token, where))
            state = after
        needed = self.distance(state)
        if needed >= NEVER and self.outline is not None:
            text = " ".join(self.tokens[index] for index in prompt[-3:])
            raise ValueError(f"{self.outline.name} is out of reach after {text}")
        if needed > max_tokens:
            raise ValueError(f"max_tokens={max_tokens} is too small: the end takes {needed} tokens")
        return state

    def advance(self, state: State, token: int) -> State:
        """The state after one more allowed token."""
        after = self.grammar.advance(state, token)
        assert after is not None, f"{self.tokens[token]} is not allowed here"
        return after

    def allowed(self, states: Sequence[State], left: Sequence[int]) -> Tensor:
        """Which tokens may follow, ``[B, V]`` bool, given the tokens left for each row."""
        return fitting([self._costs.row(state) for state in states], left)
