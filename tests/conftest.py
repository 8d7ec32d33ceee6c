"""The two tiers of the suite, and tiny runs of the real program for the tests that need one.

``pytest`` runs the fast tier, ``pytest --all`` everything. A test that cannot be fast says why in
one line: ``@pytest.mark.slow("starts a SLURM cluster")``.
"""

import os
import shlex
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock

from tests import warm

os.environ.setdefault("OMP_NUM_THREADS", "1")  # pytest has a process on every core already
ROOT = Path(__file__).parents[1]
# What these test, Windows does not have: signals to other processes, forks, limits of resources.
POSIX_ALONE = (
    "cluster",
    "data/preparation/test_fuzz.py",
    "data/preparation/test_workers.py",
    "training/callbacks/test_interrupt.py",
    "training/test_allocator.py",
)
collect_ignore = list(POSIX_ALONE) if os.name == "nt" else []
# A corpus that reads in a moment, a network that trains in seconds.
TINY = [
    "dataset.collections=[nottingham-dataset,miscFolk]",
    "transforms.abc_tokens.min_count=1",
    "model.net.width=16",
    "loader.batch_size=16",
    "trainer=cpu",
    "trainer.log_every_n_steps=1",
    "sample.num=2",
    "sample.max_tokens=40",
    "baselines=[1]",
    "~callbacks.panel",
]


# What is kept on a session's config.
LEFT_OUT = pytest.StashKey[set[str]]()  # node ids of slow tests that do not run
SERVER = pytest.StashKey[warm.Server]()
ADDRESS = pytest.StashKey[str]()  # of the server
COMPOSED = pytest.StashKey[tempfile.TemporaryDirectory[str]]()  # of `tests.composing`


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="run the slow tests too")


def pytest_configure(config):
    config.stash[LEFT_OUT] = set()
    if hasattr(config, "workerinput"):  # a worker of pytest-xdist
        config.stash[ADDRESS] = config.workerinput["address"]
    else:
        config.stash[SERVER] = warm.Server(ROOT)
        config.stash[ADDRESS] = config.stash[SERVER].address
        config.stash[COMPOSED] = tempfile.TemporaryDirectory()
        os.environ["TESTS_COMPOSED"] = config.stash[COMPOSED].name  # for workers too
        fork_workers(config)
    os.environ[warm.ADDRESS] = config.stash[ADDRESS]


def fork_workers(config):
    """Have the warm process fork the workers of pytest-xdist, if the whole suite runs.

    Each would import for ten seconds what that has imported; a few files may need none of it.
    """
    address, specs = config.stash[ADDRESS], config.getoption("tx", [])
    if address and [Path(word).resolve() for word in config.args] == [ROOT / "tests"]:
        forked = f"popen//python={shlex.quote(warm.python_at(address))}"
        config.option.tx = [forked if spec == "popen" else spec for spec in specs]


def pytest_unconfigure(config):
    if SERVER in config.stash:
        config.stash[SERVER].close()
        config.stash[COMPOSED].cleanup()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """Hand a worker what it needs of this process."""
    node.workerinput["address"] = node.config.stash[ADDRESS]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Send workers the quick tests by files, which costs less than a message for every test.

    What a file prepares is prepared once, too. Slow tests are sent one by one.
    """
    from xdist.scheduler import LoadGroupScheduling  # which is an optional dependency of pytest

    class LoadFilesAndGroups(LoadGroupScheduling):
        def _split_scope(self, nodeid):
            return super()._split_scope(nodeid).partition("::")[0]

    return None if config.option.all else LoadFilesAndGroups(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Fail to collect a file whose slow tests do not say why they are."""
    report = yield
    for item in report.result:
        marker = item.get_closest_marker("slow") if isinstance(item, pytest.Item) else None
        if marker and not (len(marker.args) == 1 and str(marker.args[0]).strip()):
            report.outcome, report.result = "failed", []
            report.longrepr = f'{item.nodeid}: write @pytest.mark.slow("why it cannot be fast")'
            break
    return report


def pytest_collection_modifyitems(config, items):
    """Leave out slow tests, unless all are asked for or a node id names them."""
    if config.option.all:
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)  # quick ones fill gaps
    else:
        slow = {item for item in items if item.get_closest_marker("slow") and not is_named(item)}
        items[:] = [item for item in items if item not in slow]
        count_left_out(config, {item.nodeid for item in slow})


def is_named(item):
    """Whether the command line holds the node id of a test, with or without its parameters."""
    for word in item.config.args:
        path, *names = word.split("::")
        file = (item.config.invocation_params.dir / path).resolve()
        if file == item.path and names and names[-1] in (item.name, item.originalname):
            return True
    return False


def count_left_out(config, names):
    new = names - config.stash[LEFT_OUT]
    config.stash[LEFT_OUT].update(new)
    items = [SimpleNamespace(nodeid=name) for name in sorted(new)]
    config.hook.pytest_deselected(items=items)  # which the last line counts


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = sorted(session.config.stash[LEFT_OUT])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Count what a worker left out, which pytest-xdist does not."""
    count_left_out(node.config, set(getattr(node, "workeroutput", {}).get("left_out", ())))


def pytest_terminal_summary(terminalreporter, config):
    if count := len(config.stash[LEFT_OUT]):
        tests = "test" if count == 1 else "tests"
        terminalreporter.write_line(f"{count} slow {tests} left out; --all runs everything")


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A folder of this session that all workers of pytest-xdist have in common."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def run_main(pytestconfig, shared):
    """Run ``main.py`` with its outputs in a folder of the test's; it must succeed unless told.

    All runs share the prepared corpora, unless a test names a folder of its own for them.
    """

    def run(outputs: Path, *arguments: str, check: bool = True, data: Path | None = None):
        environment = {
            **os.environ,
            "SYMBOTUNES_OUTPUTS": str(outputs),
            "SYMBOTUNES_DATA": str(data or shared / "data"),
            "OMP_NUM_THREADS": "1",
            "WANDB_MODE": "offline",
        }
        result = warm.run(pytestconfig.stash[ADDRESS], ["main.py", *arguments], environment)
        if check:
            assert result.returncode == 0, result.stdout + result.stderr
        return result

    return run


@pytest.fixture(scope="session")
def trained(run_main, shared):
    """The folder of a finished tiny training run, which one worker does for all of them."""
    outputs, finished = shared / "trained" / "outputs", shared / "trained" / "finished"
    with FileLock(shared / "trained.lock"):
        if not finished.exists():
            shutil.rmtree(outputs, ignore_errors=True)
            run_main(outputs, *TINY, "trainer.max_steps=12", "trainer.val_check_interval=4")
            finished.touch()
    (folder,) = (outputs / "train").iterdir()
    return folder
