"""Pieces of a network that writes arrival times: one for each seed."""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch

from symbotunes.errors import UserError
from symbotunes.generation.arrival.grammar import EventGrammar
from symbotunes.generation.arrival.lockstep import LockstepReader
from symbotunes.generation.arrival.sampler import (
    Draw,
    Task,
    Written,
    write_events,
    write_together,
    writing,
)
from symbotunes.generation.arrival.window import (
    SLIDE,
    CachedReader,
    Reader,
    Window,
    most_triplets,
)
from symbotunes.generation.given import NoteKey
from symbotunes.generation.sequences.generate import Generated
from symbotunes.generation.sequences.settings import Settings
from symbotunes.models.base import SequenceModel
from symbotunes.music.arrival.anticipation import padded
from symbotunes.music.arrival.clock import wrapped
from symbotunes.music.arrival.instruments import instrument_names, notes_of
from symbotunes.music.arrival.vocabulary import (
    INSTRUMENTS,
    TRIPLET,
    UNITS_PER_SECOND,
    as_events,
    instruments,
    pitches,
    times,
)
from symbotunes.music.arrival.writing import TICKS_PER_UNIT

DENSEST = 100  # events per second up to which music of a given length is written to its end


@dataclass(frozen=True)
class EventSettings:
    """How events are sampled.

    Attributes:
        sampling: how their tokens are.
        slide: triplets that leave a full window at once; ``None``: a quarter of it.
        grammar: which ids may follow.
        batch_size: pieces that are written together.
    """

    sampling: Settings
    slide: int | None = None
    grammar: EventGrammar = EventGrammar()
    batch_size: int = 64

    def __post_init__(self) -> None:
        if self.sampling.repetition_penalty != 1:
            raise UserError(
                f"sample.repetition_penalty={self.sampling.repetition_penalty}: must be 1 for a "
                "model of arrival times, whose tokens are times and durations as well"
            )

    def window(self, context: int) -> Window:
        """An empty window for a model of this context."""
        most = most_triplets(context)
        slide = max(1, most * SLIDE // 339) if self.slide is None else self.slide
        return Window(most, slide, self.grammar.span)

    def lasting(self, units: int) -> "EventSettings":
        """The same for music of a given length, whose tokens are limited only by that."""
        needed = TRIPLET * DENSEST * -(-units // UNITS_PER_SECOND)
        limit = max(self.sampling.max_tokens, needed)
        return replace(self, sampling=replace(self.sampling, max_tokens=limit))


def write_tasks(
    net: SequenceModel,
    task: Task,
    settings: EventSettings,
    seeds: Sequence[int],
    on_step: Callable[[int], None] | None = None,
) -> list[Written]:
    """Write the events of a task once for each seed.

    Args:
        net: a transformer, in any mode; it is sampled without dropout.
        task: what is given, and from when to when music is written.
        settings: how.
        seeds: of the random numbers.
        on_step: called with the number of tokens of a piece so far.

    Raises:
        UserError: if the network is not a transformer, does not know an instrument, or gives NaN.
    """
    if net.context is None or not hasattr(net, "rewound"):
        raise UserError(
            f"{type(net).__name__} cannot write arrival times, whose window is read again when it "
            "moves: choose a transformer, such as model=amt_small"
        )
    _check_instruments(net, task, settings.grammar.only or frozenset())
    if task.end is not None:
        settings = settings.lasting(task.end - task.start)
    was_training = net.training
    net.train(False)
    try:
        with torch.inference_mode():
            return _written(cast("Reader", net), task, settings, seeds, on_step)
    finally:
        net.train(was_training)


def _written(
    net: Reader,
    task: Task,
    settings: EventSettings,
    seeds: Sequence[int],
    on_step: Callable[[int], None] | None,
) -> list[Written]:
    """The pieces of all seeds; together, unless each gets controls at times of its own."""
    context = cast("SequenceModel", net).context or 0

    def parts(seed: int) -> tuple[Task, Draw, Window]:
        draws = Draw(settings.grammar, settings.sampling, _uniforms(seed))
        return task, draws, settings.window(context)

    if len(task.given) or len(seeds) == 1:
        reader = CachedReader(net)
        return [write_events(reader, *parts(seed), on_step) for seed in seeds]
    written: list[Written] = []
    for first in range(0, len(seeds), settings.batch_size):
        pieces = [writing(*parts(seed), on_step) for seed in seeds[first:][: settings.batch_size]]
        written += write_together(LockstepReader(net, len(pieces)), pieces)
    return written


def _check_instruments(net: SequenceModel, task: Task, wanted: Set[int]) -> None:
    """See that the network knows the instruments that are given or asked for."""
    given = instruments(np.concatenate([task.before, task.given])).tolist()
    unknown = {number for number in {*given, *wanted} if not net.knows(notes_of(number).start)}
    if unknown:
        known = [number for number in range(INSTRUMENTS) if net.knows(notes_of(number).start)]
        raise UserError(
            f"the model has not learned instruments {instrument_names(unknown)} (General MIDI "
            f"programs from 0): it knows {instrument_names(known)}"
        )


def _uniforms(seed: int) -> Callable[[], float]:
    generator = torch.Generator().manual_seed(seed)
    return lambda: float(torch.rand((), generator=generator, dtype=torch.float64))


def generated(task: Task, written: Written) -> Generated:
    """The whole piece, what was given included, as ids that a tokenizer decodes."""
    music = np.concatenate([task.before, as_events(task.given), written.events])
    music = music[np.argsort(times(music), kind="stable")]
    return Generated(
        ids=wrapped(padded(music)).flatten().tolist(),
        prompt_length=TRIPLET * len(padded(task.before)),
        nll_nats=written.nll_nats,
        count=written.count,
        finished=written.finished,
        given=given_in(task),
    )


def given_in(task: Task) -> frozenset[NoteKey]:
    """The notes of a task that are given, as a score has them."""
    events = np.concatenate([task.before, as_events(task.given)])
    columns = times(events) * TICKS_PER_UNIT, pitches(events), instruments(events)
    return frozenset(zip(*(column.tolist() for column in columns), strict=True))
