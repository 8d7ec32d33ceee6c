"""How a training will be judged: said, or refused, before it begins."""

from collections.abc import Iterator

import lightning
import torch
from lightning.pytorch.utilities.seed import isolate_rng

from symbotunes.data.module import MusicData
from symbotunes.errors import UserError, nearest
from symbotunes.models.base import Batch
from symbotunes.models.quantities import WORDS, monitor_of
from symbotunes.training.callbacks.checkpoints import BestAndLast
from symbotunes.training.callbacks.panel import Evaluating
from symbotunes.training.lit_base import LitBase

# Ours, and those of Lightning's callbacks that log nothing.
KNOWN = (
    "symbotunes.",
    *(
        f"lightning.pytorch.callbacks.{name}"
        for name in ("timer", "model_summary", "rich_model_summary", "early_stopping")
    ),
)
KEY = "callbacks.best_and_last"
ROWS = 2  # of the batch that shows what is logged


def notes_on_validation(trainer: lightning.Trainer, data: MusicData) -> Iterator[str]:
    """One line if nothing will be validated, and one if the user has chosen what is best."""
    keepers = [call for call in trainer.callbacks if isinstance(call, BestAndLast)]  # type: ignore[attr-defined]  # set by a connector
    reason = ""
    if not len(data.encoded.examples("val")):
        reason = "no piece is held out for validation (loader.split.val, or too few pieces)"
    elif not trainer.limit_val_batches:
        reason = "trainer.limit_val_batches=0"
    if reason:
        kept = "best.ckpt is not written, last.ckpt is" if keepers else "no best model is known"
        yield f"nothing is validated: {reason}; {kept}"
    for keeper in keepers:
        if keeper.given[0] is not None and not reason:
            monitor, mode = monitor_of(None, *keeper.given)
            other = "max" if mode == "min" else "min"
            yield (
                f"best.ckpt is the checkpoint with the {WORDS[mode]} {monitor} "
                f"({KEY}.mode={other}: with the {WORDS[other]})"
            )


def check_monitor(model: LitBase, data: MusicData, trainer: lightning.Trainer) -> None:
    """See that the metric that the user has chosen will be logged, and that its direction is right.

    Classes of plugins may log anything, so that nothing is refused where there are any.

    Raises:
        UserError: if it will not be, naming the nearest metric; or if the model is better the other
            way around.
    """
    for keeper in trainer.callbacks:  # type: ignore[attr-defined]  # set by a connector
        if not isinstance(keeper, BestAndLast):
            continue
        own, direction = monitor_of(model.net)
        monitor, mode = monitor_of(model.net, *keeper.given)
        if monitor == own and mode != direction:
            raise UserError(
                f"{KEY}.mode={mode}: the {WORDS[direction]} {own} is best; leave the mode at null"
            )
        if monitor == own or _may_log_anything(model, trainer):
            continue
        names = model_names(model, data) | callback_names(model, trainer)
        if monitor not in names:
            near = nearest(monitor, sorted(names))
            meant = f"did you mean {near}? " if near else ""
            raise UserError(
                f"{KEY}.monitor={monitor} is never logged; {meant}this training logs "
                f"{', '.join(sorted(names))}"
            )


def model_names(model: LitBase, data: MusicData) -> set[str]:
    """Names of the metrics that the model logs."""
    held_out = data.val_dataloader()
    loader = data.train_dataloader() if isinstance(held_out, list) else held_out
    with isolate_rng(), torch.no_grad(), Evaluating(model):
        batch = next(iter(loader))
        few = Batch(batch.tokens[:ROWS, : int(batch.lengths[:ROWS].max())], batch.lengths[:ROWS])
        return model.logged_names(few)


def callback_names(model: LitBase, trainer: lightning.Trainer) -> set[str]:
    """Names of the metrics that callbacks log where `BestAndLast` can read them."""
    return {
        name
        for callback in trainer.callbacks  # type: ignore[attr-defined]  # set by a connector
        if hasattr(callback, "logged_names")
        for name in callback.logged_names(model)
    }


def _may_log_anything(model: LitBase, trainer: lightning.Trainer) -> bool:
    """Whether classes of others take part that do not tell what they log."""
    others = [
        call
        for call in trainer.callbacks  # type: ignore[attr-defined]  # set by a connector
        if not hasattr(call, "logged_names")
    ]
    return not all(type(item).__module__.startswith(KNOWN) for item in (model, *others))
