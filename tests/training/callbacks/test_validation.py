"""Validations are scheduled by optimizer steps, however many batches make one."""

from typing import Any

import lightning
import pytest
import torch
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader

from symbotunes.training.callbacks.checkpoints import BestAndLast, EveryNMinutes, EveryNSteps
from symbotunes.training.callbacks.interrupt import Interrupted, OnInterrupt
from symbotunes.training.callbacks.validation import ValidationSchedule
from symbotunes.training.trainer import make_trainer
from tests.training.callbacks.conftest import Tiny
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
        (5, {}, [5, 10, 12]),
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
    fit(noting, ValidationSchedule(every), max_epochs=-1, max_steps=12, **schedule)
    assert noting.steps == expected


@pytest.mark.parametrize("step", [2, 3, 4, 5])
def test_a_run_stopped_and_resumed_validates_when_one_that_was_not_does(fit, run_dir, step):
    def run(noting: StepsOfValidations, *callbacks: lightning.Callback, resume: Any = None) -> Any:
        keepers = (BestAndLast(), EveryNSteps(1), ValidationSchedule(2))
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
    ("value", "expected"), [(200, 200), (1.0, None), ("00:00:01:00", None), (None, None)]
)
def test_only_whole_numbers_are_steps(value, expected):
    epochs = None if isinstance(value, int) else 1
    trainer = make_trainer(
        accelerator="cpu", precision="32-true", max_steps=1, val_check_interval=value,
        check_val_every_n_epoch=epochs, logger=False, enable_checkpointing=False,
    )  # fmt: skip
    (schedule,) = [call for call in trainer.callbacks if isinstance(call, ValidationSchedule)]
    assert schedule.every == expected


class StopsAt(lightning.Callback):
    """Stops as a limit of time does, after a batch, or as an early stop may, after a pass."""

    def __init__(self, step: int, *, after_pass: bool = False) -> None:
        self.step, self.after_pass = step, after_pass

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        trainer.should_stop |= trainer.global_step == self.step and not self.after_pass

    def on_train_epoch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        trainer.should_stop |= trainer.global_step == self.step and self.after_pass


BY_STEPS = {"check_val_every_n_epoch": None, "max_epochs": -1}
HOURLY = {"val_check_interval": "00:01:00:00", "check_val_every_n_epoch": None}


@pytest.mark.parametrize(
    ("every", "settings", "stop", "expected"),
    [
        (4, {"max_steps": 10, **BY_STEPS}, None, [4, 8, 10]),
        (4, {"max_steps": 8, **BY_STEPS}, None, [4, 8]),
        (40, {"max_steps": 3, **BY_STEPS}, None, [3]),
        (3, {"max_epochs": 2, "check_val_every_n_epoch": None}, None, [3, 6, 8]),
        (2, {"max_steps": 3, **BY_STEPS, "accumulate_grad_batches": 2}, None, [2, 3]),
        (None, {"max_steps": 3, "val_check_interval": 0.5}, None, [2, 3]),
        (None, {"max_steps": 6, "check_val_every_n_epoch": 2}, None, [6]),
        (None, {"max_steps": 3, "max_epochs": -1, **HOURLY}, None, [3]),
        (4, {"max_epochs": -1, "check_val_every_n_epoch": None}, StopsAt(6), [4, 6]),
        (None, {"max_epochs": 9, "check_val_every_n_epoch": 2}, StopsAt(3), [3]),
        (3, BY_STEPS, StopsAt(4, after_pass=True), [3, 4]),
        (4, {"max_steps": 3, **BY_STEPS, "limit_val_batches": 0}, None, []),
    ],
)
def test_the_last_step_is_validated_once_however_a_training_ends(
    fit, run_dir, every, settings, stop, expected
):
    noting, keeper = StepsOfValidations(), BestAndLast()
    settings = {"val_check_interval": every} | settings if every else settings
    fit(ValidationSchedule(every), noting, keeper, *filter(None, [stop]), **settings)
    assert noting.steps == expected
    files = {path.name for path in (run_dir / "checkpoints").iterdir()}
    assert files == ({"best.ckpt", "last.ckpt"} if expected else {"last.ckpt"})


def test_no_checkpoint_of_the_last_step_is_written_before_its_validation(fit, run_dir):
    seen = []

    class Looking(StepsOfValidations):
        def on_validation_start(self, trainer: lightning.Trainer, *_: Any) -> None:
            seen.append(torch.load(run_dir / "checkpoints" / "last.ckpt", weights_only=True))

    fit(ValidationSchedule(40), Looking(), BestAndLast(), EveryNSteps(1), EveryNMinutes(1e-9),
        val_check_interval=40, max_steps=3, **BY_STEPS)  # fmt: skip
    assert [checkpoint["global_step"] for checkpoint in seen] == [2]
    assert (run_dir / "checkpoints" / "step_00000003.ckpt").is_file()


class Numbers(DataLoader[Any]):
    """Resumes where it stopped, and opens without a draw, as the loader of music data does."""

    def __init__(self) -> None:
        data: Any = torch.arange(1.0, 5).unsqueeze(1)
        super().__init__(data, generator=torch.Generator())
        self.done = 0

    def __iter__(self) -> Any:
        for number in list(super().__iter__())[self.done :]:
            self.done = (self.done + 1) % len(self)
            yield number

    def state_dict(self) -> dict[str, int]:
        return {"done": self.done}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.done = state["done"]


class Drawing(Tiny):
    """Draws random numbers in training, as dropout does, and in validation, as a VAE does."""

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        return super().training_step(batch + torch.rand(1), batch_idx)

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        torch.rand(3)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        checkpoint["random"] = torch.get_rng_state()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        self.random = checkpoint["random"]

    def on_train_start(self) -> None:
        if hasattr(self, "random"):
            torch.set_rng_state(self.random)


class Rows(CSVLogger):
    """Notes what is logged, by step, so that runs can be compared."""

    rows: dict[int, float]

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        if "train/loss" in metrics and step is not None:
            self.rows[step] = metrics["train/loss"]


@pytest.mark.parametrize("stop", [2, 3, 4, 6, 7, 8])
@pytest.mark.parametrize("every", [4, 3])
def test_a_run_that_is_extended_trains_as_one_of_that_length(fit, tmp_path, stop, every):
    def run(max_steps: int, resume: Any = None, root: str = "run") -> Any:
        logger.rows = getattr(logger, "rows", {})
        torch.manual_seed(7)  # for the first weights
        return fit(
            ValidationSchedule(every), BestAndLast(), model=Drawing(), resume=resume,
            logger=logger, log_every_n_steps=1, max_steps=max_steps, val_check_interval=every,
            default_root_dir=tmp_path / root, loader=Numbers, **BY_STEPS,
        )[1].net.weight.item()  # fmt: skip

    logger = Rows(tmp_path)
    whole, rows = run(11, root="whole"), logger.rows
    logger = Rows(tmp_path)
    run(stop)
    extended = run(11, resume=tmp_path / "run" / "checkpoints" / "last.ckpt")
    assert extended == whole
    assert logger.rows == rows
    assert list(rows) == list(range(11))
