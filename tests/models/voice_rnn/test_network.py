"""The voice RNN: which tokens a voice reads, and which steps are recalled."""

import math

import pytest
import torch

from symbotunes.models.base import Batch
from symbotunes.models.voice_rnn import VoiceRNN
from symbotunes.models.voice_rnn.recall import Recall
from symbotunes.models.voice_rnn.voice import Voice
from symbotunes.tokenizers.base import Vocabulary

VOCABULARY = Vocabulary(9, bos=0, eos=1)


def small(**changes):
    torch.manual_seed(0)
    sizes = {"width": 8, "depth": 2, "embedding": 4, "hidden": 8, "heads": 2, "cycle": 4} | changes
    net = VoiceRNN(VOCABULARY, **sizes).eval()
    for voice in net.voices:
        torch.nn.init.normal_(voice.output.weight)  # so that logits differ
    return net


def ids(rows, length):
    tokens = torch.randint(2, 9, (rows, length), generator=torch.Generator().manual_seed(3))
    tokens[:, 0] = VOCABULARY.bos
    return tokens


def test_without_the_lstm_a_voice_depends_on_two_steps_alone():
    """A voice then reads the step before and the voices above it: 4 + v tokens."""
    net, tokens = small(heads=0), ids(1, 13)
    for voice in net.voices:
        torch.nn.init.zeros_(voice.recurrent.weight)
    expected = net(tokens)[0]
    for changed in range(13):
        other = tokens.clone()
        other[0, changed] = 2 + (tokens[0, changed] + 1) % 7
        differs = (net(other)[0] - expected).abs().amax(-1) > 0
        # Row t belongs to step t // 4; the last token of a step before is token 4 (t // 4).
        reads = [4 * (row // 4) - 3 <= changed <= row for row in range(13)]
        assert differs.tolist() == reads, changed


def test_positions_repeat_after_a_cycle():
    """Where nothing but the position is read, logits have the period of the cycle, 4 steps."""
    net = small(heads=0)
    for embed in net.embeds:
        torch.nn.init.zeros_(embed.weight)
    for voice in net.voices:
        torch.nn.init.zeros_(voice.recurrent.weight)
        torch.nn.init.zeros_(voice.tokens.weight[: voice.reads * 9])
    logits = net(ids(1, 48))[0].detach()
    torch.testing.assert_close(logits[16:], logits[:-16])
    assert not torch.allclose(logits[4], logits[0])


def test_a_voice_is_the_sum_of_a_vector_for_each_token_and_the_recurrent_state():
    torch.manual_seed(0)
    voice = Voice(5, 3, 4, reads=2, cycle=2, dropout=0.0)
    hidden, read, phase = torch.randn(1, 3), torch.tensor([[3, 1]]), torch.tensor([1])
    table = voice.tokens.weight
    units = voice.recurrent(hidden)[0] + table[3] + table[5 + 1] + table[10 + 1]
    expected = units.clamp(min=0) @ voice.output.weight.T + voice.output.bias
    torch.testing.assert_close(voice(hidden, read, phase)[0], expected)


def test_recall_looks_for_states_before_a_step_and_reads_those_after_it():
    torch.manual_seed(0)
    recall, hidden = Recall(4, 2, 0.0), torch.randn(1, 5, 4)
    result = recall(hidden)
    before = torch.cat([torch.zeros(1, 4), hidden[0, :-1]])
    for now in range(5):
        joined = []
        for head in (slice(0, 2), slice(2, 4)):
            query = recall.query(hidden[0, now])[head]
            keys, values = recall.key(before)[:, head], recall.value(hidden[0])[:, head]
            scores = keys[: now + 1] @ query / math.sqrt(2)
            joined.append(scores.softmax(0) @ values[: now + 1])
        expected = hidden[0, now] + recall.output(torch.cat(joined))
        torch.testing.assert_close(result[0, now], expected)


def test_pieces_that_end_leave_the_states_of_the_others():
    net, tokens = small(), ids(3, 14)
    expected = net(tokens)
    state = net.start(3)
    for column in tokens[:, :6].unbind(1):
        _, state = net.step(column, state)
    state = net.select(state, torch.tensor([2, 0]))
    for at in range(6, 14):
        logits, state = net.step(tokens[[2, 0], at], state)
        torch.testing.assert_close(logits, expected[[2, 0], at], rtol=0, atol=1e-5)


def test_dropout_acts_in_training_alone():
    net, tokens = small(dropout=0.5), ids(2, 9)
    torch.testing.assert_close(net(tokens), net(tokens))
    net.train()
    assert not torch.allclose(net(tokens), net(tokens))
    batch = Batch(tokens, torch.tensor([9, 9]))
    assert net.loss(batch).targets == 16


@pytest.mark.parametrize(
    ("sizes", "message"),
    [({"dropout": 1.5}, "dropout=1.5"), ({"input_dropout": -1}, "input_dropout=-1"),
     ({"heads": 3}, "heads=3 must divide width=8")],
)  # fmt: skip
def test_sizes_that_do_not_fit_are_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        small(**sizes)
