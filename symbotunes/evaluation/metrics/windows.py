"""Figures of windows of one length, generated or held out, by a model that has no likelihood."""

from symbotunes.evaluation.metrics.bootstrap import Interval
from symbotunes.evaluation.metrics.figure import Metrics, share
from symbotunes.evaluation.metrics.tunes import (
    TUNES,
    Tunes,
    copied_share,
    grammar_errors,
    longest_copy,
    seen_ngrams,
    well_formed,
)

WINDOWS: Metrics[Tunes, Interval] = Metrics()


@WINDOWS.register(
    share(
        "distinct",
        "distinct windows",
        "Windows that are not note for note another one of the same set. Far fewer than in music "
        "by people: the model writes the same few again and again.",
        "closer",
    )
)
def distinct(windows: Tunes) -> Interval:
    """Share of windows that are the first of their kind in the set."""
    seen: set[bytes] = set()
    first: list[float] = []
    for ids in windows.ids:
        content = ids.astype("int64").tobytes()
        first.append(float(content not in seen))
        seen.add(content)
    return windows.bootstrap.mean(first)


for _key, _function in (
    ("grammar_errors", grammar_errors),
    ("well_formed", well_formed),
    ("seen_ngrams", seen_ngrams),
    ("longest_copy", longest_copy),
    ("copied_share", copied_share),
):
    WINDOWS.register(TUNES[_key])(_function)
