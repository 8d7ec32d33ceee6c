"""No checkpoint is written, and no training ends, between the batches of an accumulated step."""

import lightning
import pytest
import torch

from symbotunes.training.callbacks.checkpoints import BestAndLast, EveryNMinutes
from symbotunes.training.callbacks.validation import ValidationSchedule
from symbotunes.training.lit_base import LitBase
from tests.training.callbacks.conftest import Tiny


class Patient(Tiny):
    """Ends as `LitBase` does, and tells whether gradients were accumulated at each checkpoint."""

    saved_in_step = ()
    _stops_after_step = False
    on_train_batch_end = LitBase.on_train_batch_end

    def on_save_checkpoint(self, checkpoint):
        super().on_save_checkpoint(checkpoint)
        size = self.trainer.accumulate_grad_batches
        batches = self.trainer.fit_loop.epoch_loop.batch_idx + 1
        is_in_step = batches % size != 0 and not self.trainer.is_last_batch
        self.saved_in_step = [*self.saved_in_step, is_in_step]


class StopsAt(lightning.Callback):
    """Asks once to stop, after a batch, as a limit of time may."""

    def __init__(self, batch):
        self.batch = batch

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        trainer.should_stop |= batch_idx == self.batch


def saved(run_dir):
    return torch.load(run_dir / "checkpoints" / "last.ckpt", weights_only=True)


def test_a_limit_of_time_in_the_middle_of_a_step_ends_the_training_after_it(fit, run_dir):
    parts = [ValidationSchedule(None), StopsAt(0), BestAndLast()]
    model = Patient()
    fit(*parts, model=model, accumulate_grad_batches=3)
    content = saved(run_dir)
    progress = content["loops"]["fit_loop"]["epoch_loop.batch_progress"]["total"]
    assert (content["global_step"], progress["ready"]) == (1, 3)
    assert not any(model.saved_in_step)


def test_a_limit_of_time_after_a_step_ends_the_training_at_once(fit, run_dir):
    fit(StopsAt(2), BestAndLast(), model=Patient(), accumulate_grad_batches=3)
    content = saved(run_dir)
    assert content["loops"]["fit_loop"]["epoch_loop.batch_progress"]["total"]["ready"] == 3


@pytest.mark.parametrize(
    ("settings", "validated"),
    [
        # Half a pass is two batches, and the first step has three; the end is validated, too.
        ({"val_check_interval": 0.5}, [1, 3, 4]),
        # The clock would ask for one after every batch.
        ({"val_check_interval": {"seconds": 0}, "check_val_every_n_epoch": None}, [1, 2, 3, 4]),
    ],
)
def test_validations_wait_for_the_end_of_a_step(fit, settings, validated):
    class Noting(lightning.Callback):
        steps = ()

        def on_validation_end(self, trainer, pl_module):
            self.steps += (trainer.global_step,)

    noting, model = Noting(), Patient()
    parts = [ValidationSchedule(None), EveryNMinutes(1e-9), BestAndLast(), noting]
    fit(*parts, model=model, accumulate_grad_batches=3, **settings)
    assert list(noting.steps) == validated
    assert len(model.saved_in_step) >= len(validated)
    assert not any(model.saved_in_step)
