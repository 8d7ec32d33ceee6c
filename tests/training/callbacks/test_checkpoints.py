import errno
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lightning
import pytest
import torch
from lightning.fabric.plugins import TorchCheckpointIO

from symbotunes.training.callbacks.checkpoints import BestAndLast, EveryNMinutes, EveryNSteps


def names(run_dir: Path) -> list[str]:
    return sorted(path.name for path in (run_dir / "checkpoints").iterdir())


def opened(run_dir: Path, name: str) -> dict[str, Any]:
    return torch.load(run_dir / "checkpoints" / name, weights_only=True)


class FullDisk(TorchCheckpointIO):
    """Refuses files whose name is in `refused`."""

    def __init__(self, *refused: str) -> None:
        self.refused = set(refused)

    def save_checkpoint(self, checkpoint: Any, path: Any, storage_options: Any = None) -> None:
        if Path(path).name in self.refused:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().save_checkpoint(checkpoint, path, storage_options)


class StopAt(lightning.Callback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        if trainer.global_step == self.step:
            raise RuntimeError("stopped by the test")


def test_best_is_the_lowest_validation_loss_and_last_the_newest(fit, run_dir):
    keeper = BestAndLast()
    fit(keeper, max_epochs=3)  # validation losses 3.0, 2.0, 2.5 after 4, 8, 12 steps
    assert names(run_dir) == ["best.ckpt", "last.ckpt"]
    assert opened(run_dir, "best.ckpt")["global_step"] == 8
    assert opened(run_dir, "last.ckpt")["global_step"] == 12
    assert (keeper.best_model_score, keeper.best_step) == (2.0, 8)


def test_mode_max_keeps_the_highest_score(fit, run_dir):
    fit(BestAndLast(mode="max"), max_epochs=3)
    assert opened(run_dir, "best.ckpt")["global_step"] == 4


def test_the_model_names_what_is_best_and_the_user_may_name_another(fit, tiny, run_dir):
    model = tiny()
    model.net.MONITOR, model.net.MONITOR_MODE = "val/loss", "max"
    keeper = BestAndLast()
    fit(keeper, max_epochs=3, model=model)  # 3.0, 2.0, 2.5 after 4, 8, 12 steps
    assert (keeper.best_model_score, keeper.best_step) == (3.0, 4)
    model.net.MONITOR = "val/other"
    named = BestAndLast(monitor="val/loss")
    fit(named, max_epochs=3, model=model, default_root_dir=run_dir.parent / "named")
    assert (named.monitor, named.mode) == ("val/loss", "min")


def test_values_of_another_metric_do_not_compare():
    keeper = BestAndLast()
    keeper.load_state_dict({"best_model_score": 0.1, "best_step": 5, "monitor": "val/other"})
    assert keeper.best_model_score is None
    keeper.load_state_dict({"best_model_score": 2.0, "best_step": 5})  # of an earlier version
    assert (keeper.monitor, keeper.best_model_score) == ("val/loss", 2.0)


def test_a_loss_of_whole_pieces_does_not_compare_with_that_of_stretches():
    keeper = BestAndLast()
    data = SimpleNamespace(chain=SimpleNamespace(cuts_pieces=True))
    trainer = SimpleNamespace(datamodule=SimpleNamespace(data=data))
    keeper.setup(trainer, None, "fit")
    with pytest.warns(UserWarning, match=r"0\.87, is a negative log-likelihood of stretches"):
        keeper.load_state_dict({"best_model_score": 0.87, "best_step": 5})  # of an earlier version
    assert keeper.best_model_score is None
    keeper.load_state_dict({**keeper.state_dict(), "best_model_score": 1.52, "best_step": 6})
    assert keeper.best_model_score == 1.52


def test_a_bound_does_not_compare_with_the_reconstruction_that_earlier_versions_recorded(
    fit, tiny, run_dir
):
    fit(BestAndLast(), max_epochs=1, model=tiny((1.5,)))
    last = run_dir / "checkpoints" / "last.ckpt"
    content = torch.load(last)
    (state,) = (each for each in content["callbacks"].values() if "best_model_score" in each)
    assert state.pop("quantity") == "negative log-likelihood"
    torch.save(content, last)
    model = tiny((9.0, 5.0))
    model.net.LOSS = "negative evidence lower bound"
    keeper = BestAndLast()
    with pytest.warns(UserWarning, match=r"1\.5.*not compared.*best_by_earlier_loss\.ckpt"):
        fit(keeper, max_epochs=2, model=model, resume=last)
    assert keeper.best_model_score == 5.0  # of validation 2, although 1.5 was less
    steps = {
        name: torch.load(run_dir / "checkpoints" / name)["global_step"]
        for name in ("best_by_earlier_loss.ckpt", "best.ckpt")
    }
    assert steps == {"best_by_earlier_loss.ckpt": 4, "best.ckpt": 8}


def test_a_loss_that_is_not_a_number_is_never_the_best(fit, tiny, run_dir):
    keeper = BestAndLast()
    fit(keeper, model=tiny((float("nan"), 5.0, float("nan"))), max_epochs=3)
    assert (keeper.best_model_score, keeper.best_step) == (5.0, 8)


@pytest.mark.parametrize(
    ("mode", "loss"), [("min", -math.inf), ("min", math.inf), ("max", math.inf)]
)
def test_an_infinite_score_is_never_the_best(fit, tiny, run_dir, mode, loss):
    keeper = BestAndLast(mode=mode)
    fit(keeper, model=tiny(val_losses=(loss,)))
    assert (keeper.best_model_score, names(run_dir)) == (None, ["last.ckpt"])


def test_the_best_score_survives_a_resume_in_the_same_folder(fit, run_dir):
    fit(BestAndLast(), max_epochs=2)
    keeper = BestAndLast()
    fit(keeper, max_epochs=3, resume=run_dir / "checkpoints" / "last.ckpt")  # 2.5 is worse than 2.0
    assert (keeper.best_model_score, keeper.best_step) == (2.0, 8)
    assert opened(run_dir, "best.ckpt")["global_step"] == 8
    assert names(run_dir) == ["best.ckpt", "last.ckpt"]


def test_last_is_refreshed_by_the_clock_but_never_before_a_validation(fit, run_dir):
    class Watching(EveryNMinutes):
        saved: list[tuple[int, int]]

        def save(self, trainer, name):
            validations = trainer.lightning_module.validations
            self.saved = [*getattr(self, "saved", []), (trainer.global_step, validations)]
            return super().save(trainer, name)

    seconds = iter(range(0, 10_000, 60))  # a minute for every look at the clock
    keeper = Watching(1.0, now=lambda: next(seconds))
    fit(keeper)  # two epochs of 4 batches, each with a validation at its end
    first = [(1, 0), (2, 0), (3, 0), (4, 1)]
    assert keeper.saved == [*first, (5, 1), (6, 1), (7, 1), (8, 2)]
    keeper.saved = []
    fit(keeper, limit_train_batches=1, limit_val_batches=0, max_epochs=3)  # of one step each
    assert keeper.saved == [(1, 0), (2, 0), (3, 0)]


def test_a_resume_in_another_folder_starts_its_own_best(fit, run_dir, tmp_path):
    fit(BestAndLast(), max_epochs=2)
    other = tmp_path / "other"
    last = run_dir / "checkpoints" / "last.ckpt"
    fit(BestAndLast(), max_epochs=3, resume=last, default_root_dir=other)
    assert opened(other, "best.ckpt")["global_step"] == 12


def test_a_run_without_validation_still_leaves_last(fit, run_dir):
    fit(BestAndLast(), limit_val_batches=0, max_epochs=1)
    assert names(run_dir) == ["last.ckpt"]
    assert opened(run_dir, "last.ckpt")["global_step"] == 4


def test_the_end_of_an_epoch_alone_writes_nothing(fit, run_dir):
    class Counting(BestAndLast):
        saved = 0

        def save(self, trainer, name):
            self.saved += 1
            return super().save(trainer, name)

    keeper = Counting()
    fit(keeper, limit_train_batches=1, limit_val_batches=0, max_epochs=9)  # of one step each
    assert keeper.saved == 1


def test_last_is_the_final_step_when_training_ends_between_validations(fit, run_dir):
    fit(BestAndLast(), max_epochs=-1, max_steps=5)
    assert opened(run_dir, "last.ckpt")["global_step"] == 5


def test_fast_dev_run_writes_nothing(fit, run_dir):
    fit(BestAndLast(), EveryNSteps(1), fast_dev_run=2)
    assert not (run_dir / "checkpoints").exists()


@pytest.mark.parametrize(("keep", "steps"), [(2, [6, 8]), (0, [2, 4, 6, 8]), (None, [2, 4, 6, 8])])
def test_numbered_checkpoints_are_pruned_to_the_newest(fit, run_dir, keep, steps):
    fit(EveryNSteps(2, keep))
    assert names(run_dir) == ["last.ckpt", *(f"step_{step:08d}.ckpt" for step in steps)]
    assert [opened(run_dir, f"step_{step:08d}.ckpt")["global_step"] for step in steps] == steps


def test_numbered_checkpoints_refresh_last(fit, run_dir):
    with pytest.raises(RuntimeError, match="stopped by the test"):
        fit(EveryNSteps(2), StopAt(3))
    assert opened(run_dir, "last.ckpt")["global_step"] == 2


def test_a_resumed_run_adds_no_duplicates(fit, run_dir):
    fit(EveryNSteps(2), max_epochs=1)
    fit(EveryNSteps(2), max_epochs=2, resume=run_dir / "checkpoints" / "step_00000002.ckpt")
    assert names(run_dir) == ["last.ckpt", *(f"step_{step:08d}.ckpt" for step in (2, 4, 6, 8))]


def test_a_run_that_goes_on_from_an_earlier_step_keeps_the_later_checkpoints(fit, run_dir):
    fit(EveryNSteps(2), max_epochs=2)
    earlier = run_dir / "checkpoints" / "step_00000002.ckpt"
    fit(EveryNSteps(3, keep=1), max_epochs=-1, max_steps=6, resume=earlier)
    assert names(run_dir) == ["last.ckpt", *(f"step_{step:08d}.ckpt" for step in (4, 6, 8))]


def test_a_new_run_deletes_no_checkpoint_that_it_finds(fit, run_dir):
    (run_dir / "checkpoints").mkdir(parents=True)
    (run_dir / "checkpoints" / "step_00000003.ckpt").touch()
    fit(EveryNSteps(2, keep=1))
    assert names(run_dir) == ["last.ckpt", "step_00000003.ckpt", "step_00000008.ckpt"]


def test_accumulated_batches_count_as_one_step(fit, run_dir):
    fit(EveryNSteps(1), accumulate_grad_batches=2, max_epochs=1)
    assert names(run_dir) == ["last.ckpt", "step_00000001.ckpt", "step_00000002.ckpt"]


@pytest.mark.parametrize("step", [2, 3, 4, 6])
@pytest.mark.parametrize("settings", [{}, {"val_check_interval": 2}], ids=["epoch", "within"])
def test_a_resumed_run_repeats_the_weights_and_validations_of_an_uninterrupted_one(
    fit, run_dir, step, settings
):
    _, whole = fit(EveryNSteps(1), **settings)
    path = run_dir / "checkpoints" / f"step_{step:08d}.ckpt"
    trainer, resumed = fit(resume=path, enable_checkpointing=False, **settings)
    # A plain DataLoader starts over within an epoch: compare weights where no batch was left.
    assert (trainer.global_step, resumed.validations) == (8, whole.validations)
    if step == 4:
        torch.testing.assert_close(resumed.net.weight, whole.net.weight, rtol=0, atol=0)


def test_a_full_disk_keeps_the_old_file_and_training_goes_on(fit, tiny, run_dir):
    fit(BestAndLast(), max_epochs=1)
    keeper = BestAndLast()
    last = run_dir / "checkpoints" / "last.ckpt"
    with pytest.warns(UserWarning, match=r"last\.ckpt was not written: .*No space left"):
        trainer, _ = fit(keeper, max_epochs=2, resume=last, plugins=[FullDisk("last.ckpt")])
    assert trainer.global_step == 8
    assert opened(run_dir, "last.ckpt")["global_step"] == 4
    assert keeper.last_save_failed


def test_a_best_that_could_not_be_written_does_not_count(fit, run_dir):
    keeper = BestAndLast()
    with pytest.warns(UserWarning, match="best.ckpt was not written"):
        fit(keeper, plugins=[FullDisk("best.ckpt")])
    assert keeper.best_model_score is None
    assert keeper.unwritten == {"best.ckpt"}
    assert names(run_dir) == ["last.ckpt"]


def test_a_full_disk_seen_by_the_zip_writer_of_torch_is_only_a_warning(fit, tmp_path):
    class Device(TorchCheckpointIO):
        def save_checkpoint(self, checkpoint: Any, path: Any, storage_options: Any = None) -> None:
            with Path("/dev/full").open("wb") as file:
                torch.save(checkpoint, file)
                file.flush()

    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with pytest.warns(UserWarning, match="was not written"):
        trainer, _ = fit(BestAndLast(), plugins=[Device()])
    assert trainer.global_step == 8


def test_errors_that_are_not_the_disks_are_not_swallowed(fit, tiny):
    class Broken(tiny):
        def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            raise RuntimeError("our own mistake")

    with pytest.raises(RuntimeError, match="our own mistake"):
        fit(BestAndLast(), model=Broken())
