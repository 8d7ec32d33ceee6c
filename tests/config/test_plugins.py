"""Packages of the user's own, named by ``SYMBOTUNES_PLUGINS``."""

import sys

import pytest
from omegaconf import OmegaConf

from symbotunes.checkpoints.error import CheckpointError
from symbotunes.checkpoints.trust import refuse_strangers
from symbotunes.cli.command_line import help_text, register_resolvers
from symbotunes.cli.options import options
from symbotunes.cli.suggestions import explain
from symbotunes.config.compose import recomposed
from symbotunes.config.plugins import import_plugins, plugins
from symbotunes.errors import UserError

YAML = """# A model of mine, which nobody else has.
_target_: symbotunes.training.lit_model.LitModel
net:
  _target_: {name}.network.Mine
"""


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Write a package that can be imported, and name it."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name, source="", conf=True):
        folder = tmp_path / name
        (folder / "conf" / "model" if conf else folder).mkdir(parents=True)
        (folder / "__init__.py").write_text(source)
        (folder / "network.py").write_text("class Mine:\n    pass\n")
        if conf:
            (folder / "conf" / "model" / "mine.yaml").write_text(YAML.format(name=name))
        monkeypatch.setenv("SYMBOTUNES_PLUGINS", name)
        return folder

    yield write
    for name in [name for name in sys.modules if name.startswith("plugged")]:
        del sys.modules[name]


def test_its_options_stand_beside_ours(make):
    make("plugged_in")
    register_resolvers()
    assert recomposed(["model=mine"]).model.net._target_ == "plugged_in.network.Mine"
    assert recomposed(["model=gpt2"]).model.net._target_ == "symbotunes.models.gpt2.GPT2"
    assert "mine" in options("model")
    assert "  mine                   A model of mine, which nobody else has\n" in help_text([])


def test_a_mistyped_option_of_it_is_corrected(make):
    make("plugged_in")
    with pytest.raises(Exception, match="mien") as error:
        recomposed(["model=mien"])
    assert explain(error.value) == "model=mien does not exist; did you mean mine?"


def test_without_the_variable_there_are_no_plug_ins(make, monkeypatch):
    make("plugged_in")
    monkeypatch.delenv("SYMBOTUNES_PLUGINS")
    assert plugins() == []
    assert "mine" not in options("model")


def test_a_checkpoint_may_name_its_classes_and_nothing_else_of_it(make, tmp_path, monkeypatch):
    (make("plugged_in") / "other.py").write_text(
        "from os import mkdir\nfrom subprocess import Popen"
    )
    node = OmegaConf.create({"_target_": "plugged_in.network.Mine"})
    refuse_strangers(tmp_path, node)
    for name in ("other.mkdir", "other.Popen", "network.nothing"):
        with pytest.raises(
            CheckpointError, match=f"would run plugged_in.{name}; it is not opened$"
        ):
            refuse_strangers(tmp_path, OmegaConf.create({"_target_": f"plugged_in.{name}"}))
    monkeypatch.delenv("SYMBOTUNES_PLUGINS")
    with pytest.raises(
        CheckpointError,
        match="would run plugged_in.network.Mine; it is not opened: plugged_in is not part of "
        "Symbotunes; if you trust it, install it and set SYMBOTUNES_PLUGINS=plugged_in$",
    ):
        refuse_strangers(tmp_path, node)


@pytest.mark.parametrize("target", ["os.mkdir", "subprocess.Popen", "torch.hub.load"])
def test_nobody_is_told_to_trust_what_is_no_plug_in(target, tmp_path):
    with pytest.raises(CheckpointError, match=f"would run {target}; it is not opened$"):
        refuse_strangers(tmp_path, OmegaConf.create({"_target_": target}))


def test_several_may_be_named(make, monkeypatch):
    make("plugged_in")
    make("plugged_too")
    monkeypatch.setenv("SYMBOTUNES_PLUGINS", "plugged_in, plugged_too,")
    assert [plugin.module for plugin in plugins()] == ["plugged_in", "plugged_too"]


def test_what_cannot_be_imported_is_one_line(make, monkeypatch):
    make("plugged_wrong", "raise RuntimeError('no luck\\nat all')")
    with pytest.raises(UserError) as error:
        import_plugins()
    assert str(error.value) == (
        "SYMBOTUNES_PLUGINS=plugged_wrong cannot be imported: RuntimeError: no luck"
    )
    make("plugged_bare", conf=False)
    with pytest.raises(
        UserError, match="plugged_bare: it has no folder conf/, which a plug-in has"
    ):
        plugins()
    monkeypatch.setenv("SYMBOTUNES_PLUGINS", "plugged_nowhere")
    with pytest.raises(UserError, match="there is no module plugged_nowhere; .*PYTHONPATH"):
        plugins()


@pytest.mark.parametrize("name", ["subprocess", "torch"])
def test_a_library_is_no_plug_in(name, monkeypatch):
    monkeypatch.setenv("SYMBOTUNES_PLUGINS", name)
    with pytest.raises(UserError, match="has no folder conf/"):
        plugins()
