"""The part of the training split that tables are built from: as much as fits in memory."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symbotunes.data.cache.encoded import Encoded


@dataclass(frozen=True)
class TrainingSample:
    """Training examples, in corpus order.

    Attributes:
        encoded: the prepared corpus.
        examples: ``[N]`` indices of the chosen examples.
        tokens: how many tokens they have.
        all_examples: how many examples the training split has.
        all_tokens: how many tokens those have.
    """

    encoded: Encoded
    examples: NDArray[np.int64]
    tokens: int
    all_examples: int
    all_tokens: int

    @property
    def ids(self) -> list[NDArray[np.integer]]:
        """Ids of every example, without ``bos`` and ``eos``."""
        ids, lengths = self.encoded.gather(self.examples)
        return np.split(ids, np.cumsum(lengths)[:-1]) if len(lengths) else []

    @property
    def is_all(self) -> bool:
        """Whether nothing was left out."""
        return len(self.examples) == self.all_examples

    @property
    def size(self) -> str:
        """How much of the split it is, in words."""
        return (
            f"{self.tokens:,} of {self.all_tokens:,} training tokens "
            f"({len(self.examples):,} of {self.all_examples:,} examples, drawn at random)"
        )


def sample_training(encoded: Encoded, most_tokens: int, seed: int) -> TrainingSample:
    """All training examples, or a random choice of whole ones; at least one.

    Args:
        encoded: the prepared corpus.
        most_tokens: maximum total of the examples' tokens.
        seed: of the choice.
    """
    examples = encoded.examples("train")
    lengths = encoded.lengths(examples)
    total = int(lengths.sum())
    chosen = examples
    if total > most_tokens:
        order = np.random.default_rng(seed).permutation(len(examples))
        fitting = int((np.cumsum(lengths[order]) <= most_tokens).sum())
        chosen = np.sort(examples[order[: max(1, fitting)]])
    tokens = int(encoded.lengths(chosen).sum())
    return TrainingSample(encoded, chosen, tokens, len(examples), total)
