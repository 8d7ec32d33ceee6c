"""A validation before the first step."""

import torch

from symbotunes.training.callbacks.checkpoints import BestAndLast
from symbotunes.training.callbacks.first_validation import FirstValidation


def test_the_start_is_kept_if_no_later_step_is_better(fit, tiny, run_dir):
    first, best = FirstValidation(), BestAndLast("val/loss", "min")
    fit(first, best, model=tiny(val_losses=(1.0, 2.0, 3.0)))
    assert first.value == 1.0
    assert (best.best_model_score, best.best_step) == (1.0, 0)
    assert (run_dir / "checkpoints" / "best.ckpt").is_file()


def test_a_better_step_takes_its_place(fit, tiny):
    first, best = FirstValidation(), BestAndLast("val/loss", "min")
    fit(first, best, model=tiny(val_losses=(3.0, 2.0, 2.5)))
    assert first.value == 3.0
    assert (best.best_model_score, best.best_step) == (2.0, 4)


def test_it_does_not_change_what_is_trained(fit, tiny):
    torch.manual_seed(1)
    _, without = fit(model=tiny())
    torch.manual_seed(1)
    _, validated = fit(FirstValidation(), model=tiny())
    assert validated.net.weight.equal(without.net.weight)
    assert validated.validations == without.validations + 1


def test_a_resumed_run_does_not_validate_its_start(fit, tiny, run_dir):
    fit(FirstValidation(), BestAndLast("val/loss", "min"), model=tiny(), max_epochs=1)
    again = FirstValidation()
    _, resumed = fit(again, model=tiny(), resume=run_dir / "checkpoints" / "last.ckpt")
    assert resumed.validations == 3  # of the start, and after each pass
    assert again.value == 3.0
