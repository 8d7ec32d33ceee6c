"""The reference's variables give the reference's numbers; see reference/README.md."""

import numpy as np
import pytest
import torch

from symbotunes.models.music_vae.published import from_magenta
from tests.models.music_vae.magenta import REFERENCE, variables_of

CONFIGURATIONS = {  # the reference's name -> our model, and the small sizes that were used
    "cat-mel_2bar_small": ("music_vae", "[24]", "[20,20]", 16),
    "cat-drums_2bar_small": ("music_vae_drums", "[24]", "[20,20]", 16),
    "nade-drums_2bar_full": ("music_vae_drums_nade", "[14]", "[18,18]", 12),
    "hierdec-mel_16bar": ("music_vae_16bar", "[14,14]", "[18,18]", 12),
    "hierdec-trio_16bar": ("music_vae_trio", "[14,14]", "[18,18]", 12),
    "flat-trio_16bar": ("music_vae_trio_flat", "[14]", "[18,18]", 12),
}
TOLERANCE = {"rtol": 1e-6, "atol": 1e-6}


@pytest.fixture(params=CONFIGURATIONS)
def case(request, make):
    model, encoder, widths, latent = CONFIGURATIONS[request.param]
    with np.load(REFERENCE / f"{request.param}.npz") as file:
        arrays = {name: file[name] for name in file.files}
    conductor = [f"decoder.conductor={widths}"] if "hier" in request.param else []
    net = make(model, *conductor, encoder=encoder, widths=widths, latent=latent).eval()
    net.load_state_dict(from_magenta(variables_of(request.param)).tensors)
    found = {k: torch.from_numpy(v) for k, v in arrays.items() if not k.startswith("variables|")}
    found["tokens"], found["inputs"] = found["tokens"].long(), found["inputs"].long()
    return net, found


def test_a_window_is_encoded_as_by_the_reference(case):
    net, expected = case
    if "mu" not in expected:
        pytest.skip("the encoder's weights are not kept")
    with torch.no_grad():
        posterior = net.encode(net.symbols.pack(expected["tokens"]))
    torch.testing.assert_close(posterior.mean, expected["mu"], **TOLERANCE)
    torch.testing.assert_close(posterior.std, expected["sigma"], **TOLERANCE)


def test_a_latent_vector_is_decoded_as_by_the_reference(case):
    net, expected = case
    inputs = expected["inputs"]
    if net.symbols.start == 0:  # NADE: the reference reads its own bits, which are no chance
        written = net.decoder.write(expected["z"], torch.zeros(expected["tokens"].shape), 0.0)
        inputs = net.decoder.previous(written)
    bars = -(-inputs.shape[1] // 16)
    padded = torch.nn.functional.pad(inputs, (0, 0, 0, 16 * bars - inputs.shape[1]))
    with torch.no_grad():
        logits = net.decoder(expected["z"], padded)
    chosen = logits[:, expected["steps"]]
    if "columns" in expected:
        chosen = chosen[..., expected["columns"]]
    torch.testing.assert_close(chosen, expected["logits"], **TOLERANCE)
    if "loss" in expected:
        nats, _ = net.decoder.score(logits, expected["tokens"])
        torch.testing.assert_close(nats.sum((1, 2)), expected["loss"], rtol=1e-6, atol=1e-6)


def test_the_true_steps_are_read_where_the_reference_forces_them(case):
    net, expected = case
    if net.sampling_rate is None:
        read = net.decoder.previous(expected["tokens"])[:, : expected["inputs"].shape[1]]
        assert torch.equal(read, expected["inputs"])
