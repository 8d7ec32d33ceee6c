"""What a run has ahead of it: its end, and the time that it asks for."""

import pytest
from omegaconf import OmegaConf

from symbotunes.errors import UserError
from symbotunes.training.prospects import require_length, twice

SCHEDULES = "symbotunes.training.schedules"


def config(schedule, steps, time, key="scheduler"):
    node = {"_target_": f"{SCHEDULES}.{schedule}", "_partial_": True, "steps": steps}
    model = {"scheduler": node} if key == "scheduler" else {"schedulers": {"critic": node}}
    return OmegaConf.create({"model": model, "trainer": {"max_time": time}})


@pytest.mark.parametrize("schedule", ["LinearDecay", "WarmupCosine"])
def test_a_rate_that_falls_until_the_end_needs_one(schedule):
    with pytest.raises(UserError, match="^model.scheduler lowers.*max_steps or trainer.max_time"):
        require_length(config(schedule, None, None))
    with pytest.raises(UserError, match="^model.schedulers.critic lowers"):
        require_length(config(schedule, None, None, key="schedulers"))


@pytest.mark.parametrize(
    ("schedule", "steps", "time"),
    [
        ("LinearDecay", 10, None),
        ("WarmupCosine", None, "00:00:10:00"),
        ("FolkRnnDecay", None, None),
    ],
)
def test_steps_a_time_or_another_schedule_will_do(schedule, steps, time):
    assert require_length(config(schedule, steps, time)) is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(600, "00:00:20:00"), (45_000, "01:01:00:00"), (0.6, "00:00:00:02")]
)
def test_a_longer_time_has_the_form_of_the_setting(seconds, text):
    assert twice(seconds) == text
