"""Tokens per second, excluding time spent on other things."""

import time
from collections.abc import Callable

import lightning


class TokenRate:
    """Measures training time since `start`, excluding pauses.

    Args:
        now: a monotonic clock in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._started: float | None = None
        self._paused: float | None = None
        self._pauses = 0.0
        self._tokens = 0

    def start(self, tokens: int) -> None:
        """Start counting; `tokens` is the number of tokens so far."""
        self._started, self._paused = self._now(), None
        self._pauses, self._tokens = 0.0, tokens

    def pause(self) -> None:
        """Stop the clock, such as for validation."""
        self._paused = self._now()

    def resume(self) -> None:
        """Restart the clock; does nothing if it is not paused."""
        if self._paused is not None:
            self._pauses += self._now() - self._paused
            self._paused = None

    def leave_out(self, seconds: float) -> None:
        """Subtract time that was already counted, such as that of a sample panel."""
        self._pauses += seconds

    @property
    def seconds(self) -> float:
        """Seconds of training so far."""
        if self._started is None:
            return 0.0
        until = self._now() if self._paused is None else self._paused
        return until - self._started - self._pauses

    def tokens_per_second(self, tokens: int) -> float:
        """Mean rate since `start`, given the total number of tokens so far; 0 at first."""
        seconds = self.seconds
        return (tokens - self._tokens) / seconds if seconds > 0 else 0.0


def tokens_of(pl_module: lightning.LightningModule) -> int:
    """Target tokens without padding trained on so far; 0 for a module that does not count."""
    return int(getattr(pl_module, "real_tokens", 0))
