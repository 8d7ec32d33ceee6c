"""mode=train: train a model, then write a few samples; the default.

    python main.py                                     the small Folk-RNN on the built-in tunes
    python main.py model=gpt2 trainer.max_steps=5000
    python main.py ckpt=RUN/checkpoints/last.ckpt      resume that run

The run folder holds the resolved config, metrics, checkpoints, baselines and samples.
"""

import math
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lightning
from lightning.fabric.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig
from rich.console import Console

from symbotunes.checkpoints.arguments import is_own
from symbotunes.checkpoints.checkpoint import Checkpoint, unpack
from symbotunes.checkpoints.samples import write_samples
from symbotunes.config.build import build
from symbotunes.errors import UserError, first_line
from symbotunes.evaluation.evaluate import baseline_losses
from symbotunes.evaluation.sequences.baselines import Baselines
from symbotunes.files import remove_drafts
from symbotunes.models.quantities import LOSS
from symbotunes.render.console import (
    closing_lines,
    closing_table,
    interrupted_lines,
)
from symbotunes.system.ends import Ended, ends, signal_of, word_of
from symbotunes.system.locks import exclusive
from symbotunes.system.owner import writes_for_all
from symbotunes.training.allocator import keep_freed_memory
from symbotunes.training.changes import requested
from symbotunes.training.finetuning.config import finetuned, is_finetuning
from symbotunes.training.finetuning.outcome import write_outcome
from symbotunes.training.lit_data import LitData
from symbotunes.training.page import write_training_page
from symbotunes.training.processes import first_console
from symbotunes.training.prospects import announce
from symbotunes.training.resume import continued, resumed
from symbotunes.training.run import Best, Run, assemble, diverged, finish_loggers
from symbotunes.training.run_folder import refuse_other_run


def train(cfg: DictConfig) -> float | None:
    """Train, then compare with the baselines and write samples of the best checkpoint.

    Returns:
        What a search minimizes: the best value of the model's ``MONITOR``, nats per token of the
        validation where it has a likelihood; with the other sign where more is better. ``None`` if
        nothing was validated.
    """
    checkpoint, is_named = None, cfg.ckpt is not None
    if not is_named:
        cfg = finetuned(cfg)
    if is_named:
        cfg, checkpoint = resumed(cfg)
    elif (previous := continued(cfg)) is not None:
        cfg, checkpoint = previous
    elif requested(cfg) and cfg.resume != "auto":
        raise UserError("ckpt_changes is for a run that is resumed: add ckpt=PATH")
    if checkpoint is not None:
        if not announce(cfg, checkpoint, first_console()):
            return None
        if is_named and not is_own(checkpoint, cfg):
            first_console().print(
                f"Note  {checkpoint.path} is not of a run below {cfg.paths.root}: the run goes on "
                f"in a folder of its own, {cfg.paths.run_dir}",
                soft_wrap=True,
                markup=False,
            )
    folder = Path(cfg.paths.run_dir)
    resumes = checkpoint is not None and checkpoint.file.resolve().parents[1] == folder.resolve()
    if not resumes and writes_for_all():
        refuse_other_run(folder, resumes=cfg.resume == "auto")
    with exclusive(folder):
        return fitted(cfg, checkpoint)


def fitted(cfg: DictConfig, checkpoint: Checkpoint | None) -> float | None:
    """Train in the run folder, which no other process writes to; see `train`."""
    lightning.seed_everything(cfg.seed, workers=True, verbose=False)
    run = assemble(cfg, checkpoint)
    if run.trainer.is_global_zero:
        remove_drafts(run.folder / "checkpoints")
    if run.model.net.STEADY_SIZES:
        keep_freed_memory()
    completed = False
    try:
        run.trainer.fit(run.model, LitData(run.data), ckpt_path=cfg.ckpt, weights_only=True)
        completed = True
    except MisconfigurationException as error:  # what Lightning sees only now
        raise UserError(f"trainer: {first_line(error)}") from error
    except (SystemExit, RuntimeError):
        # Data workers may be killed by the signal that stops the run; it is still an interruption.
        if run.signal is None:
            raise
        if cfg.sweep.num is None:  # a sweep says how to resume all of its jobs
            run.console.print(interrupted_lines(run.folder), soft_wrap=True)
        if (line := unwritten(run)) is not None:
            run.console.print(f"Warning  {line}", soft_wrap=True, markup=False)
        raise SystemExit(128 + run.signal) from None
    finally:
        finish_loggers(run.trainer, completed=completed)
    return concluded(run)


def concluded(run: Run) -> float | None:
    """What follows a training, which may be stopped without an effect on the training itself.

    Raises:
        SystemExit: if a signal stops it, with its status.
    """
    try:
        if run.signal is not None and ends(run.signal):  # which came after the last step
            raise Ended(run.signal)
        return conclude(run)
    except (KeyboardInterrupt, Ended) as end:
        kept = f", and its checkpoint is {run.best_checkpoint}" if run.best_checkpoint else ""
        run.console.print(
            f"{word_of(end)} after the training, which is complete{kept}",
            soft_wrap=True,
            markup=False,
        )
        raise SystemExit(128 + signal_of(end)) from None


def conclude(run: Run) -> float | None:
    """Baselines, samples and what to type next; the value that a sweep minimizes.

    None of it can fail the training, which has succeeded: see `spared`.
    """
    found = run.best
    value = found.to_minimize if found is not None else None
    if not run.trainer.is_global_zero:
        return value
    if (loss := diverged(run)) is not None:
        run.console.print(
            f"Warning  the training has diverged: {loss} at its end; lower model.optimizer.lr, or "
            "train with trainer.precision=32-true",
            soft_wrap=True,
        )
    best = run.best_checkpoint
    lost = unwritten(run)
    if best is None:
        if lost is not None:
            raise UserError(lost)
        return value
    if found is not None and math.isfinite(found.value):
        with spared("the table of n-gram models", best, run.console):
            _print_table(run, found)
    if is_finetuning(run.cfg):
        with spared("what was learned and forgotten", best, run.console):
            for line in write_outcome(run, best):
                run.console.print(line, soft_wrap=True, markup=False)
    listen = "no samples"
    with spared("samples", best, run.console):
        listen = str(_write_samples(run, best))
    with spared("training.html", best, run.console):
        write_training_page(run.folder)  # once more, with these samples
    longer = "max_steps=N" if run.trainer.max_steps > 0 else "max_time=DD:HH:MM:SS"
    run.console.print(closing_lines(run.folder, best, listen, longer), soft_wrap=True)
    if lost is not None:
        raise UserError(lost)
    return value


def unwritten(run: Run) -> str | None:
    """What a run has kept of its checkpoints, if the newest could not be written."""
    if not any(getattr(call, "last_save_failed", False) for call in run.callbacks):
        return None
    paths = [run.folder / "checkpoints" / name for name in ("best.ckpt", "last.ckpt")]
    kept = [f"{path.name} of step {unpack(path).steps:,}" for path in paths if path.is_file()]
    remains = f"kept: {', '.join(kept)}" if kept else "none is kept"
    return f"the newest checkpoints could not be written, see the warnings above; {remains}"


@contextmanager
def spared(work: str, checkpoint: Path, console: Console) -> Iterator[None]:
    """Work after a training: if it fails, a line says so, and the exit status stays 0.

    Args:
        work: what is attempted, in words.
        checkpoint: what the training has left.
        console: where the line is printed.
    """
    try:
        yield
    except Exception as error:
        if os.environ.get("SYMBOTUNES_DEBUG") == "1":
            traceback.print_exception(error)
        console.print(
            f"Warning  {work} failed: {first_line(error)}; the training is complete, and its "
            f"checkpoint is {checkpoint} (SYMBOTUNES_DEBUG=1 shows more)",
            soft_wrap=True,
            markup=False,
        )


def _print_table(run: Run, found: Best) -> None:
    orders = list(run.cfg.baselines) if found.metric == LOSS else []
    losses = Baselines()
    if orders:
        losses = baseline_losses(run.model.net, run.data, orders, run.validated)
    name = str(run.cfg.name)
    run.console.print(closing_table(found.metric, found.value, losses, name, found.mode))


def _write_samples(run: Run, best: Path) -> Path:
    return write_samples(
        unpack(best),
        build(run.cfg.sample),
        seed=run.cfg.seed,
        folder=run.folder / "samples" / "best",
        training=lambda: run.data.encoded,
        trained_on=run.data.encoded,
    )
