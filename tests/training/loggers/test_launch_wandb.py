"""``launch/wandb``: what an agent of W&B would start, and the view of a project."""

import json
import os
import subprocess
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf

from symbotunes.training.loggers.records import history, records
from tests import warm
from tests.conftest import ROOT, TINY
from tests.wandb_files import closed_files

FOLDER = ROOT / "launch" / "wandb"
SWEEPS = sorted(FOLDER.glob("*.yaml"))
METRICS = {  # what README.md says is logged
    "train/loss", "val/loss", "val/best_loss", "optim/learning_rate", "optim/gradient_norm",
    "speed/tokens_per_second", "speed/mfu", "memory/peak_gib", "train/kl_nats", "val/kl_nats",
    "train/reconstruction_nats", "val/reconstruction_nats", "val/active_units",
}  # fmt: skip


def drawn(parameters: dict) -> dict:
    """One choice of a sweep, as W&B's server sends it: the lowest of every range."""
    return {
        key: {"value": space["values"][0] if "values" in space else space["min"]}
        for key, space in parameters.items()
    }


@pytest.fixture
def started(monkeypatch, tmp_path):
    """The command and environment with which W&B's own agent would start a run of a sweep."""
    from wandb import wandb_agent

    seen = {}

    class Process:
        def __init__(self, command=None, env=None, **_: object) -> None:
            seen.update(command=command, env=env)

    monkeypatch.setattr(wandb_agent, "AgentProcess", Process)
    for name, value in {
        "WANDB_SWEEP_ID": "sweep123",
        "WANDB_DIR": str(tmp_path),
        "WANDB_MODE": "offline",
        "WANDB_RUN_ID": "",
        "WANDB_SWEEP_PARAM_PATH": "",
        "PATH": os.pathsep.join([str(Path(warm.python()).parent), os.environ["PATH"]]),
    }.items():
        monkeypatch.setenv(name, value)

    def start(path: Path) -> tuple[list[str], dict[str, str]]:
        sweep = yaml.safe_load(path.read_text())
        agent = wandb_agent.Agent(api=None, queue=None, sweep_id="sweep123")
        agent._sweep_command = sweep["command"]
        order = {"type": "run", "run_id": "run4567", "program": sweep["program"]}
        answer = agent._process_command({**order, "args": drawn(sweep["parameters"])})
        assert "exception" not in answer, answer
        return seen["command"], seen["env"]

    return start


@pytest.mark.slow("starts the program for every sweep")
@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_hydra_composes_what_an_agent_starts(started, path):
    command, env = started(path)
    assert command[:3] == ["/usr/bin/env", "python", "main.py"]
    result = subprocess.run(
        [*command, "--cfg", "job"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    cfg = OmegaConf.create(result.stdout)
    assert cfg.logger.wandb.project == "symbotunes"
    for key, choice in drawn(yaml.safe_load(path.read_text())["parameters"]).items():
        if key != "model":  # a group, not a value
            assert OmegaConf.select(cfg, key) == choice["value"]


@pytest.mark.slow("trains in a process of its own, as W&B's agent does")
def test_a_run_that_an_agent_starts_belongs_to_the_sweep_and_logs_what_it_minimizes(
    started, tmp_path
):
    command, env = started(FOLDER / "folk_rnn.yaml")
    env |= {"SYMBOTUNES_OUTPUTS": str(tmp_path / "outputs"), "OMP_NUM_THREADS": "1"}
    short = [*TINY, "trainer.max_steps=1", "trainer.val_check_interval=1", "baselines=[]"]
    result = subprocess.run(
        [*command, *short], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    (path,) = closed_files(tmp_path, "run4567")  # WANDB_DIR, as the agent has set it
    run = next(record.run for record in records(path) if record.HasField("run"))
    assert run.sweep_id == "sweep123"
    assert [row["val/best_loss"] for row in history(path) if "val/best_loss" in row]


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_a_sweep_names_itself_like_its_file_and_minimizes_the_best_loss(path):
    sweep = yaml.safe_load(path.read_text())
    assert sweep["name"] == path.stem
    assert sweep["metric"] == {"name": "val/best_loss", "goal": "minimize"}
    assert "${args_no_hyphens}" in sweep["command"]
    assert f"`{path.name}`" in (FOLDER / "README.md").read_text()


def test_the_view_shows_metrics_that_are_logged(monkeypatch):
    spec = spec_from_file_location("workspace", FOLDER / "workspace.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    view = module.workspace("somebody", "folk")
    shown = {
        metric
        for section in view.sections
        for panel in section.panels
        for metric in getattr(panel, "y", [])
    }
    assert {getattr(metric, "name", metric) for metric in shown} == METRICS
    content = json.loads(view._to_model().model_dump_json(by_alias=True))  # what saving would send
    sections = content["spec"]["section"]["panelBankConfig"]["sections"]
    assert [section["name"] for section in sections] == [section.name for section in view.sections]


def test_every_metric_of_the_view_is_explained():
    text = (FOLDER / "README.md").read_text()
    for name in METRICS:
        short = name.replace("val/", "train/") if name.endswith("_nats") else name
        assert f"`{short}`" in text, name
