"""One model of a comparison: from a network, its tokenizer and its data to a column of figures."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import singledispatch
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from symbotunes.data.cache.encoded import Encoded
from symbotunes.errors import UserError, require_whole_number
from symbotunes.evaluation.comparison.findings import (
    Bound,
    Column,
    Continuation,
    Reference,
    Training,
)
from symbotunes.evaluation.comparison.pieces import example_keys
from symbotunes.evaluation.comparison.verdict import costs_of
from symbotunes.evaluation.latent.measuring import LatentSubject, measure_bound
from symbotunes.evaluation.metrics.bootstrap import Interval
from symbotunes.evaluation.metrics.losses import LOSSES
from symbotunes.evaluation.metrics.musical import (
    HISTOGRAMS,
    Measured,
    measure,
    musical_figures,
    overlap_with,
)
from symbotunes.evaluation.metrics.speed import SPEED, Laps
from symbotunes.evaluation.metrics.tunes import TUNES
from symbotunes.evaluation.plan import EvaluationPlan
from symbotunes.evaluation.sequences.measuring import Subject, measure_held_out, measure_tunes
from symbotunes.evaluation.windows.measuring import WindowSubject, with_copies
from symbotunes.generation.compose import text_of
from symbotunes.generation.latent.player import LatentPlayer, Player
from symbotunes.generation.seeds import sample_seeds
from symbotunes.generation.sequences import Generated
from symbotunes.generation.sequences.decoded import to_sample
from symbotunes.generation.sequences.plan import SamplePlan, draw, read_beginning
from symbotunes.models.base import LatentModel, Model, SequenceModel, WindowModel
from symbotunes.tokenizers.base import Tokenizer

Value = TypeVar("Value")
PARTS = 10  # sampling is timed in this many parts, since its speed varies
NO_LIKELIHOOD = "it has no likelihood"
ONLY_BOUND = "it has a bound, in a table of its own"
WINDOWS = "it writes windows of one length, which end by definition and whose bars all add up"


@dataclass(frozen=True)
class ComparisonPlan:
    """Which models are compared, and what each of them continues.

    Attributes:
        ckpts: the checkpoints.
        prompts: beginnings, typed or files.
        prompt_bars: how many bars of a file are used as its beginning.

    Raises:
        UserError: if there is nothing to compare.
    """

    ckpts: Sequence[str]
    prompts: Sequence[str]
    prompt_bars: int = 4

    def __post_init__(self) -> None:
        if isinstance(self.ckpts, str) or len(self.ckpts) < 2:
            raise UserError("mode=compare needs two checkpoints: 'compare.ckpts=[a.ckpt,b.ckpt]'")
        if len(set(self.ckpts)) < len(self.ckpts):
            raise UserError("compare.ckpts names a checkpoint twice")
        require_whole_number("compare.prompt_bars", self.prompt_bars)


@dataclass(frozen=True)
class Contender:
    """A model that can be measured.

    Attributes:
        name: unique in the comparison.
        path: of its checkpoint.
        net: the network, on the device that it runs on.
        tokenizer: its tokenizer.
        encoded: its prepared corpus, of which the split holds the pieces of the comparison.
        split: whose pieces these are, in words.
        seed: of every choice and draw.
        training: what its weights have cost.
        remarks: what a reader must know about its data.
    """

    name: str
    path: Path
    net: Model
    tokenizer: Tokenizer[Any]
    encoded: Encoded
    split: str
    seed: int
    training: Training = Training()
    remarks: tuple[str, ...] = ()

    @property
    def parameters(self) -> int:
        """Number of trained parameters."""
        return sum(parameter.numel() for parameter in self.net.parameters())


@singledispatch
def measure_contender(
    net: object,
    contender: Contender,  # noqa: ARG001
    *,
    plan: EvaluationPlan,  # noqa: ARG001
    sampling: SamplePlan,  # noqa: ARG001
    compared: ComparisonPlan,  # noqa: ARG001
) -> tuple[Column, Reference]:
    """The column of a model, and the test music that it is compared with.

    Other kinds of model are added with ``measure_contender.register``.

    Args:
        net: the model's network.
        contender: the model.
        plan: what is measured.
        sampling: how music is drawn.
        compared: what it continues.

    Raises:
        UserError: if the split is empty or the network has diverged.
    """
    raise UserError(
        f"a {type(net).__name__} cannot be compared: measure_contender has no function for it"
    )


@measure_contender.register
def _sequences(
    net: SequenceModel,
    contender: Contender,
    *,
    plan: EvaluationPlan,
    sampling: SamplePlan,
    compared: ComparisonPlan,
) -> tuple[Column, Reference]:
    tokenizer = text_of(net, contender.tokenizer)
    subject = Subject(contender.name, net, tokenizer, contender.encoded)
    held_out = measure_held_out(subject, plan, [], contender.seed)
    free = sampling.without_beginning
    drawn, speed = _timed(contender, net, free, plan)
    written, theirs = measure_tunes(subject, drawn, plan, contender.seed)
    figures = {**held_out.models[contender.name], **written.figures, **speed}
    pieces = [measure(subject.render(tune.ids).score) for tune in drawn]
    test = [measure(subject.render(ids).score) for ids in subject.ids(plan.split)]
    families = subject.families(plan.split)
    column = _column(contender, plan, figures, pieces, test)
    keys = example_keys(contender.encoded, contender.encoded.examples(plan.split))
    nats = [row.nats[contender.name] for row in held_out.raw]
    return (
        replace(
            column,
            costs=costs_of(keys, nats, [row.notes for row in held_out.raw], families),
            reasons=_compared(written.reasons),
            remarks=(*contender.remarks, *_looked_up(written.looked_up_in)),
            continuations=tuple(_continue(contender, net, free, text, compared) for text in
                                compared.prompts),
        ),
        _reference(contender, plan, test, families, theirs.figures),
    )  # fmt: skip


@measure_contender.register
def _windows(
    net: WindowModel,
    contender: Contender,
    *,
    plan: EvaluationPlan,
    sampling: SamplePlan,
    compared: ComparisonPlan,
) -> tuple[Column, Reference]:
    weights = sampling.from_prior.weights
    player = Player(net, contender.tokenizer, batch_size=sampling.batch_size, weights=weights)
    subject = WindowSubject(player, contender.encoded, plan, contender.seed)
    column, reference = _of_windows(subject, contender, sampling, compared)
    reasons = dict.fromkeys(LOSSES.compared, NO_LIKELIHOOD)
    return replace(column, reasons={**reasons, **column.reasons}), reference


@measure_contender.register
def _latent(
    net: LatentModel,
    contender: Contender,
    *,
    plan: EvaluationPlan,
    sampling: SamplePlan,
    compared: ComparisonPlan,
) -> tuple[Column, Reference]:
    weights = sampling.from_prior.weights
    player = LatentPlayer(net, contender.tokenizer, batch_size=sampling.batch_size, weights=weights)
    subject = LatentSubject(player, contender.encoded, plan, contender.seed)
    windows, _ = subject.windows(plan.split, plan.windows)
    notes = [measure(player.tokenizer.score(ids)).notes for ids in windows]
    figures = _compared(measure_bound(subject, notes))
    column, reference = _of_windows(subject, contender, sampling, compared)
    bound = Bound(figures, len(windows), reference.pieces, sum(notes))
    reasons = {**dict.fromkeys(LOSSES.compared, ONLY_BOUND), **column.reasons}
    return replace(column, bound=bound, reasons=reasons), reference


def _of_windows(
    subject: WindowSubject, contender: Contender, sampling: SamplePlan, compared: ComparisonPlan
) -> tuple[Column, Reference]:
    """What all models of windows have in common."""
    player, plan = subject.player, subject.plan
    windows, families = subject.windows(plan.split, plan.windows)
    test = [measure(player.tokenizer.score(ids)) for ids in windows]
    written: list[Any] = []
    laps = []
    seeds_of_all = subject.seeds(plan.num_samples)
    vectors = player.prior(seeds_of_all, fitted=True)  # drawn once: the speed is that of writing
    for seeds in _parts(seeds_of_all):
        begin = time.perf_counter()
        z = vectors[len(written) : len(written) + len(seeds)]
        written += player.write(z, seeds, sampling.temperature)
        laps.append((float(sum(ids.size for ids in written[-len(seeds) :])), _since(begin)))
    pieces = [measure(player.tokenizer.score(ids)) for ids in written]
    speed, _ = SPEED.measure(Laps(laps, subject.bootstrap))
    random = np.random.default_rng(subject.seed)
    chosen = np.sort(random.permutation(len(windows))[: plan.num_samples])
    held_out = windows[chosen], families[chosen]
    ours, theirs, remarks = with_copies(subject, written, held_out, absent=WINDOWS)
    figures, reasons = TUNES.measure(ours)
    column = _column(contender, plan, {**speed, **figures}, pieces, test)
    refusal = Continuation("", reason="it writes whole windows and cannot continue a beginning")
    return (
        replace(
            column,
            reasons=_compared(reasons),
            remarks=(*contender.remarks, *remarks),
            continuations=tuple(replace(refusal, prompt=text) for text in compared.prompts),
        ),
        _reference(
            contender,
            plan,
            test,
            families,
            TUNES.measure(theirs)[0],
            examples=subject.examples(plan.split, plan.windows),
        ),
    )


def _column(
    contender: Contender,
    plan: EvaluationPlan,
    figures: Mapping[str, Interval],
    pieces: Sequence[Measured],
    test: Sequence[Measured],
) -> Column:
    bootstrap = plan.bootstrap(contender.seed)
    return Column(
        name=contender.name,
        path=str(contender.path),
        data=contender.encoded.fingerprint,
        parameters=contender.parameters,
        training=contender.training,
        figures={
            **_compared(figures),
            **musical_figures(pieces, bootstrap),
            **overlap_with(pieces, test, bootstrap),
        },
        values=_values(pieces),
        remarks=contender.remarks,
    )


def _reference(
    contender: Contender,
    plan: EvaluationPlan,
    test: Sequence[Measured],
    families: NDArray[np.int64],
    figures: Mapping[str, Interval],
    *,
    examples: NDArray[np.int64] | None = None,
) -> Reference:
    """What the pieces are like; `examples` are those that were measured, if they are windows."""
    draws = plan.bootstrap(contender.seed).over(families)
    encoded = contender.encoded
    measured = encoded.examples(plan.split) if examples is None else examples
    return Reference(
        data=encoded.fingerprint,
        split=contender.split,
        pieces=len(np.unique(encoded.owners[measured])),
        windows=0 if examples is None else len(test),
        families=len(np.unique(families)),
        notes=sum(piece.notes for piece in test),
        figures={**_compared(figures), **musical_figures(test, draws)},
        values=_values(test),
    )


def _compared(values: Mapping[str, Value]) -> dict[str, Value]:
    """The values of the figures that mode=compare shows."""
    shown = {**LOSSES.compared, **TUNES.compared, **SPEED.compared}
    return {name: value for name, value in values.items() if name in shown}


def _values(pieces: Sequence[Measured]) -> dict[str, tuple[int, ...]]:
    return {
        name: tuple(int(number) for piece in pieces for number in piece.values[name])
        for name in HISTOGRAMS
    }


def _timed(
    contender: Contender, net: SequenceModel, sampling: SamplePlan, plan: EvaluationPlan
) -> tuple[list[Generated], dict[str, Interval]]:
    """Samples, and `SPEED` measured over parts of them."""
    drawn: list[Generated] = []
    laps = []
    for seeds in _parts(sample_seeds(contender.seed, plan.num_samples)):
        begin = time.perf_counter()
        part = draw(
            net, text_of(net, contender.tokenizer), replace(sampling, seeds=seeds), contender.seed
        )
        laps.append((float(sum(tune.count for tune in part)), _since(begin)))
        drawn += part
    speed, _ = SPEED.measure(Laps(laps, plan.bootstrap(contender.seed)))
    return drawn, speed


def _looked_up(part: str) -> list[str]:
    return [f"copies are looked up in {part}"] if part else []


def _parts(seeds: Sequence[int]) -> list[Sequence[int]]:
    size = -(-len(seeds) // PARTS)
    return [seeds[start : start + size] for start in range(0, len(seeds), size)]


def _since(begin: float) -> float:
    return time.perf_counter() - begin


def _continue(
    contender: Contender,
    net: SequenceModel,
    sampling: SamplePlan,
    text: str,
    compared: ComparisonPlan,
) -> Continuation:
    """A model's continuation of a beginning, or why there is none."""
    free = sampling.without_beginning
    if Path(text).is_file():
        plan = replace(free, num=1, prompt_file=text, prompt_bars=compared.prompt_bars)
    else:
        plan = replace(free, num=1, prompt=text)
    try:
        tokenizer = text_of(net, contender.tokenizer)
        beginning = read_beginning(tokenizer, plan)
        (generated,) = draw(net, tokenizer, plan, contender.seed, beginning=beginning)
    except UserError as error:
        return Continuation(text, reason=str(error))
    (seed,) = plan.seeds_of(contender.seed)
    sample = to_sample(tokenizer, generated, 0, seed, beginning.key)
    notes = (*beginning.remarks, *sample.notes)
    return Continuation(text, sample=replace(sample, title=contender.name, notes=notes))
