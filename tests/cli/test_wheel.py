"""The wheel: what is in it, and that its program finds its config outside any checkout."""

import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow("builds a wheel and starts its program")
ROOT = Path(__file__).parents[2]
SOURCES = [
    "pyproject.toml",
    "setup.py",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "conf",
    "symbotunes",
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel of a copy of the sources to which a pretrained model was added."""
    if int(version("setuptools").partition(".")[0]) < 77:
        pytest.skip("an older setuptools builds no wheel of ours without the network")
    folder = tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, folder / name)
    model = folder / "symbotunes" / "pretrained" / "invented" / "samples"
    model.mkdir(parents=True)
    (model / "a.abc").write_text("X:1\n")
    (model.parent / "config.json").write_text('{"library_name": "symbotunes"}')
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q"]
    subprocess.run([*command, "-w", str(folder), str(folder)], check=True, timeout=600)
    (found,) = folder.glob("symbotunes-*.whl")
    return found


@pytest.fixture(scope="module")
def unpacked(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_every_config_is_inside(unpacked):
    ours = {path.relative_to(ROOT / "conf") for path in (ROOT / "conf").rglob("*.yaml")}
    folder = unpacked / "symbotunes" / "conf"
    assert {path.relative_to(folder) for path in folder.rglob("*.yaml")} == ours


def test_modules_pages_and_pretrained_models_are_inside_and_tests_are_not(unpacked):
    package = ROOT / "symbotunes"
    for pattern in ("*.py", "render/templates/*", "pretrained/*/*"):
        for path in package.rglob(pattern):
            assert (unpacked / path.relative_to(ROOT)).is_file() or path.is_dir(), path
    assert (unpacked / "symbotunes" / "pretrained" / "invented" / "samples" / "a.abc").is_file()
    assert {path.name.partition("-")[0] for path in unpacked.iterdir()} == {"symbotunes"}


def test_it_brings_the_license_and_the_command(unpacked):
    (about,) = unpacked.glob("symbotunes-*.dist-info")
    assert (about / "licenses" / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert "symbotunes = symbotunes.__main__:run" in (about / "entry_points.txt").read_text()


def test_the_program_runs_away_from_the_checkout(unpacked, tmp_path):
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "symbotunes",
            "model=folk_rnn_small",
            "--cfg",
            "job",
            "-p",
            "model.net",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "width: 256" in result.stdout, result.stderr


def test_a_mistyped_name_of_a_pretrained_model_is_answered_from_the_wheel(unpacked, tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "symbotunes", "mode=sample", "ckpt=pretrained/inventd"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "did you mean pretrained/invented?" in result.stderr
    assert result.returncode == 2
