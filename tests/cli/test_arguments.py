"""Values are typed as they are: names of folders, texts, and `~` for the home folder."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from symbotunes.cli.arguments import readable

PATHS = [
    "/home/müller/tunes", "/x/pa(ren)", "/x/Tunes (1)", "Tunes(1)", "/x/hash#x", "/x/com~apple",
    "/x/a&b", "/x/üñí♫", "/x/🎵", "/x/eq=dir", "/x/co,ma", "/x/quo'te", '/x/dou"ble',
    "/x/a b", "/x/$HOME", "/x/back\\slash", "/x/a;b", "/x/<a>", "C:\\Users\\me", "plain",
]  # fmt: skip


def value(argument):
    """What Hydra reads in an argument as it is typed."""
    (word,) = readable([argument])
    override = OverridesParser.create().parse_override(word)
    return OmegaConf.create({"value": override.value()}).value


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("key", ["dataset.path", "ckpt", "hydra.run.dir", "+dataset.path"])
def test_a_path_is_taken_as_it_is(key, path):
    assert value(f"{key}={path}") == path


@pytest.mark.parametrize("name", ["[br]", "{b}", "null", "1e3", "2024", "choice(1)", "it's, (2)"])
def test_a_path_that_exists_is_a_path_whatever_else_it_might_be(name, tmp_path, monkeypatch):
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    assert value(f"dataset.path={name}") == name
    (word,) = readable([f"dataset.path={name}"])
    assert readable(["--multirun", f"dataset.path={name}"]) == ["--multirun", word]


@pytest.mark.parametrize("home", ["/home/me", "/home/pa(ren)", "/home/mü ller", "/home/co,ma"])
def test_the_home_folder_may_be_written_wherever_a_path_may(home, monkeypatch):
    monkeypatch.setenv("HOME", home)
    assert value("dataset.path=~/tunes") == f"{home}/tunes"
    assert value("dataset.path=~") == home
    if "," not in home:
        pair = [f"{home}/a.ckpt", f"{home}/b.ckpt"]
        assert list(value("compare.ckpts=[~/a.ckpt, ~/b.ckpt]")) == pair
        assert readable(["--multirun", "dataset.path=~/a,~/b"])[1].count(home) == 2


def test_commas_separate_the_values_of_a_sweep_and_not_its_folder():
    words = ["--multirun", "dataset.path=/a,/b (1)", "hydra.sweep.dir=/x,y", "seed=1,2"]
    assert readable(words) == [
        "--multirun", 'dataset.path=/a,"/b (1)"', 'hydra.sweep.dir="/x,y"', "seed=1,2",
    ]  # fmt: skip


def test_texts_that_hydra_cannot_read_are_texts():
    assert value('sample.prompt=K:C |: "Am" A2 (3ABC | it\'s') == 'K:C |: "Am" A2 (3ABC | it\'s'
    assert value("name=Müller (2)") == "Müller (2)"
    assert list(value("logger.wandb.tags=[a, ü b, 'c, d']")) == ["a", "ü b", "c, d"]
    assert readable(["hydra.run.dir=${paths.root}/mü"]) == ['hydra.run.dir="${paths.root}/mü"']


@pytest.mark.parametrize(
    "argument",
    [
        "mode=sample", "~callbacks.panel", "~dataset=folk", "--multirun", "-m", "-cn=x",
        "model=folk_rnn,", "seed=1,2", "model.optimizer.lr=choice(1e-3,1e-4)",
        "+experiment=folk_rnn_paper", "transforms=[a,b", "sample.prompt=\"M:6/8 K:Cdor\"",
        "dataset={a:1}", "baselines=[]", "baselines=[1,3]", "trainer.max_time=00:01:00:00",
        "model.net.betas=[[1,2],[3]]", "sample.prompt=M:6/8 K:Cdor", "trainer.max_steps=null",
        "hydra.sweep.dir=${paths.root}/x", "model/optimizer=adam", "dataset.a=[a,,b]",
    ],
)  # fmt: skip
def test_what_hydra_reads_stays_as_it_is(argument):
    assert readable([argument]) == [argument]
