"""How many tokens a tune still needs to end properly."""

from functools import lru_cache

from symbotunes.scores.abc.grammar import NEVER, Grammar
from symbotunes.scores.abc.place import Ending, Phase, Repeat, State


class Distance:
    """The number of tokens on a short way to the end, the one that ends the tune included.

    From every state that the grammar reaches some token leads one nearer, so a tune whose distance
    is within its budget can always be ended within it. It is not always the shortest way.
    """

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self._of = lru_cache(maxsize=100_000)(self._find)

    def __call__(self, state: State) -> int:
        """Tokens to the end."""
        return self._of(state._replace(last=None))

    def _find(self, state: State) -> int:
        if state.phase == Phase.END:
            return 0
        if state.phase == Phase.START:
            return 1 + min(self(meter) for meter in self.grammar.meters)
        if state.phase == Phase.METER:
            return 1 + self(state._replace(phase=Phase.KEY))
        if state.phase == Phase.CHORD:
            sound = state._replace(phase=Phase.SOUND, chord=(), sounded=True)
            return 1 + (not state.chord) + self(sound)
        if state.phase == Phase.TUPLET:
            return 1 + self(state._replace(phase=Phase.SOUND, sounded=True, held=None))
        if state.phase == Phase.SOUND:
            return min(
                (
                    behind + self(timed)
                    for cells, behind in self.grammar.lengths.items()
                    if (timed := self.grammar.timed(state, cells)) is not None
                ),
                default=NEVER,
            )
        return self._due(state)

    def _due(self, state: State) -> int:
        """Behind a complete sound or a sign: what is owed, then bars and signs."""
        owed = [state.twin] if state.twin else []
        owed += [state.group_length] * (state.group - len(owed) if state.group else 0)
        due = sum(1 + self.grammar.lengths[cells] for cells in owed)
        if due:
            music = state._replace(phase=Phase.TIMED, held=None, sounded=True)
            return due + self._closing(music, music=True)
        if state.can_end:
            return 1
        if state.phase == Phase.TIED and state.full and not state.left:
            return 1 + self._closing(state._replace(left=state.full), music=False)
        return self._closing(state, music=state.phase == Phase.TIMED and state.sounded)

    def _closing(self, state: State, *, music: bool) -> int:
        """Nothing is owed.

        Args:
            state: its bar, repeat and ending.
            music: whether a sign may follow at once, if the bar is full.
        """
        full, left, fill = state.full, state.left, self.grammar.fill
        another = 1 if not full else fill[full]
        second = 1 + another + 2  # |2, a bar, | and the end
        if state.ending == Ending.BETWEEN:
            return second
        rest = fill[left] if full else int(not music)
        if state.repeat != Repeat.SIGN and state.ending != Ending.FIRST:
            return rest + 2
        after = 1 + (second if state.ending == Ending.FIRST else 1)
        if not full:
            return rest + after
        start = state.start % full
        ways = [rest + 1 + fill[full - start] + after]
        if left > start or (left == start and music):
            ways.append(fill[left - start] + after)
        return min(ways)
