"""Runs ``main.py`` as if this system had nothing that only POSIX systems have, as Windows.

What Python and the libraries need of it was imported before; for our modules it is absent.
"""

import asyncio  # noqa: F401
import multiprocessing.popen_spawn_posix
import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import filelock  # noqa: F401
import lightning.pytorch.trainer.connectors.signal_connector as connector
import pebble  # noqa: F401
import platformdirs  # noqa: F401
import psutil  # noqa: F401
import torch.utils.data  # noqa: F401

from tests.warm import forget_ours

OF_WINDOWS = (
    signal.SIGABRT, signal.SIGFPE, signal.SIGILL, signal.SIGINT, signal.SIGSEGV, signal.SIGTERM,
)  # fmt: skip
MODULES = ("fcntl", "grp", "pwd", "resource", "termios", "tty", "pty", "syslog")
OF_SIGNAL = (
    "SIGUSR1", "SIGUSR2", "SIGHUP", "SIGCHLD", "SIGALRM", "SIGQUIT", "SIGPIPE",
    "SIGCONT", "SIGTSTP", "SIGXCPU", "alarm", "setitimer", "pthread_kill",
    "pthread_sigmask", "sigwait", "siginterrupt",
)  # fmt: skip
OF_OS = (
    "fork", "forkpty", "register_at_fork", "killpg", "getpgid", "setsid", "setpgrp", "getuid",
    "geteuid", "getgid", "uname", "sysconf", "statvfs", "sched_getaffinity", "nice", "mkfifo",
    "O_DIRECTORY", "chown", "getloadavg",
)  # fmt: skip


def hide() -> None:
    """Take away what Windows lacks."""
    connector._IS_WINDOWS = True  # or Lightning would look for these signals
    signal.valid_signals = lambda: set(OF_WINDOWS)
    for name in MODULES:
        sys.modules[name] = None
    for name in OF_SIGNAL:
        vars(signal).pop(name, None)
    for name in OF_OS:
        vars(os).pop(name, None)


if __name__ == "__main__":
    assert multiprocessing.popen_spawn_posix
    assert subprocess
    root = Path(__file__).parents[2]
    sys.path.insert(0, str(root))
    forget_ours()  # where a warm process runs this, they are imported
    hide()
    sys.argv = ["main.py", *sys.argv[1:]]
    runpy.run_path(str(root / "main.py"), run_name="__main__")
