"""What mode=evaluate measures of a model: generic functions of the network's kind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.data.cache.encoded import Encoded
from symbotunes.data.module import MusicData
from symbotunes.errors import UserError
from symbotunes.evaluation.latent.findings import LatentFindings
from symbotunes.evaluation.latent.measuring import (
    LatentSubject,
    measure_path,
    measure_reconstruction,
)
from symbotunes.evaluation.metrics.windows import WINDOWS
from symbotunes.evaluation.plan import EvaluationPlan
from symbotunes.evaluation.sequences.baselines import Baselines, ngram_losses
from symbotunes.evaluation.sequences.distances import measure_distances
from symbotunes.evaluation.sequences.findings import Findings, HeldOut, TuneSet
from symbotunes.evaluation.sequences.infilling import measure_infilling
from symbotunes.evaluation.sequences.measuring import Subject, measure_held_out, measure_tunes
from symbotunes.evaluation.windows.findings import WindowFindings, WindowSet
from symbotunes.evaluation.windows.measuring import (
    WindowSubject,
    measure_grammar,
    measure_notes,
    with_copies,
    write_windows,
)
from symbotunes.generation.compose import Plan, text_of
from symbotunes.generation.latent.player import LatentPlayer, Player
from symbotunes.generation.sequences.plan import SamplePlan, draw, read_beginning
from symbotunes.models.base import LatentModel, SequenceModel, WindowModel
from symbotunes.tokenizers.base import Tokenizer

AT_ONCE = 256  # windows


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is needed besides the network to evaluate it.

    Attributes:
        name: of the model.
        origin: where it comes from, shown to people.
        tokenizer: the one that it was trained with.
        data: its prepared corpus.
        plan: what is measured.
        sampling: how music is drawn.
        seed: of every choice and draw.
        baselines: orders of the n-gram models to compare it with.
        remarks: what a reader must know about the data.
        own_data: whether it was trained on these data.
        earlier: corpora that it was trained on before, as `Subject` has them.
        report: called with what is being done.
    """

    name: str
    origin: Mapping[str, str]
    tokenizer: Tokenizer[Any]
    data: MusicData
    plan: EvaluationPlan
    sampling: Plan
    seed: int
    baselines: Sequence[int] = ()
    remarks: tuple[str, ...] = ()
    own_data: bool = True
    earlier: Sequence[Encoded] = ()
    report: Callable[[str], None] = lambda _: None

    @property
    def heading(self) -> str:
        """Heading of the report."""
        return f"Evaluation of {self.name}"


@singledispatch
def check_split(net: object, plan: EvaluationPlan) -> None:  # noqa: ARG001
    """Check that a model can be measured on the split, before any data are read.

    Raises:
        UserError: if the figures would mean nothing.
    """
    plan.require_held_out()


@check_split.register
def _any_split(net: LatentModel, plan: EvaluationPlan) -> None:
    """Allow every split: on training data, the figures show what the model remembers."""


@singledispatch
def baseline_losses(
    net: object,  # noqa: ARG001
    data: MusicData,  # noqa: ARG001
    orders: Sequence[int],  # noqa: ARG001
    chosen: NDArray[np.int64] | None = None,  # noqa: ARG001
) -> Baselines:
    """Nats per token of n-gram models, if the model predicts the same tokens; else nothing.

    Args:
        net: the network.
        data: its data.
        orders: n of each n-gram model.
        chosen: validation examples that the network was measured on; ``None``: all.
    """
    return Baselines()


@baseline_losses.register
def _of_sequences(
    net: SequenceModel,  # noqa: ARG001
    data: MusicData,
    orders: Sequence[int],
    chosen: NDArray[np.int64] | None = None,
) -> Baselines:
    return ngram_losses(data.encoded, data.chain, orders, seed=data.seed, chosen=chosen)


@singledispatch
def evaluate(net: object, task: Task) -> Any:  # noqa: ARG001
    """Measure a model; the class of the findings depends on the kind of model.

    Other kinds of model are added with ``evaluate.register``, their findings with
    `symbotunes.render.console.findings_tables` and `symbotunes.render.pages.report.write_report`.

    Raises:
        UserError: if the split is empty, or the network has diverged.
    """
    raise UserError(f"a {type(net).__name__} cannot be evaluated: evaluate has no function for it")


@evaluate.register
def _evaluate_sequences(net: SequenceModel, task: Task) -> Findings:
    """Likelihoods and tunes of an autoregressive model."""
    plan, seed = task.plan, task.seed
    plain = task.sampling.plain
    if plain is None:
        raise UserError("this checkpoint is not a latent model; evaluate it with sample=default")
    sampling = replace(plain, num=plan.num_samples)
    tokenizer = text_of(net, task.tokenizer)
    subject = Subject(task.name, net, tokenizer, task.data.encoded, task.earlier)
    task.report("Scoring held-out tunes")
    held_out = measure_held_out(subject, plan, list(task.baselines), seed)
    beginning = read_beginning(tokenizer, sampling)
    drawing = f"Generating {plan.num_samples} tunes"
    task.report(drawing)
    generated = draw(
        net,
        tokenizer,
        sampling,
        seed,
        lambda done: task.report(f"{drawing}: token {done}"),
        beginning,
    )
    task.report("Comparing tunes with held-out and training tunes")
    sets = measure_tunes(subject, generated, plan, seed)
    distances = measure_distances(subject, generated, plan.split, seed)
    infilling = measure_infilling(subject, plan, sampling, seed, task.report)
    remarks = (
        *task.remarks,
        *_remarks(task.data, sampling),
        *(f"the prompt: {remark}" for remark in beginning.remarks),
        *_bounds(held_out, sets),
        *_copying(*sets),
    )
    facts = _facts(task, sampling)
    if held_out.blocks is not None:
        facts["over blocks"] = str(held_out.blocks)
    return Findings(task.heading, facts, held_out, sets, remarks, infilling, distances)


@evaluate.register
def _evaluate_windows(net: WindowModel, task: Task) -> WindowFindings:
    """Windows of a model without a likelihood, compared with those of the data."""
    plan, sampling = task.plan, task.sampling.for_windows()
    player = Player(net, task.tokenizer, batch_size=AT_ONCE, weights=sampling.weights)
    subject = WindowSubject(player, task.data.encoded, plan, task.seed)
    task.report(f"Writing {plan.prior} windows")
    sets = write_windows(subject, sampling.temperature)
    written = [ids for windows in sets.values() for ids in windows]
    held_out = subject.windows(plan.split, len(written))
    task.report("Comparing windows with held-out and training windows")
    ours, theirs, remarks = with_copies(subject, written, held_out)
    measured = (("generated", ours), (f"held out ({plan.split})", theirs))
    return WindowFindings(
        heading=task.heading,
        facts=_window_facts(task, sampling.temperature, sampling.weights),
        sets=tuple(
            WindowSet(name, len(windows.ids), WINDOWS.measure(windows)[0])
            for name, windows in measured
        ),
        prior=measure_notes(subject, sets),
        remarks=(*task.remarks, *remarks),
    )


@evaluate.register
def _evaluate_latent(net: LatentModel, task: Task) -> LatentFindings:
    """Reconstructions, interpolations and new windows."""
    plan, sampling = task.plan, task.sampling.for_windows()
    player = LatentPlayer(net, task.tokenizer, batch_size=AT_ONCE, weights=sampling.weights)
    subject = LatentSubject(player, task.data.encoded, plan, task.seed)
    task.report("Reconstructing held-out windows")
    reconstruction = measure_reconstruction(subject)
    task.report(f"Interpolating {plan.pairs} pairs")
    path = measure_path(subject)
    task.report(f"Writing {plan.prior} windows")
    written = write_windows(subject, sampling.temperature)
    return LatentFindings(
        heading=task.heading,
        facts=_window_facts(task, sampling.temperature, sampling.weights),
        reconstruction=reconstruction,
        path=path,
        prior=measure_notes(subject, written),
        samples=plan.prior,
        remarks=(*task.remarks, *_memory(task)),
        grammar=measure_grammar(subject, written),
    )


def _memory(task: Task) -> list[str]:
    """A remark if the model is measured on its training data."""
    if task.plan.split != "train" or not task.own_data:
        return []
    return ["these windows were trained on: the figures show what the model remembers"]


def _window_facts(task: Task, temperature: float, weights: str | None) -> dict[str, str]:
    plan, receipt = task.plan, task.data.encoded.receipt
    return {
        **task.origin,
        "data": task.data.corpus.name,
        "training windows": f"{receipt.examples['train']:,} of {receipt.kept['train']:,} pieces",
        f"{plan.split} windows": (
            f"{receipt.examples[plan.split]:,} of {receipt.kept[plan.split]:,} pieces"
        ),
        "temperature of new windows": f"{temperature:g}",
        **({"weights rounded to": weights} if weights else {}),
        "intervals": plan.interval_words,
        "seed": str(task.seed),
    }


def _facts(task: Task, sampling: SamplePlan) -> dict[str, str]:
    plan, receipt = task.plan, task.data.encoded.receipt
    return {
        **task.origin,
        "data": task.data.corpus.name,
        "training tunes": f"{receipt.kept['train']:,}",
        f"{plan.split} tunes": f"{receipt.kept[plan.split]:,}",
        "vocabulary": f"{receipt.vocabulary:,} tokens",
        "tunes generated": f"{plan.num_samples}, at most {sampling.max_tokens:,} tokens each",
        **sampling.facts,
        "references": f"{plan.references} per tune",
        "n-grams looked up": f"{plan.ngram} tokens",
        "intervals": plan.interval_words,
        "seed": str(task.seed),
    }


def _bounds(held_out: HeldOut, sets: Sequence[TuneSet]) -> list[str]:
    """What was only partly used, because all of it would not fit in memory."""
    remarks = []
    if held_out.fitted_on:
        remarks.append(f"n-gram models are fitted on {held_out.fitted_on}")
    if sets[0].looked_up_in:
        remarks.append(f"copies are looked up in {sets[0].looked_up_in}")
    return remarks


def _copying(written: TuneSet, held_out: TuneSet) -> list[str]:
    """A warning if tunes of the model hold more of training tunes than those of people do."""
    ours, theirs = (tunes.figures.get("originality") for tunes in (written, held_out))
    if ours is None or theirs is None or not ours.value < theirs.low:
        return []
    return [
        f"the model copies more than people do: its originality is {ours.value:.1%}, "
        f"that of as many held-out tunes {theirs.low:.1%} to {theirs.high:.1%}"
    ]


def _remarks(data: MusicData, sampling: SamplePlan) -> tuple[str, ...]:
    remarks = []
    # Steps with tokens of their own, such as infill, move bars and leave them as they are.
    varying = [step for step in data.chain.token_steps if not getattr(step, "TOKENS", ())]
    if varying:
        varied = ", ".join(type(step).__name__.lower() for step in varying)
        remarks.append(
            f"training varied its tunes by {varied}: copies are looked up in the tunes as they "
            "are, so those of varied ones are missed"
        )
    if (prompt := sampling.facts.get("prompt")) is not None:
        remarks.append(f"every tune continues the prompt {prompt}, which counts as part of it")
    return tuple(remarks)
