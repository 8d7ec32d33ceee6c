"""One process at a time writes to a folder."""

import errno
import os
import subprocess
import sys

import pytest

from symbotunes.errors import UserError
from symbotunes.system import locks
from symbotunes.system.locks import exclusive, locked, remove_if_unused
from symbotunes.system.owner import Owner

HOLD = """
import sys
from pathlib import Path
from symbotunes.system.locks import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    input()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the folder."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_refused_with_the_number_and_machine_of_the_first(tmp_path, holder):
    with pytest.raises(UserError) as refused, exclusive(tmp_path):
        pass
    host = Owner.this_process().host
    assert str(refused.value).startswith(f"{tmp_path} is in use by process {holder.pid} on {host}:")
    holder.communicate("\n")
    with exclusive(tmp_path):
        pass


def test_a_killed_process_holds_nothing(tmp_path, holder):
    holder.kill()
    holder.wait()
    with exclusive(tmp_path):
        assert locks.owner_of(tmp_path) == Owner.this_process()


def test_a_process_enters_its_own_folder_again(tmp_path):
    with exclusive(tmp_path), exclusive(tmp_path / "." / ""):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock"]


def test_processes_of_one_training_enter_behind_the_first(tmp_path, holder, monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    with exclusive(tmp_path):
        pass


def test_a_folder_that_holds_a_lock_alone_is_removed(tmp_path):
    for name in ("unused", "used"):
        with exclusive(tmp_path / name):
            pass
    (tmp_path / "used" / "a").touch()
    for name in ("unused", "used", "missing"):
        remove_if_unused(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["used"]


@pytest.mark.skipif(os.name == "nt", reason="its file systems have locks")
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_where_the_file_system_has_no_locks_work_goes_on_with_one_note(
    tmp_path, monkeypatch, capsys, number
):
    import fcntl

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setattr(locks, "_warned", set())
    done = []
    for _ in range(2):
        with exclusive(tmp_path):
            done.append(1)
        with locked(tmp_path / "other.lock", busy=lambda: pytest.fail("nobody else is here")):
            done.append(2)
    assert done == [1, 2, 1, 2]
    printed = capsys.readouterr().err
    assert printed.count("note: ") == 1
    assert f"{tmp_path} is on a file system without locks" in printed


def test_without_locks_a_living_process_of_this_machine_is_still_seen(
    tmp_path, monkeypatch, holder
):
    import fcntl

    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(UserError, match=f"in use by process {holder.pid}"), exclusive(tmp_path):
        pass


def test_a_folder_that_cannot_be_written_is_an_error_and_no_missing_lock(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="File exists|Not a directory"), exclusive(tmp_path / "file"):
        pass
