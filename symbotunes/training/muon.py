"""Muon for the matrices of a network, AdamW for everything else, as one optimizer."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from symbotunes.models.layers.precision import multiplies_bfloat16
from symbotunes.training.optimizers import GroupOptimizer
from symbotunes.training.sharding import part_like, whole

ITERATIONS = 5
QUINTIC = (3.4445, -4.7750, 2.0315)  # from Jordan's post: steep at 0, singular values end near 1
TINY = 1e-7  # lower bound of the norm that a matrix is divided by
LONG = 1.5  # ratio of its sides above which a matrix counts as long
SIZE = 0.2  # root mean square of AdamW's typical step; Liu et al.


class MuonAdamW(GroupOptimizer):
    """Updates matrices with the orthogonal matrix closest to their momentum, the rest with AdamW.

    Jordan et al. 2024, https://kellerjordan.github.io/posts/muon. The size of a step is scaled to
    AdamW's, as in Liu et al. 2025, https://arxiv.org/abs/2502.16982, section 2.2, so that both
    share a learning rate. Not ``torch.optim.Muon``, because it accepts matrices only, so that the
    rest would need a second optimizer, and multiplies in bfloat16 everywhere, which is slow on CPUs
    without bfloat16 units. Not meant for embedding tables, which it would treat as one matrix.

    Args:
        params: parameters to train.
        lr: learning rate of both.
        momentum: decay rate of the running mean of matrix gradients.
        betas: decay rates of AdamW's running mean and square of gradients.
        eps: added to the square root of AdamW's running square.
        weight_decay: decoupled weight decay of matrices per step, times `lr`.

    Raises:
        ValueError: if a hyperparameter is out of range.
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
        if not all(0 <= rate < 1 for rate in (momentum, *betas)):
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
        """Muon's step, with Nesterov momentum.

        All singular values of the step are near 1, so its root mean square is about
        ``1 / sqrt(max(M, N))``; `size` scales that to `SIZE`.
        """
        assert matrix.grad is not None
        state = self.state[matrix]
        if not state:
            state["momentum"] = torch.zeros_like(matrix)
        momentum: Tensor = state["momentum"]
        momentum.lerp_(matrix.grad, 1 - group["momentum"])
        # Of a sharded matrix, every process computes the whole step and takes its part.
        direction = orthogonal(whole(matrix.grad.lerp(momentum, group["momentum"])))
        matrix.mul_(1 - group["lr"] * group["weight_decay"])
        size = SIZE * max(matrix.shape) ** 0.5
        step = part_like(direction.to(matrix.dtype), matrix)
        matrix.add_(step, alpha=-group["lr"] * size)

    def _adapt(self, vectors: list[nn.Parameter], group: dict[str, Any]) -> None:
        """AdamW's step without weight decay."""
        for vector in vectors:
            assert vector.grad is not None
            state = self.state[vector]
            if not state:
                state["mean"], state["square"] = torch.zeros_like(vector), torch.zeros_like(vector)
                state["step"] = torch.tensor(0.0)  # on the CPU, as in torch's optimizers
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

    Newton-Schulz iteration, in bfloat16 where the device multiplies it fast. Elsewhere, the
    iteration on a long matrix runs on its ``[M, M]`` products only, for which bfloat16 would be too
    coarse.
    """
    # Each iteration is an odd polynomial of x, which acts on its singular values and leaves its
    # singular vectors as they are. It needs singular values of at most 1, hence the division by the
    # Frobenius norm, which is at least the largest of them. A tall matrix is transposed, so
    # that x @ x.T is the smaller of the two possible products.
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
    # x <- a x + b (x x^T) x + c (x x^T)^2 x
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x


def _factor(gram: Tensor) -> Tensor:
    """The matrix ``[M, M]`` by which the whole iteration multiplies x, computed from ``x @ x.T``.

    Including the products before and after, it costs ``4 M^2 N + 34 M^3`` operations: for the four
    stacked gates of an LSTM, half of what `_iterated` costs.
    """
    # Each step multiplies x from the left by P = a I + b G + c G^2, where G = x x^T. P is
    # symmetric, so the next G is P G P, and x itself is not needed until the end. All these
    # matrices are polynomials of the first G, so they commute and the order of factors is free.
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
