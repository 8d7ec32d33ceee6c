"""Optimizers that papers use and torch does not have."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from symbotunes.models.layers.private_torch import foreach, leave_unscaling_to_scaler
from symbotunes.training.sharding import whole


class GroupOptimizer(Optimizer):
    """An optimizer whose step updates its parameter groups one by one."""

    @abstractmethod
    def _update(self, group: dict[str, Any]) -> None: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        """Run one update; `closure`, if given, recomputes the loss with gradients."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            self._update(group)
        return loss


class RMSprop(GroupOptimizer):
    """RMSprop as the authors of Folk-RNN ran it: epsilon inside the square root, no momentum.

    ``v <- rho v + (1 - rho) g^2`` and ``p <- p - lr g / sqrt(v + eps)``. Not torch's, because it
    adds epsilon after the square root.

    Args:
        params: parameters to train.
        lr: learning rate.
        rho: decay rate of the running square.
        eps: added to the running square.

    Raises:
        ValueError: if a hyperparameter is out of range.
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
        foreach("mul_", squares, group["rho"])
        foreach("addcmul_", squares, gradients, gradients, value=1 - group["rho"])
        roots = foreach("sqrt_", foreach("add", squares, group["eps"]))
        foreach("addcdiv_", trained, gradients, roots, value=-group["lr"])

    def _square(self, parameter: nn.Parameter) -> Tensor:
        state = self.state[parameter]
        if "square" not in state:
            state["square"] = torch.zeros_like(parameter)
        square: Tensor = state["square"]
        return square


class GroupedAdamW(torch.optim.AdamW):
    """AdamW with weight decay for matrices and embeddings only, not for biases and norms.

    Args:
        params: parameters to train; those with two or more dimensions are decayed.
        lr: learning rate.
        betas: decay rates of the running mean and square of gradients.
        eps: added to the square root of the running square.
        weight_decay: decoupled weight decay per step, times `lr`.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        lr: float = 6e-4,
        betas: tuple[float, float] = (0.9, 0.95),
        eps: float = 1e-8,
        weight_decay: float = 0.1,
    ) -> None:
        parameters = list(params)
        groups = [
            {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": weight_decay},
            {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        ]
        present = [group for group in groups if group["params"]]
        super().__init__(present, lr=lr, betas=(betas[0], betas[1]), eps=eps, fused=True)
        # Lightning does not clip gradients for optimizers that unscale them: let the scaler do it.
        leave_unscaling_to_scaler(self)


@torch.no_grad()
def zero_exploded(parameters: Iterable[nn.Parameter], limit: float) -> bool:
    """Set all gradients to zero if their total L2 norm is not below `limit`, or is NaN.

    The optimizer still takes its step, based on its state from earlier gradients.

    Returns:
        Whether the gradients were set to zero.
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if not gradients:
        return False
    if whole(torch.nn.utils.get_total_norm(gradients)) < limit:
        return False
    for gradient in gradients:
        gradient.zero_()
    return True
