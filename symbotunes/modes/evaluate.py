"""mode=evaluate: evaluate a trained model on held-out tunes and on tunes that it writes.

    python main.py mode=evaluate ckpt=pretrained/folk_rnn

Writes report.json and a page with plots; docs/evaluation.md defines every figure.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from rich.console import Console

from symbotunes.checkpoints.checkpoint import unpack
from symbotunes.checkpoints.names import shown_name
from symbotunes.checkpoints.parents import earlier_data
from symbotunes.checkpoints.reopen import data_of, newest_checkpoint, other_data, rebuild
from symbotunes.config.build import build, build_many
from symbotunes.config.overrides import FIXED, names_dataset, refuse_overrides
from symbotunes.data.cache.encoded import Encoded
from symbotunes.evaluation import evaluate as kinds
from symbotunes.evaluation.plan import EvaluationPlan
from symbotunes.generation.compose import Plan
from symbotunes.generation.seeds import refuse_seeds
from symbotunes.render.console import findings_tables
from symbotunes.render.earlier_set import refuse_other_page
from symbotunes.render.pages.report import write_report

OPEN = ("dataset",)  # groups that an evaluation may change


def evaluate(cfg: DictConfig) -> None:
    """Evaluate ``cfg.ckpt``, or the best checkpoint of the newest run, and write a report."""
    refuse_overrides(
        cfg,
        [group for group in FIXED if group not in OPEN],
        "an evaluation uses the model, transforms and loader of its checkpoint; choose another "
        "ckpt=PATH, or dataset=... for other tunes",
    )
    plan: EvaluationPlan = build(cfg.evaluate)
    sampling: Plan = build(cfg.sample)
    refuse_seeds(sampling.seeds)
    refuse_other_page(Path(cfg.paths.run_dir), "report.json")
    path = Path(cfg.ckpt) if cfg.ckpt else newest_checkpoint(Path(cfg.paths.root))
    checkpoint = unpack(path)
    console, name = Console(), str(checkpoint.config.name)
    steps = f"{checkpoint.steps:,} steps"
    console.print(f"Model  {path}, {steps}", soft_wrap=True, markup=False)
    net, tokenizer = rebuild(checkpoint)
    kinds.check_split(net, plan)
    data = data_of(checkpoint, cfg)
    earlier = list(earlier_data(checkpoint, cfg))
    foreign = other_data(cfg, checkpoint, data)
    remarks = (*foreign, *_looked_up(earlier))
    net.to(plan.torch_device)
    with console.status("") as status:
        findings = kinds.evaluate(
            net,
            kinds.Task(
                name=name,
                origin={"model": name, "checkpoint": shown_name(path), "trained for": steps},
                tokenizer=tokenizer,
                data=data,
                plan=plan,
                sampling=sampling,
                seed=cfg.seed,
                baselines=list(cfg.baselines),
                remarks=remarks,
                own_data=not (foreign and names_dataset(cfg)),
                earlier=[found for found in earlier if not isinstance(found, str)],
                report=status.update,
            ),
        )
    for table in findings_tables(findings):
        console.print(table)
    page = write_report(findings, Path(cfg.paths.run_dir))
    _log(cfg, findings, page)
    console.print(f"Read  {page}", soft_wrap=True)


def _looked_up(earlier: Sequence[Encoded | str]) -> list[str]:
    """What a reader must know about copies from tunes that the model learned before."""
    unread = [found for found in earlier if isinstance(found, str)]
    remarks = [f"copies are not looked up in the data of {found}" for found in unread]
    if len(unread) < len(earlier):
        remarks.append("copies are also looked up in what it learned before it was fine-tuned")
    return remarks


def _log(cfg: DictConfig, findings: Any, page: Path) -> None:
    """Log the findings where loggers take tables."""
    parts = [part for part in (cfg.logger or {}).values() if part is not None]
    if not any("wandb" in part._target_.lower() for part in parts):
        return
    # These import lightning and wandb, which takes longer than a short evaluation.
    from symbotunes.training.loggers.dashboards import wandb_among
    from symbotunes.training.loggers.environment import with_environment
    from symbotunes.training.loggers.tables import log_evaluation

    for logger in wandb_among(build_many(with_environment(cfg))):
        log_evaluation(logger, findings, page)
        logger.finish()
