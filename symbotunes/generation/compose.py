"""How a model carries out a plan: one generic function for all kinds of model."""

from collections.abc import Callable
from functools import singledispatch
from typing import Any

from symbotunes.errors import UserError
from symbotunes.generation.arrival.plans import EventPlan
from symbotunes.generation.latent.plan import LatentPlan, Training
from symbotunes.generation.latent.player import LatentPlayer, Player
from symbotunes.generation.sample import Composition
from symbotunes.generation.sequences.harmonize import HarmonizePlan
from symbotunes.generation.sequences.infill import InfillPlan
from symbotunes.generation.sequences.plan import SamplePlan
from symbotunes.models.base import LatentModel, SequenceModel, WindowModel
from symbotunes.tokenizers.base import TextTokenizer, Tokenizer

Plan = SamplePlan | HarmonizePlan | InfillPlan | EventPlan | LatentPlan
OnStep = Callable[[int], None]


@singledispatch
def compose(
    net: object,
    plan: Plan,  # noqa: ARG001
    *,
    tokenizer: Tokenizer[Any],  # noqa: ARG001
    seed: int,  # noqa: ARG001
    on_step: OnStep | None = None,  # noqa: ARG001
    training: Training | None = None,  # noqa: ARG001
) -> Composition:
    """Carry out a plan; the same seed gives the same result.

    Another kind of model joins with ``compose.register``.

    Args:
        net: the trained network.
        plan: what is written, and how.
        tokenizer: the one that the network was trained with.
        seed: from which that of every sample is made, unless the plan gives them.
        on_step: called with the number of tokens or steps written so far.
        training: reads the data that the network was trained on.

    Raises:
        UserError: if the network cannot do what the plan asks, or an input cannot be read.
    """
    raise UserError(f"{type(net).__name__} cannot be sampled: it is not registered with compose")


@compose.register
def _sequences(
    net: SequenceModel,
    plan: Plan,
    *,
    tokenizer: Tokenizer[Any],
    seed: int,
    on_step: OnStep | None = None,
    training: Training | None = None,  # noqa: ARG001
) -> Composition:
    sequences = plan.for_sequences()
    if sequences is None:
        raise _needs_encoder(net, plan)
    return sequences.write(net, text_of(net, tokenizer), seed, on_step)


@compose.register
def _windows(
    net: WindowModel,
    plan: Plan,
    *,
    tokenizer: Tokenizer[Any],
    seed: int,
    on_step: OnStep | None = None,
    training: Training | None = None,
) -> Composition:
    windows = plan.for_windows()
    if windows.from_noise is None:
        raise _needs_encoder(net, plan)
    player = Player(
        net,
        tokenizer,
        batch_size=windows.batch_size,
        on_step=on_step,
        weights=windows.weights,
    )
    return windows.from_noise.play(player, seed, training)


@compose.register
def _latent(
    net: LatentModel,
    plan: Plan,
    *,
    tokenizer: Tokenizer[Any],
    seed: int,
    on_step: OnStep | None = None,
    training: Training | None = None,
) -> Composition:
    windows = plan.for_windows()
    player = LatentPlayer(
        net,
        tokenizer,
        batch_size=windows.batch_size,
        on_step=on_step,
        weights=windows.weights,
    )
    return windows.play(player, seed, training)


def text_of(net: SequenceModel, tokenizer: Tokenizer[Any]) -> TextTokenizer[Any]:
    """The tokenizer of a model that writes token by token.

    Raises:
        UserError: if its ids have no token strings.
    """
    if tokenizer.text is None:
        raise UserError(
            f"{type(net).__name__} writes tokens, and its tokenizer {type(tokenizer).__name__} has "
            "none: choose another ckpt=PATH"
        )
    return tokenizer.text


def _needs_encoder(net: object, plan: Plan) -> UserError:
    name = getattr(plan, "NAME", "default")
    return UserError(
        f"sample={name} needs a latent model such as music_vae; {type(net).__name__} has no "
        "latent space: choose another ckpt=PATH"
    )
