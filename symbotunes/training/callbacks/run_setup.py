"""The run folder, and ``run.json``: the state and the environment of a run."""

import json
import time
import warnings
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.utilities.exceptions import SIGTERMException

from symbotunes.errors import first_line
from symbotunes.files import atomic_write, finite, read_json
from symbotunes.system.ends import Ended
from symbotunes.system.owner import Owner, utc_now
from symbotunes.training.callbacks.changes import AppliedChanges
from symbotunes.training.callbacks.checkpoints import BestAndLast
from symbotunes.training.callbacks.dashboard import wandb_loggers
from symbotunes.training.callbacks.interrupt import OnInterrupt
from symbotunes.training.callbacks.memory import MemoryReport
from symbotunes.training.callbacks.provenance import (
    command_line,
    device_name,
    git_state,
    versions,
)
from symbotunes.training.callbacks.speed import TokenRate, tokens_of
from symbotunes.training.callbacks.vitals import Vitals
from symbotunes.training.run_folder import RECORD

SIGN_OF_LIFE_SECONDS = 60.0  # between two writes of the record, at least
SHOWN = (  # parts of the record that are shown with the config on W&B
    "git", "versions", "host", "device", "devices", "data_fingerprint", "parameters",
    "parameters_trained", "command",
)  # fmt: skip


class RunSetup(lightning.Callback):
    """Creates the run folder, writes ``config.yaml`` and keeps ``run.json`` up to date.

    ``run.json`` is written when training starts, every minute, after every validation and at the
    end, even if training ends with an error: its ``status`` is ``running``, ``finished``,
    ``interrupted`` or ``failed``. It names the process and its machine, by which
    `symbotunes.training.run_folder.status_of` finds out that a run was killed. A resumed run keeps
    a short record of the previous ones under ``earlier``.

    Args:
        name: name of the run.
        seed: seed of the run, for the record.
    """

    def __init__(self, name: str | None = None, seed: int | None = None) -> None:
        self.name = name
        self.seed = seed
        self.record: dict[str, Any] = {}
        self._rate = TokenRate()
        self._written_at = 0.0  # of a monotonic clock, in seconds

    def setup(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, stage: str
    ) -> None:
        if stage != "fit" or not trainer.is_global_zero:
            return
        folder = Path(trainer.default_root_dir)
        for name in ("checkpoints", "samples"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        recipe = recipe_of(pl_module)
        if "config" in recipe:
            atomic_write(folder / "config.yaml", str(recipe["config"]).encode())
        self.record = self._circumstances(trainer, pl_module, recipe, earlier_runs(folder))
        self._write(trainer, pl_module)

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        self._rate.start(tokens_of(pl_module))
        for dashboard in wandb_loggers(trainer):
            if self.record:
                dashboard.log_hyperparams({"run": {key: self.record[key] for key in SHOWN}})
        self._write(trainer, pl_module)

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any
    ) -> None:
        if time.monotonic() - self._written_at > SIGN_OF_LIFE_SECONDS:
            self._write(trainer, pl_module)

    def on_validation_start(self, *_: Any) -> None:
        self._rate.pause()

    def on_validation_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        self._rate.resume()
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self._write(trainer, pl_module)

    def on_train_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        self._measure(trainer, pl_module)
        self._rate.pause()

    def teardown(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, stage: str
    ) -> None:
        # Checkpoint callbacks are done by now, so the best score is final.
        if stage == "fit" and self.record.get("status") == "running":
            self._close(trainer, pl_module, "finished")

    def on_exception(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        exception: BaseException,
    ) -> None:
        if not self.record:
            return
        self._rate.resume()
        self._measure(trainer, pl_module)
        stopped = isinstance(exception, KeyboardInterrupt | SIGTERMException | Ended)
        asked = any(
            isinstance(callback, OnInterrupt) and callback.signal_received is not None
            for callback in trainer.callbacks  # type: ignore[attr-defined]  # set by a connector
        )
        if not (stopped or asked):
            self.record["error"] = f"{type(exception).__name__}: {exception}"
        self._close(trainer, pl_module, "interrupted" if stopped or asked else "failed")

    def _circumstances(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        recipe: dict[str, Any],
        earlier: list[dict[str, Any]],
    ) -> dict[str, Any]:
        parameters = list(pl_module.parameters())
        return {
            "status": "running",
            "name": self.name,
            "started_utc": utc_now(),
            "finished_utc": None,
            "command": command_line(),
            "seed": self.seed,
            "git": git_state(),
            "versions": versions(),
            **Owner.this_process().as_dict(),
            "device": device_name(trainer.strategy.root_device),
            "devices": trainer.world_size,
            "threads": recipe.get("threads"),
            "data_fingerprint": recipe.get("data"),
            "parameters": sum(parameter.numel() for parameter in parameters),
            "parameters_trained": sum(p.numel() for p in parameters if p.requires_grad),
            "earlier": earlier,
        }

    def _measure(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Update everything that changes during training."""
        tokens = tokens_of(pl_module)
        self.record |= {
            "step": trainer.global_step,
            "epoch": trainer.current_epoch,
            "real_tokens": tokens,
            "tokens_per_second": round(self._rate.tokens_per_second(tokens), 1),
            "train_seconds": round(self._rate.seconds, 1),
        }

    def _write(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        if not trainer.is_global_zero or not self.record:
            return
        if self.record["status"] == "running":
            self._measure(trainer, pl_module)
        self.record["updated_utc"] = utc_now()
        self._written_at = time.monotonic()
        for callback in trainer.callbacks:  # type: ignore[attr-defined]  # set by a connector
            self.record |= findings_of(callback)
        for logger in wandb_loggers(trainer):
            self.record["wandb_id"] = logger.version
        text = json.dumps(finite(self.record), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        try:
            atomic_write(Path(trainer.default_root_dir) / RECORD, text.encode())
        except OSError as error:  # a full disk; the next write tries again
            warnings.warn(f"{RECORD} was not written: {first_line(error)}", stacklevel=2)

    def _close(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, status: str
    ) -> None:
        self.record |= {"status": status, "finished_utc": utc_now()}
        self._write(trainer, pl_module)


def recipe_of(pl_module: lightning.LightningModule) -> dict[str, Any]:
    """The recipe in the module's checkpoints; empty for modules that are not ours."""
    recipe = getattr(pl_module, "recipe", None)
    return dict(recipe) if recipe else {}


def findings_of(callback: object) -> dict[str, Any]:
    """The results of another callback that belong in ``run.json``."""
    if isinstance(callback, MemoryReport):
        return {"peak_memory_gib": round(callback.peak_gib, 3), "memory_kind": callback.kind}
    if isinstance(callback, AppliedChanges):
        changes = {change.key: [change.before, change.now] for change in callback.changes}
        return {"changes": changes} if changes else {}
    if isinstance(callback, Vitals):
        return {"peak_tflops": callback.peak_tflops}
    if isinstance(callback, BestAndLast):
        return {
            "best": {
                "metric": callback.monitor,
                "quantity": callback.quantity,
                "mode": callback.mode,
                "value": callback.best_model_score,
                "step": callback.best_step,
            }
        }
    return {}


def earlier_runs(folder: Path) -> list[dict[str, Any]]:
    """Short records of previous runs in the same folder, oldest first."""
    before = read_json(folder / RECORD)
    if not before:
        return []
    if before.get("status") == "running":  # a folder belongs to one process at a time
        before["status"] = "killed"
    kept = ("status", "started_utc", "finished_utc", "command", "step", "host", "git")
    changes = {"changes": before["changes"]} if "changes" in before else {}
    return [*before.get("earlier", []), {key: before.get(key) for key in kept} | changes]
