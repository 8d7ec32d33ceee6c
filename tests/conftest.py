"""Tiny runs of the real program, shared by the tests that need one."""

import os
from pathlib import Path

import pytest

from tests.warm import Server

os.environ.setdefault("OMP_NUM_THREADS", "1")  # pytest has a process on every core already
ROOT = Path(__file__).parents[1]
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


@pytest.fixture(scope="session")
def run_main():
    """Run ``main.py`` with its outputs in a folder of the test's; it must succeed unless told."""
    server = Server(ROOT)

    def run(outputs: Path, *arguments: str, check: bool = True):
        environment = {
            **os.environ,
            "SYMBOTUNES_OUTPUTS": str(outputs),
            "SYMBOTUNES_DATA": str(outputs.parent / "data"),
            "OMP_NUM_THREADS": "1",
            "WANDB_MODE": "offline",
        }
        result = server.run(["main.py", *arguments], environment)
        if check:
            assert result.returncode == 0, result.stdout + result.stderr
        return result

    yield run
    server.close()


@pytest.fixture(scope="session")
def trained(run_main, tmp_path_factory):
    """The folder of a finished tiny training run."""
    outputs = tmp_path_factory.mktemp("trained") / "outputs"
    run_main(outputs, *TINY, "trainer.max_steps=12", "trainer.val_check_interval=4")
    (folder,) = (outputs / "train").iterdir()
    return folder
