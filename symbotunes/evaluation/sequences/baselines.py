"""Losses of n-gram models on the same tokens, for comparison."""

from collections.abc import Sequence

from symbotunes.data.batches.loading import Examples
from symbotunes.data.batches.sampler import Draws, seeds_of
from symbotunes.data.cache.encoded import Encoded
from symbotunes.evaluation.metrics.ngram import NGram
from symbotunes.tokenizers.base import Vocabulary
from symbotunes.transforms.base import Chain


def ngram_losses(
    encoded: Encoded, chain: Chain, orders: Sequence[int], split: str = "val"
) -> dict[int, float]:
    """Nats per token of n-gram models fitted on the training split.

    The predicted tokens are those that a network predicts in a validation: all but ``bos``.

    Args:
        encoded: the prepared corpus.
        chain: the transforms that prepared it.
        orders: n of each model; 1 counts tokens alone, 3 is a trigram.
        split: where they are measured.
    """
    examples, chosen = Examples(encoded, chain, augment=False), encoded.examples(split)
    held_out = []
    for example in chosen[:, None]:
        piece = examples[Draws(example, seeds_of(example, None, 0), None)]
        held_out.append(piece.tokens[0].tolist())
    models = ngram_models(encoded, chain.tokenizer.vocabulary, orders)
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
        [vocabulary.bos, *encoded.example(int(example)).tolist(), vocabulary.eos]
        for example in encoded.examples(split)
    ]


NGRAM_NAMES = {1: "unigram", 2: "bigram", 3: "trigram"}
