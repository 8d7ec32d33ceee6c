"""The library: trained models, what they write, and trainings, as Python objects.

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
from symbotunes.training.trained_run import TrainedRun

__all__ = [
    "Likelihood", "Music", "Piece", "TrainedModel", "TrainedRun", "UserError", "load", "load_run",
]  # fmt: skip


def load(source: str | Path) -> TrainedModel:
    """Open a trained model.

    Args:
        source: a checkpoint, the folder of a run or of an exported model, ``hub:owner/name``, or
            ``pretrained/name``.

    Raises:
        UserError: if it is missing, damaged, or names code that is not part of Symbotunes.
    """
    return TrainedModel.load(source)


def load_run(folder: str | Path) -> TrainedRun:
    """Open the folder of a training, finished or not: its config, metrics, model and samples.

    Args:
        folder: of the run, such as ``outputs/train/2026-01-31_12-00-00``.

    Raises:
        UserError: if there is no run in it.
    """
    return TrainedRun(folder)
