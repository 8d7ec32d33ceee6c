"""Samples as audio, piano roll, notation and table on Weights & Biases."""

import io
from collections.abc import Sequence
from pathlib import Path

import wandb

from symbotunes.generation.sample import Sample
from symbotunes.training.loggers.wandb import SafeWandbLogger

COLUMNS: list[str | int] = [
    "step", "name", "seed", "abc", "nats per token", "finished", "right bars",
]  # fmt: skip


def log_samples(
    logger: SafeWandbLogger, samples: Sequence[Sample], folder: Path, *, trained: int, step: int
) -> None:
    """Log a panel; each sample has its own keys, so that its changes can be heard.

    Args:
        logger: the logger to use.
        samples: samples in the order of the page.
        folder: folder where `symbotunes.render.gallery` wrote them; missing forms are skipped.
        trained: optimizer steps of the model so far, for the table.
        step: position on the x axis.
    """
    row: dict[str, object] = {"samples/table": sample_table(samples, trained)}
    for sample in samples:
        row |= {
            f"samples/{sample.name}/{form}": medium
            for form, medium in media_of(folder / sample.name, sample.title).items()
        }
    logger.log_metrics(row, step)  # W&B copies the files before it returns


def media_of(stem: Path, title: str) -> dict[str, object]:
    """The media of a sample, by form.

    Args:
        stem: path of its files without their suffixes.
        title: caption.
    """
    media: dict[str, object] = {}
    sound, roll, notation = (
        stem.with_name(f"{stem.name}.{suffix}") for suffix in ("wav", "png", "svg")
    )
    if sound.is_file():
        media["audio"] = wandb.Audio(str(sound), caption=title)
    if roll.is_file():
        media["roll"] = wandb.Image(str(roll), caption=title)
    if notation.is_file():
        page = f'<!doctype html><meta charset="utf-8">{notation.read_text(encoding="utf-8")}'
        media["notation"] = wandb.Html(io.StringIO(page), inject=False)
    return media


def sample_table(samples: Sequence[Sample], trained: int) -> wandb.Table:
    """One row per sample; fractions of bars from 0 to 1."""
    rows = [
        [
            trained,
            sample.name,
            sample.seed,
            sample.abc or "",
            nats_per_token(sample),
            sample.finished,
            (sample.right_bars or 0) / sample.bars if sample.bars else None,
        ]
        for sample in samples
    ]
    return wandb.Table(columns=COLUMNS, data=rows)


def nats_per_token(sample: Sample) -> float | None:
    """How surprising the model finds its own sample; ``None`` if it has no tokens."""
    if sample.nll_nats is None or not sample.generated:
        return None
    return float(sample.nll_nats / sample.generated)
