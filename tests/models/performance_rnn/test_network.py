"""Performance RNN as the authors' code has it, and what it is asked for in sampling."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import SGD

from symbotunes.errors import UserError
from symbotunes.generation.sequences import Settings, generate
from symbotunes.models.base import Batch
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.models.performance_rnn import PerformanceRNN
from symbotunes.tokenizers.base import Vocabulary
from symbotunes.tokenizers.performance import Performance
from symbotunes.training.lit_model import LitModel

VOCABULARY = Performance().vocabulary
PIECE = torch.tensor([[378, 60, 305, 188, 62, 305, 190]])


@pytest.fixture(scope="module")
def published_size():
    torch.manual_seed(0)
    return PerformanceRNN(VOCABULARY)


def small(**options):
    torch.manual_seed(0)
    return PerformanceRNN(VOCABULARY, widths=[16], **options)


def test_the_published_size_has_three_layers_of_512(published_size):
    inputs, width = 388, 512
    kernels = (inputs + width) * 4 * width + 2 * (width + width) * 4 * width
    biases, head = 3 * 4 * width, (width + 1) * 388
    trained = sum(p.numel() for p in published_size.parameters() if p.requires_grad)
    assert trained == kernels + biases + head


def test_weights_begin_as_the_authors_do(published_size):
    first = published_size.layers[0]
    bound = math.sqrt(6 / (388 + 512 + 4 * 512))  # Glorot of inputs and units as one matrix
    for weight in (first.weight_ih_l0, first.weight_hh_l0):
        assert weight.abs().max().item() == pytest.approx(bound, rel=1e-3)
    i, f, g, o = first.bias_ih_l0.chunk(4)
    assert (f == 1).all()
    assert not any(bias.any() for bias in (i, g, o, first.bias_hh_l0))


def test_the_objective_is_the_mean_over_all_events_of_the_batch():
    net = small()
    batch = Batch(torch.cat([PIECE, PIECE]), torch.tensor([7, 4]))
    loss = net.loss(batch)
    assert loss.targets == 6 + 3
    assert loss.objective.item() == pytest.approx(loss.nll_nats.item() / 9)


def test_a_piece_without_a_prompt_begins_after_a_second_of_silence():
    net = small()
    settings = Settings(temperature=0, max_tokens=1)
    (written,) = generate(net.eval(), VOCABULARY, [()], settings, [0])
    with torch.no_grad():
        expected = net(torch.tensor([[355]]))[0, -1].argmax().item()
    assert written.ids == [expected]


def test_a_prompt_is_read_as_it_is():
    net, prompt = small(), PIECE[0].tolist()
    settings = Settings(temperature=0, max_tokens=1)
    written, other = generate(net.eval(), VOCABULARY, [prompt, ()], settings, [0, 0])
    with torch.no_grad():
        assert written.ids[-1] == net(PIECE)[0, -1].argmax().item()
        assert other.ids[-1] == net(torch.tensor([[355]]))[0, -1].argmax().item()


def test_a_second_of_silence_can_be_written_too():
    net = small()
    nn.init.constant_(net.head.bias[355:356].detach(), 50.0)
    settings = Settings(max_tokens=3)
    (written,) = generate(net.eval(), VOCABULARY, [()], settings, [0])
    assert (written.ids, written.finished) == ([355, 355, 355], False)


CONTROLLED = {"controls": ["pitches", "density"]}


def test_controls_are_read_beside_events():
    net = small(**CONTROLLED)
    assert net.layers[0].input_size == 8 + 12 + 388
    plain = net(PIECE)
    net.set_conditions({"density": 3.0})
    assert net.given[:8].tolist() == [0, 0, 1, 0, 0, 0, 0, 0]  # from 2 to 4 notes per second
    assert net.given[8:] == pytest.approx(np.full(12, 1 / 12))
    assert not torch.allclose(net(PIECE), plain)
    net.set_conditions({})
    assert net.given[:8].tolist() == [0, 0, 0, 0, 1, 0, 0, 0]  # 15, the authors' default
    assert torch.equal(net(PIECE), plain)


def test_steps_read_the_same_controls_as_whole_pieces():
    net = small(**CONTROLLED).eval()
    net.set_conditions({"pitches": [1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1], "density": 30})
    with torch.inference_mode():
        expected, state = net(PIECE), net.start(1)
        for index, token in enumerate(PIECE[0]):
            logits, state = net.step(token[None], state)
            torch.testing.assert_close(logits, expected[:, index], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"density": -1}, "sample.density=-1: must be from 0 to 1000 notes per second"),
        ({"density": "many"}, "sample.density=many: must be a number of notes per second"),
        ({"pitches": [1, 2]}, "must be 12 weights, of C, C#, D and so on"),
        ({"pitches": "C"}, "must be 12 weights"),
        ({"pitches": [0] * 12}, "not all of them 0"),
        ({"pitches": [math.nan] * 12}, "at least 0"),
    ],
)
def test_conditions_that_cannot_be_read_are_refused(conditions, message):
    with pytest.raises(UserError, match=message):
        small(**CONTROLLED).set_conditions(conditions)


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (lambda: small(controls=["pitches"]), "train one with model.net.controls=.density"),
        (lambda: FolkRNN(VOCABULARY, width=8), "sample.density: FolkRNN has no such condition"),
    ],
)
def test_a_model_without_a_condition_says_so(net, message):
    with pytest.raises(UserError, match=message):
        net().set_conditions({"density": 3.0})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"controls": ["key"]}, "choose from density, pitches"),
        ({"inputs": "embedding"}, "choose one_hot or modulo"),
        ({"widths": []}, "at least one layer"),
    ],
)
def test_options_that_do_not_exist_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        PerformanceRNN(VOCABULARY, **({"widths": [8]} | options))


@pytest.mark.parametrize("options", [{"controls": ["density"]}, {"inputs": "modulo"}])
def test_what_depends_on_events_needs_events(options):
    with pytest.raises(UserError, match=r"need transforms=\[performance\]"):
        PerformanceRNN(Vocabulary(400, 0, 1), widths=[8], **options)


def test_other_tokens_can_be_read_one_hot():
    assert PerformanceRNN(Vocabulary(11, 0, 1), widths=[8])(torch.tensor([[0, 5]])).shape == (
        1,
        2,
        11,
    )


def test_each_matrix_is_clipped_on_its_own():
    """The weights of a layer's inputs and units are one matrix, as in the authors' cells."""
    net = small()
    lit = LitModel(net=lambda vocabulary: net, vocabulary=VOCABULARY, optimizer=SGD, clip_each=3.0)  # noqa: ARG005
    layer = net.layers[0]
    gradients = {layer.weight_ih_l0: 4.0, layer.weight_hh_l0: 3.0, net.head.weight: 1.0}
    for parameter in net.parameters():
        parameter.grad = torch.zeros_like(parameter)
    for parameter, norm in gradients.items():
        parameter.grad.view(-1)[0] = norm
    lit.clip_gradients = lambda *_: None
    lit.configure_gradient_clipping(SGD(net.parameters(), lr=1.0))
    # The first two have norm 5 together, and 3 afterward; the third is small enough.
    norms = [parameter.grad.norm().item() for parameter in gradients]
    assert norms == pytest.approx([4 * 3 / 5, 3 * 3 / 5, 1.0], rel=1e-5)


def test_every_trained_weight_belongs_to_one_group_that_is_clipped():
    net = small()
    groups = [parameter for group in net.clipped_together for parameter in group]
    trained = {id(p) for p in net.parameters() if p.requires_grad}
    assert sorted(map(id, groups)) == sorted(trained)
