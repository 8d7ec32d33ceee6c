"""One model of a comparison: from a network, its tokenizer and its data to a column of figures."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from symbotunes.data.cache.encoded import Encoded
from symbotunes.errors import UserError
from symbotunes.evaluation.comparison.findings import Column, Continuation, Reference
from symbotunes.evaluation.latent.measuring import LatentSubject, measure_bound
from symbotunes.evaluation.metrics.bootstrap import Interval, ratio
from symbotunes.evaluation.metrics.copying import copies
from symbotunes.evaluation.metrics.musical import Measured, measure, musical_figures, overlap_with
from symbotunes.evaluation.plan import EvaluationPlan
from symbotunes.evaluation.sequences.measuring import Subject, measure_held_out, measure_tunes
from symbotunes.generation.latent.player import Player
from symbotunes.generation.sequences import Generated
from symbotunes.generation.sequences.plan import SamplePlan, draw, read_beginning, to_sample
from symbotunes.models.base import LatentModel, SequenceModel
from symbotunes.tokenizers.base import Tokenizer

PARTS = 8  # sampling is timed in so many parts, between which its speed may vary
SAID = ("well_formed", "finished", "right_bars", "seen_ngrams", "longest_copy", "copied_share")
NO_BARS = "its tokens do not know bars"
WINDOWS = "it writes windows of one length, with nothing to mend and no end to find"


@dataclass(frozen=True)
class ComparisonPlan:
    """Which models are compared, and what each of them continues.

    Attributes:
        ckpts: the checkpoints.
        prompts: beginnings, typed or files.
        prompt_bars: how many bars of a file are its beginning.

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
        if not isinstance(self.prompt_bars, int) or self.prompt_bars < 1:
            raise UserError(f"compare.prompt_bars={self.prompt_bars}: must be at least 1")


@dataclass(frozen=True)
class Contender:
    """A model that can be measured.

    Attributes:
        name: unlike that of any other.
        path: of its checkpoint.
        net: the network, on the device that it runs on.
        tokenizer: its tokenizer.
        encoded: its prepared corpus.
        seed: of every choice and draw.
        remarks: what a reader must know of its data.
    """

    name: str
    path: Path
    net: SequenceModel | LatentModel
    tokenizer: Tokenizer[Any]
    encoded: Encoded
    seed: int
    remarks: tuple[str, ...] = ()

    @property
    def parameters(self) -> int:
        """Numbers that training chose."""
        return sum(each.numel() for each in self.net.parameters())


def measure_contender(
    one: Contender, plan: EvaluationPlan, sampling: SamplePlan, compared: ComparisonPlan
) -> tuple[Column, Reference]:
    """The column of a model, and the test music that it is held against.

    Raises:
        UserError: if the split is empty or the network has diverged.
    """
    if isinstance(one.net, LatentModel):
        return _latent(one, plan, sampling, compared)
    return _language(one, one.net, plan, sampling, compared)


def _language(
    one: Contender,
    net: SequenceModel,
    plan: EvaluationPlan,
    sampling: SamplePlan,
    compared: ComparisonPlan,
) -> tuple[Column, Reference]:
    subject = Subject(one.name, net, one.tokenizer, one.encoded)
    held_out = measure_held_out(subject, plan, [], one.seed)
    free = replace(sampling, prompt=None, prompt_file=None)
    drawn, speed = _timed(one, net, free, plan)
    written, theirs = measure_tunes(subject, drawn, plan, one.seed)
    losses = held_out.models[one.name]
    figures = {name: losses[name] for name in ("nats_per_token", "bits_per_note")}
    figures |= {name: written.figures[name] for name in SAID if name in written.figures}
    pieces = [measure(subject.render(each.ids).score) for each in drawn]
    test = [measure(subject.render(ids).score) for ids in subject.ids(plan.split)]
    reference = {name: theirs.figures[name] for name in SAID if name in theirs.figures}
    column = _column(one, plan, figures | {"speed": speed}, pieces, test)
    reasons = {} if "right_bars" in figures else {"right_bars": NO_BARS}
    return (
        replace(
            column,
            reasons=reasons,
            continuations=tuple(_continue(one, net, free, text, compared) for text in
                                compared.prompts),
        ),
        _reference(one, plan, test, reference),
    )  # fmt: skip


def _latent(
    one: Contender, plan: EvaluationPlan, sampling: SamplePlan, compared: ComparisonPlan
) -> tuple[Column, Reference]:
    weights = sampling.from_prior.weights
    player = Player(one.net, one.tokenizer, "compare", sampling.batch_size, weights=weights)
    subject = LatentSubject(player, one.encoded, plan, one.seed)
    windows, _ = subject.windows(plan.split, plan.windows)
    test = [measure(player.tokenizer.score(ids)) for ids in windows]
    figures = measure_bound(subject, [piece.notes for piece in test])
    written: list[Any] = []
    laps = []
    seeds_of_all = subject.seeds(plan.num_samples)
    vectors = player.prior(seeds_of_all, fitted=True)  # once: the speed is that of writing
    for seeds in _parts(seeds_of_all):
        begin = time.perf_counter()
        z = vectors[len(written) : len(written) + len(seeds)]
        written += player.write(z, seeds, sampling.temperature)
        laps.append((float(sum(ids.size for ids in written[-len(seeds) :])), _since(begin)))
    pieces = [measure(player.tokenizer.score(ids)) for ids in written]
    figures["speed"] = subject.bootstrap.interval(laps, ratio)
    training, _ = subject.windows("train", plan.windows)
    remarks = ["its likelihood is a bound: nats and bits are at most these"]
    if len(training) < (known := len(one.encoded.examples("train"))):
        remarks.append(f"copies are looked up in {len(training):,} of {known:,} training windows")
    flat = [each.reshape(-1) for each in (*written, *windows[: plan.num_samples])]
    found = copies([each.reshape(-1) for each in training], flat)
    sets = []
    for part in (found[: len(written)], found[len(written) :]):
        seen = subject.bootstrap.interval([each.seen(plan.ngram) for each in part], ratio)
        runs = [each.longest for each in part]
        sets.append(
            {
                "seen_ngrams": seen,
                "longest_copy": subject.bootstrap.mean(runs),
                "copied_share": subject.bootstrap.mean([run / windows[0].size for run in runs]),
            }
        )
    column = _column(one, plan, figures | sets[0], pieces, test)
    refusal = Continuation("", reason="a latent model writes whole windows and continues nothing")
    return (
        replace(
            column,
            reasons=dict.fromkeys(("well_formed", "finished", "right_bars"), WINDOWS),
            remarks=(*one.remarks, *remarks),
            continuations=tuple(replace(refusal, prompt=text) for text in compared.prompts),
        ),
        _reference(one, plan, test, sets[1]),
    )


def _column(
    one: Contender,
    plan: EvaluationPlan,
    figures: dict[str, Interval],
    pieces: Sequence[Measured],
    test: Sequence[Measured],
) -> Column:
    bootstrap = plan.bootstrap(one.seed)
    return Column(
        name=one.name,
        path=str(one.path),
        data=one.encoded.fingerprint,
        parameters=one.parameters,
        figures={
            **figures,
            **musical_figures(pieces, bootstrap),
            **overlap_with(pieces, test, bootstrap),
        },
        values=_values(pieces),
        remarks=one.remarks,
    )


def _reference(
    one: Contender, plan: EvaluationPlan, test: Sequence[Measured], figures: dict[str, Interval]
) -> Reference:
    return Reference(
        data=one.encoded.fingerprint,
        split=plan.split,
        pieces=len(test),
        notes=sum(piece.notes for piece in test),
        figures={**figures, **musical_figures(test, plan.bootstrap(one.seed))},
        values=_values(test),
    )


def _values(pieces: Sequence[Measured]) -> dict[str, tuple[int, ...]]:
    names = ("pitch", "interval", "duration")
    return {name: tuple(int(n) for each in pieces for n in each.values[name]) for name in names}


def _timed(
    one: Contender, net: SequenceModel, sampling: SamplePlan, plan: EvaluationPlan
) -> tuple[list[Generated], Interval]:
    """Samples, and tokens per second over parts of them; sample i depends on seed + i alone."""
    drawn: list[Generated] = []
    laps = []
    for seeds in _parts(range(one.seed, one.seed + plan.num_samples)):
        begin = time.perf_counter()
        part = draw(net, one.tokenizer, replace(sampling, num=len(seeds)), seeds[0])
        laps.append((float(sum(each.count for each in part)), _since(begin)))
        drawn += part
    return drawn, plan.bootstrap(one.seed).interval(laps, ratio)


def _parts(seeds: Sequence[int]) -> list[Sequence[int]]:
    size = -(-len(seeds) // PARTS)
    return [seeds[start : start + size] for start in range(0, len(seeds), size)]


def _since(begin: float) -> float:
    return time.perf_counter() - begin


def _continue(
    one: Contender, net: SequenceModel, sampling: SamplePlan, text: str, compared: ComparisonPlan
) -> Continuation:
    """What a model makes of a beginning, or why it makes nothing of it."""
    if Path(text).is_file():
        plan = replace(sampling, num=1, prompt_file=text, prompt_bars=compared.prompt_bars)
    else:
        plan = replace(sampling, num=1, prompt=text)
    try:
        beginning = read_beginning(one.tokenizer, plan)
        (generated,) = draw(net, one.tokenizer, plan, one.seed, beginning=beginning)
    except UserError as error:
        return Continuation(text, reason=str(error))
    sample = to_sample(one.tokenizer, generated, 0, one.seed, beginning.key)
    return Continuation(text, sample=replace(sample, title=one.name))
