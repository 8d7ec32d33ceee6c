"""Archives from strangers: what is wanted comes out, and nothing else happens."""

import io
import json
import shutil
import stat
import tarfile
import zipfile

import pytest

from symbotunes.datasets.base import DatasetError
from symbotunes.datasets.fetch.unpack import Limits, unpack_once

SONG = b"MThd and so on"


@pytest.fixture
def unpack(tmp_path):
    def run(data: bytes, *, suffixes=(".mid",), limits=None):
        archive = tmp_path / "archive"
        archive.write_bytes(data)
        folder = tmp_path / "out" / "songs"
        found = unpack_once(archive, folder, suffixes, sha256="abc", limits=limits or Limits())
        return folder, found

    return run


def names(folder):
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    )


def everything(tmp_path):
    return sorted(
        path.relative_to(tmp_path).as_posix()
        for path in tmp_path.rglob("*")
        if not path.name.endswith(".lock")
    )


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def zip_entry(name, kind):
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | 0o644) << 16
    return info


def test_only_the_wanted_files_come_out(unpack, tar_of):
    folder, found = unpack(
        tar_of(
            {"a/1.mid": SONG, "a/2.MID": SONG, "a/README": b"", "b/.hid.mid": b"", "./c.mid": b"x"}
        )
    )
    assert names(folder) == ["a/1.mid", "a/2.MID", "c.mid"]
    assert (folder / "a/1.mid").read_bytes() == SONG
    assert (found.sha256, found.files, found.bytes) == ("abc", 3, 29)
    assert json.loads((folder / ".archive.json").read_text())["files"] == 3


def test_zip_is_told_from_tar_by_its_bytes(unpack, zip_of):
    folder, _ = unpack(zip_of({"x/1.mid": SONG, "__MACOSX/x/1.mid": b"junk", "x/t.csv": b"1,2"}))
    assert names(folder) == ["x/1.mid"]


def test_what_is_unpacked_is_not_unpacked_again(unpack, tar_of):
    folder, first = unpack(tar_of({"1.mid": SONG}))
    _, second = unpack(b"no archive at all")
    assert first == second
    assert names(folder) == ["1.mid"]


def test_a_folder_of_other_origin_is_left_alone(unpack, tar_of, tmp_path):
    (tmp_path / "out" / "songs").mkdir(parents=True)
    with pytest.raises(DatasetError, match="was not unpacked by this program"):
        unpack(tar_of({"1.mid": SONG}))


@pytest.mark.parametrize(
    "name", ["/etc/1.mid", "../1.mid", "a/../../1.mid", "..\\1.mid", "C:\\1.mid"]
)
def test_a_name_that_leads_out_of_the_folder_is_refused(unpack, tar_of, zip_of, name, tmp_path):
    for data in (tar_of({"ok.mid": SONG, name: SONG}), zip_of({"ok.mid": SONG, name: SONG})):
        with pytest.raises(DatasetError, match="outside its folder"):
            unpack(data)
    assert everything(tmp_path) == ["archive", "out"]


@pytest.mark.parametrize(
    "info",
    [
        special("a/up", tarfile.SYMTYPE, "../../etc"),
        special("root", tarfile.SYMTYPE, "/etc/passwd"),
        special("hard", tarfile.LNKTYPE, "../secret"),
        special("hard.mid", tarfile.LNKTYPE, "/etc/passwd"),
    ],
    ids=["symlink up", "symlink to root", "hard link up", "hard link to root"],
)
def test_a_link_that_points_out_of_the_folder_is_refused(unpack, tar_of, info, tmp_path):
    with pytest.raises(DatasetError, match="it holds a link to"):
        unpack(tar_of({"ok.mid": SONG, "link": info, "link/1.mid": SONG}))
    assert everything(tmp_path) == ["archive", "out"]


def test_links_within_the_folder_are_passed_over(unpack, tar_of):
    soft = special("b/2.mid", tarfile.SYMTYPE, "../a/1.mid")
    hard = special("b/3.mid", tarfile.LNKTYPE, "a/1.mid")
    folder, _ = unpack(tar_of({"a/1.mid": SONG, "soft": soft, "hard": hard}))
    assert names(folder) == ["a/1.mid"]


def test_a_zipped_link_out_of_the_folder_is_refused(unpack, zip_of):
    link = zip_entry("link.mid", stat.S_IFLNK)
    with pytest.raises(DatasetError, match="it holds a link to '/etc'"):
        unpack(zip_of({"ok.mid": SONG, link: b"/etc"}))


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices_are_refused(unpack, tar_of, kind):
    with pytest.raises(DatasetError, match="it holds a device"):
        unpack(tar_of({"ok.mid": SONG, "device": special("device", kind)}))


def test_zipped_devices_are_refused(unpack, zip_of):
    with pytest.raises(DatasetError, match="it holds a device"):
        unpack(zip_of({"ok.mid": SONG, zip_entry("null.mid", stat.S_IFCHR): b""}))


def test_too_many_members_are_refused(unpack, tar_of, zip_of, tmp_path):
    many = {f"{number}.txt": b"" for number in range(20)}
    for data in (tar_of(many), zip_of(many)):
        with pytest.raises(DatasetError, match="more than 10 members"):
            unpack(data, limits=Limits(members=10))
    assert everything(tmp_path) == ["archive", "out"]


@pytest.mark.parametrize("name", ["1.mid", "unwanted.txt"])
def test_a_tar_that_swells_is_refused(unpack, tar_of, name):
    bomb = tar_of({"0.mid": SONG, name: bytes(2_000_000)})
    assert len(bomb) < 10_000
    with pytest.raises(DatasetError, match="unpacks to more than 1,000,000 bytes"):
        unpack(bomb, limits=Limits(bytes=1_000_000))


def test_a_zip_that_swells_is_refused_even_in_small_files(unpack, zip_of):
    bomb = zip_of({f"{number}.mid": bytes(300_000) for number in range(8)})
    with pytest.raises(DatasetError, match="unpacks to more than 1,000,000 bytes"):
        unpack(bomb, limits=Limits(bytes=1_000_000))


@pytest.mark.parametrize("kind", ["tar", "zip", "text"])
def test_a_truncated_archive_leaves_nothing(unpack, tar_of, zip_of, kind, tmp_path):
    songs = {f"{number}.mid": bytes(range(256)) * number for number in range(40)}
    data = {"tar": tar_of(songs), "zip": zip_of(songs), "text": b"sorry" * 1000}[kind]
    with pytest.raises(DatasetError, match="is damaged .*delete it to download it again") as caught:
        unpack(data[: len(data) // 2])
    assert "\n" not in str(caught.value)
    assert everything(tmp_path) == ["archive", "out"]


def test_backslashes_separate_folders_everywhere(unpack, tar_of, zip_of):
    folder, _ = unpack(zip_of({"a\\1.mid": SONG}))
    assert names(folder) == ["a/1.mid"]
    shutil.rmtree(folder)
    folder, _ = unpack(tar_of({"a\\1.mid": SONG}))
    assert names(folder) == ["a/1.mid"]


def test_what_comes_out_is_not_executable(unpack, tmp_path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("1.mid")
        info.size, info.mode = len(SONG), 0o6777
        archive.addfile(info, io.BytesIO(SONG))
    folder, _ = unpack(buffer.getvalue())
    assert not (folder / "1.mid").stat().st_mode & 0o6111


def test_a_zip_that_understates_its_sizes_is_damaged(unpack, zip_of):
    """The bound counts what is declared, so that no more than that may be written."""
    data = bytearray(zip_of({"1.mid": bytes(100_000)}))
    central = data.rindex(b"PK\x01\x02")
    data[central + 24 : central + 28] = (10).to_bytes(4, "little")
    with pytest.raises(DatasetError, match="is damaged"):
        unpack(bytes(data))


def test_a_tar_with_a_negative_size_is_refused(unpack):
    header = tarfile.TarInfo("1.mid")
    header.size = -(10**9)
    data = header.tobuf(tarfile.GNU_FORMAT) + bytes(20 * 512)
    with pytest.raises(DatasetError):
        unpack(data, limits=Limits(bytes=1000))


def test_a_python_without_filters_says_which_one_has_them(unpack, tar_of, monkeypatch, tmp_path):
    monkeypatch.delattr(tarfile, "data_filter")
    with pytest.raises(DatasetError, match="came with Python 3.11.4; this is .*: update it"):
        unpack(tar_of({"1.mid": SONG}))
    assert everything(tmp_path) == ["archive", "out"]


def test_the_leftovers_of_a_killed_job_do_not_matter(unpack, tar_of, tmp_path):
    stale = tmp_path / "out" / ".songs.unpacking"
    stale.mkdir(parents=True)
    (stale / "half.mid").touch()
    folder, _ = unpack(tar_of({"1.mid": SONG}))
    assert names(folder) == ["1.mid"]
    assert not stale.exists()


def test_an_archive_without_music_is_refused(unpack, tar_of):
    with pytest.raises(DatasetError, match=r"no file that ends in \.mid"):
        unpack(tar_of({"README": b"hello"}))
