"""The models that come along."""

from pathlib import Path

import pytest
import torch

from symbotunes.checkpoints.checkpoint import unpack
from symbotunes.checkpoints.published import shipped
from symbotunes.checkpoints.reopen import rebuild
from symbotunes.generation.compose import compose
from symbotunes.generation.sequences.infill import InfillPlan
from symbotunes.generation.sequences.plan import SamplePlan, draw_samples
from symbotunes.paths import PRETRAINED

LARGEST_BYTES = 12_000_000


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_model_is_small_and_has_a_card(name):
    folder = PRETRAINED / Path(name).name
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < LARGEST_BYTES
    card = (folder / "README.md").read_text()
    loss = "nats_per_token | test split"
    if name == "pretrained/music_vae":
        loss = "costs bound_nats | reconstruction, test split"
    assert f"| {loss} |" in card
    assert "## Data" in card


def test_the_shipped_folk_rnn_writes_tunes():
    net, tokenizer = rebuild(unpack(Path("pretrained/folk_rnn")))
    plan = SamplePlan(num=4, temperature=1.0, top_k=0, top_p=1.0, max_tokens=400)
    samples = draw_samples(net, tokenizer, plan, seed=1)
    assert all(sample.finished for sample in samples)
    nats = sum(sample.nll_nats for sample in samples) / sum(each.generated for each in samples)
    assert nats < 1.6  # what it has learned; an untrained one of 137 tokens costs ln 137 = 4.9
    right = sum(sample.right_bars for sample in samples) / sum(sample.bars for sample in samples)
    assert right > 0.8


def test_the_shipped_gpt2_fills_in_bars_that_it_finds_likely(tmp_path):
    tune = tmp_path / "tune.abc"
    tune.write_text(
        "X:1\nT:The Kesh\nM:6/8\nL:1/8\nK:G\n|:GAG GAB|ABA ABd|edd gdd|edB dBA|\n"
        "GAG GAB|ABA ABd|edd gdB|AGF G3:|\n"
    )
    net, tokenizer = rebuild(unpack(Path("pretrained/gpt2")))
    plan = InfillPlan(input=str(tune), bars="3-4", num=4, temperature=0.8)
    original, *fills = compose(net, plan, tokenizer=tokenizer, seed=1).samples
    assert all(fill.right_bars == fill.bars == original.bars == 8 for fill in fills)
    assert len({fill.abc for fill in fills} | {original.abc}) == 5
    nats = sum(fill.nll_nats for fill in fills) / sum(fill.generated for fill in fills)
    assert nats < 1.6  # as above; an untrained one of 121 tokens costs 4.8


def test_the_shipped_music_vae_writes_windows_back():
    net, _ = rebuild(unpack(Path("pretrained/music_vae")))
    # "Frère Jacques" and a scale in eighths; class 0 holds a note, and class 2 is pitch 21.
    tunes = [[60, 62, 64, 60, 60, 62, 64, 60], [*range(60, 68), *range(67, 59, -1)]]
    windows = torch.zeros(2, 32, dtype=torch.int64)
    for window, pitches in zip(windows, tunes, strict=True):
        window[:: 32 // len(pitches)] = torch.tensor(pitches) - 21 + 2
    written = net.decode(net.encode(windows).mean, 32, temperature=0)
    assert (written == windows).float().mean() > 0.9


def test_the_shipped_chorales_are_of_four_voices_in_their_ranges():
    net, tokenizer = rebuild(unpack(Path("pretrained/chorales")))
    plan = SamplePlan(num=4, temperature=1.0, top_k=0, top_p=1.0, max_tokens=256)
    samples = draw_samples(net, tokenizer, plan, seed=1)
    nats = sum(sample.nll_nats for sample in samples) / sum(each.generated for each in samples)
    assert nats < 0.8  # at the beginning, where all is new; untrained, ln 47 = 3.85 a note slot
    for sample in samples:
        names = [track.name for track in sample.score.tracks]
        assert names == ["Soprano", "Alto", "Tenor", "Bass"]
        for track, lowest, highest in zip(
            sample.score.tracks, (57, 50, 45, 33), (84, 77, 72, 65), strict=True
        ):
            assert {note.pitch for note in track.notes} <= set(range(lowest, highest + 1))
