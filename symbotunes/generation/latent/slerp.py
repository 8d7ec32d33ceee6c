"""Interpolation in the latent space."""

import torch
from torch import Tensor

PARALLEL = 1e-6  # sine of the angle below which directions count as parallel


def slerp(start: Tensor, end: Tensor, fractions: Tensor) -> Tensor:
    """Points ``[N, Z]`` on the arc from one latent vector to another.

    The angle is that between the directions; the vectors are not normalized, so their lengths are
    interpolated too. Shoemake 1985, https://doi.org/10.1145/325165.325242.

    Args:
        start: ``[Z]``.
        end: ``[Z]``.
        fractions: ``[N]`` from 0, the start, to 1, the end.
    """
    a, b, t = (tensor.cpu().double() for tensor in (start, end, fractions[:, None]))
    cosine = (a / a.norm()) @ (b / b.norm())
    omega = torch.arccos(cosine.clamp(-1, 1))
    if not omega.sin() > PARALLEL:  # also where a vector is zero and has no direction
        return ((1 - t) * a + t * b).to(start)
    weights = ((1 - t) * omega).sin(), (t * omega).sin()
    return ((weights[0] * a + weights[1] * b) / omega.sin()).to(start)
