"""Muon for the matrices of a network, AdamW for everything else, as one optimizer."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import AdamW, Muon, Optimizer


class MuonAdamW(Optimizer):
    """Steps matrices along the nearest orthogonal matrix to their momentum, the rest by AdamW.

    Jordan et al. 2024, https://kellerjordan.github.io/posts/muon; the size of a step is AdamW's,
    after Liu et al. 2025, https://arxiv.org/abs/2502.16982, section 2.2, so that both share a rate.
    Meant for networks without embedding tables, whose rows it would treat as one matrix.

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
        every = list(params)
        matrices = [parameter for parameter in every if parameter.ndim == 2]
        rest = [parameter for parameter in every if parameter.ndim != 2]
        self._parts: list[Optimizer] = []
        if matrices:
            size: dict[str, Any] = {"adjust_lr_fn": "match_rms_adamw"}
            self._parts.append(
                Muon(matrices, lr=lr, momentum=momentum, weight_decay=weight_decay, **size)
            )
        if rest:
            self._parts.append(
                AdamW(rest, lr=lr, betas=(betas[0], betas[1]), eps=eps, weight_decay=0.0)
            )
        super().__init__([group for part in self._parts for group in part.param_groups], {})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        """One update; `closure` recomputes the loss with gradients, if it is given."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part, group in zip(self._parts, self.param_groups, strict=True):
            # Schedules and checkpoints change what this optimizer holds; its parts work on that.
            part.param_groups, part.state = [group], self.state
            part.step()
        return loss
