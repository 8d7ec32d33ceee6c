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
    training, held_out = (_sequences(encoded, vocabulary, name) for name in ("train", split))
    losses = {}
    for order in orders:
        model = NGram(order, vocabulary.size)
        model.fit(training)
        losses[order] = model.nats_per_token(held_out)
    return losses


def _sequences(encoded: Encoded, vocabulary: Vocabulary, split: str) -> list[list[int]]:
    return [
        [vocabulary.bos, *encoded.example(int(example)).tolist(), vocabulary.eos]
        for example in encoded.examples(split)
    ]
