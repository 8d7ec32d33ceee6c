"""The model card: the ``README.md`` of an exported model, with front matter for the hub."""

import inspect
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf

from symbotunes.checkpoints.checkpoint import Checkpoint
from symbotunes.checkpoints.error import CheckpointError
from symbotunes.checkpoints.lineage import parents_of
from symbotunes.checkpoints.published import HUB, LIBRARY
from symbotunes.checkpoints.trust import READING, refuse_strangers, targets
from symbotunes.config.build import class_of
from symbotunes.config.locations import collection_name
from symbotunes.data.split import CONTENT
from symbotunes.datasets.base import printable
from symbotunes.errors import UserError
from symbotunes.models.quantities import BOUND, LOSS, NLL
from symbotunes.render.templates import render


@dataclass(frozen=True)
class Metric:
    """One measured figure.

    Attributes:
        name: its key in reports, such as ``nats_per_token``.
        subject: what was measured: a split, or generated tunes.
        value: the figure.
        interval: ends of its confidence interval, where it has one.
    """

    name: str
    subject: str
    value: float
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Card:
    """The content of a card that is not in the checkpoint.

    Attributes:
        title: heading.
        license: the hub's identifier for the license of the weights, or ``None``.
        data: description of the data; ``None``: that of the dataset.
        parameters: number of weights.
        dtype: type of the weights in the file.
        metrics: measured figures.
        samples: names of sample files, relative to the card.
        name: under which others can load it: ``hub:owner/name``, or a folder.
    """

    title: str
    license: str | None
    data: str | None
    parameters: int
    dtype: str
    metrics: Sequence[Metric] = ()
    samples: Sequence[str] = field(default_factory=tuple)
    name: str = "FOLDER"


def model_card(checkpoint: Checkpoint, card: Card) -> str:
    """The card as text."""
    config = checkpoint.config
    body = render(
        "card.md",
        title=_title(card),
        kind=_class(config.model.net),
        parameters=card.parameters,
        dtype=card.dtype,
        parents=parents_of(checkpoint),
        name=card.name,
        network=list(_flat(config.model.net)),
        training=_regime(checkpoint),
        data=card.data or data_words(checkpoint),
        transforms=list(map(str, config.transforms)),
        fingerprint=checkpoint.data,
        metrics=[_row(metric) for metric in card.metrics],
        samples=card.samples,
    )
    return f"---\n{_front_matter(checkpoint, card)}\n---\n\n{body}"


def _front_matter(checkpoint: Checkpoint, card: Card) -> str:
    """The front matter for the hub, written by its own package."""
    from huggingface_hub import EvalResult, ModelCardData

    data = data_name(checkpoint)
    results = [
        EvalResult(
            task_type="music-generation",
            dataset_type=re.sub(r"[^\w.]+", "-", data.lower()).strip("-"),
            dataset_name=f"{data} ({metric.subject})",
            dataset_split=metric.subject,  # the hub merges results that differ only in their name
            metric_type=metric.name,
            metric_value=round(metric.value, 4),
        )
        for metric in card.metrics
    ]
    hubs = [parent.source for parent in parents_of(checkpoint) if parent.source.startswith(HUB)]
    matter = ModelCardData(
        library_name=LIBRARY,
        license=card.license or "other",
        tags=["music", "symbolic-music", _class(checkpoint.config.model.net).lower()],
        model_name=_title(card) if results else None,
        eval_results=results or None,
        base_model=[name.removeprefix(HUB).partition("@")[0] for name in hubs] or None,
    )
    return str(matter.to_yaml())


def _title(card: Card) -> str:
    """On one line."""
    return " ".join(card.title.split())


def _row(metric: Metric) -> tuple[str, str, str, str]:
    span = "" if metric.interval is None else "{:.4g} to {:.4g}".format(*metric.interval)
    return metric.name, metric.subject, f"{metric.value:.4g}", span


def _class(node: Any) -> str:
    return str(node.get("_target_", "model")).rpartition(".")[2]


def _flat(node: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in node.items():
        if OmegaConf.is_dict(value):
            yield f"{prefix}{key}", _class(value) if "_target_" in value else ""
            yield from _flat(value, f"{prefix}{key}.")
        elif not str(key).startswith("_"):
            yield f"{prefix}{key}", str(value)


def _regime(checkpoint: Checkpoint) -> list[tuple[str, str]]:
    model, loader = checkpoint.config.model, checkpoint.config.loader
    rows = [
        ("data", data_name(checkpoint)),
        ("optimizer steps", f"{checkpoint.steps:,}"),
        ("tokens", f"{checkpoint.tokens:,}"),
    ]
    for part in ("optimizer", "scheduler"):
        node = model.get(part)
        if node is not None:
            rows += [(part, _class(node)), *_flat(node, f"{part}.")]
    for parts in ("optimizers", "schedulers"):  # of a model whose parts have one each
        rows += _flat(model.get(parts) or {}, f"{parts}.")
    rows += [("gradient norm at most", str(model.get("clip_norm")))]
    keys = ("batch_size", "batch_tokens", "min_tokens", "max_tokens")
    rows += [(f"loader.{key}", str(loader[key])) for key in keys if loader.get(key) is not None]
    rows += [(f"share held out for {key}", str(loader.split[key])) for key in ("val", "test")]
    rows += [("what is held out as a whole", str(loader.split.get("by", CONTENT)))]
    return [*rows, ("seed", str(checkpoint.config.get("seed")))]


def data_name(checkpoint: Checkpoint) -> str:
    """What people call the data of a checkpoint: the folder's name of a collection of one's own."""
    if checkpoint.identity is not None:
        return " ".join(printable(checkpoint.identity.name).split())
    dataset = checkpoint.config.dataset
    try:
        refuse_strangers(checkpoint.path, dataset, READING)
    except CheckpointError:  # its classes must not even be imported
        return _class(dataset)
    return collection_name(OmegaConf.to_container(dataset))


def data_words(checkpoint: Checkpoint) -> str:
    """Source, license and citation as the dataset's own module states them."""
    dataset = checkpoint.config.dataset
    refuse_strangers(checkpoint.path, dataset, READING)
    modules = dict.fromkeys(target.rpartition(".")[0] for target in targets(dataset))
    said = [inspect.getdoc(import_module(name)) or "" for name in modules]
    return "\n\n".join(filter(None, said)) or "Not described."


def best_loss(checkpoint: Checkpoint) -> list[Metric]:
    """The best validation loss of the training, if the checkpoint has it."""
    if checkpoint.best is None:
        return []
    measured_on = "val split" if checkpoint.monitor.startswith("val/") else "training itself"
    subject = f"{measured_on}, best of the training"
    return [Metric(_metric_name(checkpoint), subject, checkpoint.best)]


def _metric_name(checkpoint: Checkpoint) -> str:
    if checkpoint.monitor != LOSS:
        return checkpoint.monitor.removeprefix("val/")
    is_bound = getattr(class_of(checkpoint.config.model.net), "LOSS", NLL) == BOUND
    if is_bound and checkpoint.quantity is None:  # written by an earlier version
        return "reconstruction_nats_per_token"
    return "nats_per_token"


def read_report(path: Path) -> list[Metric]:
    """Figures of a ``report.json`` of mode=evaluate: those of the model and of its own tunes.

    Raises:
        UserError: if it is not such a report.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        return list(_reported(report))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
        raise UserError(f"export.report={path} is not a report.json of mode=evaluate") from error


def _reported(report: Mapping[str, Any]) -> Iterator[Metric]:
    if "held_out" not in report:  # of a model of windows
        if "reconstruction" in report:
            found = report["reconstruction"]
            yield from _intervals(found, f"reconstruction, {found['split']} split")
        else:
            generated = report["sets"][0]
            yield from _intervals(generated["figures"], f"{generated['windows']} new windows")
        for notes in report["prior"]:
            yield from _intervals(notes["overlaps"], f"overlap in {notes['name']}")
        return
    held_out, generated = report["held_out"], report["sets"][0]
    ours = next(iter(held_out["models"].values()))
    yield from _intervals(ours, f"{held_out['split']} split")
    yield from _intervals(generated["figures"], f"{generated['tunes']} generated tunes")


def _intervals(node: Any, subject: str, name: str = "") -> Iterator[Metric]:
    """Every figure with its interval at or below a node of a report."""
    if not isinstance(node, dict):
        return
    if set(node) == {"value", "low", "high"}:
        low, high = node["low"], node["high"]
        if node["value"] is not None:  # which it is where the music leaves a figure undefined
            # Of few pieces there is no interval.
            ends = None if low is None or high is None else (low, high)
            yield Metric(name, subject, node["value"], ends)
        return
    for key, value in node.items():
        yield from _intervals(value, subject, f"{name} {key}".strip())


def card_metrics(folder: Path) -> list[Metric]:
    """The figures in the front matter of a card; none if there is no card, or it has none.

    Args:
        folder: of an exported model.
    """
    try:
        _, matter, _ = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
        (model,) = yaml.safe_load(matter)["model-index"]
        return [
            Metric(str(figure["type"]), str(result["dataset"]["name"]), float(figure["value"]))
            for result in model["results"]
            for figure in result["metrics"]
        ]
    except (OSError, ValueError, LookupError, TypeError, yaml.YAMLError):
        return []
