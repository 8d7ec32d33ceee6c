"""BLEU and ROUGE of pieces against references, computed by the packages that papers use.

Tokens stand for words; nothing is split, lowercased or stemmed. The references of a piece are
chosen among pieces of its kind.

The longest common subsequence of ROUGE-L is RapidFuzz's, not rouge-score's, whose table of all
pairs of tokens takes minutes and gigabytes for two pieces of MAESTRO. RapidFuzz compares 64 tokens
at once (Hyyrö 2004, "Bit-parallel LCS-length computation revisited").
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symbotunes.evaluation.metrics.bootstrap import Bootstrap, Floats, Interval

ORDERS = (1, 2, 3, 4)
NGRAMS = ("rouge1", "rouge2")
ROUGE = (*NGRAMS, "rougeL")
Ids = Sequence[int] | NDArray[np.integer]


@dataclass(frozen=True)
class Overlaps:
    """What pieces share with their references.

    Attributes:
        counts: ``[N, 10]`` for BLEU: matched n-grams of order 1 to 4, all n-grams of order 1 to 4,
            tokens of the piece, tokens of the reference of nearest length.
        rouge: ``[N, 3]`` F-measures of ROUGE-1, ROUGE-2 and ROUGE-L with the best reference, 0-1.
    """

    counts: Floats
    rouge: Floats


class _Words:
    """A tokenizer for rouge-score that leaves words as they are."""

    def tokenize(self, text: str) -> list[str]:
        return text.split()


def overlaps(pieces: Sequence[Ids], references: Sequence[Sequence[Ids]]) -> Overlaps:
    """Compare every piece with its references.

    Args:
        pieces: ids.
        references: for every piece the ids of at least one reference.
    """
    from rouge_score.rouge_scorer import RougeScorer
    from sacrebleu.metrics.bleu import BLEU

    # effective_order changes a score that is not used here, and silences the advice to set it.
    bleu = BLEU(tokenize="none", force=True, effective_order=True)
    scorer = RougeScorer(list(NGRAMS), tokenizer=_Words())
    counts, rouge = [], []
    for piece, others in zip(pieces, references, strict=True):
        text, texts = _text(piece), [_text(other) for other in others]
        score = bleu.sentence_score(text, texts)
        counts.append([*score.counts, *score.totals, score.sys_len, score.ref_len])
        best = scorer.score_multi(texts, text)
        longest = max(rouge_l(piece, other) for other in others)
        rouge.append([*(best[name].fmeasure for name in NGRAMS), longest])
    return Overlaps(
        np.array(counts, np.float64).reshape(-1, 10), np.array(rouge, np.float64).reshape(-1, 3)
    )


def rouge_l(piece: Ids, reference: Ids) -> float:
    """F-measure, 0 to 1, of precision and recall of the longest common subsequence; Lin 2004."""
    from rapidfuzz.distance import LCSseq

    shared = LCSseq.similarity([int(token) for token in piece], [int(token) for token in reference])
    return 2 * shared / (len(piece) + len(reference)) if shared else 0.0


def bleu(shared: Overlaps, order: int, bootstrap: Bootstrap) -> Interval:
    """Corpus BLEU of all pieces, with n-grams up to `order`, from 0 to 100."""
    return bootstrap.interval(shared.counts, _Bleu(order))


def rouge(shared: Overlaps, name: str, bootstrap: Bootstrap) -> Interval:
    """Mean F-measure from 0 to 100; `name` is one of `ROUGE`."""
    return bootstrap.mean(100 * shared.rouge[:, ROUGE.index(name)])


class _Bleu:
    """Corpus BLEU of n-grams up to an order, from summed counts."""

    def __init__(self, order: int) -> None:
        self.order = order

    def __call__(self, sums: Floats) -> Floats:
        from sacrebleu.metrics.bleu import BLEU

        return np.array([self._score(BLEU, row) for row in sums.round().astype(int).tolist()])

    def _score(self, bleu: type, row: list[int]) -> float:
        matched, possible, (size, wanted) = row[:4], row[4:8], row[8:]
        result = bleu.compute_bleu(  # type: ignore[attr-defined]
            matched[: self.order],
            possible[: self.order],
            size,
            wanted,
            smooth_method="exp",
            max_ngram_order=self.order,
        )
        return float(result.score)


def choose_references(
    kinds: Sequence[Hashable],
    pool: Sequence[Hashable],
    count: int,
    seed: int,
    own: Sequence[int] | None = None,
) -> list[list[int]]:
    """For every piece, up to `count` pool members of its kind, or of any kind if there are none.

    Args:
        kinds: of the pieces, such as meter and mode.
        pool: kinds of the pieces to choose among.
        count: maximum references per piece.
        seed: of the choice.
        own: index of each piece in the pool, if it is there, so that none is its own reference.
    """
    chosen = []
    for index, kind in enumerate(kinds):
        itself = own[index] if own is not None else -1
        others = [candidate for candidate in range(len(pool)) if candidate != itself]
        alike = [candidate for candidate in others if pool[candidate] == kind] or others
        random = np.random.default_rng([seed, index])
        chosen.append([alike[rank] for rank in random.permutation(len(alike))[:count]])
    return chosen


def _text(ids: Ids) -> str:
    return " ".join(str(int(token)) for token in ids)
