"""mode=sample: write music with a trained model: .abc .mid .mp3 .wav .png .svg, a listening page.

python main.py mode=sample                         the newest run; pretrained/folk_rnn without one
python main.py mode=sample ckpt=pretrained/folk_rnn sample.num=8 sample.temperature=0.8
python main.py mode=sample 'sample.prompt="M:6/8 K:Cdor"' sample.constraint=null
python main.py mode=sample sample=interpolate sample.a=a.mid sample.b=b.abc
"""

from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from symbotunes.checkpoints.checkpoint import unpack
from symbotunes.checkpoints.likeness import data_at_hand
from symbotunes.checkpoints.reopen import FIRST_MODEL, data_of, newest_or_shipped
from symbotunes.checkpoints.samples import write_samples
from symbotunes.config.build import build
from symbotunes.config.overrides import FIXED, refuse_overrides
from symbotunes.generation.compose import Plan


def sample(cfg: DictConfig) -> None:
    """Sample ``cfg.ckpt``, the best checkpoint of the newest run, or a model included here."""
    plan: Plan = build(cfg.sample)
    reads = ["dataset"] if plan.READS_DATASET else []
    refuse_overrides(
        cfg,
        [group for group in FIXED if group not in reads],
        "a sample uses the model and transforms of its checkpoint; choose another ckpt=PATH",
    )
    root = Path(cfg.paths.root)
    path = Path(cfg.ckpt) if cfg.ckpt else newest_or_shipped(root)
    folder = Path(plan.out) if plan.out else Path(cfg.paths.run_dir)
    checkpoint = unpack(path)
    if not cfg.ckpt and path == Path(FIRST_MODEL):
        note = f"Note    no trained model below {root}: this one comes with Symbotunes"
        Console().print(note, soft_wrap=True, markup=False)
    Console().print(f"Model   {path}, {checkpoint.steps:,} steps", soft_wrap=True, markup=False)
    page = write_samples(
        checkpoint,
        plan,
        seed=cfg.seed,
        folder=folder,
        training=lambda: data_of(checkpoint, cfg).encoded,
        trained_on=data_at_hand(checkpoint, Path(cfg.loader.cache)),
    )
    Console().print(f"Listen  {page}", soft_wrap=True)
