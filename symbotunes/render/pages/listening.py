"""The listening page: one HTML file with a whole set of samples."""

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symbotunes.generation.sample import Sample
from symbotunes.render.forms import Card
from symbotunes.render.templates import asset, render


@dataclass(frozen=True)
class Likelihood:
    """How likely a model finds its own sample.

    Attributes:
        nats: per token.
        total: nats of the whole sample.
        fraction: `nats` divided by the largest on the page, 0 to 1.
        rank: whether the sample is the most likely or the least likely on the page.
    """

    nats: float
    total: float
    fraction: float
    rank: str


@dataclass(frozen=True)
class Entry:
    """A card of the page.

    Attributes:
        card: the card.
        facts: a few words each.
        likelihood: under the model, if it has one.
    """

    card: Card
    facts: tuple[str, ...]
    likelihood: Likelihood | None


def listening_page(
    heading: str, facts: Mapping[str, str], cards: Sequence[Card], strip: bytes | None = None
) -> str:
    """The page as text, with all sound and pictures; it loads nothing.

    Args:
        heading: title of the page.
        facts: common to all samples.
        cards: in the order of the page.
        strip: a picture of them side by side, or ``None``.
    """
    script = asset("listening.js")
    known = (card.sample.nats_per_token for card in cards)
    values = [nats for nats in known if nats is not None]
    return render(
        "listening.html",
        styles=["listening.css"],
        heading=heading,
        facts=facts,
        remarks=[],
        entries=[
            Entry(card, _facts(card.sample), _likelihood(card.sample, values)) for card in cards
        ],
        strip=strip,
        noun="piece" if any(card.sample.from_user for card in cards) else "sample",
        script=script,
        # Only this script may run, so that a title cannot inject another.
        script_hash=base64.b64encode(hashlib.sha256(f"\n{script}".encode()).digest()).decode(),
    )


def _likelihood(sample: Sample, values: Sequence[float]) -> Likelihood | None:
    nats, total = sample.nats_per_token, sample.nll_nats
    if nats is None or total is None:
        return None
    finite = [value for value in values if math.isfinite(value)]
    fraction = nats / max(finite) if math.isfinite(nats) and max(finite, default=0) > 0 else 0.0
    rank = ""
    if len(finite) > 1 and min(finite) < max(finite):
        extremes = {min(finite): ", most likely here", max(finite): ", least likely here"}
        rank = extremes.get(nats, "")
    return Likelihood(nats, total, fraction, rank)


def _facts(sample: Sample) -> tuple[str, ...]:
    figures: tuple[str, ...] = ()
    if sample.bars and sample.right_bars is not None:
        figures = (f"{sample.right_bars} of {sample.bars} bars have the right length",)
    if sample.from_user:
        return (*figures, f"{sum(len(track.notes) for track in sample.score.tracks):,} notes")
    if sample.in_key is not None:
        figures = (*figures, f"notes of the key: {sample.in_key:.0%}")
    if sample.masked is not None:
        figures = (*figures, f"{sample.masked:.0%} of the probability was masked")
    tokens, seed = f"{sample.tokens} tokens", f"seed {sample.seed}"
    if sample.marked_bars:  # a tune that was given, or one with new bars, which always end
        return (*figures, tokens, seed) if sample.generated else (*figures, tokens)
    return ("finished by the model" if sample.finished else "cut off", *figures, tokens, seed)
