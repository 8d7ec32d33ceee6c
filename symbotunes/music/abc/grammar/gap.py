"""Gaps in a tune: how music in one of them can lead to what follows it."""

from collections.abc import Sequence
from functools import lru_cache

from symbotunes.music.abc.grammar.cells import NEVER
from symbotunes.music.abc.grammar.distance import Distance
from symbotunes.music.abc.grammar.grammar import Grammar
from symbotunes.music.abc.grammar.state import Ending, Phase, State


class Gap(Distance):
    """The number of tokens that fill the rest of this gap and all later ones.

    One more token closes each gap: the sentinel of the next, or the one that ends the tune. As for
    any `Distance`, some token leads from every state to one whose distance is one less.

    What follows a gap is given, so that only some ends of its music fit: those from which the
    grammar accepts all tokens up to the next gap, and can fill that one. Its bar may lack nothing
    before ``|``, and exactly an upbeat before ``:|``. Which lengths may be missing does not depend
    on the notes; where it is not given, it is found once, by trying all of them.

    Args:
        grammar: of the tune.
        after: given tokens from here to the next gap, or to the end, including the token for it.
        following: the next gap; ``None`` if this is the last.
        missing: cells that its bar lacks where the gap is closed, which is 0 but before a repeat
            sign within the bar; ``None``: any number that fits.
    """

    def __init__(
        self,
        grammar: Grammar,
        after: Sequence[int],
        following: "Gap | None",
        missing: int | None = None,
    ) -> None:
        super().__init__(grammar)
        self.after = after
        self.following = following
        self.missing = missing
        self._ways = lru_cache(maxsize=10_000)(self._find_ways)

    def __call__(self, state: State) -> int:
        return min(NEVER, super().__call__(state))

    def close(self, state: State) -> State | None:
        """The state at the next gap, or once the tune has ended; ``None`` if it cannot end here."""
        after = self.grammar.settled(state)
        if self.missing is not None and (after is None or after.left != self.missing):
            return None
        for token in self.after:
            if after is None:
                return None
            after = self.grammar.advance(after, token)
        return after

    def to_close(self, state: State) -> int:
        """Tokens from the one that closes the gap here; `NEVER` if it cannot be closed here."""
        after = self.close(state)
        if after is None:
            return NEVER
        return 1 if self.following is None else min(NEVER, 1 + self.following(after))

    def after_length(self, state: State, cells: int, *, broken: bool) -> int:
        return min(NEVER, super().after_length(state, cells, broken=broken))

    def _due(self, state: State) -> int:
        if state.phase == Phase.LAST or state.ending == Ending.BETWEEN:  # no music may follow
            return NEVER
        if tokens := self._required(state):
            return tokens + self._closing(state, state.left, music=True)
        return min(self.to_close(state), self._closing(state, state.left, music=False))

    def _closing(self, state: State, left: int, *, music: bool) -> int:
        """Tokens that fill the gap with plain notes, and all later ones.

        Args:
            state: provides all but what is missing from the bar; no note is required.
            left: cells missing from the bar.
            music: whether the gap may be closed at once.
        """
        settled = state._replace(
            phase=Phase.TIMED, left=0, sounded=True, twin=0, group=0, group_length=0, ratio=(1, 1),
            last=None, held=None, chord=(),
        )  # fmt: skip
        ways = self._ways(settled)
        if not state.full:
            return min((int(not music) + tokens for _, tokens in ways), default=NEVER)
        fill = self.grammar.fill
        return min(
            (
                fill[left - missing] + tokens
                for missing, tokens in ways
                if missing < left or (missing == left and music)
            ),
            default=NEVER,
        )

    def _find_ways(self, settled: State) -> list[tuple[int, int]]:
        """The cells that may be missing from the bar where the gap is closed, and `to_close`."""
        fill = self.grammar.fill  # which the grammar sees to for what is missing from any bar
        tried = [left for left in range(settled.full or 1) if fill[left] < NEVER]
        if self.missing is not None:
            tried = [self.missing]
        ways = [(left, self.to_close(settled._replace(left=left))) for left in tried]
        return [(left, tokens) for left, tokens in ways if tokens < NEVER]
