"""Muon for the matrices of a network, AdamW for everything else, as one optimizer."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from symbotunes.models.layers.precision import multiplies_bfloat16
from symbotunes.training.optimizers import GroupOptimizer

ITERATIONS = 5
QUINTIC = (3.4445, -4.7750, 2.0315)  # of Jordan's page: steepest at 0, singular values near 1
TINY = 1e-7  # under the norm that a matrix is divided by
LONG = 1.5  # sides of one matrix, one by the other
SIZE = 0.2  # root mean square of AdamW's usual step; Liu et al.


class MuonAdamW(GroupOptimizer):
    """Steps matrices along the nearest orthogonal matrix to their momentum, the rest by AdamW.

    Jordan et al. 2024, https://kellerjordan.github.io/posts/muon; the size of a step is AdamW's,
    after Liu et al. 2025, https://arxiv.org/abs/2502.16982, section 2.2, so that both share a rate.
    It is ``torch.optim.Muon``, but multiplies in bfloat16 only where that is fast. Not meant for
    embedding tables, which it would treat as one matrix.

    Args:
        params: what to train.
        lr: learning rate of both.
        momentum: decay of the running mean of the gradients of matrices.
        betas: decay of AdamW's running mean and square of gradients.
        eps: added to the root of AdamW's running square.
        weight_decay: decoupled shrinkage of matrices per step, times `lr`.

    Raises:
        ValueError: if a constant is out of range.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        lr: float = 3e-3,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        if lr < 0 or eps < 0 or weight_decay < 0:
            raise ValueError(f"Muon: lr={lr}, eps={eps}, weight_decay={weight_decay} must be >= 0")
        if not all(0 <= share < 1 for share in (momentum, *betas)):
            raise ValueError(f"Muon: momentum={momentum} and betas={betas} must lie in [0, 1)")
        constants = {"lr": lr, "momentum": momentum, "betas": tuple(betas), "eps": eps}
        super().__init__(params, {**constants, "weight_decay": weight_decay})

    def _update(self, group: dict[str, Any]) -> None:
        trained = [parameter for parameter in group["params"] if parameter.grad is not None]
        for parameter in trained:
            if parameter.ndim == 2:
                self._turn(parameter, group)
        self._adapt([parameter for parameter in trained if parameter.ndim != 2], group)

    def _turn(self, matrix: nn.Parameter, group: dict[str, Any]) -> None:
        """Muon's step, with Nesterov's momentum."""
        assert matrix.grad is not None
        state = self.state[matrix]
        if not state:
            state["momentum"] = torch.zeros_like(matrix)
        momentum: Tensor = state["momentum"]
        momentum.lerp_(matrix.grad, 1 - group["momentum"])
        direction = orthogonal(matrix.grad.lerp(momentum, group["momentum"]))
        matrix.mul_(1 - group["lr"] * group["weight_decay"])
        size = SIZE * max(matrix.shape) ** 0.5
        matrix.add_(direction.to(matrix.dtype), alpha=-group["lr"] * size)

    def _adapt(self, vectors: list[nn.Parameter], group: dict[str, Any]) -> None:
        """AdamW's step without decay."""
        for vector in vectors:
            assert vector.grad is not None
            state = self.state[vector]
            if not state:
                state["mean"], state["square"] = torch.zeros_like(vector), torch.zeros_like(vector)
                state["step"] = torch.tensor(0.0)  # on the CPU, as torch's optimizers have it
            mean, square = state["mean"], state["square"]
            state["step"] += 1
            steps = float(state["step"])
            first, second = group["betas"]
            mean.lerp_(vector.grad, 1 - first)
            square.mul_(second).addcmul_(vector.grad, vector.grad, value=1 - second)
            root = (square / (1 - second**steps)).sqrt_().add_(group["eps"])
            vector.addcdiv_(mean, root, value=-group["lr"] / (1 - first**steps))


def orthogonal(matrix: Tensor) -> Tensor:
    """A matrix with the singular vectors of ``[M, N]`` and singular values from 0.7 to 1.2.

    Newton and Schulz's iteration; in bfloat16 where the device multiplies it fast. Else the long
    side of a long matrix takes no part in it, for which bfloat16 would be too coarse.
    """
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if is_tall else matrix
    is_fast = multiplies_bfloat16(matrix.device)
    x = x.to(torch.bfloat16 if is_fast else torch.float32)
    x = x / x.norm().clamp_min(TINY)
    is_long = x.shape[1] > LONG * x.shape[0]
    x = _factor(x @ x.T) @ x if is_long and not is_fast else _iterated(x)
    return x.T if is_tall else x


def _iterated(x: Tensor) -> Tensor:
    """The iteration on ``[M, N]``, which costs ``20 M^2 N + 10 M^3`` operations."""
    a, b, c = QUINTIC
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x


def _factor(gram: Tensor) -> Tensor:
    """What the iteration multiplies ``[M, N]`` by, a polynomial of its products ``[M, M]``.

    With the products before and after, it costs ``4 M^2 N + 34 M^3`` operations: for the four gates
    of an LSTM, one above the other, half of what `_iterated` does.
    """
    a, b, c = QUINTIC
    factor: Tensor | None = None
    for step in range(ITERATIONS):
        by = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        by.diagonal().add_(a)
        factor = by if factor is None else factor @ by
        if step < ITERATIONS - 1:
            gram = by @ gram @ by
    assert factor is not None
    return factor
