"""Pickles are read, never run."""

import os
import pickle

import numpy as np
import pytest

from symbotunes.checkpoints.formats.pickle import read_pickle
from symbotunes.checkpoints.weights import read_weights
from symbotunes.errors import UserError
from tests.models.folk_rnn.authors import TOKENS, arrays, published


def write(path, content):
    """A pickle as Python 2 and an old numpy wrote it: protocol 2, numpy.core."""
    data = pickle.dumps(content, protocol=2)
    path.write_bytes(data.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n"))
    return path


class Call:
    def __init__(self, function, *arguments):
        self.parts = (function, arguments)

    def __reduce__(self):
        return self.parts


@pytest.mark.parametrize(
    ("function", "argument"),
    [(os.mkdir, "{}/exploded"), (eval, "open('{}/exploded', 'w')"), (np.load, "{}/exploded")],
    ids=["os.mkdir", "eval", "numpy.load"],
)
def test_a_pickle_that_calls_functions_is_refused_unopened(tmp_path, function, argument):
    content = published(extra=Call(function, argument.format(tmp_path)))
    with pytest.raises(UserError, match="it would run .*; it is not opened"):
        read_pickle(write(tmp_path / "evil.pkl", content))
    assert not (tmp_path / "exploded").exists()


def test_an_array_of_objects_is_refused(tmp_path):
    content = published(extra=np.array([{"a": 1}], dtype=object))
    with pytest.raises(UserError, match="it holds an array of O8, not of numbers"):
        read_pickle(write(tmp_path / "objects.pkl", content))


def test_a_missing_truncated_or_pointer_file_says_so(tmp_path):
    with pytest.raises(UserError, match="no file at"):
        read_pickle(tmp_path / "none.pkl")
    whole = write(tmp_path / "v2.pkl", published())
    whole.write_bytes(whole.read_bytes()[:300])
    with pytest.raises(UserError, match="truncated"):
        read_pickle(whole)
    pointer = tmp_path / "pointer.pkl"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(UserError, match="git lfs pull"):
        read_pickle(pointer)


@pytest.mark.parametrize("change", [np.asfortranarray, lambda array: array.astype(">f8")])
def test_arrays_of_any_memory_order_and_byte_order_are_read(tmp_path, change):
    content = published(param_values=[change(array) for array in arrays()])
    read = read_pickle(write(tmp_path / "v2.pkl", content))["param_values"]
    for array, expected in zip(read, arrays(), strict=True):
        np.testing.assert_array_equal(array, expected)


def forged_dtype():
    """An array type whose flags claim that it holds objects, which numpy would trust."""
    state = (3, "|", None, ("a",), {"a": (Build(np.dtype, ("O",)), 0)}, 8, 1, 63)
    return Build(np.dtype, ("V8", False, True), state)


class Build:
    """Pickles as a call of `function` and a state that the result is given."""

    def __init__(self, function, arguments, state=None):
        self.parts = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.parts


def test_a_forged_array_type_is_refused_before_numpy_sees_it(tmp_path):
    with pytest.raises(UserError, match="it holds an array of .*, not of numbers"):
        read_pickle(write(tmp_path / "forged.pkl", published(extra=forged_dtype())))


def test_a_pickle_cannot_change_what_the_next_one_may_do(tmp_path):
    hostile = Build(np.ndarray, (), (None, {"__doc__": "changed"}))
    with pytest.raises(UserError):
        read_pickle(write(tmp_path / "hostile.pkl", published(extra=hostile)))
    assert read_weights(write(tmp_path / "v2.pkl", published())).tokenizer == {"tokens": TOKENS}


def test_a_pickle_of_another_layout_is_named_by_its_path(tmp_path):
    path = write(tmp_path / "other.pkl", published(param_values=[]))
    with pytest.raises(UserError, match=r"other\.pkl holds 0 arrays; 3 and 14 per layer"):
        read_weights(path)


def test_containers_that_share_and_contain_themselves_are_read(tmp_path):
    shared = [np.arange(3), "x"]
    loop = {"a": shared, "b": shared, "deep": {"c": shared}}
    loop["itself"] = loop
    read = read_pickle(write(tmp_path / "loop.pkl", loop))
    assert read["itself"] is read
    assert read["a"] is read["b"] is read["deep"]["c"]
    np.testing.assert_array_equal(read["a"][0], [0, 1, 2])
    np.testing.assert_array_equal(read_pickle(write(tmp_path / "a.pkl", np.arange(3))), [0, 1, 2])
