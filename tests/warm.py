"""A process that has imported what ``main.py`` needs, and forks for every run of it.

Starting Python and importing torch and lightning costs many times what a tiny run does. A fork
ends as any program does, exit handlers included; only the modules in memory are not taken apart,
which would copy all of it. All workers of pytest share the process, which
imports nothing before the first of them asks. Tests of how the program starts, of signals and of
what it imports start processes of their own. Where there is no fork, as on Windows, every run does.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

NEEDED = (
    "miditok",
    "symbotunes.modes.train",
    "symbotunes.modes.sample",
    "symbotunes.modes.evaluate",
)
LIMIT = 900  # seconds, for a run


class Server:
    """The process, from here to `close`; ``address`` is its socket."""

    def __init__(self, root: Path) -> None:
        self.address, self.process = "", None
        if not hasattr(os, "fork"):
            return
        self.folder = tempfile.TemporaryDirectory()
        self.address = str(Path(self.folder.name) / "socket")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.address)
            listener.listen(16)
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.warm", str(listener.fileno())],
                cwd=root, env={**os.environ, "OMP_NUM_THREADS": "1"},
                stdin=subprocess.PIPE, pass_fds=[listener.fileno()],
            )  # fmt: skip

    def close(self) -> None:
        """End the process."""
        if self.process is None:
            return
        self.process.communicate()
        self.folder.cleanup()


def run(
    address: str, words: Sequence[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Do what ``python *words`` does in the folder of the process that listens there."""
    if not address:
        return subprocess.run(
            [sys.executable, *words],
            cwd=Path(__file__).parents[1], env=dict(environment), capture_output=True,
            encoding="utf-8", timeout=LIMIT, check=False,
        )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        streams = [Path(folder, name) for name in ("stdout", "stderr")]
        request = [list(words), dict(environment), *map(str, streams)]
        with connection.makefile("rw") as exchange:
            exchange.write(json.dumps(request) + "\n")
            exchange.flush()
            status = int(exchange.readline())
        outputs = [stream.read_text() for stream in streams]
    return subprocess.CompletedProcess(list(words), status, *outputs)


def serve(listener: socket.socket) -> None:
    """Answer requests until standard input is closed; returns in every run too, at its end."""
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        connection, _ = listener.accept()
        for name in NEEDED:
            importlib.import_module(name)
        hydra_plugins = importlib.import_module("hydra.core.plugins")
        hydra_plugins.Plugins.instance()  # looks for Hydra's plug-ins, and imports them
        gc.freeze()  # a fork that collected all this would copy it
        if os.fork() == 0:
            answer(connection)
            return
        connection.close()
        with contextlib.suppress(ChildProcessError):  # nothing to wait for
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def answer(connection: socket.socket) -> None:
    """Read a request, run it in a fork and send its exit status; returns in the fork."""
    with connection, connection.makefile("rw") as exchange:
        request = json.loads(exchange.readline())
        child = os.fork()
        if child:
            _, status = os.waitpid(child, 0)
            exchange.write(f"{os.waitstatus_to_exitcode(status)}\n")
            exchange.flush()
            os._exit(0)
    become(*request)


def become(words: list[str], environment: dict[str, str], stdout: str, stderr: str) -> None:
    """Be the process that ``python *words`` would start."""
    for descriptor, path in enumerate((os.devnull, stdout, stderr)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.environ.clear()
    os.environ.update(environment)
    signal.alarm(LIMIT)
    sys.argv = words
    status = 0
    try:
        runpy.run_path(words[0], run_name="__main__")
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()  # what Python does at its end
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
