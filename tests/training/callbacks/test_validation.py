"""Validations are scheduled by optimizer steps, however many batches make one."""

from typing import Any

import lightning
import pytest

from symbotunes.training.callbacks.checkpoints import BestAndLast, EveryNSteps
from symbotunes.training.callbacks.interrupt import Interrupted, OnInterrupt
from symbotunes.training.callbacks.validation import ValidateEveryNSteps
from symbotunes.training.trainer import make_trainer
from tests.training.callbacks.test_interrupt import SignalAt


class StepsOfValidations(lightning.Callback):
    def __init__(self) -> None:
        self.steps: list[int] = []

    def on_validation_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        self.steps.append(trainer.global_step)


# Three batches per pass over the data; two of them make a step, and the third one alone.
UNEVEN = {"limit_train_batches": 3, "accumulate_grad_batches": 2}


@pytest.mark.parametrize(
    ("every", "settings", "expected"),
    [
        (2, {}, [2, 4, 6, 8, 10, 12]),
        (5, {}, [5, 10]),
        (2, UNEVEN, [2, 4, 6, 8, 10, 12]),
        (3, UNEVEN, [3, 6, 9, 12]),
        (3, {"limit_train_batches": 4, "accumulate_grad_batches": 2}, [3, 6, 9, 12]),
        (1, {"check_val_every_n_epoch": 2, **UNEVEN}, [3, 4, 7, 8, 11, 12]),
        (2, {"check_val_every_n_epoch": 1, **UNEVEN}, [2, 4, 6, 8, 10, 12]),
    ],
)
def test_validations_come_after_whole_numbers_of_steps(fit, every, settings, expected):
    noting = StepsOfValidations()
    schedule = {"check_val_every_n_epoch": None, "val_check_interval": every} | settings
    fit(noting, ValidateEveryNSteps(every), max_epochs=-1, max_steps=12, **schedule)
    assert noting.steps == expected


@pytest.mark.parametrize("step", [2, 3, 4, 5])
def test_a_run_stopped_and_resumed_validates_when_one_that_was_not_does(fit, run_dir, step):
    def run(noting: StepsOfValidations, *callbacks: lightning.Callback, resume: Any = None) -> Any:
        keepers = (BestAndLast(), EveryNSteps(1), ValidateEveryNSteps(2))
        return fit(
            *callbacks, noting, *keepers, resume=resume, max_epochs=-1, max_steps=8,
            val_check_interval=2, check_val_every_n_epoch=None, **UNEVEN,
        )  # fmt: skip

    noting = StepsOfValidations()
    with pytest.raises(Interrupted):
        run(noting, SignalAt(step), OnInterrupt())
    run(noting, resume=run_dir / "checkpoints" / "last.ckpt")
    assert noting.steps == [2, 4, 6, 8]


@pytest.mark.parametrize(
    ("value", "expected"), [(200, [200]), (1.0, []), ("00:00:01:00", []), (None, [])]
)
def test_only_whole_numbers_are_steps(value, expected):
    epochs = None if isinstance(value, int) else 1
    trainer = make_trainer(
        accelerator="cpu", precision="32-true", max_steps=1, val_check_interval=value,
        check_val_every_n_epoch=epochs, logger=False, enable_checkpointing=False,
    )  # fmt: skip
    schedules = [call for call in trainer.callbacks if isinstance(call, ValidateEveryNSteps)]
    assert [schedule.every for schedule in schedules] == expected
