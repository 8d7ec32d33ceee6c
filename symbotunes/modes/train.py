"""mode=train: from a config to a trained model, its baselines and its first samples."""

from dataclasses import dataclass
from pathlib import Path

import lightning
from lightning.pytorch.callbacks import Checkpoint as Checkpointing
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from symbotunes.checkpoints.arguments import is_own
from symbotunes.checkpoints.checkpoint import Checkpoint, CheckpointError, pack, unpack
from symbotunes.checkpoints.weights import read_weights
from symbotunes.config.overrides import (
    build,
    build_chain,
    build_data,
    build_many,
    continued,
    load_weights,
    resumed,
)
from symbotunes.data.module import MusicData
from symbotunes.errors import UserError
from symbotunes.evaluation.sequences.baselines import ngram_losses
from symbotunes.models.base import LatentModel, SequenceModel
from symbotunes.modes.sample import write_samples
from symbotunes.render.console import (
    closing_lines,
    comparison_table,
    interrupted_lines,
    receipt_table,
)
from symbotunes.training.allocator import keep_freed_memory
from symbotunes.training.callbacks.checkpoints import BestAndLast
from symbotunes.training.callbacks.interrupt import OnInterrupt
from symbotunes.training.lit_model import LitModel


@dataclass(frozen=True)
class Run:
    """All that one training is made of."""

    cfg: DictConfig
    data: MusicData
    model: LitModel
    trainer: lightning.Trainer
    callbacks: list[lightning.Callback]
    console: Console

    @property
    def folder(self) -> Path:
        """Where the run writes."""
        return Path(self.cfg.paths.run_dir)

    @property
    def signal(self) -> int | None:
        """Number of the signal that ended training early."""
        found = [call for call in self.callbacks if isinstance(call, OnInterrupt)]
        return found[0].signal_received if found else None

    @property
    def best_checkpoint(self) -> Path | None:
        """The best checkpoint, or the last if nothing was validated."""
        folder = self.folder / "checkpoints"
        found = [folder / name for name in ("best.ckpt", "last.ckpt") if (folder / name).is_file()]
        return found[0] if found else None

    @property
    def best_loss(self) -> float | None:
        """Best validation loss of the whole run, in nats per token."""
        for callback in self.callbacks:
            if isinstance(callback, BestAndLast) and callback.best_model_score is not None:
                return float(callback.best_model_score)
        logged = self.trainer.callback_metrics.get("val/loss")
        return None if logged is None else float(logged)


def train(cfg: DictConfig) -> float | None:
    """Train, then compare with the baselines and write samples of the best checkpoint.

    Returns:
        The best validation loss in nats per token, or ``None`` if nothing was validated.
    """
    checkpoint = None
    if cfg.ckpt is not None:
        cfg, checkpoint = resumed(cfg)
        if not is_own(checkpoint, cfg):
            Console().print(
                f"Note  {checkpoint.path} is not of a run below {cfg.paths.root}: the run goes on "
                f"in a folder of its own, {cfg.paths.run_dir}",
                soft_wrap=True,
                markup=False,
            )
    elif (going_on := continued(cfg)) is not None:
        cfg, checkpoint = going_on
    lightning.seed_everything(cfg.seed, workers=True, verbose=False)
    run = assemble(cfg, checkpoint)
    if isinstance(run.model.net, LatentModel):
        keep_freed_memory()
    completed = False
    try:
        run.trainer.fit(run.model, run.data, ckpt_path=cfg.ckpt, weights_only=True)
        completed = True
    except (SystemExit, RuntimeError):
        # Data workers may die of the signal that stops the run; it is an interruption all the same.
        if run.signal is None:
            raise
        run.console.print(interrupted_lines(run.folder), soft_wrap=True)
        raise SystemExit(128 + run.signal) from None
    finally:
        finish_loggers(run.trainer, completed=completed)
    return conclude(run)


def assemble(cfg: DictConfig, checkpoint: Checkpoint | None) -> Run:
    """Prepare the data and build everything that training needs."""
    # A bad value costs no preparation, and no training.
    build(cfg.trainer, logger=False, enable_checkpointing=False)
    build(cfg.sample)
    console = Console()
    chain = build_chain(cfg)
    source = None
    if checkpoint is None and cfg.model.init_from:
        source = read_weights(Path(cfg.model.init_from))
        source.give_vocabulary(chain.tokenizer)
    elif checkpoint is not None and cfg.model.init_from:
        chain.tokenizer.load_state(checkpoint.tokenizer)  # which came with those weights
    data = build_data(cfg, chain)
    encoded = data.encoded
    console.print(receipt_table(encoded.receipt, str(cfg.name)))
    if checkpoint is not None and encoded.fingerprint != checkpoint.data:
        console.print(
            "Note  these are not quite the data of the first part of this run: its files have "
            "changed since, or another version of Symbotunes has prepared them",
            soft_wrap=True,
        )
    if checkpoint is not None and checkpoint.tokenizer != dict(chain.tokenizer.state()):
        raise CheckpointError(
            f"{checkpoint.path} was trained on other data: the dataset now gives another vocabulary"
        )
    model = build(
        cfg.model,
        vocabulary=chain.tokenizer.vocabulary,
        compiled=cfg.compile,
        recipe=pack(cfg, chain.tokenizer.state(), data=encoded.fingerprint),
    )
    if source is not None:
        source.check(model.net, chain.tokenizer.vocabulary.size)
        try:
            load_weights(model.net, source.tensors, str(cfg.model.init_from))
        except CheckpointError as error:
            raise CheckpointError(f"{error}; choose the model=... of these weights") from error
    callbacks, loggers = build_many(cfg.callbacks), build_many(cfg.logger)
    trainer = build(
        cfg.trainer,
        callbacks=callbacks,
        logger=loggers or False,
        enable_checkpointing=any(isinstance(call, Checkpointing) for call in callbacks),
    )
    for logger in loggers:
        logger.log_hyperparams(OmegaConf.to_container(cfg, resolve=True))
    return Run(cfg, data, model, trainer, callbacks, console)


def finish_loggers(trainer: lightning.Trainer, *, completed: bool) -> None:
    """Close what a logger keeps open, so that the next job of a sweep starts its own run."""
    for logger in trainer.loggers:
        if hasattr(logger, "finish"):
            logger.finish(0 if completed else 1)


def conclude(run: Run) -> float | None:
    """Baselines, samples and what to type next; the value that a sweep optimizes."""
    value = run.best_loss
    if not run.trainer.is_global_zero:
        return value
    best = run.best_checkpoint
    if best is None:
        return value
    if value is not None and run.cfg.baselines and isinstance(run.model.net, SequenceModel):
        losses = ngram_losses(run.data.encoded, run.data.chain, list(run.cfg.baselines))
        run.console.print(comparison_table(value, losses, str(run.cfg.name)))
    folder = run.folder / "samples" / "best"
    try:
        listen = str(
            write_samples(
                unpack(best),
                build(run.cfg.sample),
                seed=run.cfg.seed,
                folder=folder,
                training=lambda: run.data.encoded,
            )
        )
    except UserError as error:  # the training is done all the same
        listen = f"no samples: {error}"
    run.console.print(closing_lines(run.folder, best, listen), soft_wrap=True)
    unsaved = [call for call in run.callbacks if getattr(call, "last_save_failed", False)]
    if unsaved:
        raise UserError("the last checkpoint could not be written; see the warnings above")
    return value
