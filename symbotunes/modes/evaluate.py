"""mode=evaluate: evaluate a trained model on held-out tunes and on tunes that it writes.

    python main.py mode=evaluate ckpt=pretrained/folk_rnn

Writes report.json and a page with plots; docs/evaluation.md defines every figure.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from rich.console import Console

from symbotunes.checkpoints.checkpoint import Checkpoint, unpack
from symbotunes.checkpoints.reopen import data_of, newest_checkpoint, other_data, rebuild
from symbotunes.config.build import build, build_many
from symbotunes.config.overrides import FIXED, names_dataset, refuse_overrides
from symbotunes.data.module import MusicData
from symbotunes.errors import UserError
from symbotunes.evaluation.latent.findings import LatentFindings
from symbotunes.evaluation.latent.measuring import (
    LatentSubject,
    measure_path,
    measure_prior,
    measure_reconstruction,
)
from symbotunes.evaluation.plan import EvaluationPlan
from symbotunes.evaluation.sequences.findings import Findings
from symbotunes.evaluation.sequences.measuring import Subject, measure_held_out, measure_tunes
from symbotunes.generation.latent.plan import LatentPlan
from symbotunes.generation.latent.player import Player
from symbotunes.generation.sequences.plan import SamplePlan, draw
from symbotunes.models.base import LatentModel, SequenceModel
from symbotunes.render.console import findings_tables, latent_tables
from symbotunes.render.pages.latent import write_latent_report
from symbotunes.render.pages.sequences import write_report
from symbotunes.tokenizers.base import Tokenizer
from symbotunes.training.loggers.dashboards import wandb_among

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
    path = Path(cfg.ckpt) if cfg.ckpt else newest_checkpoint(Path(cfg.paths.root))
    checkpoint = unpack(path)
    steps = checkpoint.content["global_step"]
    Console().print(f"Model  {path}, {steps:,} steps", soft_wrap=True, markup=False)
    net, tokenizer = rebuild(checkpoint)
    if not isinstance(net, LatentModel):
        plan.require_held_out()
    data = data_of(checkpoint, cfg)
    net.to(plan.torch_device)
    if isinstance(net, LatentModel):
        page = _evaluate_latent(cfg, checkpoint, net, tokenizer, data, plan)
    else:
        page = _evaluate_language(cfg, checkpoint, net, tokenizer, data, plan)
    Console().print(f"Read  {page}", soft_wrap=True)


def _evaluate_language(
    cfg: DictConfig,
    checkpoint: Checkpoint,
    net: SequenceModel,
    tokenizer: Tokenizer[Any],
    data: MusicData,
    plan: EvaluationPlan,
) -> Path:
    """Likelihoods and tunes of an autoregressive model; returns the report's page."""
    sampling = build(cfg.sample)
    if not isinstance(sampling, SamplePlan):
        raise UserError("this checkpoint is not a latent model; evaluate it with sample=default")
    sampling = replace(sampling, num=plan.num_samples)
    console, name = Console(), str(checkpoint.config.name)
    subject = Subject(name, net, tokenizer, data.encoded)
    with console.status("Scoring held-out tunes") as status:
        held_out = measure_held_out(subject, plan, list(cfg.baselines), cfg.seed)
        status.update(f"Generating {plan.num_samples} tunes")
        generated = draw(
            net,
            tokenizer,
            sampling,
            cfg.seed,
            lambda done: status.update(f"Generating {plan.num_samples} tunes: token {done}"),
        )
        status.update("Comparing tunes with held-out and training tunes")
        sets = measure_tunes(subject, generated, plan, cfg.seed)
    facts = _facts(checkpoint, data, plan, sampling, cfg.seed)
    remarks = (*other_data(cfg, checkpoint, data), *_remarks(data, sampling))
    findings = Findings(f"Evaluation of {name}", facts, held_out, sets, remarks)
    for table in findings_tables(findings):
        console.print(table)
    return _show(cfg, findings, write_report(Path(cfg.paths.run_dir), findings))


def _evaluate_latent(
    cfg: DictConfig,
    checkpoint: Checkpoint,
    net: LatentModel,
    tokenizer: Tokenizer[Any],
    data: MusicData,
    plan: EvaluationPlan,
) -> Path:
    """Reconstructions, interpolations and new windows; returns the report's page."""
    given: SamplePlan | LatentPlan = build(cfg.sample)
    sampling = given.from_prior if isinstance(given, SamplePlan) else given
    player = Player(net, tokenizer, "evaluate", 256, weights=sampling.weights)
    console = Console()
    subject = LatentSubject(player, data.encoded, plan, cfg.seed)
    with console.status("Reconstructing held-out windows") as status:
        reconstruction = measure_reconstruction(subject)
        status.update(f"Interpolating {plan.pairs} pairs")
        path = measure_path(subject)
        status.update(f"Writing {plan.prior} windows")
        prior = measure_prior(subject, sampling.temperature)
    findings = LatentFindings(
        heading=f"Evaluation of {checkpoint.config.name}",
        facts=_latent_facts(checkpoint, data, plan, sampling, cfg.seed),
        reconstruction=reconstruction,
        path=path,
        prior=prior,
        samples=plan.prior,
        remarks=(*other_data(cfg, checkpoint, data), *memory(cfg, plan)),
    )
    for table in latent_tables(findings):
        console.print(table)
    return _show(cfg, findings, write_latent_report(Path(cfg.paths.run_dir), findings))


def _show(cfg: DictConfig, findings: Findings | LatentFindings, page: Path) -> Path:
    """Log the findings to loggers that accept tables; returns the page."""
    for logger in wandb_among(build_many(cfg.logger)):
        from symbotunes.training.loggers.tables import log_evaluation  # which imports wandb

        log_evaluation(logger, findings, page)
        logger.finish()
    return page


def _latent_facts(
    checkpoint: Checkpoint, data: MusicData, plan: EvaluationPlan, sampling: LatentPlan, seed: int
) -> dict[str, str]:
    receipt = data.encoded.receipt
    return {
        "model": str(checkpoint.config.name),
        "checkpoint": str(checkpoint.path),
        "trained for": f"{checkpoint.content['global_step']:,} steps",
        "data": type(data.corpus).__name__,
        "training windows": f"{receipt.examples['train']:,} of {receipt.kept['train']:,} pieces",
        f"{plan.split} windows": (
            f"{receipt.examples[plan.split]:,} of {receipt.kept[plan.split]:,} pieces"
        ),
        "temperature of new windows": f"{sampling.temperature:g}",
        **({"weights rounded to": sampling.weights} if sampling.weights else {}),
        "intervals": f"{100 * plan.confidence:g}%, {plan.resamples:,} bootstrap resamples",
        "seed": str(seed),
    }


def _facts(
    checkpoint: Checkpoint, data: MusicData, plan: EvaluationPlan, sampling: SamplePlan, seed: int
) -> dict[str, str]:
    kept = data.encoded.receipt.kept
    return {
        "model": str(checkpoint.config.name),
        "checkpoint": str(checkpoint.path),
        "trained for": f"{checkpoint.content['global_step']:,} steps",
        "data": type(data.corpus).__name__,
        "training tunes": f"{kept['train']:,}",
        f"{plan.split} tunes": f"{kept[plan.split]:,}",
        "vocabulary": f"{data.encoded.receipt.vocabulary:,} tokens",
        "tunes generated": f"{plan.num_samples}, at most {sampling.max_tokens:,} tokens each",
        **sampling.facts,
        "references": f"{plan.references} per tune",
        "n-grams looked up": f"{plan.ngram} tokens",
        "intervals": f"{100 * plan.confidence:g}%, {plan.resamples:,} bootstrap resamples",
        "seed": str(seed),
    }


def memory(cfg: DictConfig, plan: EvaluationPlan) -> list[str]:
    """A remark if the measured windows are training windows."""
    if plan.split != "train" or names_dataset(cfg):
        return []
    return ["these are training windows: the figures show what the model remembers"]


def _remarks(data: MusicData, sampling: SamplePlan) -> tuple[str, ...]:
    remarks = []
    if data.chain.token_steps:
        remarks.append(
            f"training augmented its tunes with {', '.join(map(_name, data.chain.token_steps))}: "
            "copies are looked up in the original tunes, so copies of augmented ones are missed"
        )
    if (prompt := sampling.facts.get("prompt")) is not None:
        remarks.append(f"every tune continues the prompt {prompt}, which is counted as part of it")
    return tuple(remarks)


def _name(step: object) -> str:
    return type(step).__name__.lower()
