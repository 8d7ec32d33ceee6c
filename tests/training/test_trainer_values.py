"""Values of the trainer that cannot be used are refused in one line, before data are prepared."""

import pytest

from symbotunes.errors import UserError
from symbotunes.training.trainer import make_trainer
from symbotunes.training.trainer_values import checked

PLAIN = {
    "accelerator": "cpu",
    "precision": "32-true",
    "max_steps": 2,
    "logger": False,
    "enable_checkpointing": False,
}
TIME = "a time in the form DD:HH:MM:SS"


@pytest.mark.parametrize(
    ("key", "values", "form"),
    [
        ("max_steps", [0, -5, 1.5, True, "many"], "a whole number of at least 1, or null"),
        ("max_epochs", [0, -2, 1.5], "a whole number of at least 1, or -1"),
        ("max_time", [5, 0, 5.5, "5", "5m", "00:05", "00:00:00:00", {"minute": 5}], TIME),
        ("val_check_interval", [0, -1, 2.5, True, "often", "00:00"], "a whole number of optimizer"),
        ("check_val_every_n_epoch", [0, -1, 1.5], "a whole number of at least 1, or null"),
        ("limit_train_batches", [0, 0.0, -1, 1.5], "a fraction from 0.0 to 1.0"),
        ("limit_val_batches", [-1, 1.5, float("nan")], "a fraction from 0.0 to 1.0"),
        ("limit_test_batches", [-0.5, 7.5], "a fraction from 0.0 to 1.0"),
        ("accumulate_grad_batches", [0, -1, 1.5, None, {4: 2}], "a whole number of at least 1"),
        ("log_every_n_steps", [0, None], "a whole number of at least 1"),
        ("gradient_clip_val", [-1, "x"], "a number of at least 0"),
        ("num_nodes", [0, -1, 1.5, None], "a whole number of at least 1"),
        ("devices", [0, -2, 1.5, None, [], "two"], "a whole number of at least 1"),
        ("strategy", ["fast", "", None], "auto, ddp, fsdp or another strategy"),
        ("deterministic", ["x", 2], "true, false or warn"),
        ("fast_dev_run", [-1, 1.5], "true, false or a whole number"),
        ("overfit_batches", [1, 0.5], "0; debug=overfit"),
    ],
)
def test_values_that_do_not_fit_are_refused_with_the_form_that_does(key, values, form):
    for value in values:
        with pytest.raises(UserError) as refused:
            make_trainer(**{**PLAIN, key: value})
        line = str(refused.value)
        assert line.startswith(f"trainer.{key}=")
        assert f": must be {form}" in line
        assert "\n" not in line


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("devices", -1),  # the CPU has one
        ("gradient_clip_algorithm", "x"),
        ("profiler", "foo"),
        ("benchmark", "x"),
        ("accelerator", "tpu"),
        ("reload_dataloaders_every_n_epochs", -1),
    ],
)
def test_what_only_lightning_knows_is_told_in_one_line(key, value):
    with pytest.raises(UserError) as refused:
        make_trainer(**{**PLAIN, key: value})
    assert str(refused.value).startswith("trainer: ")
    assert "\n" not in str(refused.value)


def test_keys_that_are_not_lightnings_are_refused_with_the_nearest():
    with pytest.raises(UserError, match=r"no key trainer.max_stpes; did you mean trainer.max_step"):
        checked({"max_stpes": 5})
    with pytest.raises(UserError, match=r"trainer.callbacks is set by the program"):
        checked({"callbacks": []})


def test_values_that_fit_are_kept_and_whole_floats_counted_as_whole_numbers():
    settings = {
        "max_steps": 1e4,
        "max_time": {"minutes": 5},
        "limit_val_batches": 1.0,
        "val_check_interval": 1.0,
        "devices": "auto",
        "strategy": "ddp",
        "max_epochs": None,
    }
    result = checked(settings)
    assert result == settings
    assert isinstance(result["max_steps"], int)
    assert isinstance(result["limit_val_batches"], float)  # all batches, not one
    assert isinstance(result["val_check_interval"], float)  # a pass, not a step


def test_a_fraction_between_validations_is_one_of_every_pass():
    trainer = make_trainer(**PLAIN, val_check_interval=0.25, check_val_every_n_epoch=None)
    assert trainer.val_check_interval == 0.25
    assert trainer.check_val_every_n_epoch == 1
