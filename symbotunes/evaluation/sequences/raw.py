"""Raw values of tunes: a reader of ``report.json`` can compute their figures again."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from symbotunes.evaluation.metrics.tunes import Tunes
from symbotunes.evaluation.sequences.findings import TuneValues
from symbotunes.tokenizers.base import Rendition


def raw_values(
    tunes: Tunes, renditions: Sequence[Rendition], families: NDArray[np.int64] | None
) -> tuple[TuneValues, ...]:
    """The values of every tune.

    Args:
        tunes: what is known of them.
        renditions: the music of each.
        families: the family of each; ``None`` for tunes that the model wrote.
    """
    overlap = iter(zip(tunes.overlaps.counts.tolist(), tunes.overlaps.rouge.tolist(), strict=True))
    rows = []
    for index, (shared, rendition) in enumerate(zip(tunes.copies, renditions, strict=True)):
        seen, ngrams = shared.seen(tunes.ngram)
        # Tunes without references have no overlap.
        has_references = tunes.references is not None and tunes.references[index]
        bleu, rouge = next(overlap) if has_references else (None, None)
        check, judged = rendition.grammar, bool(rendition.bars) and rendition.right_bars is not None
        rows.append(
            TuneValues(
                family=None if families is None else int(families[index]),
                tokens=len(tunes.ids[index]),
                grammar_errors=None if check is None else check.errors,
                grammar_tokens=None if check is None else check.tokens,
                finished=None if tunes.finished is None else tunes.finished[index],
                right_bars=rendition.right_bars if judged else None,
                bars=rendition.bars if judged else None,
                seen_ngrams=seen,
                ngrams=ngrams,
                longest_copy=shared.longest,
                notes=tunes.notes[index],
                copied_notes=tunes.copied_notes[index],
                bleu=None if bleu is None else tuple(bleu),
                rouge=None if rouge is None else tuple(rouge),
            )
        )
    return tuple(rows)
