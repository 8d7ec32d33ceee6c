"""Which devices multiply bfloat16 fast."""

import torch


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 products are faster than float32 ones: on CUDA and newer CPUs."""
    if device.type != "cpu":
        return device.type == "cuda"
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
