from pathlib import Path

import pytest
from hydra.utils import get_object

from symbotunes.config.aliases import modernized, today

WRITTEN = Path(__file__).parents[1] / "files" / "written_by_16af299"
TARGETS = (WRITTEN / "targets.txt").read_text().split()  # every _target_ of conf/ at that commit


@pytest.mark.parametrize("target", TARGETS)
def test_every_class_that_an_earlier_config_named_is_found(target):
    named = get_object(today(target))
    assert named.__name__ == target.rpartition(".")[2]
    assert named.__module__.startswith(today(target).rpartition(".")[0])


def test_targets_are_renamed_wherever_they_are_and_nothing_else_is():
    config = {
        "net": {"_target_": "symbotunes.lit.LitModel", "note": "symbotunes.lit.LitModel"},
        "steps": [{"_target_": "symbotunes.optim.LinearDecay", "last": 1}, "text", 2],
        "other": {"_target_": "torch.optim.AdamW"},
    }
    assert modernized(config) == {
        "net": {
            "_target_": "symbotunes.training.lit_model.LitModel",
            "note": "symbotunes.lit.LitModel",
        },
        "steps": [{"_target_": "symbotunes.training.schedules.LinearDecay", "last": 1}, "text", 2],
        "other": {"_target_": "torch.optim.AdamW"},
    }


def test_a_default_of_an_earlier_version_is_the_default_of_today():
    earlier = {"_target_": "symbotunes.callbacks.checkpoints.BestAndLast"}
    current = {"_target_": "symbotunes.training.callbacks.checkpoints.BestAndLast"}
    assert modernized(earlier | {"monitor": "val/loss", "mode": "min"}) == {
        **current,
        "monitor": None,
        "mode": None,
    }
    chosen = {"monitor": "val/kl", "mode": "max"}
    assert modernized(earlier | chosen) == current | chosen
    said_today = current | {"monitor": "val/loss", "mode": "min"}
    assert modernized(said_today) == said_today


def test_a_name_that_only_begins_like_a_moved_module_stays():
    assert today("symbotunes.litter.Model") == "symbotunes.litter.Model"
