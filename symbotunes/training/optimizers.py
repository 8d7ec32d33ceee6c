"""Optimizers and schedules that papers define and torch does not have."""

import math
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from symbotunes.errors import UserError


class GroupOptimizer(Optimizer):
    """An optimizer whose step is one update of each of its groups of parameters."""

    @abstractmethod
    def _update(self, group: dict[str, Any]) -> None: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        """One update; `closure` recomputes the loss with gradients, if it is given."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            self._update(group)
        return loss


class RMSprop(GroupOptimizer):
    """RMSprop as the authors of Folk-RNN ran it: epsilon inside the root, no momentum.

    ``v <- rho v + (1 - rho) g^2`` and ``p <- p - lr g / sqrt(v + eps)``. Torch's own adds epsilon
    after the root.

    Args:
        params: what to train.
        lr: learning rate.
        rho: decay of the running square.
        eps: added to the running square.

    Raises:
        ValueError: if a constant is out of range.
    """

    def __init__(
        self, params: Iterable[nn.Parameter], lr: float = 3e-3, rho: float = 0.9, eps: float = 1e-6
    ) -> None:
        if lr < 0 or not 0 <= rho < 1 or eps < 0:
            raise ValueError(f"RMSprop: lr={lr} and eps={eps} must be >= 0, rho={rho} in [0, 1)")
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def _update(self, group: dict[str, Any]) -> None:
        trained = [parameter for parameter in group["params"] if parameter.grad is not None]
        if not trained:
            return
        gradients = [parameter.grad for parameter in trained]
        squares = [self._square(parameter) for parameter in trained]
        torch._foreach_mul_(squares, group["rho"])
        torch._foreach_addcmul_(squares, gradients, gradients, value=1 - group["rho"])
        roots = torch._foreach_add(squares, group["eps"])
        torch._foreach_sqrt_(roots)
        torch._foreach_addcdiv_(trained, gradients, roots, value=-group["lr"])

    def _square(self, parameter: nn.Parameter) -> Tensor:
        state = self.state[parameter]
        if "square" not in state:
            state["square"] = torch.zeros_like(parameter)
        square: Tensor = state["square"]
        return square


class _DecayAfter:
    """Factor of the learning rate at an epoch: 1 at first, then a power of `factor`."""

    def __init__(self, start_epoch: int, factor: float) -> None:
        self.start_epoch = start_epoch
        self.factor = factor

    def __call__(self, epoch: int) -> float:
        return float(self.factor ** max(0, epoch - self.start_epoch))


class FolkRnnDecay(LambdaLR):
    """The decay that Folk-RNN's config asks for and its script never connected.

    Args:
        optimizer: whose rate falls.
        start_epoch: epoch index after which it falls, counted from 0.
        factor: by which it is multiplied per epoch.
    """

    def __init__(self, optimizer: Optimizer, start_epoch: int = 20, factor: float = 0.97) -> None:
        super().__init__(optimizer, _DecayAfter(start_epoch, factor))


class _LinearFall:
    """Factor of the learning rate at a step: from 1 down to `floor`, where it stays."""

    def __init__(self, steps: int, floor: float) -> None:
        self.steps = steps
        self.floor = floor

    def __call__(self, step: int) -> float:
        return max(self.floor, 1 - (1 - self.floor) * step / self.steps)


class LinearDecay(LambdaLR):
    """A rate that falls in a straight line; a run that goes on beyond keeps the last value.

    Args:
        optimizer: whose rate falls.
        steps: optimizer steps of the fall.
        floor: share of the rate at its end.

    Raises:
        UserError: if there is no step to fall over.
    """

    def __init__(self, optimizer: Optimizer, steps: int | None, floor: float = 0.05) -> None:
        if not steps or steps < 1:
            raise UserError(
                f"model.scheduler.steps={steps} must be at least 1: set trainer.max_steps, "
                "or choose model/scheduler=constant"
            )
        super().__init__(optimizer, _LinearFall(steps, floor))


class GroupedAdamW(torch.optim.AdamW):
    """AdamW that shrinks matrices only, embeddings included; biases and norms it leaves alone.

    Args:
        params: what to train; those of two or more dimensions are shrunk.
        lr: learning rate.
        betas: decay of the running mean and square of gradients.
        eps: added to the root of the running square.
        weight_decay: decoupled shrinkage per step, times `lr`.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        lr: float = 6e-4,
        betas: tuple[float, float] = (0.9, 0.95),
        eps: float = 1e-8,
        weight_decay: float = 0.1,
    ) -> None:
        every = list(params)
        groups = [
            {"params": [p for p in every if p.ndim >= 2], "weight_decay": weight_decay},
            {"params": [p for p in every if p.ndim < 2], "weight_decay": 0.0},
        ]
        present = [group for group in groups if group["params"]]
        super().__init__(present, lr=lr, betas=(betas[0], betas[1]), eps=eps, fused=True)
        # Lightning does not clip for an optimizer that unscales by itself: the scaler shall.
        self._step_supports_amp_scaling = False


class _WarmupCosine:
    """Factor of the learning rate at a step: up in a line, then down half a cosine to `floor`."""

    def __init__(self, warmup_steps: int, steps: int, floor: float) -> None:
        self.warmup_steps = warmup_steps
        self.steps = steps
        self.floor = floor

    def __call__(self, step: int) -> float:
        if step < self.warmup_steps:
            return (step + 1) / (self.warmup_steps + 1)  # the first step moves already
        share = min(1.0, (step - self.warmup_steps) / max(1, self.steps - self.warmup_steps))
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * share))


class WarmupCosine(LambdaLR):
    """A rate that rises in a line, then falls along half a cosine and stays.

    Args:
        optimizer: whose rate changes.
        warmup_steps: optimizer steps of the rise; no more than a tenth of `steps` are taken.
        steps: optimizer steps until the rate has fallen, the rise included.
        floor: share of the rate at the end.

    Raises:
        UserError: if there is no step to fall over.
    """

    def __init__(
        self, optimizer: Optimizer, warmup_steps: int, steps: int | None, floor: float = 0.1
    ) -> None:
        if not steps or steps < 1:
            raise UserError(
                f"model.scheduler.steps={steps} must be at least 1: set trainer.max_steps, "
                "or choose model/scheduler=constant"
            )
        # A run cut short for a look must not end before its rate has risen.
        super().__init__(optimizer, _WarmupCosine(min(warmup_steps, steps // 10), steps, floor))


class _FallToFloor:
    """Factor of the learning rate at a step: an exponential that ends at `floor`."""

    def __init__(self, decay: float, floor: float) -> None:
        self.decay = decay
        self.floor = floor

    def __call__(self, step: int) -> float:
        return float((1 - self.floor) * self.decay**step + self.floor)


class ExponentialFloor(LambdaLR):
    """``(lr - floor) decay^t + floor`` at step t: what MusicVAE's authors train with.

    Args:
        optimizer: whose rate falls.
        decay: factor per step of what lies above the floor.
        floor: the rate that is left in the end, in the unit of the rate itself.

    Raises:
        UserError: if the floor is not below the optimizer's rate.
    """

    def __init__(self, optimizer: Optimizer, decay: float = 0.9999, floor: float = 1e-5) -> None:
        lr = optimizer.param_groups[0].get("initial_lr", optimizer.param_groups[0]["lr"])
        if not 0 <= floor <= lr or lr == 0:
            raise UserError(f"model.scheduler.floor={floor} must lie between 0 and the rate {lr}")
        super().__init__(optimizer, _FallToFloor(decay, floor / lr))


@torch.no_grad()
def zero_exploded(parameters: Iterable[nn.Parameter], limit: float) -> bool:
    """Set all gradients to zero if their common L2 norm is not below `limit`, or is no number.

    The optimizer still takes its step, on what it remembers of earlier gradients.

    Returns:
        Whether it happened.
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if not gradients:
        return False
    norms = torch._foreach_norm(gradients)
    if torch.stack([norm.to(norms[0].device) for norm in norms]).norm() < limit:
        return False
    torch._foreach_zero_(gradients)
    return True
