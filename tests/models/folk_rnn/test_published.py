"""Published weights give the logits that the authors' own arithmetic gives."""

import numpy as np
import pytest
import torch

from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.models.folk_rnn.published import from_authors
from symbotunes.models.published import LayoutError
from symbotunes.tokenizers.base import Vocabulary
from tests.models.folk_rnn.authors import DEPTH, TOKENS, WIDTH, arrays, published


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


def test_logits_are_those_of_the_published_arrays():
    read = from_authors(published())
    assert read.tokens == TOKENS
    model = FolkRNN(Vocabulary(len(TOKENS), 2, 5), WIDTH, DEPTH).eval()
    model.load_state_dict(read.tensors)
    ids = [2, 1, 4, 6, 3, 0]
    expected = lasagne(arrays(), ids)
    np.testing.assert_allclose(model(torch.tensor([ids]))[0].detach(), expected, atol=1e-5)


def test_tokens_stored_as_bytes_are_read():
    content = published(token2idx={token.encode(): i for i, token in enumerate(TOKENS)})
    assert from_authors(content).tokens == TOKENS


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "lacks param_values or token2idx"),
        ({"token2idx": {}}, "lacks param_values or token2idx"),
        (published(param_values=arrays()[:-1]), "holds 44 arrays; 3 and 14 per layer"),
        (
            published(param_values=[*arrays()[:5], np.zeros((2, 2)), *arrays()[6:]]),
            r"has shape \(2, 2\) in array 5",
        ),
        (
            published(param_values=[*arrays()[:-2], np.zeros(()), np.zeros(7)]),
            r"has shape .* in array 1",
        ),
        (published(param_values=["a"] * 45), "param_values that are not a list of arrays"),
        (published(param_values=3), "param_values that are not a list of arrays"),
        (published(token2idx=["a"]), "does not map tokens to ids"),
        (published(token2idx={"a": None}), "are not 0 to 0"),
        (published(param_values=[2 * np.eye(7), *arrays()[1:]]), "trained embedding"),
        (published(token2idx={"a": 0, "b": 2}), "are not 0 to 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_layout_is_refused_in_one_line(content, message):
    with pytest.raises(LayoutError, match=message) as caught:
        from_authors(content)
    assert "\n" not in str(caught.value)
