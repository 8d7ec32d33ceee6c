"""Vital signs of training: learning rate, gradients, speed and device utilization."""

from collections.abc import Callable
from typing import Any

import lightning
import torch
from torch.optim import Optimizer

from symbotunes.training.callbacks.panel import SamplePanel
from symbotunes.training.callbacks.peak import peak_flops
from symbotunes.training.callbacks.speed import TokenRate, tokens_of
from symbotunes.training.sharding import whole

FLOPS_PER_TOKEN = 6  # per parameter: a multiplication and an addition forward, twice that backward


class Vitals(lightning.Callback):
    """Logs learning rate, gradient norm, tokens per second and model FLOPs utilization.

    All are logged with the losses, every ``trainer.log_every_n_steps`` optimizer steps:

    - ``optim/learning_rate``: of the step just taken, first parameter group;
    - ``optim/gradient_norm``: L2 norm of the gradient of the objective, before clipping;
    - if each part has its own optimizer, both carry the name of the part, such as
      ``optim/learning_rate_critic``;
    - ``speed/tokens_per_second``: target tokens without padding on all devices since the last
      value, excluding validation and sample panels;
    - ``speed/mfu``: 6 x trained parameters x tokens per second divided by the devices' peak, 0 to
      1. It counts all parameters for every token, even those that are only looked up.

    Args:
        peak: returns the peak floating-point operations per second of a device at a precision, or
            ``None`` if it is not known; ``speed/mfu`` is then not logged.

    Attributes:
        peak_tflops: peak of one device, once it has been needed.
    """

    def __init__(self, peak: Callable[[torch.device, str], float | None] = peak_flops) -> None:
        self._peak = peak
        self._rate = TokenRate()
        self._panel_seconds = 0.0
        self._seen_step = 0
        self.peak_tflops: float | None = None
        self._peak_asked = False

    @staticmethod
    def logged_names(pl_module: Any) -> set[str]:
        """Names of the metrics."""
        each = [f"_{part}" for part in pl_module.parts] or [""]
        optim = {f"optim/{name}{of}" for name in ("learning_rate", "gradient_norm") for of in each}
        return optim | {"speed/tokens_per_second", "speed/mfu"}

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        self._seen_step = trainer.global_step
        self._begin(trainer, pl_module)

    def on_validation_start(self, *_: Any) -> None:
        self._rate.pause()

    def on_validation_end(self, *_: Any) -> None:
        self._rate.resume()

    def on_before_optimizer_step(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        optimizer: Optimizer,
    ) -> None:
        if (trainer.global_step + 1) % log_interval(trainer) != 0:
            return
        part = getattr(pl_module, "part", "")  # whose turn it is, where there are several
        of = f"_{part}" if part else ""
        rate = float(optimizer.param_groups[0]["lr"])
        found: dict[str, Any] = {f"optim/learning_rate{of}": rate}
        found[f"optim/gradient_norm{of}"] = gradient_norm(pl_module)
        pl_module.log_dict(found, on_step=True, on_epoch=False, batch_size=1)

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any
    ) -> None:
        step = trainer.global_step
        stepped = step > self._seen_step  # not while gradients accumulate
        self._seen_step = step
        if not stepped or step % log_interval(trainer) != 0:
            return
        if trainer.is_global_zero and trainer.loggers:
            speeds = self._speeds(trainer, pl_module)
            pl_module.log_dict(
                speeds, on_step=True, on_epoch=False, batch_size=1, rank_zero_only=True
            )
        self._begin(trainer, pl_module)

    def _begin(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        self._rate.start(tokens_of(pl_module))
        self._panel_seconds = panel_seconds(trainer)

    def _speeds(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> dict[str, float]:
        self._rate.leave_out(panel_seconds(trainer) - self._panel_seconds)
        rate = self._rate.tokens_per_second(tokens_of(pl_module))
        if not self._peak_asked:
            self._peak_asked = True
            peak = self._peak(pl_module.device, str(trainer.precision))
            self.peak_tflops = None if peak is None else peak / 1e12
        speeds = {"speed/tokens_per_second": rate}
        if self.peak_tflops:
            trained = sum(p.numel() for p in pl_module.parameters() if p.requires_grad)
            devices_flops = 1e12 * self.peak_tflops * trainer.world_size
            speeds["speed/mfu"] = FLOPS_PER_TOKEN * trained * rate / devices_flops
        return speeds


def log_interval(trainer: lightning.Trainer) -> int:
    """Optimizer steps between logged values."""
    every: int = trainer.log_every_n_steps  # type: ignore[attr-defined]  # set by a connector
    return max(every, 1)


def gradient_norm(pl_module: lightning.LightningModule) -> torch.Tensor:
    """L2 norm of all gradients together, on their device."""
    gradients = [p.grad for p in pl_module.parameters() if p.grad is not None]
    return whole(torch.nn.utils.get_total_norm(gradients))


def panel_seconds(trainer: lightning.Trainer) -> float:
    """Total time spent on sample panels, in seconds."""
    panels = (call for call in trainer.callbacks if isinstance(call, SamplePanel))  # type: ignore[attr-defined]  # set by a connector
    return sum(panel.seconds for panel in panels)
