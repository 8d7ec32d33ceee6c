"""The shipped configs: all compose, all comment every key, none has a dead one."""

import os
import subprocess
import sys
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra.utils import get_object
from omegaconf import OmegaConf

from symbotunes.checkpoints.checkpoint import KEPT
from symbotunes.checkpoints.trust import TRAINING, defined_in, trusted_modules
from symbotunes.cli.command_line import register_resolvers
from tests.composing import composed

pytestmark = pytest.mark.xdist_group("configs")  # one process composes each choice once
CONF = Path(__file__).parents[2] / "conf"
FILES = sorted(path for path in CONF.rglob("*.yaml") if "hydra" not in path.parts)
OPTIONS = [
    f"{path.parent.relative_to(CONF)}={path.stem}"
    for path in FILES
    if path.parent != CONF
    and path.parent.name not in ("experiment", "transforms")
    and not path.stem.startswith("_")
]
EXPERIMENTS = [f"+experiment={path.stem}" for path in sorted((CONF / "experiment").glob("*.yaml"))]
TRANSFORMS = sorted(path.stem for path in (CONF / "transforms").glob("*.yaml"))


# Options of these decide about others, so that each is tried with what it brings along.
ALONE = ("model=", "debug=")


def together(options):
    """The options in as few lists as there can be with one of a group at most in each."""
    groups = {}
    for option in options:
        groups.setdefault(option.partition("=")[0], []).append(option)
    return [list(filter(None, row)) for row in zip_longest(*groups.values())]


CHOICES = [[name] for name in OPTIONS if name.startswith(ALONE)]
CHOICES += [[name] for name in EXPERIMENTS]
CHOICES += together([name for name in OPTIONS if not name.startswith(ALONE)])
CHOICES += [[f"transforms=[{','.join(TRANSFORMS)}]"]]  # a key of its own each


def targets_of(node):
    if isinstance(node, dict):
        yield from [node["_target_"]] if "_target_" in node else []
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
    for child in children:
        yield from targets_of(child)


@pytest.mark.parametrize("choices", CHOICES, ids=lambda choices: " ".join(choices)[:80])
def test_every_option_composes_and_every_target_exists(choices):
    if find_spec("ray") is None:  # 75 MB, in the extra `ray` only
        choices = [name for name in choices if name != "launch=ray"]
    cfg = OmegaConf.to_container(composed(*choices))
    if choices[0].startswith("transforms="):
        assert set(cfg["transforms"]) == set(TRANSFORMS)
    for target in targets_of(cfg):
        assert callable(get_object(target)), target


def test_every_option_is_among_the_choices():
    transforms = f"transforms=[{','.join(TRANSFORMS)}]"
    assert sorted(sum(CHOICES, [])) == sorted([*OPTIONS, *EXPERIMENTS, transforms])


@pytest.mark.parametrize("choice", [name for name in OPTIONS if name.startswith("model")])
def test_a_run_of_every_model_may_be_gone_on_from(choice):
    saved = OmegaConf.to_container(composed(choice))
    targets = [*targets_of({key: saved[key] for key in KEPT})]
    modules = trusted_modules(TRAINING)
    assert [name for name in targets if not defined_in(modules, name)] == []


def uncommented(text):
    """Lines with a leaf that do not say what it does; targets and defaults speak for themselves."""
    inside_defaults = False
    for line in text.splitlines():
        if line and not line.startswith((" ", "#")):
            inside_defaults = line.startswith("defaults:")
        stripped = line.strip()
        is_leaf = ": " in stripped and not stripped.startswith(("#", "- ")) and not inside_defaults
        speaks_for_itself = stripped.startswith(("_target_:", "mode:")) or not line.strip()
        if is_leaf and not speaks_for_itself and "  # " not in line:
            yield line


def test_every_key_is_commented():
    assert [(path.name, line) for path in FILES for line in uncommented(path.read_text())] == []
    assert [*uncommented("# A file.\nrate: 1  # per second\nsize: 2\n")] == ["size: 2"]


def test_every_file_opens_with_a_comment():
    for path in FILES:
        first, *_ = (line for line in path.open() if not line.startswith("# @package"))
        assert first.startswith("# "), path


def test_a_transform_file_holds_one_key_named_like_it():
    for path in (CONF / "transforms").glob("*.yaml"):
        assert list(yaml.safe_load(path.read_text())) == [path.stem]


def test_the_paper_size_model_chooses_the_published_vocabulary_and_the_user_can_choose_another():
    assert list(composed("model=folk_rnn").transforms) == ["abc_tokens_137"]
    chosen = composed("model=folk_rnn", "transforms=[abc_tokens,transpose]").transforms
    assert list(chosen) == ["abc_tokens", "transpose"]


def test_the_paper_experiment_is_the_published_regime():
    cfg = composed("+experiment=folk_rnn_paper")
    net, optimizer = cfg.model.net, cfg.model.optimizer
    assert (net.depth, net.width, net.dropout) == (3, 512, 0.5)
    assert (optimizer.lr, optimizer.rho, optimizer.eps) == (3e-3, 0.9, 1e-6)
    assert cfg.model.scheduler is None
    assert (cfg.loader.batch_size, cfg.loader.split.val, cfg.trainer.max_epochs) == (64, 0.05, 100)
    decayed = composed("+experiment=folk_rnn_paper", "model/scheduler=folk_rnn_decay")
    assert (decayed.model.scheduler.start_epoch, decayed.model.scheduler.factor) == (20, 0.97)


def test_a_value_on_the_command_line_beats_the_experiment():
    assert composed("+experiment=folk_rnn_paper", "loader.batch_size=8").loader.batch_size == 8


def test_resolving_needs_nothing_from_the_machine(monkeypatch):
    for name in ("SYMBOTUNES_DATA", "SYMBOTUNES_OUTPUTS"):
        monkeypatch.delenv(name, raising=False)
    cfg = composed()
    assert cfg.paths.root == "outputs"
    assert OmegaConf.select(cfg, "loader.cache") == "outputs/cache"


def test_fsdp_shards_the_weights_over_whatever_devices_there_are():
    trainer = composed("trainer=fsdp", "trainer.devices=2").trainer
    assert (trainer.strategy, trainer.accelerator, trainer.devices) == ("fsdp", "auto", 2)


def test_nothing_asks_for_a_device_while_a_config_is_composed():
    # Login nodes of clusters have no GPU.
    command = [sys.executable, "main.py", "trainer=gpu", "--cfg", "job"]
    hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, cwd=CONF.parent, env=hidden, capture_output=True, check=False)
    assert done.returncode == 0
    assert b"accelerator: gpu" in done.stdout


def hydra_of(*overrides):
    register_resolvers()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", [*overrides], return_hydra_config=True).hydra


def test_jobs_of_slurm_have_a_process_per_device_and_go_on_after_their_time():
    launcher = hydra_of("launch=slurm", "trainer.devices=4", "trainer.num_nodes=2").launcher
    assert (launcher.nodes, launcher.tasks_per_node) == (2, 4)
    assert launcher.max_num_timeout > 0  # the plug-in's 0 ends a job with its first time limit
    assert launcher.timeout_min > 60  # the plug-in's limit


def test_runs_and_sweeps_of_one_second_have_folders_of_their_own():
    one, other = hydra_of(), hydra_of()
    assert one.sweep.dir != other.sweep.dir
    assert one.run.dir != other.run.dir


def test_folders_of_jobs_are_numbers_whatever_they_override():
    hydra = OmegaConf.to_container(hydra_of("name=a/b"), resolve=False)
    assert hydra["sweep"]["subdir"] == "${hydra:job.num}"
    assert hydra["job"]["chdir"] is False


def test_a_failed_trial_does_not_end_a_search():
    assert hydra_of("sweep=optuna").sweeper.max_failure_rate == 1.0
