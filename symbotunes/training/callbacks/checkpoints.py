"""When checkpoints are written, and what happens if the disk is full."""

import math
import re
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import Checkpoint

from symbotunes.errors import first_line, require_whole_number
from symbotunes.models.quantities import monitor_of, quantity_of
from symbotunes.training.lit_data import music_data_of

INCOMPARABLE = "best_by_earlier_loss.ckpt"  # what an earlier version had as its best.ckpt


class Saving(Checkpoint):
    """Base class of callbacks that write checkpoints.

    Attributes:
        unwritten: names of files whose newest version could not be written. Training continues,
            and the old file stays.
    """

    def __init__(self) -> None:
        self.unwritten: set[str] = set()

    @property
    def last_save_failed(self) -> bool:
        """Whether the files on disk are older than they should be."""
        return bool(self.unwritten)

    def save(self, trainer: lightning.Trainer, name: str) -> bool:
        """Write ``checkpoints/<name>``; must be called on every rank.

        Returns:
            Whether the file was written; the same on every rank.
        """
        path = checkpoints_of(trainer) / name
        problem = None
        try:
            trainer.save_checkpoint(path)
        except (OSError, RuntimeError) as error:
            if not refused_by_disk(error):
                raise
            problem = getattr(error, "strerror", None) or f"{first_line(error)} (a full disk?)"
            # The other ranks wait at this barrier, which the error made this rank miss.
            trainer.strategy.barrier("Trainer.save_checkpoint")
        problem = trainer.strategy.broadcast(problem)
        if problem is None:
            self.unwritten.discard(name)
        else:
            self.unwritten.add(name)
        if problem is not None and trainer.is_global_zero:
            warnings.warn(
                f"{path} was not written: {problem}; training continues, the next save tries again",
                stacklevel=2,
            )
        return problem is None


class BestAndLast(Saving):
    """Keeps ``checkpoints/best.ckpt`` and ``checkpoints/last.ckpt``.

    Both are written after validation, and ``last.ckpt`` once more when training ends. The best
    score is part of the checkpoint, so a resumed run does not overwrite a better model.

    Args:
        monitor: logged metric that tells how good the model is; ``None``: what the model names as
            its ``MONITOR``.
        mode: ``min`` if less is better, ``max`` if more is; ``None``: as the model says, and
            ``min`` of any other metric.

    Attributes:
        given: `monitor` and `mode` as they were given.
    """

    def __init__(self, monitor: str | None = None, mode: str | None = None) -> None:
        super().__init__()
        if mode not in ("min", "max", None):
            raise ValueError(f"mode is min, max or null, got {mode!r}")
        self.given = monitor, mode
        self.monitor, self.mode = monitor_of(None, monitor, mode)
        self.quantity = quantity_of(None, self.monitor)
        self.best_model_score: float | None = None
        self.best_step: int | None = None
        self.best_model_path = ""
        self._missed: set[str] = set()
        self._cuts_pieces = False
        self._incomparable = False  # whether best.ckpt was chosen by another quantity
        self._saved_step = 0

    def setup(self, trainer: lightning.Trainer, pl_module: Any, stage: str) -> None:  # noqa: ARG002
        net = getattr(pl_module, "net", None)
        self.monitor, self.mode = monitor_of(net, *self.given)
        self.quantity = quantity_of(net, self.monitor)
        self._cuts_pieces = cuts_pieces(trainer)

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        self._saved_step = trainer.global_step
        path = checkpoints_of(trainer) / "best.ckpt"
        if self._incomparable and trainer.is_global_zero and path.exists():
            path.replace(path.with_name(INCOMPARABLE))
        self._incomparable = False
        # A score without its file comes from a checkpoint of another run folder.
        if trainer.strategy.broadcast(path.exists()):
            self.best_model_path = str(path)
        else:
            self.best_model_score = self.best_step = None

    def on_validation_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        if not saving_makes_sense(trainer):
            return
        self._save_best(trainer)
        if self.save(trainer, "last.ckpt"):
            self._saved_step = trainer.global_step

    def on_train_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        new = trainer.global_step != self._saved_step or "last.ckpt" in self.unwritten
        if new and saving_makes_sense(trainer):
            self.save(trainer, "last.ckpt")

    def state_dict(self) -> dict[str, Any]:
        return {
            "best_model_score": self.best_model_score,
            "best_step": self.best_step,
            "monitor": self.monitor,
            "mode": self.mode,
            "quantity": self.quantity,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        before = state_dict.get("monitor", self.monitor), state_dict.get("mode", self.mode)
        if before != (self.monitor, self.mode):
            return  # values of another metric do not compare
        recorded = recorded_quantity(state_dict, self.monitor, self._cuts_pieces)
        if recorded != self.quantity:
            self._incomparable = True
            best = state_dict["best_model_score"]
            warnings.warn(
                f"the best {self.monitor} of this checkpoint, "
                f"{'unknown' if best is None else format(float(best), '.4g')}, is a {recorded}, "
                f"and {self.monitor} is now a {self.quantity}: the two are not compared, the best "
                f"is looked for anew, and best.ckpt, if there is one, is kept as {INCOMPARABLE}",
                stacklevel=2,
            )
            return
        self.best_model_score = state_dict["best_model_score"]
        self.best_step = state_dict["best_step"]

    def _save_best(self, trainer: lightning.Trainer) -> None:
        score = trainer.strategy.broadcast(score_of(trainer, self.monitor))
        if score is None and self.monitor not in self._missed and trainer.is_global_zero:
            self._missed.add(self.monitor)
            logged = ", ".join(name for name in trainer.callback_metrics if name.startswith("val/"))
            warnings.warn(
                f"no {self.monitor} is logged, so there will be no best.ckpt; the model's MONITOR, "
                f"or callbacks.best_and_last.monitor, may name one of {logged or 'none'}",
                stacklevel=2,
            )
        if score is None or not self._is_better(score):
            return
        before = self.best_model_score, self.best_step
        self.best_model_score, self.best_step = score, trainer.global_step  # both files store them
        if self.save(trainer, "best.ckpt"):
            self.best_model_path = str(checkpoints_of(trainer) / "best.ckpt")
        else:
            self.best_model_score, self.best_step = before

    def _is_better(self, score: float) -> bool:
        if not math.isfinite(score):
            return False
        if self.best_model_score is None:
            return True
        return (
            score < self.best_model_score if self.mode == "min" else score > self.best_model_score
        )


class EveryNSteps(Saving):
    """Keeps ``checkpoints/step_00001000.ckpt`` and so on, and refreshes ``last.ckpt`` with each.

    Args:
        every_n_steps: optimizer steps between files.
        keep: number of newest files to keep; ``None`` or 0 keeps all. Those of steps after the one
            from which a run goes on are not its own, and stay.
    """

    def __init__(self, every_n_steps: int, keep: int | None = None) -> None:
        super().__init__()
        require_whole_number("every_n_steps", every_n_steps)
        self.every_n_steps = every_n_steps
        self.keep = keep or 0
        self._seen_step = 0
        self._due = False
        self._own: list[Path] = []  # numbered files of this run, oldest first

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        self._seen_step = trainer.global_step
        self._due = False
        # Later ones are of steps that this run has not taken: it goes on from an earlier one.
        self._own = numbered_until(checkpoints_of(trainer), trainer.global_step)

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        _pl_module: lightning.LightningModule,
        _outputs: Any,
        _batch: Any,
        batch_idx: int,
    ) -> None:
        stepped = trainer.global_step > self._seen_step  # not while gradients accumulate
        self._seen_step = trainer.global_step
        self._due = stepped and trainer.global_step % self.every_n_steps == 0
        if not validation_follows(trainer, batch_idx):
            self._save_if_due(trainer)

    def on_validation_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        self._save_if_due(trainer)

    def on_train_epoch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        self._save_if_due(trainer)

    def _save_if_due(self, trainer: lightning.Trainer) -> None:
        if not self._due or not saving_makes_sense(trainer):
            return
        self._due = False
        self.unwritten.clear()  # a numbered file is tried only once; the next one replaces it
        # last.ckpt first: when the disk fills up, it is the file that a resumed run needs.
        self.save(trainer, "last.ckpt")
        name = f"step_{trainer.global_step:08d}.ckpt"
        if self.save(trainer, name) and trainer.is_global_zero:
            self._own.append(checkpoints_of(trainer) / name)
            self._drop_old()

    def _drop_old(self) -> None:
        while self.keep and len(self._own) > self.keep:
            self._own.pop(0).unlink(missing_ok=True)


class EveryNMinutes(Saving):
    """Refreshes ``last.ckpt`` by the clock, so that only minutes are lost if the machine fails.

    Args:
        minutes: minutes between writes, counted from the end of the last one.
        now: a monotonic clock in seconds.
    """

    def __init__(self, minutes: float, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        if minutes <= 0:
            raise ValueError(f"minutes must be above 0, got {minutes}")
        self.seconds = 60 * minutes
        self._now = now
        self._saved_at = 0.0
        self._seen_step = 0

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        self._saved_at, self._seen_step = self._now(), trainer.global_step

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        _pl_module: lightning.LightningModule,
        _outputs: Any,
        _batch: Any,
        batch_idx: int,
    ) -> None:
        stepped = trainer.global_step > self._seen_step  # not while gradients accumulate
        self._seen_step = trainer.global_step
        # After the last batch, wait for the end of the epoch.
        if stepped and not trainer.is_last_batch and not validation_follows(trainer, batch_idx):
            self._save_if_due(trainer)

    def on_train_epoch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        self._save_if_due(trainer)

    def _save_if_due(self, trainer: lightning.Trainer) -> None:
        due = self._now() - self._saved_at >= self.seconds
        if trainer.world_size > 1:  # clocks differ, but saving needs all ranks
            due = trainer.strategy.reduce_boolean_decision(due, all=False)
        if due and saving_makes_sense(trainer):
            self.save(trainer, "last.ckpt")
            self._saved_at = self._now()


def checkpoints_of(trainer: lightning.Trainer) -> Path:
    """The checkpoint folder of a run."""
    return Path(trainer.default_root_dir) / "checkpoints"


def numbered_until(folder: Path, step: int) -> list[Path]:
    """The numbered checkpoints of a folder up to an optimizer step, oldest first."""
    paths = {path: re.fullmatch(r"step_(\d+)\.ckpt", path.name) for path in folder.glob("step_*")}
    steps = {path: int(match[1]) for path, match in paths.items() if match is not None}
    return sorted((path for path in steps if steps[path] <= step), key=steps.__getitem__)


def recorded_quantity(state: Mapping[str, Any], monitor: str, cut: bool) -> str:
    """What `quantity_of` was when a callback's state was written.

    Earlier versions did not record it: their ``val/loss`` had no KL divergence in it, and was
    measured on stretches of pieces where training reads those.

    Args:
        state: of the callback.
        monitor: the metric.
        cut: whether the training reads stretches of pieces.
    """
    earlier = quantity_of(None, monitor)
    return str(state.get("quantity", f"{earlier} of stretches" if cut else earlier))


def cuts_pieces(trainer: lightning.Trainer) -> bool:
    """Whether the training of a trainer reads stretches of pieces."""
    data = music_data_of(trainer)
    return data is not None and data.chain.cuts_pieces


def chosen_monitor(trainer: lightning.Trainer, net: object) -> tuple[str, str]:
    """The metric that ``best.ckpt`` is chosen by, and its direction; see `monitor_of`."""
    for callback in trainer.callbacks:  # type: ignore[attr-defined]  # set by a connector
        if isinstance(callback, BestAndLast):
            return monitor_of(net, *callback.given)
    return monitor_of(net)


def score_of(trainer: lightning.Trainer, monitor: str) -> float | None:
    """The latest value of a logged metric, ``None`` if there is none yet."""
    value = trainer.callback_metrics.get(monitor)
    return None if value is None else float(value)


def saving_makes_sense(trainer: lightning.Trainer) -> bool:
    """Whether this is a real training: no sanity check, ``fast_dev_run`` or evaluation."""
    fast_dev_run = getattr(trainer, "fast_dev_run", False)  # set where type checkers cannot see it
    return trainer.state.fn == "fit" and not trainer.sanity_checking and not fast_dev_run


def validation_follows(trainer: lightning.Trainer, batch_idx: int) -> bool:
    """Whether Lightning validates right after this batch.

    A checkpoint written before that validation would resume after it, as if it had taken place.
    """
    every = getattr(trainer, "val_check_batch", None)
    if not trainer.enable_validation or every is None:
        return False
    epochs = trainer.check_val_every_n_epoch
    if epochs is None:  # batches are counted across epochs
        return bool((trainer.fit_loop.total_batch_idx + 1) % every == 0)
    if (trainer.current_epoch + 1) % epochs != 0:
        return False
    return bool((batch_idx + 1) % every == 0 or trainer.is_last_batch and every == math.inf)


def refused_by_disk(error: OSError | RuntimeError) -> bool:
    """Whether saving failed because of the file system and not because of our code."""
    # On a full disk, torch's zip writer raises a RuntimeError that names its source file.
    return isinstance(error, OSError) or "inline_container" in str(error)
