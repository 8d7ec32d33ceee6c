"""The first bars of a tune."""

from collections.abc import Sequence
from fractions import Fraction

from symbotunes.music.abc.phrases import parse_tokens, sounding_eighths
from symbotunes.music.abc.tokens import kind


def first_bars(tokens: Sequence[str], bars: int) -> list[str]:
    """Meter, key, an upbeat if there is one, and so many bars, up to the sign that closes them.

    The two parts of a bar that a repeat splits are one; without meter, bar signs are counted.

    Args:
        tokens: of a tune.
        bars: at least 1; the upbeat is none of them.

    Raises:
        ValueError: if the tune has fewer.
    """
    full = parse_tokens(tokens).bar_eighths
    found, begun, last = 0, Fraction(0), Fraction(0)  # bars, where this one begins, last sign
    for index, token in enumerate(tokens):
        if kind(token) != "bar":
            continue
        now = sum(sounding_eighths(parse_tokens(tokens[: index + 1]).items), Fraction(0))
        if not last and full is not None and now < full:
            begun = now  # an upbeat
        elif now > last and (full is None or now - begun >= full):
            found += 1
            begun = now
        last = now
        if found == bars:
            return list(tokens[: index + 1])
    raise ValueError(f"the tune has {found} full bars, fewer than {bars}")
