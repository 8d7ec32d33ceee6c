"""Checks whether a config can be trained: builds its parts, then runs one step on a few rows."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, open_dict
from torch.autograd.graph import saved_tensors_hooks
from torch.optim import Optimizer

from symbotunes.config.assembly import build_chain, build_data
from symbotunes.config.build import build, build_many
from symbotunes.datasets.base import DatasetError
from symbotunes.datasets.synthetic import write_pieces
from symbotunes.errors import UserError, first_line
from symbotunes.models.base import Batch
from symbotunes.training.lit_base import LitBase
from symbotunes.transforms.base import Chain

# Small parts of the included datasets; other datasets may need a download and are not read.
BUILT_IN: Mapping[str, Mapping[str, Any]] = {
    "symbotunes.datasets.folk.Folk": {"collections": ["miscFolk", "nottingham-dataset"]}
}
STATES = 2  # values that Adam-like optimizers keep for every weight


@dataclass(frozen=True)
class Limits:
    """Limits of a check.

    Attributes:
        rows: rows in the batch of the trial step.
        largest: networks with more weights than this are counted but not run.
        device: the device on which the step runs.
        space: folder for caches; may be deleted afterward.
    """

    rows: int
    largest: int
    device: torch.device
    space: Path


@dataclass
class Verdict:
    """The result of a check.

    Attributes:
        label: the arguments that were checked.
        parameters: number of weights of the network.
        bytes: estimated memory for training: weights, gradients, optimizer and, if a step was run,
            the activations saved for the backward pass of a full batch.
        seconds: estimated time of a step on a full batch.
        remark: what was left out; empty if everything was tried.
        errors: everything that went wrong, one line each.
    """

    label: str
    parameters: int | None = None
    bytes: int | None = None
    seconds: float | None = None
    remark: str = ""
    errors: list[str] = field(default_factory=list)

    @contextmanager
    def noting(self, part: str) -> Iterator[None]:
        """Record an error in the block, then continue after it."""
        try:
            yield
        except Exception as error:  # a check reports errors of any kind
            reason = first_line(error)
            kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
            self.errors.append(f"{part}: {kind}{reason}")


def check_config(verdict: Verdict, cfg: DictConfig, limits: Limits) -> None:
    """Build everything that the config names and run a step; errors are added to the verdict."""
    for part in ("sample", "evaluate", "export"):
        with verdict.noting(part):
            build(cfg[part])
    with verdict.noting("compare"):
        build(cfg.compare, ckpts=["one.ckpt", "other.ckpt"])  # the default names none
    with verdict.noting("listen"):
        build(cfg.listen, ckpts=["one.ckpt"])
    with verdict.noting("callbacks"):
        build_many(cfg.callbacks)
    with verdict.noting("trainer"):
        build(cfg.trainer, callbacks=[], logger=False, enable_checkpointing=False)
    readable = str(cfg.dataset._target_) in BUILT_IN
    if not readable:
        with verdict.noting("dataset"):
            build(cfg.dataset)
    with verdict.noting("transforms"):
        chain = build_chain(cfg)
        with verdict.noting("data"):
            batch = some_batch(verdict, cfg, chain, limits) if readable else None
            check_network(verdict, cfg, chain, batch, limits)


def some_batch(verdict: Verdict, cfg: DictConfig, chain: Chain, limits: Limits) -> Batch:
    """A training batch from a small part of the data, or of invented music if nothing fits."""
    part = dict(BUILT_IN[str(cfg.dataset._target_)])
    try:
        return first_batch(cfg, {**cfg.dataset, **part}, chain, limits)
    except DatasetError:
        files = write_pieces(limits.space / "invented")
        invented = {"_target_": "symbotunes.datasets.midi_folder.MidiFolder", "path": str(files)}
        batch = first_batch(cfg, invented, chain, limits)
        verdict.remark = "ok (invented)"
        return batch


def first_batch(cfg: DictConfig, dataset: Mapping[str, Any], chain: Chain, limits: Limits) -> Batch:
    """The first training batch of a small dataset; the chain has a vocabulary afterward."""
    small = cfg.copy()
    with open_dict(small):
        small.dataset = dict(dataset)
        small.loader.cache = str(limits.space)
        small.loader.workers = small.loader.prepare_workers = 0
        for step in small.transforms.values():
            if "min_count" in step:  # otherwise so few pieces would lose most of their tokens
                step.min_count = 1
    fitted = build_chain(small)
    batch: Batch = next(iter(build_data(small, fitted).train_dataloader()))
    chain.tokenizer.load_state(fitted.tokenizer.state())
    return batch


def check_network(
    verdict: Verdict, cfg: DictConfig, chain: Chain, batch: Batch | None, limits: Limits
) -> None:
    """Count the network's weights; run a step if there is a batch and it is not too large."""
    if not chain.tokenizer.fitted:
        verdict.remark = "no data here"
        return
    vocabulary = chain.tokenizer.model_vocabulary
    with verdict.noting("model"), torch.device("meta"):
        net = build(cfg.model.net, vocabulary=vocabulary)
        verdict.parameters = sum(weight.numel() for weight in net.parameters())
        verdict.bytes = (2 + STATES) * 4 * verdict.parameters
    if verdict.parameters is None:
        return
    if batch is None:
        verdict.remark = "no data here"
    elif verdict.parameters > limits.largest:
        verdict.remark = "too large"
    else:
        with verdict.noting("step"):
            model = build(cfg.model, vocabulary=vocabulary).to(limits.device)
            _note_step(verdict, model, batch, limits)


def _note_step(verdict: Verdict, model: LitBase, batch: Batch, limits: Limits) -> None:
    """One step on a few rows, its costs scaled to the whole batch."""
    few = first_rows(batch, limits.rows).to(limits.device)
    share = batch.tokens.numel() / few.tokens.numel()
    training_step(model, few)  # warmup: the first step takes longer
    began = time.perf_counter()
    kept, states = training_step(model, few)
    verdict.seconds = share * (time.perf_counter() - began)
    weights = 2 * sum(weight.nbytes for weight in model.net.parameters())
    verdict.bytes = weights + states + int(share * kept)


def first_rows(batch: Batch, rows: int) -> Batch:
    """The first rows of a batch, without padding that only later rows need."""
    lengths = batch.lengths[:rows]
    tokens = batch.tokens[:rows, : int(lengths.max())]
    segments = None if batch.segments is None else batch.segments[:rows, : int(lengths.max())]
    return Batch(tokens, lengths, segments)


def training_step(model: LitBase, batch: Batch) -> tuple[int, int]:
    """Forward, backward and one step of every optimizer.

    Returns:
        Bytes that were kept for the gradient at most, and bytes of the optimizers' states.

    Raises:
        UserError: if the loss or a gradient is not finite.
    """
    kept: dict[int, int] = {}
    weights = {weight.untyped_storage().data_ptr() for weight in model.net.parameters()}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    most = states = 0
    for make_objective, optimizer in model.trials(batch):
        kept.clear()
        with saved_tensors_hooks(note, lambda tensor: tensor):
            objective = make_objective()
        _minimize(objective, optimizer)
        most = max(most, sum(kept.values()))
        values = [value for state in optimizer.state.values() for value in state.values()]
        states += sum(value.nbytes for value in values if torch.is_tensor(value))
    return most, states


def _minimize(objective: torch.Tensor, optimizer: Optimizer) -> None:
    if not objective.isfinite():
        raise UserError(f"the loss is {float(objective)}")
    optimizer.zero_grad()
    objective.backward()  # type: ignore[no-untyped-call]
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    if not all(bool(gradient.isfinite().all()) for gradient in gradients):
        raise UserError("a gradient is not finite")
    optimizer.step()
