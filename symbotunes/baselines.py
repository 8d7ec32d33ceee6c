"""Losses of n-gram models on the same tokens, for comparison."""

from collections.abc import Sequence

from symbotunes.data.cache import Encoded
from symbotunes.metrics.ngram import NGram
from symbotunes.tokenizers.base import Vocabulary


def ngram_losses(
    encoded: Encoded, vocabulary: Vocabulary, orders: Sequence[int], split: str = "val"
) -> dict[int, float]:
    """Nats per token of n-gram models fitted on the training split.

    The predicted tokens are those that a network predicts: all but ``bos``.

    Args:
        encoded: the prepared corpus.
        vocabulary: its ids.
        orders: n of each model; 1 counts tokens alone, 3 is a trigram.
        split: where they are measured.
    """
    held_out = sequences(encoded, vocabulary, split)
    models = ngram_models(encoded, vocabulary, orders)
    return {order: model.nats_per_token(held_out) for order, model in models.items()}


def ngram_models(
    encoded: Encoded, vocabulary: Vocabulary, orders: Sequence[int]
) -> dict[int, NGram]:
    """N-gram models fitted on the training split, by order."""
    training = sequences(encoded, vocabulary, "train")
    models = {order: NGram(order, vocabulary.size) for order in orders}
    for model in models.values():
        model.fit(training)
    return models


def sequences(encoded: Encoded, vocabulary: Vocabulary, split: str) -> list[list[int]]:
    """The pieces of a split as a model reads them, from ``bos`` to ``eos``."""
    return [
        [vocabulary.bos, *encoded.piece(int(piece)).tolist(), vocabulary.eos]
        for piece in encoded.pieces(split)
    ]
