"""The instruments of General MIDI, by name or number."""

import re
from difflib import get_close_matches

from symbotunes.errors import UserError

PROGRAMS = 128
NEAREST = 3  # names that an error offers
_DIRECTIVE = re.compile(
    r"^%%MIDI[ \t]+program[ \t]+(?:[0-9]{1,2}[ \t]+)?([0-9]{1,3})[ \t]*$", re.MULTILINE
)


def program_of(setting: str, instrument: int | str) -> int:
    """The General MIDI program of an instrument, 0 to 127.

    Args:
        setting: name of the setting, for the error.
        instrument: a program, a name such as ``Acoustic Grand Piano``, or words of one such as
            ``piano``, which stand for the first instrument that has them.

    Raises:
        UserError: if there is no such instrument, naming those that are spelled most like it.
    """
    if str(instrument).isdecimal() and int(instrument) < PROGRAMS:
        return int(instrument)
    names = [_words(name) for name in instrument_names()]
    wanted = _words(str(instrument))
    if wanted in names:
        return names.index(wanted)
    having = (program for program, name in enumerate(names) if set(wanted) <= set(name))
    program = next(having, None) if wanted else None
    if program is None:
        raise UserError(
            f"{setting}={instrument}: must be a General MIDI program from 0 to {PROGRAMS - 1} or "
            f"the name of its instrument{_nearest(' '.join(wanted))}"
        )
    return program


def program_in(abc: str) -> int | None:
    """The program that the first ``%%MIDI program`` of a tune asks for; ``None`` if there is none.

    abc2midi also reads a channel before it.
    """
    match = _DIRECTIVE.search(abc)
    return int(match[1]) if match and int(match[1]) < PROGRAMS else None


def instrument_names() -> list[str]:
    """The names of all programs, from 0."""
    from pretty_midi.constants import INSTRUMENT_MAP  # which takes half a second to import

    return [str(name) for name in INSTRUMENT_MAP]


def _words(name: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[a-z0-9]+", name.lower()))


def _nearest(wanted: str) -> str:
    """The instruments whose names, or words of them, are spelled most like a name."""
    owners: dict[str, str] = {}  # spelling -> instrument
    for name in instrument_names():
        words = _words(name)
        for spelling in (" ".join(words), *words):
            owners.setdefault(spelling, name)
    close = get_close_matches(wanted, owners, n=NEAREST)
    names = dict.fromkeys(owners[spelling] for spelling in close)
    return f"; the nearest are {', '.join(names)}" if names else ""
