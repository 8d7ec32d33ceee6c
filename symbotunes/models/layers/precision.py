"""In which precision a device computes fast, and fused LSTMs compute at all."""

import torch

from symbotunes.models.layers.private_torch import cpu_has_bfloat16_units

AMPERE = (8, 0)  # first compute capability with units for bfloat16; before, it is emulated


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 products are faster than float32 ones: on newer CUDA devices and CPUs."""
    if device.type == "cpu":
        return cpu_has_bfloat16_units()
    return device.type == "cuda" and has_bfloat16_units(torch.cuda.get_device_capability(device))


def has_bfloat16_units(capability: tuple[int, int]) -> bool:
    """Whether a CUDA device of this compute capability has units for bfloat16.

    Not ``torch.cuda.is_bf16_supported()``, which is true for devices that emulate it (T4, V100).
    """
    return capability >= AMPERE


def fused_lstm_dtype(kind: str, autocast: torch.dtype | None) -> torch.dtype | None:
    """The dtype to which the inputs of ``nn.LSTM`` are to be cast, with autocast off.

    Under autocast, cuDNN's LSTM computes in float16 whichever dtype autocast has, and float16
    overflows without a scaler for gradients, which training in bfloat16 does not have. So it
    computes in float32 then (in TF32, where PyTorch allows it).

    Args:
        kind: type of the device.
        autocast: its dtype; ``None`` if it is off.

    Returns:
        ``None`` where autocast does what it says.
    """
    if kind == "cpu" or autocast is None:
        return None
    return None if kind == "cuda" and autocast is torch.float16 else torch.float32
