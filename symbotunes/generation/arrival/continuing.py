"""Continuations of events, as any model of sequences continues tokens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from symbotunes.errors import require_whole_number
from symbotunes.generation.arrival.drawing import EventSettings, generated, write_tasks
from symbotunes.generation.arrival.tasks import continuation, require_positive
from symbotunes.generation.sequences.generate import Generated
from symbotunes.models.base import SequenceModel
from symbotunes.music.arrival.anticipation import padded, without_rests
from symbotunes.music.arrival.clock import unwrapped, wrapped
from symbotunes.music.arrival.triplets import parsed
from symbotunes.music.arrival.vocabulary import UNITS_PER_SECOND, Triplets, times


@dataclass(frozen=True)
class Timing:
    """When a continuation begins and ends.

    Attributes:
        until: seconds at which the prompt ends; ``None``: with its last note.
        seconds: how much is written; ``None``: as many tokens as the settings allow.
    """

    until: float | None = None
    seconds: float | None = None


def check_timing(seconds: float | None, until: float | None, slide: int | None) -> None:
    """Check settings of a plan.

    Raises:
        UserError: if one is out of range.
    """
    require_positive("sample.seconds", seconds)
    require_positive("sample.until", until)
    require_whole_number("sample.slide", slide, optional=True)


def continued(
    net: SequenceModel,
    prompt: Sequence[int],
    settings: EventSettings,
    seeds: Sequence[int],
    *,
    span: Timing,
    on_step: Callable[[int], None] | None = None,
) -> list[Generated]:
    """Continue events once for each seed.

    Args:
        net: a transformer of arrival times.
        prompt: ids of triplets, as the tokenizer gives them.
        settings: how events are sampled.
        seeds: of the random numbers.
        span: from when on, and how much.
        on_step: called with the number of tokens of a piece so far.

    Raises:
        UserError: if the network is not a transformer, or gives NaN.
    """
    triplets, _ = parsed(np.array(prompt, np.int64))
    before = without_rests(unwrapped(triplets))
    last = int(times(before).max()) if len(before) else 0
    start = last if span.until is None else max(last, round(span.until * UNITS_PER_SECOND))
    task = continuation(before, start, span.seconds)
    written = write_tasks(net, task, settings, seeds, on_step)
    return [generated(task, piece) for piece in written]


def ids_of(events: Triplets) -> list[int]:
    """Events as the tokenizer gives them."""
    return [int(index) for index in wrapped(padded(events)).flatten()]
