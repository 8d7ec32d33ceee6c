"""mode=sample: write music with a trained model."""

from pathlib import Path

import lightning
from omegaconf import DictConfig
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from symbotunes.checkpoints.checkpoint import Checkpoint, unpack
from symbotunes.config.overrides import (
    FIXED,
    build,
    data_of,
    newest_checkpoint,
    rebuild,
    refuse_overrides,
)
from symbotunes.errors import UserError
from symbotunes.generation.latent.plan import AttributePlan, LatentPlan, Training
from symbotunes.generation.sequences.plan import SamplePlan
from symbotunes.render.gallery import write_gallery


def sample(cfg: DictConfig) -> None:
    """Sample ``cfg.ckpt``, or the best checkpoint of the newest run, to a folder of music."""
    plan: SamplePlan | LatentPlan = build(cfg.sample)
    reads = ["dataset"] if isinstance(plan, AttributePlan) else []
    refuse_overrides(
        cfg,
        [group for group in FIXED if group not in reads],
        "a sample uses the model and transforms of its checkpoint; choose another ckpt=PATH",
    )
    path = Path(cfg.ckpt) if cfg.ckpt else newest_checkpoint(Path(cfg.paths.root))
    folder = Path(plan.out) if plan.out else Path(cfg.paths.run_dir)
    checkpoint = unpack(path)
    steps = checkpoint.content["global_step"]
    Console().print(f"Model   {path}, {steps:,} steps", soft_wrap=True, markup=False)
    page = write_samples(
        checkpoint,
        plan,
        seed=cfg.seed,
        folder=folder,
        training=lambda: data_of(checkpoint, cfg).encoded,
    )
    Console().print(f"Listen  {page}", soft_wrap=True)


def write_samples(
    checkpoint: Checkpoint,
    plan: SamplePlan | LatentPlan,
    *,
    seed: int,
    folder: Path,
    training: Training | None = None,
) -> Path:
    """Draw samples of a checkpoint and render them.

    Args:
        checkpoint: of the model, read whole.
        plan: what is drawn, and how.
        seed: of the first sample.
        folder: for the files.
        training: gives the data that the checkpoint was trained on, for plans that look at them.

    Returns:
        The listening page.

    Raises:
        UserError: if the network, the prompt or an input cannot be read, or the folder not be
            written.
    """
    path = checkpoint.path
    net, tokenizer = rebuild(checkpoint)
    lightning.seed_everything(seed, verbose=False)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task(f"Sampling from {path}", total=None)
        composition = plan.compose(
            net,
            tokenizer,
            seed,
            lambda done: progress.update(task, description=f"Sampling: token {done:,}"),
            training,
        )
        for name, found in composition.said.items():
            progress.console.print(f"{name}  {found}", soft_wrap=True, markup=False)
        progress.update(task, description="Rendering notation, piano roll and audio")
        facts = {
            "model": str(checkpoint.config.name),
            "checkpoint": str(path),
            "trained for": f"{checkpoint.content['global_step']:,} steps",
            **composition.facts,
            **composition.said,
            "seed": str(seed),
        }
        try:
            return write_gallery(
                folder,
                composition.samples,
                heading=f"Samples of {checkpoint.config.name}",
                facts=facts,
                strip=composition.strip,
            )
        except OSError as error:
            reason = error.strerror or error
            raise UserError(f"samples cannot be written to {folder}: {reason}") from error
