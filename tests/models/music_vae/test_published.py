"""Magenta's variables under our names; what the networks then give is in test_reference.py."""

import numpy as np
import pytest

from symbotunes.models.music_vae.published import from_magenta
from symbotunes.models.published import LayoutError
from tests.models.music_vae.magenta import variables_of


@pytest.fixture(scope="module")
def variables():
    """Of the 2-bar melody model, by TensorFlow's names."""
    return variables_of("cat-mel_2bar_small")


def test_gates_are_put_in_our_order_with_the_forget_bias_inside(variables):
    weights = from_magenta(variables).tensors
    kernel = variables["decoder/multi_rnn_cell/cell_0/lstm_cell/kernel"]  # [106 + 20, i g f o]
    bias = variables["decoder/multi_rnn_cell/cell_0/lstm_cell/bias"]
    ours = weights["decoder.cores.0.stack.layers.0.weight_ih_l0"].numpy()
    np.testing.assert_array_equal(ours[20:40], kernel[:106, 40:60].T)  # forget
    np.testing.assert_array_equal(ours[40:60], kernel[:106, 20:40].T)  # candidate
    recurrent = weights["decoder.cores.0.stack.layers.0.weight_hh_l0"].numpy()
    np.testing.assert_array_equal(recurrent[60:], kernel[106:, 60:].T)  # output
    first = weights["decoder.cores.0.stack.layers.0.bias_ih_l0"].numpy()
    np.testing.assert_array_equal(first[20:40], bias[40:60] + 1)


def test_an_optimizers_memory_is_passed_over(variables):
    more = {"beta1_power": np.float32(0.9), "encoder/mu/bias/Adam_1": np.zeros(16, np.float32)}
    assert from_magenta(variables | more).tensors.keys() == from_magenta(variables).tensors.keys()


def test_an_unknown_variable_is_named(variables):
    more = {"encoder/attention/kernel": np.zeros(3, np.float32)}
    with pytest.raises(LayoutError, match="it has encoder/attention/kernel"):
        from_magenta(variables | more)


def test_a_missing_variable_is_named(variables):
    fewer = {k: v for k, v in variables.items() if k != "encoder/mu/bias"}
    with pytest.raises(LayoutError, match=r"lacks what would be posterior.mean.bias"):
        from_magenta(fewer)
