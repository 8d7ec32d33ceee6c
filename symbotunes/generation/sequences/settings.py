"""How tokens are drawn."""

from dataclasses import dataclass

from symbotunes.errors import require_whole_number


@dataclass(frozen=True)
class Settings:
    """How tokens are drawn.

    Attributes:
        temperature: divides the logits; 0 always takes the likeliest token.
        top_k: draw among this many likeliest tokens; 0 draws among all.
        top_p: draw among the likeliest tokens that together hold this share of probability.
        min_p: draw among the tokens that have at least this share of the likeliest token's
            probability; 0 draws among all.
        repetition_penalty: above 1 makes tokens less likely that were seen before, below 1 more
            likely; 1 changes nothing.
        repetition_window: how many of the last tokens, those of the prompt included, count as seen.
        max_tokens: most tokens generated, the prompt not counted.

    Raises:
        ValueError: if a value is out of range.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    repetition_window: int = 64
    max_tokens: int = 1000

    def __post_init__(self) -> None:
        for name in ("temperature", "min_p"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name}={value} must be 0 or more")
        if self.min_p > 1:
            raise ValueError(f"min_p={self.min_p} must not be above 1")
        require_whole_number("top_k", self.top_k, least=0)
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p={self.top_p} must lie above 0 and not above 1")
        if not 0 < self.repetition_penalty < float("inf"):
            raise ValueError(f"repetition_penalty={self.repetition_penalty} must be above 0")
        for name in ("repetition_window", "max_tokens"):
            require_whole_number(name, getattr(self, name))
