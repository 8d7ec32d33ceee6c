"""The library: trained models and what they write, as Python objects.

import symbotunes

model = symbotunes.load("pretrained/folk_rnn")
tunes = model.sample(4, prompt="M:6/8 K:Dmaj", seed=1)
tunes[0].save("tune.mid")
print(tunes[0].abc, model.likelihood(tunes[0]).nats_per_token)
"""

from pathlib import Path

from symbotunes.checkpoints.trained_model import Music, TrainedModel
from symbotunes.errors import UserError
from symbotunes.evaluation.likelihood import Likelihood
from symbotunes.render.piece import Piece

__all__ = ["Likelihood", "Music", "Piece", "TrainedModel", "UserError", "load"]


def load(source: str | Path) -> TrainedModel:
    """Open a trained model.

    Args:
        source: a checkpoint, the folder of a run or of an exported model, ``hub:owner/name``, or
            ``pretrained/name``.

    Raises:
        UserError: if it is missing, damaged, or names code that is not part of Symbotunes.
    """
    return TrainedModel.load(source)
