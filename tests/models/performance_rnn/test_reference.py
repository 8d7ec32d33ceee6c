"""Performance RNN computes what the authors' implementation does."""

import numpy as np
import pytest
import torch

from symbotunes.evaluation.sequences.likelihood import token_nats
from symbotunes.models.performance_rnn.inputs import measured_controls
from symbotunes.music.performance.controls import note_density, pitch_histograms
from tests.models.performance_rnn.magenta import NAMES, VOCABULARY, network_of, vectors_of


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def net(name):
    return network_of(name)


@pytest.fixture
def vectors(name):
    return vectors_of(name)


def scored(net, vectors):
    """Logits ``[T - 1, V]`` of all events but the first."""
    events = torch.tensor(vectors["events"].astype(np.int64))[None]
    with torch.no_grad():
        return net.score(events, [events.shape[1]])[0]


def test_probabilities_are_those_of_the_authors(net, vectors):
    for temperature, key in ((1.0, "softmax"), (1.3, "softmax_temperature_1.3")):
        found = (scored(net, vectors) / temperature).softmax(-1)[:4].numpy()
        assert np.abs(found - vectors[key]).max() < 1e-6


def test_nats_are_those_of_the_authors(net, vectors):
    (nats,) = token_nats(net, [vectors["events"].astype(np.int64)], VOCABULARY.size)
    assert np.abs(nats - vectors["nats_of_next_event"]).max() < 1e-5
    if "log_likelihood" in vectors:
        assert nats.sum() == pytest.approx(-float(vectors["log_likelihood"]), rel=1e-6)


def test_padding_and_other_pieces_do_not_change_nats(net, vectors):
    events = vectors["events"].astype(np.int64)
    (alone,) = token_nats(net, [events[:9]], VOCABULARY.size)
    _, beside = token_nats(net, [events, events[:9]], VOCABULARY.size)
    np.testing.assert_allclose(beside, alone, atol=1e-6)


@pytest.mark.parametrize("name", ["modulo", "multiconditioned"], indirect=True)
def test_inputs_are_those_of_the_authors(net, vectors):
    events = torch.tensor(vectors["events"].astype(np.int64))[None]
    controls = net._measured(events, [events.shape[1]])[:, 1:] if net.controls else None
    inputs = net._inputs(events[:, :-1] if net.controls else events, controls)[0]
    assert np.abs(inputs[:6].numpy() - vectors["inputs"]).max() < 1e-6


def test_states_are_those_of_the_authors(net, vectors):
    events = torch.tensor(vectors["events"].astype(np.int64))[None]
    read = events[:, :-1] if net.controls else events
    controls = net._measured(events, [events.shape[1]])[:, 1:] if net.controls else None
    with torch.no_grad():
        _, state = net._hidden(net._inputs(read, controls), net.start(1))
    for layer, (hidden, cell) in enumerate(state):
        for found, key in ((cell, 2 * layer), (hidden, 2 * layer + 1)):
            assert np.abs(found[0, 0].numpy() - vectors[f"final_state_{key}"]).max() < 1e-5


def test_controls_are_those_of_the_authors():
    vectors = vectors_of("multiconditioned")
    events = vectors["events"].astype(np.int64)
    assert note_density(events) == pytest.approx(vectors["control_notes_per_second"])
    seconds = vectors["control_pitch_class_histogram"]
    shares = seconds / seconds.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(pitch_histograms(events), shares, rtol=1e-9)
    both = measured_controls(("density", "pitches"), events)
    np.testing.assert_allclose(both[1:7], vectors["inputs"][:, :20], atol=1e-6)
