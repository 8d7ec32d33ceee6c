"""What the processes of a distributed training share, and what each has to itself."""

from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from lightning.pytorch.utilities import rank_zero_only
from rich.console import Console


def of_all_processes(own: Any) -> list[Any]:
    """What every process has, by rank; each has to call it, equally often."""
    if not (dist.is_available() and dist.is_initialized()):
        return [own]
    gathered: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(gathered, own)
    return gathered


def draw_other_numbers(rank: int, step: int) -> None:
    """Give this process random numbers of its own, where all were started with one seed.

    Otherwise all processes would draw the same dropout masks and latent noise.

    Args:
        rank: of the process.
        step: optimizer steps so far.
    """
    words = np.random.SeedSequence([torch.initial_seed(), rank, step]).generate_state(2)
    torch.manual_seed(int(words[0]) << 32 | int(words[1]))


def first_console() -> Console:
    """A console that prints in the first process only."""
    return Console(quiet=bool(getattr(rank_zero_only, "rank", 0)))
