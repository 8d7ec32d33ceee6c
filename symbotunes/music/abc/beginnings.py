"""The first bars of a tune, others that are named, and where bars are."""

from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction
from itertools import takewhile

from symbotunes.music.abc.phrases import parse_tokens, sounding_eighths
from symbotunes.music.abc.tokens import NOT_MUSIC, Bar, Change, Phrase, bar_eighths, kind
from symbotunes.music.excerpt import Excerpt


def first_bars(tokens: Sequence[str], bars: int) -> list[str]:
    """Meter, key, an upbeat if there is one, and a number of bars, up to the sign that closes them.

    The two parts of a bar that a repeat splits count as one; without meter, bar signs are counted.

    Args:
        tokens: of a tune.
        bars: at least 1, not counting the upbeat.

    Raises:
        ValueError: if the tune has fewer.
    """
    count = 0
    for count, end in _bar_ends(tokens):
        if count == bars:
            return list(tokens[:end])
    raise ValueError(f"the tune has {count} full bars, fewer than {bars}")


def chosen_bars(tokens: Sequence[str], bars: Excerpt) -> list[str]:
    """Meter, key, and some bars, numbered as engraved: an upbeat is bar 0, repeats are signs.

    Args:
        tokens: of a tune.
        bars: in the order in which they are wanted.

    Raises:
        ValueError: naming a bar that the tune does not have.
    """
    ends = dict(_bar_ends(tokens))
    head = _count_of(tokens, ("meter", "key"))
    first, last = min(ends, default=1), max(ends, default=0)
    chosen: list[str] = []
    settings: list[str] = []  # meter and key in force at the end
    for numbers in bars:
        for number in (numbers[0], numbers[-1]):
            if not first <= number <= last:
                raise ValueError(f"the tune has bars {first} to {last}, no bar {number}")
        begin, end = ends.get(numbers[0] - 1, head), ends[numbers[-1]]
        music = begin + _count_of(tokens[begin:], ("meter", "key", "bar"))
        signs = [token for token in tokens[begin:music] if kind(token) == "bar"]
        changes = [token for token in _in_force(tokens[:music]) if token not in settings]
        chosen += [*signs, *changes] if chosen else [*changes, *signs]
        chosen += tokens[music:end]
        settings = _in_force(tokens[:end])
    return chosen


def stretches_by_bar(tokens: Sequence[str]) -> dict[int, list[int]]:
    """Which stretches of music between signs each bar consists of.

    Bars are numbered as engraved, 0 for an upbeat; a repeat sign splits one into two stretches. A
    short bar at the end, which an upbeat completes, has a number, too.

    Args:
        tokens: of a tune.

    Returns:
        For every bar the numbers of its stretches, counted from 0.
    """
    ends = list(_bar_ends(tokens))
    beyond = ends[-1][0] + 1 if ends else 1
    bars: dict[int, list[int]] = {}
    for stretch, begin in enumerate(_stretch_starts(tokens)):
        bar = next((number for number, end in ends if begin < end), beyond)
        bars.setdefault(bar, []).append(stretch)
    return bars


def bar_at(tokens: Sequence[str], index: int) -> int:
    """The number of the bar in which a token stands, or which the token closes."""
    begun = sum(start <= index for start in _stretch_starts(tokens))
    bars = stretches_by_bar(tokens)
    return next((bar for bar, stretches in bars.items() if begun - 1 in stretches), min(bars))


def _stretch_starts(tokens: Sequence[str]) -> list[int]:
    """Where music begins after a sign."""
    signs = [True, *(kind(token) in NOT_MUSIC for token in tokens)]
    return [
        index
        for index, (before, here) in enumerate(zip(signs, signs[1:], strict=False))
        if before and not here
    ]


def _count_of(tokens: Sequence[str], kinds: Collection[str]) -> int:
    """How many tokens at the beginning are of some kinds."""
    return sum(1 for _ in takewhile(lambda token: kind(token) in kinds, tokens))


def _in_force(tokens: Sequence[str]) -> list[str]:
    """The last meter and the last key, if there are any."""
    last = {kind(token): token for token in tokens if kind(token) in ("meter", "key")}
    return [last[name] for name in ("meter", "key") if name in last]


def _bar_ends(tokens: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The number of every bar, 0 for an upbeat, and the index after the sign that closes it."""
    phrase = parse_tokens(tokens, changes=True)
    count, begun, last = 0, Fraction(0), Fraction(0)  # bars, where this one begins, last sign
    signs = [index for index, token in enumerate(tokens) if kind(token) == "bar"]
    for index, (now, full) in zip(signs, _bar_onsets(phrase), strict=True):
        if tokens[index] == "|2" and now > begun:  # a first ending that an upbeat completes
            count += 1
            begun = now
            yield count, index + 1
        elif not last and full is not None and 0 < now < full:
            begun = now
            yield 0, index + 1
        elif now > last and (full is None or now - begun >= full):
            count += 1
            begun = now
            yield count, index + 1
        last = now


def _bar_onsets(phrase: Phrase) -> Iterator[tuple[Fraction, Fraction | None]]:
    """Eighths from the beginning to every bar sign, and those of a full bar there.

    Parsing keeps all bar tokens.

    What a bar sign cuts short is repaired in the same way whether the tune continues after it or
    not, so the whole phrase gives the length of each of its beginnings.
    """
    now, full = Fraction(0), phrase.bar_eighths
    for item, length in zip(phrase.items, sounding_eighths(phrase.items), strict=True):
        if isinstance(item, Bar):
            yield now, full
        elif isinstance(item, Change) and item.meter is not None:
            full = bar_eighths(item.meter)
        now += length
