"""How tokens are sampled."""

from dataclasses import dataclass

from symbotunes.errors import require_whole_number


@dataclass(frozen=True)
class Settings:
    """How tokens are sampled.

    Attributes:
        temperature: divides the logits; 0 always takes the most likely token.
        top_k: sample from this many most likely tokens; 0: from all.
        top_p: sample from the most likely tokens that hold this fraction of the probability.
        min_p: ignore tokens whose probability is below this fraction of the top token's; 0: keep
            all.
        repetition_penalty: above 1 makes tokens seen before less likely, below 1 more likely; 1:
            off.
        repetition_window: how many of the last tokens, including the prompt, count as seen.
        max_tokens: maximum number of generated tokens, not counting the prompt.

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
                raise ValueError(f"{name}={value} must be at least 0")
        if self.min_p > 1:
            raise ValueError(f"min_p={self.min_p} must be at most 1")
        require_whole_number("top_k", self.top_k, least=0)
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p={self.top_p} must be above 0 and at most 1")
        if not 0 < self.repetition_penalty < float("inf"):
            raise ValueError(f"repetition_penalty={self.repetition_penalty} must be above 0")
        for name in ("repetition_window", "max_tokens"):
            require_whole_number(name, getattr(self, name))
