"""Losses of n-gram models on the same tokens, for comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from symbotunes.data.batches.loading import Examples
from symbotunes.data.batches.sampler import Draws, seeds_of
from symbotunes.data.cache.encoded import Encoded
from symbotunes.evaluation.metrics.ngram import NGram
from symbotunes.evaluation.training_sample import sample_training
from symbotunes.tokenizers.base import NO_ID, Vocabulary
from symbotunes.transforms.base import Chain

NGRAM_TOKENS = 4_000_000  # of the training: a 5-gram model takes half a minute and 700 MiB at most


@dataclass(frozen=True)
class NGrams:
    """N-gram models of the training split.

    Attributes:
        models: by order.
        fitted_on: how much of the split they have seen, in words; empty for all of it.
    """

    models: Mapping[int, NGram] = field(default_factory=dict)
    fitted_on: str = ""


@dataclass(frozen=True)
class Baselines:
    """What n-gram models cost.

    Attributes:
        losses: nats per token by order.
        fitted_on: how much of the training split the models have seen, in words; empty for all.
        measured_on: how much of the held-out split was measured, in words; empty for all.
    """

    losses: Mapping[int, float] = field(default_factory=dict)
    fitted_on: str = ""
    measured_on: str = ""


def ngram_losses(
    encoded: Encoded,
    chain: Chain,
    orders: Sequence[int],
    *,
    split: str = "val",
    seed: int = 0,
    chosen: NDArray[np.int64] | None = None,
) -> Baselines:
    """Nats per token of n-gram models fitted on the training split.

    The predicted tokens are those that a network predicts in a validation: all but ``bos``.

    Args:
        encoded: the prepared corpus.
        chain: the transforms that prepared it.
        orders: n of each model; 1 counts tokens alone, 3 is a trigram.
        split: where they are measured.
        seed: of the choice of training examples where there are too many.
        chosen: examples of the split that are measured; ``None``: all.
    """
    examples, every = Examples(encoded, chain, augment=False), encoded.examples(split)
    chosen = every if chosen is None else chosen
    held_out = []
    for example in chosen[:, None]:
        piece = examples[Draws(example, seeds_of(example, None, 0), None)]
        held_out.append(piece.tokens[0].numpy())
    ngrams = ngram_models(encoded, chain.tokenizer.vocabulary, orders, seed)
    losses = {order: model.nats_per_token(held_out) for order, model in ngrams.models.items()}
    part = "" if len(chosen) == len(every) else f"{len(chosen):,} of {len(every):,} {split} pieces"
    return Baselines(losses, ngrams.fitted_on, part)


def ngram_models(
    encoded: Encoded, vocabulary: Vocabulary, orders: Sequence[int], seed: int = 0
) -> NGrams:
    """N-gram models of at most `NGRAM_TOKENS` of the training split.

    Raises:
        ValueError: if an order is too small.
    """
    if not orders:
        return NGrams()
    sample = sample_training(encoded, NGRAM_TOKENS, seed)
    training = framed(sample.ids, vocabulary)
    is_framed = vocabulary.bos != NO_ID
    models = {order: NGram(order, vocabulary.size, framed=is_framed) for order in orders}
    for model in models.values():
        model.fit(training)
    return NGrams(models, "" if sample.is_all else sample.size)


def sequences(encoded: Encoded, vocabulary: Vocabulary, split: str) -> list[NDArray[np.integer]]:
    """The pieces of a split as a model reads them, with ``bos`` and ``eos`` if it has these."""
    return framed([encoded.example(int(index)) for index in encoded.examples(split)], vocabulary)


def framed(
    pieces: Sequence[NDArray[np.integer]], vocabulary: Vocabulary
) -> list[NDArray[np.integer]]:
    """Pieces with the ids that open and close them, if there are any."""
    return [vocabulary.framed(ids) for ids in pieces]


NGRAM_NAMES = {1: "unigram", 2: "bigram", 3: "trigram"}
