"""With resume=auto, a run of a version before families goes on by the rule that it knows."""

import shutil
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from symbotunes.checkpoints.checkpoint import unpack
from symbotunes.cli.command_line import register_resolvers
from symbotunes.errors import UserError
from symbotunes.training.resume import continued

WRITTEN = Path(__file__).parents[1] / "files" / "written_by_16af299"


@pytest.fixture
def command(tmp_path):
    """The config of the command that began an old run, as it reads today."""
    register_resolvers()
    shutil.copytree(WRITTEN / "runs" / "folk_rnn" / "checkpoints", tmp_path / "checkpoints")
    config = unpack(tmp_path / "checkpoints" / "last.ckpt").config
    assert "by" not in config.loader.split

    def make(*overrides, **split):
        return OmegaConf.merge(
            config,
            {
                "loader": {"split": {"by": "family", **split}},
                "paths": {"run_dir": str(tmp_path)},
                "resume": "auto",
                "sweep": {"overrides": list(overrides)},
            },
        )

    return make


def test_a_recipe_without_a_rule_keeps_splitting_by_content(command):
    resuming, _ = continued(command())
    assert OmegaConf.to_container(resuming.loader.split) == {"val": 0.2, "test": 0.1}


def test_a_rule_that_the_command_asks_for_makes_it_another_run(command):
    with pytest.raises(UserError, match="loader.split.by was None and is now family"):
        continued(command("loader.split.by=family"))


def test_other_shares_make_it_another_run(command):
    with pytest.raises(UserError, match=r"loader.split.val was 0.2 and is now 0.3"):
        continued(command("loader.split.val=0.3", val=0.3))
