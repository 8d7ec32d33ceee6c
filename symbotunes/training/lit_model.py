"""The only LightningModule: wraps any model with its optimizer, schedule and recipe."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import lightning
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from symbotunes.errors import UserError
from symbotunes.models.base import Batch, Loss, Model, SequenceModel
from symbotunes.tokenizers.base import NO_ID, Vocabulary
from symbotunes.training.muon import MuonAdamW
from symbotunes.training.optimizers import zero_exploded

MakeNet = Callable[..., Model]
MakeOptimizer = Callable[[Iterable[nn.Parameter]], Optimizer]
MakeScheduler = Callable[[Optimizer], LRScheduler]


class LitModel(lightning.LightningModule):
    """Trains a model and writes self-contained checkpoints.

    Args:
        net: builds the network, given ``vocabulary``.
        optimizer: builds the optimizer, given parameters.
        vocabulary: vocabulary of the data.
        scheduler: builds the learning-rate schedule, given the optimizer; ``None`` for a constant
            rate.
        scheduler_interval: unit of the schedule, ``step`` or ``epoch``.
        clip_norm: gradients are scaled down to this L2 norm; ``None`` for no clipping.
        zero_norm: gradients of this L2 norm or more are dropped; ``None`` keeps them.
        init_from: source of the initial weights; read by `symbotunes.modes.train`, stored here only
            for the record.
        frozen: names of parts of the network, such as ``encoder``, that are not trained.
        compiled: whether to run the loss through ``torch.compile``; falls back with a single
            warning.
        recipe: plain strings that a checkpoint carries, see `symbotunes.checkpoints.checkpoint`.

    Raises:
        UserError: if the network cannot read the tokenizer's output, or has no part of that name.
    """

    def __init__(
        self,
        *,
        net: MakeNet,
        optimizer: MakeOptimizer,
        vocabulary: Vocabulary,
        scheduler: MakeScheduler | None = None,
        scheduler_interval: str = "epoch",
        clip_norm: float | None = None,
        zero_norm: float | None = None,
        init_from: str | None = None,
        frozen: Sequence[str] | str = (),
        compiled: bool = False,
        recipe: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.net = net(vocabulary=vocabulary)
        if isinstance(self.net, SequenceModel) and vocabulary.bos == NO_ID:
            raise UserError(
                f"{type(self.net).__name__} continues pieces, and these transforms give windows, "
                "which have no beginning: choose others, such as [abc_tokens] or [remi,crop], "
                "or model=music_vae"
            )
        for name in [frozen] if isinstance(frozen, str) else frozen:
            freeze(self.net, name)
        self.make_optimizer = optimizer
        self.make_scheduler = scheduler
        self.scheduler_interval = scheduler_interval
        self.clip_norm = clip_norm
        self.zero_norm = zero_norm
        self.init_from = init_from
        self.recipe = dict(recipe or {})
        self.real_tokens = 0
        self._loss = compile_or_warn(self.net.loss) if compiled else self.net.loss
        self._rng: list[dict[str, Any]] = []  # of every process; restored when training starts
        self._held_out = torch.zeros(2, dtype=torch.float64)  # nats, targets

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:  # noqa: ARG002
        if batch.segments is not None and not self.net.READS_PACKED:
            name = type(self.net).__name__
            raise UserError(f"loader.pack=true: {name} cannot keep the pieces of a row apart")
        loss = self._loss(batch, self.global_step)
        self.real_tokens += loss.targets * self.trainer.world_size
        per_token = loss.nll_nats / loss.targets
        self.log("train/loss", per_token, on_step=True, on_epoch=False, batch_size=1)
        for name, value in loss.terms.items():
            self.log(f"train/{name}", value, on_step=True, on_epoch=False, batch_size=1)
        return loss.objective

    def on_validation_epoch_start(self) -> None:
        self._held_out.zero_()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        loss = self.net.loss(batch, self.global_step)
        self._held_out += torch.tensor([float(loss.nll_nats), loss.targets], dtype=torch.float64)
        for name, value in loss.terms.items():
            self.log(f"val/{name}", value, batch_size=len(batch.lengths), sync_dist=True)

    def on_validation_epoch_end(self) -> None:
        nats, targets = self.trainer.strategy.reduce(
            self._held_out.to(self.device, torch.float32), reduce_op="sum"
        ).tolist()
        value = nats / max(targets, 1)
        self.log("val/loss", value, prog_bar=True, rank_zero_only=True)

    def configure_optimizers(self) -> Any:
        trained = [parameter for parameter in self.net.parameters() if parameter.requires_grad]
        try:
            optimizer = self.make_optimizer(trained)
        except ValueError as error:  # torch validates its hyperparameters
            raise UserError(f"model.optimizer: {error}") from error
        tables = any(isinstance(module, nn.Embedding) for module in self.net.modules())
        if tables and isinstance(optimizer, MuonAdamW):
            raise UserError(
                "Muon does not support embedding tables, which this network has; choose "
                "model/optimizer=adamw"
            )
        if self.make_scheduler is None:
            return optimizer
        scheduler = self.make_scheduler(optimizer)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": self.scheduler_interval},
        }

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip to ``trainer.gradient_clip_val`` if it is set, otherwise to ``model.clip_norm``."""
        if self.zero_norm is not None:
            zero_exploded(self.net.parameters(), self.zero_norm)
        value = gradient_clip_val if gradient_clip_val is not None else self.clip_norm
        self.clip_gradients(optimizer, value, gradient_clip_algorithm or "norm")

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["recipe"] = self.recipe
        checkpoint["real_tokens"] = self.real_tokens
        # After a failure the other processes may be anywhere, and a collective call would hang.
        state = random_state()
        checkpoint["rng"] = [state] if self.trainer.interrupted else of_all_processes(state)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.real_tokens = checkpoint["real_tokens"]
        saved: Any = checkpoint["rng"]
        self._rng = (
            saved if isinstance(saved, list) else [saved]
        )  # earlier checkpoints hold a single state

    def on_train_start(self) -> None:
        # Not earlier: anything between loading and this point may have drawn random numbers.
        if self._rng:
            restore_random_state(self._rng[self.global_rank % len(self._rng)])
            self._rng = []


def freeze(net: nn.Module, name: str) -> None:
    """Exclude a part of the network, or one of its weights, from training.

    Raises:
        UserError: if there is no such part.
    """
    parameters = [
        parameter
        for key, parameter in net.named_parameters()
        if key == name or key.startswith(f"{name}.")
    ]
    if not parameters:
        parts = ", ".join(dict.fromkeys(key.split(".")[0] for key, _ in net.named_parameters()))
        raise UserError(f"model.frozen: the network has no part {name}; it has {parts}")
    for parameter in parameters:
        parameter.requires_grad_(False)


def random_state() -> dict[str, Any]:
    """States of torch's global generators, as tensors; all others are seeded explicitly."""
    state: dict[str, Any] = {"torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def of_all_processes(state: dict[str, Any]) -> list[dict[str, Any]]:
    """Gather the states of all processes of a distributed training, by rank; all must call it."""
    if not (dist.is_available() and dist.is_initialized()):
        return [state]
    states: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(states, state)
    return states


def restore_random_state(state: Mapping[str, Any]) -> None:
    """Restore the result of `random_state`; CUDA states only if the number of devices matches."""
    torch.set_rng_state(state["torch"].cpu())
    cuda = state.get("cuda", [])
    if cuda and torch.cuda.is_available() and len(cuda) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([entry.cpu() for entry in cuda])


def compile_or_warn(loss: Callable[[Batch, int], Loss]) -> Callable[[Batch, int], Loss]:
    """``torch.compile`` that on failure warns once and runs uncompiled from then on."""
    run = torch.compile(loss)

    def guarded(batch: Batch, step: int) -> Loss:
        nonlocal run
        try:
            return run(batch, step)
        except Exception as error:  # the compiler raises many types of errors
            if run is loss:
                raise
            first_line = str(error).strip().splitlines()[0] if str(error) else type(error).__name__
            warnings.warn(f"compile=true was disabled: {first_line}", stacklevel=2)
            run = loss
            return run(batch, step)

    return guarded
