"""The recipes of ``launch/`` on an actual SLURM cluster of two nodes, both on this machine.

The cluster needs root and Debian's slurmctld, slurmd, slurm-client and munge. Without them the
tests fail for root in continuous integration, and are skipped elsewhere.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch

from tests import warm
from tests.conftest import ROOT
from tests.training.test_resume import LONG, PATIENCE, WAITING, assert_same_end, state

pytestmark = [
    pytest.mark.xdist_group("slurm"),
    pytest.mark.slow("starts a SLURM cluster, whose jobs import torch and are killed"),
]
TRAINING = [*LONG, *WAITING, "loader.batch_size=16", "logger=[csv,wandb]", "seed=1"]
NEEDED = ("slurmctld", "slurmd", "sbatch", "munged")
ENDS = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """The environment in which SLURM's commands speak to the cluster."""
    missing = [name for name in NEEDED if shutil.which(name, path=searched()) is None]
    if os.getuid() != 0 or (missing and "CI" not in os.environ):
        pytest.skip(f"a cluster needs root and {', '.join(missing) or 'the rest is here'}")
    assert not missing, "apt-get install slurmctld slurmd slurm-client munge"
    folder = tmp_path_factory.mktemp("slurm")
    script = ROOT / "tests" / "cluster" / "slurm_cluster.sh"
    (folder / "outputs").mkdir()  # SLURM writes the logs of jobs there, and makes no folders
    environment = {
        **os.environ,
        "PATH": f"{Path(warm.python()).parent}:{Path(sys.executable).parent}:{searched()}",
        "PYTHONPATH": str(ROOT),
        "SLURM_CONF": str(folder / "slurm.conf"),
        "SYMBOTUNES_OUTPUTS": str(folder / "outputs"),
        "SYMBOTUNES_DATA": str(folder / "data"),
        "OMP_NUM_THREADS": "1",
        "WANDB_MODE": "offline",
        "MASTER_ADDR": "127.0.0.1",  # the nodes' names are in no DNS
    }
    try:
        # The daemons keep their standard output, which must not be a pipe that is waited on.
        with (folder / "start.log").open("w") as log:
            subprocess.run(
                ["bash", script, "start", folder],
                env=environment, stdout=log, stderr=log, timeout=60, check=True,
            )  # fmt: skip
        yield environment
    finally:
        subprocess.run(["bash", script, "stop", folder], env=environment, check=True)


def searched() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


@pytest.fixture(scope="module")
def undisturbed(cluster):
    """The end of a training that nothing stopped, away from the cluster."""
    run = Path(cluster["SYMBOTUNES_OUTPUTS"]) / "undisturbed"
    command = [warm.python(), "main.py", *LONG, "seed=1", f"hydra.run.dir={run}"]
    subprocess.run(command, cwd=ROOT, env=cluster, check=True, capture_output=True)
    return state(run)


def slurm(cluster: dict[str, str], *command: str) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env=cluster, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def submit(
    cluster: dict[str, str], recipe: str, *arguments: str, options: Sequence[str] = ()
) -> str:
    """Hand a recipe to the queue as it is; the job's number."""
    log = f"{cluster['SYMBOTUNES_OUTPUTS']}/%j.log"
    command = ["sbatch", "--parsable", "-o", log, *options, f"launch/{recipe}", *arguments]
    return slurm(cluster, *command)


def wait(what: str, found: Callable[[], bool], log: Path | None = None) -> None:
    end = time.monotonic() + PATIENCE
    while not found():
        said = log.read_text()[-3000:] if log and log.exists() else ""
        assert time.monotonic() < end, f"{what} did not happen\n{said}"
        time.sleep(0.2)


def job_field(cluster: dict[str, str], job: str, field: str) -> str:
    words = slurm(cluster, "scontrol", "show", "job", job).split()
    return next(word.partition("=")[2] for word in words if word.startswith(f"{field}="))


def wait_for_end(cluster: dict[str, str], job: str) -> None:
    log = Path(cluster["SYMBOTUNES_OUTPUTS"]) / f"{job}.log"
    wait("the end", lambda: job_field(cluster, job, "JobState") in ENDS, log)
    assert job_field(cluster, job, "JobState") == "COMPLETED", log.read_text()[-3000:]


def wait_for_progress(cluster: dict[str, str], job: str) -> None:
    """Until this attempt has written a checkpoint of its own."""
    outputs, since = Path(cluster["SYMBOTUNES_OUTPUTS"]), time.time()
    last, log = outputs / "slurm" / job / "checkpoints" / "last.ckpt", outputs / f"{job}.log"

    def written() -> bool:
        assert job_field(cluster, job, "JobState") not in ENDS, log.read_text()[-3000:]
        return last.exists() and last.stat().st_mtime > since

    wait("a checkpoint", written, log)


def wait_for_restart(cluster: dict[str, str], job: str, times: int) -> None:
    """Until the job makes its next attempt."""
    log = Path(cluster["SYMBOTUNES_OUTPUTS"]) / f"{job}.log"

    def again() -> bool:
        state_of_job = job_field(cluster, job, "JobState")
        assert state_of_job not in ENDS - {"COMPLETED"}, log.read_text()[-3000:]
        restarts = int(job_field(cluster, job, "Restarts"))
        return restarts >= times and state_of_job in ("RUNNING", "COMPLETED")

    wait(f"restart {times}", again, log)


def test_a_job_comes_back_from_a_preemption_and_from_a_drained_node(cluster, undisturbed):
    job = submit(cluster, "single.sbatch", *TRAINING, "callbacks.waiting.attempts=2")
    runs = Path(cluster["SYMBOTUNES_OUTPUTS"]) / "slurm"
    others, run = set(runs.glob("*")) - {runs / job}, runs / job
    wait_for_progress(cluster, job)
    identity = (run / "wandb_id").read_text()
    slurm(cluster, "scontrol", "requeue", job)  # as a job of higher priority does: SIGTERM
    wait_for_restart(cluster, job, 1)

    wait_for_progress(cluster, job)
    node = job_field(cluster, job, "NodeList")
    for state_of_node in ("drain", "down"):  # a node that is only drained lets its jobs end
        change = [f"nodename={node}", f"state={state_of_node}", "reason=test"]
        slurm(cluster, "scontrol", "update", *change)
    wait_for_restart(cluster, job, 2)
    other = job_field(cluster, job, "NodeList")
    slurm(cluster, "scontrol", "update", f"nodename={node}", "state=resume")

    wait_for_end(cluster, job)
    assert {node, other} == {"n1", "n2"}
    assert_same_end(state(run), undisturbed)
    assert (run / "wandb_id").read_text() == identity
    assert {path.name.split("-")[-1] for path in (run / "wandb").glob("offline-run-*")} == {
        identity.strip()
    }
    assert set(runs.iterdir()) - others == {run}


def test_a_job_comes_back_when_its_time_is_up(cluster, undisturbed):
    job = submit(cluster, "single.sbatch", *TRAINING, options=["--time=60"])
    wait_for_progress(cluster, job)
    # The recipe asks for the signal two minutes before the limit. SLURM looks every half minute.
    slurm(cluster, "scontrol", "update", f"jobid={job}", "EndTime=now+140")
    wait_for_restart(cluster, job, 1)
    slurm(cluster, "scontrol", "update", f"jobid={job}", "TimeLimit=60")
    wait_for_end(cluster, job)
    outputs = Path(cluster["SYMBOTUNES_OUTPUTS"])
    assert "SIGUSR1: stopping" in (outputs / f"{job}.log").read_text()
    assert_same_end(state(outputs / "slurm" / job), undisturbed)


def test_two_nodes_train_together(cluster):
    job = submit(
        cluster, "nodes.sbatch", *LONG, "trainer.accelerator=cpu", "trainer.precision=32-true",
        "trainer.max_steps=2", "loader.batch_size=2", "trainer.val_check_interval=1",
        "+callbacks.spy._target_=tests.training.spy.Nodes",
    )  # fmt: skip
    wait_for_end(cluster, job)
    run = Path(cluster["SYMBOTUNES_OUTPUTS"]) / "slurm" / job
    assert [(run / f"node_{rank}.txt").read_text() for rank in (0, 1)] == ["n1 of 2", "n2 of 2"]
    assert state(run)["global_step"] == 2
    first, second = (each["torch"] for each in state(run)["rng"])
    assert not torch.equal(first, second)  # they drew for batches of other lengths


def test_a_preempted_job_of_a_sweep_goes_on_where_it_was(cluster, undisturbed):
    command = [
        warm.python(), "main.py", "--multirun", "launch=slurm", *TRAINING,
        "callbacks.waiting.attempts=1,0", "hydra.launcher.cpus_per_task=1",
    ]  # fmt: skip
    root = Path(cluster["SYMBOTUNES_OUTPUTS"]) / "multirun"
    log = root.parent / "sweep.log"
    with log.open("w") as output:
        sweep = subprocess.Popen(command, cwd=ROOT, env=cluster, stdout=output, stderr=output)
    try:
        wait("a checkpoint", lambda: bool(list(root.glob("*/0/checkpoints/last.ckpt"))), log)
        (folder,) = root.iterdir()
        listed = slurm(cluster, "squeue", "-h", "-r", "-o", "%i %F_%K").split()
        first = next(name for name in listed if name.endswith("_0"))
        slurm(cluster, "scancel", "--signal=USR2", first)  # what submitit asks SLURM to send
        assert sweep.wait(PATIENCE) == 0, log.read_text()[-3000:]
    finally:
        sweep.kill()
    for job in ("0", "1"):
        assert_same_end(state(folder / job), undisturbed)
    assert "SIGUSR2: stopping" in "".join(
        path.read_text() for path in (folder / ".submitit").rglob("*_log.*")
    )
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == [
        ".submitit",
        "0",
        "1",
        "wandb",
    ]
    assert "2 of 2 jobs finished" in (folder / "sweep.html").read_text()
