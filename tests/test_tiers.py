"""The fast tier leaves no part of the project without a test, and slow tests say why they are."""

import inspect
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from symbotunes.cli.dispatch import mode_files
from tests.conftest import LEFT_OUT, ROOT

CONF = ROOT / "conf"
SECURITY = ("test_hardening.py", "test_unpack.py", "test_checkpoint.py")


@pytest.fixture
def fast(request):
    """All tests of the fast tier; there is nothing to learn from a part of the suite."""
    items, left_out = request.session.items, request.config.stash[LEFT_OUT]
    collected = {item.path for item in items} | {ROOT / name.split("::")[0] for name in left_out}
    if not collected >= set((ROOT / "tests").rglob("test_*.py")):
        pytest.skip("only a part of the suite was collected")
    return [item for item in items if item.get_closest_marker("slow") is None]


def parameters(items, folder):
    """What the tests of a folder are parametrized with: words, and the classes of other values."""
    values = [
        value
        for item in items
        if folder in item.path.parts and hasattr(item, "callspec")
        for value in item.callspec.params.values()
    ]
    return {value if isinstance(value, str) else type(value).__name__ for value in values}


def test_every_model_of_the_configs_is_built_and_tried(fast):
    models = {path.stem for path in (CONF / "model").glob("[!_]*.yaml")}
    assert models - parameters(fast, "models") == set()


def test_every_tokenizer_of_the_configs_is_tried(fast):
    tokenizers = set()
    for path in (CONF / "transforms").glob("*.yaml"):
        (step,) = yaml.safe_load(path.read_text()).values()
        if ".tokenizers." in step["_target_"]:
            tokenizers.add(step.get("scheme", step["_target_"].rpartition(".")[2]))
    assert tokenizers >= {"AbcTokens", "REMI"}
    assert tokenizers - parameters(fast, "tokenizers") == set()


def test_every_mode_is_run(fast):
    functions = {
        function
        for item in fast
        if item.path.name != "test_command_line.py"  # it runs mistakes
        for function in (item.function, *(each[-1].func for each in fixtures(item)))
    }
    called = {other for function in functions for other in called_by(function)}
    text = "".join(inspect.getsource(function) for function in functions | called)
    missing = [mode for mode in mode_files() if mode != "train" and f'"mode={mode}"' not in text]
    assert missing == []
    assert any("trained" in item.fixturenames for item in fast)


def called_by(function):
    """Functions of its own module that a test calls."""
    known = (function.__globals__.get(name) for name in function.__code__.co_names)
    return [
        other
        for other in known
        if inspect.isfunction(other) and other.__module__ == function.__module__
    ]


def fixtures(item):
    return item._fixtureinfo.name2fixturedefs.values()


def test_no_test_of_security_is_slow(fast):
    tested = {item.path.name for item in fast}
    assert tested >= set(SECURITY)
    slow = {name.split("::")[0] for name in fast[0].config.stash[LEFT_OUT]}
    assert {Path(name).name for name in slow} & set(SECURITY) == set()


SUITE = """
import pytest

@pytest.mark.slow("starts a cluster")
def test_of_a_cluster():
    pass

def test_of_a_sum():
    assert 1 + 1 == 2
"""


def pytest_on(folder, text, *arguments):
    """What pytest, with our conftest, prints about a suite of one file."""
    (folder / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "conftest.py", folder / "tests")
    (folder / "tests" / "test_suite.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = slow(reason): slow\n")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    return result.stdout


again = pytest.mark.slow("starts pytest in a process once more")


@pytest.mark.parametrize(
    ("arguments", "outcome"),
    [
        ([], "1 passed, 1 deselected"),
        pytest.param(["--all"], "2 passed", marks=again),
        pytest.param(["tests/test_suite.py::test_of_a_cluster"], "1 passed", marks=again),
        pytest.param(["-p", "xdist", "-n", "1"], "1 passed, 1 deselected", marks=again),
    ],
    ids=["fast", "all", "named", "in a worker"],
)
def test_slow_tests_run_where_they_are_asked_for(arguments, outcome, tmp_path):
    printed = pytest_on(tmp_path, SUITE, *arguments)
    assert f"= {outcome} in " in printed
    assert ("1 slow test left out" in printed) == ("deselected" in outcome)


@pytest.mark.parametrize("marker", ["slow", pytest.param("slow(' ')", marks=again)])
def test_a_slow_test_without_a_reason_is_not_collected(marker, tmp_path):
    printed = pytest_on(tmp_path, f"import pytest\n@pytest.mark.{marker}\ndef test(): pass\n")
    assert 'write @pytest.mark.slow("why it cannot be fast")' in printed
    assert "1 error" in printed
