"""Peak floating-point performance of devices, for model FLOPs utilization."""

import re
import time

import torch

# Dense matrix products without sparsity, accumulated in float32, in TFLOP/s as stated by NVIDIA: in
# bfloat16 and float16, in TF32, and in float32 without tensor cores. The first line whose words are
# all part of the device's name applies.
CARDS: tuple[tuple[str, float, float, float], ...] = (
    ("B200", 2250.0, 1120.0, 75.0),
    ("H200", 989.4, 494.7, 66.9),
    ("H100 PCIe", 756.0, 378.0, 51.2),
    ("H100 NVL", 835.0, 417.5, 60.0),
    ("H100", 989.4, 494.7, 66.9),
    ("A100", 312.0, 156.0, 19.5),
    ("A40", 149.7, 74.8, 37.4),
    ("A30", 165.0, 82.0, 10.3),
    ("A10", 125.0, 62.5, 31.2),
    ("L40S", 362.0, 183.0, 91.6),
    ("L40", 181.0, 90.5, 90.5),
    ("L4", 121.0, 60.0, 30.3),
    ("6000 Ada", 364.2, 182.1, 91.1),
    ("A6000", 154.8, 77.4, 38.7),
    ("5090", 209.5, 104.8, 104.8),
    ("4090", 165.2, 82.6, 82.6),
    ("4080", 97.5, 48.7, 48.7),
    ("3090", 71.0, 35.6, 35.6),
    ("V100", 125.0, 15.7, 15.7),
    ("T4", 65.0, 8.1, 8.1),
)
WITHOUT_BFLOAT16 = ("V100", "T4")
SLICED = {
    "Laptop",
    "MIG",
    "SUPER",
    "Ti",
    "D",
}  # words that denote a different card, or only a part of one
MEASURE_SECONDS = 0.2
LARGEST = 4096  # width of a matrix


def peak_flops(device: torch.device, precision: str) -> float | None:
    """Peak floating-point operations per second of a device.

    CUDA cards are looked up in a table. CPUs are measured: the best rate of a few matrix products,
    on as many threads as training uses; other work on the same cores lowers it.

    Args:
        device: the training device.
        precision: the training precision, as Lightning names it.

    Returns:
        ``None`` for unknown devices.
    """
    dtype = product_dtype(precision)
    if device.type == "cuda":
        return card_flops(torch.cuda.get_device_name(device), dtype)
    return measured_flops(dtype) if device.type == "cpu" else None


def product_dtype(precision: str) -> torch.dtype:
    """The dtype of most matrix products in training."""
    for beginning, dtype in (
        ("bf16", torch.bfloat16),
        ("16", torch.float16),
        ("64", torch.float64),
        ("transformer-engine-float16", torch.float16),
        ("transformer-engine", torch.bfloat16),
    ):
        if precision.startswith(beginning):
            return dtype
    return torch.float32


def card_flops(name: str, dtype: torch.dtype) -> float | None:
    """The peak of a card from the table; ``None`` for unknown cards and unsupported dtypes."""
    words = set(re.split(r"[\s-]+", name))
    if words & SLICED:
        return None
    for card, half, tf32, single in CARDS:
        if set(card.split()) <= words:
            if dtype is torch.float32:
                highest = torch.get_float32_matmul_precision() == "highest"
                return 1e12 * (single if highest else tf32)
            known = dtype is torch.float16 or card not in WITHOUT_BFLOAT16
            return 1e12 * half if known and dtype is not torch.float64 else None
    return None


@torch.no_grad()
def measured_flops(dtype: torch.dtype) -> float:
    """The best rate of square matrix products on the CPU, measured in a fifth of a second."""
    width, best, began = 256, 0.0, time.perf_counter()
    while True:
        matrix = torch.ones(
            width, width, dtype=dtype
        )  # not random: that would change the state of training
        before = time.perf_counter()
        matrix @ matrix
        now = time.perf_counter()
        best = max(best, 2 * width**3 / (now - before))
        # Twice the width takes eight times as long.
        if now - before < MEASURE_SECONDS / 20 and width < LARGEST:
            width *= 2
        if now - began > MEASURE_SECONDS:
            return best
