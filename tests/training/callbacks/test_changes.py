"""Changed settings take effect in a resumed run, and its optimizer goes on from its state."""

import copy

import lightning
import pytest
import torch

from symbotunes.training.callbacks.changes import AppliedChanges, begin_pass
from symbotunes.training.callbacks.checkpoints import BestAndLast
from symbotunes.training.changes import Change
from symbotunes.training.schedules import LinearDecay

STEPS = 8  # of the first part: two passes over four batches


class Rates(lightning.Callback):
    """Records the rate of every step."""

    def __init__(self):
        self.seen = []

    def on_before_optimizer_step(self, trainer, pl_module, optimizer):
        self.seen.append(optimizer.param_groups[0]["lr"])


@pytest.fixture
def resumed_rates(fit, tiny, run_dir):
    """Train two parts, each with an optimizer and schedule of its own; gives the second's rates."""

    def model(lr, schedule, betas=(0.9, 0.999)):
        class Scheduled(tiny):
            def configure_optimizers(self):
                optimizer = torch.optim.AdamW(self.parameters(), lr=lr, betas=betas)
                if schedule is None:
                    return optimizer
                entry = {"scheduler": schedule(optimizer), "interval": "step"}
                return {"optimizer": optimizer, "lr_scheduler": entry}

        return Scheduled()

    def run(first, second, *keys):
        fit(BestAndLast(), model=model(*first))
        rates = Rates()
        changes = [AppliedChanges([Change(key, 0, 1) for key in keys])] if keys else []
        last = run_dir / "checkpoints" / "last.ckpt"
        trainer, _ = fit(*changes, rates, model=model(*second), resume=last, max_epochs=3)
        (state,) = {
            float(state["step"]) for state in trainer.optimizers[0].state.values()
        }  # of all weights
        assert state == STEPS + 4
        return rates.seen, trainer.optimizers[0]

    return run


def test_a_new_rate_takes_effect_only_if_it_is_asked_for(resumed_rates):
    assert resumed_rates((0.1, None), (0.01, None))[0] == [0.1] * 4
    assert resumed_rates((0.1, None), (0.01, None), "model.optimizer.lr")[0] == [0.01] * 4


def test_other_constants_of_the_optimizer_take_effect_too(resumed_rates):
    _, optimizer = resumed_rates((0.1, None), (0.1, None, (0.5, 0.6)), "model.optimizer.betas")
    assert optimizer.param_groups[0]["betas"] == (0.5, 0.6)


def decay(steps):
    return lambda optimizer: LinearDecay(optimizer, steps, floor=0.0)


def test_a_new_rate_goes_on_at_the_place_of_its_schedule(resumed_rates):
    rates, _ = resumed_rates((0.1, decay(16)), (0.4, decay(16)), "model.optimizer.lr")
    assert rates == pytest.approx([0.4 * (1 - step / 16) for step in range(STEPS, 12)])


def test_a_longer_schedule_goes_on_where_it_would_be(resumed_rates):
    rates, optimizer = resumed_rates((0.1, decay(8)), (0.1, decay(32)), "model.scheduler.steps")
    assert rates == pytest.approx([0.1 * (1 - step / 32) for step in range(STEPS, 12)])
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1 * (1 - 12 / 32))


def test_without_a_change_the_schedule_keeps_its_length(resumed_rates):
    rates, _ = resumed_rates((0.1, decay(10)), (0.1, decay(32)))
    assert rates == pytest.approx([0.02, 0.01, 0.0, 0.0])


def test_a_schedule_that_multiplies_its_rate_is_scaled(resumed_rates):
    def halved(optimizer):
        return torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.5)

    rates, _ = resumed_rates((0.8, halved), (0.4, halved), "model.optimizer.lr")
    assert rates == pytest.approx([0.1] * 4)


def loop(*, batches, completed, is_last, done, epoch):
    """The state of Lightning's loop in the third pass over the data."""
    counts = {"ready": batches, "started": batches, "processed": batches, "completed": completed}
    passes = {"ready": 3, "started": 3, "processed": 2, "completed": 2}
    total = {name: 20 + value for name, value in counts.items()}
    return {
        "epoch_loop.batch_progress": {"current": counts, "total": total, "is_last_batch": is_last},
        "epoch_loop.state_dict": {"_batches_that_stepped": 20},
        "epoch_progress": {"current": dict(passes), "total": dict(passes)},
        "state_dict": {"combined_loader": [{"epoch": epoch, "done": done}]},
    }


def test_in_the_middle_of_a_pass_it_begins_anew_in_another_order():
    state = loop(batches=5, completed=5, is_last=False, done=5, epoch=2)
    before = copy.deepcopy(state)
    begin_pass(state)
    progress = state["epoch_loop.batch_progress"]
    assert set(progress["current"].values()) == {0}
    assert progress["total"] == before["epoch_loop.batch_progress"]["total"]
    assert state["epoch_progress"] == before["epoch_progress"]
    assert state["state_dict"]["combined_loader"] == [{"epoch": 3, "done": 0}]


def test_at_the_end_of_a_pass_the_next_one_begins():
    state = loop(batches=9, completed=9, is_last=True, done=0, epoch=3)
    begin_pass(state)
    assert not state["epoch_loop.batch_progress"]["is_last_batch"]
    done = {"ready": 3, "started": 3, "processed": 3, "completed": 3}
    assert state["epoch_progress"] == {"current": done, "total": done}
    assert state["state_dict"]["combined_loader"] == [{"epoch": 3, "done": 0}]


def test_a_batch_that_was_saved_before_it_counted_is_counted():
    state = loop(batches=5, completed=4, is_last=False, done=5, epoch=2)
    begin_pass(state)
    assert state["epoch_loop.batch_progress"]["total"]["completed"] == 25
    assert state["epoch_loop.state_dict"]["_batches_that_stepped"] == 21
