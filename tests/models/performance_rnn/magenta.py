"""What the authors' implementation computes, and the same networks of ours."""

from pathlib import Path

import numpy as np

from symbotunes.checkpoints.formats.magenta_bundle import read_bundle
from symbotunes.models.performance_rnn import PerformanceRNN
from symbotunes.models.performance_rnn.published import from_magenta
from symbotunes.tokenizers.performance import Performance

REFERENCE = Path(__file__).parent / "reference"
MAG = REFERENCE / "multiconditioned_performance_with_dynamics.mag"
NAMES = ("plain", "modulo", "multiconditioned")
VOCABULARY = Performance().vocabulary


def variables_of(name):
    if name == "multiconditioned":
        return read_bundle(MAG).variables
    with np.load(REFERENCE / f"{name}_variables.npz") as stored:
        return {key.replace("|", "/"): stored[key] for key in stored.files}


def vectors_of(name):
    with np.load(REFERENCE / f"{name}.npz") as stored:
        return dict(stored)


def network_of(name):
    published = from_magenta(variables_of(name))
    net = PerformanceRNN(VOCABULARY, **published.sizes)
    net.load_state_dict(published.tensors)
    return net.eval()
