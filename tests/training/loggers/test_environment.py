"""W&B's own environment variables win over our defaults and lose to the command line."""

import time

import pytest
from omegaconf import OmegaConf

from symbotunes.config.build import build_many
from symbotunes.training.loggers.environment import with_environment
from tests.composing import composed

VARIABLES = {
    "WANDB_PROJECT": "thesis",
    "WANDB_NAME": "mine",
    "WANDB_TAGS": "a, b,",
    "WANDB_RUN_GROUP": "g",
    "WANDB_NOTES": "first try",
    "WANDB_JOB_TYPE": "pilot",
    "WANDB_ENTITY": "team",
}


@pytest.fixture
def variables(monkeypatch):
    for name in ("WANDB_DIR", "WANDB_DISABLED", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)


def config(*typed):
    """The config of a run with these arguments, as a job of a sweep has it."""
    cfg = composed("logger=wandb", "paths.run_dir=run", "name=x", *typed)
    cfg.sweep.overrides = ["logger=wandb", *typed]
    return cfg


def test_variables_win_over_defaults_and_the_config_keeps_its_own(variables):
    cfg = config()
    before = OmegaConf.to_container(cfg, resolve=True)
    node = with_environment(cfg).wandb
    assert dict(node) | {"tags": list(node.tags)} == {
        **before["logger"]["wandb"],
        "project": "thesis",
        "name": "mine",
        "tags": ["a", "b"],
        "group": "g",
        "notes": "first try",
        "job_type": "pilot",
        "entity": "team",
    }
    assert OmegaConf.to_container(cfg, resolve=True) == before


def test_the_command_line_wins_over_variables(variables, monkeypatch):
    monkeypatch.setenv("WANDB_DIR", "elsewhere")
    monkeypatch.setenv("WANDB_DISABLED", "true")
    node = with_environment(
        config(
            "logger.wandb.project=symbotunes", "logger.wandb.tags=[c]", "logger.wandb.mode=offline",
            "logger.wandb.save_dir=here",
        )
    ).wandb  # fmt: skip
    assert (node.project, node.name, node.mode) == ("symbotunes", "mine", "offline")
    assert list(node.tags) == ["c"]
    assert (node.save_dir, node.get("files")) == ("here", None)


@pytest.mark.parametrize(
    ("value", "expected"), [("true", "disabled"), ("1", "disabled"), ("false", None), ("", None)]
)
def test_wandb_is_disabled_by_its_variable(monkeypatch, value, expected):
    monkeypatch.setenv("WANDB_DISABLED", value)
    assert with_environment(config()).wandb.mode == expected


def test_other_loggers_and_none_are_left_alone(variables):
    cfg = config()
    cfg.logger = {"csv": {"_target_": "x.Csv", "project": "p", "name": "n"}, "nothing": None}
    assert with_environment(cfg) == cfg.logger
    cfg.logger = {}
    assert with_environment(cfg) is None


def test_files_lie_in_the_folder_of_the_variable_and_the_id_with_the_run(
    no_account, run_dir, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("WANDB_DIR", str(tmp_path / "space"))
    cfg = config()
    cfg.paths.run_dir = str(run_dir)
    for step in (0, 1):
        (logger,) = build_many(with_environment(cfg))
        logger.log_metrics({"a": 1}, step=step)
        logger.finish(0)
        begun = int(time.time())
        while int(time.time()) == begun:  # W&B names folders by the second
            time.sleep(0.05)
    assert (run_dir / "wandb_id").read_text() == f"{logger.version}\n"
    folders = sorted((tmp_path / "space" / "wandb").glob(f"offline-run-*-{logger.version}"))
    assert len(folders) == 2
    assert not (run_dir / "wandb").exists()
    assert capsys.readouterr().out.endswith(f"wandb sync {folders[0]} {folders[1]}\n")
