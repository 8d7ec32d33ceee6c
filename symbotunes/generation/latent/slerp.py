"""Ways through the latent space."""

import torch
from torch import Tensor

PARALLEL = 1e-6  # sine of an angle below which directions count as one


def slerp(start: Tensor, end: Tensor, shares: Tensor) -> Tensor:
    """Points ``[N, Z]`` on the arc from one latent vector to another.

    The angle is that between the directions; the weights apply to the vectors as they are, so that
    lengths are interpolated too. Shoemake 1985, https://doi.org/10.1145/325165.325242.

    Args:
        start: ``[Z]``.
        end: ``[Z]``.
        shares: ``[N]`` from 0, the start, to 1, the end.
    """
    a, b, t = (each.cpu().double() for each in (start, end, shares[:, None]))
    cosine = (a / a.norm()) @ (b / b.norm())
    omega = torch.arccos(cosine.clamp(-1, 1))
    if not omega.sin() > PARALLEL:  # also where a vector is zero and has no direction
        return ((1 - t) * a + t * b).to(start)
    weights = ((1 - t) * omega).sin(), (t * omega).sin()
    return ((weights[0] * a + weights[1] * b) / omega.sin()).to(start)
