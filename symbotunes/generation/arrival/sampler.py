"""The loop that writes events, with music that is given among them.

Thickstun et al. 2023, https://arxiv.org/abs/2306.08620, section 3.3 and the authors' ``sample.py``,
which reads the whole window three times for every event. Here keys and values are kept.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from symbotunes.errors import DIVERGED, UserError
from symbotunes.generation.arrival.grammar import EventGrammar
from symbotunes.generation.arrival.lockstep import LockstepReader
from symbotunes.generation.arrival.window import CachedReader, Triplet, Window, time_of
from symbotunes.generation.sequences.filters import restrict
from symbotunes.generation.sequences.settings import Settings
from symbotunes.models.layers.drawing import draw
from symbotunes.music.arrival.anticipation import anticipated, padded
from symbotunes.music.arrival.vocabulary import (
    ANTICIPATE,
    ANTICIPATION,
    AUTOREGRESS,
    CONTROL_NOTE,
    NOTE,
    PITCHES,
    TRIPLET,
    Triplets,
    is_rest,
    times,
)


@dataclass(frozen=True)
class Task:
    """What is given, and from when to when music is written around it.

    Attributes:
        before: ``[N, 3]`` events up to `start`, in order of time, without rests.
        given: ``[M, 3]`` controls, in order of time.
        start: units; nothing is written before.
        end: units; nothing is written from then on; ``None``: until enough tokens are written.
        lead: units by which controls are given before their time, while events are written.
    """

    before: Triplets
    given: Triplets
    start: int
    end: int | None
    lead: int = ANTICIPATION


@dataclass
class Written:
    """The events that a model wrote.

    Attributes:
        events: ``[N, 3]`` in order, without rests and without what was given.
        nll_nats: negative log-likelihood of all tokens that it wrote, rests included, under the
            model's own distribution.
        count: number of these tokens.
        finished: whether the end was reached before `Settings.max_tokens`.
    """

    events: Triplets
    nll_nats: float
    count: int
    finished: bool


@dataclass
class Draw:
    """Chooses ids by a grammar, settings and random numbers of its own.

    Attributes:
        grammar: which ids may follow.
        settings: how they are sampled.
        uniform: gives a random number in [0, 1).
        nll_nats: of the ids chosen since it was last set to 0.
    """

    grammar: EventGrammar
    settings: Settings
    uniform: Callable[[], float]
    nll_nats: float = 0.0

    def choose(self, logits: Tensor, allowed: Sequence[range]) -> int:
        """One of the allowed ids.

        Args:
            logits: ``[V]`` of the model.
            allowed: ranges of ids, in order.

        Raises:
            UserError: if the model gives NaN.
        """
        ids = torch.cat([torch.arange(part.start, part.stop) for part in allowed])
        settings = self.settings
        limited = restrict(
            logits[ids],
            temperature=settings.temperature,
            top_k=settings.top_k,
            top_p=settings.top_p,
            min_p=settings.min_p,
        )
        total = logits.logsumexp(-1)
        if total.isnan():
            raise UserError(DIVERGED)
        number = torch.tensor([self.uniform()], dtype=torch.float64)
        chosen = int(ids[draw(limited.softmax(-1)[None], number)[0]])
        self.nll_nats += float(total - logits[chosen])
        return chosen


@dataclass
class _Piece:
    """A piece while it is being written: its triplets, and the controls that wait."""

    window: Window
    waiting: list[Triplet]
    now: int  # time of the last event
    instruments: set[int]  # of all triplets and controls, those that wait and rests included

    def add(self, triplet: Triplet) -> None:
        self.window.triplets.append(triplet)
        self.instruments.add(instrument_of(triplet))

    def give(self, until: int) -> None:
        """Add the controls up to a time."""
        while self.waiting and time_of(self.waiting[0]) <= until:
            self.add(self.waiting.pop(0))


# A piece that is being written: yields ids, is sent the logits ``[V]`` after them, and returns.
Writing = Generator[list[int], Tensor, Written]


def write_events(
    reader: CachedReader,
    task: Task,
    draws: Draw,
    window: Window,
    on_step: Callable[[int], None] | None = None,
) -> Written:
    """Write the events of a task, until its end or until `Settings.max_tokens` are written.

    Args:
        reader: of the model.
        task: what is given, and from when to when.
        draws: chooses ids.
        window: an empty one.
        on_step: called with the number of tokens so far.

    Raises:
        UserError: if the model gives NaN.
    """
    piece = writing(task, draws, window, on_step)
    try:
        ids = next(piece)
        while True:
            ids = piece.send(reader.logits_after(ids))
    except StopIteration as end:
        written: Written = end.value
        return written


def write_together(reader: LockstepReader, pieces: Sequence[Writing]) -> list[Written]:
    """Write several pieces, each id of all before the next."""
    written: dict[int, Written] = {}
    logits: dict[int, Tensor | None] = dict.fromkeys(range(len(pieces)))
    while logits:
        wanted: dict[int, list[int]] = {}
        for number, row in logits.items():
            piece = pieces[number]
            try:
                wanted[number] = next(piece) if row is None else piece.send(row)
            except StopIteration as end:
                written[number] = end.value
        logits = dict(reader.logits_after(wanted))
    return [written[number] for number in range(len(pieces))]


def writing(
    task: Task, draws: Draw, window: Window, on_step: Callable[[int], None] | None = None
) -> Writing:
    """The same as `write_events`, apart from who reads."""
    piece = _begun(task, window)
    flag = ANTICIPATE if len(task.given) else AUTOREGRESS
    written: list[Triplet] = []
    nats, count, finished = 0.0, 0, False
    while count + TRIPLET <= draws.settings.max_tokens:
        piece.give(piece.now + task.lead)
        draws.nll_nats = 0.0
        event = yield from _next_event(draws, piece, flag, max(task.start, piece.now))
        if task.end is not None and event[0] >= task.end:
            finished = True
            break
        piece.add(event)
        piece.now = event[0]
        written.append(event)
        nats, count = nats + draws.nll_nats, count + TRIPLET
        if on_step is not None:
            on_step(count)
    triplets = np.array(written, np.int64).reshape(-1, TRIPLET)
    return Written(triplets[~is_rest(triplets)], nats, count, finished)


def _begun(task: Task, window: Window) -> _Piece:
    """A piece with what comes before the start, and the controls that belong there."""
    before = padded(task.before, task.start or None)
    sequence, waiting = anticipated(before, task.given)
    now = int(times(before).max()) if len(before) else 0
    given = {instrument_of(control) for control in _tuples(task.given)}
    piece = _Piece(window, _tuples(waiting), now, given)
    for triplet in _tuples(sequence):
        piece.add(triplet)
    return piece


def _next_event(
    draws: Draw, piece: _Piece, flag: int, earliest: int
) -> Generator[list[int], Tensor, Triplet]:
    """One more event; its time counts from the beginning of the piece."""
    window = piece.window
    window.settle()
    base = window.base
    ids = [flag, *window.ids]
    for slot in range(TRIPLET):
        allowed = draws.grammar.allowed(slot, earliest - base, piece.instruments)
        logits = yield list(ids)
        ids.append(draws.choose(logits, allowed))
    time, duration, note = ids[-TRIPLET:]
    return time + base, duration, note


def instrument_of(triplet: Triplet) -> int:
    """The instrument of an event or control; one more than drums for a rest."""
    note = triplet[2]
    return (note - (CONTROL_NOTE if note >= CONTROL_NOTE else NOTE)) // PITCHES


def _tuples(triplets: Triplets) -> list[Triplet]:
    return [(time, duration, note) for time, duration, note in triplets.tolist()]
