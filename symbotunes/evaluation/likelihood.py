"""How likely a model finds one piece of music: one generic function for every kind of model."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
import torch

from symbotunes.errors import UserError
from symbotunes.evaluation.sequences.arrival import piece_nats
from symbotunes.evaluation.sequences.likelihood import token_nats
from symbotunes.generation.latent.player import LatentPlayer
from symbotunes.models.base import LatentModel, SequenceModel
from symbotunes.tokenizers.base import Tokenizer, examples_in

SEED = 0  # of the one latent vector that is drawn for each window


@dataclass(frozen=True)
class Likelihood:
    """Negative log-likelihood of a piece under a model.

    Attributes:
        nats: of the whole piece.
        tokens: number of predicted tokens, the end of the piece included.
        notes: number of notes in the piece.
        is_bound: whether `nats` is an upper bound (the negative evidence lower bound of a latent
            model, from one latent vector per window) rather than the exact value.
    """

    nats: float
    tokens: int
    notes: int
    is_bound: bool = False

    @property
    def nats_per_token(self) -> float:
        """`nats` divided by `tokens`."""
        return self.nats / self.tokens

    @property
    def bits_per_note(self) -> float:
        """`nats` in bits, divided by `notes`; comparable between representations."""
        return self.nats / math.log(2) / self.notes if self.notes else math.inf


@singledispatch
def likelihood(net: object, piece: Any, tokenizer: Tokenizer[Any]) -> Likelihood:  # noqa: ARG001
    """How likely a network finds a piece. Other models are added with ``likelihood.register``.

    Args:
        net: the trained network.
        piece: of the format that the tokenizer reads.
        tokenizer: the one that the network was trained with.

    Raises:
        UserError: if the network has no likelihood.
        Unencodable: if the tokenizer cannot express the piece.
    """
    raise UserError(f"{type(net).__name__} has no likelihood: it only generates")


@likelihood.register
def _of_sequence(net: SequenceModel, piece: Any, tokenizer: Tokenizer[Any]) -> Likelihood:
    vocabulary = tokenizer.vocabulary
    examples = [_ids(example, tokenizer) for example in examples_in(tokenizer.tokenize(piece))]
    framed = [vocabulary.framed(np.array(ids, np.int64)) for ids in examples]
    if tokenizer.TRIPLETS:
        nats = [piece_nats(net, np.array(ids, np.int64)) for ids in examples]
    else:
        nats = token_nats(net, framed, vocabulary.size)
    return Likelihood(
        nats=float(sum(values.sum() for values in nats)),
        tokens=sum(map(len, nats)),
        notes=_notes(examples, tokenizer),
    )


@likelihood.register
def _of_windows(net: LatentModel, piece: Any, tokenizer: Tokenizer[Any]) -> Likelihood:
    windows = examples_in(tokenizer.tokenize(piece))
    player = LatentPlayer(net, tokenizer)
    with torch.inference_mode():
        posterior = net.encode(player.tokens(windows))
        noise = torch.randn(posterior.mean.shape, generator=torch.Generator().manual_seed(SEED))
        z = posterior.mean + posterior.std * noise.to(player.device)
        kl_nats = float(posterior.kl_nats().double().sum())
    return Likelihood(
        nats=sum(player.nats(z, windows)) + kl_nats,
        tokens=sum(int(window.size) for window in windows),
        notes=_notes(windows, tokenizer),
        is_bound=True,
    )


def _ids(example: Any, tokenizer: Tokenizer[Any]) -> Sequence[int]:
    """Ids of an example, which a tokenizer gives as token strings or as ids."""
    if isinstance(example, np.ndarray):
        return [int(index) for index in tokenizer.recode(example)]
    if tokenizer.text is None:
        raise UserError(f"{type(tokenizer).__name__} returns no tokens")
    return tokenizer.text.encode(example)


def _notes(examples: Sequence[Any], tokenizer: Tokenizer[Any]) -> int:
    scores = [tokenizer.render_ids(np.asarray(ids), "").score for ids in examples]
    return sum(len(track.notes) for score in scores for track in score.tracks)
