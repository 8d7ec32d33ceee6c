"""The n-gram rows of a leaderboard."""

import time
from typing import Any

import numpy as np

from symbotunes.data.module import MusicData
from symbotunes.errors import UserError
from symbotunes.evaluation.metrics.bootstrap import Bootstrap
from symbotunes.evaluation.metrics.losses import loss_figures
from symbotunes.evaluation.sequences.baselines import framed, ngram_models
from symbotunes.evaluation.sequences.measuring import notes_heard


def measure_ngram(data: MusicData, order: int, bootstrap: Bootstrap) -> dict[str, Any]:
    """Figures of an n-gram model of the training split on the test split.

    It writes no tunes here: a table of tunes by unigrams would tell nothing. Its speed is that of
    counting the training tokens and scoring the test tokens, once.

    Args:
        data: of the benchmark.
        order: n.
        bootstrap: how intervals are drawn; families of test pieces are resampled.

    Raises:
        UserError: if the tokens of the benchmark are not text.
    """
    encoded, tokenizer = data.encoded, data.chain.tokenizer.text
    if tokenizer is None:
        raise UserError(f"{data.corpus.name}: n-gram models need tokens that are text")
    vocabulary, examples = tokenizer.vocabulary, encoded.examples("test")
    pieces = [encoded.example(int(index)) for index in examples]
    texts = framed(pieces, vocabulary)
    began = time.perf_counter()
    model = ngram_models(encoded, vocabulary, [order]).models[order]
    nats = model.nats(texts)
    seconds = time.perf_counter() - began
    notes = [
        notes_heard(tokenizer.render(tokenizer.decode([int(token) for token in piece]), ""))
        for piece in pieces
    ]
    figures = loss_figures(nats, notes, bootstrap.over(encoded.families(examples)))
    read = int(encoded.lengths(encoded.examples("train")).sum()) + sum(map(len, nats))
    return {
        "seed": None,
        "steps": None,
        "seconds": seconds,
        "pieces": len(pieces),
        "tokens": int(sum(map(len, nats))),
        "notes": int(np.sum(notes)),
        "figures": {
            **{name: figure.as_dict() for name, figure in figures.items()},
            "tokens_per_second": {"value": read / seconds, "low": None, "high": None},
        },
    }
