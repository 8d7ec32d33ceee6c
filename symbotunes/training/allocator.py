"""How the C library treats memory that PyTorch frees on the CPU."""

import ctypes
import os

# Options of glibc's mallopt(3), whose names exist in C headers only.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
LARGEST = 2**31 - 1  # bytes; mallopt takes an int
LARGEST_ONCE = 2**25  # bytes; all that older versions take for MMAP_THRESHOLD


def keep_freed_memory() -> bool:
    """Let this process keep the memory of freed tensors for the next ones.

    glibc maps every large tensor anew and gives it back when it is freed, so each training step
    pays for clearing the same pages again: a third of a step of 16-bar models. From now on they
    come from the heap, which keeps what it once had. Only for tensors whose sizes come back, as
    those of windows do: tunes of many lengths would tear holes into the heap (a Folk-RNN that
    takes 1.2 GiB grew to 4.7).

    Returns:
        Whether it will; C libraries other than glibc go on as they do.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is None:
        return False
    # Alone, the second setting would stop glibc from learning which sizes come back.
    taken = mallopt(MMAP_THRESHOLD, LARGEST) or mallopt(MMAP_THRESHOLD, LARGEST_ONCE)
    return bool(taken and mallopt(TRIM_THRESHOLD, LARGEST))
