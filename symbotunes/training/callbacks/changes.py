"""Lets a resumed run have other rates, batches or accumulation than its checkpoint."""

from collections.abc import Iterator, Sequence
from typing import Any

import lightning
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from symbotunes.training.changes import Change, regroups

# Where a schedule is, as torch names it; the rest of its state is what it was made with.
PLACE = ("last_epoch", "_step_count", "_last_lr", "_is_initial", "_get_lr_called_within_step")


class AppliedChanges(lightning.Callback):
    """Makes changed settings take effect, which Lightning would restore from the checkpoint.

    The state of optimizers, such as their means and squares of gradients, is kept. Their constants
    are those of the new config, and so is the schedule, at the step that the run has reached. With
    other batches, or other data, the place of the checkpoint in its pass over the data means
    nothing any more: a pass begins.

    Args:
        changes: to the settings of the checkpoint.
        other_data: whether the data have changed since.

    Attributes:
        changes: as given, which `symbotunes.training.callbacks.run_setup` records.
    """

    def __init__(self, changes: Sequence[Change], *, other_data: bool = False) -> None:
        self.changes = tuple(changes)
        self._keys = [change.key for change in changes]
        self._begins_pass = other_data or regroups(self._keys)

    def on_load_checkpoint(
        self,
        trainer: lightning.Trainer,  # noqa: ARG002
        pl_module: lightning.LightningModule,  # noqa: ARG002
        checkpoint: dict[str, Any],
    ) -> None:
        if self._begins_pass:
            begin_pass(checkpoint["loops"]["fit_loop"])

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        parts = ("model.optimizer", "model.scheduler")
        if any(key.startswith(parts) for key in self._keys):
            renew(trainer, pl_module)


def begin_pass(loop: dict[str, Any]) -> None:
    """Change the state of Lightning's training loop to one before the first batch of a pass.

    Args:
        loop: what a checkpoint has of it; changed in place. Steps and batches of the whole training
            stay what they were. A pass that was not complete counts once, when the new one is.
    """
    progress = loop["epoch_loop.batch_progress"]
    is_over = progress["is_last_batch"]
    if is_over:
        for counts in loop["epoch_progress"].values():
            counts.update(dict.fromkeys(counts, counts["ready"]))
    total = progress["total"]
    if total["completed"] < total["processed"]:  # Lightning would count the batch as completed
        total["completed"] = total["processed"]
        loop["epoch_loop.state_dict"]["_batches_that_stepped"] += 1
    progress["current"].update(dict.fromkeys(progress["current"], 0))
    progress["is_last_batch"] = False
    for loader in loop["state_dict"]["combined_loader"]:
        # Batches of a pass are drawn in an order of its own, so another order than before.
        loader.update(epoch=loader["epoch"] + bool(loader["done"]), done=0)


def renew(trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
    """Give restored optimizers and schedules the constants of the config, and keep their state."""
    rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in trainer.optimizers]
    entries = list(_entries(pl_module.configure_optimizers()))
    for (fresh, _), optimizer in zip(entries, trainer.optimizers, strict=True):
        for group, new in zip(optimizer.param_groups, fresh.param_groups, strict=True):
            group.update({name: value for name, value in new.items() if name != "params"})
    schedules = [schedule for _, schedule in entries if schedule is not None]
    configs: list[Any] = trainer.lr_scheduler_configs
    for fresh_schedule, config in zip(schedules, configs, strict=True):
        is_own = [optimizer is config.scheduler.optimizer for optimizer in trainer.optimizers]
        replace_constants(config.scheduler, fresh_schedule, rates[is_own.index(True)])


def _entries(configured: Any) -> Iterator[tuple[Optimizer, LRScheduler | None]]:
    """The optimizers of a module, each with its schedule."""
    for entry in configured if isinstance(configured, list) else [configured]:
        if isinstance(entry, Optimizer):
            yield entry, None
        else:
            yield entry["optimizer"], entry.get("lr_scheduler", {}).get("scheduler")


def replace_constants(schedule: Any, fresh: Any, rates: Sequence[float]) -> None:
    """Give a schedule the constants of another one, at the step that it has reached.

    Args:
        schedule: a restored one, whose optimizer has its new constants; changed in place.
        fresh: one that was made with the new constants.
        rates: the rates of the optimizer's groups before, for schedules that compute each rate from
            the previous one; those are scaled.
    """
    bases = schedule.base_lrs
    place = {name: value for name, value in schedule.state_dict().items() if name in PLACE}
    schedule.load_state_dict({**fresh.state_dict(), **place})
    if isinstance(schedule, LambdaLR):
        factors = [factor(schedule.last_epoch) for factor in schedule.lr_lambdas]
        new = [base * factor for base, factor in zip(schedule.base_lrs, factors, strict=True)]
    else:
        new = [
            rate * base / old
            for rate, base, old in zip(rates, schedule.base_lrs, bases, strict=True)
        ]
    for group, rate in zip(schedule.optimizer.param_groups, new, strict=True):
        group["lr"] = rate
    schedule._last_lr = new  # what its get_last_lr() and loggers return
