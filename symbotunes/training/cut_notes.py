"""What a training that reads stretches of pieces does not learn, said before it begins."""

import sys

import numpy as np

from symbotunes.data.cache.encoded import Encoded
from symbotunes.transforms.base import Chain


def notes_on_cuts(chain: Chain, encoded: Encoded, context: int | None) -> list[str]:
    """One line for each thing that sampling needs and the chain's cuts remove.

    Args:
        chain: the transforms of the training.
        encoded: the prepared corpus.
        context: tokens that the network reads at once; ``None``: any number.
    """
    if not chain.cuts_pieces:
        return []
    notes = []
    (longest,) = chain.longest(np.array([sys.maxsize]))
    if context is not None and longest - 1 < context:
        notes.append(
            f"training reads at most {longest - 1} tokens at once, and the network up to {context} "
            f"in samples and evaluations, where later positions are untrained: leave the length of "
            f"the cut at null, or set model.net.context={longest - 1}"
        )
    if not all(cut.keeps_endings for cut in chain.cuts):
        lengths = encoded.lengths(encoded.examples("train")) + 2  # with bos and eos
        lost = int((chain.longest(lengths) < lengths).sum())
        if lost:
            notes.append(
                f"{lost:,} of {len(lengths):,} training pieces lose their endings, so that the "
                "model learns neither how long pieces go on nor how they end; sample_subsequence "
                "keeps all parts"
            )
    return notes
