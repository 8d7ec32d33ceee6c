"""What a training is judged by is known, or refused, before it begins."""

import re
from functools import partial
from types import SimpleNamespace

import lightning
import pytest
import torch
from torch.utils.data import DataLoader

from symbotunes.errors import UserError
from symbotunes.models.base import Batch
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.tokenizers.base import Vocabulary
from symbotunes.training.callbacks.checkpoints import BestAndLast
from symbotunes.training.callbacks.collapse import CollapseWatch
from symbotunes.training.callbacks.vitals import Vitals
from symbotunes.training.lit_model import LitModel
from symbotunes.training.monitor import (
    callback_names,
    check_monitor,
    model_names,
    notes_on_validation,
)
from tests.training.test_lit_multi_optimizer import BATCH, lit, trainer_for

PIECES = Batch(torch.tensor([[0, 2, 3, 1], [0, 4, 1, 0]]), torch.tensor([4, 3]))


def data_of(batch, held_out=10):
    """Music data with a loader of one batch, and a number of held-out pieces."""
    loader = DataLoader([batch], batch_size=None)
    return SimpleNamespace(
        encoded=SimpleNamespace(examples=lambda split: range(held_out)),
        train_dataloader=lambda: loader,
        val_dataloader=lambda: loader if held_out else [],
    )


def folk_rnn():
    return LitModel(
        net=partial(FolkRNN, width=4, depth=1, dropout=0.5),
        optimizer=partial(torch.optim.SGD, lr=0.1),
        vocabulary=Vocabulary(5, 0, 1),
    )


@pytest.fixture(params=["one optimizer", "one for each part"])
def trained(request):
    """A model and a batch that it reads."""
    return (folk_rnn(), PIECES) if request.param == "one optimizer" else (lit(), BATCH)


def test_the_names_told_beforehand_are_those_that_a_training_logs(trained, tmp_path):
    model, batch = trained
    trainer = trainer_for(tmp_path, Vitals(peak=lambda *_: 1e12), max_steps=2, log_every_n_steps=1)
    state = torch.get_rng_state()
    names = model_names(model, data_of(batch)) | callback_names(model, trainer)
    assert torch.equal(torch.get_rng_state(), state)
    assert model.training
    trainer.fit(model, *(DataLoader([batch] * 2, batch_size=None) for _ in range(2)))
    # Without a logger, nobody measures the speed.
    assert names - {"speed/tokens_per_second", "speed/mfu"} == set(trainer.callback_metrics)


def check(tmp_path, *callbacks, model=None, held_out=10, **settings):
    trainer = trainer_for(tmp_path, *callbacks, **settings)
    check_monitor(model or folk_rnn(), data_of(PIECES, held_out), trainer)
    return list(notes_on_validation(trainer, data_of(PIECES, held_out)))


@pytest.mark.parametrize("monitor", ["val/loss", "train/loss", "optim/gradient_norm", None])
def test_a_metric_that_is_logged_may_decide(tmp_path, monitor):
    check(tmp_path, BestAndLast(monitor), Vitals())


@pytest.mark.parametrize(
    ("monitor", "callbacks", "nearest"),
    [
        ("val/los", [], "did you mean val/loss[?]"),
        ("optim/gradientnorm", [Vitals()], "did you mean optim/gradient_norm[?]"),
        ("optim/gradient_norm", [], "this training logs train/loss, val/loss$"),
        ("val/active_units", [CollapseWatch()], "this training logs"),  # there is no latent space
    ],
)
@pytest.mark.parametrize("held_out", [10, 0])
def test_a_metric_that_is_never_logged_is_refused_with_the_nearest(
    tmp_path, monitor, callbacks, nearest, held_out
):
    with pytest.raises(UserError, match=rf"monitor={monitor} is never logged; .*{nearest}"):
        check(tmp_path, BestAndLast(monitor), *callbacks, held_out=held_out)


class Logging(lightning.Callback):
    """A plugin, which may log anything."""


def test_a_metric_of_a_plugin_is_looked_for_while_training(tmp_path):
    check(tmp_path, BestAndLast("val/mine"), Logging())


@pytest.mark.parametrize("monitor", [None, "val/loss"])
def test_the_greatest_loss_is_never_the_best(tmp_path, monitor):
    with pytest.raises(UserError, match="mode=max: the lowest val/loss is best"):
        check(tmp_path, BestAndLast(monitor, "max"))


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("max", "the highest optim/gradient_norm .*mode=min: with the lowest"),
     (None, "the lowest optim/gradient_norm .*mode=max: with the highest")],
)  # fmt: skip
def test_the_direction_of_another_metric_is_said(tmp_path, mode, expected):
    (note,) = check(tmp_path, BestAndLast("optim/gradient_norm", mode), Vitals())
    assert re.fullmatch(f"best.ckpt is the checkpoint with {expected}.", note)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"held_out": 0}, "no piece is held out for validation"),
        ({"limit_val_batches": 0}, "trainer.limit_val_batches=0"),
        ({"limit_val_batches": 0.0}, "trainer.limit_val_batches=0"),
    ],
)
def test_a_training_that_cannot_validate_says_so(tmp_path, settings, reason):
    (note,) = check(tmp_path, BestAndLast(), **settings)
    assert note.startswith(f"nothing is validated: {reason}")
    assert note.endswith("best.ckpt is not written, last.ckpt is")


def test_there_is_nothing_to_say_of_the_usual_training(tmp_path):
    assert check(tmp_path, BestAndLast()) == []
