"""Tunes that end where the network ends them, though it forgets to close a repeat."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from symbotunes.generation.sequences.abc_constraint import AbcConstraint
from symbotunes.generation.sequences.filters import NOTHING
from symbotunes.music.abc.grammar.state import Repeat, State


class Place(NamedTuple):
    """Where a tune is being written.

    Attributes:
        state: of the grammar.
        closed: of the grammar if the sign written last, a ``|``, were ``:|``, where the tune may
            end after that alone; else ``None``.
    """

    state: State
    closed: State | None = None


class ClosingConstraint:
    """The grammar of ABC tokens, which takes an end within a repeat for the end of that repeat.

    Networks often end a tune by ``|`` though a ``|:`` is open, above all one of a prompt. If that
    end were only forbidden, they would miss it and write another tune behind. Instead,

    - a ``|`` or ``|:`` that must not stand where a ``:|`` may leaves its probability to the latter;
    - the end of the tune is allowed after a ``|`` that could have been ``:|``, and makes it one.

    Args:
        grammar: what else a tune keeps to.
        eos: id that ends a tune.
    """

    def __init__(self, grammar: AbcConstraint, eos: int) -> None:
        self.grammar, self.eos = grammar, eos
        ids = {token: index for index, token in enumerate(grammar.tokens)}
        self.bar, self.close = ids["|"], ids.get(":|")
        self.mistaken = [ids[sign] for sign in ("|", "|:") if sign in ids]

    def begin(self, prompt: Sequence[int], max_tokens: int) -> Place:
        """The place after a prompt.

        Raises:
            ValueError: see `AbcConstraint.begin`.
        """
        return Place(self.grammar.begin(prompt, max_tokens))

    def advance(self, place: Place, token: int) -> Place:
        """The place after one more allowed token."""
        if token == self.eos and place.closed is not None:
            return Place(self.grammar.advance(place.closed, token))
        closed = self._closed(place.state) if token == self.bar else None
        return Place(self.grammar.advance(place.state, token), closed)

    def allowed(self, places: Sequence[Place], left: Sequence[int]) -> Tensor:
        """Which tokens may follow, ``[B, V]`` bool, given the tokens left for each row."""
        allowed = self.grammar.allowed([place.state for place in places], left)
        for row, place in zip(allowed, places, strict=True):
            row[self.eos] |= place.closed is not None
        return allowed

    def redirected(self, logits: Tensor, places: Sequence[Place], allowed: Tensor) -> Tensor:
        """Logits in which mistaken signs leave their probability to the one that is meant.

        Args:
            logits: ``[B, V]``.
            places: B places.
            allowed: what `allowed` returns for them.
        """
        is_open = [place.state.repeat == Repeat.SIGN for place in places]
        if self.close is None or not any(is_open):
            return logits
        logits = logits.clone()
        can_close = torch.tensor(is_open) & allowed[:, self.close]
        for sign in self.mistaken:
            rows = can_close & ~allowed[:, sign]
            both = torch.logaddexp(logits[rows, self.close], logits[rows, sign])
            logits[rows, self.close] = both
            logits[rows, sign] = NOTHING
        return logits

    def ended(self, ids: list[int], place: Place) -> list[int]:
        """The ids of a tune that ends at a place, its last repeat closed."""
        if place.closed is None or self.close is None:
            return ids
        return [*ids[:-1], self.close]

    def _closed(self, state: State) -> State | None:
        """The state after ``:|``, if a repeat is open and the tune may end then."""
        if self.close is None or state.repeat != Repeat.SIGN:
            return None
        rules = self.grammar.grammar
        closed = rules.advance(state, self.close)
        can_end = closed is not None and rules.advance(closed, self.eos) is not None
        return closed if can_end else None
