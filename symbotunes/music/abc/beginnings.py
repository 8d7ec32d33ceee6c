"""The first bars of a tune."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from symbotunes.music.abc.phrases import parse_tokens, sounding_eighths
from symbotunes.music.abc.tokens import Bar, Phrase, kind


def first_bars(tokens: Sequence[str], bars: int) -> list[str]:
    """Meter, key, an upbeat if there is one, and a number of bars, up to the sign that closes them.

    The two parts of a bar that a repeat splits count as one; without meter, bar signs are counted.

    Args:
        tokens: of a tune.
        bars: at least 1, not counting the upbeat.

    Raises:
        ValueError: if the tune has fewer.
    """
    phrase = parse_tokens(tokens)
    full = phrase.bar_eighths
    count, begun, last = 0, Fraction(0), Fraction(0)  # bars, where this one begins, last sign
    signs = [index for index, token in enumerate(tokens) if kind(token) == "bar"]
    for index, now in zip(signs, _bar_onsets(phrase), strict=True):
        if not last and full is not None and now < full:
            begun = now  # an upbeat
        elif now > last and (full is None or now - begun >= full):
            count += 1
            begun = now
        last = now
        if count == bars:
            return list(tokens[: index + 1])
    raise ValueError(f"the tune has {count} full bars, fewer than {bars}")


def _bar_onsets(phrase: Phrase) -> Iterator[Fraction]:
    """Eighths from the beginning to every bar sign; parsing keeps all bar tokens.

    What a bar sign cuts short is repaired in the same way whether the tune continues after it or
    not, so the whole phrase gives the length of each of its beginnings.
    """
    now = Fraction(0)
    for item, length in zip(phrase.items, sounding_eighths(phrase.items), strict=True):
        if isinstance(item, Bar):
            yield now
        now += length
