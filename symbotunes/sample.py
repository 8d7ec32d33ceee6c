"""mode=sample: write music with a trained model."""

from pathlib import Path

import lightning
from omegaconf import DictConfig
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from symbotunes.checkpoint import unpack
from symbotunes.composing import SamplePlan, draw_samples
from symbotunes.config import FIXED, build, newest_checkpoint, rebuild, refuse_overrides
from symbotunes.render.gallery import write_gallery


def sample(cfg: DictConfig) -> None:
    """Sample ``cfg.ckpt``, or the best checkpoint of the newest run, to a folder of music."""
    refuse_overrides(
        cfg,
        FIXED,
        "a sample uses the model and transforms of its checkpoint; choose another ckpt=PATH",
    )
    plan: SamplePlan = build(cfg.sample)
    path = Path(cfg.ckpt) if cfg.ckpt else newest_checkpoint(Path(cfg.paths.root))
    folder = Path(plan.out) if plan.out else Path(cfg.paths.run_dir)
    page = write_samples(path, plan, seed=cfg.seed, folder=folder)
    Console().print(f"Listen  {page}", soft_wrap=True)


def write_samples(path: Path, plan: SamplePlan, *, seed: int, folder: Path) -> Path:
    """Draw samples of a checkpoint and render them.

    Returns:
        The listening page.

    Raises:
        UserError: if the checkpoint or the prompt cannot be read.
    """
    checkpoint = unpack(path)
    net, tokenizer = rebuild(checkpoint)
    lightning.seed_everything(seed, verbose=False)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task(f"Sampling {plan.num} from {path}", total=None)
        samples = draw_samples(
            net,
            tokenizer,
            plan,
            seed,
            lambda done: progress.update(task, description=f"Sampling {plan.num}: token {done}"),
        )
        progress.update(task, description="Rendering notation, piano roll and audio")
        facts = {
            "model": str(checkpoint.config.name),
            "checkpoint": str(path),
            "trained for": f"{checkpoint.content['global_step']:,} steps",
            "temperature": f"{plan.temperature:g}",
            "top-k": str(plan.top_k or "off"),
            "top-p": f"{plan.top_p:g}" if plan.top_p < 1 else "off",
            "seed": str(seed),
        }
        if plan.prompt:
            facts["prompt"] = plan.prompt
        return write_gallery(
            folder, samples, heading=f"Samples of {checkpoint.config.name}", facts=facts
        )
