"""The keys of a collection whose tunes a model reads on C."""

from collections import Counter
from itertools import islice

from symbotunes.data.module import MusicData
from symbotunes.datasets.base import Dropped
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.tune import AbcTune

MOST_TUNES = 2000  # that are read for their keys


def keys_of(data: MusicData) -> dict[str, int]:
    """How often each key occurs in a collection, such as ``{"Dmaj": 7}``, the most frequent first.

    Empty where the model writes tunes in the keys that they have.

    Args:
        data: of the training.
    """
    tokenizer = data.chain.tokenizer.text
    if tokenizer is None or not tokenizer.MOVES_TO_C:
        return {}
    counts: Counter[str] = Counter()
    for piece in islice(data.corpus.pieces(), MOST_TUNES):
        if isinstance(piece, Dropped) or not isinstance(piece, AbcTune) or piece.tokens:
            continue
        try:
            tokens = piece.tokens_in("keep", changes=True)
        except AbcError:
            continue  # the receipt counts it
        counts.update(token[2:] for token in tokens[:2] if token.startswith("K:"))
    return dict(counts.most_common())
