"""What a resumed run has left to do, and what is different from its first part."""

from collections.abc import Iterator
from pathlib import Path

import lightning
from lightning.pytorch.callbacks import Timer
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.markup import escape

from symbotunes.checkpoints.arguments import is_own
from symbotunes.checkpoints.checkpoint import Checkpoint
from symbotunes.config.build import build, class_of
from symbotunes.config.commands import command, resume_settings
from symbotunes.errors import UserError
from symbotunes.files import read_json
from symbotunes.training.changes import allowing, changes_between
from symbotunes.training.lit_base import NO_LENGTH
from symbotunes.training.run_folder import RECORD
from symbotunes.training.schedules import RunSchedule


def announce(cfg: DictConfig, checkpoint: Checkpoint, console: Console) -> bool:
    """Print how a resumed run goes on, or that it has nothing left to do.

    Args:
        cfg: of the resumed run.
        checkpoint: that it resumes from.
        console: where.

    Returns:
        Whether anything is left: of a run that was stopped after its last step, tables and samples.
    """
    reached = limit_reached(cfg, checkpoint)
    if reached is not None:
        limit, longer = reached
        run = checkpoint.file.resolve().parents[1]
        line = command({**resume_settings(run), "ckpt": checkpoint.path, **longer})
        console.print(
            f"Nothing to do  {escape(limit)}; to go on longer: {escape(line)}", soft_wrap=True
        )
        return not is_concluded(cfg, checkpoint)
    for change in changes_between(checkpoint.config, cfg):
        console.print(f"Changed  {escape(str(change))}", soft_wrap=True)
    for note in schedule_notes(cfg):
        console.print(f"Note  {escape(note)}", soft_wrap=True)
    return True


def limit_reached(cfg: DictConfig, checkpoint: Checkpoint) -> tuple[str, dict[str, object]] | None:
    """The limit of a run that its checkpoint has reached, in words, and settings that raise it.

    ``None`` if the run may go on.
    """
    limits = cfg.copy()
    OmegaConf.update(limits, "trainer.default_root_dir", None)  # nothing is written
    trainer: lightning.Trainer = build(limits.trainer, logger=False, enable_checkpointing=False)
    if 0 <= trainer.max_steps <= checkpoint.steps:
        limit = f"all {checkpoint.steps:,} steps of trainer.max_steps={trainer.max_steps} are done"
        return limit, {"trainer.max_steps": 2 * max(1, checkpoint.steps)}
    passes = -1 if trainer.max_epochs is None else trainer.max_epochs
    if 0 <= passes <= checkpoint.passes:
        limit = f"all {checkpoint.passes:,} passes of trainer.max_epochs={passes} are done"
        return limit, {"trainer.max_epochs": 2 * max(1, checkpoint.passes)}
    timers = [call for call in trainer.callbacks if isinstance(call, Timer)]  # type: ignore[attr-defined]
    left = timers[0].time_remaining() if timers else None
    if left is not None and left <= checkpoint.seconds:
        limit = f"the time of trainer.max_time={cfg.trainer.max_time} is used up"
        passed = timers[0].time_elapsed()
        return limit, {"trainer.max_time": twice(passed + left)}
    return None


def twice(seconds: float) -> str:
    """Twice a time, as ``trainer.max_time`` takes it."""
    minutes, rest = divmod(2 * round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return "{:02}:{:02}:{:02}:{:02}".format(*divmod(hours, 24), minutes, rest)


def is_concluded(cfg: DictConfig, checkpoint: Checkpoint) -> bool:
    """Whether a run that has reached its limit has written its tables and samples, too.

    A job of a sweep has not: its value to compare is returned by the training.
    """
    if OmegaConf.select(cfg, "sweep.num") is not None:
        return False
    if not is_own(checkpoint, cfg):
        return True
    record = read_json(Path(cfg.paths.run_dir) / RECORD)
    return bool(record.get("status") == "finished")


def schedule_notes(cfg: DictConfig) -> Iterator[str]:
    """A note on every schedule of the learning rate that ends before the training does."""
    length = cfg.trainer.max_steps
    for key, node in _schedules(cfg):
        steps = node.get("steps")
        if isinstance(steps, int) and isinstance(length, int) and steps < length:
            yield (
                f"the schedule of the learning rate keeps its {steps:,} steps: from there to step "
                f"{length:,} the rate stays at its lowest value; {allowing([f'{key}.steps'])} "
                "stretches the schedule"
            )


def require_length(cfg: DictConfig) -> None:
    """See that a run whose learning rate falls until its end has one, before data are prepared.

    Raises:
        UserError: if neither its steps nor its time are limited.
    """
    if cfg.trainer.get("max_time") is not None:
        return
    for key, node in _schedules(cfg):
        if issubclass(class_of(node), RunSchedule) and node.get("steps") is None:
            raise UserError(NO_LENGTH.format(key))


def _schedules(cfg: DictConfig) -> Iterator[tuple[str, DictConfig]]:
    """The schedules of a config, by their keys."""
    nodes = {"model.scheduler": cfg.model.get("scheduler")}
    for part, node in (cfg.model.get("schedulers") or {}).items():
        nodes[f"model.schedulers.{part}"] = node
    yield from ((key, node) for key, node in nodes.items() if node is not None)
