"""The loop around a model that writes pieces token by token."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from symbotunes.errors import DIVERGED, UserError
from symbotunes.generation.given import NoteKey
from symbotunes.generation.sequences.filters import NOTHING, penalize, restrict
from symbotunes.generation.sequences.settings import Settings
from symbotunes.models.layers.drawing import draw
from symbotunes.tokenizers.base import NO_ID


class Stepper(Protocol):
    """The methods of a model that sampling needs.

    Two more methods are used if a model has them: ``read(tokens, state)`` reads ``[B, T]``
    tokens at once and returns what ``step`` would after the last; ``select(state, rows)`` returns
    the state of some of the pieces, ``rows`` being their indices ``[B']``.
    """

    training: bool

    def start(self, batch_size: int) -> Any: ...
    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]: ...
    def train(self, mode: bool = True) -> Any: ...


class Ids(Protocol):
    """The special ids that the loop needs."""

    @property
    def size(self) -> int: ...
    @property
    def bos(self) -> int: ...
    @property
    def eos(self) -> int: ...
    @property
    def first(self) -> int: ...


class Constraint(Protocol):
    """A grammar that samples must keep to.

    Two more methods are used if a grammar has them: ``redirected(logits, states, allowed)`` moves
    probability from forbidden tokens to allowed ones that stand for them; ``ended(ids, state)``
    returns the ids of a piece that ends at a state, some of them mended.
    """

    def begin(self, prompt: Sequence[int], max_tokens: int) -> Any:
        """The state after a prompt, which may be followed by this many tokens.

        Raises:
            ValueError: if the grammar does not allow the prompt, or the end is out of reach.
        """

    def advance(self, state: Any, token: int) -> Any:
        """The state after one more allowed token."""

    def allowed(self, states: Sequence[Any], left: Sequence[int]) -> Tensor:
        """Which tokens may follow, ``[B, V]`` bool, so that the tokens left suffice for an end."""


class Listener(Protocol):
    """What may be passed as `on_step` to see pieces grow; what it raises stops the sampling."""

    def __call__(self, done: int) -> None:
        """Called after every step with the number of tokens of the longest piece so far."""

    def wrote(self, pieces: Sequence[Sequence[int]]) -> None:
        """Called before that with the ids of every piece still being written, prompt included."""


@dataclass(frozen=True)
class Generated:
    """One piece that a model wrote.

    Attributes:
        ids: prompt and generated ids, without ``bos`` and ``eos``.
        prompt_length: how many of them are the prompt.
        nll_nats: negative log-likelihood of the generated tokens, ``eos`` included, under the
            model's own distribution, whatever temperature or restriction they were sampled with.
        count: number of generated tokens, ``eos`` included.
        finished: whether the model ended the piece itself.
        stuck: whether the constraint left no token to go on with.
        given: notes that a model of MIDI was given; ``None``: those of the prompt.
        masked: probability of the tokens that the constraint forbade under the model's own
            distribution, summed over the generated tokens.
    """

    ids: list[int]
    prompt_length: int
    nll_nats: float
    count: int
    finished: bool
    stuck: bool = False
    given: frozenset[NoteKey] | None = None
    masked: float = 0.0


class _Row:
    """One piece while it is being written."""

    def __init__(self, prompt: Sequence[int], seed: int, state: Any) -> None:
        self.ids = list(prompt)
        self.prompt_length = len(prompt)
        self.generator = torch.Generator().manual_seed(seed)
        self.state = state  # of the constraint, after the prompt and what was generated
        self.nll_nats = 0.0
        self.count = 0
        self.finished = False
        self.stuck = False
        self.masked = 0.0

    def uniform(self) -> float:
        return float(torch.rand((), generator=self.generator, dtype=torch.float64))

    def result(self) -> Generated:
        return Generated(
            self.ids, self.prompt_length, self.nll_nats, self.count, self.finished, self.stuck,
            masked=self.masked,
        )  # fmt: skip


def generate(
    model: Stepper,
    vocabulary: Ids,
    prompts: Sequence[Sequence[int]],
    settings: Settings,
    seeds: Sequence[int],
    *,
    constraint: Constraint | None = None,
    on_step: Callable[[int], None] | None = None,
) -> list[Generated]:
    """Continue each prompt until the model ends it or `settings.max_tokens` are written.

    The state is carried from token to token, so the cost grows linearly with length. Every piece
    has its own random numbers, so it does not depend on the others in the batch (up to the last
    bits of batched arithmetic). Neither torch's global generator nor the model's training
    mode changes.

    Args:
        model: in any mode; it is sampled without dropout.
        vocabulary: its ``bos`` and ``eos``, if it has them, and the id that comes first.
        prompts: ids without ``bos``; may be empty and of different lengths.
        settings: how tokens are sampled.
        seeds: one for each prompt.
        constraint: a grammar that every piece keeps to.
        on_step: called with the number of tokens of the longest piece so far; a `Listener` is shown
            them too.

    Raises:
        ValueError: if prompts and seeds differ in number, or the constraint forbids a prompt.
        UserError: if the model gives NaN.
    """
    rows = []
    for prompt, seed in zip(prompts, seeds, strict=True):
        state = constraint.begin(prompt, settings.max_tokens) if constraint else None
        rows.append(_Row(prompt, seed, state))
    was_training = model.training
    model.train(False)
    try:
        with torch.inference_mode():
            writer = _Writer(model, vocabulary, settings, constraint, on_step)
            for group in _groups(rows, vocabulary):
                writer.write(group)
    finally:
        model.train(was_training)
    return [row.result() for row in rows]


class _Writer:
    """The loop over tokens, and what does not change during it."""

    def __init__(
        self,
        model: Stepper,
        vocabulary: Ids,
        settings: Settings,
        constraint: Constraint | None,
        on_step: Callable[[int], None] | None,
    ) -> None:
        self.model = model
        self.vocabulary = vocabulary
        self.settings = settings
        self.constraint = constraint
        self.on_step = on_step

    def write(self, rows: Sequence[_Row]) -> None:
        """Extend all rows until they are finished."""
        if not rows:
            return
        shared = min(row.prompt_length for row in rows)  # tokens that all rows read at once
        logits, state = self._read(rows, shared)
        step = shared
        while True:
            tokens = self._next(logits, rows, step)
            step += 1
            if self.on_step is not None:
                if wrote := getattr(self.on_step, "wrote", None):
                    wrote([row.ids for row in rows])
                self.on_step(step)
            going = [index for index, row in enumerate(rows) if not self._is_done(row)]
            if not going:
                return
            select = getattr(self.model, "select", None)
            # Once half of the rows are finished, the others continue in a smaller batch.
            if select is not None and 2 * len(going) <= len(rows):
                rows, kept = [rows[index] for index in going], torch.tensor(going)
                tokens, state = tokens[kept], select(state, kept.to(logits.device))
            logits, state = self.model.step(tokens.to(logits.device), state)

    def _read(self, rows: Sequence[_Row], length: int) -> tuple[Tensor, Any]:
        """Read what comes before a piece and the first tokens of every prompt."""
        state = self.model.start(len(rows))
        begins = not length or self.vocabulary.bos != NO_ID
        opening = [self.vocabulary.first] if begins else []
        tokens = torch.tensor([[*opening, *row.ids[:length]] for row in rows])
        tokens = tokens.to(_device_of(state))
        read = getattr(self.model, "read", None)
        if read is not None and length:
            logits, state = read(tokens, state)
            return logits, state
        for column in tokens.unbind(1):
            logits, state = self.model.step(column, state)
        return logits, state

    def _next(self, logits: Tensor, rows: Sequence[_Row], step: int) -> Tensor:
        """The token ``[B]`` that each row reads next: from its prompt, or sampled and appended."""
        tokens = torch.zeros(len(rows), dtype=torch.int64)
        sampled: list[int] = []  # rows whose prompt has been read
        for index, row in enumerate(rows):
            if step < row.prompt_length:
                tokens[index] = row.ids[step]
            elif not self._is_done(row):
                sampled.append(index)
        if not sampled:
            return tokens
        logits = logits.cpu().double()  # not every device has float64
        logits = logits if len(sampled) == len(rows) else logits[sampled]
        chosen = self._choose(logits, [rows[index] for index in sampled])
        tokens[sampled] = chosen
        return tokens

    def _choose(self, logits: Tensor, rows: Sequence[_Row]) -> Tensor:
        """Sample a token ``[B]`` for every row from logits ``[B, V]``, and append it."""
        settings = self.settings
        own = logits.log_softmax(-1)
        if own.isnan().any():
            raise UserError(DIVERGED)
        if settings.repetition_penalty != 1:
            seen = [row.ids[-settings.repetition_window :] for row in rows]
            logits = penalize(logits, seen, settings.repetition_penalty)
        if self.constraint is not None:
            left = [settings.max_tokens - row.count for row in rows]
            states = [row.state for row in rows]
            allowed = self.constraint.allowed(states, left)
            redirected = getattr(self.constraint, "redirected", None)
            meant = own
            if redirected is not None:
                meant = redirected(own, states, allowed)
                logits = redirected(logits, states, allowed)
            masked = meant.exp().masked_fill(allowed, 0).sum(-1)
            for row, can_go_on, share in zip(
                rows, allowed.any(-1).tolist(), masked.tolist(), strict=True
            ):
                row.stuck = not can_go_on  # what such a row draws is not kept
                row.masked += share
            stuck = torch.tensor([row.stuck for row in rows])
            logits = logits.masked_fill(~(allowed | stuck[:, None]), NOTHING)
        else:
            if self.vocabulary.bos != NO_ID:
                logits[:, self.vocabulary.bos] = NOTHING  # only begins a piece
            logits[:, self.vocabulary.size :] = NOTHING  # added by transforms, not music
        logits = restrict(
            logits,
            temperature=settings.temperature,
            top_k=settings.top_k,
            top_p=settings.top_p,
            min_p=settings.min_p,
        )
        uniform = torch.tensor([row.uniform() for row in rows], dtype=torch.float64)
        ids = draw(logits.softmax(-1), uniform)
        nll_nats = -own.gather(-1, ids[:, None])[:, 0]
        for row, token, nats in zip(rows, ids.tolist(), nll_nats.tolist(), strict=True):
            if not row.stuck:
                self._append(row, token, nats)
        return ids

    def _append(self, row: _Row, token: int, nll_nats: float) -> None:
        row.count += 1
        row.nll_nats += nll_nats
        row.finished = token == self.vocabulary.eos
        ended = getattr(self.constraint, "ended", None)
        if row.finished and ended is not None:
            row.ids = ended(row.ids, row.state)
        if self.constraint is not None:
            row.state = self.constraint.advance(row.state, token)
        if not row.finished:
            row.ids.append(token)

    def _is_done(self, row: _Row) -> bool:
        return row.finished or row.stuck or row.count >= self.settings.max_tokens


def _groups(rows: Sequence[_Row], vocabulary: Ids) -> list[Sequence[_Row]]:
    """Rows that are written side by side, since they begin in the same way.

    Without ``bos``, a prompt is read as it is, and an id stands for a missing one.
    """
    if vocabulary.bos != NO_ID:
        return [rows]
    return [[row for row in rows if bool(row.prompt_length) == given] for given in (True, False)]


def _device_of(state: Any) -> torch.device:
    """The device of the model's state, where it reads tokens."""
    if isinstance(state, Tensor):
        return state.device
    first = state[0] if isinstance(state, tuple | list) else next(iter(state.values()))
    return _device_of(first)
