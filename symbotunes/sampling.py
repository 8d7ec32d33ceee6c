"""One sampler for every autoregressive model: pure functions on logits, and a loop around them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor


class Stepper(Protocol):
    """What a model must offer to be sampled."""

    training: bool

    def start(self, batch_size: int) -> Any: ...
    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]: ...
    def train(self, mode: bool = True) -> Any: ...


class Ids(Protocol):
    """The special ids that the loop must know."""

    @property
    def bos(self) -> int: ...
    @property
    def eos(self) -> int: ...


@dataclass(frozen=True)
class Settings:
    """How tokens are drawn.

    Attributes:
        temperature: divides the logits; 0 always takes the likeliest token.
        top_k: draw among this many likeliest tokens; 0 draws among all.
        top_p: draw among the likeliest tokens that together hold this share of probability.
        max_tokens: most tokens generated, the prompt not counted.

    Raises:
        ValueError: if a value is out of range.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    max_tokens: int = 1000

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < float("inf"):
            raise ValueError(f"temperature={self.temperature} must be 0 or more")
        if not isinstance(self.top_k, int) or self.top_k < 0:
            raise ValueError(f"top_k={self.top_k} must be a whole number, 0 or more")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p={self.top_p} must lie above 0 and not above 1")
        if not isinstance(self.max_tokens, int) or self.max_tokens < 1:
            raise ValueError(f"max_tokens={self.max_tokens} must be a whole number of at least 1")


@dataclass(frozen=True)
class Generated:
    """One piece that a model wrote.

    Attributes:
        ids: prompt and generated ids, without ``bos`` and ``eos``.
        prompt_length: how many of them are the prompt.
        nll_nats: negative log-likelihood of the generated tokens, ``eos`` included, under the
            model's own distribution, whatever temperature or restriction they were drawn with.
        count: number of generated tokens, ``eos`` included.
        finished: whether the model ended the piece itself.
    """

    ids: list[int]
    prompt_length: int
    nll_nats: float
    count: int
    finished: bool


def restrict(logits: Tensor, *, temperature: float, top_k: int, top_p: float) -> Tensor:
    """Logits ``[..., V]`` of the distribution to draw from.

    Temperature comes first, then top-k, then top-p on what top-k left; the likeliest token always
    stays. Temperature 0 leaves it alone.
    """
    if temperature == 0:
        top_k, temperature = 1, 1.0
    peak = logits.amax(-1, keepdim=True)  # held fixed: a tiny temperature must not overflow it
    logits = peak + (logits - peak) / temperature
    if 0 < top_k < logits.shape[-1]:
        kept = torch.topk(logits, top_k, dim=-1).indices
        mask = torch.ones_like(logits, dtype=torch.bool).scatter(-1, kept, False)
        logits = logits.masked_fill(mask, float("-inf"))
    if top_p < 1:
        ordered, order = torch.sort(logits, dim=-1, descending=True, stable=True)
        shares = ordered.softmax(-1)
        # A token goes once the likelier ones already hold the share.
        beyond = shares.cumsum(-1) - shares >= top_p
        mask = torch.zeros_like(beyond).scatter(-1, order, beyond)
        logits = logits.masked_fill(mask, float("-inf"))
    return logits


def draw(probabilities: Tensor, uniform: Tensor) -> Tensor:
    """Ids ``[B]`` by inverse CDF: probabilities ``[B, V]`` float64, uniform ``[B]`` in [0, 1)."""
    cumulative = probabilities.cumsum(-1)
    threshold = uniform[:, None] * cumulative[:, -1:]
    return (cumulative <= threshold).sum(-1).clamp_max(probabilities.shape[-1] - 1)


class _Row:
    """One piece while it is being written."""

    def __init__(self, prompt: Sequence[int], seed: int) -> None:
        self.ids = list(prompt)
        self.prompt_length = len(prompt)
        self.generator = torch.Generator().manual_seed(seed)
        self.nll_nats = 0.0
        self.count = 0
        self.finished = False

    def uniform(self) -> float:
        return float(torch.rand((), generator=self.generator, dtype=torch.float64))

    def result(self) -> Generated:
        return Generated(self.ids, self.prompt_length, self.nll_nats, self.count, self.finished)


def generate(
    model: Stepper,
    vocabulary: Ids,
    prompts: Sequence[Sequence[int]],
    settings: Settings,
    seeds: Sequence[int],
    on_step: Callable[[int], None] | None = None,
) -> list[Generated]:
    """Continue each prompt until the model ends it or `settings.max_tokens` are written.

    The state is carried from token to token, so the cost grows linearly with length. Every piece
    has random numbers of its own, so it does not depend on what is drawn beside it (up to the
    last bits of batched arithmetic). Neither torch's global generator nor the model's training
    mode changes.

    Args:
        model: in any mode; it is sampled without dropout.
        vocabulary: its ``bos`` and ``eos``.
        prompts: ids of the beginnings, without ``bos``; may be empty and of unequal length.
        settings: how tokens are drawn.
        seeds: one for each prompt.
        on_step: called with the number of steps so far.

    Raises:
        ValueError: if prompts and seeds differ in number.
    """
    rows = [_Row(prompt, seed) for prompt, seed in zip(prompts, seeds, strict=True)]
    was_training = model.training
    model.train(False)
    try:
        with torch.inference_mode():
            _write(model, vocabulary, rows, settings, on_step)
    finally:
        model.train(was_training)
    return [row.result() for row in rows]


def _write(
    model: Stepper,
    vocabulary: Ids,
    rows: list[_Row],
    settings: Settings,
    on_step: Callable[[int], None] | None,
) -> None:
    if not rows:
        return
    state = model.start(len(rows))
    device = _device_of(state)
    tokens = torch.full((len(rows),), vocabulary.bos)
    step = 0
    while not all(_is_done(row, settings) for row in rows):
        logits, state = model.step(tokens.to(device), state)
        chosen = _choose(logits.double().cpu(), vocabulary, rows, settings)
        for index, row in enumerate(rows):
            if step < row.prompt_length:
                tokens[index] = row.ids[step]
            elif not _is_done(row, settings):
                token, nll_nats = chosen[index]
                _append(row, token, nll_nats, vocabulary.eos)
                tokens[index] = token
        step += 1
        if on_step is not None:
            on_step(step)


def _is_done(row: _Row, settings: Settings) -> bool:
    return row.finished or row.count >= settings.max_tokens


def _append(row: _Row, token: int, nll_nats: float, eos: int) -> None:
    row.count += 1
    row.nll_nats += nll_nats
    row.finished = token == eos
    if not row.finished:
        row.ids.append(token)


def _choose(
    logits: Tensor, vocabulary: Ids, rows: list[_Row], settings: Settings
) -> list[tuple[int, float]]:
    """A token for every row, and its negative log-likelihood in nats under the model itself."""
    own = logits.log_softmax(-1)  # [B, V]
    logits[:, vocabulary.bos] = float("-inf")  # opens a piece, never continues one
    allowed = restrict(
        logits, temperature=settings.temperature, top_k=settings.top_k, top_p=settings.top_p
    )
    uniform = torch.tensor([row.uniform() for row in rows], dtype=torch.float64)
    ids = draw(allowed.softmax(-1), uniform)
    nll_nats = -own.gather(-1, ids[:, None])[:, 0]
    return list(zip(ids.tolist(), nll_nats.tolist(), strict=True))


def _device_of(state: Any) -> torch.device:
    """Where the model keeps its state, which is where it reads tokens."""
    if isinstance(state, Tensor):
        return state.device
    first = state[0] if isinstance(state, tuple | list) else next(iter(state.values()))
    return _device_of(first)
