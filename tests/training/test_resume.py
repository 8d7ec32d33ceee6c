"""A run that was interrupted or killed ends with the weights of one that was not, bit for bit."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch

from tests import warm
from tests.conftest import ROOT, TINY

pytestmark = pytest.mark.xdist_group("resume")  # one process trains undisturbed
# Two epochs and a half of 9 batches; validation and checkpoints fall inside and on their edges.
STEPS = 24
LONG = [
    *TINY,
    f"trainer.max_steps={STEPS}",
    f"model.scheduler.steps={STEPS}",  # the same rates, wherever a part of the run ends
    "trainer.val_check_interval=3",
    "baselines=[]",
    "sample.num=1",
    "sample.max_tokens=5",
]
# A run validates, and writes a checkpoint, in three steps, and waits for a signal in the fourth.
WAITING = [
    "+callbacks.waiting._target_=tests.training.spy.Waiting",
    "+callbacks.waiting.steps=4",
    "+callbacks.waiting.attempts=1",
]
PATIENCE = 900  # seconds after which nothing will come any more; what is tested waits for events


def state(folder: Path) -> dict:
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)


def assert_same_end(one: dict, other: dict) -> None:
    assert one["global_step"] == other["global_step"] == STEPS
    for name, tensor in one["state_dict"].items():
        assert torch.equal(tensor, other["state_dict"][name]), name
    moments = [
        [
            tensor
            for slot in run["optimizer_states"][0]["state"].values()
            for tensor in slot.values()
        ]
        for run in (one, other)
    ]
    assert all(torch.equal(a, b) for a, b in zip(*moments, strict=True))
    assert torch.equal(one["rng"][0]["torch"], other["rng"][0]["torch"])


@pytest.fixture(scope="module")
def undisturbed(run_main, tmp_path_factory):
    outputs = tmp_path_factory.mktemp("undisturbed") / "outputs"
    run_main(outputs, *LONG)
    (folder,) = (outputs / "train").iterdir()
    return state(folder)


@pytest.mark.parametrize(
    "stop",
    [
        pytest.param(3, marks=pytest.mark.slow("trains like the next, to the end of a validation")),
        pytest.param(9, marks=pytest.mark.slow("trains like the next, to the end of an epoch")),
        pytest.param(10, marks=pytest.mark.slow("trains twice with the program, and resumes")),
    ],
)
def test_a_run_that_is_prolonged_equals_one_that_ran_through(run_main, undisturbed, tmp_path, stop):
    run_main(tmp_path / "outputs", *LONG, f"trainer.max_steps={stop}")
    (folder,) = (tmp_path / "outputs" / "train").iterdir()
    last = folder / "checkpoints" / "last.ckpt"
    assert state(folder)["global_step"] == stop
    run_main(tmp_path / "outputs", f"ckpt={last}", f"trainer.max_steps={STEPS}", "trainer=cpu")
    assert_same_end(state(folder), undisturbed)
    assert len(list((tmp_path / "outputs" / "train").iterdir())) == 1


def start(outputs: Path, *arguments: str) -> subprocess.Popen:
    environment = {
        **os.environ,
        "SYMBOTUNES_OUTPUTS": str(outputs),
        "SYMBOTUNES_DATA": str(outputs.parent / "data"),
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.Popen(
        [warm.python(), "main.py", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for(pattern: str, outputs: Path, process: subprocess.Popen) -> Path:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = list(outputs.glob(pattern))
        if found:
            return found[0]
        assert process.poll() is None, "the run ended before it could be stopped"
        time.sleep(0.005)
    raise AssertionError(f"no {pattern} within {PATIENCE} seconds")


@pytest.mark.slow("kills a training, which has to be a process of its own")
@pytest.mark.parametrize(("name", "status"), [("SIGKILL", -9), ("SIGTERM", 143)])
def test_a_run_that_is_stopped_and_resumed_equals_one_that_ran_through(
    run_main, undisturbed, tmp_path, monkeypatch, name, status
):
    outputs = tmp_path / "outputs"
    process = start(outputs, *LONG, *WAITING)
    last = wait_for("train/*/checkpoints/last.ckpt", outputs, process)
    process.send_signal(signal.Signals[name])
    assert process.wait(PATIENCE) == status
    assert torch.load(last, weights_only=True)["global_step"] < STEPS
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")  # the second attempt does not wait
    run_main(outputs, f"ckpt={last}", "trainer=cpu")
    assert_same_end(state(last.parents[1]), undisturbed)


ACCUMULATED = ["trainer.accumulate_grad_batches=2"]  # five steps in each pass over nine batches


@pytest.fixture(scope="module")
def undisturbed_by_twos(run_main, tmp_path_factory):
    outputs = tmp_path_factory.mktemp("by_twos") / "outputs"
    run_main(outputs, *LONG, *ACCUMULATED)
    (folder,) = (outputs / "train").iterdir()
    return state(folder)


@pytest.mark.slow("kills a training, which has to be a process of its own")
def test_a_run_that_is_stopped_while_gradients_accumulate_equals_one_that_ran_through(
    run_main, undisturbed_by_twos, tmp_path, monkeypatch
):
    outputs = tmp_path / "outputs"
    process = start(outputs, *LONG, *ACCUMULATED, *WAITING)
    last = wait_for("train/*/checkpoints/last.ckpt", outputs, process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 143
    assert torch.load(last, weights_only=True)["global_step"] < STEPS
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")  # the second attempt does not wait
    run_main(outputs, f"ckpt={last}", "trainer=cpu")
    assert_same_end(state(last.parents[1]), undisturbed_by_twos)


@pytest.mark.slow("runs the program for every setting")
@pytest.mark.parametrize(
    "change", ["model.net.width=8", "loader.batch_size=4", "transforms=[abc_tokens]"]
)
def test_a_resumed_run_refuses_to_become_another(run_main, trained, tmp_path, change):
    last = trained / "checkpoints" / "last.ckpt"
    result = run_main(tmp_path, f"ckpt={last}", change, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith(
        f"error: {change}: a resumed run keeps the settings of its checkpoint"
    )
