"""The form of a tune: how many bars it has, and which of its strains are repeated."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

MOST_BARS = 96  # more than tunes have; the lookahead goes through one bar after another
_PART = re.compile(r"([A-Z])(\1|[a-z])?([0-9]+)?")


@dataclass(frozen=True)
class Strain:
    """A part of a tune.

    Attributes:
        bars: how many it has when it is played once; an upbeat is not counted.
        repeated: whether it is played twice.
        endings: whether the second time ends otherwise.
    """

    bars: int
    repeated: bool = False
    endings: bool = False

    @property
    def longest_ending(self) -> int:
        """Bars of an ending, at most."""
        return max(1, self.bars // 4)


@dataclass(frozen=True)
class Outline:
    """What is asked of the bars of a tune, counted as engraved.

    An upbeat is not counted, and the parts of a bar that a repeat sign splits are one bar; repeats
    are not written out.

    Attributes:
        name: for people, such as ``sample.form=AABB``.
        least: fewest bars of the tune, if it has no form.
        most: most bars, if it has no form.
        strains: in order; empty for any form.
    """

    name: str
    least: int = 0
    most: int = 0
    strains: tuple[Strain, ...] = ()

    @property
    def fact(self) -> tuple[str, str]:
        """What is asked, and its value, for people."""
        key, _, value = self.name.removeprefix("sample.").partition("=")
        return {"max_bars": "bars at most", "num_bars": "bars"}.get(key, key), value

    @property
    def is_limit(self) -> bool:
        """Whether all it says is how many bars a tune has at most."""
        return not self.least and not self.strains


def read_form(text: str, num_bars: int | None = None) -> tuple[Strain, ...]:
    """The strains that letters stand for.

    ``AABB``: two strains, each repeated. ``AaB``: the first is repeated with an ending of its own.
    A number after a strain says how many bars it has when played once, as in ``AA8B16``.

    Args:
        text: letters and numbers.
        num_bars: of all strains, each played once, which is shared equally among those that have no
            number of their own; ``None``: such strains have 8 bars.

    Raises:
        ValueError: if it is not a form, or the numbers do not agree.
    """
    parts = [(match[1], match[2] or "", match[3]) for match in _PART.finditer(text)]
    letters = [letter for letter, _, _ in parts]
    if "".join(f"{letter}{again}{bars or ''}" for letter, again, bars in parts) != text or not text:
        raise ValueError("must be letters such as AABB, with numbers of bars such as AA8B16")
    for letter, again, _ in parts:
        if again.islower() and again.upper() != letter:
            raise ValueError(
                f"{again} is the second ending of a strain: write {again.upper()}{again}"
            )
    for letter, after in zip(letters, letters[1:], strict=False):
        if letter == after:
            raise ValueError(f"{letter} is played more than twice")
    if len(set(letters)) < len(letters):
        raise ValueError("a strain cannot return after another one: give it a letter of its own")
    return _with_bars(parts, num_bars)


def _with_bars(
    parts: Sequence[tuple[str, str, str | None]], num_bars: int | None
) -> tuple[Strain, ...]:
    given = [int(bars) for _, _, bars in parts if bars]
    unknown = len(parts) - len(given)
    share, rest = 8, 0
    if num_bars is not None and unknown:
        share, rest = divmod(num_bars - sum(given), unknown)
    elif num_bars is not None:
        rest = num_bars - sum(given)
    strains = []
    for _, again, bars in parts:
        count = int(bars) if bars else share
        strains.append(Strain(count, bool(again), again.islower()))
    total = sum(strain.bars for strain in strains)
    if "0" in {bars.strip("0") or "0" for _, _, bars in parts if bars}:
        raise ValueError("its strains need at least 1 bar each")
    if rest or min(strain.bars for strain in strains) < 1:
        raise ValueError(f"its strains cannot have num_bars={num_bars} bars together")
    for strain in strains:
        if strain.endings and strain.bars < 2:
            raise ValueError("a strain with two endings needs at least 2 bars")
    if total > MOST_BARS:
        raise ValueError(f"it has {total} bars, at most {MOST_BARS} can be asked for")
    return tuple(strains)
