"""The exception that is shown to users as one line instead of a traceback."""

import os
import sys
import traceback
from collections.abc import Iterable
from difflib import get_close_matches

LISTED = 40  # choices that a line may list
DIVERGED = (
    "the network gives NaN instead of probabilities: its training has diverged; use an earlier "
    "checkpoint, or train with a lower model.optimizer.lr"
)


class UserError(ValueError):
    """An error that the user can fix; the message is one line that says what to do."""


def first_line(error: BaseException) -> str:
    """What an exception says, in one line: its message may be empty or have many."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def nearest(name: str, choices: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The choice that is spelled most like a name, whatever its case, or ``None``.

    Args:
        name: what was written.
        choices: what could have been meant.
        cutoff: least likeness, from 0 to 1, as difflib measures it.
    """
    by_spelling = {choice.lower(): choice for choice in choices}
    written = name.lower()
    # Two letters in the wrong order, such as modle, come first.
    swapped = [spelling for spelling in by_spelling if sorted(spelling) == sorted(written)]
    close = swapped or get_close_matches(written, by_spelling, n=1, cutoff=cutoff)
    return by_spelling[close[0]] if close else None


def nearest_key(key: str, keys: Iterable[str]) -> str | None:
    """The dotted key that is spelled most like another one, or ``None``.

    Every part must be near by itself: ``sample.form`` and ``sample.out`` are alike only in what
    both begin with.
    """
    parts = key.split(".")
    near = [
        name
        for name in keys
        if len(others := name.split(".")) == len(parts)
        and all(nearest(part, [other]) for part, other in zip(parts, others, strict=True))
    ]
    return nearest(key, near)


def did_you_mean(name: str, choices: Iterable[str], *, prefix: str = "") -> str:
    """``; did you mean X?`` if a choice is near, else the list of choices, if it is short.

    Args:
        name: what was written, without the prefix.
        choices: what could have been meant, without it.
        prefix: begins every choice that is shown.
    """
    names = list(choices)
    has_keys = any("." in choice for choice in names)
    meant = nearest_key(name, names) if has_keys else nearest(name, names)
    if meant is not None:
        return f"; did you mean {prefix}{meant}?"
    listed = ", ".join(f"{prefix}{choice}" for choice in names)
    return f"; choose one of {listed}" if 0 < len(names) <= LISTED else ""


def require_whole_number(
    name: str, value: object, *, least: int = 1, optional: bool = False
) -> None:
    """Refuse a setting that is not a whole number, or too small a one.

    Args:
        name: of the setting, as its user writes it.
        value: what it was set to; ``True`` is no number here.
        least: the smallest number allowed.
        optional: whether ``None`` is allowed too.

    Raises:
        UserError: naming the setting and its value.
    """
    if value is None and optional:
        return
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        null = ", or null" if optional else ""
        raise UserError(f"{name}={value}: must be a whole number of at least {least}{null}")


def user_error(error: BaseException | None) -> UserError | None:
    """The `UserError` among an exception and its causes; Hydra wraps constructors' exceptions."""
    while error is not None:
        if isinstance(error, UserError):
            return error
        error = error.__cause__
    return None


def print_error(error: BaseException, line: str) -> int:
    """Print an error's line, and its traceback if ``SYMBOTUNES_DEBUG=1``; returns exit status 2."""
    if os.environ.get("SYMBOTUNES_DEBUG") == "1":
        traceback.print_exception(error)
    print(f"error: {line}", file=sys.stderr)
    return 2
