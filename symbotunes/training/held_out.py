"""Means over all held-out pieces, whichever process has them."""

from collections.abc import Iterable, Mapping

Sums = dict[str, tuple[float, float]]


class WeightedMeans:
    """Sums in float64 of values and of their weights, by name.

    Not Lightning's, which sums in float32 and rounds the mean number of rows per process to a whole
    number.
    """

    def __init__(self) -> None:
        self.sums: Sums = {}

    def clear(self) -> None:
        """Start again."""
        self.sums = {}

    def add(self, name: str, total: float, weight: float) -> None:
        """Add values that sum to `total` and weigh `weight` together."""
        before, weights = self.sums.get(name, (0.0, 0.0))
        self.sums[name] = before + total, weights + weight


def means_of(shares: Iterable[Mapping[str, tuple[float, float]]]) -> dict[str, float]:
    """Means over the sums of several processes, some of which may have nothing."""
    together = WeightedMeans()
    for share in shares:
        for name, (total, weight) in share.items():
            together.add(name, total, weight)
    return {name: total / weight for name, (total, weight) in together.sums.items() if weight}
