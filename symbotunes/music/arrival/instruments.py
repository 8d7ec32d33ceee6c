"""Some of the instruments of arrival times: their names in settings, and their ids."""

from collections.abc import Collection, Sequence
from typing import Any

from symbotunes.errors import UserError
from symbotunes.music.arrival.vocabulary import (
    CONTROL,
    CONTROL_NOTE,
    DRUMS,
    NOTE,
    PITCHES,
    REST,
    SEPARATOR,
    SIZE,
)


def read_instruments(key: str, value: Sequence[Any] | None) -> frozenset[int] | None:
    """Instruments by their numbers; ``None`` if they are not set.

    Raises:
        UserError: if one is not an instrument.
    """
    if value is None:
        return None
    wanted = set()
    for entry in value:
        number = DRUMS if entry == "drums" else entry
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= DRUMS:
            raise UserError(f"{key}: {entry} must be a General MIDI program, 0 to 127, or drums")
        wanted.add(number)
    if not wanted:
        raise UserError(f"{key}=[]: name at least one instrument")
    return frozenset(wanted)


def instrument_names(instruments: Collection[int]) -> str:
    """Instruments as `read_instruments` reads them, in order."""
    names = ["drums" if number == DRUMS else str(number) for number in sorted(instruments)]
    return ", ".join(names)


def notes_of(instrument: int) -> range:
    """The ids of an instrument's notes; the one of a rest for the number above drums."""
    start = NOTE + PITCHES * instrument
    return range(start, min(start + PITCHES, REST + 1))


def ids_of(instruments: Collection[int]) -> tuple[range, ...]:
    """Ranges of all ids of music for these instruments alone, in order."""
    notes = [notes_of(number) for number in sorted(instruments)]
    controls = [range(part.start + CONTROL, part.stop + CONTROL) for part in notes]
    return (
        range(NOTE),  # times and durations
        *notes,
        range(REST, REST + 1),
        range(CONTROL, CONTROL_NOTE),
        *controls,
        range(SEPARATOR, SIZE),
    )
