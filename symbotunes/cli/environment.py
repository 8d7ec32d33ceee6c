"""Prepares this process, and those that it starts, for whatever environment a user has."""

import os
import tempfile
from pathlib import Path

import symbotunes
from symbotunes.config.folders import expand_home
from symbotunes.errors import UserError

# Bytes of a path to a Unix socket, of which macOS allows 104; Python adds two random names.
LONGEST = 103 - len("/pymp-12345678/listener-12345678")
SHORT = ("/tmp", "/var/tmp", "/dev/shm")


def prepare_environment() -> None:
    """Make the environment one in which every process that is started from here works.

    Raises:
        UserError: if there is no folder for the sockets of worker processes.
    """
    expand_home()
    import_ours_first()
    shorten_temporary_folder()


def import_ours_first() -> None:
    """Let processes started with ``python -m`` import no file of the current folder.

    A ``queue.py`` there would take the place of Python's own. The folder of this package, in which
    a checkout has it, is searched in its stead.
    """
    os.environ["PYTHONSAFEPATH"] = "1"
    source = str(Path(symbotunes.__file__).parents[1])
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if source not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [source, *paths]))


def shorten_temporary_folder() -> None:
    """Keep sockets where their paths are not too long, as with a TMPDIR deep in a cluster's tree.

    A data worker that cannot open its socket would leave the training waiting forever.

    Raises:
        UserError: if no folder with a short name can be written to.
    """
    folder = os.environ.get("TMPDIR", "")
    if os.name != "posix" or len(os.fsencode(folder)) <= LONGEST:
        return
    short = next((path for path in SHORT if os.access(path, os.W_OK | os.X_OK)), None)
    if short is None:
        raise UserError(
            f"TMPDIR={folder}: sockets need a path of at most {LONGEST} bytes; set TMPDIR to a "
            "folder with a shorter one"
        )
    tempfile.tempdir = short
