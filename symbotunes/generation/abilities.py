"""Which plans a kind of model can carry out: one generic function for all kinds of model."""

from functools import singledispatch
from typing import Any

from symbotunes.models.base import LatentModel, SequenceModel, WindowModel
from symbotunes.tokenizers.base import Tokenizer
from symbotunes.transforms.infill import FILL

NEW = ("sample",)
LATENT = ("prior", "interpolate", "attribute", "reconstruct")


@singledispatch
def _abilities(net: object, tokenizer: Tokenizer[Any]) -> tuple[str, ...]:  # noqa: ARG001
    return ()


@_abilities.register
def _sequences(net: SequenceModel, tokenizer: Tokenizer[Any]) -> tuple[str, ...]:  # noqa: ARG001
    if tokenizer.text is None:
        return ()
    fills = FILL in tokenizer.added or tokenizer.TRIPLETS
    further = {
        "harmonize": tokenizer.voices is not None,
        "continue": tokenizer.voices is None,
        "infill": fills,
        "accompany": tokenizer.TRIPLETS,
    }
    return (*NEW, *(name for name, can in further.items() if can))


@_abilities.register
def _windows(net: WindowModel, tokenizer: Tokenizer[Any]) -> tuple[str, ...]:  # noqa: ARG001
    return (*NEW, "prior")


@_abilities.register
def _latent(net: LatentModel, tokenizer: Tokenizer[Any]) -> tuple[str, ...]:  # noqa: ARG001
    return (*NEW, *LATENT)


def abilities(kind: type[Any], tokenizer: Tokenizer[Any]) -> tuple[str, ...]:
    """The plans of ``conf/sample`` that models of a class can carry out with a tokenizer.

    ``sample`` stands for plain samples. No network is built, so that models can be listed quickly.

    Args:
        kind: class of the network.
        tokenizer: the one that it is trained with; its vocabulary need not be known.
    """
    return _abilities.dispatch(kind)(None, tokenizer)
