import pytest
import torch

from symbotunes.errors import UserError
from symbotunes.training.trainer import chosen_precision, make_trainer, natural_precision


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


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("32-true", "32-true"),
        ("bf16-mixed", "bf16-mixed"),
        ("16-mixed", "16-mixed"),
        (32, "32-true"),
        (16, "16-mixed"),
        ("bf16", "bf16-mixed"),
    ],
)
def test_precisions_with_weights_in_float32_are_taken(given, expected):
    assert chosen_precision(given, "cpu") == expected


@pytest.mark.parametrize(
    "given", ["bf16-true", "16-true", "64-true", 64, "transformer-engine", "fp8", None]
)
def test_other_precisions_are_refused_in_one_line_before_a_trainer_is_built(given):
    with pytest.raises(UserError) as caught:
        make_trainer(accelerator="cpu", precision=given, max_steps=1)
    assert str(caught.value) == (
        f"trainer.precision={given} is not supported: weights are kept in float32; "
        "choose one of auto, 32-true, bf16-mixed, 16-mixed"
    )
