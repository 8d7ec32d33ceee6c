"""The seed of each sample."""

import random
from collections.abc import Sequence

import numpy as np
import torch

from symbotunes.errors import UserError, require_whole_number

BITS = 53  # whole numbers that JSON and browsers keep exactly


def sample_seeds(seed: int, count: int) -> list[int]:
    """Seeds of samples: number ``i`` is a hash of `seed` and ``i``, whatever `count` is.

    Not ``seed + i``, because neighboring seeds would then share all samples but one. These are the
    children of ``numpy.random.SeedSequence(seed).spawn``.

    Args:
        seed: of the command.
        count: number of samples.
    """
    children = [np.random.SeedSequence(seed, spawn_key=(index,)) for index in range(count)]
    return [int(child.generate_state(1, np.uint64)[0]) >> (64 - BITS) for child in children]


def seed_everything(seed: int) -> None:
    """Seed the generators that a network may draw from besides those of its samples.

    As Lightning's function of this name does for one process; importing that takes seconds.
    """
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (a plug-in may draw from it)
    torch.manual_seed(seed)


def check_seeds(seeds: Sequence[int]) -> None:
    """Check seeds that a user gives.

    Raises:
        UserError: if there are none, or one is not a whole number of at least 0.
    """
    if isinstance(seeds, str) or not hasattr(seeds, "__len__") or not len(seeds):
        raise UserError(f"sample.seeds={seeds}: must be null or a list of numbers, such as [7,11]")
    for number in seeds:
        require_whole_number("sample.seeds", number, least=0)
        if number >= 2**BITS:
            raise UserError(f"sample.seeds={number}: must be less than 2**{BITS}")


def refuse_seeds(seeds: Sequence[int] | None) -> None:
    """Check that no seeds are given for samples that are measured.

    Raises:
        UserError: if there are any.
    """
    if seeds is not None:
        raise UserError(
            "sample.seeds repeats samples of mode=sample; what is measured is drawn from seed="
        )
