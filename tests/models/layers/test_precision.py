"""What is decided by the capability of a device, tried with made capabilities."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence
from torch.utils._python_dispatch import TorchDispatchMode

from symbotunes.models.layers import lstm
from symbotunes.models.layers.drawing import draw
from symbotunes.models.layers.precision import fused_lstm_dtype, has_bfloat16_units
from symbotunes.training.trainer import natural_precision


@pytest.mark.parametrize(
    ("card", "capability", "precision"),
    [
        ("P100", (6, 0), "32-true"),
        ("V100", (7, 0), "32-true"),
        ("T4", (7, 5), "32-true"),
        ("A100", (8, 0), "bf16-mixed"),
        ("RTX 4090", (8, 9), "bf16-mixed"),
        ("H200", (9, 0), "bf16-mixed"),
        ("RTX 5090", (12, 0), "bf16-mixed"),
    ],
)
def test_precision_is_chosen_by_the_units_of_a_card(card, capability, precision, monkeypatch):
    assert has_bfloat16_units(capability) == (precision == "bf16-mixed")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: capability)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *_, **__: True)  # by emulation
    assert natural_precision("auto") == natural_precision("gpu") == precision


@pytest.mark.parametrize(
    ("kind", "autocast", "expected"),
    [
        ("cuda", torch.bfloat16, torch.float32),  # cuDNN would compute in float16
        ("cuda", torch.float16, None),  # which is what it says, and has a scaler
        ("cuda", None, None),
        ("mps", torch.bfloat16, torch.float32),
        ("cpu", torch.bfloat16, None),
    ],
)
def test_lstms_compute_in_no_coarser_type_than_they_say(kind, autocast, expected):
    assert fused_lstm_dtype(kind, autocast) is expected


@pytest.mark.parametrize("packs", [False, True])
def test_an_lstm_outside_autocast_gives_what_it_gives_in_float32(packs, monkeypatch):
    torch.manual_seed(0)
    layer = nn.LSTM(5, 4, batch_first=True)
    inputs, state = torch.randn(2, 6, 5), (torch.randn(1, 2, 4), torch.randn(1, 2, 4))
    if packs:
        inputs = pack_padded_sequence(inputs, torch.tensor([6, 3]), batch_first=True)
    expected, (expected_h, expected_c) = layer(inputs, state)
    monkeypatch.setattr(lstm, "fused_lstm_dtype", lambda *_: torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        hidden, (h, c) = lstm.run_fused(layer, inputs, tuple(part.bfloat16() for part in state))
        assert (layer.weight_hh_l0 @ layer.weight_hh_l0.T).dtype is torch.bfloat16  # still on
    first, second = (hidden.data, expected.data) if packs else (hidden, expected)
    assert first.dtype is torch.float32
    torch.testing.assert_close(first, second, rtol=0.02, atol=0.02)  # the state was rounded
    torch.testing.assert_close(h, expected_h, rtol=0.02, atol=0.02)
    torch.testing.assert_close(c, expected_c, rtol=0.02, atol=0.02)


class Refusing(TorchDispatchMode):
    """Refuses what CUDA refuses with ``deterministic=true``, by PyTorch's documentation."""

    REFUSED = ("cumsum", "cumsum_", "put_", "histc", "bincount", "median", "kthvalue")

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        if name in self.REFUSED and any(
            isinstance(value, torch.Tensor) and value.is_floating_point() for value in args
        ):
            raise RuntimeError(f"{name} does not have a deterministic implementation")
        return func(*args, **(kwargs or {}))


@pytest.fixture
def deterministic():
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


def test_numbers_are_drawn_without_a_sum_that_cuda_refuses(deterministic):
    torch.manual_seed(0)
    probabilities = torch.rand(4_000, 30).softmax(-1) * 3  # they need not sum to 1
    uniform = torch.rand(4_000)
    with Refusing(), pytest.raises(RuntimeError, match="cumsum"):
        probabilities.cumsum(-1)
    with Refusing():
        drawn = draw(probabilities, uniform)
    # The inverse CDF, written with Python's numbers.
    for row, u, token in zip(probabilities.tolist(), uniform.tolist(), drawn.tolist(), strict=True):
        below, upto = sum(row[:token]), sum(row[: token + 1])
        assert below - 1e-6 <= u * sum(row) <= upto + 1e-6


def test_an_id_without_probability_is_never_drawn(deterministic):
    probabilities = torch.tensor([[0.0, 0.5, 0.0, 0.5, 0.0]]).expand(3, -1)
    assert draw(probabilities, torch.tensor([0.0, 0.5, 0.999999])).tolist() == [1, 3, 3]
