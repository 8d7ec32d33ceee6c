"""Samples as sound, picture and table on Weights & Biases."""

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

import wandb
from PIL import Image

from symbotunes.loggers.wandb import SafeWandbLogger
from symbotunes.render.audio import synthesize, write_wav
from symbotunes.render.roll import piano_roll_png
from symbotunes.render.sample import Sample

COLUMNS: list[str | int] = ["step", "name", "abc", "nats per token", "finished"]


def log_samples(logger: SafeWandbLogger, samples: Sequence[Sample], step: int) -> None:
    """Log a panel; the x axis is the trainer's step, as for every other metric."""
    media: dict[str, object] = {"samples/table": sample_table(samples, step)}
    with tempfile.TemporaryDirectory() as folder:
        for sample in samples:
            if sample.score is None:
                continue
            path = Path(folder) / f"{sample.name}.wav"
            write_wav(path, synthesize(sample.score))
            picture = Image.open(io.BytesIO(piano_roll_png(sample.score)))
            key = f"samples/{sample.name}"
            media[f"{key}/audio"] = wandb.Audio(str(path), caption=sample.title)
            media[f"{key}/roll"] = wandb.Image(picture, caption=sample.title)
        logger.log_metrics(media, step)  # W&B copies the files before it returns


def sample_table(samples: Sequence[Sample], step: int) -> wandb.Table:
    """One row per sample."""
    rows = [
        [step, sample.name, sample.abc or "", nats_per_token(sample), sample.finished]
        for sample in samples
    ]
    return wandb.Table(columns=COLUMNS, data=rows)


def nats_per_token(sample: Sample) -> float | None:
    """How surprising the model finds its own sample; ``None`` if it has no token."""
    if sample.nll_nats is None or not sample.generated:
        return None
    return float(sample.nll_nats / sample.generated)
