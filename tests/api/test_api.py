"""The library, with tiny models that a test trains through the program."""

import math
import re
import subprocess
import sys

import pytest

import symbotunes
from tests.conftest import ROOT, TINY


@pytest.fixture(scope="module")
def folk(trained):
    return symbotunes.load(trained)


@pytest.fixture(scope="module")
def vae(run_main, tmp_path_factory):
    outputs = tmp_path_factory.mktemp("vae") / "outputs"
    run_main(
        outputs, "model=music_vae", *TINY[:1], "trainer=cpu", "trainer.max_steps=2",
        "trainer.val_check_interval=2", "model.net.latent=8", "model.net.encoder.widths=[16]",
        "model.net.decoder.widths=[16]", "~callbacks.panel", "sample.num=1",
    )  # fmt: skip
    (folder,) = (outputs / "train").iterdir()
    return symbotunes.load(folder / "checkpoints" / "last.ckpt")


@pytest.mark.slow("imports torch in a process of its own")
def test_the_package_loads_torch_only_with_a_model():
    program = (
        "import sys, symbotunes; before = 'torch' in sys.modules; symbotunes.load;"
        "sys.exit(before or 'torch' not in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_sample_depends_on_its_seed_alone(folk):
    more = folk.sample(3, seed=3, max_tokens=30)
    few = folk.sample(seeds=[more[1].seed], max_tokens=30)
    assert [piece.seed for piece in few] == [more[1].seed]
    assert few[0].abc.splitlines()[2:] == more[1].abc.splitlines()[2:]


def test_neighboring_seeds_write_other_tunes(folk):
    tunes = [
        tuple(piece.abc.splitlines()[2:])
        for seed in (3, 4)
        for piece in folk.sample(8, seed=seed, max_tokens=30)
    ]
    assert len(set(tunes)) == 16


def test_a_prompt_opens_every_sample_and_a_constraint_ends_it_well(folk):
    pieces = folk.sample(2, prompt="M:6/8 K:Cmaj", constraint="abc", max_tokens=80, seed=1)
    for piece in pieces:
        assert "M:6/8" in piece.abc
        assert piece.remarks == ()


def test_a_piece_is_written_in_every_form(folk, tmp_path):
    (piece,) = folk.sample(1, prompt="M:4/4 K:Cmaj C2 D2 E2 F2 |", max_tokens=40)
    heads = {"abc": b"X:1", "mid": b"MThd", "wav": b"RIFF", "png": b"\x89PNG", "svg": b"<"}
    for suffix, head in heads.items():
        path = piece.save(tmp_path / "new" / f"tune.{suffix}")
        assert path.read_bytes().startswith(head)
    assert piece.midi_bytes()[:4] == b"MThd"
    assert piece.wav()[:4] == b"RIFF"
    assert "<svg" in piece.svg()
    assert sum(len(track.notes) for track in piece.score.tracks) >= 4
    page = piece._repr_html_()
    assert "<audio" in page
    assert "<svg" in page or "data:image/svg+xml" in page


def test_a_continuation_keeps_the_first_bars(folk, tmp_path):
    file = tmp_path / "tune.abc"
    file.write_text("X:1\nT:Scale\nM:4/4\nL:1/8\nK:G\nG2 A2 B2 c2 | d2 e2 f2 g2 | g8 |]\n")
    (piece,) = folk.continue_(file, bars=1, max_tokens=30)
    notes = sorted((note.start, note.pitch) for note in piece.score.tracks[0].notes)
    assert [pitch for _, pitch in notes[:4]] == [67, 69, 71, 72]  # in G, as the file
    (again,) = folk.continue_(piece, bars=1, max_tokens=30)
    assert again.abc is not None


def test_the_likelihood_of_an_almost_untrained_model_is_near_that_of_chance(folk, tmp_path):
    file = tmp_path / "tune.abc"
    file.write_text("X:1\nT:Scale\nM:4/4\nL:1/8\nK:C\nC2 D2 E2 F2 | G2 A2 B2 c2 |]\n")
    found = folk.likelihood(file)
    chance = math.log(folk.tokenizer.vocabulary.size)
    assert found.notes == 8
    assert not found.is_bound
    assert found.nats_per_token == pytest.approx(chance, rel=0.25)
    assert found.bits_per_note == pytest.approx(found.nats / math.log(2) / 8)


def test_the_likelihood_is_the_sum_of_the_losses_of_steps(folk, tmp_path):
    file = tmp_path / "tune.abc"
    file.write_text("X:1\nT:Scale\nM:4/4\nL:1/8\nK:C\nC2 D2 E2 F2 |]\n")
    (tune,) = symbotunes.music.abc.files.read_tunes(file, "")
    ids = folk.tokenizer.encode(folk.tokenizer.tokenize(tune))
    vocabulary = folk.tokenizer.vocabulary
    state, nats = folk.net.start(1), 0.0
    before = vocabulary.bos
    import torch

    with torch.inference_mode():
        for after in [*ids, vocabulary.eos]:
            logits, state = folk.net.step(torch.tensor([before]), state)
            nats -= float(logits.log_softmax(-1)[0, after])
            before = after
    assert folk.likelihood(file).nats == pytest.approx(nats, rel=1e-4)
    assert folk.likelihood(file).tokens == len(ids) + 1


@pytest.mark.slow("trains a MusicVAE with the program")
def test_a_latent_model_reconstructs_and_interpolates(vae, tmp_path):
    file = tmp_path / "tune.abc"
    file.write_text("X:1\nM:4/4\nL:1/8\nK:C\nC2 D2 E2 F2 | G2 A2 B2 c2 |]\n")
    given, copy = vae.reconstruct(file, num=1)
    assert len(given.score.tracks[0].notes) == 8
    assert copy.title.startswith("Reconstruction")
    path = vae.interpolate(file, given, steps=3)
    assert len(path) == 1 + 2 + 3  # the whole, both inputs, the points
    assert len(vae.attribute("note_density", strengths=(-1, 1))) == 2
    bound = vae.likelihood(file)
    assert bound.is_bound
    assert bound.tokens == 32
    assert len(vae.sample(2)) == 2


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda model: model.reconstruct("x.mid"), "has no latent space"),
        (lambda model: model.sample(2, temprature=1.0), "temprature"),
        (lambda model: model.sample(0), "sample.num=0"),
        (lambda model: model.sample(prompt="M:4/4 K:Cmaj QQ"), "sample.prompt"),
        (lambda model: model.likelihood("missing.abc"), "no such file"),
        (lambda model: symbotunes.load("pretrained/folk_rn"), "did you mean"),
        (
            lambda model: model.sample(1, max_tokens=5)[0].save("x.doc"),
            "the name must end in one of",
        ),
    ],
)
def test_mistakes_raise_the_line_of_the_console(folk, call, words):
    with pytest.raises(symbotunes.UserError, match=words):
        call(folk)


def test_the_lines_of_the_readme_write_a_tune(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "README.md").read_text()
    (lines,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(lines, "README.md", "exec"), {})  # noqa: S102
    assert (tmp_path / "tune.mid").read_bytes().startswith(b"MThd")
    printed = capsys.readouterr().out
    assert "K:Ddor" in printed
    assert float(printed.split()[-1]) > 0
