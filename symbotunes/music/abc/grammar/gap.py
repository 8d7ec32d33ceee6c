"""Gaps in a tune: how music of a given length can join what surrounds it."""

from dataclasses import dataclass
from fractions import Fraction

from symbotunes.music.abc.grammar.cells import LONGEST_BAR, NEVER, UNIT
from symbotunes.music.abc.grammar.distance import Distance
from symbotunes.music.abc.grammar.grammar import Grammar, continues
from symbotunes.music.abc.grammar.state import Phase, Repeat, State
from symbotunes.music.abc.tokens import Pitch


@dataclass(frozen=True)
class Surroundings:
    """What a gap lies between.

    Attributes:
        bar: number of the bar, for people.
        meter: in force there.
        eighths: length of the music that belongs there; ``None`` for any, without meter.
        sounded: whether a note comes before it.
        held: a note before it that a tie leads from.
        following: the note after it, to which a tie may lead; ``None`` if there is none.
        joins_next: whether the next gap is the next bar, so that a tie may lead there.
    """

    bar: int
    meter: str
    eighths: Fraction | None
    sounded: bool = True
    held: Pitch | None = None
    following: Pitch | None = None
    joins_next: bool = False


class Gap(Distance):
    """The number of tokens that fill the rest of this gap and all later ones.

    One more token closes each gap: the sentinel of the next, or the one that ends the tune. As for
    any `Distance`, some token leads from every state to one whose distance is one less.

    The music of a gap is that of a single bar whose length is that of the gap. So all that the
    grammar lets begin there can be completed, but for a tie out of it, which must lead to the note
    that follows. The given music need not keep to the grammar.

    Args:
        grammar: of the tune.
        around: what the gap lies between.
        following: the next gap; ``None`` if this is the last.

    Raises:
        ValueError: if no notes of the vocabulary have the length, naming the bar.
    """

    def __init__(self, grammar: Grammar, around: Surroundings, following: "Gap | None") -> None:
        super().__init__(grammar)
        length = Fraction(around.eighths or 0) * UNIT
        cells = int(length)
        if length != cells or cells > LONGEST_BAR or grammar.fill[cells] >= NEVER:
            raise ValueError(
                f"bar {around.bar} lasts {around.eighths} eighths, which no notes that the model "
                "knows fill (constraint=abc): set sample.constraint=null to fill it in all the same"
            )
        self.around = around
        self.following = following
        self.start = State(
            Phase.GOING, around.meter, full=cells, left=cells, upbeat=cells, start=cells,
            repeat=Repeat.NOTHING, sounded=around.sounded, held=around.held,
        )  # fmt: skip
        # Tokens from the one that closes this gap; a tie into the next needs no more of them.
        self._after = 1 if following is None else 1 + following(following.start)

    def __call__(self, state: State) -> int:
        return min(NEVER, super().__call__(state))

    def close(self, state: State) -> State | None:
        """The state at the next gap, or once the tune has ended; ``None`` if it cannot end here."""
        settled = self.grammar.settled(state)
        if settled is None or settled.left or settled.group or settled.twin or not settled.sounded:
            return None
        if settled.phase not in (Phase.TIMED, Phase.TIED):
            return None
        if settled.held is not None and not self.can_tie(settled.held):
            return None
        if self.following is None:
            return State(Phase.END)
        held = self.following.around.held if settled.held is None else settled.held
        return self.following.start._replace(held=held)

    def can_tie(self, pitch: Pitch) -> bool:
        """Whether a tie may lead from this pitch out of the gap."""
        following = self.around.following
        return self.around.joins_next or (following is not None and continues(pitch, following))

    def like(self, state: State) -> State:
        # A tie may lead out of the gap to one pitch alone.
        is_tied = state.last is not None and self.can_tie(state.last)
        return state if is_tied else super().like(state)

    def after_length(self, state: State, cells: int, *, broken: bool) -> int:
        return min(NEVER, super().after_length(state, cells, broken=broken))

    def _due(self, state: State) -> int:
        if tokens := self._required(state):
            return tokens + self._closing(state, state.left, music=True)
        if self.close(state) is not None:
            return self._after
        return self._closing(state, state.left, music=False)

    def _closing(self, state: State, left: int, *, music: bool) -> int:
        """Tokens that fill the gap with plain notes, and all later ones.

        Args:
            state: no note is required.
            left: cells missing from the gap.
            music: whether the gap may be closed at once if it is full.
        """
        if not state.full:
            return int(not music) + self._after
        return self.grammar.fill[left] + self._after if left or music else NEVER
