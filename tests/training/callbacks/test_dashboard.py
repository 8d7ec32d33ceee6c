import json
import math

import pytest

from symbotunes.training.callbacks.checkpoints import BestAndLast
from symbotunes.training.callbacks.dashboard import Dashboard
from symbotunes.training.loggers.records import history, records
from symbotunes.training.loggers.wandb import SafeWandbLogger
from tests.wandb_files import closed_files

pytestmark = pytest.mark.usefixtures("no_account")


@pytest.fixture
def no_account(tmp_path, monkeypatch) -> None:
    """No key and no settings of whoever runs the tests."""
    for name in ("WANDB_API_KEY", "NETRC", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WANDB_MODE", "offline")
    for name in ("HOME", "WANDB_CONFIG_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "home"))


def test_the_best_loss_so_far_is_logged_after_every_validation(fit, tiny, run_dir):
    logger = SafeWandbLogger(run_dir)
    fit(Dashboard(), logger=logger, max_epochs=4, model=tiny((3.0, 2.0, 2.5, math.nan)))
    logger.finish(0)
    (path,) = closed_files(run_dir, logger.version)
    best = [
        (row["trainer/global_step"], row["val/best_loss"])
        for row in history(path)
        if "val/best_loss" in row
    ]
    assert best == [(4, 3.0), (8, 2.0), (12, 2.0), (16, 2.0)]


def test_the_best_of_the_metric_that_decides_is_logged_beside_the_best_loss(fit, tiny, run_dir):
    logger = SafeWandbLogger(run_dir)
    keeper = BestAndLast("train/loss", "max")
    fit(Dashboard(), keeper, logger=logger, max_epochs=3, model=tiny((3.0, 2.0, 2.5)))
    logger.finish(0)
    (path,) = closed_files(run_dir, logger.version)
    rows = [row for row in history(path) if "train/best_loss" in row]
    assert [row["trainer/global_step"] for row in rows] == [4, 8, 12]
    values = [row["train/best_loss"] for row in rows]
    assert values == sorted(values)
    assert values[-1] == keeper.best_model_score
    losses = [row["val/best_loss"] for row in history(path) if "val/best_loss" in row]
    assert losses == [3.0, 2.0, 2.0]


def test_a_resumed_run_knows_the_best_loss_of_the_first_part(fit, tiny, run_dir):
    first = Dashboard()
    fit(first, BestAndLast(), max_epochs=1, model=tiny((1.0, 2.0)))
    second = Dashboard()
    fit(second, BestAndLast(), max_epochs=2, model=tiny((1.0, 2.0)),
        resume=run_dir / "checkpoints" / "last.ckpt")  # fmt: skip
    assert (first.best_loss, second.best_loss) == (1.0, 1.0)


def test_the_best_loss_of_another_quantity_is_forgotten():
    dashboard = Dashboard()
    dashboard.quantity = "negative evidence lower bound"
    dashboard.load_state_dict({"best_loss": 1.5})  # of an earlier version
    assert dashboard.best_loss == math.inf
    dashboard.load_state_dict({"best_loss": 2.5, "quantity": "negative evidence lower bound"})
    assert dashboard.best_loss == 2.5


@pytest.mark.parametrize("asked", [True, False])
def test_the_best_checkpoint_is_an_artifact_where_the_logger_asks_for_it(fit, run_dir, asked):
    logger = SafeWandbLogger(run_dir, best_checkpoint=asked)
    fit(Dashboard(), BestAndLast(), logger=logger)
    logger.finish(0)
    (path,) = closed_files(run_dir, logger.version)
    models = [each.artifact for each in records(path) if each.artifact.type == "model"]
    assert [json.loads(each.metadata) for each in models] == [{"step": 8, "val/loss": 2.0}] * asked


def test_without_wandb_nothing_happens(fit):
    trainer, _ = fit(Dashboard(), BestAndLast())
    assert trainer.global_step == 8
