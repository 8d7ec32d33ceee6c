"""What a cluster's scheduler says about this process, and what of that Lightning may believe."""

import os
from collections.abc import Mapping

import lightning
from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment

from symbotunes.errors import UserError

MACHINE = ("NODE_RANK", "GROUP_RANK")  # which of several machines this is, for Lightning


def step_tasks(environment: Mapping[str, str]) -> int:
    """How many processes the ``srun`` that started this one has started; 1 if none did.

    Not ``SLURM_NTASKS``, which holds what the whole allocation was asked for: a shell of
    ``salloc -n 4`` and a script of ``sbatch --ntasks=4`` have it, too, and run once.

    Args:
        environment: the environment variables.
    """
    asked = environment.get("SLURM_NTASKS") if "SLURM_STEP_ID" in environment else None
    number = environment.get("SLURM_STEP_NUM_TASKS") or asked or "1"
    return int(number) if number.isdecimal() else 1


def own_environment() -> list[ClusterEnvironment]:
    """Lightning's own environment, for a process that SLURM runs once; else an empty list.

    Lightning believes that it is one of ``SLURM_NTASKS`` processes, and refuses to train or waits
    for the others. With its own environment, it trains in this process, and starts further
    processes itself if ``trainer.devices`` asks for them.
    """
    if TorchElasticEnvironment.detect() or not SLURMEnvironment.detect():
        return []
    return [LightningEnvironment()] if step_tasks(os.environ) == 1 else []


def refuse_other_numbers(trainer: lightning.Trainer) -> None:
    """Refuse to train in other numbers of processes and machines than were started.

    Raises:
        UserError: if ``srun`` has started more processes than the training has, each of which would
            train on its own; or if ``trainer.num_nodes`` asks for machines on which nothing runs,
            for which the training would wait.
    """
    devices, machines = trainer.num_devices, trainer.num_nodes
    if SLURMEnvironment.detect() and not TorchElasticEnvironment.detect():
        tasks = step_tasks(os.environ)
        if tasks not in (1, devices * machines):
            raise UserError(
                f"srun has started {tasks} processes, and trainer.devices={devices} on "
                f"trainer.num_nodes={machines} makes {devices * machines}: start as many, or set "
                "these keys with trainer=ddp"
            )
    environment = getattr(trainer.strategy, "cluster_environment", None)
    alone = isinstance(environment, LightningEnvironment) and not set(MACHINE) & set(os.environ)
    if machines > 1 and alone:
        raise UserError(
            f"trainer.num_nodes={machines}: this process was started on one machine alone; start "
            "it on each of them with srun or torchrun, or use launch=slurm"
        )
