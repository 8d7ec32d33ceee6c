"""The number from which each sample is drawn."""

from collections.abc import Sequence

import numpy as np

from symbotunes.errors import UserError, require_whole_number

BITS = 53  # whole numbers that JSON and browsers keep exactly


def sample_seeds(seed: int, count: int) -> list[int]:
    """Seeds of samples: number i is a hash of `seed` and i, not of how many are drawn.

    Not ``seed + i``: samples of neighboring seeds would be the same ones but for the first. They
    are the children that ``numpy.random.SeedSequence(seed).spawn`` gives.

    Args:
        seed: of the command.
        count: of samples.
    """
    children = [np.random.SeedSequence(seed, spawn_key=(index,)) for index in range(count)]
    return [int(child.generate_state(1, np.uint64)[0]) >> (64 - BITS) for child in children]


def check_seeds(seeds: Sequence[int]) -> None:
    """See that seeds which a user gives can be drawn from.

    Raises:
        UserError: if there is none, or one is not a whole number of at least 0.
    """
    if isinstance(seeds, str) or not hasattr(seeds, "__len__") or not len(seeds):
        raise UserError(f"sample.seeds={seeds}: must be null or a list of numbers, such as [7,11]")
    for number in seeds:
        require_whole_number("sample.seeds", number, least=0)
        if number >= 2**BITS:
            raise UserError(f"sample.seeds={number}: must be less than 2**{BITS}")


def refuse_seeds(seeds: Sequence[int] | None) -> None:
    """See that none are given where samples are drawn to be measured.

    Raises:
        UserError: if some are.
    """
    if seeds is not None:
        raise UserError(
            "sample.seeds repeats samples of mode=sample; what is measured is drawn from seed="
        )
