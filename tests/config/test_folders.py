"""Folders that cannot be written are named in one line, which says what to do."""

import errno
from types import SimpleNamespace

import pytest
from omegaconf import OmegaConf

from symbotunes.config.folders import make_folder, unwritable
from symbotunes.errors import UserError
from symbotunes.files import atomic_write


def config(tmp_path, **sample):
    return OmegaConf.create(
        {
            "paths": {"root": f"{tmp_path}/outputs", "data": f"{tmp_path}/data", "run_dir": "???"},
            "loader": {"cache": "${paths.data}/cache"},
            "sample": sample,
            "sweep": {"dir": f"{tmp_path}/theirs"},
        }
    )


def refusal(number, path):
    return OSError(number, "reason", None if path is None else str(path))


@pytest.mark.parametrize(
    ("path", "remedy"),
    [
        ("outputs/train/run.json", "set SYMBOTUNES_OUTPUTS to a folder that can be written"),
        ("data/cache/a", "set SYMBOTUNES_DATA, or loader.cache, to a folder that can be written"),
        ("data/downloads", "set SYMBOTUNES_DATA to a folder that can be written"),
        ("theirs/sweep.csv", "copy this sweep to a folder of your own, and set sweep.dir to it"),
        ("samples/a.abc", "set sample.out to a folder that can be written"),
    ],
)
@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOTDIR, errno.EIO])
def test_the_line_names_the_path_and_the_setting(tmp_path, path, remedy, number):
    path = tmp_path / path
    line = unwritable(refusal(number, path), config(tmp_path, out=str(tmp_path / "samples")))
    assert str(line) == f"{path} cannot be written: reason; {remedy}"


def test_a_full_disk_asks_for_space_whether_or_not_the_error_names_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    cfg = config(tmp_path)
    line = unwritable(refusal(errno.ENOSPC, None), cfg)
    assert str(line) == f"{tmp_path}/outputs cannot be written: reason; free space"
    line = str(unwritable(refusal(errno.ENOSPC, tmp_path / "outputs/a"), cfg))
    assert line.endswith("; free space, or set SYMBOTUNES_OUTPUTS to a folder that can be written")


def test_the_folder_with_the_least_free_space_is_the_full_one(tmp_path, monkeypatch):
    free = {"outputs": 7, "data": 3}

    def usage(path):
        assert path.exists()
        return SimpleNamespace(free=free.get(path.name, 9) * 2**20)

    for name in free:
        (tmp_path / name).mkdir()
    monkeypatch.setattr("shutil.disk_usage", usage)
    line = unwritable(refusal(errno.ENOSPC, None), config(tmp_path))
    assert str(line) == f"{tmp_path}/data/cache cannot be written: reason; free space"


def test_an_error_in_a_constructor_is_found_among_the_causes(tmp_path):
    wrapped = RuntimeError("in a constructor")
    wrapped.__cause__ = refusal(errno.EACCES, tmp_path / "outputs")
    assert unwritable(wrapped, config(tmp_path)) is not None


def test_other_errors_keep_their_traceback(tmp_path):
    (tmp_path / "outputs").mkdir()
    for error in (
        refusal(errno.EACCES, tmp_path / "elsewhere"),
        refusal(errno.ENOENT, tmp_path / "outputs/missing"),  # a file that we expected to be there
        refusal(errno.EPIPE, None),
        ValueError("no file"),
    ):
        assert unwritable(error, config(tmp_path)) is None


def test_a_folder_below_a_file_cannot_be_made(tmp_path):
    (tmp_path / "outputs").write_text("a file")
    with pytest.raises(UserError, match=r"outputs/train cannot be written: Not a directory; set"):
        make_folder(tmp_path / "outputs/train", config(tmp_path))


def test_errors_of_atomic_writes_name_the_file_and_not_its_draft(tmp_path):
    target = tmp_path / ("name" * 100)  # longer than any file system allows
    with pytest.raises(OSError, match="File name too long") as caught:
        atomic_write(target, "text")
    assert caught.value.filename == str(target)


@pytest.mark.slow("runs the program")
@pytest.mark.parametrize("mode", ["train", "prepare", "report", "sample"])
def test_every_mode_says_in_one_line_that_its_folder_cannot_be_made(run_main, tmp_path, mode):
    outputs = tmp_path / "outputs"
    outputs.write_text("a file")
    result = run_main(outputs, f"mode={mode}", check=False)
    assert result.returncode == 2
    assert result.stderr.startswith(f"error: {outputs}/{mode}/")
    assert "cannot be written: Not a directory; set SYMBOTUNES_OUTPUTS" in result.stderr
    assert result.stderr.count("\n") == 1
