"""However a user ends the program, it takes one line and a status to say so."""

import os
import signal
import subprocess
import sys
import time

import pytest

from symbotunes.system import ends
from symbotunes.system.ends import Ended, foreseen_ends

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to other processes")


@pytest.fixture(autouse=True)
def handlers():
    """Put back the handlers of the process."""
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@posix
@pytest.mark.parametrize(
    ("name", "status", "line"),
    [("SIGINT", 130, "Interrupted"), ("SIGTERM", 143, "Terminated"), ("SIGHUP", 129, "Hung up")],
)
def test_a_signal_unwinds_the_program_and_is_told_in_one_line(name, status, line, capsys):
    cleaned = []

    def work():
        try:
            signal.raise_signal(signal.Signals[name])
        finally:
            cleaned.append(True)

    with pytest.raises(SystemExit) as end, foreseen_ends():
        work()
    assert (end.value.code, cleaned) == (status, [True])
    assert capsys.readouterr().err == f"{line}\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Ended(signal.SIGTERM)])
def test_a_job_leaves_the_line_to_its_sweep(error, capsys):
    with pytest.raises(SystemExit), foreseen_ends(quiet=True):
        raise error
    assert capsys.readouterr().err == ""


def test_an_interrupted_import_that_fails_in_its_own_way_is_an_interruption(capsys):
    def load():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("an extension module failed to load") from None

    with pytest.raises(SystemExit) as end, foreseen_ends():
        load()
    assert (end.value.code, capsys.readouterr().err) == (130, "Interrupted\n")


@pytest.mark.parametrize("error", [ValueError("a bug"), SystemExit(2)])
def test_other_ends_are_left_alone(error):
    with pytest.raises(type(error)) as end, foreseen_ends():
        raise error
    assert end.value is error


@posix
def test_a_hangup_is_ignored_under_nohup():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with foreseen_ends():
        signal.raise_signal(signal.SIGHUP)


@posix
def test_a_signal_sent_twice_at_once_is_one_and_a_later_one_is_final(monkeypatch):
    final = []
    monkeypatch.setattr(ends, "die_of", final.append)

    def work():
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGINT)
            seconds = time.monotonic() + 0.6
            monkeypatch.setattr(time, "monotonic", lambda: seconds)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(SystemExit), foreseen_ends():
        work()
    assert final == [signal.SIGINT]


@posix
def test_a_forked_worker_dies_of_the_signal_without_a_word():
    code = (
        "import os, signal, time\n"
        "from symbotunes.system.ends import foreseen_ends\n"
        "with foreseen_ends():\n"
        "    reading, writing = os.pipe()\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        os.write(writing, b'.')\n"
        "        time.sleep(60)\n"
        "        os._exit(0)\n"
        "    os.read(reading, 1)  # signals that arrive earlier are lost\n"
        "    os.kill(child, signal.SIGTERM)\n"
        "    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == (f"-{signal.SIGTERM:d}\n", "")
