"""Rests, and controls among events: what a piece becomes before a model reads it.

Thickstun et al. 2023, https://arxiv.org/abs/2306.08620, sections 3.1 to 3.3, as the authors'
``ops.py`` computes it. Times are those of whole pieces, see `clock` for those of excerpts.
"""

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.arrival.vocabulary import (
    ANTICIPATION,
    DURATION,
    REST,
    UNITS_PER_SECOND,
    Triplets,
    as_controls,
    is_control,
    is_rest,
    times,
)

DENSITY = UNITS_PER_SECOND  # units after which a rest is put in


def padded(events: Triplets, end: int | None = None, density: int = DENSITY) -> Triplets:
    """Events with rests, so that none is more than `density` units after the one before it.

    A model is told when it is by the events alone, so a control that lies in a silence could not be
    placed without rests. They lie `density` units apart from the last event on.

    Args:
        events: ``[N, 3]`` in order of time, without controls and rests.
        end: units up to which rests follow the last event; ``None``: there are none.
        density: units.
    """
    onsets = times(events)
    moments = onsets if end is None else np.append(onsets, end)
    if not len(moments):
        return events
    previous = np.append(0, moments)[:-1]
    rests = np.maximum(-(-(moments - previous) // density) - 1, 0)  # before each event, and the end
    places = np.repeat(np.arange(len(moments)), rests)
    number = np.arange(len(places)) - np.repeat(np.cumsum(rests) - rests, rests) + 1
    rested = previous[places] + density * number
    filling = np.stack([rested, np.full_like(rested, DURATION), np.full_like(rested, REST)], axis=1)
    return np.insert(events, places, filling, axis=0)


def without_rests(triplets: Triplets) -> Triplets:
    """All triplets but rests."""
    return triplets[~is_rest(triplets)]


def anticipated(
    events: Triplets, controls: Triplets, lead: int = ANTICIPATION
) -> tuple[Triplets, Triplets]:
    """Controls among events, each as soon as the event before is at most `lead` units earlier.

    A control comes after the first event of which ``time >= control - lead`` (before all events if
    it is within `lead` of 0), not before it: while a model writes, it knows the time of an event
    only once it is written.

    Args:
        events: ``[N, 3]`` in order of time, with rests.
        controls: ``[M, 3]`` in order of time.
        lead: units.

    Returns:
        The sequence, and the controls that no event is late enough for; none if rests go on to the
        end of the piece.
    """
    previous = np.append(0, times(events))[:-1] if len(events) else np.zeros(0, np.int64)
    places = np.searchsorted(previous + lead, times(controls))  # of the event before which each is
    left = places == len(events)
    return np.insert(events, places[~left], controls[~left], axis=0), controls[left]


def separated(triplets: Triplets) -> tuple[Triplets, Triplets]:
    """The events, without rests, and the controls of a sequence."""
    given = is_control(triplets)
    return without_rests(triplets[~given]), triplets[given]


def with_controls(events: Triplets, chosen: NDArray[np.bool_]) -> Triplets:
    """A piece of which some events are given: these as controls among the others and rests.

    Args:
        events: ``[N, 3]`` in order of time, without rests and controls.
        chosen: ``[N]`` which of them become controls.
    """
    plain = padded(events[~chosen], end=int(times(events).max(initial=0)))
    sequence, _ = anticipated(plain, as_controls(events[chosen]))
    return sequence
