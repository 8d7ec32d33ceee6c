"""Learning-rate schedules in closed form, so that a resumed run has the same rates.

They are functions of the step on torch's ``LambdaLR``, not ``CosineAnnealingLR`` and the like,
because these compute each rate from the previous one.

Schedules that end with the run have its number of steps, or `follow` its time: a run that is
limited by time alone is taken to be as long as it would become at its mean speed so far.
"""

import math
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from symbotunes.errors import UserError


class _DecayAfter:
    """Factor of the learning rate at an epoch: 1 at first, then a power of `factor`."""

    def __init__(self, start_epoch: int, factor: float) -> None:
        self.start_epoch = start_epoch
        self.factor = factor

    def __call__(self, epoch: int) -> float:
        return float(self.factor ** max(0, epoch - self.start_epoch))


class FolkRnnDecay(LambdaLR):
    """The decay that Folk-RNN's config specifies and its script never connected.

    Args:
        optimizer: the optimizer whose learning rate decays.
        start_epoch: epoch index after which it decays, counted from 0.
        factor: factor per epoch.
    """

    def __init__(self, optimizer: Optimizer, start_epoch: int = 20, factor: float = 0.97) -> None:
        super().__init__(optimizer, _DecayAfter(start_epoch, factor))


UNKNOWN_LENGTH = 1000.0  # steps of a run limited by time, until its speed is known


class _OverRun:
    """Factor of a learning rate that depends on how long the run is.

    Attributes:
        steps: of the run, or ``None`` if its time limits it.
        share: of that time that has passed, from 0 to 1.
    """

    def __init__(self, steps: int | None) -> None:
        self.steps = steps
        self.share = 0.0

    def length(self, step: int) -> float:
        """Steps of the whole run, as seen at a step."""
        if self.steps is not None:
            return self.steps
        # With no time left, this is the last step.
        return step / min(self.share, 1.0) if self.share > 0 else UNKNOWN_LENGTH


class _LinearFall(_OverRun):
    """Factor of the learning rate at a step: from 1 down to `floor`, where it stays."""

    def __init__(self, steps: int | None, floor: float) -> None:
        super().__init__(steps)
        self.floor = floor

    def __call__(self, step: int) -> float:
        done = step / max(1.0, self.length(step))
        return max(self.floor, 1 - (1 - self.floor) * done)


class _WarmupCosine(_OverRun):
    """Factor of the learning rate at a step: a linear rise, then half a cosine down to `floor`."""

    def __init__(self, warmup_steps: float, steps: int | None, floor: float) -> None:
        super().__init__(steps)
        self.warmup_steps = warmup_steps
        self.floor = floor

    def __call__(self, step: int) -> float:
        length = self.length(step)
        warmup = self.warmup_steps if self.steps else warmup_within(self.warmup_steps, length)
        if step < warmup:
            return (step + 1) / (warmup + 1)  # above 0 from the first step
        progress = min(1.0, (step - warmup) / max(1, length - warmup))
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * progress))


def warmup_within(warmup_steps: float, length: float) -> float:
    """Steps of a warmup in a run of a length: a short trial run must not end during it."""
    return min(warmup_steps * length if 0 < warmup_steps < 1 else warmup_steps, length / 10)


class RunSchedule(LambdaLR):
    """A learning rate that falls until the run ends.

    Args:
        optimizer: the optimizer whose learning rate changes.
        factor: of its rate, at every step.

    Raises:
        UserError: if the number of steps is below 1.
    """

    def __init__(self, optimizer: Optimizer, factor: "_LinearFall | _WarmupCosine") -> None:
        if factor.steps is not None and factor.steps < 1:
            raise UserError(
                f"model.scheduler.steps={factor.steps} must be at least 1: set trainer.max_steps, "
                "or choose model/scheduler=constant"
            )
        super().__init__(optimizer, factor)

    @property
    def follows_time(self) -> bool:
        """Whether the time of the run decides, since its number of steps is not given."""
        return any(factor.steps is None for factor in self._factors)

    def follow(self, share: float) -> None:
        """Note the share of the run's time that has passed, for the next step."""
        for factor in self._factors:
            factor.share = share

    @property
    def _factors(self) -> list[_OverRun]:
        """Of all groups of parameters; torch keeps their attributes in checkpoints."""
        factors: Any = self.lr_lambdas
        return list(factors)


class LinearDecay(RunSchedule):
    """A learning rate that decays linearly; runs that continue beyond keep the last value.

    Args:
        optimizer: the optimizer whose learning rate decays.
        steps: optimizer steps of the decay; ``None``: it lasts as long as the run, by its time.
        floor: fraction of the learning rate at the end.

    Raises:
        UserError: if `steps` is below 1.
    """

    def __init__(self, optimizer: Optimizer, steps: int | None, floor: float = 0.05) -> None:
        super().__init__(optimizer, _LinearFall(steps, floor))


class WarmupCosine(RunSchedule):
    """A learning rate that rises linearly, then decays along half a cosine and stays there.

    Args:
        optimizer: the optimizer whose learning rate changes.
        warmup_steps: optimizer steps of the warmup, or a fraction of the run if below 1; limited
            to a tenth of the run.
        steps: optimizer steps until the end of the decay, warmup included; ``None``: until the run
            ends, by its time.
        floor: fraction of the learning rate at the end.

    Raises:
        UserError: if `steps` is below 1.
    """

    def __init__(
        self, optimizer: Optimizer, warmup_steps: float, steps: int | None, floor: float = 0.1
    ) -> None:
        warmup = warmup_steps
        if steps is not None:
            share = 0 < warmup_steps < 1
            warmup = int(warmup_within(round(warmup_steps * steps) if share else warmup, steps))
        super().__init__(optimizer, _WarmupCosine(warmup, steps, floor))


class _WarmupRsqrt:
    """Factor of the learning rate at a step: a linear rise to 1, then ``sqrt(warmup / step)``."""

    def __init__(self, warmup_steps: int) -> None:
        self.warmup_steps = warmup_steps

    def __call__(self, step: int) -> float:
        number = step + 1  # the first step is number 1, and its rate above 0
        return min(number / self.warmup_steps, math.sqrt(self.warmup_steps / number))


class WarmupRsqrt(LambdaLR):
    """A learning rate that rises linearly, then falls with the square root of the step.

    Vaswani et al., "Attention Is All You Need", 2017, section 5.3. It does not depend on the length
    of the run.

    Args:
        optimizer: the optimizer whose learning rate changes; its own is that of the peak.
        warmup_steps: optimizer steps of the warmup.

    Raises:
        UserError: if `warmup_steps` is not at least 1.
    """

    def __init__(self, optimizer: Optimizer, warmup_steps: int = 8000) -> None:
        if warmup_steps < 1:
            raise UserError(f"model.scheduler.warmup_steps={warmup_steps} must be at least 1")
        super().__init__(optimizer, _WarmupRsqrt(warmup_steps))


class _FallToFloor:
    """Factor of the learning rate at a step: an exponential that ends at `floor`."""

    def __init__(self, decay: float, floor: float) -> None:
        self.decay = decay
        self.floor = floor

    def __call__(self, step: int) -> float:
        return float((1 - self.floor) * self.decay**step + self.floor)


class ExponentialFloor(LambdaLR):
    """``(lr - floor) decay^t + floor`` at step t, as in the code of MusicVAE's authors.

    Args:
        optimizer: the optimizer whose learning rate decays.
        decay: factor per step for the part above the floor.
        floor: final learning rate, an absolute value.

    Raises:
        UserError: if the floor is above the optimizer's learning rate.
    """

    def __init__(self, optimizer: Optimizer, decay: float = 0.9999, floor: float = 1e-5) -> None:
        lr = optimizer.param_groups[0].get("initial_lr", optimizer.param_groups[0]["lr"])
        if not 0 <= floor <= lr or lr == 0:
            raise UserError(f"model.scheduler.floor={floor} must lie between 0 and the rate {lr}")
        super().__init__(optimizer, _FallToFloor(decay, floor / lr))
