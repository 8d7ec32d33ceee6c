"""Which variables of the authors are read, and which are refused."""

import numpy as np
import pytest

from symbotunes.models.performance_rnn.published import from_magenta, is_performance_rnn
from symbotunes.models.published import LayoutError
from tests.models.performance_rnn.magenta import NAMES, variables_of

CELL = "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell/{}"


@pytest.fixture
def plain():
    return variables_of("plain")


def test_sizes_follow_from_shapes():
    sizes = [from_magenta(variables_of(name)).sizes for name in NAMES]
    assert sizes == [
        {"widths": [8, 6, 10], "inputs": "one_hot", "controls": []},
        {"widths": [8, 8, 6], "inputs": "modulo", "controls": []},
        {"widths": [6, 8, 6], "inputs": "one_hot", "controls": ["density", "pitches"]},
    ]


def test_names_of_2017_and_an_optimizer_are_read(plain):
    old = {
        name.replace("kernel", "weights").replace("bias", "biases").replace("biaseses", "biases"): (
            array
        )
        for name, array in plain.items()
    }
    old |= {f"{name}/Adam": array for name, array in old.items()}
    old["global_step"] = np.array(7)
    assert CELL.format(0, "weights") in old
    new = from_magenta(plain).tensors
    assert from_magenta(old).tensors.keys() == new.keys()
    assert all((from_magenta(old).tensors[name] == tensor).all() for name, tensor in new.items())


def test_a_model_without_velocity_names_its_transforms(plain):
    kernel, output = CELL.format(0, "kernel"), "fully_connected/weights"
    plain[kernel] = np.delete(plain[kernel], np.s_[356:388], axis=0)
    plain[output] = plain[output][:, :356]
    plain["fully_connected/biases"] = plain["fully_connected/biases"][:356]
    published = from_magenta(plain, "performance")
    assert published.vocabulary == 356
    assert "transforms.performance.velocities=0" in published.transforms


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.pop(CELL.format(1, "bias")), "lacks weights of cell_1"),
        (lambda v: v.pop("fully_connected/weights"), "lacks weights of fully_connected"),
        (lambda v: [v.pop(CELL.format(0, part)) for part in ("kernel", "bias")], "lacks layers"),
        (lambda v: v.update({CELL.format(1, "kernel"): np.zeros((99, 24))}), "in layer 1"),
        (lambda v: v.update({CELL.format(0, "kernel"): np.zeros((9, 32))}), "reads 1 numbers"),
        (lambda v: v.update({CELL.format(2, "bias"): np.zeros(7)}), "in layer 2"),
        (lambda v: v.update({CELL.format(2, "bias"): np.zeros((4, 4))}), "unknown shape"),
        (lambda v: v.update({"fully_connected/weights": np.zeros((9, 388))}), "output layer"),
    ],
)
def test_what_does_not_fit_is_refused(plain, change, message):
    change(plain)
    with pytest.raises(LayoutError, match=message):
        from_magenta(plain)


def test_a_bundle_must_hold_what_its_name_says(plain):
    from_magenta(plain, "performance_with_dynamics")
    with pytest.raises(LayoutError, match="and reads 388 numbers per step"):
        from_magenta(plain, "density_conditioned_performance_with_dynamics")
    with pytest.raises(LayoutError, match="a bundle of 'attention_rnn'; known are performance,"):
        from_magenta(plain, "attention_rnn")


def test_other_variables_are_told_apart(plain):
    assert is_performance_rnn(plain)
    assert not is_performance_rnn({"encoder/mu/kernel": np.zeros((2, 2))})
