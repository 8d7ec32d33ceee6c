"""Samples as sound, picture and table on Weights & Biases."""

import io
from collections.abc import Sequence

import wandb
from PIL import Image

from symbotunes.loggers.wandb import SafeWandbLogger
from symbotunes.render.audio import synthesize
from symbotunes.render.roll import piano_roll_png
from symbotunes.render.sample import Sample

SAMPLE_RATE = 22050  # Hz; half of a CD's, since dashboards upload every panel
COLUMNS: list[str | int] = ["step", "name", "abc", "nats per token", "finished"]


def log_samples(logger: SafeWandbLogger, samples: Sequence[Sample], step: int) -> None:
    """Log a panel; the x axis is the trainer's step, as for every other metric."""
    media: dict[str, object] = {"samples/table": sample_table(samples, step)}
    for sample in samples:
        if sample.score is None:
            continue
        key = f"samples/{sample.name}"
        sound = synthesize(sample.score, SAMPLE_RATE)
        media[f"{key}/audio"] = wandb.Audio(sound, SAMPLE_RATE, caption=sample.title)
        picture = Image.open(io.BytesIO(piano_roll_png(sample.score)))
        media[f"{key}/roll"] = wandb.Image(picture, caption=sample.title)
    logger.log_metrics(media, step)


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
