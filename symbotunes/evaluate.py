"""mode=evaluate: measure a trained model on held-out tunes and on tunes that it writes."""

from dataclasses import replace
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from symbotunes.checkpoint import Checkpoint, unpack
from symbotunes.composing import SamplePlan, draw
from symbotunes.config import FIXED, build, data_of, newest_checkpoint, rebuild, refuse_overrides
from symbotunes.data.module import MusicData
from symbotunes.evaluating import EvaluationPlan, Subject, measure_held_out, measure_tunes
from symbotunes.metrics.findings import Findings
from symbotunes.render.report import write_report
from symbotunes.reports import findings_tables

OPEN = ("dataset",)  # what an evaluation may choose anew


def evaluate(cfg: DictConfig) -> None:
    """Evaluate ``cfg.ckpt``, or the best checkpoint of the newest run, to a report."""
    refuse_overrides(
        cfg,
        [group for group in FIXED if group not in OPEN],
        "an evaluation uses the model, transforms and loader of its checkpoint; choose another "
        "ckpt=PATH, or dataset=... for other tunes",
    )
    plan: EvaluationPlan = build(cfg.evaluate)
    sampling: SamplePlan = replace(build(cfg.sample), num=plan.num_samples)
    path = Path(cfg.ckpt) if cfg.ckpt else newest_checkpoint(Path(cfg.paths.root))
    checkpoint, console = unpack(path), Console()
    net, tokenizer = rebuild(checkpoint)
    data = data_of(checkpoint, cfg)
    name = str(checkpoint.config.name)
    subject = Subject(name, net.to(plan.torch_device), tokenizer, data.encoded)
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
    remarks = _remarks(checkpoint, data, sampling)
    findings = Findings(f"Evaluation of {name}", facts, held_out, sets, remarks)
    page = write_report(Path(cfg.paths.run_dir), findings)
    for table in findings_tables(findings):
        console.print(table)
    console.print(f"Read  {page}", soft_wrap=True)


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
        "temperature": f"{sampling.temperature:g}",
        "top-k": str(sampling.top_k or "off"),
        "top-p": f"{sampling.top_p:g}" if sampling.top_p < 1 else "off",
        "references": f"{plan.references} per tune",
        "n-grams looked up": f"{plan.ngram} tokens",
        "intervals": f"{100 * plan.confidence:g} %, {plan.resamples:,} bootstrap draws",
        "seed": str(seed),
    }


def _remarks(checkpoint: Checkpoint, data: MusicData, sampling: SamplePlan) -> tuple[str, ...]:
    remarks = []
    if data.encoded.fingerprint != checkpoint.data:
        remarks.append(
            "these are not the data that the checkpoint was trained on: its training tunes may be "
            "among the held-out ones, and copies are looked up in these data's training split"
        )
    if data.chain.token_steps:
        remarks.append(
            f"training varied its tunes by {', '.join(map(_name, data.chain.token_steps))}: copies "
            "are looked up in the tunes as they are, so those of varied ones are missed"
        )
    if sampling.prompt:
        remarks.append(f"every tune goes on from the prompt {sampling.prompt}, which counts in it")
    return tuple(remarks)


def _name(step: object) -> str:
    return type(step).__name__.lower()
