"""Every command in README, docs, launch/ and the comments of conf/ is one that works.

All of them are composed, and what they name is built as far as that costs nothing: corpus, steps,
tokenizer, plans, and the network without memory for its weights. Each kind of mode is really run,
with tiny settings (`RUN`). Only composed are those that need a download (``dataset=lakh`` and
others, weights of the hub), a GPU or several, a cluster, or hours; ``--multirun``, ``mode=report``
and resuming sweeps are run by ``tests/sweeps/test_sweeps.py``. The pages on adding a model, a
dataset, a metric and a callback are followed by ``test_adding.py``.
"""

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
import symusic
import torch
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from symbotunes.checkpoints.checkpoint import unpack
from symbotunes.cli.arguments import readable
from symbotunes.cli.dispatch import mode_files
from symbotunes.config.assembly import build_chain, build_data
from symbotunes.config.build import build
from symbotunes.tokenizers.base import Vocabulary
from tests.checkpoints.formats.test_pickle import write
from tests.composing import composed
from tests.conftest import TINY
from tests.docs.pages import ROOT, commands, composable
from tests.models.folk_rnn.authors import published

COMMANDS = commands()
ADDED = {
    "model=gru",
    "model=gan",
    "model=vae",
    "dataset=songs",
    "callbacks=mine",
    "evaluate=quick",
}  # by the pages that `test_adding.py` follows
FLAGS = {"--multirun", "-m", "--help", "--cfg", "job", "--hydra-help", "-sc", "install=bash"}


def overrides(words):
    """What `hydra.compose` takes of a command: the first job of a sweep, without flags."""
    kept = [word for word in readable(composable(words)) if word not in FLAGS]
    parsed = OverridesParser.create().parse_overrides(kept)
    for word, override in zip(kept, parsed, strict=True):
        if word == "launch=ray" and find_spec("ray") is None:
            continue  # the extra `ray` is not among those of tests
        if override.is_sweep_override():
            first = next(iter(override.sweep_string_iterator()))
            yield f"{override.get_key_element()}={first}"
        elif not word.startswith("hydra."):
            yield word


def compose_command(words):
    return composed(*overrides(words), "paths.run_dir=run", "name=x")


@pytest.mark.slow("composes and builds what more than a hundred commands name")
@pytest.mark.parametrize("command", [name for name in COMMANDS if not ADDED & set(COMMANDS[name])])
def test_a_documented_command_composes_and_what_it_names_can_be_built(command):
    cfg = compose_command(COMMANDS[command])
    assert cfg.mode in mode_files()
    missing = sorted(OmegaConf.missing_keys(cfg))
    assert missing == [], "the command lacks what its options need"
    OmegaConf.to_container(cfg, resolve=True)
    chain = build_chain(cfg)
    build_data(cfg, chain)  # raises if the steps cannot read what the dataset holds
    build(cfg.sample)
    build(cfg.evaluate)
    vocabulary = chain.tokenizer.vocabulary if chain.tokenizer.fitted else Vocabulary(120, 0, 1)
    with torch.device("meta"):
        build(cfg.model.net, vocabulary=vocabulary)


def test_every_mode_is_documented():
    documented = {
        word.partition("=")[2] or "train"
        for words in COMMANDS.values()
        for word in (*words, "mode=train")
        if word.startswith("mode=")
    }
    assert set(mode_files()) == documented


FEW = ["sample.num=1", "sample.max_tokens=20"]
DATA = ["dataset.collections=[nottingham-dataset,miscFolk]", "loader.prepare_workers=0"]
SHORT = [*TINY, *FEW, "trainer.max_steps=1", "trainer.val_check_interval=1"]
VAE = [
    *DATA,
    "loader.split.val=0.1",  # few of these tunes are in 4/4
    "~callbacks.panel",
    "model.net.latent=8",
    "model.net.encoder.widths=[16]",
    "model.net.decoder.widths=[16]",
    "trainer=cpu",
    "trainer.max_steps=2",
    "trainer.val_check_interval=2",
    "sample.num=1",
]
GPT = [*SHORT[:2], *SHORT[3:], "model.net.width=16", "model.net.depth=1", "model.net.heads=2"]
MEASURED = ["evaluate.num_samples=2", "evaluate.resamples=20", "baselines=[1]", *FEW[1:]]
# Documented commands, in an order that works, and what makes them tiny.
RUN = [
    ("python main.py mode=prepare dataset=folk", [*DATA, "transforms.abc_tokens.min_count=1"]),
    ("python main.py mode=prepare prepare.list=true", []),
    ("python main.py mode=sample", FEW),
    ("""python main.py mode=sample 'sample.prompt="M:4/4 K:Cmaj G2 E C | D2"' sample.num=2""", FEW),
    ("python main.py mode=sample sample.prompt_file=tune.abc sample.prompt_bars=2", FEW),
    ("python main.py mode=sample sample.input=tune.abc sample.bars=1-2", FEW),
    ("python main.py mode=sample sample.constraint=null", [FEW[0], "sample.max_tokens=60"]),
    ("python main.py mode=evaluate", MEASURED),
    ("python main.py ckpt=RUN/checkpoints/last.ckpt trainer.max_steps=2000", SHORT[-6:]),
    ("python main.py model.init_from=RUN/checkpoints/best.ckpt", SHORT),
    ("python main.py model=music_vae", VAE),
    ("python main.py mode=sample sample=prior", FEW[:1]),
    ("python main.py mode=sample sample=reconstruct sample.input=a.mid sample.temperature=0", []),
    (
        "python main.py mode=sample sample=interpolate sample.a=a.mid sample.a_bars=1-2 "
        "sample.b=a.mid sample.b_bars=5-6",
        ["sample.steps=2"],
    ),
    (
        "python main.py mode=sample sample=interpolate sample.a=a.mid sample.b=b.abc",
        ["sample.steps=2"],
    ),
    (
        "python main.py mode=sample sample=attribute sample.attribute=c_diatonic "
        "'sample.strengths=[-1,0,1]'",
        ["sample.most=200"],
    ),
    (
        "python main.py mode=evaluate evaluate.windows=500 evaluate.pairs=32 evaluate.prior=100",
        ["evaluate.windows=20", "evaluate.pairs=2", "evaluate.prior=4", "evaluate.resamples=20"],
    ),
    (
        "python main.py mode=convert model=folk_rnn model.init_from=folkrnn_v2.pkl",
        ["model.net.width=5"],
    ),
    ("python main.py model=gpt2", GPT),
    ("python main.py mode=sample sample.weights=bfloat16", FEW),
]


@pytest.fixture
def workplace(trained, shared, tmp_path):
    """A folder with a trained model, the cache that it read, and some music."""
    folder = tmp_path / "workplace"
    shutil.copytree(trained, folder / "outputs" / "train" / trained.name)
    cache = Path("cache", unpack(trained / "checkpoints" / "best.ckpt").data)
    shutil.copytree(shared / "data" / cache, folder / "outputs" / cache)
    tune = "X:1\nT:Scale\nM:4/4\nL:1/8\nK:C\n" + "CDEF GABc | cBAG FEDC |\n" * 4
    (folder / "tune.abc").write_text(tune)
    write(folder / "folkrnn_v2.pkl", published())
    (folder / "b.abc").write_text(tune.replace("cBAG", "c2G2"))
    score = symusic.Score(4)
    score.tracks.append(symusic.Track(program=0))
    score.tracks[0].notes.extend(symusic.Note(2 * n, 2, 60 + n % 12, 80) for n in range(48))
    score.dump_midi(folder / "a.mid")
    return folder


@pytest.mark.slow("runs 20 commands, four trainings among them")
def test_each_kind_of_command_really_runs(workplace, run_all):
    (run,) = (workplace / "outputs" / "train").iterdir()
    program = str(ROOT / "main.py")
    typed = []
    for command, tiny in RUN:
        assert command in COMMANDS, "it is documented no longer"
        words = [word.replace("RUN", str(run)) for word in COMMANDS[command]]
        typed.append(["python", program, *words, *tiny])
    said = dict(zip([command for command, _ in RUN], run_all(workplace, typed), strict=True))
    assert "folk" in said["python main.py mode=prepare prepare.list=true"].lower()
    assert "windows" in said[next(name for name in said if "sample=reconstruct" in name)]
    assert len(list((workplace / "outputs" / "train").iterdir())) == 4
    assert len(list((workplace / "outputs" / "evaluate").glob("*/report.json"))) == 2
    assert len(list((workplace / "outputs" / "sample").glob("*/index.html"))) == 11
