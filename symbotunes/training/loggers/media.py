"""Samples as audio, piano roll, notation and table on Weights & Biases."""

import io
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

import wandb

from symbotunes.generation.sample import Sample
from symbotunes.render.forms import FORMS, Show
from symbotunes.training.loggers.wandb import SafeWandbLogger

COLUMNS: list[str | int] = [
    "step", "name", "seed", "abc", "nats per token", "finished", "right bars",
]  # fmt: skip


def log_samples(
    logger: SafeWandbLogger, samples: Sequence[Sample], folder: Path, *, step: int
) -> None:
    """Log a panel; each sample has its own keys, so that its changes can be heard.

    Args:
        logger: the logger to use.
        samples: samples in the order of the page.
        folder: folder where `symbotunes.render.gallery` wrote them; missing forms are skipped.
        step: optimizer steps of the model so far, for the table and the x axis.
    """
    row: dict[str, object] = {"samples/table": sample_table(samples, step)}
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
    for form in FORMS.values():
        path = stem.with_name(f"{stem.name}.{form.suffix}")
        if form.logged and form.show and path.is_file():
            media[form.name] = MEDIA[form.show](path, title)
    return media


def _audio(path: Path, title: str) -> wandb.Audio:
    return wandb.Audio(str(path), caption=title)


def _picture(path: Path, title: str) -> wandb.Image | wandb.Html:
    if path.suffix == ".svg":
        return _html(path.read_text(encoding="utf-8"))
    return wandb.Image(str(path), caption=title)


def _text(path: Path, title: str) -> wandb.Html:
    return _html(f"<title>{escape(title)}</title><pre>{escape(path.read_text('utf-8'))}</pre>")


def _html(body: str) -> wandb.Html:
    page = f'<!doctype html><meta charset="utf-8">{body}'
    return wandb.Html(io.StringIO(page), inject=False)


MEDIA: dict[Show, Callable[[Path, str], object]] = {
    "player": _audio,
    "roll": _picture,
    "drawing": _picture,
    "text": _text,
}


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
