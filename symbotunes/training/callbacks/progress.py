"""Training progress: a bar on a terminal, occasional lines in a log file."""

import math
import sys
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import lightning
from lightning.pytorch.callbacks import ProgressBar, Timer
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from symbotunes.models.quantities import LOSS
from symbotunes.training.callbacks.checkpoints import chosen_monitor, score_of
from symbotunes.training.callbacks.speed import TokenRate, tokens_of

REFRESH_SECONDS = 0.5  # reading a loss waits for the GPU, so not at every step


class TuneProgress(ProgressBar):
    """Shows step, epoch, losses in nats per token, tokens per second and the time left.

    The time left is that of the whole run: until ``max_steps``, ``max_epochs`` or ``max_time``,
    whichever comes first.

    Args:
        line_every_seconds: seconds between lines when the output is not a terminal.
        terminal: whether to draw a bar; ``None``: only if the standard output is a terminal.
    """

    def __init__(self, line_every_seconds: float = 30.0, terminal: bool | None = None) -> None:
        super().__init__()
        self.line_every_seconds = line_every_seconds
        self.terminal = terminal
        self._enabled = True
        self._monitor = LOSS
        self._bar: Bar | None = None
        self._task = TaskID(0)
        self._rate = TokenRate()
        self._total: float = math.inf
        self._shown_at = self._began = -math.inf
        self._first_step = 0
        self._shown_step = -1

    def enable(self) -> None:
        self._enabled = True

    def disable(self) -> None:
        self._enabled = False

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        self._monitor, _ = chosen_monitor(trainer, getattr(pl_module, "net", None))
        self._total = float(trainer.estimated_stepping_batches)
        self._first_step = trainer.global_step
        self._began = self._shown_at = time.monotonic()
        self._rate.start(tokens_of(pl_module))
        terminal = sys.stdout.isatty() if self.terminal is None else self.terminal
        if self._shows(trainer) and terminal:
            self._start_bar(trainer.global_step)

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any
    ) -> None:
        wait = self.line_every_seconds if self._bar is None else REFRESH_SECONDS
        if time.monotonic() - self._shown_at >= wait:
            self._show(trainer, pl_module)

    def on_validation_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        super().on_validation_start(trainer, pl_module)
        self._rate.pause()

    def on_validation_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        super().on_validation_end(trainer, pl_module)
        self._rate.resume()
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self._show(trainer, pl_module)

    def on_train_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        if self._shown_step != trainer.global_step:
            self._show(trainer, pl_module)
        self._stop_bar()

    def on_exception(self, *_: Any) -> None:
        self._stop_bar()

    def _shows(self, trainer: lightning.Trainer) -> bool:
        return self._enabled and trainer.is_global_zero

    def _show(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        if not self._shows(trainer):
            return
        self._shown_at, self._shown_step = time.monotonic(), trainer.global_step
        text = "  ".join(self._parts(trainer, pl_module))
        if self._bar is None:
            total = "" if math.isinf(self._total) else f"/{self._total:.0f}"
            print(f"step {trainer.global_step}{total}  {text}", flush=True)
        else:
            self._bar.facts = text
            self._bar.update(self._task, completed=trainer.global_step, refresh=True)

    def _parts(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> list[str]:
        parts = [f"epoch {trainer.current_epoch}"]
        for name in ("train", "val"):
            value = trainer.callback_metrics.get(f"{name}/loss")
            if value is not None:
                parts.append(f"{name} {float(value):.4f}")
        if len(parts) > 1:
            parts[-1] += " nats/token"
        monitored = score_of(trainer, self._monitor)
        if monitored is not None and self._monitor not in ("train/loss", LOSS):
            parts.append(f"{self._monitor} {monitored:.4g}")
        rate = self._rate.tokens_per_second(tokens_of(pl_module))
        parts.append(f"{rate:,.0f} tokens/s")
        left = self._seconds_left(trainer)
        return parts if left is None else [*parts, f"{timedelta(seconds=round(left))} left"]

    def _seconds_left(self, trainer: lightning.Trainer) -> float | None:
        """Seconds until the first limit; ``None`` without limits or before the first step."""
        done = trainer.global_step - self._first_step
        limits = []
        if done > 0 and not math.isinf(self._total):
            per_step = (time.monotonic() - self._began) / done
            limits.append(max(self._total - trainer.global_step, 0) * per_step)
        for callback in trainer.callbacks:  # type: ignore[attr-defined]  # set by a connector
            if isinstance(callback, Timer):
                remaining = callback.time_remaining()
                limits += [] if remaining is None else [max(remaining, 0.0)]
        return min(limits, default=None)

    def _start_bar(self, step: int) -> None:
        total = None if math.isinf(self._total) else self._total
        of = "" if total is None else "/{task.total:.0f}"
        self._bar = Bar(
            TextColumn("step {task.completed:.0f}" + of),
            BarColumn(bar_width=None),
            console=Console(file=sys.stdout),
            expand=True,
        )
        self._task = self._bar.add_task("", total=total, completed=step)
        self._bar.start()

    def _stop_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class Bar(Progress):
    """A bar with a line of facts below it, since both do not fit on one line of 80 columns."""

    facts = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        yield Text(self.facts, no_wrap=True, overflow="ellipsis")
