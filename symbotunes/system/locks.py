"""Locks that keep two processes from writing to one place at once."""

import errno
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from symbotunes.errors import UserError
from symbotunes.files import atomic_write
from symbotunes.system.owner import Owner, writes_for_all

LOCK, OWNER = ".lock", ".owner.json"  # in a folder that one process at a time writes to
# What file systems without locks answer, such as Lustre, or NFS without a lock daemon.
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL)
_held: set[Path] = set()  # folders that this process holds
_warned: set[Path] = set()


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Be the only process that writes to a folder; a process may enter it more than once.

    Of a job that runs as several processes, the first one enters for all.

    Args:
        folder: created if it does not exist.

    Raises:
        UserError: if another process holds it, naming that process and its machine.
    """
    key = folder.resolve()
    if key in _held or not writes_for_all():
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    refuse_owned(folder)
    with locked(folder / LOCK, busy=lambda: refuse_owned(folder, locked=True)):
        _held.add(key)
        try:
            atomic_write(folder / OWNER, json.dumps(Owner.this_process().as_dict()) + "\n")
            yield
        finally:
            _held.discard(key)
            with suppress(OSError):
                (folder / OWNER).unlink(missing_ok=True)


def remove_if_unused(folder: Path) -> None:
    """Remove a folder in which nothing has been written but its lock."""
    with suppress(OSError):  # it does not exist, or is not ours to remove
        if {path.name for path in folder.iterdir()} <= {LOCK}:
            (folder / LOCK).unlink(missing_ok=True)
            folder.rmdir()


def owner_of(folder: Path) -> Owner | None:
    """The process that `exclusive` lets write to a folder, or did when it was killed."""
    try:
        record = json.loads((folder / OWNER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return Owner.of(record) if isinstance(record, dict) else None


def refuse_owned(folder: Path, *, locked: bool = False) -> None:
    """See that no other process of this machine is known to write to a folder.

    Args:
        folder: that `exclusive` is about to enter.
        locked: whether its lock is known to be held, on whatever machine.

    Raises:
        UserError: if one does.
    """
    owner = owner_of(folder)
    for _ in range(10 if locked else 0):  # whoever has just got the lock says so in a moment
        if owner is not None and not owner.is_dead:
            break
        time.sleep(0.1)
        owner = owner_of(folder)
    alive = owner is not None and owner.is_here and not owner.is_dead
    if locked or (alive and owner != Owner.this_process()):
        holder = "another process" if owner is None or owner.is_dead else owner
        raise UserError(
            f"{folder} is in use by {holder}: wait for it to end, or choose another folder"
        )


@contextmanager
def locked(path: Path, *, busy: Callable[[], None]) -> Iterator[None]:
    """Hold a lock file; where the file system has no locks, go on without, with one note.

    Args:
        path: the lock file; its folder exists.
        busy: called if another process holds the lock, before waiting for it; it may raise.
    """
    reason = refusal(path.parent)
    if reason is not None:
        if path.parent not in _warned:
            _warned.add(path.parent)
            print(
                f"note: {path.parent} is on a file system without locks ({reason}): do not start "
                "two runs that write to it at once",
                file=sys.stderr,
            )
        yield
        return
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        busy()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def refusal(folder: Path) -> str | None:
    """Why the file system of a folder locks no files, if it does not.

    Versions of filelock differ in what they do then: some wait for ever, some raise an error, some
    leave a file that outlives a killed process.
    """
    try:
        import fcntl
    except ImportError:  # Windows, whose file systems have locks
        return None
    with tempfile.TemporaryFile(dir=folder) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            return str(error.strerror)
    return None
