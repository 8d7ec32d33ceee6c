"""What ``val/loss`` is, in words that checkpoints record.

A module of its own, without torch: reports of sweeps need the words alone.
"""

NLL = "negative log-likelihood"
BOUND = "negative evidence lower bound"  # reconstruction and KL divergence
