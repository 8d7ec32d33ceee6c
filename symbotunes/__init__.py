"""Symbotunes: a hub for generative models of symbolic music.

`symbotunes.load` opens a trained model, `symbotunes.load_run` a training; see `symbotunes.api`.
Nothing heavy is imported before a name of the library is used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symbotunes.api import Likelihood, Piece, TrainedModel, TrainedRun, load, load_run
    from symbotunes.errors import UserError

__all__ = ["Likelihood", "Piece", "TrainedModel", "TrainedRun", "UserError", "load", "load_run"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "UserError":
        from symbotunes import errors

        return errors.UserError
    from symbotunes import api

    return getattr(api, name)
