"""How well a model fills in bars of held-out tunes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from symbotunes.evaluation.metrics.bootstrap import Interval
from symbotunes.evaluation.metrics.infilling import INFILLING, Infills
from symbotunes.evaluation.plan import EvaluationPlan
from symbotunes.evaluation.sequences.findings import FilledTune, Infilling
from symbotunes.evaluation.sequences.likelihood import token_nats
from symbotunes.evaluation.sequences.measuring import Subject
from symbotunes.generation.seeds import sample_seeds
from symbotunes.generation.sequences import Constraint
from symbotunes.generation.sequences.gaps import Gaps
from symbotunes.generation.sequences.plan import SamplePlan, draw_after
from symbotunes.music.abc.tokens import kind
from symbotunes.tokenizers.base import Rendition
from symbotunes.transforms.infill import FILL


@dataclass(frozen=True)
class Task:
    """One tune with a gap.

    Attributes:
        gaps: the tune.
        constraint: what keeps fills in it.
        family: of the tune.
    """

    gaps: Gaps
    constraint: Constraint
    family: int


def measure_infilling(
    subject: Subject,
    plan: EvaluationPlan,
    sampling: SamplePlan,
    seed: int,
    report: Callable[[str], None] = lambda _: None,
) -> Infilling | None:
    """Figures of bars that were written anew in random places of held-out tunes.

    Args:
        subject: the model and its data.
        plan: how many tunes and bars.
        sampling: how music is drawn; always under the constraint here.
        seed: of every choice and draw.
        report: called with what is being done.

    Returns:
        ``None`` if the model was not trained to fill in, or does not write ABC tokens, or no tune
        fits.
    """
    tokenizer = subject.tokenizer
    if FILL not in tokenizer.added or tokenizer.abc_tokens is None:
        return None
    tasks, passed_over = _tasks(subject, plan, seed)
    if not tasks:
        return None
    report(f"Filling in bars of {len(tasks)} tunes")
    both, left = _nats(subject, tasks)
    seeds = sample_seeds(seed, len(tasks))
    alone = replace(sampling.without_beginning, num=1, constraint="abc")
    tunes = []
    for task, number, both_nats, left_nats in zip(tasks, seeds, both, left, strict=True):
        gaps = task.gaps
        one = replace(alone, seeds=[number])
        (drawn,) = draw_after(
            gaps.prompt, subject.net, tokenizer, one, seed, constraint=task.constraint
        )
        written = drawn.ids[drawn.prompt_length :]
        notes = sum(
            kind(token) == "pitch" for bar in gaps.replaced for token in tokenizer.decode(bar)
        )
        tunes.append(
            FilledTune(
                family=task.family,
                notes=notes,
                both_nats=both_nats,
                left_nats=left_nats,
                restored=written == gaps.original,
                well_formed=drawn.finished and _is_well_formed(subject, gaps, written),
            )
        )
    return Infilling(plan.infill_bars, passed_over, _figures(tunes, plan, seed), tuple(tunes))


def _is_well_formed(subject: Subject, gaps: Gaps, written: Sequence[int]) -> bool:
    """Whether new bars bring no error and no wrong bar into a tune, which may have some itself."""
    errors, wrong = _faults(subject.render(gaps.filled(written)))
    errors_before, wrong_before = _faults(subject.render(gaps.filled(gaps.original)))
    return errors <= errors_before and wrong <= wrong_before


def _faults(rendition: Rendition) -> tuple[int, int]:
    """Grammar errors and wrong bars."""
    assert rendition.grammar is not None, "these are ABC tokens"
    return rendition.grammar.errors, (rendition.bars or 0) - (rendition.right_bars or 0)


def _figures(tunes: list[FilledTune], plan: EvaluationPlan, seed: int) -> dict[str, Interval]:
    """`INFILLING` of tunes."""
    columns = {
        name: np.array([float(getattr(tune, name)) for tune in tunes])
        for name in ("both_nats", "left_nats", "notes", "restored", "well_formed")
    }
    families = np.array([tune.family for tune in tunes])
    figures, _ = INFILLING.measure(
        Infills(**columns, bootstrap=plan.bootstrap(seed).over(families))
    )
    return figures


def _tasks(subject: Subject, plan: EvaluationPlan, seed: int) -> tuple[list[Task], int]:
    """Random tunes with a gap in a random place, and how many the constraint does not accept."""
    random = np.random.default_rng(seed)
    pieces, families = subject.ids(plan.split), subject.families(plan.split)
    tasks: list[Task] = []
    passed_over = 0
    for index in random.permutation(len(pieces)).tolist():
        if len(tasks) == plan.infills:
            break
        parts = subject.tokenizer.split_bars(np.asarray(pieces[index], np.int64))
        choices = len(parts) // 2 - plan.infill_bars
        if choices < 1:
            continue
        first = int(random.integers(choices + 1))
        tokens = subject.tokenizer.decode(pieces[index].tolist())
        chosen = range(first, first + plan.infill_bars)
        gaps = Gaps(subject.tokenizer, tokens, parts, chosen)
        try:
            constraint = gaps.constraint("abc")
        except ValueError:
            passed_over += 1
            continue
        tasks.append(Task(gaps, constraint, int(families[index])))
    return tasks, passed_over


def _nats(subject: Subject, tasks: list[Task]) -> tuple[list[float], list[float]]:
    """Nats of the music of the true bars, given both sides and given the left side."""
    vocabulary, size = subject.tokenizer.vocabulary, subject.tokenizer.model_vocabulary.size
    fill = subject.tokenizer.added_id(FILL)
    sequences, music = [], []
    for gaps in (task.gaps for task in tasks):
        given = np.array(gaps.prompt + gaps.original, np.int64)
        is_music = np.arange(len(given)) >= len(gaps.prompt)
        sequences.append(vocabulary.framed(given))
        music.append(is_music & (given != fill))
    for gaps in (task.gaps for task in tasks):
        chosen = {2 * stretch + 1 for stretch in gaps.chosen}
        by_part = [np.full(len(part), index in chosen) for index, part in enumerate(gaps.parts)]
        sequences.append(vocabulary.framed(np.concatenate(gaps.parts)))
        music.append(np.concatenate(by_part))
    nats = token_nats(subject.net, sequences, size)
    # `token_nats` leaves out the first token, ``bos``; the last is ``eos``.
    sums = [_sum(values[:-1], kept) for values, kept in zip(nats, music, strict=True)]
    return sums[: len(tasks)], sums[len(tasks) :]


def _sum(values: NDArray[np.float64], kept: NDArray[np.bool_]) -> float:
    return float(values[kept].sum())
