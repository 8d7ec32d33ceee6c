"""Parts of a network that have an optimizer each, on losses whose steps can be done by hand."""

from functools import partial

import lightning
import pytest
import torch
from torch import nn
from torch.optim import SGD
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader

from symbotunes.errors import UserError
from symbotunes.models.base import Batch, Loss, Model
from symbotunes.tokenizers.base import NO_ID, Vocabulary
from symbotunes.training.callbacks.checkpoints import BestAndLast
from symbotunes.training.lit_multi_optimizer import LitMultiOptimizer

WINDOWS = Vocabulary(5, NO_ID, NO_ID)
BATCH = Batch(torch.zeros(2, 4, dtype=torch.int64), torch.tensor([4, 4]))


class Pair(Model):
    """Two weights, 1 at first; the gradient of `first` is 2, that of `second` is `first`."""

    MONITOR = "val/objective"

    def __init__(self, vocabulary):
        super().__init__()
        for name in ("first", "second"):
            part = nn.Linear(1, 1, bias=False)
            nn.init.ones_(part.weight)
            setattr(self, name, part)
        self.trained = []

    def loss(self, batch, step=0):
        return Loss(self.first.weight.sum())

    def part_loss(self, part, batch, step=0):
        trained = [name for name, weight in self.named_parameters() if weight.requires_grad]
        self.trained.append((part, step, trained))
        if part == "first":
            return Loss(2 * self.first.weight.sum())
        return Loss((self.first.weight * self.second.weight).sum())


class Whole(Model):
    """One weight, and no way to train it in parts."""

    def __init__(self, vocabulary):
        super().__init__()
        self.first = nn.Linear(1, 1)

    def loss(self, batch, step=0):
        return Loss(self.first.weight.sum())


def lit(net=Pair, **settings):
    rates = {"first": partial(SGD, lr=0.1), "second": partial(SGD, lr=0.1)}
    return LitMultiOptimizer(net=net, vocabulary=WINDOWS, **{"optimizers": rates, **settings})


def trainer_for(folder, *callbacks, **settings):
    return lightning.Trainer(
        accelerator="cpu",
        logger=False,
        callbacks=list(callbacks),
        enable_checkpointing=bool(callbacks),
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=folder,
        **settings,
    )


def fit(folder, model, *callbacks, **settings):
    trainer = trainer_for(folder, *callbacks, **{"max_steps": 3, **settings})
    trainer.fit(model, *(DataLoader([BATCH] * 3, batch_size=None) for _ in range(2)))
    return trainer


def weights(model):
    return model.net.first.weight.item(), model.net.second.weight.item()


def test_every_part_steps_once_a_batch_in_the_order_of_its_optimizers(tmp_path):
    model = lit()
    trainer = fit(tmp_path, model)
    assert trainer.global_step == 3
    # first: 1, 0.8, 0.6, 0.4; second is told of each of them after it has moved.
    assert weights(model) == pytest.approx((0.4, 1 - 0.1 * (0.8 + 0.6 + 0.4)))
    assert [part for part, _, _ in model.net.trained] == ["first", "second"] * 3
    assert [step for _, step, _ in model.net.trained] == [0, 0, 1, 1, 2, 2]


def test_only_the_weights_of_a_part_are_trained_in_its_turn(tmp_path):
    model = lit()
    fit(tmp_path, model, max_steps=1)
    first, second = model.net.trained
    assert first[2] == ["first.weight"]
    assert second[2] == ["second.weight"]
    assert all(weight.requires_grad for weight in model.net.parameters())


def test_each_part_is_clipped_to_a_norm_of_its_own(tmp_path):
    model = lit(clip_norm={"first": 0.5})
    fit(tmp_path, model, max_steps=1)
    assert weights(model) == pytest.approx((1 - 0.1 * 0.5, 1 - 0.1 * 0.95))
    both = lit(clip_norm=0.5)
    fit(tmp_path, both, max_steps=1)
    assert weights(both) == pytest.approx((0.95, 0.95))


def test_a_schedule_takes_a_step_with_every_batch(tmp_path):
    model = lit(schedulers={"first": partial(LambdaLR, lr_lambda=lambda step: 0.5**step)})
    fit(tmp_path, model)
    assert weights(model)[0] == pytest.approx(1 - 0.2 * (1 + 0.5 + 0.25))


def test_without_a_likelihood_the_objective_is_what_validation_logs(tmp_path):
    keeper = BestAndLast()
    trainer = fit(tmp_path, lit(), keeper, val_check_interval=1)
    assert trainer.callback_metrics["val/objective"].item() == pytest.approx(0.4)
    assert "val/loss" not in trainer.callback_metrics
    assert keeper.monitor == "val/objective"
    assert (keeper.best_model_score, keeper.best_step) == (pytest.approx(0.4), 3)
    assert (tmp_path / "checkpoints" / "best.ckpt").is_file()


def test_a_metric_that_nobody_logs_is_said_once_with_those_that_are(tmp_path):
    with pytest.warns(UserWarning, match=r"no val/loss is logged.*one of val/objective"):
        fit(tmp_path, lit(), BestAndLast(monitor="val/loss"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"accumulate_grad_batches": 2}, r"^trainer.accumulate_grad_batches=2: .*batch_size"),
        ({"gradient_clip_val": 1.0}, r"^trainer.gradient_clip_val: .*model.clip_norm"),
    ],
)
def test_what_manual_optimization_cannot_do_is_refused_in_one_line(tmp_path, settings, message):
    with pytest.raises(UserError, match=message):
        lit().check_trainer(trainer_for(tmp_path, **settings))
    lit().check_trainer(trainer_for(tmp_path))


SGD_OF_IT = partial(SGD, lr=0.1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"optimizers": {}}, "needs an optimizer for every part"),
        ({"optimizers": {"third": SGD_OF_IT}}, "no part third; choose of first, second"),
        ({"optimizers": {"first": SGD_OF_IT}}, "no optimizer trains second.weight"),
        ({"clip_norm": {"third": 1.0}}, "model.clip_norm: no part third"),
        ({"schedulers": {"third": LambdaLR}}, "model.schedulers: no part third"),
        ({"net": Whole}, "Whole has no part_loss"),
    ],
)
def test_parts_that_do_not_fit_the_network_are_refused_by_name(settings, message):
    with pytest.raises(UserError, match=message):
        lit(**settings)


def test_a_part_may_be_frozen_instead_of_trained(tmp_path):
    model = lit(optimizers={"first": SGD_OF_IT}, frozen=["second"])
    fit(tmp_path, model)
    assert weights(model) == pytest.approx((0.4, 1.0))
