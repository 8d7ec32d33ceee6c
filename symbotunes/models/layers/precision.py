"""Which devices multiply bfloat16 fast."""

import torch

from symbotunes.models.layers.private_torch import cpu_has_bfloat16_units


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 products are faster than float32 ones: on CUDA and newer CPUs."""
    if device.type != "cpu":
        return device.type == "cuda"
    return cpu_has_bfloat16_units()
