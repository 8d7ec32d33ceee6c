"""How the size of a collection decides about batches, steps and rate."""

import pytest

from symbotunes.training.finetuning.regime import regime_for


@pytest.mark.parametrize(
    ("examples", "batch_size", "steps", "between"),
    [(1, 2, 12, 1), (10, 2, 60, 5), (100, 16, 84, 7), (1000, 32, 384, 32), (10_000, 32, 3756, 100)],
)
def test_a_dozen_tunes_take_tens_of_steps_and_thousands_take_thousands(
    examples, batch_size, steps, between
):
    regime = regime_for(examples, passes=12, lr=1e-3)
    assert regime.batch_size == batch_size
    assert regime.steps == steps
    assert regime.steps_between_validations == between


def test_the_rate_falls_with_the_square_root_of_the_batch():
    assert regime_for(10_000, passes=12, lr=1e-3).lr == 1e-3  # batches of 32
    assert regime_for(48, passes=12, lr=1e-3).lr == pytest.approx(0.5e-3)  # of 8
    assert regime_for(10, passes=12, lr=1e-3).lr == pytest.approx(0.25e-3)  # of 2


def test_the_settings_are_keys_of_the_config():
    assert regime_for(48, passes=2, lr=1e-3).settings == {
        "loader.batch_size": 8,
        "trainer.max_steps": 12,
        "trainer.val_check_interval": 6,
        "model.optimizer.lr": pytest.approx(0.5e-3),
    }
