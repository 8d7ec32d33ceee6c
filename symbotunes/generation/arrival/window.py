"""What a model reads of a piece that is being written: its last triplets, with times from 0.

The keys and values of a transformer stay valid while triplets are added behind them. When the
window moves, all of its times change, and the whole of it is read again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from symbotunes.errors import UserError
from symbotunes.music.arrival.vocabulary import CONTROL, CONTROL_NOTE, TIME, TRIPLET

SLIDE = 85  # triplets that leave the window at once: a quarter of it
Triplet = tuple[int, int, int]  # time in units from the beginning of the piece, duration, note


class Reader(Protocol):
    """The methods of a transformer that are needed."""

    def parameters(self) -> Iterator[Tensor]: ...
    def start(self, batch_size: int) -> Any: ...
    def read(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]: ...
    def rewound(self, state: Any) -> Any: ...
    def chosen(self, state: Any, rows: list[int]) -> Any: ...


@dataclass
class Window:
    """The last triplets of a piece, whose length and span are limited.

    Attributes:
        most: triplets that it holds at most.
        slide: triplets that leave it together when it is full.
        span: units between its earliest and latest time, at most; ``None``: any number. When they
            are exceeded, as many triplets leave as bring it below the same share of them.
        triplets: of the whole piece.
        first: index of the first triplet in the window.
    """

    most: int
    slide: int
    span: int | None
    triplets: list[Triplet] = field(default_factory=list)
    first: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.slide <= self.most:
            raise UserError(f"sample.slide={self.slide}: must be from 1 to {self.most}")

    def settle(self) -> None:
        """Move the window if it has become too long."""
        if len(self.triplets) - self.first > self.most:
            self.first = len(self.triplets) - self.most + self.slide - 1
        if self.span is not None and self._span() > self.span:
            below = self.span - self.span * (self.slide - 1) // self.most
            while self.first < len(self.triplets) - 1 and self._span() > below:
                self.first += 1

    @property
    def base(self) -> int:
        """Units from the beginning of the piece to the earliest time in the window."""
        return min(self._times(), default=0)

    @property
    def ids(self) -> list[int]:
        """Of its triplets, with times from `base`."""
        base = self.base
        return [
            index
            for time, duration, note in self.triplets[self.first :]
            for index in (time - base, duration, note)
        ]

    def _span(self) -> int:
        times = self._times()
        return max(times) - min(times) if times else 0

    def _times(self) -> list[int]:
        return [time_of(triplet) for triplet in self.triplets[self.first :]]


def time_of(triplet: Triplet) -> int:
    """Units from the beginning of the piece, of an event or a control."""
    time, _, note = triplet
    return time - (CONTROL if note >= CONTROL_NOTE else TIME)


def most_triplets(context: int) -> int:
    """Triplets that fit into a context beside a flag and an event that is being written.

    Raises:
        UserError: if it is none.
    """
    most = (context - 1) // TRIPLET - 2
    if most < 1:
        raise UserError(
            f"a context of {context} tokens holds no events: model.net.context must be "
            f"at least {1 + 3 * TRIPLET}"
        )
    return most


class CachedReader:
    """Gives the logits after any ids, and reads only those that it has not read yet.

    Args:
        model: a transformer, in eval mode.
    """

    def __init__(self, model: Reader) -> None:
        self.model = model
        self.device = next(iter(model.parameters())).device
        self.state = model.start(1)
        self.ids: list[int] = []

    def logits_after(self, ids: Sequence[int]) -> Tensor:
        """Logits ``[V]`` in float64 on the CPU of the id after these, of which there are some."""
        known = len(self.ids)
        if known >= len(ids) or self.ids != list(ids[:known]):
            self.state = self.model.rewound(self.state)
            known = 0
        tokens = torch.tensor([ids[known:]], device=self.device)
        logits, self.state = self.model.read(tokens, self.state)
        self.ids = list(ids)
        return logits[0].cpu().double()
