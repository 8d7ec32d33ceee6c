"""What tells how good a model is: the metric, its direction, and what ``val/loss`` is in words.

A module of its own, without torch: sweeps and their reports need no more.
"""

NLL = "negative log-likelihood"
BOUND = "negative evidence lower bound"  # reconstruction and KL divergence
LOSS = "val/loss"  # in nats per token
WORDS = {"min": "lowest", "max": "highest"}


def monitor_of(net: object, monitor: str | None = None, mode: str | None = None) -> tuple[str, str]:
    """Which metric tells how good a model is, and whether ``min`` or ``max`` of it is best.

    Args:
        net: the network, or its class, which names both.
        monitor: the user's choice.
        mode: the user's choice.
    """
    own = getattr(net, "MONITOR", LOSS), getattr(net, "MONITOR_MODE", "min")
    return monitor or own[0], mode or (own[1] if monitor in (None, own[0]) else "min")


def quantity_of(net: object, monitor: str) -> str:
    """The quantity whose values a metric has, in words: of ``val/loss``, what the model says."""
    return getattr(net, "LOSS", NLL) if monitor == LOSS else monitor
