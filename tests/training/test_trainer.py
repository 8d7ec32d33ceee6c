import pytest
import torch

from symbotunes.training.trainer import natural_precision


@pytest.mark.parametrize(
    ("amx", "avx512", "accelerator", "expected"),
    [
        (False, False, "auto", "32-true"),
        (True, False, "auto", "bf16-mixed"),
        (False, True, "cpu", "bf16-mixed"),
        (True, True, "cuda", "32-true"),  # there is none: Lightning will say so
    ],
)
def test_bfloat16_is_chosen_where_a_cpu_has_units_for_it(
    amx, avx512, accelerator, expected, monkeypatch
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    known = {"amx_tile": amx, "avx512_bf16": avx512}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: known, raising=False)
    assert natural_precision(accelerator) == expected
