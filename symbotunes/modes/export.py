"""mode=export: write a model as a folder for the Hugging Face Hub; ckpt=FOLDER loads it.

python main.py mode=export export.out=my_model
python main.py mode=export export.out=my_model export.push=owner/name
"""

from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from symbotunes.checkpoints.checkpoint import unpack
from symbotunes.checkpoints.export import ExportPlan, hub_api, push, write_export
from symbotunes.checkpoints.reopen import newest_checkpoint
from symbotunes.config.build import build
from symbotunes.config.commands import command
from symbotunes.config.overrides import FIXED, refuse_overrides
from symbotunes.errors import UserError


def export(cfg: DictConfig) -> None:
    """Write ``cfg.ckpt``, or the best checkpoint of the newest run, as a folder; then upload it."""
    refuse_overrides(
        cfg, FIXED, "an export uses the model of its checkpoint; choose another ckpt=PATH"
    )
    plan: ExportPlan = build(cfg.export)
    sampling = build(cfg.sample).plain
    if sampling is None:
        raise UserError("an export draws plain samples: use sample=default")
    api = hub_api() if plan.push else None
    path = Path(cfg.ckpt) if cfg.ckpt else newest_checkpoint(Path(cfg.paths.root))
    folder = Path(plan.out) if plan.out else Path(cfg.paths.run_dir)
    write_export(unpack(path), plan, sampling, seed=cfg.seed, folder=folder)
    console = Console()
    console.print(command({"mode": "sample", "ckpt": folder}), soft_wrap=True, markup=False)
    if api is not None and plan.push:
        console.print(f"Uploaded  {push(api, folder, plan.push, private=plan.private)}")
