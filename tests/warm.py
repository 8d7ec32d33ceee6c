"""A process that has imported what ``main.py`` needs, and forks for every run of it.

Starting Python and importing torch and lightning costs many times what a tiny run does. A fork
ends as any program does, exit handlers included; only the modules in memory are not taken apart,
which would copy all of it. All workers of pytest share the process, which
imports nothing before the first of them asks. Programs that start others with ``sys.executable``
get ``bin/python`` beside the socket, see `tests.warm_python`. Tests of how the program starts, of
signals and of what it imports start processes of their own. Where there is no fork, as on
Windows, every run does.

Where the whole suite runs, the workers of pytest-xdist are forks too: every file together needs
all that is imported here.
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
import types
from collections.abc import Mapping, Sequence
from importlib.machinery import PathFinder
from pathlib import Path

NEEDED = (
    "miditok",
    "symbotunes.modes.train",
    "symbotunes.modes.sample",
    "symbotunes.modes.evaluate",
)
LIMIT = 900  # seconds, for a run
ADDRESS = "SYMBOTUNES_WARM"  # environment variable


class Server:
    """The process, from here to `close`; ``address`` is its socket."""

    def __init__(self, root: Path) -> None:
        self.address, self.process = "", None
        if not hasattr(os, "pidfd_open"):
            return
        self.folder = tempfile.TemporaryDirectory()
        self.address = str(Path(self.folder.name) / "socket")
        python = Path(python_at(self.address))
        python.parent.mkdir()
        code = Path(__file__).with_name("warm_python.py").read_text()
        python.write_text(f"#!{sys.executable} -IS\n{code}")
        python.chmod(0o755)
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


def python_at(address: str) -> str:
    """The program that does what ``python`` would, by the process that listens there."""
    return str(Path(address).with_name("bin") / "python") if address else sys.executable


def python() -> str:
    """The same, for the session of pytest that runs; it needs that session's environment."""
    return python_at(os.environ.get(ADDRESS, ""))


def run(
    address: str, words: Sequence[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Do what ``python *words`` does in the folder of the project."""
    return subprocess.run(
        [python_at(address), *words],
        cwd=Path(__file__).parents[1], env={**environment, ADDRESS: address}, capture_output=True,
        stdin=subprocess.DEVNULL, encoding="utf-8", timeout=LIMIT, check=False,
    )  # fmt: skip


def serve(listener: socket.socket) -> None:
    """Answer requests until standard input is closed; returns in every run too, at its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for pytest, which closes the input
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
    with contextlib.suppress(ChildProcessError):  # whose times are those of pytest's children
        while os.waitpid(-1, 0)[0]:
            pass


def answer(connection: socket.socket) -> None:
    """Read a request, run it in a fork and send its pid and exit status; returns in the fork."""
    head, streams, *_ = socket.recv_fds(connection, 8, 3)
    size = int.from_bytes(head, "big")
    with connection, connection.makefile("rwb") as exchange:
        request = json.loads(exchange.read(size))
        child = os.fork()
        if child:
            exchange.write(b"%d\n" % child)
            exchange.flush()
            end = os.pidfd_open(child)
            if end not in select.select([end, connection], [], [])[0]:  # whoever asked is gone
                os.kill(child, signal.SIGKILL)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            with contextlib.suppress(BrokenPipeError):
                exchange.write(b"%d\n" % status)
                exchange.flush()
            os._exit(0)
    become(*request, streams)


def forget_ours() -> None:
    """Have what is imported of our modules from now on read anew."""
    for name in [*sys.modules]:
        if name.partition(".")[0] in ("symbotunes", "tests"):
            del sys.modules[name]


def become(
    words: list[str], environment: dict[str, str], folder: str, streams: Sequence[int]
) -> None:
    """Be the process that ``python *words`` would start."""
    for descriptor, opened in enumerate(streams):
        os.dup2(opened, descriptor)
        os.close(opened)
    before = sys.stdin, sys.stdout, sys.stderr  # handlers of logs still write to these
    encoding, _, errors = environment.get("PYTHONIOENCODING", "").partition(":")
    form = {"encoding": encoding or "utf-8", "closefd": False}
    sys.stdin = sys.__stdin__ = os.fdopen(0, **form)
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", errors=errors or "strict", **form)
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", buffering=1, errors="backslashreplace", **form)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    if words[0] != "-c":  # a worker of pytest lasts, and starts what is not warm as well
        sys.executable = python_at(environment[ADDRESS])
        signal.alarm(LIMIT)
    for name in ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    paths = environment.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [folder, *(path for path in paths if path)]
    nearest, known = PathFinder.find_spec("symbotunes", sys.path), sys.modules.get("symbotunes")
    if nearest and known and nearest.origin != known.__file__:  # a copy of the checkout
        forget_ours()
    status = 0
    try:
        if words[0] == "-c":
            main = sys.modules["__main__"] = types.ModuleType("__main__")
            exec(words[1], vars(main))
        elif words[0] == "-m":
            sys.argv = words[1:]
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = words
            runpy.run_path(words[0], run_name="__main__")
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else bool(end.code)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()  # what Python does at its end
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr, *before[1:]):
        with contextlib.suppress(OSError, ValueError):  # closed, as by a program that reads no more
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
