import warnings

import pytest
import wandb

from symbotunes.loggers.wandb import SafeWandbLogger, natural_mode

pytestmark = pytest.mark.usefixtures("no_account")


def test_without_a_key_the_mode_is_offline_and_nobody_is_asked(monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("somebody was asked"))
    assert natural_mode() == "offline"


def test_an_offline_run_says_how_to_upload_it_and_leaves_its_id(run_dir, capsys):
    logger = SafeWandbLogger(run_dir, name="first", tags=["x" * 80])
    logger.log_hyperparams({"model": {"width": 8}})
    logger.log_metrics({"train/loss": 1.0}, step=0)
    run_id = logger.version
    logger.finish(0)
    assert (run_dir / "wandb_id").read_text() == f"{run_id}\n"
    folders = list((run_dir / "wandb").glob("offline-run-*"))
    assert len(folders) == 1
    assert capsys.readouterr().out == f"wandb sync {folders[0]}\n"


def test_a_resumed_run_keeps_its_id(run_dir):
    first = SafeWandbLogger(run_dir)
    first.log_metrics({"a": 1}, step=0)
    first.finish(1)
    second = SafeWandbLogger(run_dir)
    second.log_metrics({"a": 2}, step=1)
    second.finish(0)
    assert first.version == second.version


def test_two_runs_in_one_process_do_not_share_a_run(tmp_path):
    ids = []
    for name in ("a", "b"):
        logger = SafeWandbLogger(tmp_path / name)
        logger.log_metrics({"a": 1}, step=0)
        logger.finish(0)
        ids.append(logger.version)
    assert ids[0] != ids[1]


def test_the_exit_code_reaches_wandb(run_dir, monkeypatch):
    logger = SafeWandbLogger(run_dir)
    run = logger.experiment
    codes = []
    monkeypatch.setattr(type(run), "finish", lambda self, exit_code=None: codes.append(exit_code))
    logger.finish(1)
    monkeypatch.undo()
    run.finish()
    assert codes == [1]


def test_a_failure_to_start_is_said_once_and_training_goes_on(run_dir, monkeypatch):
    calls = []

    def broken(**_: object) -> None:
        calls.append(1)
        raise wandb.errors.CommError("no route to host")

    monkeypatch.setattr(wandb, "init", broken)
    logger = SafeWandbLogger(run_dir)
    with pytest.warns(UserWarning, match="without W&B: no route to host"):
        logger.log_metrics({"a": 1}, step=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        logger.log_metrics({"a": 2}, step=1)
        logger.log_hyperparams({"b": 3})
        logger.experiment.config.update({"c": 4})
        logger.finish(0)
    assert len(calls) == 1


def test_without_a_network_an_online_run_goes_on_offline(run_dir, monkeypatch):
    start = wandb.init

    def unreachable(*, mode: str, **settings: object) -> object:
        if mode == "online":
            raise wandb.errors.CommError("no route to host")
        return start(mode=mode, **settings)

    monkeypatch.setattr(wandb, "init", unreachable)
    logger = SafeWandbLogger(run_dir, mode="online")
    with pytest.warns(UserWarning, match="W&B goes on offline: no route to host"):
        logger.log_metrics({"a": 1}, step=0)
    logger.finish(0)
    assert len(list((run_dir / "wandb").glob("offline-run-*"))) == 1


def test_a_failure_to_log_is_said_once_and_the_run_is_still_closed(run_dir, monkeypatch):
    logger = SafeWandbLogger(run_dir)
    run = logger.experiment
    closed = []

    def broken(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(type(run), "log", broken)
        patch.setattr(type(run), "finish", lambda self, exit_code=None: closed.append(exit_code))
        with pytest.warns(UserWarning, match="without W&B: No space left"):
            logger.log_metrics({"a": 1}, step=0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            logger.log_metrics({"a": 2}, step=1)
            logger.finish(1)
    run.finish()
    assert closed == [1]


def test_the_environment_can_disable_it(run_dir, monkeypatch, capsys):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    logger = SafeWandbLogger(run_dir)
    logger.log_metrics({"a": 1}, step=0)
    logger.finish(0)
    assert not (run_dir / "wandb_id").exists()
    assert capsys.readouterr().out == ""
