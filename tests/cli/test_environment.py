"""The program works in whatever environment it is started in."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from symbotunes.cli import environment
from symbotunes.cli.environment import import_ours_first, shorten_temporary_folder
from symbotunes.config.compose import recomposed
from symbotunes.errors import UserError
from tests.conftest import TINY

ROOT = Path(__file__).parents[2]


def test_home_is_meant_by_a_tilde_in_the_variables_that_name_folders(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("SYMBOTUNES_DATA", "~/data")
    monkeypatch.setenv("SYMBOTUNES_OUTPUTS", "~")
    paths = recomposed(["hydra.run.dir=x"]).paths
    assert (paths.data, paths.root) == ("/home/me/data", "/home/me")


@pytest.mark.parametrize(("length", "is_shortened"), [(71, False), (72, True), (300, True)])
def test_sockets_do_not_lie_in_a_folder_whose_path_is_too_long(monkeypatch, length, is_shortened):
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", "/" + "x" * (length - 1))
    shorten_temporary_folder()
    assert (tempfile.tempdir == "/tmp") == is_shortened


def test_a_long_folder_for_sockets_is_refused_where_there_is_no_other(monkeypatch):
    monkeypatch.setattr(environment, "SHORT", ("/nowhere",))
    monkeypatch.setenv("TMPDIR", "/x" * 100)
    with pytest.raises(UserError, match=r"^TMPDIR=/x.*: sockets need a path of at most 71 bytes"):
        shorten_temporary_folder()


def test_the_folder_of_the_package_is_searched_once(monkeypatch):
    monkeypatch.setenv("PYTHONSAFEPATH", "")
    for before, after in (("", [str(ROOT)]), ("/mine", [str(ROOT), "/mine"])):
        monkeypatch.setenv("PYTHONPATH", before)
        for _ in range(2):
            import_ours_first()
            assert os.environ["PYTHONPATH"].split(os.pathsep) == after
    assert os.environ["PYTHONSAFEPATH"] == "1"


@pytest.mark.slow("starts a sweep and its job as users do, in processes that import all anew")
def test_files_of_the_current_folder_break_no_job_and_plug_ins_there_work(tmp_path):
    for name in ("queue.py", "music21.py"):
        (tmp_path / name).write_text("raise SystemExit(3)")
    options = tmp_path / "my_plugin" / "conf" / "model"
    options.mkdir(parents=True)
    (options.parents[1] / "__init__.py").touch()
    shutil.copy(ROOT / "conf" / "model" / "folk_rnn_small.yaml", options / "mine.yaml")
    arguments = [*TINY, "mode=prepare", "model=mine", "seed=1", "hydra.sweep.dir=a=b,(é) 'c'"]
    result = subprocess.run(
        [sys.executable, "-P", "-m", "symbotunes", "--multirun", *arguments],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SYMBOTUNES_PLUGINS": "my_plugin",
            "SYMBOTUNES_OUTPUTS": str(tmp_path / "outputs"),
        },
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "a=b,(é) 'c'" / "0" / "job.json").is_file()
    assert "finished" in (tmp_path / "a=b,(é) 'c'" / "0" / "job.json").read_text()
