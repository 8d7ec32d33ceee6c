"""A training run: its model, data and trainer, assembled from its config."""

import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import numpy as np
from lightning.pytorch.callbacks import Checkpoint as Checkpointing
from numpy.typing import NDArray
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from symbotunes.checkpoints.checkpoint import Checkpoint, pack
from symbotunes.checkpoints.error import CheckpointError
from symbotunes.checkpoints.reopen import load_weights
from symbotunes.checkpoints.weights import read_weights
from symbotunes.config.assembly import build_chain, build_data
from symbotunes.config.build import build, build_many, class_of
from symbotunes.config.commands import setting
from symbotunes.config.overrides import names_dataset, overrides
from symbotunes.data.cache.encoded import Encoded
from symbotunes.data.module import MusicData
from symbotunes.errors import UserError, first_line
from symbotunes.render.console import dropped_line, receipt_table
from symbotunes.training.callbacks.changes import AppliedChanges
from symbotunes.training.callbacks.checkpoints import BestAndLast, chosen_monitor
from symbotunes.training.callbacks.curves import Curves
from symbotunes.training.callbacks.interrupt import OnInterrupt
from symbotunes.training.changes import changes_between
from symbotunes.training.cut_notes import notes_on_cuts
from symbotunes.training.lit_base import LitBase
from symbotunes.training.loggers.csv import RunCsvLogger
from symbotunes.training.loggers.environment import with_environment
from symbotunes.training.monitor import check_monitor, notes_on_validation
from symbotunes.training.processes import first_console
from symbotunes.training.prospects import require_length
from symbotunes.training.threads import use_threads
from symbotunes.transforms.base import Chain


@dataclass(frozen=True)
class Best:
    """How good the model of a run has been.

    Attributes:
        metric: what is measured, such as ``val/loss``.
        value: the best of it.
        mode: ``min`` if less is better, ``max`` if more is.
    """

    metric: str
    value: float
    mode: str

    @property
    def to_minimize(self) -> float:
        """What a search minimizes: the value, with the other sign where more is better."""
        return self.value if self.mode == "min" else -self.value


@dataclass(frozen=True)
class Run:
    """Everything that makes up a training run."""

    cfg: DictConfig
    data: MusicData
    model: LitBase
    trainer: lightning.Trainer
    callbacks: list[lightning.Callback]
    console: Console

    @property
    def folder(self) -> Path:
        """The folder that the run writes to."""
        return Path(self.cfg.paths.run_dir)

    @property
    def signal(self) -> int | None:
        """Number of the signal that ended training early."""
        handlers = [call for call in self.callbacks if isinstance(call, OnInterrupt)]
        return handlers[0].signal_received if handlers else None

    @property
    def best_checkpoint(self) -> Path | None:
        """The best checkpoint, or the last if nothing was validated."""
        folder = self.folder / "checkpoints"
        paths = [folder / name for name in ("best.ckpt", "last.ckpt") if (folder / name).is_file()]
        return paths[0] if paths else None

    @property
    def validated(self) -> NDArray[np.int64] | None:
        """Examples of a validation that ``trainer.limit_val_batches`` limits; ``None``: all."""
        limit, batches = self.trainer.limit_val_batches, self.trainer.num_val_batches
        is_all = isinstance(limit, float) and limit == 1.0  # the number 1 is one batch
        if is_all or not batches:
            return None
        processes = self.trainer.world_size
        return self.data.held_out_examples("val", int(batches[0]), processes)

    @property
    def best(self) -> Best | None:
        """Best value of the whole run; the newest, if no callback looks for the best."""
        for callback in self.callbacks:
            if isinstance(callback, BestAndLast) and callback.best_model_score is not None:
                return Best(callback.monitor, float(callback.best_model_score), callback.mode)
        monitor, mode = chosen_monitor(self.trainer, self.model.net)
        logged = self.trainer.callback_metrics.get(monitor)
        return None if logged is None else Best(monitor, float(logged), mode)


def diverged(run: Run) -> str | None:
    """The newest loss of a run that is not a finite number, in words; ``None`` if there is none."""
    for name in (run.model.net.MONITOR, "train/loss"):
        value = run.trainer.callback_metrics.get(name)
        if value is not None and not math.isfinite(float(value)):
            return f"{name} is {float(value)}"
    return None


def assemble(cfg: DictConfig, checkpoint: Checkpoint | None) -> Run:
    """Prepare the data and build everything that training needs."""
    # Detect bad values before preparing data and training.
    draft = build(cfg.trainer, logger=False, enable_checkpointing=False)
    class_of(cfg.model).check_trainer(draft)
    require_length(cfg)
    build(cfg.sample)
    console = first_console()
    chain = build_chain(cfg)
    source = None
    if checkpoint is None and cfg.model.init_from:
        source = read_weights(Path(cfg.model.init_from))
        source.give_vocabulary(chain.tokenizer)
    elif checkpoint is not None and cfg.model.init_from:
        chain.load_state(checkpoint.tokenizer)  # it came with those weights
    data = _prepared(cfg, chain, checkpoint, console)
    chain, encoded = data.chain, data.encoded
    model = build(
        cfg.model,
        vocabulary=chain.tokenizer.model_vocabulary,
        compiled=cfg.compile,
        recipe=pack(cfg, chain.state(), data=encoded.fingerprint, identity=encoded.identity),
    )
    if source is not None:
        source.check(model.net, chain.tokenizer.vocabulary.size)
        try:
            tensors = source.grown(model.net, chain.tokenizer)
            load_weights(model.net, tensors, str(cfg.model.init_from))
        except CheckpointError as error:
            raise CheckpointError(f"{error}; choose the model=... of these weights") from error
    for note in notes_on_cuts(chain, encoded, getattr(model.net, "context", None)):
        console.print(f"Note  {note}", soft_wrap=True)
    callbacks = [*build_many(cfg.callbacks), Curves()]
    if checkpoint is not None:
        other_data = differs(checkpoint, encoded) is not None and checkpoint.identity is not None
        changes = changes_between(checkpoint.config, cfg)
        callbacks.insert(0, AppliedChanges(changes, other_data=other_data))
    loggers = with_metrics_file(build_many(with_environment(cfg)), Path(cfg.paths.run_dir))
    trainer = build(
        cfg.trainer,
        callbacks=callbacks,
        logger=loggers,
        enable_checkpointing=any(isinstance(call, Checkpointing) for call in callbacks),
    )
    check_monitor(model, data, trainer)
    if (threads := use_threads(cfg, checkpoint, model, trainer, data)) is not None:
        console.print(f"Threads  {threads}", soft_wrap=True)
    for note in notes_on_validation(trainer, data):
        console.print(f"Note  {note}", soft_wrap=True)
    for logger in loggers:
        logger.log_hyperparams(OmegaConf.to_container(cfg, resolve=True))
    return Run(cfg, data, model, trainer, callbacks, console)


def with_metrics_file(loggers: list[Any], folder: Path) -> list[Any]:
    """The loggers, the one of ``metrics.csv`` in the run folder among them."""
    writes = any(
        isinstance(logger, RunCsvLogger) and logger.path.parent == folder for logger in loggers
    )
    return loggers if writes else [RunCsvLogger(folder), *loggers]


def _prepared(
    cfg: DictConfig, chain: Chain, checkpoint: Checkpoint | None, console: Console
) -> MusicData:
    """The data of a run, with the vocabulary of the checkpoint that it resumes."""
    data = build_data(cfg, chain)
    encoded = data.encoded
    known = checkpoint is None or checkpoint.tokenizer == chain.state()
    if checkpoint is not None and not known:
        chain = build_chain(cfg)
        chain.load_state(checkpoint.tokenizer)
        data = build_data(cfg, chain)
        encoded = data.encoded
    difference = None if checkpoint is None else differs(checkpoint, encoded)
    if checkpoint is not None and difference and names_dataset(cfg):
        refuse_other_data(cfg, checkpoint, difference)
    blocks = {} if console.quiet else data.count_blocks()  # which all processes would count
    console.print(receipt_table(encoded.receipt, str(cfg.name), blocks=blocks))
    console.print(dropped_line(encoded), soft_wrap=True, end="")
    if difference is not None:
        lost = "" if known else "; pieces with tokens that the model does not know are left out"
        console.print(
            "Note  the data differ from those of the first part of this run: the files have "
            "changed since, or a different version of Symbotunes prepared them"
            f"{f' ({difference})' if difference else ''}{lost}",
            soft_wrap=True,
            markup=False,
        )
    return data


def differs(checkpoint: Checkpoint, encoded: Encoded) -> str | None:
    """How data differ from those of a checkpoint, as far as it tells; ``None`` if they do not."""
    if encoded.fingerprint == checkpoint.data:
        return None
    return "" if checkpoint.identity is None else encoded.identity.differs_from(checkpoint.identity)


def refuse_other_data(cfg: DictConfig, checkpoint: Checkpoint, difference: str) -> None:
    """Raise `UserError` if the command line leads to data other than those of the first part."""
    saved, given = checkpoint.config.dataset, cfg.dataset
    if OmegaConf.to_container(saved) == OmegaConf.to_container(given, resolve=True):
        return  # the files of the first part have changed, which a note says
    given_last = {word.partition("=")[0]: word for word in overrides(cfg)}
    words = [word for key, word in given_last.items() if key.startswith("dataset.")]
    raise UserError(
        f"{' '.join(words) or 'dataset'}: these are not the data of the run ({difference}); give "
        "the path of those that it was trained on, or start a new run from its weights: "
        f"{setting('model.init_from', checkpoint.path)} instead of ckpt"
    )


def finish_loggers(trainer: lightning.Trainer, *, completed: bool) -> None:
    """Close the loggers, so that the next job of a sweep starts its own run.

    One that cannot be closed warns: how the training ended does not depend on it.
    """
    for logger in trainer.loggers:
        if not hasattr(logger, "finish"):
            continue
        try:
            logger.finish(0 if completed else 1)
        except Exception as error:
            name = type(logger).__name__
            warnings.warn(f"{name} was not closed: {first_line(error)}", stacklevel=2)
