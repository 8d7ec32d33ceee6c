"""A run in the warm process begins, is interrupted and ends as a process of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import execnet
import pytest

from tests import warm

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="every run is a process of its own"),
    pytest.mark.slow("the first run waits until the process is warm"),
]


@pytest.fixture
def start(tmp_path):
    """Start a program with a name that the warm process accepts."""

    def start(code):
        (tmp_path / "some_main.py").write_text("import os, signal, sys, time\n" + code)
        return subprocess.Popen(
            [warm.python(), "-u", "some_main.py", "word"], cwd=tmp_path, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    return start


def test_it_has_arguments_folder_streams_and_environment(start, tmp_path, monkeypatch):
    monkeypatch.setenv("A_VARIABLE", "of the test")
    process = start(
        "print(sys.argv, os.getcwd(), os.environ['A_VARIABLE'], sys.stdin.read())\n"
        "print(sys.executable, file=sys.stderr)\n"
        "sys.exit(3)"
    )
    out, err = process.communicate("typed")
    assert out == f"['some_main.py', 'word'] {tmp_path} of the test typed\n"
    assert err == f"{warm.python()}\n"
    assert process.returncode == 3


def test_an_error_is_a_traceback_and_status_1(start):
    process = start("raise ValueError('wrong')")
    assert process.communicate()[1].endswith("ValueError: wrong\n")
    assert process.returncode == 1


@pytest.mark.parametrize(
    ("code", "number", "status"),
    [
        ("", signal.SIGTERM, -signal.SIGTERM),
        ("signal.signal(signal.SIGUSR1, lambda *_: sys.exit(7))", signal.SIGUSR1, 7),
    ],
)
def test_it_receives_signals_and_its_end_is_told(start, code, number, status):
    process = start(f"{code}\nprint('ready', flush=True)\ntime.sleep(60)")
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert process.wait(30) == status


def test_it_does_not_outlive_who_asked_for_it(start):
    process = start("print(os.getpid(), flush=True)\ntime.sleep(60)")
    own = Path("/proc", process.stdout.readline().strip())
    assert own.exists()
    process.kill()
    end = time.monotonic() + 30
    while lives(own):
        assert time.monotonic() < end
        time.sleep(0.01)


def lives(process):
    try:
        return "zombie" not in (process / "status").read_text()
    except OSError:
        return False


def test_a_worker_of_pytest_finds_all_imported_and_starts_processes_that_do_not():
    code = "import sys; channel.send([sys.executable, 'torch' in sys.modules, __name__])"
    workers = execnet.Group()
    worker = workers.makegateway(f"popen//python={warm.python()}")
    assert worker.remote_exec(code).receive(60) == [sys.executable, True, "__channelexec__"]
    workers.terminate(30)
    assert worker._io.popen.wait(30) == 0


def test_what_is_no_run_of_the_program_is_left_to_python(tmp_path):
    command = [warm.python(), "-c", "import sys; print(sys.executable, 'torch' in sys.modules)"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert out == f"{sys.executable} False\n"
