"""Printed commands can be pasted: what the shell and Hydra make of them is what was meant."""

import shlex
import sys
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from symbotunes.checkpoints import reopen
from symbotunes.config import commands
from symbotunes.config.commands import command, program, resume_settings, setting
from symbotunes.errors import UserError
from symbotunes.render.console import closing_lines, interrupted_lines

ODD = [
    "/a/b-c_d.ckpt", "../x", "eq=dir", "co,ma", "quo'te", 'dou"ble', "both'\"", "back\\slash",
    "back\\", "end\\'", "a\\\\'b", "$HOME/x", "${x}/y", "\\${x}", "üñí♫", "pa(ren)",
    "hash#x", "tilde~x", "~x", "amp&x", "a b", " lead", "trail ", "[br]", "{b}", "null", "True",
    "1e3", "2024", "-1", ".5", "inf", "a:b", "new\nline", "tab\tx", "50%", "*", "", "semi;x", "<>",
    "back`tick", "ex!cl", "--x", "emoji🎵",
]  # fmt: skip


def pasted(words):
    """What Hydra reads in a shell's words, by key."""
    parser = OverridesParser.create()
    overrides = [parser.parse_override(word) for word in words]
    config = OmegaConf.create({entry.key_or_group: entry.value() for entry in overrides})
    return OmegaConf.to_container(config, resolve=True)


@pytest.mark.parametrize("text", ODD)
def test_a_printed_setting_is_read_as_it_was_meant(text):
    (word,) = shlex.split(setting("ckpt", text))
    assert pasted([word]) == {"ckpt": text}
    (word,) = shlex.split(setting("ckpts", [text, Path("/b")]))
    assert pasted([word]) == {"ckpts": [text, "/b"]}


def test_what_needs_no_quotes_has_none_and_what_needs_them_has_those_of_the_docs():
    assert setting("ckpt", Path("outputs/train/2024-01-02_x/last.ckpt")) == (
        "ckpt=outputs/train/2024-01-02_x/last.ckpt"
    )
    assert setting("sample.prompt", "M:6/8 K:Cdor") == "'sample.prompt=\"M:6/8 K:Cdor\"'"
    assert setting("trainer.max_steps", 100) == "trainer.max_steps=100"
    assert setting("resume", None) == "resume=null"


@pytest.mark.parametrize("text", [text for text in ODD if text.strip() and "\n" not in text])
def test_the_last_lines_of_a_training_can_be_pasted(text, tmp_path):
    folder = tmp_path / text.replace("/", "_")
    (folder / "checkpoints").mkdir(parents=True)
    last = folder / "checkpoints" / "last.ckpt"
    last.write_text("")
    lines = closing_lines(folder, last, "page").replace("\\[", "[").splitlines()
    again = interrupted_lines(folder).replace("\\[", "[").removeprefix("Interrupted. To resume: ")
    for line in (lines[2].removeprefix("Sample more  "), again):
        words = shlex.split(line)
        assert pasted(words[1 if words[0] == "symbotunes" else 2 :])["ckpt"] == str(last)


def test_a_run_outside_of_the_folder_of_runs_is_resumed_with_its_data_named(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    for root, named in ((tmp_path, {}), (tmp_path / "outputs", {"dataset.path": "/my tunes"})):
        config = {"paths": {"root": str(root)}, "dataset": {"path": "/my tunes"}}
        OmegaConf.save(OmegaConf.create(config), run / "config.yaml")
        assert resume_settings(run) == {"ckpt": run / "checkpoints" / "last.ckpt", **named}


def test_the_command_is_the_one_that_there_is(monkeypatch, tmp_path):
    checkout = Path(commands.__file__).parents[2]
    monkeypatch.chdir(checkout)
    for started, expected in (
        ("main.py", "python main.py"),
        ("/usr/bin/symbotunes", "symbotunes"),
        (str(checkout / "symbotunes" / "cli" / "job.py"), "python main.py"),
    ):
        monkeypatch.setattr(sys, "argv", [started])
        assert program() == expected
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(checkout / "main.py")])
    assert program() == f"python {shlex.quote(str(checkout / 'main.py'))}"
    monkeypatch.setattr(sys, "argv", [str(checkout / "symbotunes" / "cli" / "job.py")])
    assert command({"mode": "sample", "ckpt": "a b"}) == "symbotunes mode=sample 'ckpt=\"a b\"'"
    with pytest.raises(UserError, match="run `symbotunes` first"):
        reopen.newest_checkpoint(tmp_path)
