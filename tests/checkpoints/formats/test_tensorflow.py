"""TensorFlow's checkpoints, read without TensorFlow."""

import io
import struct
import tarfile

import numpy as np
import pytest
import torch

from symbotunes.checkpoints.formats.tensorflow import is_tensorflow, read_checkpoint
from symbotunes.checkpoints.formats.tensorflow_bundle import Entry, read_index, read_variables
from symbotunes.checkpoints.formats.tensorflow_table import BadCheckpoint
from symbotunes.checkpoints.weights import read_weights
from symbotunes.errors import UserError
from tests.models.music_vae.magenta import REFERENCE, variables_of

INDEX = (REFERENCE / "melody.index").read_bytes()


@pytest.fixture(scope="module")
def variables():
    """Of the 2-bar melody model, by TensorFlow's names."""
    return variables_of("cat-mel_2bar_small")


@pytest.fixture
def checkpoint(variables, tmp_path):
    """The genuine index, and a data file that holds the variables where it says."""
    folder = tmp_path / "model"
    folder.mkdir()
    entries = read_index(INDEX)
    data = bytearray(max(entry.offset + entry.size for entry in entries.values()))
    for name, entry in entries.items():
        data[entry.offset : entry.offset + entry.size] = variables[name].tobytes()
    (folder / "model.ckpt.index").write_bytes(INDEX)
    (folder / "model.ckpt.data-00000-of-00001").write_bytes(data)
    return folder


@pytest.fixture
def npz(variables, tmp_path):
    path = tmp_path / "variables.npz"
    np.savez(path, **{name.replace("/", "|"): array for name, array in variables.items()})
    return path


def archive(folder, path):
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as file:
        for member in folder.iterdir():
            file.add(member, f"some/folder/{member.name}")
    return path


def varint(number):
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def table(*pairs, compressed=False):
    """An index with one block, keys written in full."""

    def block(entries):
        body = b"".join(
            varint(0) + varint(len(key)) + varint(len(value)) + key + value
            for key, value in entries
        )
        return body + struct.pack("<II", 0, 1)

    content = block(pairs)
    handle = varint(0) + varint(len(content))
    data = content + bytes([compressed]) + bytes(4)
    start, top = len(data), block([(b"z", handle)])
    data += top + bytes(5)
    footer = varint(start) + varint(0) + varint(start) + varint(len(top))
    return data + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def test_the_genuine_index_names_every_variable(variables):
    entries = read_index(INDEX)
    assert {name: entry.shape for name, entry in entries.items()} == {
        name: array.shape for name, array in variables.items()
    }
    kernel = entries["decoder/multi_rnn_cell/cell_0/lstm_cell/kernel"]
    assert kernel == Entry("<f4", (126, 80), shard=0, offset=320, size=126 * 80 * 4)
    assert entries["global_step"].dtype == "<i8"


def test_every_form_of_a_checkpoint_gives_the_same_weights(checkpoint, npz, tmp_path):
    forms = [
        checkpoint,
        checkpoint / "model.ckpt",
        checkpoint / "model.ckpt.index",
        archive(checkpoint, tmp_path / "model.tar"),
        archive(checkpoint, tmp_path / "model.tar.gz"),
    ]
    expected = read_weights(npz).tensors
    for form in forms:
        assert is_tensorflow(form)
        found = read_weights(form).tensors
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_several_checkpoints_ask_for_a_choice(checkpoint):
    (checkpoint / "other.ckpt.index").write_bytes(INDEX)
    with pytest.raises(UserError, match=r"several checkpoints: model.ckpt.index, other.ckpt.index"):
        read_checkpoint(checkpoint)
    assert read_checkpoint(checkpoint / "model.ckpt")


@pytest.mark.parametrize("name", ["", "nothing.npz", "nothing.tar", "nothing.index"])
def test_a_missing_file_is_one_line(tmp_path, name):
    with pytest.raises(UserError, match=r"no file at|no checkpoint"):
        read_checkpoint(tmp_path / name)


@pytest.mark.parametrize("name", ["bad.npz", "bad.tar.gz", "bad.index"])
def test_a_damaged_file_is_one_line(tmp_path, name):
    (tmp_path / name).write_bytes(b"not what it says" * 20)
    with pytest.raises(UserError, match=r"damaged|cannot be read"):
        read_checkpoint(tmp_path / name)


def test_a_file_that_asks_for_a_pickle_is_not_opened(tmp_path):
    np.savez(tmp_path / "evil.npz", evil=np.array([{"a": 1}], dtype=object))
    with pytest.raises(UserError, match="damaged"):
        read_checkpoint(tmp_path / "evil.npz")


def test_a_short_data_file_is_refused(checkpoint):
    data = checkpoint / "model.ckpt.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-100])
    with pytest.raises(UserError, match="data file 0 ends before"):
        read_checkpoint(checkpoint)
    data.unlink()
    with pytest.raises(UserError, match="data file 0 is missing"):
        read_checkpoint(checkpoint)


def test_no_damaged_index_does_more_than_raise():
    """Every byte is changed in turn, and every length is tried."""
    for place in range(len(INDEX)):
        for flip in (0x01, 0x80, 0xFF):
            damaged = bytearray(INDEX)
            damaged[place] ^= flip
            try:
                read_index(bytes(damaged))
            except BadCheckpoint:
                continue
    for length in range(len(INDEX)):
        with pytest.raises(BadCheckpoint):
            read_index(INDEX[:length])


def test_a_compressed_block_is_refused():
    read_index(table((b"", b"\x08\x01")))
    with pytest.raises(BadCheckpoint, match="compressed"):
        read_index(table((b"", b"\x08\x01"), compressed=True))


def test_a_big_endian_checkpoint_is_refused():
    with pytest.raises(BadCheckpoint, match="big-endian"):
        read_index(table((b"", b"\x08\x01\x10\x01")))


def test_a_size_that_disagrees_with_the_shape_is_refused():
    entry = Entry("<f4", (2**40, 2**40), size=8)
    with pytest.raises(BadCheckpoint, match="8 bytes for shape"):
        read_variables({"huge": entry}, {0: io.BytesIO(bytes(8))})


def test_variables_that_are_no_numbers_are_left_out():
    text = Entry(None, (1,), size=8)
    assert read_variables({"text": text}, {}) == {}
