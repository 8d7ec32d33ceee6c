"""What PyTorch has but does not document, in one place, each with a public formula beside it.

Any release may change or drop such functions. So each is tried once per process, on a small
example, against its formula; where it is missing, takes other arguments or answers otherwise, the
formula does the work. Results are the same then, to the rounding of their type; only the speed is
not. A bound in ``pyproject.toml`` keeps releases away that nobody has tried.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import Optimizer

Function = Callable[..., Tensor]
Example = Callable[[], tuple[Any, ...]]
INPUTS = 32  # of examples: what the kernel for 8-bit weights reads at once
# What missing names, other arguments and refused devices raise.
_UNUSABLE = (AttributeError, TypeError, ValueError, RuntimeError)


@cache
def tried(private: Function, formula: Function, example: Example) -> Function:
    """`private` if it answers an example as `formula` does, else `formula`; decided once.

    Args:
        private: calls what PyTorch does not document.
        formula: the same by public functions.
        example: makes their arguments; called anew for each, since they may write to them.
    """
    try:
        with torch.no_grad(), torch.autocast("cpu", enabled=False):
            answer, expected = private(*example()), formula(*example())
            agree = torch.allclose(answer.float(), expected.float(), rtol=0.02, atol=0.02)
    except _UNUSABLE:
        return formula
    return private if agree else formula


def _ramp(rows: int, columns: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """``[rows, columns]`` numbers from -1 to 1, drawn from no random generator."""
    return torch.linspace(-1, 1, rows * columns, device="cpu").view(rows, columns).to(dtype)


def softmax_backward(gradient: Tensor, weights: Tensor) -> Tensor:
    """Gradient by the scores of a softmax over the last axis.

    Private: ``torch._softmax_backward_data``, one pass over memory instead of four.

    Args:
        gradient: by the weights, ``[..., T]``.
        weights: what softmax gave, ``[..., T]``.
    """
    run = tried(_softmax_backward, _softmax_backward_formula, _softmax_example)
    return run(gradient, weights)


def _softmax_backward(gradient: Tensor, weights: Tensor) -> Tensor:
    return torch._softmax_backward_data(gradient, weights, -1, weights.dtype)


def _softmax_backward_formula(gradient: Tensor, weights: Tensor) -> Tensor:
    return weights * (gradient - (gradient * weights).sum(-1, keepdim=True))


def _softmax_example() -> tuple[Tensor, Tensor]:
    return _ramp(2, 3), _ramp(2, 3).softmax(-1)


def sigmoid_backward(gradient: Tensor, output: Tensor, *, out: Tensor) -> Tensor:
    """Gradient by the argument of a sigmoid, written to `out`, which is returned.

    Private: ``torch.ops.aten.sigmoid_backward``, one kernel without memory in between.

    Args:
        gradient: by what the sigmoid gave.
        output: what it gave.
        out: of their shape.
    """
    return tried(_sigmoid_backward, _sigmoid_backward_formula, _slope_example)(
        gradient, output, out
    )


def _sigmoid_backward(gradient: Tensor, output: Tensor, out: Tensor) -> Tensor:
    torch.ops.aten.sigmoid_backward.grad_input(gradient, output, grad_input=out)
    return out


def _sigmoid_backward_formula(gradient: Tensor, output: Tensor, out: Tensor) -> Tensor:
    return torch.mul(gradient * (1 - output), output, out=out)


def tanh_backward(gradient: Tensor, output: Tensor, *, out: Tensor) -> Tensor:
    """Gradient by the argument of a tanh, written to `out`, which is returned.

    Private: ``torch.ops.aten.tanh_backward``; see `sigmoid_backward` for the arguments.
    """
    return tried(_tanh_backward, _tanh_backward_formula, _slope_example)(gradient, output, out)


def _tanh_backward(gradient: Tensor, output: Tensor, out: Tensor) -> Tensor:
    torch.ops.aten.tanh_backward.grad_input(gradient, output, grad_input=out)
    return out


def _tanh_backward_formula(gradient: Tensor, output: Tensor, out: Tensor) -> Tensor:
    return torch.mul(gradient, 1 - output.square(), out=out)


def _slope_example() -> tuple[Tensor, Tensor, Tensor]:
    return _ramp(2, 3), _ramp(2, 3) / 2, torch.empty(2, 3, device="cpu")


def int8_linear(x: Tensor, weight: Tensor, scales: Tensor) -> Tensor:
    """Product ``[N, O]`` of inputs and 8-bit weights.

    Private: ``torch._weight_int8pack_mm``, which reads a quarter of the memory of float32.

    Args:
        x: ``[N, I]`` bfloat16; I is a multiple of 32, which the kernel does not check.
        weight: ``[O, I]`` int8.
        scales: ``[O]`` bfloat16, by which an output's weights are multiplied.
    """
    return tried(_int8_linear, _int8_linear_formula, _int8_example)(x, weight, scales)


def _int8_linear(x: Tensor, weight: Tensor, scales: Tensor) -> Tensor:
    return torch._weight_int8pack_mm(x, weight, scales)


def _int8_linear_formula(x: Tensor, weight: Tensor, scales: Tensor) -> Tensor:
    return (F.linear(x.float(), weight.float()) * scales.float()).to(x.dtype)


def _int8_example() -> tuple[Tensor, Tensor, Tensor]:
    whole = (100 * _ramp(2, INPUTS)).round().to(torch.int8)
    scales = torch.tensor([0.01, 0.02], dtype=torch.bfloat16, device="cpu")
    return _ramp(3, INPUTS, torch.bfloat16), whole, scales


def takes_onednn_layout(dtype: torch.dtype) -> bool:
    """Whether `onednn_weight` and `onednn_linear` can be used for this type on this CPU.

    oneDNN refuses bfloat16 on CPUs without AVX512, where PyTorch has kernels of its own.
    """
    if dtype not in _ONEDNN_EXAMPLES:
        return False
    return tried(_onednn, _linear_formula, _ONEDNN_EXAMPLES[dtype]) is _onednn


def onednn_weight(weight: Tensor, rows: int) -> Tensor:
    """Weights ``[O, I]`` in oneDNN's own layout for `rows` rows at a time.

    Private: ``torch.ops.mkldnn._reorder_linear_weight``. The formula is PyTorch's layout, see
    `takes_onednn_layout`.
    """
    result: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight, rows)
    return result


def onednn_linear(x: Tensor, weight: Tensor, bias: Tensor | None, *, gelu: bool) -> Tensor:
    """``x @ weight.T + bias`` of what `onednn_weight` gave, with tanh GELU after it or not.

    Private: ``torch.ops.mkldnn._linear_pointwise``, which ``torch.compile`` uses. The formula is
    `linear`, see `takes_onednn_layout`.
    """
    after: tuple[str, list[float], str] = ("gelu", [], "tanh") if gelu else ("none", [], "")
    result: Tensor = torch.ops.mkldnn._linear_pointwise.default(x, weight, bias, *after)
    return result


def linear(x: Tensor, weight: Tensor, bias: Tensor | None, *, gelu: bool) -> Tensor:
    """``x @ weight.T + bias``, with tanh GELU after it or not."""
    hidden = F.linear(x, weight, bias)
    return F.gelu(hidden, approximate="tanh") if gelu else hidden


def _onednn(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return onednn_linear(x, onednn_weight(weight, len(x)), bias, gelu=True)


def _linear_formula(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return linear(x, weight, bias, gelu=True)


def _float32_example() -> tuple[Tensor, Tensor, Tensor]:
    return _ramp(2, INPUTS), _ramp(3, INPUTS), _ramp(1, 3)[0]


def _bfloat16_example() -> tuple[Tensor, Tensor, Tensor]:
    x, weight, bias = _float32_example()
    return x.bfloat16(), weight.bfloat16(), bias.bfloat16()


_ONEDNN_EXAMPLES: dict[torch.dtype, Example] = {
    torch.float32: _float32_example,
    torch.bfloat16: _bfloat16_example,
}


def cpu_has_bfloat16_units() -> bool:
    """Whether this CPU multiplies bfloat16 in hardware (AVX512-BF16 or AMX).

    ``torch.cpu.get_capabilities`` says so, of releases that have it; private, of earlier ones:
    ``torch.cpu._is_avx512_bf16_supported`` and ``_is_amx_tile_supported``. Else the answer is no,
    which costs speed alone.
    """
    if hasattr(torch.cpu, "get_capabilities"):
        known = torch.cpu.get_capabilities()
        return bool(known.get("avx512_bf16") or known.get("amx_tile"))
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in names)


def foreach(name: str, tensors: Sequence[Tensor], *others: Any, **options: Any) -> list[Tensor]:
    """A method of every tensor of a list, in a few kernels where a GPU is given the whole list.

    Private: ``torch._foreach_NAME``, which PyTorch's optimizers are written with.

    Args:
        name: of the method, such as ``add`` or ``mul_``; one that ends in ``_`` overwrites.
        tensors: on which it is called.
        others: its arguments: a list as long as `tensors`, or a number for all.
        options: keyword arguments, the same for all.

    Returns:
        What it gave for each; the tensors themselves if it overwrites.
    """
    together = getattr(torch, f"_foreach_{name}", None)
    if together is not None:
        try:
            results = together(list(tensors), *others, **options)
        except TypeError:  # other arguments: raised before anything is written
            pass
        else:
            return list(tensors) if name.endswith("_") else list(results)
    return [
        getattr(tensor, name)(
            *(other[index] if isinstance(other, list) else other for other in others), **options
        )
        for index, tensor in enumerate(tensors)
    ]


def leave_unscaling_to_scaler(optimizer: Optimizer) -> None:
    """Have gradients of float16 unscaled before a fused optimizer's step, not by it.

    Lightning does not clip gradients for an optimizer that unscales by itself. Private: the
    attribute ``_step_supports_amp_scaling`` says that it does; where there is none, it does not.
    """
    if hasattr(optimizer, "_step_supports_amp_scaling"):
        optimizer._step_supports_amp_scaling = False
