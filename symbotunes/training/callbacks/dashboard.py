"""What a W&B run shows besides metrics: the data receipt, the best loss, the best model."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightning

from symbotunes.models.quantities import monitor_of, quantity_of
from symbotunes.training.callbacks.checkpoints import (
    BestAndLast,
    checkpoints_of,
    chosen_monitor,
    cuts_pieces,
    recorded_quantity,
    saving_makes_sense,
    score_of,
)
from symbotunes.training.lit_data import music_data_of
from symbotunes.training.loggers.dashboards import wandb_among

if TYPE_CHECKING:
    from symbotunes.training.loggers.wandb import SafeWandbLogger


class Dashboard(lightning.Callback):
    """Logs to W&B what the data contain and the best results so far; does nothing without W&B.

    - ``data/receipt``, a table, when training starts;
    - ``val/best_loss`` after every validation: the least ``val/loss`` so far, in nats per token,
      which is what sweeps of W&B minimize; of a model that names another ``MONITOR``, such as
      ``val/distance``, the best of that, as ``val/best_distance``;
    - the best of the metric that ``best.ckpt`` is chosen by, if that is another one: of
      ``optim/gradient_norm`` as ``optim/best_gradient_norm``;
    - ``checkpoints/best.ckpt`` as an artifact, when training ends and the logger's
      ``best_checkpoint`` asks for it.
    """

    def __init__(self) -> None:
        self.best_loss = math.inf
        self.monitor, self.mode = monitor_of(None)
        self.quantity = quantity_of(None, self.monitor)
        self._chosen = self.monitor, self.mode
        self._best_chosen: float | None = None
        self._cuts_pieces = False

    def setup(self, trainer: lightning.Trainer, pl_module: Any, stage: str) -> None:  # noqa: ARG002
        net = getattr(pl_module, "net", None)
        self.monitor, self.mode = monitor_of(net)
        self.quantity = quantity_of(net, self.monitor)
        self._chosen = chosen_monitor(trainer, net)
        self._cuts_pieces = cuts_pieces(trainer)

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        data = music_data_of(trainer)
        encoded = None if data is None else data.encoded
        for logger in wandb_loggers(trainer):
            if encoded is not None and not logger.continued:
                from symbotunes.training.loggers.tables import log_receipt  # which imports wandb

                log_receipt(logger, encoded.receipt, trainer.global_step)

    def on_validation_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        if trainer.state.fn != "fit" or trainer.sanity_checking:
            return
        self._log_chosen(trainer)
        value = score_of(trainer, self.monitor)
        if value is None:
            return
        sign = 1 if self.mode == "min" else -1
        if math.isfinite(value):
            self.best_loss = min(self.best_loss, sign * value)
        name = self.monitor.removeprefix("val/")
        for logger in wandb_loggers(trainer):
            if math.isfinite(self.best_loss):
                logger.log_metrics({f"val/best_{name}": sign * self.best_loss}, trainer.global_step)

    def _log_chosen(self, trainer: lightning.Trainer) -> None:
        monitor, mode = self._chosen
        value = score_of(trainer, monitor)
        if monitor == self.monitor or value is None or not math.isfinite(value):
            return
        known = [value] if self._best_chosen is None else [value, self._best_chosen]
        self._best_chosen = min(known) if mode == "min" else max(known)
        group, _, name = monitor.rpartition("/")
        for logger in wandb_loggers(trainer):
            logger.log_metrics({f"{group}/best_{name}".lstrip("/"): self._best_chosen},
                               trainer.global_step)  # fmt: skip

    def teardown(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,  # noqa: ARG002
        stage: str,
    ) -> None:
        # Training has succeeded, and callbacks that write checkpoints are done.
        if stage != "fit" or not saving_makes_sense(trainer):
            return
        path = checkpoints_of(trainer) / "best.ckpt"
        for logger in wandb_loggers(trainer):
            if logger.best_checkpoint and path.is_file():
                logger.log_checkpoint(path, metadata_of(trainer, path))

    def state_dict(self) -> dict[str, Any]:
        return {
            "best_loss": self.best_loss,
            "quantity": self.quantity,
            "chosen": self._chosen,
            "best_chosen": self._best_chosen,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if recorded_quantity(state_dict, self.monitor, self._cuts_pieces) == self.quantity:
            self.best_loss = state_dict["best_loss"]
        if tuple(state_dict.get("chosen", ())) == self._chosen:
            self._best_chosen = state_dict["best_chosen"]


def wandb_loggers(trainer: lightning.Trainer) -> "list[SafeWandbLogger]":
    """The trainer's W&B loggers; none on ranks that do not log."""
    return wandb_among(trainer.loggers) if trainer.is_global_zero else []


def metadata_of(trainer: lightning.Trainer, path: Path) -> dict[str, Any]:
    """What is known about the best checkpoint."""
    for callback in trainer.callbacks:  # type: ignore[attr-defined]  # set by a connector
        if isinstance(callback, BestAndLast) and callback.best_step is not None:
            return {"step": callback.best_step, callback.monitor: callback.best_model_score}
    return {"bytes": path.stat().st_size}
