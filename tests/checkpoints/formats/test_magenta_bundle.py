"""Magenta's bundles: a genuine one, and what is refused of others."""

import struct
from contextlib import suppress

import numpy as np
import pytest

from symbotunes.checkpoints.formats import magenta_bundle
from symbotunes.checkpoints.formats.magenta_bundle import read_bundle, read_first_format
from symbotunes.checkpoints.formats.tensorflow_table import BadCheckpoint
from symbotunes.checkpoints.weights import read_weights
from symbotunes.errors import UserError
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.models.performance_rnn import PerformanceRNN
from tests.checkpoints.formats.test_tensorflow import table, varint
from tests.models.performance_rnn.magenta import MAG, VOCABULARY

VALUES = np.array([[1.0, -2.0, 0.5]], "<f4")


def field(number, content):
    """A field of a protocol buffer: a whole number, or bytes."""
    if isinstance(content, int):
        return varint(number * 8) + varint(content)
    return varint(number * 8 + 2) + varint(len(content)) + content


def shape(*axes):
    return b"".join(field(2, field(1, axis)) for axis in axes)


def listed(name, axes, dtype=1):
    return field(1, field(1, name) + field(2, shape(*axes)) + field(3, dtype))


def stored(name, content, extents=(b"", b""), number=5):
    whole = b"".join(field(1, extent) for extent in extents)
    tensor = field(number, content)
    return field(2, field(1, name) + field(2, whole) + field(3, tensor))


def checkpoint(*lists, values=()):
    return table((b"", field(1, b"".join(lists))), *values)


def bundle(content, name=b"performance"):
    return field(1, field(1, name)) + field(2, content) + field(3, b"a graph, never looked at")


def test_a_genuine_bundle_names_its_config_and_variables():
    genuine = read_bundle(MAG)
    assert genuine.id == "multiconditioned_performance_with_dynamics"
    shapes = {name.rpartition("cell_")[2]: a.shape for name, a in genuine.variables.items()}
    assert shapes == {
        "0/basic_lstm_cell/kernel": (414, 24),
        "0/basic_lstm_cell/bias": (24,),
        "1/basic_lstm_cell/kernel": (14, 32),
        "1/basic_lstm_cell/bias": (32,),
        "2/basic_lstm_cell/kernel": (14, 24),
        "2/basic_lstm_cell/bias": (24,),
        "fully_connected/weights": (6, 388),
        "fully_connected/biases": (388,),
    }


def test_numbers_are_read_and_counters_are_left_out(tmp_path):
    path = tmp_path / "made.mag"
    content = checkpoint(
        listed(b"a", (1, 3)),
        listed(b"global_step", (), dtype=9),
        values=[
            (b"\0a", stored(b"a", VALUES.tobytes())),
            (b"\0g", stored(b"global_step", varint(7), (), number=10)),
        ],
    )
    path.write_bytes(bundle(content))
    found = read_bundle(path)
    assert found.id == "performance"
    assert {name: array.tolist() for name, array in found.variables.items()} == {
        "a": [[1.0, -2.0, 0.5]]
    }


LIST = listed(b"a", (1, 3))
WHOLE = (b"\0a", stored(b"a", VALUES.tobytes()))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (checkpoint(LIST, values=[(b"\0a", stored(b"a", b"1234"))]), "4 bytes for shape"),
        (checkpoint(LIST, values=[WHOLE, (b"\0b", WHOLE[1])]), "holds a twice"),
        (checkpoint(values=[WHOLE]), "does not list it"),
        (checkpoint(LIST, values=[(b"", field(1, b""))]), "lists its variables twice"),
        (
            checkpoint(
                LIST,
                values=[(b"\0a", stored(b"a", VALUES.tobytes(), (b"", field(2, 2))))],
            ),
            "stored in slices",
        ),
        (checkpoint(listed(b"a", (2**62, 2**62)), values=[WHOLE]), "bytes for shape"),
        (checkpoint(listed(b"a", (1,) * 9), values=[WHOLE]), "too many axes"),
        (checkpoint(LIST, values=[(b"\0a", field(3, b""))]), "0 parts where one variable"),
        (b"no table at all", "not a TensorFlow index"),
    ],
)
def test_damage_is_one_line(content, message):
    with pytest.raises(BadCheckpoint, match=message):
        read_first_format(content)


def test_every_beginning_of_a_bundle_is_refused_or_lacks_variables(tmp_path):
    data = MAG.read_bytes()[:60_000]  # the end of the checkpoint, and some of the graph
    path = tmp_path / "cut.mag"
    for length in range(0, len(data), 997):
        path.write_bytes(data[:length])
        with pytest.raises(UserError, match=r"cut\.mag cannot be read"):
            read_bundle(path)


def test_random_damage_raises_nothing_else(tmp_path):
    random = np.random.default_rng(0)
    path = tmp_path / "damaged.mag"
    genuine = np.frombuffer(MAG.read_bytes(), np.uint8)
    for _ in range(30):
        data = genuine.copy()
        data[random.integers(0, len(data), 40)] = random.integers(0, 256, 40)
        path.write_bytes(data.tobytes())
        with suppress(UserError):
            read_bundle(path)


def test_a_large_bundle_is_not_opened(tmp_path, monkeypatch):
    path = tmp_path / "large.mag"
    path.write_bytes(bytes(2000))
    monkeypatch.setattr(magenta_bundle, "MAX_BYTES", 1999)
    with pytest.raises(UserError, match="it is not opened"):
        read_bundle(path)


def test_a_missing_bundle_is_named(tmp_path):
    with pytest.raises(UserError, match=r"no file at .*none\.mag"):
        read_bundle(tmp_path / "none.mag")


def test_a_bundle_says_which_network_it_needs():
    weights = read_weights(MAG)
    with pytest.raises(UserError) as caught:
        weights.check(PerformanceRNN(VOCABULARY, widths=[8]), 388)
    assert str(caught.value).endswith(
        "set model=performance_rnn model.net.widths=[6,8,6] model.net.inputs=one_hot "
        "model.net.controls=[density,pitches]"
    )
    with pytest.raises(UserError, match="set model=performance_rnn"):
        weights.check(FolkRNN(VOCABULARY, width=8), 388)
    fitting = PerformanceRNN(VOCABULARY, **weights.sizes)
    with pytest.raises(UserError, match=r"velocities=32"):
        weights.check(fitting, 356)
    weights.check(fitting, 388)
    fitting.load_state_dict(weights.tensors)


def test_a_footer_that_points_outside_is_refused():
    handle = varint(0) + varint(0) + varint(10**9) + varint(5)
    data = bytes(100) + handle.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
    with pytest.raises(BadCheckpoint, match="outside the file"):
        read_first_format(data)
