"""Choosing a tune of a book."""

from collections.abc import Sequence
from difflib import get_close_matches

from symbotunes.music.abc.tune import AbcTune


def tunes_named(tunes: Sequence[AbcTune], wanted: int | str | None) -> Sequence[AbcTune]:
    """The tunes that a number or title may mean, the likeliest first; all for ``None``.

    Args:
        tunes: of one file, in order.
        wanted: the place of a tune, counted from 1, or its title in any case; a part of it
            suffices if no whole title is the same.

    Raises:
        ValueError: if there is no such tune, or if there are several with that title.
    """
    if wanted is None:
        return tunes
    if isinstance(wanted, str) and not wanted.strip().isdecimal():
        return [_titled(tunes, wanted)]
    number = int(wanted)
    if not 1 <= number <= len(tunes):
        raise ValueError(f"there is no tune {number}; the file has tunes 1 to {len(tunes)}")
    return [tunes[number - 1]]


def _titled(tunes: Sequence[AbcTune], title: str) -> AbcTune:
    wanted = title.strip().casefold()
    titles = [tune.title.casefold() for tune in tunes]
    matches = [number for number, other in enumerate(titles) if other == wanted]
    matches = matches or [number for number, other in enumerate(titles) if wanted in other]
    if len(matches) > 1:
        numbers = ", ".join(str(number + 1) for number in matches[:5])
        raise ValueError(f'"{title}" is the title of tunes {numbers}; give a number')
    if not matches:
        near = get_close_matches(wanted, titles, n=1)
        hint = f'; the nearest is "{tunes[titles.index(near[0])].title}"' if near else ""
        raise ValueError(f'there is no tune titled "{title}"{hint}')
    return tunes[matches[0]]
