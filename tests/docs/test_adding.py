"""The pages on adding things, followed word for word in a copy of the checkout."""

import csv
import json
import shlex
import shutil
import subprocess
import sys

import pytest

from tests.docs.pages import ROOT, blocks

pytestmark = pytest.mark.slow("trains, and runs pytest, in a copy of the checkout")
COPIED = ("conf", "symbotunes")
TESTS = (
    "tests/composing.py",
    "tests/conftest.py",
    "tests/warm.py",
    "tests/warm_python.py",
    "tests/config/test_configs.py",
    "tests/models/relative_decoder.py",
    "tests/models/test_contract.py",
)


@pytest.fixture
def checkout(tmp_path):
    """What a reader works in."""
    folder = tmp_path / "checkout"
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("main.py", "pyproject.toml", *TESTS):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def apply(diff, path):
    """Replace the lines of a diff that are not added by those that are not removed."""
    lines = diff.splitlines()
    old = "\n".join(line[1:] for line in lines if not line.startswith("+"))
    new = "\n".join(line[1:] for line in lines if not line.startswith("-"))
    text = path.read_text()
    assert text.count(old) == 1, f"{path}: the page shows lines that are not there once"
    path.write_text(text.replace(old, new))


def follow(page, folder):
    """Write the files of a page; its commands, in order."""
    commands = []
    for block in blocks(ROOT / "docs" / page):
        path = folder / block.title
        if block.language == "diff":
            apply(block.text, path)
        elif block.title:
            assert not path.exists(), f"{block.title} is there already"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
        else:
            assert block.language == "bash", block
            commands += [shlex.split(line, comments=True) for line in block.text.splitlines()]
    return commands


def test_the_page_on_adding_a_model_works(checkout, run_all):
    said = run_all(checkout, follow("adding_a_model.md", checkout))
    assert len(list(checkout.glob("outputs/train/*/samples/best/index.html"))) == 3
    assert len(list(checkout.glob("outputs/sample/*/sample_01.abc"))) == 1
    (tested,) = [text for text in said if " passed" in text]
    assert "failed" not in tested
    reports = [json.loads(path.read_text()) for path in checkout.glob("outputs/evaluate/*/*.json")]
    assert {"sets" in report for report in reports} == {True, False}  # the GAN's, and the VAE's
    assert [report["reconstruction"]["latent"] for report in reports if "sets" not in report] == [
        16
    ]


def test_the_page_on_adding_a_dataset_works(checkout, run_all):
    said = run_all(checkout, follow("adding_a_dataset.md", checkout))
    assert "incomplete song" in said[1]
    assert len(list(checkout.glob("outputs/train/*/samples/best/index.html"))) == 1
    assert "passed" in said[-1]
    assert "failed" not in said[-1]


def test_the_page_on_adding_a_metric_works(checkout, run_all):
    said = run_all(checkout, follow("adding_a_metric.md", checkout))
    assert any("2 passed" in text for text in said)
    (report,) = checkout.glob("outputs/evaluate/*/report.json")
    sets = json.loads(report.read_text())["sets"]
    assert len(sets) == 2
    for tunes in sets:
        assert tunes["figures"]["length"]["value"] > 1
    (found,) = checkout.glob("outputs/compare/*")
    for model in json.loads((found / "compare.json").read_text())["models"]:
        assert 0 <= model["figures"]["leaps"]["value"] <= 1
        assert model["figures"]["length"]["value"] > 1
    page = (found / "index.html").read_text()
    assert '<th scope="row">leaps</th>' in page
    assert "Steps to the next note that are larger than a fifth." in page


def test_the_page_on_adding_a_callback_works(checkout, run_all):
    said = run_all(checkout, follow("adding_a_callback.md", checkout))
    assert any("1 passed" in text for text in said)
    runs = sorted(checkout.glob("outputs/train/*"))
    assert len(runs) == 2
    norms = {}
    for run in runs:
        with (run / "metrics.csv").open() as file:
            rows = {int(row["step"]): row["val/weight_norm"] for row in csv.DictReader(file)}
        norms[run] = {step: float(text) for step, text in rows.items() if text}
        assert set(norms[run]) == {10, 20}
    best = json.loads((runs[1] / "run.json").read_text())["best"]
    assert best["metric"] == "val/weight_norm"
    assert best["value"] == pytest.approx(min(norms[runs[1]].values()))


@pytest.mark.parametrize(
    "page",
    ["adding_a_model.md", "adding_a_dataset.md", "adding_a_metric.md", "adding_a_callback.md"],
)
def test_the_code_on_the_page_is_as_clean_as_ours(page, checkout):
    follow(page, checkout)
    written = [
        name
        for name in ("symbotunes", "tests", "my_models", "my_metrics", "my_callbacks")
        if (checkout / name).is_dir()
    ]
    for words in (["check", *written], ["format", "--check", *written]):
        result = subprocess.run(
            [sys.executable, "-m", "ruff", *words],
            cwd=checkout,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
