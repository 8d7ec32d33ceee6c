"""From a network, its tokenizer and its data to the figures of an evaluation."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.data.cache.encoded import Encoded
from symbotunes.errors import UserError
from symbotunes.evaluation.metrics.blocks import BlockFigures
from symbotunes.evaluation.metrics.bootstrap import Bootstrap, Interval
from symbotunes.evaluation.metrics.copying import Copies, copies
from symbotunes.evaluation.metrics.losses import class_figures, gain, loss_figures
from symbotunes.evaluation.metrics.notes import Notes, notes_of
from symbotunes.evaluation.metrics.originality import copied_notes
from symbotunes.evaluation.metrics.overlap import choose_references
from symbotunes.evaluation.metrics.tunes import TUNES, Tunes
from symbotunes.evaluation.plan import EvaluationPlan
from symbotunes.evaluation.sequences.arrival import measure_blocks, piece_nats
from symbotunes.evaluation.sequences.baselines import NGRAM_NAMES, ngram_models, sequences
from symbotunes.evaluation.sequences.findings import ClassLoss, HeldOut, PieceValues, TuneSet
from symbotunes.evaluation.sequences.likelihood import token_nats
from symbotunes.evaluation.sequences.raw import raw_values
from symbotunes.evaluation.training_sample import TrainingSample, sample_training
from symbotunes.evaluation.twins import related
from symbotunes.generation.sequences import Generated
from symbotunes.models.base import SequenceModel
from symbotunes.tokenizers.base import NO_ID, GrammarCheck, Rendition, TextTokenizer

Nats = list[NDArray[np.float64]]
BY_PEOPLE = "people wrote these tunes, so all of them are finished"
NEVER_ENDS = "the tokens have none for the end, so the model never ends a tune itself"
COPY_TOKENS = 10_000_000  # training tokens in which copies are looked up: a few minutes at most
NOTE_TOKENS = 1_000_000  # and of which the notes are: half a minute, since all are rendered


@dataclass(frozen=True)
class Subject:
    """What is evaluated: a network with the tokenizer and the data that it knows.

    Attributes:
        name: of the model.
        net: the network, on the device that it runs on.
        tokenizer: its tokenizer.
        encoded: the prepared corpus.
        earlier: corpora that it was trained on before, of which the training tunes count as known.
    """

    name: str
    net: SequenceModel
    tokenizer: TextTokenizer[Any]
    encoded: Encoded
    earlier: Sequence[Encoded] = ()

    def ids(self, split: str) -> list[NDArray[Any]]:
        """Ids of the pieces of a split, without ``bos`` and ``eos``."""
        return [self.encoded.example(int(index)) for index in self.encoded.examples(split)]

    def families(self, split: str) -> NDArray[np.int64]:
        """The family of every piece of a split; families are independent of each other."""
        return self.encoded.families(self.encoded.examples(split))

    def nats(self, split: str, texts: Sequence[NDArray[np.integer]]) -> Nats:
        """Negative log-likelihood of every id of the pieces of a split except the first.

        Args:
            split: name of the split.
            texts: its pieces, from ``bos`` to ``eos``.
        """
        if self.tokenizer.TRIPLETS:
            return [piece_nats(self.net, ids) for ids in self.ids(split)]
        return token_nats(self.net, texts, self.tokenizer.vocabulary.size)

    def blocks(self, split: str) -> BlockFigures | None:
        """Figures of arrival times over blocks; ``None`` for other tokens."""
        if not self.tokenizer.TRIPLETS:
            return None
        return measure_blocks(self.net, self.ids(split))

    def render(self, ids: Sequence[int] | NDArray[Any]) -> Rendition:
        """The music that ids stand for; each special token inside a piece is a grammar error."""
        tokens = self.tokenizer.decode([int(token) for token in ids])
        rendition = self.tokenizer.render(tokens, "")
        special, check = len(ids) - len(tokens), rendition.grammar
        if not special or check is None:
            return rendition
        counted = GrammarCheck(check.errors + special, check.tokens + special)
        return replace(rendition, grammar=counted)


def measure_held_out(
    subject: Subject,
    plan: EvaluationPlan,
    orders: Sequence[int],
    seed: int,
) -> HeldOut:
    """Likelihood of the held-out pieces under the network and n-gram models.

    Raises:
        UserError: if the split is empty, an order is not at least 1, or the network has diverged.
    """
    vocabulary = subject.tokenizer.vocabulary
    texts = sequences(subject.encoded, vocabulary, plan.split)
    if not texts:
        raise UserError(f"the {plan.split} split is empty; evaluate.split or dataset may change it")
    try:
        baselines = ngram_models(subject.encoded, vocabulary, orders, seed)
    except ValueError as error:
        raise UserError(f"baselines={list(orders)}: {error}") from error
    nats = {subject.name: subject.nats(plan.split, texts)}
    if not all(np.isfinite(values).all() for values in nats[subject.name]):
        raise UserError("the network gives held-out tunes no finite likelihood; did it diverge?")
    for order, model in baselines.models.items():
        nats[NGRAM_NAMES.get(order, f"{order}-gram")] = model.nats(texts)
    notes = [notes_heard(subject.render(piece)) for piece in subject.ids(plan.split)]
    families = subject.families(plan.split)
    bootstrap = plan.bootstrap(seed).over(families)
    ours = nats[subject.name]
    twins = related(subject.encoded, subject.encoded.examples(plan.split))
    return HeldOut(
        split=plan.split,
        pieces=len(texts),
        families=bootstrap.count or len(texts),
        tokens=sum(len(values) for values in ours),
        notes=sum(notes),
        models={name: loss_figures(values, notes, bootstrap) for name, values in nats.items()},
        gains={
            name: gain(values, ours, bootstrap)
            for name, values in nats.items()
            if name != subject.name
        },
        classes=_class_losses(nats, _classes(subject.tokenizer, texts), bootstrap),
        by_piece={
            name: tuple(float(piece_nats.mean()) for piece_nats in values)
            for name, values in nats.items()
        },
        fitted_on=baselines.fitted_on,
        raw=tuple(
            PieceValues(
                family=int(family),
                tokens=len(values),
                notes=heard,
                nats={name: float(nats[name][piece].sum()) for name in nats},
            )
            for piece, (values, heard, family) in enumerate(zip(ours, notes, families, strict=True))
        ),
        related=int(twins.sum()),
        apart=_apart(nats, notes, ~twins, bootstrap) if 0 < twins.sum() < len(twins) else {},
        blocks=subject.blocks(plan.split),
    )


def _apart(
    nats: Mapping[str, Nats], notes: Sequence[int], others: NDArray[np.bool_], bootstrap: Bootstrap
) -> dict[str, dict[str, Interval]]:
    """`LOSSES` by model of the pieces in `others`."""
    indices = np.flatnonzero(others)
    return {
        name: loss_figures(
            [values[index] for index in indices.tolist()],
            [notes[index] for index in indices.tolist()],
            bootstrap.at(indices),
        )
        for name, values in nats.items()
    }


def notes_heard(rendition: Rendition) -> int:
    return sum(len(track.notes) for track in rendition.score.tracks)


def _classes(
    tokenizer: TextTokenizer[Any], texts: Sequence[NDArray[np.integer]]
) -> list[list[str]]:
    """The class of every predicted token."""
    names = ["end"] * tokenizer.vocabulary.size
    for index in range(tokenizer.vocabulary.size):
        for token in tokenizer.decode([index]):
            names[index] = tokenizer.token_class(token)
    return [[names[index] for index in text[1:]] for text in texts]


def _class_losses(
    nats: Mapping[str, Nats], classes: Sequence[Sequence[str]], bootstrap: Bootstrap
) -> tuple[ClassLoss, ...]:
    counts = Counter(name for piece in classes for name in piece)
    by_model = {model: class_figures(values, classes, bootstrap) for model, values in nats.items()}
    return tuple(
        ClassLoss(
            name=name,
            tokens=count,
            share=count / counts.total(),
            nats={model: figures[name] for model, figures in by_model.items()},
        )
        for name, count in counts.most_common()
    )


def measure_tunes(
    subject: Subject, generated: Sequence[Generated], plan: EvaluationPlan, seed: int
) -> tuple[TuneSet, TuneSet]:
    """Figures of generated tunes, and of equally many randomly chosen held-out tunes."""
    pool = subject.ids(plan.split)
    random = np.random.default_rng(seed)
    chosen = random.permutation(len(pool))[: len(generated)].tolist()
    drawn = [np.array(tune.ids, np.int64) for tune in generated]
    corpora = (subject.encoded, *subject.earlier)
    known = [sample_training(data, COPY_TOKENS, seed) for data in corpora]
    training = [ids for sample in known for ids in sample.ids]
    shared = copies(training, drawn + [pool[index] for index in chosen])
    ends = subject.tokenizer.vocabulary.eos != NO_ID
    ended = [tune.finished for tune in generated] if ends else None
    texts = [pool[index] for index in chosen]
    heard = [
        notes_of(subject.render(ids).score)
        for data in corpora
        for ids in sample_training(data, NOTE_TOKENS, seed).ids
    ]
    measure = _Measure(subject, plan, pool, known, heard, seed)
    return (
        measure.tunes("generated", drawn, shared[: len(drawn)], finished=ended, absent=NEVER_ENDS),
        measure.tunes(f"held out ({plan.split})", texts, shared[len(drawn) :], own=chosen),
    )


@dataclass(frozen=True)
class _Measure:
    """Measures sets of tunes in the same way."""

    subject: Subject
    plan: EvaluationPlan
    pool: Sequence[NDArray[Any]]
    known: Sequence[TrainingSample]
    heard: Sequence[Notes]  # in training tunes
    seed: int

    def tunes(
        self,
        name: str,
        tunes: Sequence[NDArray[Any]],
        shared: Sequence[Copies],
        *,
        finished: Sequence[bool] | None = None,
        own: Sequence[int] | None = None,
        absent: str = BY_PEOPLE,
    ) -> TuneSet:
        renditions = [self.subject.render(tune) for tune in tunes]
        # Drawn tunes are independent of each other; those of one family are not.
        units = None if own is None else self.subject.families(self.plan.split)[own]
        played = [notes_of(rendition.score) for rendition in renditions]
        measured = Tunes(
            ids=tunes,
            copies=shared,
            notes=[len(notes.pitches) for notes in played],
            copied_notes=copied_notes(self.heard, played).tolist(),
            ngram=self.plan.ngram,
            bootstrap=self.plan.bootstrap(self.seed).over(units),
            grammar=_checks(renditions),
            finished=finished,
            bars=_bars(renditions),
            references=self._references(tunes, own),
            absent=absent,
        )
        figures, reasons = TUNES.measure(measured)
        longest = max(shared, key=lambda run: run.longest)
        return TuneSet(
            name=name,
            tunes=len(tunes),
            figures={key: figure for key, figure in figures.items() if figure.is_defined},
            runs=tuple(run.longest for run in shared),
            copied_from=self._title(longest.source),
            reasons=reasons,
            looked_up_in="; ".join(sample.size for sample in self.known if not sample.is_all),
            raw=raw_values(measured, renditions, units),
        )

    def _references(
        self, tunes: Sequence[NDArray[Any]], own: Sequence[int] | None
    ) -> list[list[NDArray[Any]]]:
        """Of each tune; the only tune of a split has none."""
        kinds, pool = ([self._kind(tune) for tune in group] for group in (tunes, self.pool))
        chosen = choose_references(kinds, pool, self.plan.references, self.seed, own)
        return [[self.pool[index] for index in indices] for indices in chosen]

    def _kind(self, ids: NDArray[Any]) -> tuple[str, ...]:
        """Meter and key (on C: the mode) of a tune, where its tokens tell them."""
        tokenizer = self.subject.tokenizer
        tokens = tokenizer.decode([int(token) for token in ids])
        return tuple(token for token in tokens if tokenizer.token_class(token) in ("meter", "key"))

    def _title(self, source: int | None) -> str | None:
        if source is None:
            return None
        for sample in self.known:
            if source < len(sample.examples):
                return sample.encoded.title(int(sample.examples[source]))
            source -= len(sample.examples)
        raise IndexError(source)


def _checks(renditions: Sequence[Rendition]) -> list[GrammarCheck] | None:
    """The grammar errors of every tune; ``None`` where the tokens have no grammar."""
    checks = [rendition.grammar for rendition in renditions if rendition.grammar is not None]
    return checks if len(checks) == len(renditions) else None


def _bars(renditions: Sequence[Rendition]) -> list[tuple[int, int]]:
    """Right bars and all bars of each, 0 without meter; empty if the tokens have no bars."""
    known = [
        (tune.right_bars or 0, (tune.bars or 0) if tune.right_bars is not None else 0)
        for tune in renditions
    ]
    return known if any(bars for _, bars in known) else []
