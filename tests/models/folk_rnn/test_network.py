"""Folk-RNN as the paper and the authors' code have it."""

import math

import pytest
import torch
from torch import nn

from symbotunes.models.base import Batch
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.tokenizers.base import Vocabulary


@pytest.fixture(scope="module")
def paper_size():
    torch.manual_seed(0)
    return FolkRNN(Vocabulary(137, 0, 1))


@pytest.fixture
def small():
    torch.manual_seed(0)
    return FolkRNN(Vocabulary(11, 0, 1), width=32, depth=2, dropout=0.5)


BATCH = Batch(torch.tensor([[0, 5, 6, 7, 1], [0, 8, 1, 3, 3]]), torch.tensor([5, 3]))


def test_the_paper_size_has_the_published_number_of_parameters(paper_size):
    trained = sum(p.numel() for p in paper_size.parameters() if p.requires_grad)
    # 5,599,881 of LSTM and softmax (the title of Sturm 2018), and initial states of 3 layers.
    assert trained == 5_599_881 + 3 * 2 * 512


def test_input_gates_are_glorot_uniform(paper_size):
    for layer, inputs in enumerate((137, 512, 512)):
        bound = math.sqrt(6 / (inputs + 512))
        for gate in getattr(paper_size.lstm, f"weight_ih_l{layer}").chunk(4):
            assert gate.abs().max().item() <= bound
            assert gate.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.02)


def test_recurrent_gates_and_the_output_are_orthogonal(paper_size):
    identity = torch.eye(512)
    for layer in range(3):
        for gate in getattr(paper_size.lstm, f"weight_hh_l{layer}").chunk(4):
            torch.testing.assert_close(gate @ gate.T, identity, atol=1e-4, rtol=0)
    head = paper_size.head.weight
    torch.testing.assert_close(head @ head.T, torch.eye(137), atol=1e-4, rtol=0)


def test_forget_gates_start_open_and_all_other_biases_at_zero(paper_size):
    for layer in range(3):
        biases = getattr(paper_size.lstm, f"bias_ih_l{layer}").chunk(4)
        assert [set(bias.tolist()) for bias in biases] == [{0.0}, {5.0}, {0.0}, {0.0}]
    assert not paper_size.head.bias.any()


def test_initial_states_are_a_unit_vector_and_zero(paper_size):
    torch.testing.assert_close(paper_size.h0.norm(dim=1), torch.ones(3))
    assert not paper_size.c0.any()


def test_initial_states_are_trained_and_the_second_bias_is_not(small):
    before = {name: tensor.clone() for name, tensor in small.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in small.parameters() if p.requires_grad], lr=0.1)
    small.loss(BATCH).objective.backward()
    optimizer.step()
    after = small.state_dict()
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    assert {"h0", "c0"} <= changed
    assert changed == set(before) - {"lstm.bias_hh_l0", "lstm.bias_hh_l1"}


def show_hidden(model):
    """Let the output layer pass on what it is given."""
    model.head = torch.nn.Linear(64, 64, bias=False)
    torch.nn.init.eye_(model.head.weight)


def test_dropout_follows_every_layer_the_last_included():
    torch.manual_seed(0)
    one_layer = FolkRNN(Vocabulary(11, 0, 1), width=64, depth=1, dropout=0.5).train()
    show_hidden(one_layer)
    dropped = (one_layer.forward(torch.zeros(8, 20, dtype=torch.int64)) == 0).float().mean()
    assert dropped.item() == pytest.approx(0.5, abs=0.03)


def test_layers_with_dropout_are_those_without_it_and_masks():
    torch.manual_seed(0)
    model = FolkRNN(Vocabulary(11, 0, 1), width=16, depth=3, dropout=1e-9)  # drops nothing
    nn.init.normal_(model.c0.detach())
    inputs, state = torch.rand(2, 5, 11), model.start(2)
    expected = model.eval().lstm(inputs, state)
    torch.testing.assert_close(model.train()._dropped(inputs, state), expected)


def test_dropout_draws_from_torchs_generator_alone(small):
    torch.manual_seed(1)
    first = small.train().loss(BATCH).objective
    assert small.loss(BATCH).objective != first
    torch.manual_seed(1)
    assert small.loss(BATCH).objective == first
    assert small.lstm.dropout == 0  # cuDNN's generator is another


@pytest.mark.parametrize("dropout", [-0.1, 7])
def test_a_dropout_that_is_no_share_is_refused(dropout):
    with pytest.raises(ValueError, match=f"dropout={dropout} must lie between 0 and 1"):
        FolkRNN(Vocabulary(11, 0, 1), width=4, dropout=dropout)


def test_every_token_gets_a_dropout_mask_of_its_own():
    one_layer = FolkRNN(Vocabulary(11, 0, 1), width=64, depth=1, dropout=0.5).train()
    show_hidden(one_layer)
    mask = one_layer.forward(torch.zeros(1, 2, dtype=torch.int64)) == 0
    assert not torch.equal(mask[0, 0], mask[0, 1])


def test_tokens_are_read_at_once_or_one_by_one_and_rows_can_be_picked(small):
    small.eval()
    tokens = torch.tensor([[0, 5, 6], [0, 8, 2], [0, 3, 4]])
    state = small.start(3)
    for column in tokens.unbind(1):
        one_by_one, state = small.step(column, state)
    at_once, again = small.read(tokens, small.start(3))
    torch.testing.assert_close(at_once, one_by_one)
    picked = small.select(again, torch.tensor([2, 0]))
    following, _ = small.step(torch.tensor([7, 9]), picked)
    expected, _ = small.step(torch.tensor([9, 1, 7]), state)
    torch.testing.assert_close(following, expected[[2, 0]])


def test_the_objective_is_nats_per_tune(small):
    loss = small.eval().loss(BATCH)
    assert loss.objective.item() == pytest.approx(loss.nll_nats.item() / 2)
    assert loss.targets == 6


def test_the_cell_is_that_of_the_paper(small):
    """One step of layer 0 by hand: no peepholes, one bias per gate, input before memory."""
    small.eval()
    x = torch.zeros(11)
    x[4] = 1
    h, c = small.h0[0], small.c0[0]
    gates = small.lstm.weight_ih_l0 @ x + small.lstm.weight_hh_l0 @ h + small.lstm.bias_ih_l0
    i, f, g, o = gates.chunk(4)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    _, (hidden, cell) = small.step(torch.tensor([4]), small.start(1))
    torch.testing.assert_close(cell[0, 0], c)
    torch.testing.assert_close(hidden[0, 0], torch.sigmoid(o) * torch.tanh(c))


def twins(**options):
    """Two networks with the same weights, of which the second takes `options`."""
    torch.manual_seed(0)
    plain = FolkRNN(Vocabulary(11, 0, 1), width=16, depth=3, dropout=0.0)
    other = FolkRNN(Vocabulary(11, 0, 1), width=16, depth=3, dropout=0.0, **options)
    other.load_state_dict(plain.state_dict())
    return plain, other


def gradients(model):
    model.loss(BATCH).objective.backward()
    return [p.grad for p in model.parameters() if p.requires_grad]


def test_a_wide_gate_clip_changes_nothing():
    plain, clipped = twins(gate_clip=1e9)
    torch.testing.assert_close(clipped(BATCH.tokens), plain(BATCH.tokens))
    torch.testing.assert_close(gradients(clipped), gradients(plain))


def test_a_narrow_gate_clip_bounds_the_gradient_of_a_bias_by_the_number_of_messages():
    plain, clipped = twins(gate_clip=1e-4)
    gradients(plain), gradients(clipped)
    # Every bias receives a message per piece and step: 2 pieces of 4 inputs.
    for layer in range(3):
        bound = 8 * 1e-4
        assert getattr(plain.lstm, f"bias_ih_l{layer}").grad.abs().max() > bound
        assert getattr(clipped.lstm, f"bias_ih_l{layer}").grad.abs().max() <= bound * 1.001


def test_dropout_follows_every_layer_with_a_gate_clip_too():
    one_layer = FolkRNN(Vocabulary(11, 0, 1), width=64, depth=1, gate_clip=5.0).train()
    show_hidden(one_layer)
    dropped = (one_layer.forward(torch.zeros(8, 20, dtype=torch.int64)) == 0).float().mean()
    assert dropped.item() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("clip", [0.0, -5.0, math.nan])
def test_a_gate_clip_that_stops_all_messages_is_refused(clip):
    with pytest.raises(ValueError, match="gate_clip=.* must be above 0"):
        FolkRNN(Vocabulary(11, 0, 1), width=4, gate_clip=clip)


def test_a_learned_embedding_starts_orthogonal_and_is_trained():
    torch.manual_seed(0)
    model = FolkRNN(Vocabulary(11, 0, 1), width=16, depth=1, embedding=20)
    torch.testing.assert_close(model.embed.weight @ model.embed.weight.T, torch.eye(11))
    model.loss(BATCH).objective.backward()
    read = {0, 5, 6, 7, 8}  # inputs that have a target
    moved = {row for row in range(11) if model.embed.weight.grad[row].any()}
    assert moved == read
