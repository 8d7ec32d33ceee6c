"""A training inside an allocation of SLURM's is one process, unless ``srun`` starts several."""

import json

import pytest
from lightning.pytorch.plugins.environments import LightningEnvironment, SLURMEnvironment

from symbotunes.errors import UserError
from symbotunes.training.cluster import step_tasks
from symbotunes.training.trainer import make_trainer
from tests.conftest import TINY

# What a script of `sbatch --ntasks=4` finds; a shell of `salloc -n 4` lacks the last three.
ALLOCATED = {
    "SLURM_JOB_ID": "77",
    "SLURM_NTASKS": "4",
    "SLURM_JOB_NAME": "train",
    "SLURM_PROCID": "0",
    "SLURM_LOCALID": "0",
    "SLURM_NODEID": "0",
}
PLAIN = {
    "accelerator": "cpu",
    "precision": "32-true",
    "max_steps": 2,
    "logger": False,
    "enable_checkpointing": False,
}


@pytest.fixture
def slurm(monkeypatch):
    for name in ("SLURM_STEP_ID", "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS_PER_NODE", "SLURM_NNODES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ALLOCATED.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, 1),
        (ALLOCATED, 1),
        (ALLOCATED | {"SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "4"}, 4),
        (ALLOCATED | {"SLURM_STEP_ID": "0"}, 4),  # SLURM of before the other variable
        # A shell that salloc runs on the first machine, as one task of a step.
        (ALLOCATED | {"SLURM_STEP_ID": "4294967290", "SLURM_STEP_NUM_TASKS": "1"}, 1),
    ],
)
def test_only_srun_makes_a_process_one_of_several(environment, expected):
    assert step_tasks(environment) == expected


def test_a_plain_training_in_an_allocation_of_several_tasks_is_one_process(slurm):
    trainer = make_trainer(**PLAIN)
    assert trainer.world_size == 1


def test_several_devices_in_an_allocation_are_processes_that_the_training_starts(slurm):
    trainer = make_trainer(**PLAIN, devices=2)
    environment = trainer.strategy.cluster_environment
    assert isinstance(environment, LightningEnvironment)
    assert not environment.creates_processes_externally


def test_processes_that_srun_has_started_are_slurms(slurm, monkeypatch):
    for name, value in {
        "SLURM_STEP_ID": "0",
        "SLURM_STEP_NUM_TASKS": "4",
        "SLURM_NTASKS_PER_NODE": "4",
    }.items():
        monkeypatch.setenv(name, value)
    trainer = make_trainer(**PLAIN, devices=4)
    assert isinstance(trainer.strategy.cluster_environment, SLURMEnvironment)
    with pytest.raises(UserError, match=r"^srun has started 4 processes, and trainer.devices=1"):
        make_trainer(**PLAIN)  # four trainings at once


def test_machines_that_nothing_has_started_are_not_waited_for(monkeypatch):
    monkeypatch.delenv("NODE_RANK", raising=False)
    with pytest.raises(UserError, match=r"^trainer.num_nodes=2: .*launch=slurm$"):
        make_trainer(**PLAIN, num_nodes=2)
    monkeypatch.setenv("NODE_RANK", "0")
    assert make_trainer(**PLAIN, num_nodes=2).num_nodes == 2


@pytest.mark.slow("trains twice, once as the job of a sweep, in a process of its own")
def test_a_run_and_a_local_sweep_in_an_allocation_train_as_one_process(slurm, run_main, tmp_path):
    short = [*TINY, "baselines=[]", "trainer.max_steps=2", "trainer.val_check_interval=0.001"]
    short += ["trainer.limit_train_batches=0.001", "trainer.limit_val_batches=0.001"]
    run_main(tmp_path / "outputs", *short)
    run_main(tmp_path / "outputs", "--multirun", *short, "seed=1")
    records = list((tmp_path / "outputs").rglob("run.json"))
    assert len(records) == 2
    for path in records:
        record = json.loads(path.read_text())
        assert record["status"] == "finished"
        assert record["devices"] == 1
        assert record["step"] == 2
