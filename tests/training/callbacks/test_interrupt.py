import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE
from typing import IO, Any

import lightning
import pytest
import torch

from symbotunes.training.callbacks.checkpoints import BestAndLast
from symbotunes.training.callbacks.interrupt import Interrupted, OnInterrupt, write_or_discard
from symbotunes.training.callbacks.run_setup import RunSetup

pytestmark = pytest.mark.xdist_group("interrupt")  # one process starts the trainings
processes = pytest.mark.slow("starts four trainings as processes, which all import torch")
SCRIPT = Path(__file__).with_name("endless.py")


@dataclass
class Training:
    folder: Path
    process: subprocess.Popen[str]

    def wait_until(self, word: str, stream: IO[str]) -> None:
        for line in stream:
            if word in line:
                return
        pytest.fail(f"the training ended before it printed {word!r}")


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Training]]:
    """Four trainings at once, since each takes seconds to import what it needs."""

    def start(workers: int) -> Training:
        folder = tmp_path_factory.mktemp("training")
        command = [sys.executable, "-W", "ignore", str(SCRIPT), str(folder), str(workers)]
        # A session of its own is a process group, to which a terminal's Ctrl-C would go.
        process = subprocess.Popen(
            command, stdout=PIPE, stderr=PIPE, text=True, start_new_session=True
        )
        return Training(folder, process)

    started = {
        "SIGINT": start(2),
        "SIGTERM": start(2),
        "SIGUSR1": start(2),
        "twice": start(0),
    }
    yield started
    for training in started.values():
        training.process.kill()
        training.process.communicate()


@processes
@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGUSR1", 138)])
def test_a_signal_saves_the_state_after_the_step_and_sets_the_exit_status(trainings, name, status):
    training = trainings[name]
    process = training.process
    training.wait_until("ready", process.stdout)
    os.killpg(process.pid, signal.Signals[name])  # data workers get it too
    out, err = process.communicate(timeout=300)
    assert process.returncode == status, err
    assert f"{name}: stopping after this step" in err
    assert out.split() == f"signal {status - 128} steps 0 bias 0.0 handlers True".split()


@processes
def test_a_second_signal_ends_the_process_at_once(trainings):
    training = trainings["twice"]
    process = training.process
    training.wait_until("ready", process.stdout)
    process.send_signal(signal.SIGINT)
    training.wait_until("stopping after this step", process.stderr)
    process.send_signal(signal.SIGINT)  # at once: the same request, told twice
    time.sleep(0.6)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=300)
    assert process.returncode == -signal.SIGINT
    assert not (training.folder / "checkpoints").exists()


def test_data_workers_inherit_what_takes_a_signal_sent_to_all(fit):
    class Noting(lightning.Callback):
        def setup(self, *_: Any, **__: Any) -> None:
            self.at_setup = self.seen()

        def on_sanity_check_start(self, *_: Any) -> None:  # before any worker forks
            self.at_fork = self.seen()

        @staticmethod
        def seen() -> list[Any]:
            return [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)]

    noting = Noting()
    fit(noting, OnInterrupt(), num_sanity_val_steps=1)
    assert all(then != now for then, now in zip(noting.at_setup, noting.at_fork, strict=True))


class SignalAt(lightning.Callback):
    """Sends this process SIGTERM once, as the step after a given number of steps begins."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.sent = False

    def on_train_batch_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        if trainer.global_step == self.step and not self.sent:
            self.sent = True
            os.kill(os.getpid(), signal.SIGTERM)


def last_step(run_dir: Path) -> int:
    path = run_dir / "checkpoints" / "last.ckpt"
    return int(torch.load(path, weights_only=True)["global_step"])


def test_the_state_between_two_halves_of_an_accumulated_step_is_not_saved(fit, run_dir):
    class Counting(lightning.Callback):
        batches = 0

        def on_train_batch_end(self, *_: Any) -> None:
            self.batches += 1

    counting = Counting()
    with pytest.raises(Interrupted) as stop:
        fit(counting, SignalAt(0), OnInterrupt(), accumulate_grad_batches=2)
    assert stop.value.code == 143
    assert (counting.batches, last_step(run_dir)) == (2, 1)


def test_a_signal_before_a_validation_waits_for_it(fit, tiny, run_dir):
    model, keeper = tiny(), BestAndLast()
    with pytest.raises(Interrupted):
        fit(SignalAt(3), keeper, OnInterrupt(), model=model)  # step 3 is the epoch's last batch
    assert (model.validations, keeper.best_step, last_step(run_dir)) == (1, 4, 4)


def test_a_run_stopped_and_resumed_ends_with_the_weights_of_one_that_was_not(fit, run_dir):
    _, whole = fit()
    with pytest.raises(Interrupted):
        fit(SignalAt(3), BestAndLast(), OnInterrupt())
    _, resumed = fit(BestAndLast(), resume=run_dir / "checkpoints" / "last.ckpt")
    torch.testing.assert_close(resumed.net.weight, whole.net.weight, rtol=0, atol=0)
    assert resumed.validations == whole.validations == 2


def test_a_failure_between_two_steps_after_a_signal_still_saves(fit, run_dir):
    class DeadWorker(lightning.Callback):
        def on_validation_start(self, *_: Any) -> None:
            raise RuntimeError("DataLoader worker exited unexpectedly")

    stopper = OnInterrupt()
    with pytest.raises(RuntimeError, match="DataLoader worker"):
        fit(SignalAt(3), DeadWorker(), stopper)
    assert (stopper.signal_received, last_step(run_dir)) == (signal.SIGTERM, 4)


def test_without_a_signal_nothing_is_saved_and_the_handlers_are_put_back(fit, run_dir):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    stopper = OnInterrupt()
    trainer, _ = fit(stopper)
    assert (trainer.global_step, stopper.signal_received) == (8, None)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    assert not (run_dir / "checkpoints").exists()


@pytest.fixture
def received() -> Iterator[list[int]]:
    """The signals that reach the handlers of the process, which are put back at the end."""
    numbers: list[int] = []
    names = (signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)
    before = {
        number: signal.signal(number, lambda number, _: numbers.append(number)) for number in names
    }
    yield numbers
    for number, handler in before.items():
        signal.signal(number, handler)


def signal_this_process() -> None:
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT):
        os.kill(os.getpid(), number)


def test_an_announcement_before_training_is_left_to_the_handlers_of_the_process(fit, received):
    class Early(lightning.Callback):
        def setup(self, *_: Any, **__: Any) -> None:
            signal_this_process()

    trainer, _ = fit(Early(), OnInterrupt())
    assert received == [signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT]
    assert trainer.global_step == 8


def test_an_announcement_after_training_is_ignored_and_ctrl_c_is_not(fit, received):
    fit(OnInterrupt())
    signal_this_process()
    assert received == [signal.SIGINT]


def test_a_run_resumed_after_its_last_step_ignores_announcements_too(fit, run_dir, received):
    fit(BestAndLast())
    trainer, _ = fit(OnInterrupt(), resume=run_dir / "checkpoints" / "last.ckpt")
    signal_this_process()
    assert (trainer.global_step, received) == (8, [signal.SIGINT])


@pytest.fixture
def hangup_handler():
    before = signal.getsignal(signal.SIGHUP)
    yield lambda handler: signal.signal(signal.SIGHUP, handler)
    signal.signal(signal.SIGHUP, before)


class HangUpAtStep3(lightning.Callback):
    def on_train_batch_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        if trainer.global_step == 2:
            os.kill(os.getpid(), signal.SIGHUP)


def test_a_training_whose_terminal_is_closed_saves_and_is_recorded_as_interrupted(
    fit, run_dir, hangup_handler
):
    hangup_handler(signal.SIG_DFL)
    with pytest.raises(Interrupted) as stop:
        fit(HangUpAtStep3(), OnInterrupt(), RunSetup())
    assert (stop.value.code, last_step(run_dir)) == (129, 3)
    assert json.loads((run_dir / "run.json").read_text())["status"] == "interrupted"
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL


def test_a_training_that_ignores_hangups_as_under_nohup_goes_on(fit, hangup_handler):
    hangup_handler(signal.SIG_IGN)
    trainer, _ = fit(HangUpAtStep3(), OnInterrupt())
    assert trainer.global_step == 8
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_what_is_written_to_a_closed_terminal_is_discarded():
    ours, terminal = os.openpty()
    write_or_discard(terminal, b"read")
    assert os.read(ours, 10) == b"read"
    os.close(ours)
    with pytest.raises(OSError, match="Input/output error"):
        os.write(terminal, b"lost")
    write_or_discard(terminal, b"")
    assert os.write(terminal, b"lost") == 4
    os.close(terminal)
