"""mode=compare: compare several trained models on one page.

python main.py mode=compare 'compare.ckpts=[A.ckpt,B.ckpt]'
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.markup import escape

from symbotunes.checkpoints.checkpoint import Checkpoint, unpack
from symbotunes.checkpoints.names import model_names, run_of
from symbotunes.checkpoints.reopen import data_of, other_data, rebuild
from symbotunes.config.build import build
from symbotunes.config.overrides import FIXED, names_dataset, refuse_overrides
from symbotunes.data.cache.encoded import Encoded
from symbotunes.errors import UserError
from symbotunes.evaluation.comparison.findings import Column, Comparison, Reference, Training
from symbotunes.evaluation.comparison.measuring import (
    ComparisonPlan,
    Contender,
    measure_contender,
)
from symbotunes.evaluation.comparison.pieces import LEAST_PIECES, Shared, restricted, shared_pieces
from symbotunes.evaluation.comparison.verdict import differences
from symbotunes.evaluation.plan import EvaluationPlan
from symbotunes.generation.seeds import refuse_seeds
from symbotunes.generation.sequences.plan import SamplePlan
from symbotunes.render.console import plain_table
from symbotunes.render.pages.comparison import (
    BOUNDS,
    bounds_table,
    general_table,
    write_comparison,
)
from symbotunes.training.metrics_file import cost_until


@dataclass(frozen=True)
class Opened:
    """A checkpoint of the comparison that could be read, and its data."""

    checkpoint: Checkpoint
    encoded: Encoded
    corpus: str
    remarks: tuple[str, ...]


def compare(cfg: DictConfig) -> None:
    """Measure all of ``compare.ckpts`` on the same pieces; if one fails, its column stays empty."""
    refuse_overrides(
        cfg,
        [group for group in FIXED if group != "dataset"],
        "a comparison uses the models of its checkpoints; choose other compare.ckpts",
    )
    compared: ComparisonPlan = build(cfg.compare)
    plan: EvaluationPlan = build(cfg.evaluate)
    if plan.split == "train":
        raise UserError(
            "evaluate.split=train: a comparison uses held-out pieces; choose test or val"
        )
    sampling = build(cfg.sample).plain
    if sampling is None:
        raise UserError("mode=compare draws plain samples: use sample=default")
    refuse_seeds(sampling.seeds)
    console = Console()
    opened, unread = open_all(cfg, [Path(ckpt).expanduser() for ckpt in compared.ckpts], console)
    shared = shared_pieces({name: item.encoded for name, item in opened.items()}, plan.split)
    console.print(f"Compared on  {_words(shared)}", soft_wrap=True)
    columns: list[Column] = []
    references: dict[str, Reference] = {}
    for name, item in opened.items():
        with console.status(f"Measuring {escape(name)}"):
            try:
                one = contender(cfg, plan, name, item, shared)
                column, reference = measure_contender(
                    one.net, one, plan=plan, sampling=sampling, compared=compared
                )
            except UserError as error:
                columns.append(left_out(name, item.checkpoint.path, error, console))
                continue
        columns.append(column)
        references.setdefault(reference.data, reference)
    if not references:
        raise UserError("none of compare.ckpts can be measured; the reasons are printed above")
    costs = {column.name: column.costs for column in columns if column.costs}
    comparison = Comparison(
        facts=_facts(cfg, plan, sampling, shared),
        columns=(*columns, *unread),
        references=tuple(references.values()),
        remarks=_remarks(shared, opened, references),
        differences=differences(costs, plan.bootstrap(int(cfg.seed))),
    )
    show(comparison, console)
    page = write_comparison(Path(cfg.paths.run_dir), comparison)
    console.print(f"Read  {page}", soft_wrap=True)


def open_all(
    cfg: DictConfig, paths: Sequence[Path], console: Console
) -> tuple[dict[str, Opened], list[Column]]:
    """The checkpoints that can be read, by the names that tell them apart, and the others.

    Raises:
        UserError: if none can be read.
    """
    opened: list[Opened] = []
    unread: list[Column] = []
    for path in paths:
        with console.status(f"Reading {escape(str(path))}"):
            try:
                checkpoint = unpack(path)
                data = data_of(checkpoint, cfg)
            except UserError as error:
                unread.append(left_out(run_of(path), path, error, console))
                continue
        given = cfg.dataset if names_dataset(cfg) else checkpoint.config.dataset
        corpus = json.dumps(OmegaConf.to_container(given, resolve=True), sort_keys=True)
        remarks = tuple(other_data(cfg, checkpoint, data))
        opened.append(Opened(checkpoint, data.encoded, corpus, remarks))
    if not opened:
        raise UserError("none of compare.ckpts can be measured; the reasons are printed above")
    names = model_names([item.checkpoint for item in opened])
    return dict(zip(names, opened, strict=True)), unread


def left_out(name: str, path: Path, error: UserError, console: Console) -> Column:
    """The column of a model that cannot be measured; the console says why."""
    console.print(f"Left out  {escape(name)}: {escape(str(error))}", soft_wrap=True)
    return Column(name, str(path), failure=str(error))


def contender(
    cfg: DictConfig, plan: EvaluationPlan, name: str, item: Opened, shared: Shared
) -> Contender:
    """A model ready to be measured on the pieces of the comparison."""
    net, tokenizer = rebuild(item.checkpoint)
    net.to(plan.torch_device).eval()
    return Contender(
        name=name,
        path=item.checkpoint.path,
        net=net,
        tokenizer=tokenizer,
        encoded=restricted(item.encoded, plan.split, shared),
        split=shared.split,
        seed=int(cfg.seed),
        training=training_of(item.checkpoint),
        remarks=item.remarks,
    )


def training_of(checkpoint: Checkpoint) -> Training:
    """What the weights of a checkpoint have cost, as far as it and its run folder tell."""
    seconds, processor = cost_until(checkpoint.file.resolve().parents[1], checkpoint.steps)
    return Training(checkpoint.steps, checkpoint.tokens, seconds, processor)


def show(comparison: Comparison, console: Console) -> None:
    """Print the figures that compare models, and which is better."""
    general = general_table(comparison)
    # Figures of the pieces themselves have a column on the page, which is wider.
    columns = 1 + len(comparison.measured)
    narrow = replace(
        general, head=general.head[:columns], rows=[row[:columns] for row in general.rows]
    )
    console.print(plain_table("Likelihood, validity, memory, speed", narrow))
    if (bounds := bounds_table(comparison)) is not None:
        console.print(plain_table(BOUNDS, bounds))
    for difference in comparison.differences:
        console.print(f"Result  {escape(difference.sentence)}", soft_wrap=True)


def _words(shared: Shared) -> str:
    return f"{len(shared.keys):,} {shared.split} pieces, which every model holds out and can read"


def _facts(
    cfg: DictConfig, plan: EvaluationPlan, sampling: SamplePlan, shared: Shared
) -> dict[str, str]:
    return {
        "compared on": _words(shared),
        "samples per model": str(plan.num_samples),
        **sampling.without_beginning.facts,
        "maximum tokens per sample": f"{sampling.max_tokens:,}",
        "intervals": plan.interval_words,
        "device": str(plan.torch_device),
        "seed": str(cfg.seed),
    }


def _remarks(
    shared: Shared, opened: Mapping[str, Opened], references: Mapping[str, Reference]
) -> tuple[str, ...]:
    remarks = []
    if shared.split == "held-out":
        remarks.append(
            f"fewer than {LEAST_PIECES} pieces are in evaluate.split of every model: these are "
            "pieces of validation and test splits, and a model's best checkpoint was chosen on "
            "those of its validation"
        )
    if len({item.corpus for item in opened.values()}) > 1:
        remarks.append(
            "these models were trained on different data: their figures compare models and data "
            "together"
        )
    if len(references) > 1:
        remarks.append(
            "the models read the pieces in different representations: compare bits per note, not "
            "nats per token"
        )
    return tuple(remarks)
