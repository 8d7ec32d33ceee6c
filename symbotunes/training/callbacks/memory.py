"""Measures the peak memory of training."""

from typing import Any

import lightning
import psutil
import torch

GIB = 2**30


class MemoryReport(lightning.Callback):
    """Logs the peak memory as ``memory/peak_gib``.

    On CUDA it is the exact peak that torch allocated on this device since `on_fit_start`; on MPS
    and on the CPU (resident memory of the process) it is the highest of the sampled values.

    Args:
        every_n_steps: optimizer steps between measurements.

    Attributes:
        peak_gib: highest value so far, in GiB.
        kind: what was measured: ``cuda``, ``mps`` or ``host``.
    """

    def __init__(self, every_n_steps: int = 50) -> None:
        self.every_n_steps = every_n_steps
        self.peak_gib = 0.0
        self.kind = "host"
        self._looked_at = 0

    def on_fit_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        device = pl_module.device
        self.kind = device.type if device.type in ("cuda", "mps") else "host"
        self.peak_gib = 0.0
        self._looked_at = trainer.global_step
        if self.kind == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        self._look(device)

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any
    ) -> None:
        step = trainer.global_step
        if step == self._looked_at or step % self.every_n_steps != 0:
            return
        self._looked_at = step
        self._look(pl_module.device)
        for logger in trainer.loggers:
            logger.log_metrics({"memory/peak_gib": self.peak_gib}, step=step)

    def on_train_end(
        self, _trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        self._look(pl_module.device)

    def _look(self, device: torch.device) -> None:
        if self.kind == "cuda":
            used = torch.cuda.max_memory_allocated(device)
        elif self.kind == "mps":
            used = torch.mps.driver_allocated_memory()
        else:
            used = psutil.Process().memory_info().rss
        self.peak_gib = max(self.peak_gib, used / GIB)
