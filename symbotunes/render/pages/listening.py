"""The listening page: one HTML file that holds a whole set of samples."""

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
    """How surprised a model is by its own sample.

    Attributes:
        nats: per token.
        total: nats of the whole sample.
        share: `nats` as a share of the most on the page, 0 to 1.
        place: whether it is likeliest or most surprising of all.
    """

    nats: float
    total: float
    share: float
    place: str


@dataclass(frozen=True)
class Entry:
    """A card beside the others of its page.

    Attributes:
        card: the card.
        facts: in a few words each.
        likelihood: how surprised the model is, where it knows.
    """

    card: Card
    facts: tuple[str, ...]
    likelihood: Likelihood | None


def listening_page(
    heading: str, facts: Mapping[str, str], cards: Sequence[Card], strip: bytes | None = None
) -> str:
    """The page as text; sound and pictures are inside it, and nothing is loaded.

    Args:
        heading: title of the page.
        facts: what is common to all samples.
        cards: in the order of the page.
        strip: a picture of all of them side by side, or ``None``.
    """
    script = asset("listening.js")
    known = (card.sample.nats_per_token for card in cards)
    surprises = [nats for nats in known if nats is not None]
    return render(
        "listening.html",
        styles=["listening.css"],
        heading=heading,
        facts=facts,
        remarks=[],
        entries=[
            Entry(card, _facts(card.sample), _likelihood(card.sample, surprises)) for card in cards
        ],
        strip=strip,
        script=script,
        # Only this very script may run, so that nothing slips in with a title.
        script_hash=base64.b64encode(hashlib.sha256(f"\n{script}".encode()).digest()).decode(),
    )


def _likelihood(sample: Sample, surprises: Sequence[float]) -> Likelihood | None:
    nats, total = sample.nats_per_token, sample.nll_nats
    if nats is None or total is None:
        return None
    finite = [each for each in surprises if math.isfinite(each)]
    share = nats / max(finite) if math.isfinite(nats) and max(finite, default=0) > 0 else 0.0
    place = ""
    if len(finite) > 1 and min(finite) < max(finite):
        extremes = {min(finite): ", likeliest here", max(finite): ", most surprising here"}
        place = extremes.get(nats, "")
    return Likelihood(nats, total, share, place)


def _facts(sample: Sample) -> tuple[str, ...]:
    facts = [
        "finished by the model" if sample.finished else "cut before its end",
        f"{sample.tokens} tokens",
        f"seed {sample.seed}",
    ]
    if sample.bars and sample.right_bars is not None:
        facts.insert(1, f"{sample.right_bars} of {sample.bars} bars have the right length")
    return tuple(facts)
