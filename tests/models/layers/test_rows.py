"""Networks whose tables hold only the ids that occur."""

import pytest
import torch

from symbotunes.checkpoints.weights import Weights
from symbotunes.models.base import Batch
from symbotunes.models.gpt2 import GPT2
from symbotunes.models.music_transformer import MusicTransformer
from symbotunes.tokenizers.base import NO_ID, Vocabulary

USED = [0, 1, 2, 6, 7, 11]
WHOLE = Vocabulary(12, 0, NO_ID)
PART = Vocabulary(12, 0, NO_ID, used=(range(3), range(6, 8), range(11, 12)))
TOKENS = torch.tensor([[0, 6, 2, 11, 7], [0, 1, 7, 7, 2]])
NETS = {
    "gpt2": lambda vocabulary: GPT2(vocabulary, width=8, depth=2, heads=2, context=8),
    "music_transformer": lambda vocabulary: MusicTransformer(
        vocabulary, width=8, depth=1, heads=2, key_width=8, feedforward=8, context=8, max_distance=4
    ),
}


class ChosenTokens:
    """As much of a tokenizer as weights ask for."""

    vocabulary = model_vocabulary = PART


@pytest.fixture(params=NETS)
def pair(request):
    """A network of all ids, and one of those that occur with the same weights."""
    torch.manual_seed(0)
    whole, part = NETS[request.param](WHOLE).eval(), NETS[request.param](PART).eval()
    weights = Weights(whole.state_dict(), {}, "here")
    part.load_state_dict(weights.grown(part, ChosenTokens()))
    return whole, part


def test_a_vocabulary_counts_and_knows_the_ids_that_occur():
    assert (WHOLE.rows, PART.rows) == (12, 6)
    assert [index for index in range(-1, 13) if PART.occurs(torch.tensor(index).numpy())] == USED
    assert WHOLE.occurs(TOKENS.numpy()).all()


def test_logits_are_those_of_the_whole_network_and_the_rest_is_impossible(pair):
    whole, part = pair
    logits, expected = part(TOKENS), whole(TOKENS)
    torch.testing.assert_close(logits[..., USED], expected[..., USED])
    assert logits.softmax(-1)[..., [3, 4, 5, 8, 9, 10]].eq(0).all()


def test_the_loss_is_that_of_ids_that_occur(pair):
    whole, part = pair
    chosen = whole(TOKENS)[:, :-1, USED].log_softmax(-1)
    rows = torch.tensor([[USED.index(index) for index in row] for row in TOKENS[:, 1:].tolist()])
    expected = -chosen.gather(-1, rows[..., None]).mean()
    loss = part.loss(Batch(TOKENS, torch.tensor([5, 5])))
    torch.testing.assert_close(loss.objective, expected)


def test_steps_and_prefills_score_all_ids_as_a_whole_pass_does(pair):
    _, part = pair
    expected = part(TOKENS)
    read, state = part.read(TOKENS[:, :3], part.start(2))
    torch.testing.assert_close(read, expected[:, 2])
    stepped, _ = part.step(TOKENS[:, 3], state)
    torch.testing.assert_close(stepped, expected[:, 3])


def test_an_id_that_never_occurs_cannot_be_read(pair):
    with pytest.raises(IndexError):
        pair[1](torch.tensor([[0, 3]]))
