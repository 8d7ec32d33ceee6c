"""Files around the code say the same as the code."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_license_and_citation_agree_with_the_project():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["license"] == PROJECT["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License\n")
    assert citation["preferred-citation"]["title"].startswith("Symbotunes")
    assert [paper["year"] for paper in citation["references"]] == [2016, 2018, 2020]


def test_the_workflow_runs_all_tests_on_every_python_that_we_claim():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text())
    job = workflow["jobs"]["tests"]
    said = [step.get("run", "") for step in job["steps"]]
    readme = (ROOT / "README.md").read_text()
    (command,) = re.findall(r"python -m pip install -e '.*pytest", readme)
    assert "`python -m pytest --all`" in readme
    assert f"{command} --all" in said
    assert "python -m pytest --all\n" in (ROOT / ".ci" / "run").read_text()
    assert job["strategy"]["matrix"]["os"] == ["ubuntu-latest", "macos-latest"]
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert job["strategy"]["matrix"]["python"][0] == oldest


def test_the_hooks_run_the_tools_of_the_suite():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert [hook["id"] for hook in hooks] == ["ruff-check", "ruff-format", "mypy"]
