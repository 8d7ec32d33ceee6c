"""The grammar of tunes: which tokens may come next, so that a tune stays well-formed and in time.

A tune is a meter, a key, and bars that add up to the meter. A repeat sign may split a bar; its two
parts then fill the bar together, on every way through the repeats. An upbeat before the first bar
sign may have any length, and the bar that ends a repeat beginning with it leaves room for it.

The grammar is a state machine: `Grammar.advance` maps a `State` and a token to the next state, by
one rule for each kind of token, or to ``None`` if the token is not allowed. A note is first written
without a length (`Phase.SOUND`); its length is settled by a duration token or, as a plain eighth,
by whatever else follows (`settled`). Time is subtracted from the bar when it is certain: that of a
tuplet or a broken pair as soon as its first length is known.

The grammar is stricter than the reader, so that abc2midi has nothing to complain about: endings are
``|1`` and ``|2``, and the second is not closed by ``:|``, after which it would be played again; the
notes of a tuplet have the same length, and it does not begin with a chord; a chord's length follows
it, and chords are not tied; a tune changes meter or key only if its vocabulary was made for that,
and its meter only where a whole bar begins; lengths are sixteenths of an eighth.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from symbotunes.music.abc.grammar.cells import LONGEST_BAR, NEVER, UNIT, cells_of, shortest_fills
from symbotunes.music.abc.grammar.state import Ending, Phase, Repeat, State
from symbotunes.music.abc.tokens import Pitch, default_q, kind, parse_pitch

CHORD_SIZE = 6  # most notes in a chord

Rule = Callable[[State, Any], State | None]


class Grammar:
    """Reads the tokens of one vocabulary.

    Args:
        tokens: their strings, by id; those that are not ABC tokens are never allowed.
        eos: id that ends a tune.
        changes: whether meter and key may change after a bar sign.

    Raises:
        ValueError: if no tune can be written with these tokens.
    """

    def __init__(self, tokens: Sequence[str], eos: int, *, changes: bool = False) -> None:
        self.changes = changes
        self.tokens = list(tokens)
        self.kinds = [kind(token) for token in tokens]
        self.lengths = {UNIT: 0}  # cells -> tokens that must follow a note of this length
        for token, name in zip(tokens, self.kinds, strict=True):
            cells, broken = cells_of(token) if name == "duration" else (0, "")
            if cells and not broken:
                self.lengths.setdefault(cells, 1)
        self.fill = shortest_fills(self.lengths)
        self._rules = [self._rule(*pair) for pair in zip(tokens, self.kinds, strict=True)]
        self._rules[eos] = (self._end, None)
        self.signs = set(tokens)
        self.meters = [
            state
            for rule, value in self._rules
            if rule == self._meter and (state := self._meter(State(), value)) is not None
        ]
        if not self.meters or not {"key", "pitch"} <= set(self.kinds) or "|" not in self.signs:
            raise ValueError("a tune needs a meter, a key, notes and | in the vocabulary")

    def _rule(self, token: str, name: str) -> tuple[Rule, Any]:
        if name == "duration":
            return self._duration, cells_of(token)
        if name == "tuplet":
            return self._tuplet, tuple(int(number) for number in token[1:].split(":"))
        if name == "bar":
            signs: dict[str, Rule] = {
                "|": self._bar, "|:": self._repeat, ":|": self._close,
                "|1": self._first_ending, "|2": self._second_ending,
            }  # fmt: skip
            return signs.get(token, self._nothing), None
        if name == "pitch":
            return self._pitch, parse_pitch(token)
        rules: dict[str, Rule] = {
            "meter": self._meter, "key": self._key, "rest": self._rest, "open": self._open,
            "close": self._close_chord, "tie": self._tie,
        }  # fmt: skip
        return rules.get(name, self._nothing), token[2:]

    def advance(self, state: State, token: int) -> State | None:
        """The state after one more token; ``None`` if the token is not allowed here."""
        rule, value = self._rules[token]
        return rule(state, value)

    def refusal(self, state: State, token: int, where: str) -> str:  # noqa: ARG002
        """Why a token that `advance` refuses must not stand where it does, for people.

        Args:
            state: before it.
            token: its id.
            where: it stands, such as ``after C 4``.
        """
        return f"{self.tokens[token]} is not allowed {where} (constraint=abc)"

    # -- head -------------------------------------------------------------------------------------

    def _nothing(self, state: State, value: Any) -> State | None:  # noqa: ARG002
        return None

    def _meter(self, state: State, value: str) -> State | None:
        if state.phase != Phase.START:
            return self._new_meter(state, value)
        full = Fraction(0) if value == "none" else Fraction(value) * 8 * UNIT
        if full > LONGEST_BAR or full.denominator != 1:
            return None
        if self.fill[int(full)] >= NEVER:
            return None
        return State(Phase.METER, value, int(full), int(full))

    def _key(self, state: State, value: str) -> State | None:  # noqa: ARG002
        if state.phase == Phase.METER:
            return state._replace(phase=Phase.KEY)
        may_change = self._may_change(state) or state.phase == Phase.NEW_METER
        return state._replace(phase=Phase.NEW_KEY) if may_change else None

    def _may_change(self, state: State) -> bool:
        """Whether a sign was read after which meter or key may change."""
        at_sign = state.phase in (Phase.BAR, Phase.CLOSED, Phase.GOING)
        is_free = state.held is None and state.ending != Ending.BETWEEN
        return self.changes and state.sounded and at_sign and is_free

    def _new_meter(self, state: State, value: str) -> State | None:
        new = self._meter(State(), value)
        if new is None or not new.full or not self._may_change(state):
            return None
        if not state.full or state.left != state.full or state.split or state.ending != Ending.NONE:
            return None
        repeat = state.repeat
        if state.start != state.full:  # the bar that ends the repeat completes one in the old meter
            if repeat == Repeat.SIGN:
                return None
            repeat = Repeat.NOTHING
        # There is no short last bar: the upbeat that it would complete is in the old meter.
        full = new.full
        return state._replace(
            phase=Phase.NEW_METER, meter=value, full=full, left=full, upbeat=full, start=full,
            pickup=0, repeat=repeat,
        )  # fmt: skip

    # -- sounds -----------------------------------------------------------------------------------

    def _ready(self, state: State) -> State | None:
        """The state in which another sound may begin; ``None`` if there is no room for one."""
        settled = self.settled(state)
        if settled is None or not Phase.KEY <= settled.phase <= Phase.TIED:
            return None
        if settled.phase in (Phase.LAST, Phase.CHORD) or settled.ending == Ending.BETWEEN:
            return None
        has_room = settled.left or not settled.full or settled.group or settled.twin
        return settled if has_room else None

    def settled(self, state: State) -> State | None:
        """The state if no duration follows the last sound; ``None`` if one must."""
        return state if state.phase != Phase.SOUND else self.timed(state, UNIT)

    def timed(self, state: State, cells: int, broken: bool = False) -> State | None:
        """The state once the last sound has its length; ``None`` if that length does not fit."""
        if state.twin:
            if broken or cells != state.twin:
                return None
            left = state.left
        elif state.group_length:
            if cells != state.group_length:
                return None
            left = state.left
        else:
            # The first note decides: time of the whole tuplet, or of both notes of a broken pair.
            p, q = state.ratio
            remaining = self._left_after(state, cells * q * (state.group or 1 + broken), p)
            if remaining is None:
                return None
            left = remaining
        if broken and state.group == 1:  # a pair must not extend beyond its tuplet
            return None
        if not state.sounded and state.full and not left:  # nothing but rests in the first bar
            return None
        group = max(state.group - 1, 0)
        return state._replace(
            phase=Phase.TIMED,
            left=left,
            twin=cells if broken else 0,
            group=group,
            group_length=cells if group else 0,
            ratio=state.ratio if group else (1, 1),
            last=None if broken else state.last,
        )

    def _pitch(self, state: State, value: Pitch) -> State | None:
        name = (value.letter, value.octave)
        if state.phase == Phase.CHORD:
            if name in state.chord or len(state.chord) == CHORD_SIZE:
                return None
            return state._replace(chord=tuple(sorted((*state.chord, name))))
        ready = self._ready(state)
        if ready is None or (ready.held is not None and not continues(ready.held, value)):
            return None
        return ready._replace(phase=Phase.SOUND, sounded=True, last=value, held=None)

    def _rest(self, state: State, value: str) -> State | None:  # noqa: ARG002
        ready = self._ready(state)
        if ready is None or ready.held is not None:
            return None
        if not ready.sounded and (ready.group or ready.twin):
            return None
        return ready._replace(phase=Phase.SOUND, last=None)

    def _open(self, state: State, value: str) -> State | None:  # noqa: ARG002
        ready = self._ready(state)
        if ready is None or ready.held is not None or "close" not in self.kinds:
            return None
        if ready.group and ready.group_length != UNIT:  # abc2midi misreads their lengths
            return None
        return ready._replace(phase=Phase.CHORD, last=None)

    def _close_chord(self, state: State, value: str) -> State | None:  # noqa: ARG002
        if state.phase != Phase.CHORD or not state.chord:
            return None
        return state._replace(phase=Phase.SOUND, sounded=True, chord=())

    def _duration(self, state: State, value: tuple[int, str]) -> State | None:
        cells, broken = value
        if state.phase != Phase.SOUND or not cells or (broken and cells not in self.lengths):
            return None
        return self.timed(state, cells, bool(broken))

    def _tuplet(self, state: State, value: tuple[int, ...]) -> State | None:
        ready = self._ready(state)
        if ready is None or ready.group or ready.twin:
            return None
        p, *rest = value
        q, r = rest or (default_q(p, state.meter), p)
        if not any(self._left_after(ready, cells * q * r, p) is not None for cells in self.lengths):
            return None
        return ready._replace(phase=Phase.TUPLET, group=r, ratio=(p, q), last=None)

    def _left_after(self, state: State, cells: int, parts: int = 1) -> int | None:
        """Cells missing from the bar after ``cells / parts``; ``None`` if they cannot be filled."""
        whole, rest = divmod(cells, parts)
        left = state.left - whole if state.full else 0
        return None if rest or left < 0 or self.fill[left] >= NEVER else left

    def _tie(self, state: State, value: str) -> State | None:  # noqa: ARG002
        settled = self.settled(state)
        if settled is None or settled.phase != Phase.TIMED or settled.last is None:
            return None
        return settled._replace(phase=Phase.TIED, held=settled.last, last=None)

    # -- signs ------------------------------------------------------------------------------------

    def _music(self, state: State) -> State | None:
        """The state if the music is complete, so that a bar sign may follow; else ``None``."""
        settled = self.settled(state)
        if settled is None or settled.phase not in (Phase.TIMED, Phase.TIED):
            return None
        if settled.group or settled.twin or not settled.sounded:
            return None
        return settled._replace(last=None)

    def _bar(self, state: State, value: None) -> State | None:  # noqa: ARG002
        music = self._music(state)
        if music is None:
            return None
        whole = music._replace(phase=Phase.BAR, left=music.full, split=False)
        if not music.full:
            return whole
        if not music.upbeat:  # the first bar sign: what precedes it is the upbeat, or a whole bar
            upbeat = music.full - music.left
            if not self._divides(music, upbeat):
                return None
            phase = Phase.GOING if music.left else Phase.BAR
            return whole._replace(phase=phase, upbeat=upbeat, start=music.start or upbeat)
        if not music.left:
            return whole
        # The only short bar is the last: with the upbeat it makes a whole one.
        is_last = music.left == music.upbeat and music.is_closed and music.held is None
        return music._replace(phase=Phase.LAST) if is_last and not music.split else None

    def _repeat(self, state: State, value: None) -> State | None:  # noqa: ARG002
        if not state.is_closed or state.held is not None or ":|" not in self.signs:
            return None
        state = state._replace(repeat=Repeat.SIGN, ending=Ending.NONE, pickup=0)
        if state.phase in (Phase.KEY, Phase.CLOSED):  # the upbeat is not known yet
            start = state.left if state.phase == Phase.CLOSED else 0
            return state._replace(phase=Phase.GOING, start=start)
        music = self._music(state)
        if music is None:
            return None
        music = music._replace(phase=Phase.GOING)
        if not music.upbeat or not music.left:  # an upbeat that is not repeated ends here
            upbeat, full = music.upbeat or music.full - music.left, music.full
            pickup = upbeat if music.left else 0
            if music.split:  # it completes the bar of a short :|
                pickup = music.start if music.start < full else upbeat
            return music._replace(left=full, start=full, upbeat=upbeat, split=False, pickup=pickup)
        if music.split or not self._divides(music, music.left):
            return None
        return music._replace(start=music.left, split=True)

    def _close(self, state: State, value: None) -> State | None:  # noqa: ARG002
        music = self._music(state)
        if music is None or music.held is not None or music.repeat == Repeat.NOTHING:
            return None
        full, start = music.full, music.start or music.full
        left = start
        if full and music.left != start % full:
            if not music.left or music.left != music.pickup:
                return None
            left = music.left
        between = music.ending == Ending.FIRST
        return music._replace(
            phase=Phase.CLOSED,
            left=left,
            upbeat=music.upbeat or full,
            start=start,
            pickup=0,
            repeat=Repeat.NOTHING,
            ending=Ending.BETWEEN if between else Ending.NONE,
            split=left < full,
        )

    def _first_ending(self, state: State, value: None) -> State | None:  # noqa: ARG002
        music = self._music(state)
        if music is None or music.held is not None or music.left:
            return None
        if music.repeat == Repeat.NOTHING or music.ending != Ending.NONE:
            return None
        if not {":|", "|2"} <= self.signs:
            return None
        full = music.full
        whole = music._replace(phase=Phase.GOING, ending=Ending.FIRST, left=full, split=False)
        return whole._replace(upbeat=music.upbeat or full, start=music.start or full)

    def _second_ending(self, state: State, value: None) -> State | None:  # noqa: ARG002
        if state.ending != Ending.BETWEEN:
            return None
        return state._replace(phase=Phase.GOING, ending=Ending.SECOND, left=state.full, split=False)

    def _divides(self, state: State, part: int) -> bool:
        """Whether both parts of a bar can be filled with plain notes."""
        return max(self.fill[part], self.fill[state.full - part]) < NEVER

    def _end(self, state: State, value: None) -> State | None:  # noqa: ARG002
        return State(Phase.END) if state.can_end else None


def continues(held: Pitch, pitch: Pitch) -> bool:
    """Whether a pitch continues a tied note; the tie carries its accidental."""
    alike = (held.letter, held.octave) == (pitch.letter, pitch.octave)
    return alike and pitch.accidental in (None, held.accidental)
