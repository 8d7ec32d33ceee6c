"""Symbotunes: a hub for generative models of symbolic music.

`symbotunes.load` opens a trained model; see `symbotunes.api`. Nothing heavy is imported before a
name of the library is used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symbotunes.api import Likelihood, Piece, TrainedModel, load
    from symbotunes.errors import UserError

__all__ = ["Likelihood", "Piece", "TrainedModel", "UserError", "load"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "UserError":
        from symbotunes import errors

        return errors.UserError
    from symbotunes import api

    return getattr(api, name)
