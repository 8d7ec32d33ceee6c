"""mode=compare: compare several trained models on one page.

python main.py mode=compare 'compare.ckpts=[A.ckpt,B.ckpt]'
"""

import json
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.markup import escape

from symbotunes.checkpoints.checkpoint import unpack
from symbotunes.checkpoints.reopen import data_of, other_data, rebuild
from symbotunes.config.build import build
from symbotunes.config.overrides import FIXED, names_dataset, refuse_overrides
from symbotunes.errors import UserError
from symbotunes.evaluation.comparison.findings import Column, Comparison, Reference
from symbotunes.evaluation.comparison.measuring import (
    ComparisonPlan,
    Contender,
    measure_contender,
)
from symbotunes.evaluation.plan import EvaluationPlan
from symbotunes.generation.seeds import refuse_seeds
from symbotunes.render.earlier_set import refuse_other_page
from symbotunes.render.pages.comparison import write_comparison


def compare(cfg: DictConfig) -> None:
    """Measure all of ``compare.ckpts`` the same way; if one fails, its column stays empty."""
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
    refuse_other_page(Path(cfg.paths.run_dir), "compare.json")
    console = Console()
    columns: list[Column] = []
    references: dict[str, Reference] = {}
    corpora: set[str] = set()
    paths = [Path(ckpt).expanduser() for ckpt in compared.ckpts]
    for name, path in zip(names(paths), paths, strict=True):
        with console.status(f"Measuring {escape(name)}"):
            try:
                one, corpus = contender(cfg, plan, name, path)
                column, reference = measure_contender(
                    one.net, one, plan=plan, sampling=sampling, compared=compared
                )
            except UserError as error:
                columns.append(Column(name, str(path), failure=str(error)))
                console.print(f"Left out  {escape(name)}: {escape(str(error))}", soft_wrap=True)
                continue
        columns.append(column)
        corpora.add(corpus)
        references.setdefault(reference.data, reference)
    if not references:
        raise UserError("none of compare.ckpts can be measured; the reasons are printed above")
    remarks = []
    if len(corpora) > 1:
        remarks.append(
            "these models were trained on different data: each is measured on its own test set, so "
            "likelihoods compare models and data together; dataset=... gives all of them the same"
        )
    elif len(references) > 1:
        remarks.append(
            "the models read the same data in different representations, each of which leaves out "
            "what it cannot hold: compare bits per note, not nats per token, and the numbers of "
            "pieces and notes"
        )
    facts = {
        "samples per model": str(plan.num_samples),
        **sampling.without_beginning.facts,
        "maximum tokens per sample": f"{sampling.max_tokens:,}",
        "intervals": f"{100 * plan.confidence:g}%, {plan.resamples:,} bootstrap resamples",
        "device": str(plan.torch_device),
        "seed": str(cfg.seed),
    }
    comparison = Comparison(facts, tuple(columns), tuple(references.values()), tuple(remarks))
    page = write_comparison(Path(cfg.paths.run_dir), comparison)
    console.print(f"Read  {page}", soft_wrap=True)


def contender(
    cfg: DictConfig, plan: EvaluationPlan, name: str, path: Path
) -> tuple[Contender, str]:
    """A checkpoint ready to be measured, and text that identifies its corpus."""
    checkpoint = unpack(path)
    net, tokenizer = rebuild(checkpoint)
    data = data_of(checkpoint, cfg)
    net.to(plan.torch_device).eval()
    given = cfg.dataset if names_dataset(cfg) else checkpoint.config.dataset
    dataset = OmegaConf.to_container(given, resolve=True)
    remarks = tuple(other_data(cfg, checkpoint, data))
    return (
        Contender(name, path, net, tokenizer, data.encoded, int(cfg.seed), remarks),
        json.dumps(dataset, sort_keys=True),
    )


def names(paths: Sequence[Path]) -> list[str]:
    """A short name for each checkpoint: that of its run, extended where runs share a name."""
    runs = [
        path.resolve().parent.parent.name
        if path.resolve().parent.name == "checkpoints"
        else path.stem
        for path in paths
    ]
    return [
        run if runs.count(run) == 1 else f"{run}/{path.stem} ({index + 1})"
        for index, (run, path) in enumerate(zip(runs, paths, strict=True))
    ]
