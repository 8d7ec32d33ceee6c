"""The grammar of tunes with a given number of bars, or a given form.

Bars are counted where signs close them. `FormGrammar` adds the counters to the state and refuses
signs that do not fit; `FormDistance` looks ahead, since some signs lead to where no fitting sign
can follow: past the place in a bar where a repeat must close, for example.
"""

from collections.abc import Sequence
from functools import lru_cache

from symbotunes.music.abc.form import Outline, Strain
from symbotunes.music.abc.grammar.cells import NEVER
from symbotunes.music.abc.grammar.distance import Distance
from symbotunes.music.abc.grammar.grammar import Grammar
from symbotunes.music.abc.grammar.state import Ending, Phase, Repeat, State

SPARE = 5  # bars; with so many left, a limit does not bind the next few signs


class FormGrammar(Grammar):
    """Tunes whose bars keep to an outline.

    Args:
        tokens: their strings, by id.
        eos: id that ends a tune.
        outline: what is asked of their bars.
        changes: whether meter and key may change after a bar sign.

    Raises:
        ValueError: see `Grammar`.
    """

    def __init__(
        self, tokens: Sequence[str], eos: int, *, outline: Outline, changes: bool = False
    ) -> None:
        super().__init__(tokens, eos, changes=changes)
        self.eos, self.outline = eos, outline

    def advance(self, state: State, token: int) -> State | None:
        after = super().advance(state, token)
        if after is None:
            return None
        if token == self.eos:
            return after if self._is_complete(state) else None
        if self.kinds[token] != "bar":
            return after
        return self._fitting(state, self.tokens[token], self._counted(state, token, after))

    def refusal(self, state: State, token: int, where: str) -> str:
        if super().advance(state, token) is None:
            return super().refusal(state, token, where)
        strain = f" of strain {state.strain + 1}" if self.outline.strains else ""
        so_far = f"{state.bars} bars{strain} so far"
        return f"{self.tokens[token]} is not allowed {where} ({self.outline.name}, {so_far})"

    def _is_complete(self, state: State) -> bool:
        if self.outline.strains:
            return state.strain == len(self.outline.strains)
        return self.outline.least <= state.bars <= self.outline.most

    def _counted(self, state: State, token: int, after: State) -> State:
        """The state after a sign, with the bar counted that it closes."""
        sign, closes = self.tokens[token], _is_music(state)
        # A bar that a short :| closes goes on after it, and has been counted.
        goes_on = sign == ":|" and after.left < after.full
        if not closes:
            return after._replace(counted=state.counted and sign == "|:")
        adds = not state.counted and not self._is_part(state, sign)
        return after._replace(bars=state.bars + adds, counted=goes_on)

    def _is_part(self, state: State, sign: str) -> bool:
        """Whether what a sign closes is an upbeat: of the tune, or of a repeat within the bar."""
        settled = self.settled(state)
        is_short = settled is not None and settled.left > 0
        return is_short and (sign == "|:" or (sign == "|" and not state.upbeat))

    def _fitting(self, state: State, sign: str, after: State) -> State | None:
        """The state after a sign; ``None`` if the sign does not fit the outline there."""
        strains = self.outline.strains
        if not strains:
            return after if after.bars <= self.outline.most else None
        if after.strain == len(strains) or after.bars > strains[after.strain].bars:
            return None
        strain = strains[after.strain]
        if sign == "|:":
            return self._opened(state, strain, after)
        if sign == ":|":
            return self._repeated(strain, after)
        if sign == "|1":
            ending = strain.bars - after.bars
            fits = strain.endings and after.bars and 1 <= ending <= strain.longest_ending
            return after._replace(fork=after.bars) if fits else None
        if sign == "|2":
            return after
        return self._closed(strain, after)

    def _opened(self, state: State, strain: Strain, after: State) -> State | None:
        """After ``|:``, which opens this strain, or closes it and opens the next."""
        if not after.bars:
            # A repeat that begins within a bar would end within one, and play a bar less.
            is_within = _is_music(state) and after.split
            return after if strain.repeated and not is_within else None
        in_second = after.fork > 0 and state.ending == Ending.SECOND
        ends = after.bars == strain.bars and (in_second or not strain.repeated)
        following = self.outline.strains[after.strain + 1 : after.strain + 2]
        if not ends or not following or not following[0].repeated:
            return None
        return _next_strain(after)

    def _repeated(self, strain: Strain, after: State) -> State | None:
        """After ``:|``, which ends a strain, or its first ending."""
        if after.bars != strain.bars or not strain.repeated:
            return None
        if not strain.endings:
            return _next_strain(after)
        return after._replace(bars=after.fork) if after.ending == Ending.BETWEEN else None

    def _closed(self, strain: Strain, after: State) -> State | None:
        """After ``|``."""
        in_second = after.fork > 0 and after.ending == Ending.SECOND
        if after.bars == strain.bars:
            return _next_strain(after) if in_second or not strain.repeated else None
        is_open = after.repeat != Repeat.NOTHING if not after.strain else (
            after.repeat == Repeat.SIGN)  # fmt: skip
        return after if is_open or in_second or not strain.repeated else None


def _next_strain(state: State) -> State:
    return state._replace(strain=state.strain + 1, bars=0, fork=0)


def _is_music(state: State) -> bool:
    return state.phase in (Phase.SOUND, Phase.TIMED, Phase.TIED)


class FormDistance(Distance):
    """The number of tokens to the end of a tune with an outline; `NEVER` where none is reached.

    As for any `Distance`, some token leads from any other state to one whose distance is one less.

    Args:
        grammar: of the tune.
    """

    def __init__(self, grammar: FormGrammar) -> None:
        super().__init__(grammar)
        self.outline = grammar.outline
        bars = [token for token, kind in enumerate(grammar.kinds) if kind == "bar"]
        self._signs = [*bars, grammar.eos]
        self._sign_after = lru_cache(maxsize=50_000)(self._to_sign)

    def __call__(self, state: State) -> int:
        return min(NEVER, self._cached(self._within_limit(state)._replace(last=None)))

    def like(self, state: State) -> State:
        return super().like(self._within_limit(state))

    def _within_limit(self, state: State) -> State:
        """A state whose distance is the same, with few bars left of a limit that does not bind."""
        first = self.outline.most - SPARE
        is_far = self.outline.is_limit and state.bars < first
        return state._replace(bars=first) if is_far else state

    def after_length(self, state: State, cells: int, *, broken: bool) -> int:
        return min(NEVER, super().after_length(self._within_limit(state), cells, broken=broken))

    def _sound(self, state: State) -> int:
        if state.sounded and not state.group and not state.twin:
            tokens = self._closing(state, state.left, music=False)
            return tokens - 1 if tokens < NEVER else NEVER  # the note is already written
        return min(
            after + self(timed)
            for cells, after in self.grammar.lengths.items()
            if (timed := self.grammar.timed(state, cells)) is not None
        )

    def _due(self, state: State) -> int:
        if tokens := self._required(state):
            return tokens + self._closing(state, state.left, music=True)
        tokens = self._to_sign(state)
        if state.phase == Phase.LAST or state.ending == Ending.BETWEEN:  # no music may follow
            return tokens
        return min(tokens, self._closing(state, state.left, music=False))

    def _to_sign(self, state: State) -> int:
        """Tokens to the end if a sign, or the end, follows at once."""
        fewest = NEVER
        for token in self._signs:
            after = self.grammar.advance(state, token)
            if after is not None:
                fewest = min(fewest, 1 + self(after))
        return fewest

    def _closing(self, state: State, left: int, *, music: bool) -> int:
        """Tokens to the end if the stretch is filled with plain notes.

        Args:
            state: provides all but what is missing from the bar; no note is required.
            left: cells missing from the bar.
            music: whether a sign may follow at once.
        """
        settled = state._replace(
            phase=Phase.TIMED, left=0, sounded=True, twin=0, group=0, group_length=0, ratio=(1, 1),
            last=None, held=None, chord=(),
        )  # fmt: skip
        if not state.full:
            return int(not music) + self._sign_after(settled)
        fill, fewest = self.grammar.fill, NEVER
        # A sign closes a whole bar, or one that an upbeat completes.
        for missing in {0, state.start % state.full, state.pickup, state.upbeat % state.full}:
            if missing < left or (missing == left and music):
                tokens = fill[left - missing] + self._sign_after(settled._replace(left=missing))
                fewest = min(fewest, tokens)
        return fewest
