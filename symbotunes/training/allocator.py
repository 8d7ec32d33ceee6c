"""How the C library treats memory that PyTorch frees on the CPU."""

import ctypes
import os

# Options of glibc's mallopt(3), whose names exist only in C headers.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
LARGEST = 2**31 - 1  # bytes; mallopt takes an int
LARGEST_ONCE = 2**25  # bytes; the maximum that older versions accept for MMAP_THRESHOLD


def keep_freed_memory() -> bool:
    """Let this process reuse the memory of freed tensors for new ones.

    glibc maps fresh pages for every large tensor and returns them when it is freed, so each
    training step pays for zeroing the same pages again: a third of a step of the 16-bar models.
    After this call, large tensors come from the heap, which keeps its memory. Use it only if tensor
    sizes repeat, as those of windows do: tunes of many lengths would fragment the heap (a Folk-RNN
    that needs 1.2 GiB grew to 4.7).

    Returns:
        Whether it took effect; C libraries other than glibc are not changed.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is None:
        return False
    # Setting TRIM_THRESHOLD alone would stop glibc from adapting to the sizes that repeat.
    taken = mallopt(MMAP_THRESHOLD, LARGEST) or mallopt(MMAP_THRESHOLD, LARGEST_ONCE)
    return bool(taken and mallopt(TRIM_THRESHOLD, LARGEST))
