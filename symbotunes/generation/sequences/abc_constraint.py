"""Samples that are well-formed ABC, with bars as long as their meter asks for."""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor

from symbotunes.music.abc.grammar.cells import NEVER, cells_of
from symbotunes.music.abc.grammar.distance import Distance
from symbotunes.music.abc.grammar.grammar import Grammar
from symbotunes.music.abc.grammar.state import Phase, State
from symbotunes.music.abc.tokens import make_pitch

MOST_ROWS = 50_000  # of the table; tunes of one style share a few hundred
_ANY = make_pitch(0, 4, None, False)


class AbcConstraint:
    """The grammar of ABC tokens as masks on logits.

    Of every state that is met, one row is kept: for each token the number of tokens that an end
    would still take behind it. A token is allowed if that is within what is left.

    Args:
        tokens: strings of the vocabulary by id, any vocabulary of ABC tokens.
        eos: id that ends a tune.

    Raises:
        ValueError: if no tune can be written with these tokens.
    """

    def __init__(self, tokens: Sequence[str], eos: int) -> None:
        self.tokens = list(tokens)
        self.grammar = Grammar(tokens, eos)
        kinds = self.grammar.kinds
        self.distance = Distance(self.grammar)
        self._pitches = [token for token, kind in enumerate(kinds) if kind == "pitch"]
        self._head = [token for token, kind in enumerate(kinds) if kind in ("meter", "key")]
        elsewhere = {"meter", "key", "pitch", "duration", "unknown"}
        self._body = [eos, *(token for token, kind in enumerate(kinds) if kind not in elsewhere)]
        self._durations = [
            (token, cells, bool(broken))
            for token, kind in enumerate(kinds)
            if kind == "duration"
            for cells, broken in [cells_of(tokens[token])]
            if cells in self.grammar.lengths
        ]
        self._rows: OrderedDict[State, Tensor] = OrderedDict()

    def begin(self, prompt: Sequence[int], max_tokens: int) -> State:
        """The state behind a prompt.

        Raises:
            ValueError: naming the first token that must not stand where it does, or how many
                tokens an end takes if they are more than `max_tokens`.
        """
        state = State()
        for place, token in enumerate(prompt):
            after = self.grammar.advance(state, token)
            if after is None:
                text = " ".join(self.tokens[one] for one in prompt[max(0, place - 4) : place])
                where = f"behind {text}" if text else "at the beginning"
                raise ValueError(f"{self.tokens[token]} cannot stand {where} (constraint=abc)")
            state = after
        needed = self.distance(state)
        if needed > max_tokens:
            raise ValueError(f"max_tokens={max_tokens} is too few: a tune takes {needed} more")
        return state

    def advance(self, state: State, token: int) -> State:
        """The state behind one more allowed token."""
        after = self.grammar.advance(state, token)
        assert after is not None, f"{self.tokens[token]} is not allowed here"
        return after

    def allowed(self, states: Sequence[State], left: Sequence[int]) -> Tensor:
        """Which tokens may follow, ``[B, V]`` bool, with so many tokens left for each row."""
        table = torch.stack([self._row(state) for state in states])  # [B, V]
        return table < torch.tensor(left).clamp_max(NEVER)[:, None]

    def _row(self, state: State) -> Tensor:
        # Which note may be tied does not matter to what may follow, only whether one may.
        key = state._replace(last=_ANY) if state.last is not None else state
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = torch.tensor(self._behind_each(key), dtype=torch.int16)
            if len(self._rows) > MOST_ROWS:
                self._rows.popitem(last=False)
        return row

    def _behind_each(self, state: State) -> list[int]:
        """For each token how far the end is behind it."""
        row = [NEVER] * len(self.tokens)
        if state.phase == Phase.SOUND:
            settled = self.grammar.settled(state)
            if settled is not None:  # no length: what may follow a plain eighth
                row = self._row(settled).tolist()
            for token, cells, broken in self._durations:
                row[token] = self.distance.after_length(state, cells, broken=broken)
            return row
        in_head = state.phase in (Phase.START, Phase.METER)
        for token in self._head if in_head else self._body:
            row[token] = self._behind(state, token)
        # All notes lead equally far, unless a tie or a chord chooses among them.
        alike = state.held is None and state.phase != Phase.CHORD
        first = self._behind(state, self._pitches[0]) if alike else NEVER
        for token in self._pitches:
            row[token] = first if alike else self._behind(state, token)
        return row

    def _behind(self, state: State, token: int) -> int:
        after = self.grammar.advance(state, token)
        return NEVER if after is None else self.distance(after)
