"""What Lightning is given to read, and how much of it."""

from types import SimpleNamespace

import pytest

from symbotunes.training.lit_data import LitData


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(0.001, 1), (0.0199, 1), (0.02, 0.02), (0.5, 0.5), (1.0, 1.0), (0.0, 0.0), (3, 3), (0, 0)],
)
@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_a_fraction_of_less_than_a_batch_is_one_batch(split, limit, expected):
    loader = list(range(50))
    data = LitData(SimpleNamespace(**{f"{split}_dataloader": lambda **_: loader}))
    name = f"limit_{split}_batches"
    data.trainer = SimpleNamespace(global_rank=0, world_size=1, **{name: limit})
    assert getattr(data, f"{split}_dataloader")() is loader
    result = getattr(data.trainer, name)
    assert (result, type(result)) == (expected, type(expected))
