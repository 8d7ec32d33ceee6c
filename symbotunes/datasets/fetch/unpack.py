"""Unpacking archives that strangers made.

tarfile and zipfile extract, and tarfile's filter ``data`` judges the members of both; here are the
bounds of an archive as a whole, the choice of files, and a folder that appears whole or not at all.
"""

import json
import lzma
import platform
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from rich.progress import open as open_with_progress

from symbotunes.datasets.base import DatasetError
from symbotunes.datasets.fetch.download import only_one
from symbotunes.errors import first_line
from symbotunes.files import atomic_folder

RECORD = ".archive.json"  # in the unpacked folder
MAX_LINK_BYTES = 4096  # no path is longer
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError)


@dataclass(frozen=True)
class Limits:
    """Beyond these an archive is a bomb or not what it should be.

    Attributes:
        members: entries of all kinds.
        bytes: unpacked, of all entries that have to be read.
    """

    members: int = 1_000_000
    bytes: int = 32 * 2**30


@dataclass(frozen=True)
class Unpacked:
    """What a folder was unpacked from.

    Attributes:
        sha256: of the archive, hexadecimal.
        files: how many were wanted.
        bytes: of all of them.
    """

    sha256: str
    files: int
    bytes: int


class UnsafeArchive(Exception):
    """An archive that wants more than to put files into its folder."""


def unpack_once(
    archive: Path, folder: Path, suffixes: Collection[str], *, sha256: str, limits: Limits
) -> Unpacked:
    """Unpack the files that end in one of `suffixes`; the folder appears whole or not at all.

    Jobs that start together unpack once.

    Args:
        archive: .zip, or .tar with or without compression.
        folder: made by this call, unless it is there already.
        suffixes: lower case, with their dots.
        sha256: of the archive, recorded in the folder.
        limits: beyond which it is refused.

    Raises:
        DatasetError: if the archive is broken, unsafe, too large or holds no such file.
    """
    with only_one(folder, "unpacks"):
        if not folder.is_dir():
            _unpack(archive, folder, suffixes, sha256, limits)
    return record_of(folder)


def record_of(folder: Path) -> Unpacked:
    """What `unpack_once` recorded.

    Raises:
        DatasetError: if the folder was not made by it.
    """
    try:
        return Unpacked(**json.loads((folder / RECORD).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise DatasetError(
            f"{folder} was not unpacked by this program; delete or move it (dataset=midi_folder "
            "reads any folder)"
        ) from error


def _unpack(
    archive: Path, folder: Path, suffixes: Collection[str], sha256: str, limits: Limits
) -> None:
    if not hasattr(tarfile, "data_filter"):
        raise DatasetError(
            f"unpacking {archive} needs the filters of tarfile, which came with Python 3.11.4; "
            f"this is {platform.python_version()}: update it"
        )
    try:
        with atomic_folder(folder, draft_name=f".{folder.name}.unpacking") as draft:
            files, size = _extract(archive, draft, suffixes, limits)
            (draft / RECORD).write_text(json.dumps(asdict(Unpacked(sha256, files, size))))
    except UnsafeArchive as error:
        raise DatasetError(f"{archive} is refused: {error}") from error
    except _BROKEN as error:
        raise DatasetError(
            f"{archive} is damaged ({first_line(error)}); delete it to download it again"
        ) from error
    except OSError as error:
        raise DatasetError(f"could not unpack {archive} ({error})") from error


def _extract(
    archive: Path, draft: Path, suffixes: Collection[str], limits: Limits
) -> tuple[int, int]:
    """Write the wanted files; returns their number and bytes."""
    gate = _Gate(draft, suffixes, limits)
    with archive.open("rb") as file:
        is_zip = file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    with open_with_progress(archive, "rb", description=f"Unpacking {archive.name}") as file:
        if is_zip:
            _extract_zip(file, gate)
        else:
            _extract_tar(file, gate)
    if not gate.files:
        raise UnsafeArchive(f"it holds no file that ends in {' or '.join(sorted(suffixes))}")
    return gate.files, gate.bytes


def _extract_tar(file: IO[bytes], gate: "_Gate") -> None:
    skipped = 0
    with tarfile.open(fileobj=file, mode="r|*") as opened:
        for member in opened:
            path = gate.path_for(member)
            if path is not None:
                named = member.replace(name=path.as_posix(), deep=False)
                opened.extract(named, gate.folder, set_attrs=False, filter="data")
            else:  # it is decompressed all the same
                skipped += member.size
            gate.check_bytes(skipped)
            opened.members = []  # type: ignore[attr-defined]  # it would remember all of them


def _extract_zip(file: IO[bytes], gate: "_Gate") -> None:
    with zipfile.ZipFile(file) as opened:
        for info in opened.infolist():
            path = gate.path_for(_as_tar_member(info, opened))
            if path is not None:
                info.filename = path.as_posix()
                opened.extract(info, gate.folder)


def _as_tar_member(info: zipfile.ZipInfo, opened: zipfile.ZipFile) -> tarfile.TarInfo:
    """The description of a zipped member that tarfile's filter can judge; zipfile has no filter."""
    member = tarfile.TarInfo(info.filename)
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        if info.file_size > MAX_LINK_BYTES:
            raise UnsafeArchive(f"it holds a link of {info.file_size:,} bytes")
        member.type = tarfile.SYMTYPE
        member.linkname = opened.read(info).decode("utf-8", "replace")
    elif info.is_dir() or stat.S_ISDIR(mode):
        member.type = tarfile.DIRTYPE
    elif stat.S_IFMT(mode) in (0, stat.S_IFREG):
        member.size = info.file_size
    else:
        member.type = tarfile.CHRTYPE
    return member


class _Gate:
    """Decides member by member what comes out of an archive, and counts it.

    The standard library writes no more bytes of a member than the member declares, so that the
    declared sizes can be counted before anything is written.

    Attributes:
        files: how many members have been let out.
        bytes: of them.
    """

    def __init__(self, folder: Path, suffixes: Collection[str], limits: Limits) -> None:
        self.folder = folder
        self.suffixes = suffixes
        self.limits = limits
        self.members = self.files = self.bytes = 0

    def path_for(self, member: tarfile.TarInfo) -> PurePosixPath | None:
        """Where below the folder a wanted file goes; ``None`` for every other harmless member.

        Raises:
            UnsafeArchive: if the member is dangerous or one too many.
        """
        self.members += 1
        if self.members > self.limits.members:
            raise UnsafeArchive(f"it has more than {self.limits.members:,} members")
        path = _relative_path(member.name)
        self._filter(member)
        hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
        if hidden or not member.isreg() or path.suffix.lower() not in self.suffixes:
            return None
        self.files += 1
        self.bytes += member.size
        self.check_bytes()
        return path

    def check_bytes(self, skipped: int = 0) -> None:
        """Refuse an archive of too many bytes, `skipped` ones that were not written included."""
        if self.bytes + skipped > self.limits.bytes:
            raise UnsafeArchive(f"it unpacks to more than {self.limits.bytes:,} bytes")

    def _filter(self, member: tarfile.TarInfo) -> None:
        """Links are never made; one that points out of the folder betrays a hostile archive."""
        if member.size < 0:
            raise UnsafeArchive(f"it holds a file of {member.size:,} bytes, {member.name!r}")
        if member.isreg():
            return  # its name has been checked, and the filter costs six look-ups on the disk
        try:
            tarfile.data_filter(member, str(self.folder))
        except (tarfile.AbsoluteLinkError, tarfile.LinkOutsideDestinationError) as error:
            raise UnsafeArchive(f"it holds a link to {member.linkname!r}") from error
        except tarfile.SpecialFileError as error:
            raise UnsafeArchive(f"it holds a device, {member.name!r}") from error
        except tarfile.FilterError as error:
            raise UnsafeArchive(str(error)) from error


def _relative_path(name: str) -> PurePosixPath:
    """Where a member goes, below the folder.

    Stricter than tarfile's filter, which cuts off leading slashes, and knows backslashes and drives
    on Windows alone: a corpus is to be the same files everywhere.

    Raises:
        UnsafeArchive: if its name leads elsewhere on any system.
    """
    parts = name.replace("\\", "/").split("/")
    drive = len(parts[0]) == 2 and parts[0][1] == ":"
    if name.startswith(("/", "\\")) or ".." in parts or "\0" in name or drive:
        raise UnsafeArchive(f"it wants to write outside its folder, at {name!r}")
    return PurePosixPath(*(part for part in parts if part not in ("", ".")))
