"""A process that has imported what ``main.py`` needs, and forks for every run of it.

Starting Python and importing torch and lightning costs many times what a tiny run does. A fork
ends as any program does, exit handlers included. Tests of how the program starts, of signals and
of what it imports start processes of their own.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

NEEDED = (
    "miditok",
    "symbotunes.modes.train",
    "symbotunes.modes.sample",
    "symbotunes.modes.evaluate",
)
LIMIT = 300  # seconds, for a run


class Server:
    """Runs commands in forks of a process that lives as long as this object is open."""

    def __init__(self, root: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm"],
            cwd=root, env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(
        self, words: Sequence[str], environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Do what ``python *words`` does in the folder given."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            streams = [Path(folder, name) for name in ("stdout", "stderr")]
            request = [list(words), dict(environment), *map(str, streams)]
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            status = int(self.process.stdout.readline())
            said = [stream.read_text() for stream in streams]
        return subprocess.CompletedProcess(list(words), status, *said)

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


def serve() -> None:
    """Answer requests, one a line, with exit statuses; returns in every fork, and at the end."""
    for name in NEEDED:
        importlib.import_module(name)
    gc.freeze()  # a fork that collected all this would copy it
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            become(*json.loads(line))
            return
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


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
    runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    serve()
