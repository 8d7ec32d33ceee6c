"""Configs are read as OmegaConf's own parser reads them, and composed once."""

import sys

import pytest
import yaml
from hydra._internal.hydra import Hydra
from omegaconf import OmegaConf
from yaml.loader import SafeLoader

from symbotunes.cli import start_up
from symbotunes.config.plugins import VARIABLE
from tests.conftest import ROOT


@pytest.fixture
def untouched(monkeypatch):
    """What `start_up` replaces, as its packages define it."""
    monkeypatch.setattr(yaml, "SafeLoader", SafeLoader)
    monkeypatch.setattr(Hydra, "get_mode", lambda *_: "composed")


def test_libyaml_reads_every_config_as_the_parser_in_python_does(untouched):
    files = sorted((ROOT / "conf").rglob("*.yaml"))
    expected = [OmegaConf.to_container(OmegaConf.load(path)) for path in files]
    start_up.parse_with_libyaml()
    assert yaml.SafeLoader is yaml.CSafeLoader
    assert [OmegaConf.to_container(OmegaConf.load(path)) for path in files] == expected


def test_a_key_that_is_there_twice_is_still_refused(untouched):
    start_up.parse_with_libyaml()
    with pytest.raises(yaml.YAMLError, match="duplicate key a"):
        OmegaConf.create("a: 1\na: 2")


@pytest.mark.parametrize(
    ("words", "mode"),
    [
        (["model=gpt2", "seed=1,2", "--multirun"], None),
        (["hydra.mode=MULTIRUN"], "composed"),
        (["++hydra.mode=MULTIRUN"], "composed"),
        (["--config-dir", "mine"], "composed"),
        (["--config-name=mine"], "composed"),
    ],
)
def test_a_config_is_composed_for_its_mode_only_where_it_may_set_one(
    untouched, monkeypatch, words, mode
):
    monkeypatch.setattr(sys, "argv", ["main.py", *words])
    start_up.compose_once()
    assert Hydra.get_mode(None, "config", words) == mode


def test_configs_of_plug_ins_may_set_a_mode(untouched, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["main.py"])
    monkeypatch.setenv(VARIABLE, "mine")
    start_up.compose_once()
    assert Hydra.get_mode(None, "config", []) == "composed"


def test_no_config_of_ours_sets_a_mode():
    configs = [OmegaConf.load(path) for path in (ROOT / "conf").rglob("*.yaml")]
    assert configs
    assert [config for config in configs if OmegaConf.select(config, "hydra.mode")] == []
