"""How fast a model samples."""

from collections.abc import Sequence
from dataclasses import dataclass

from symbotunes.evaluation.metrics.bootstrap import Bootstrap, Interval, ratio
from symbotunes.evaluation.metrics.figure import Figure, Metrics


@dataclass(frozen=True)
class Laps:
    """Sampling, timed in parts.

    Attributes:
        laps: tokens and seconds of each part.
        bootstrap: how parts are resampled.
    """

    laps: Sequence[tuple[float, float]]
    bootstrap: Bootstrap


SPEED: Metrics[Laps, Interval] = Metrics()


@SPEED.register(
    Figure(
        "speed",
        "tokens per second",
        "Tokens drawn per second of sampling, batch by batch.",
        "higher",
        unit="tokens per second",
        decimals=0,
    )
)
def tokens_per_second(timed: Laps) -> Interval:
    """All tokens over all seconds."""
    return timed.bootstrap.interval(timed.laps, ratio)
