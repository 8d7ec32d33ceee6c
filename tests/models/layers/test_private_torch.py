"""With and without what PyTorch does not document, the results are the same."""

import ast
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import symbotunes
from symbotunes.models.layers import private_torch
from symbotunes.models.layers.attention import Layout, causal_attention
from symbotunes.models.layers.decoding import Packed, Plain, packed
from symbotunes.models.layers.lstm import driven_lstm
from symbotunes.training.optimizers import GroupedAdamW, RMSprop

PACKAGE = Path(symbotunes.__file__).parent
# Names that PyTorch does not document, by the object that holds them.
FUNCTIONS = {
    torch: [
        "_softmax_backward_data", "_weight_int8pack_mm", "_foreach_mul_", "_foreach_addcmul_",
        "_foreach_add", "_foreach_sqrt_", "_foreach_addcdiv_",
    ],
    torch.cpu: ["get_capabilities", "_is_avx512_bf16_supported", "_is_amx_tile_supported"],
}  # fmt: skip
HAS_ONEDNN = torch.backends.mkldnn.is_available()


OPERATORS = {
    torch.ops.aten: ["sigmoid_backward", "tanh_backward"],
    torch.ops.mkldnn: ["_reorder_linear_weight", "_linear_pointwise"],
}


class Missing:
    """Stands for an operator; no overload of it exists, and it cannot be called."""


def refuse(*arguments, **options):
    raise TypeError("unexpected argument")


def zeros(gradient, *arguments, **options):
    return torch.zeros_like(gradient)


@pytest.fixture(autouse=True)
def tried_anew():
    """What was decided with a function does not hold without it."""
    private_torch.tried.cache_clear()
    yield
    private_torch.tried.cache_clear()


@pytest.fixture(params=["missing", "of other arguments"])
def without(request, monkeypatch):
    """Takes everything private away, or its signature."""

    def take():
        private_torch.tried.cache_clear()
        for name in FUNCTIONS[torch]:
            if request.param == "missing":
                monkeypatch.delattr(torch, name, raising=False)
            else:
                monkeypatch.setattr(torch, name, refuse)
        for namespace, names in OPERATORS.items():
            for name in names:
                monkeypatch.setattr(namespace, name, Missing())

    return take


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_attention_has_the_same_gradients_without_it(without):
    def gradient():
        qkv = normal(9, 3, 2, 4).requires_grad_()
        attended = causal_attention(qkv, Layout.of([5, 4], torch.device("cpu")))
        attended.backward(normal(*attended.shape, seed=1))
        return qkv.grad

    expected = gradient()
    without()
    torch.testing.assert_close(gradient(), expected)


def test_an_lstm_has_the_same_gradients_without_it(without):
    def gradients():
        drive, weight = normal(6, 3, 20).requires_grad_(), normal(20, 5, seed=1).requires_grad_()
        hidden, _ = driven_lstm(drive, weight, (torch.zeros(3, 5), torch.zeros(3, 5)))
        hidden.square().sum().backward()
        return drive.grad, weight.grad

    expected = gradients()
    without()
    torch.testing.assert_close(gradients(), expected)


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_slopes_are_what_autograd_says_with_and_without_it(name, without):
    x, gradient = normal(3, 4).requires_grad_(), normal(3, 4, seed=1)
    output = getattr(torch, name)(x)
    (expected,) = torch.autograd.grad(output, x, gradient)
    backward = getattr(private_torch, f"{name}_backward")
    for _ in range(2):
        out = torch.empty(3, 2, 4)[:, 1]  # as in the recurrence, not contiguous
        torch.testing.assert_close(backward(gradient, output.detach(), out=out), expected)
        torch.testing.assert_close(out, expected)
        without()


def test_eight_bit_products_are_those_of_the_weights_with_and_without_it(without):
    x = normal(5, 64).bfloat16()
    weight = (30 * normal(7, 64, seed=1)).round().clamp(-127, 127).to(torch.int8)
    scales = (0.01 + normal(7, seed=2).abs()).bfloat16()
    expected = x.double() @ (weight.double() * scales.double()[:, None]).T
    for _ in range(2):
        result = private_torch.int8_linear(x, weight, scales)
        assert result.dtype == torch.bfloat16
        # The kernel and the formula round once, to 8 bits.
        torch.testing.assert_close(result.double(), expected, rtol=2**-7, atol=0.05)
        without()


@pytest.mark.skipif(not HAS_ONEDNN, reason="PyTorch without oneDNN")
@pytest.mark.parametrize("gelu", [False, True])
def test_a_packed_layer_is_a_plain_one_without_it(gelu, without):
    weight, bias, x = normal(6, 8), normal(6, seed=1), normal(4, 8, seed=2)
    with_it = packed(weight, bias, rows=4, gelu=gelu)
    assert isinstance(with_it, Packed)
    answer = with_it(x)
    without()
    without_it = packed(weight, bias, rows=4, gelu=gelu)
    assert isinstance(without_it, Plain)
    torch.testing.assert_close(answer, without_it(x))
    expected = x @ weight.T + bias
    torch.testing.assert_close(answer, F.gelu(expected, approximate="tanh") if gelu else expected)


def test_no_layout_is_promised_for_other_types():
    assert not private_torch.takes_onednn_layout(torch.float64)


def test_rmsprop_takes_the_same_steps_without_it(without):
    def trained():
        parameters = [nn.Parameter(normal(3, 4)), nn.Parameter(normal(5, seed=1))]
        optimizer = RMSprop(parameters, lr=0.1)
        for step in range(3):
            for parameter in parameters:
                parameter.grad = normal(*parameter.shape, seed=step)
            optimizer.step()
        return [parameter.detach() for parameter in parameters]

    expected = trained()
    without()
    torch.testing.assert_close(trained(), expected, rtol=0, atol=1e-6)


def test_a_function_that_answers_otherwise_is_not_used(monkeypatch):
    gradient, weights = normal(2, 5), normal(2, 5, seed=1).softmax(-1)
    expected = weights * (gradient - (gradient * weights).sum(-1, keepdim=True))
    monkeypatch.setattr(torch, "_softmax_backward_data", zeros)
    torch.testing.assert_close(private_torch.softmax_backward(gradient, weights), expected)


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("softmax_backward", "softmax"),
        ("sigmoid_backward", "slope"),
        ("tanh_backward", "slope"),
        ("int8_linear", "int8"),
    ],
)
def test_this_release_has_the_functions(name, example):
    """A formula that is taken by mistake would show in nothing but its slowness."""
    private = getattr(private_torch, f"_{name}")
    formula = getattr(private_torch, f"_{name}_formula")
    example = getattr(private_torch, f"_{example}_example")
    assert private_torch.tried(private, formula, example) is private


def test_this_release_has_the_layout_of_onednn():
    assert private_torch.takes_onednn_layout(torch.float32) == HAS_ONEDNN


@pytest.mark.parametrize("private", [True, False], ids=["private", "public"])
@pytest.mark.parametrize(("bf16", "amx"), [(False, False), (True, False), (False, True)])
def test_units_for_bfloat16_are_asked_of_what_the_release_has(monkeypatch, private, bf16, amx):
    if private:
        monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: bf16, raising=False)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx, raising=False)
    else:
        known = {"avx512_bf16": bf16, "amx_tile": amx, "architecture": "x86_64"}
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: known, raising=False)
    assert private_torch.cpu_has_bfloat16_units() is (bf16 or amx)


def test_a_release_that_does_not_tell_is_taken_to_have_no_units(monkeypatch):
    for name in FUNCTIONS[torch.cpu]:
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert private_torch.cpu_has_bfloat16_units() is False


def test_a_fused_optimizer_leaves_unscaling_to_the_scaler():
    optimizer = GroupedAdamW([nn.Parameter(torch.ones(2, 2))])
    assert not getattr(optimizer, "_step_supports_amp_scaling", False)
    plain = torch.optim.SGD([nn.Parameter(torch.ones(2))])
    private_torch.leave_unscaling_to_scaler(plain)
    assert not hasattr(plain, "_step_supports_amp_scaling")


def dotted(node):
    """``torch.ops.aten`` of the nodes of an attribute, or an empty string."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def undocumented(path):
    for node in ast.walk(ast.parse(path.read_text())):
        root, *names = dotted(node).split(".")
        private = any(name.startswith("_") or name == "ops" for name in names)
        if root in ("torch", "F", "nn") and private:
            yield ".".join([root, *names])
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("torch"):
            modules = (node.module or "").split(".")[1:]
            yield from (n for n in [*modules, *(a.name for a in node.names)] if n.startswith("_"))


@pytest.mark.slow("parses every module of the package")
def test_what_pytorch_does_not_document_is_used_in_one_module_alone():
    here = PACKAGE / "models" / "layers" / "private_torch.py"
    assert "torch.ops.aten" in set(undocumented(here))  # the search finds what is there
    others = {
        path.relative_to(PACKAGE): sorted(set(undocumented(path)))
        for path in PACKAGE.rglob("*.py")
        if path != here
    }
    assert {path: names for path, names in others.items() if names} == {}
