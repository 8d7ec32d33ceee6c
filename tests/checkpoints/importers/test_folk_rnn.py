"""Published pickles: read from their documented layout, never run."""

import os
import pickle

import numpy as np
import pytest
import torch

from symbotunes.checkpoints.importers.folk_rnn import load_pickle
from symbotunes.errors import UserError
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.tokenizers.base import Vocabulary

TOKENS = ["d'", "M:4/4", "<s>", "|", "G", "</s>", "2"]
WIDTH, DEPTH = 5, 3


def arrays():
    random = np.random.default_rng(0)

    def normal(*shape):
        return random.normal(0, 0.5, shape).astype(np.float32)

    values = [np.eye(len(TOKENS), dtype=np.float32)]
    for layer in range(DEPTH):
        inputs = WIDTH if layer else len(TOKENS)
        for _ in range(4):
            values += [normal(inputs, WIDTH), normal(WIDTH, WIDTH), normal(WIDTH)]
        values += [normal(1, WIDTH), normal(1, WIDTH)]
    return [*values, normal(WIDTH, len(TOKENS)), normal(len(TOKENS))]


def published(**changes):
    return {
        "configuration": "config5",
        "experiment_id": "config5-test",
        "losses_train": [1.5, 1.25],
        "learning_rate": np.float32(0.003),
        "token2idx": {token: index for index, token in enumerate(TOKENS)},
        "param_values": arrays(),
        **changes,
    }


def write(path, content):
    """A pickle as Python 2 and an old numpy wrote it: protocol 2, numpy.core."""
    data = pickle.dumps(content, protocol=2)
    path.write_bytes(data.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n"))
    return path


def lasagne(values, ids):
    """Logits after every id, from the arrays by the equations of Lasagne's LSTM layer."""

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    inputs = [values[0][index] for index in ids]
    for layer in range(DEPTH):
        block = values[1 + 14 * layer : 15 + 14 * layer]
        cell, hidden = block[12][0], block[13][0]
        outputs = []
        for x in inputs:
            i, f, g, o = (
                x @ block[3 * gate] + hidden @ block[3 * gate + 1] + block[3 * gate + 2]
                for gate in range(4)
            )
            cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
            hidden = sigmoid(o) * np.tanh(cell)
            outputs.append(hidden)
        inputs = outputs
    return np.stack([x @ values[-2] + values[-1] for x in inputs])


def test_logits_are_those_of_the_published_arrays(tmp_path):
    read = load_pickle(write(tmp_path / "v2.pkl", published()))
    assert (read.width, read.depth, read.tokens) == (WIDTH, DEPTH, TOKENS)
    model = FolkRNN(Vocabulary(len(TOKENS), 2, 5), WIDTH, DEPTH).eval()
    model.load_state_dict(read.weights)
    ids = [2, 1, 4, 6, 3, 0]
    expected = lasagne(arrays(), ids)
    np.testing.assert_allclose(model(torch.tensor([ids]))[0].detach(), expected, atol=1e-5)


def test_tokens_stored_as_bytes_are_read(tmp_path):
    content = published(token2idx={token.encode(): i for i, token in enumerate(TOKENS)})
    assert load_pickle(write(tmp_path / "v2.pkl", content)).tokens == TOKENS


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
        load_pickle(write(tmp_path / "evil.pkl", content))
    assert not (tmp_path / "exploded").exists()


def test_an_array_of_objects_is_refused(tmp_path):
    content = published(extra=np.array([{"a": 1}], dtype=object))
    with pytest.raises(UserError, match="it holds an array of O8, not of numbers"):
        load_pickle(write(tmp_path / "objects.pkl", content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "lacks param_values or token2idx"),
        ({"token2idx": {}}, "lacks param_values or token2idx"),
        (published(param_values=arrays()[:-1]), "holds 44 arrays; 3 and 14 per layer"),
        (
            published(param_values=[*arrays()[:5], np.zeros((2, 2)), *arrays()[6:]]),
            "array 5 has shape",
        ),
        (published(param_values=[*arrays()[:-2], np.zeros(()), np.zeros(7)]), "array 1 has shape"),
        (published(param_values=["a"] * 45), "param_values is not a list of arrays"),
        (published(param_values=3), "param_values is not a list of arrays"),
        (published(token2idx=["a"]), "does not map tokens to ids"),
        (published(token2idx={"a": None}), "are not 0 to 0"),
        (published(param_values=[2 * np.eye(7), *arrays()[1:]]), "trained embedding"),
        (published(token2idx={"a": 0, "b": 2}), "are not 0 to 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_layout_is_refused_in_one_line(tmp_path, content, message):
    with pytest.raises(UserError, match=message) as caught:
        load_pickle(write(tmp_path / "other.pkl", content))
    assert "\n" not in str(caught.value)


def test_a_missing_truncated_or_pointer_file_says_so(tmp_path):
    with pytest.raises(UserError, match="no file at"):
        load_pickle(tmp_path / "none.pkl")
    whole = write(tmp_path / "v2.pkl", published())
    whole.write_bytes(whole.read_bytes()[:300])
    with pytest.raises(UserError, match="truncated"):
        load_pickle(whole)
    pointer = tmp_path / "pointer.pkl"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(UserError, match="git lfs pull"):
        load_pickle(pointer)


@pytest.mark.parametrize("change", [np.asfortranarray, lambda array: array.astype(">f8")])
def test_arrays_of_any_memory_order_and_byte_order_are_read(tmp_path, change):
    content = published(param_values=[change(array) for array in arrays()])
    ours = load_pickle(write(tmp_path / "v2.pkl", content)).weights
    plain = load_pickle(write(tmp_path / "plain.pkl", published())).weights
    torch.testing.assert_close(ours, plain, rtol=0, atol=0)


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
        load_pickle(write(tmp_path / "forged.pkl", published(extra=forged_dtype())))


def test_a_pickle_cannot_change_what_the_next_one_may_do(tmp_path):
    hostile = Build(np.ndarray, (), (None, {"__doc__": "changed"}))
    with pytest.raises(UserError):
        load_pickle(write(tmp_path / "hostile.pkl", published(extra=hostile)))
    assert load_pickle(write(tmp_path / "v2.pkl", published())).tokens == TOKENS
