"""The usual LightningModule: one network, one optimizer, one schedule."""

from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from symbotunes.errors import UserError
from symbotunes.models.base import Batch, Loss
from symbotunes.training.lit_base import (
    LitBase,
    MakeOptimizer,
    MakeScheduler,
    Trial,
    compile_or_warn,
    make_optimizer,
)
from symbotunes.training.muon import MuonAdamW
from symbotunes.training.optimizers import zero_exploded


class LitModel(LitBase):
    """Trains a model with one optimizer.

    Args:
        optimizer: makes the optimizer, given parameters.
        scheduler: makes the learning-rate schedule, given the optimizer; ``None`` keeps the rate.
        scheduler_interval: what one step of the schedule is, ``step`` or ``epoch``.
        clip_norm: gradients are scaled down to this L2 norm; ``None`` leaves them.
        clip_each: the gradient of each weight matrix and bias is scaled down to this L2 norm on its
            own, see `Model.clipped_together`; ``None`` leaves them.
        zero_norm: gradients of this L2 norm or more are dropped; ``None`` keeps them.
        compiled: run the loss through ``torch.compile``; falls back with one warning.
        base: what `LitBase` takes.

    Raises:
        UserError: if the network cannot read the tokenizer's output, or has no part of that name.
    """

    def __init__(
        self,
        *,
        optimizer: MakeOptimizer,
        scheduler: MakeScheduler | None = None,
        scheduler_interval: str = "epoch",
        clip_norm: float | None = None,
        clip_each: float | None = None,
        zero_norm: float | None = None,
        compiled: bool = False,
        **base: Any,
    ) -> None:
        super().__init__(**base)
        self.make_optimizer = optimizer
        self.make_scheduler = scheduler
        self.scheduler_interval = scheduler_interval
        self.clip_norm = clip_norm
        self.clip_each = clip_each
        self.zero_norm = zero_norm
        self.compiled = compiled
        self._loss = self._chosen_loss()

    def _chosen_loss(self) -> Callable[..., Loss]:
        return compile_or_warn(self.net.loss, self.net) if self.compiled else self.net.loss

    def configure_model(self) -> None:
        super().configure_model()
        if self.is_sharded:
            self._loss = self._chosen_loss()  # sharding replaces the network's method

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:  # noqa: ARG002
        self.check_batch(batch)
        loss = self._loss(batch, self.global_step)
        self.count(batch, loss)
        self.log_training(loss)
        return loss.objective

    def trials(self, batch: Batch) -> Iterator[Trial]:
        found = self.configure_optimizers()
        optimizer = found["optimizer"] if isinstance(found, dict) else found
        yield lambda: self.net.loss(batch, 0).objective, optimizer

    def configure_optimizers(self) -> Any:
        optimizer = make_optimizer(self.make_optimizer, self.net.parameters(), "model.optimizer")
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
        if self.clip_each is not None:
            for parameters in self.net.clipped_together:
                nn.utils.clip_grad_norm_(parameters, self.clip_each)
        value = gradient_clip_val if gradient_clip_val is not None else self.clip_norm
        self.clip_gradients(optimizer, value, gradient_clip_algorithm or "norm")
