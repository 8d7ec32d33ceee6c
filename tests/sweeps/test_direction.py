"""A search looks for the best value of the metric of its jobs, never for the worst."""

import pytest
from omegaconf import OmegaConf

from symbotunes.errors import UserError
from symbotunes.sweeps.direction import check_direction, in_direction


def job(**best_and_last):
    net = {"_target_": "symbotunes.models.folk_rnn.FolkRNN"}  # of which less val/loss is better
    return OmegaConf.create({"model": {"net": net}, "callbacks": {"best_and_last": best_and_last}})


LOSS, ACCURACY = job(monitor=None, mode=None), job(monitor="val/accuracy", mode="max")


@pytest.mark.parametrize("cfg", [LOSS, ACCURACY])
def test_every_metric_can_be_minimized_since_jobs_change_its_sign(cfg):
    check_direction({"direction": "minimize"}, cfg)
    check_direction({}, cfg)  # a grid has no direction


def test_only_a_metric_of_which_more_is_better_is_maximized():
    maximize = {"direction": "maximize"}
    check_direction(maximize, ACCURACY)
    with pytest.raises(UserError, match="maximize: the lowest val/loss is best"):
        check_direction(maximize, LOSS)
    with pytest.raises(UserError, match="the lowest val/accuracy is best"):
        check_direction(maximize, job(monitor="val/accuracy"))


def test_a_job_has_one_value():
    sweeper = OmegaConf.create({"direction": ["minimize", "maximize"]})
    with pytest.raises(UserError, match="a job has a single value"):
        check_direction(sweeper, LOSS)


def test_a_search_that_maximizes_is_told_the_metric_itself():
    worse, better = -0.25, -0.75  # what jobs with accuracies of 0.25 and 0.75 return
    assert in_direction(better, {"direction": "minimize"}) < in_direction(
        worse, {"direction": "minimize"}
    )
    assert in_direction(better, {"direction": "maximize"}) == 0.75
    assert in_direction(None, {"direction": "maximize"}) is None
