"""Figures of tunes, generated or held out: whether they are well-formed, and what they repeat."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from symbotunes.evaluation.metrics.bootstrap import Bootstrap, Interval, ratio
from symbotunes.evaluation.metrics.copying import Copies
from symbotunes.evaluation.metrics.figure import Figure, Inapplicable, Metrics, share
from symbotunes.evaluation.metrics.overlap import ORDERS, Overlaps, bleu, overlaps, rouge
from symbotunes.tokenizers.base import GrammarCheck

BLEU = "Papineni et al. 2002, by sacrebleu (Post 2018)"
LIN = "Lin 2004, by rouge-score"


@dataclass(frozen=True)
class Tunes:
    """What is known about N tunes.

    Attributes:
        ids: of each tune, without ``bos`` and ``eos``.
        copies: what each shares with the training tunes.
        ngram: n of the n-grams that are looked up in the training tunes.
        bootstrap: how tunes, or their families, are resampled.
        grammar: of each, the errors that its tokenizer finds.
        finished: of each, whether the model ended it.
        bars: right bars and all bars of each tune, 0 where there are none to judge; empty if no
            tune has any.
        references: of each, ids of tunes of its kind; a tune without any is left out.
        notes: heard in each, drums left out.
        copied_notes: of each, notes of the longest run that a training tune holds in some key.
        absent: why attributes that are ``None`` are not known.
    """

    ids: Sequence[NDArray[np.integer]]
    copies: Sequence[Copies]
    ngram: int
    bootstrap: Bootstrap
    grammar: Sequence[GrammarCheck] | None = None
    finished: Sequence[bool] | None = None
    bars: Sequence[tuple[int, int]] | None = None
    references: Sequence[Sequence[NDArray[np.integer]]] | None = None
    notes: Sequence[int] = ()
    copied_notes: Sequence[int] = ()
    absent: str = ""

    @property
    def compared(self) -> Bootstrap:
        """Resamples the tunes that have references."""
        return self.bootstrap.at([bool(others) for others in self.references or ()])

    @cached_property
    def overlaps(self) -> Overlaps:
        """What tunes share with their references."""
        if self.references is None:
            raise Inapplicable(self.absent)
        pairs = [pair for pair in zip(self.ids, self.references, strict=True) if pair[1]]
        return overlaps([tune for tune, _ in pairs], [others for _, others in pairs])

    @property
    def longest(self) -> NDArray[np.float64]:
        """``[N]`` tokens of the longest run that each shares with one training tune."""
        return np.array([shared.longest for shared in self.copies], np.float64)


TUNES: Metrics[Tunes, Interval] = Metrics()


@TUNES.register(
    share(
        "grammar_errors",
        "grammar errors per token",
        "Tokens that cannot stand where they are, and signs that are missing, of all tokens; "
        "docs/evaluation.md says what is an error for each kind of tokens.",
        "lower",
        decimals=2,
        headline=True,
    )
)
def grammar_errors(tunes: Tunes) -> Interval:
    """All errors over all tokens."""
    rows = [(check.errors, check.tokens) for check in _checks(tunes)]
    return tunes.bootstrap.interval(rows, ratio)


@TUNES.register(
    share(
        "well_formed",
        "well-formed",
        "Tunes without any grammar error.",
        "higher",
        headline=True,
    )
)
def well_formed(tunes: Tunes) -> Interval:
    """Share of tunes."""
    return tunes.bootstrap.mean([float(check.errors == 0) for check in _checks(tunes)])


def _checks(tunes: Tunes) -> Sequence[GrammarCheck]:
    if tunes.grammar is None:
        raise Inapplicable("none of its tokens can be wrong")
    return tunes.grammar


GRAMMAR = {key: TUNES[key] for key in ("grammar_errors", "well_formed")}  # of windows, too


@TUNES.register(share("finished", "finished", "Tunes that the model ended itself.", "higher"))
def finished(tunes: Tunes) -> Interval:
    """Share of tunes."""
    if tunes.finished is None:
        raise Inapplicable(tunes.absent)
    return tunes.bootstrap.mean([float(ended) for ended in tunes.finished])


@TUNES.register(
    share(
        "right_bars",
        "right bars",
        "Bars of the length that the meter requires, of all bars.",
        "higher",
        headline=True,
    )
)
def right_bars(tunes: Tunes) -> Interval:
    """Share of bars."""
    return tunes.bootstrap.interval(_bars(tunes), ratio)


@TUNES.register(
    share(
        "all_bars_right",
        "tunes with all bars right",
        "No bar is wrong.",
        "higher",
        compared=False,
    )
)
def all_bars_right(tunes: Tunes) -> Interval:
    """Share of the tunes that have bars."""
    rows = [(right == bars, 1) if bars else (0, 0) for right, bars in _bars(tunes)]
    return tunes.bootstrap.interval(rows, ratio)


def _bars(tunes: Tunes) -> Sequence[tuple[int, int]]:
    if tunes.bars is None:
        raise Inapplicable(tunes.absent)
    if not tunes.bars:
        raise Inapplicable("its tokens do not know bars")
    return tunes.bars


def _bleu(order: int, tunes: Tunes) -> Interval:
    return bleu(tunes.overlaps, order, tunes.compared)


for _order, _meaning in zip(
    ORDERS,
    (
        "Corpus BLEU (sacrebleu) of single tokens, 0 to 100. A tune's references are a random "
        "choice of held-out tunes of its meter and key, or of any if there are none.",
        "The same with pairs of tokens.",
        "The same with 3-grams.",
        "The same with 4-grams; this is what papers call BLEU.",
    ),
    strict=True,
):
    TUNES.register(
        Figure(
            f"bleu_{_order}", f"BLEU-{_order}", _meaning, "higher", "of 100", source=BLEU,
            compared=False,
        )
    )(partial(_bleu, _order))  # fmt: skip


def _rouge(name: str, tunes: Tunes) -> Interval:
    return rouge(tunes.overlaps, name, tunes.compared)


for _key, _label, _name, _meaning in (
    (
        "rouge_1",
        "ROUGE-1",
        "rouge1",
        "F-measure (rouge-score) of single tokens with the best of the same references, 0 to 100; "
        "the mean over tunes.",
    ),
    ("rouge_2", "ROUGE-2", "rouge2", "F-measure of pairs of tokens with the best reference."),
    ("rouge_l", "ROUGE-L", "rougeL", "F-measure of the longest common subsequence."),
):
    TUNES.register(
        Figure(_key, _label, _meaning, "higher", "of 100", source=LIN, compared=False)
    )(partial(_rouge, _name))  # fmt: skip


@TUNES.register(
    share(
        "seen_ngrams",
        "n-grams seen in training",
        "N-grams of tokens that occur in a training tune, of all n-grams.",
        "closer",
    )
)
def seen_ngrams(tunes: Tunes) -> Interval:
    """Share of n-grams."""
    return tunes.bootstrap.interval([shared.seen(tunes.ngram) for shared in tunes.copies], ratio)


@TUNES.register(
    Figure(
        "longest_copy",
        "longest copied run",
        "Longest run of tokens that also occurs in one training tune; the mean over tunes.",
        "closer",
        unit="tokens",
        headline=True,
    )
)
def longest_copy(tunes: Tunes) -> Interval:
    """Mean over tunes."""
    return tunes.bootstrap.mean(tunes.longest)


@TUNES.register(
    share(
        "copied_share",
        "longest run, share of tune",
        "The longest copied run over the length of the tune.",
        "closer",
    )
)
def copied_share(tunes: Tunes) -> Interval:
    """Mean over tunes."""
    sizes = np.array([max(1, len(tune)) for tune in tunes.ids], np.float64)
    return tunes.bootstrap.mean(tunes.longest / sizes)


@TUNES.register(
    share(
        "originality",
        "originality",
        "Notes outside the longest run of notes that one training tune holds in some key, with the "
        "same distances in time; the mean over tunes. Held-out tunes tell what people reach.",
        "closer",
        headline=True,
    )
)
def originality(tunes: Tunes) -> Interval:
    """Mean over the tunes that have notes."""
    heard = np.array(tunes.notes, np.float64)
    if not heard.any():
        raise Inapplicable("its tunes have no pitched notes")
    has_notes = heard > 0
    copied = np.array(tunes.copied_notes, np.float64)[has_notes]
    return tunes.bootstrap.at(has_notes).mean(1 - copied / heard[has_notes])
