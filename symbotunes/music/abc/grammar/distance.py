"""How many tokens a tune still needs to end well-formed."""

from functools import lru_cache

from symbotunes.music.abc.grammar.cells import NEVER
from symbotunes.music.abc.grammar.grammar import Grammar
from symbotunes.music.abc.grammar.state import Ending, Phase, Repeat, State
from symbotunes.music.abc.tokens import make_pitch

_NO_NOTE = make_pitch(0, -1, None, False)  # below all that can be written


class Distance:
    """The number of tokens on a short way to the end, including the one that ends the tune.

    Invariant: from every state that the grammar reaches, some token leads to a state whose distance
    is one less. So a tune whose distance is within its budget of tokens can always end within it:
    a sampler that only allows tokens after which this holds never gets stuck. The distance is an
    upper bound: a shorter way may exist.
    """

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self._cached = lru_cache(maxsize=100_000)(self._find)

    def __call__(self, state: State) -> int:
        """Tokens to the end."""
        # The last note only matters for ties; without it, more states are equal.
        return self._cached(state if state.last is None else state._replace(last=None))

    def like(self, state: State) -> State:
        """A state after which all tokens have the same distances, alike for many states."""
        # Which note may be tied makes no difference to what may follow, only whether one may be.
        return state._replace(last=_NO_NOTE) if state.last is not None else state

    def after_length(self, state: State, cells: int, *, broken: bool) -> int:
        """Tokens to the end once the last sound has this length; `NEVER` if it is not allowed."""
        if state.twin or state.group or not state.sounded:
            timed = self.grammar.timed(state, cells, broken)
            return NEVER if timed is None else self(timed)
        left = state.left - cells * (1 + broken) if state.full else 0
        if left < 0 or self.grammar.fill[left] >= NEVER:
            return NEVER
        twin = 1 + self.grammar.lengths[cells] if broken else 0
        return twin + self._closing(state, left, music=True)

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
            return self._sound(state)
        return self._due(state)

    def _sound(self, state: State) -> int:
        if state.sounded and not state.group and not state.twin:
            return self._closing(state, state.left, music=False) - 1  # the note is already written
        for cells, after in self.grammar.lengths.items():  # any that fits gives a way
            timed = self.grammar.timed(state, cells)
            if timed is not None:
                return after + self(timed)
        return NEVER

    def _due(self, state: State) -> int:
        """After a complete sound or a sign: the notes still required, then bars and signs."""
        if tokens := self._required(state):
            return tokens + self._closing(state, state.left, music=True)
        if state.can_end:
            return 1
        if state.phase == Phase.TIED and state.full and not state.left:
            return 1 + self._closing(state, state.full, music=False)
        music = state.phase == Phase.TIMED and state.sounded
        return self._closing(state, state.left, music=music)

    def _required(self, state: State) -> int:
        """Tokens of the notes that complete a broken pair and a tuplet."""
        required = [state.twin] if state.twin else []  # cells of each note
        required += [state.group_length] * (state.group - len(required) if state.group else 0)
        return sum(1 + self.grammar.lengths[cells] for cells in required)

    def _closing(self, state: State, left: int, *, music: bool) -> int:
        """Tokens that fill the bar, close repeats and endings, and end the tune.

        Args:
            state: provides the meter, repeat and ending; no note is required.
            left: cells missing from the bar.
            music: whether a bar sign may follow at once if the bar is full.
        """
        full, fill = state.full, self.grammar.fill
        second = 1 + (fill[full] or 1) + 2  # |2, a bar of notes, | and the end
        if state.ending == Ending.BETWEEN:
            return second
        rest = fill[left] if full else int(not music)
        if state.repeat != Repeat.SIGN and state.ending != Ending.FIRST:
            return rest + 2  # | and the end
        after = 1 + (second if state.ending == Ending.FIRST else 1)
        if not full:
            return rest + after
        # A :| must stand where its repeat began within the bar: here, or in the next bar.
        start = state.start % full
        way = rest + 1 + fill[full - start] + after
        if left > start or (left == start and music):
            return min(way, fill[left - start] + after)
        return way
