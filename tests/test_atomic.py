"""What is not whole never stands under its name."""

import subprocess
import sys

import pytest

from symbotunes.files import atomic_file, atomic_folder, atomic_write, remove_drafts


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_and_its_folder_are_made(tmp_path):
    atomic_write(tmp_path / "a" / "song.abc", "é\n")
    assert (tmp_path / "a" / "song.abc").read_bytes() == b"\xc3\xa9\n"
    assert names(tmp_path / "a") == ["song.abc"]


@pytest.mark.parametrize("durable", [True, False])
def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path, durable):
    path = tmp_path / "song.mid"
    path.write_bytes(b"old")
    with atomic_file(path, durable=durable) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["song.mid"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_interrupted_file_leaves_the_old_one_and_nothing_else(tmp_path, error):
    path = tmp_path / "song.mid"
    path.write_bytes(b"old")

    def break_off():
        with atomic_file(path) as file:
            file.write(b"ne")
            raise error

    with pytest.raises(error):
        break_off()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["song.mid"]


def test_what_a_killed_job_left_is_removed_and_nothing_else(tmp_path):
    kill = (
        "import os, pathlib, signal\n"
        "from symbotunes.files import atomic_file\n"
        "with atomic_file(pathlib.Path('checkpoints/best.ckpt')) as file:\n"
        "    file.write(b'half'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", kill], cwd=tmp_path, check=False)
    (draft,) = (tmp_path / "checkpoints").iterdir()
    kept = [".best.ckpt.tmp", "best.ckpt.0123abcd.tmp", ".hidden", "last.ckpt"]
    for name in kept:
        (tmp_path / "checkpoints" / name).touch()
    remove_drafts(tmp_path)
    assert not draft.exists()
    assert names(tmp_path / "checkpoints") == sorted(kept)
    remove_drafts(tmp_path / "new")  # a run that starts has no folder yet


def test_a_folder_takes_the_place_of_the_old_one_once_it_is_whole(tmp_path):
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "old").touch()
    with atomic_folder(folder) as draft:
        (draft / "new").touch()
        assert names(folder) == ["old"]
    assert names(folder) == ["new"]
    assert names(tmp_path) == ["cache"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_interrupted_folder_leaves_the_old_one_and_nothing_else(tmp_path, error):
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "old").touch()

    def break_off():
        with atomic_folder(folder) as draft:
            (draft / "new").touch()
            raise error

    with pytest.raises(error):
        break_off()
    assert names(folder) == ["old"]
    assert names(tmp_path) == ["cache"]


def test_what_a_killed_job_left_under_a_fixed_name_is_cleared(tmp_path):
    (tmp_path / ".cache.unpacking").mkdir()
    (tmp_path / ".cache.unpacking" / "half").touch()
    with atomic_folder(tmp_path / "cache", draft_name=".cache.unpacking") as draft:
        assert names(draft) == []
    assert names(tmp_path) == ["cache"]
