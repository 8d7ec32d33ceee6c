"""What can be asked of a trained MusicVAE: new windows, reconstructions, paths, attributes."""

import pytest
import torch

from symbotunes.errors import UserError
from symbotunes.generation.compose import compose
from symbotunes.generation.latent.attribute import AttributePlan
from symbotunes.generation.latent.interpolate import InterpolatePlan
from symbotunes.generation.latent.prior import PriorPlan
from symbotunes.generation.latent.reconstruct import ReconstructPlan
from symbotunes.models.music_vae.latent import Posterior
from symbotunes.tokenizers.windows import Melody

TUNE = "X:1\nM:4/4\nL:1/8\nK:C\nCDEF GABc|cBAG FEDC|CEGc eceG|c8|\n"
OTHER = "X:1\nM:4/4\nL:1/8\nK:G\nGABc d2d2|e2d2 B4|GABc d2d2|e2d2 G4|\n"


@pytest.fixture
def play(make):
    """Ask a small network, whose training windows lay far from the prior."""
    net = make("music_vae")
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_(std=0.5, generator=random)
    far = torch.tensor([[8.0], [9.0]]).expand(2, 5)
    net.prior.observe(Posterior(far, torch.full((2, 5), 0.1)))
    return lambda plan, seed=0: compose(net.eval(), plan, tokenizer=Melody(bars=2), seed=seed)


@pytest.fixture
def files(tmp_path):
    for name, text in (("a", TUNE), ("b", OTHER)):
        (tmp_path / f"{name}.abc").write_text(text)
    return [str(tmp_path / "a.abc"), str(tmp_path / "b.abc")]


def notes(sample):
    return [(note.time, note.pitch, note.duration) for note in sample.score.tracks[0].notes]


def test_a_new_window_depends_on_its_seed_and_not_on_how_many_there_are(play):
    many = play(PriorPlan(num=5, temperature=1.0), seed=2).samples
    few = play(PriorPlan(seeds=[many[1].seed, many[2].seed], temperature=1.0), seed=3).samples
    assert [notes(each) for each in few] == [notes(each) for each in many[1:3]]
    assert len({str(notes(each)) for each in many}) > 1


@pytest.mark.parametrize("value", [torch.nan, torch.inf], ids=str)
@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_a_network_that_is_not_finite_is_refused_in_one_line(make, part, value):
    net = make("music_vae").eval()
    next(getattr(net, part).parameters()).data[0] = value
    with pytest.raises(UserError, match="NaN instead of probabilities.*an earlier checkpoint"):
        compose(net, PriorPlan(num=1), tokenizer=Melody(bars=2), seed=0)


def test_rounded_weights_write_nearly_the_same(play):
    exact, rounded = (
        play(PriorPlan(num=16, temperature=0.0, weights=name)) for name in (None, "bfloat16")
    )
    same = [notes(a) == notes(b) for a, b in zip(exact.samples, rounded.samples, strict=True)]
    assert sum(same) >= 8
    assert rounded.facts["weights rounded to"] == "bfloat16"
    with pytest.raises(UserError, match="sample.weights=int8: must be bfloat16 or null"):
        PriorPlan(weights="int8")


def test_vectors_are_drawn_as_training_windows_lie_or_from_the_prior(play):
    fitted, normal = (
        play(PriorPlan(num=8, temperature=0.0, prior=prior)) for prior in ("fitted", "normal")
    )
    assert len({str(notes(each)) for each in fitted.samples}) < len(
        {str(notes(each)) for each in normal.samples}
    )
    assert fitted.facts["prior"] != normal.facts["prior"]
    with pytest.raises(UserError, match="sample.prior=flat: choose fitted or normal"):
        PriorPlan(prior="flat")


def test_weights_without_training_windows_say_so(make):
    fresh = make("music_vae").eval()
    fitted, normal = (
        compose(fresh, PriorPlan(num=1, prior=prior), tokenizer=Melody(bars=2), seed=0)
        for prior in ("fitted", "normal")
    )
    assert notes(fitted.samples[0]) == notes(normal.samples[0])
    assert "these weights include no training windows" in fitted.facts["prior"]


def test_a_reconstruction_stands_beside_its_input(play, files):
    found = play(ReconstructPlan(input=files[0], num=2, temperature=0.0))
    first, copy, second, _ = found.samples
    assert [pitch for _, pitch, _ in notes(first)][:8] == [60, 62, 64, 65, 67, 69, 71, 72]
    assert notes(first) != notes(second)
    assert any("of 32 steps as in the input" in note for note in copy.notes)
    assert "a.abc: 3 windows of 2 bars, windows 1 to 2 are used" in found.inputs.values()


def test_a_path_leads_from_one_window_to_another_and_sounds_as_a_whole(play, files):
    found = play(InterpolatePlan(a=files[0], b=files[1], steps=5, temperature=0.0))
    whole, first, *points, last = found.samples
    ends = [play(ReconstructPlan(input=file, num=1, temperature=0.0)).samples[1] for file in files]
    assert [notes(points[0]), notes(points[-1])] == [notes(each) for each in ends]
    assert len(points) == 5
    assert notes(first)[0][1] == 60
    assert notes(last)[0][1] == 67
    assert len(notes(whole)) == sum(len(notes(each)) for each in points)
    assert [label for label, _ in found.strip] == ["A", "0.00", "0.25", "0.50", "0.75", "1.00", "B"]


def test_what_cannot_be_played_is_said_in_one_line(play, files):
    with pytest.raises(UserError, match="has windows 1 to 3; there is no window 9"):
        play(ReconstructPlan(input=files[0], window=9))
    with pytest.raises(UserError, match="needs the training data"):
        play(AttributePlan(attribute="note_density", strengths=[0.0, 1.0]))
    with pytest.raises(UserError, match="missing"):
        play(ReconstructPlan(input="missing.mid"))
