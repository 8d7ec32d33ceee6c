"""mode=train: train a model, then write a few samples; the default.

    python main.py                                     the small Folk-RNN on the built-in tunes
    python main.py model=gpt2 trainer.max_steps=5000
    python main.py ckpt=RUN/checkpoints/last.ckpt      resume that run

The run folder holds the resolved config, metrics, checkpoints, baselines and samples.
"""

import lightning
from omegaconf import DictConfig
from rich.console import Console

from symbotunes.checkpoints.arguments import is_own
from symbotunes.checkpoints.checkpoint import unpack
from symbotunes.checkpoints.samples import write_samples
from symbotunes.config.build import build
from symbotunes.errors import UserError
from symbotunes.evaluation.sequences.baselines import ngram_losses
from symbotunes.models.base import LatentModel, SequenceModel
from symbotunes.render.console import (
    closing_lines,
    comparison_table,
    interrupted_lines,
)
from symbotunes.training.allocator import keep_freed_memory
from symbotunes.training.resume import continued, resumed
from symbotunes.training.run import Run, assemble, finish_loggers


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
    elif (previous := continued(cfg)) is not None:
        cfg, checkpoint = previous
    lightning.seed_everything(cfg.seed, workers=True, verbose=False)
    run = assemble(cfg, checkpoint)
    if isinstance(run.model.net, LatentModel):
        keep_freed_memory()
    completed = False
    try:
        run.trainer.fit(run.model, run.data, ckpt_path=cfg.ckpt, weights_only=True)
        completed = True
    except (SystemExit, RuntimeError):
        # Data workers may be killed by the signal that stops the run; it is still an interruption.
        if run.signal is None:
            raise
        run.console.print(interrupted_lines(run.folder), soft_wrap=True)
        raise SystemExit(128 + run.signal) from None
    finally:
        finish_loggers(run.trainer, completed=completed)
    return conclude(run)


def conclude(run: Run) -> float | None:
    """Print baselines, samples and what to type next; return the value that a sweep optimizes."""
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
    except UserError as error:  # the training itself succeeded
        listen = f"no samples: {error}"
    run.console.print(closing_lines(run.folder, best, listen), soft_wrap=True)
    unsaved = [call for call in run.callbacks if getattr(call, "last_save_failed", False)]
    if unsaved:
        raise UserError("the last checkpoint could not be written; see the warnings above")
    return value
