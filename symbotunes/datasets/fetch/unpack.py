"""Unpacking archives from untrusted sources.

tarfile and zipfile extract, and tarfile's filter ``data`` checks the members of both. This module
limits the archive as a whole, chooses the files, and writes the folder completely or not at all.
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
    """An archive beyond these is a decompression bomb, or not the one that was published.

    Attributes:
        members: entries of all kinds.
        bytes: unpacked size of all entries that have to be read.
    """

    members: int = 1_000_000
    bytes: int = 32 * 2**30


@dataclass(frozen=True)
class Unpacked:
    """What a folder was unpacked from.

    Attributes:
        sha256: of the archive, hexadecimal.
        files: how many were extracted.
        bytes: total size of these files.
    """

    sha256: str
    files: int
    bytes: int


class UnsafeArchive(Exception):
    """An archive that would do more than put files into its folder."""


def unpack_once(
    archive: Path, folder: Path, suffixes: Collection[str], *, sha256: str, limits: Limits
) -> Unpacked:
    """Unpack the files that end in one of `suffixes`; the folder appears complete or not at all.

    Jobs that start together unpack it once.

    Args:
        archive: .zip, or .tar with or without compression.
        folder: created by this call, unless it already exists.
        suffixes: in lower case, with their dots.
        sha256: of the archive, recorded in the folder.
        limits: an archive beyond these is refused.

    Raises:
        DatasetError: if the archive is broken, unsafe, too large or contains no such file.
    """
    with only_one(folder, "unpacking"):
        if not folder.is_dir():
            _unpack(archive, folder, suffixes, sha256, limits)
    return record_of(folder)


def record_of(folder: Path) -> Unpacked:
    """What `unpack_once` recorded.

    Raises:
        DatasetError: if the folder was not created by it.
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
    """Write the files that are wanted; returns their number and total size in bytes."""
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
            else:  # it is decompressed anyway
                skipped += member.size
            gate.check_bytes(skipped)
            opened.members = []  # type: ignore[attr-defined]  # tarfile would keep all of them in memory


def _extract_zip(file: IO[bytes], gate: "_Gate") -> None:
    with zipfile.ZipFile(file) as opened:
        for info in opened.infolist():
            path = gate.path_for(_as_tar_member(info, opened))
            if path is not None:
                info.filename = path.as_posix()
                opened.extract(info, gate.folder)


def _as_tar_member(info: zipfile.ZipInfo, opened: zipfile.ZipFile) -> tarfile.TarInfo:
    """Describe a zip member so that tarfile's filter can check it; zipfile has no filter."""
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
    """Decides for each member of an archive whether it is extracted, and counts those that are.

    The standard library writes no more bytes of a member than its header declares, so the declared
    sizes can be counted before anything is written.

    Attributes:
        files: how many members have been accepted.
        bytes: their total size.
    """

    def __init__(self, folder: Path, suffixes: Collection[str], limits: Limits) -> None:
        self.folder = folder
        self.suffixes = suffixes
        self.limits = limits
        self.members = self.files = self.bytes = 0

    def path_for(self, member: tarfile.TarInfo) -> PurePosixPath | None:
        """Where below the folder a wanted file goes; ``None`` for every other harmless member.

        Raises:
            UnsafeArchive: if the member is dangerous or exceeds the limits.
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
        """Refuse an archive with too many bytes, counting `skipped` bytes that were not written."""
        if self.bytes + skipped > self.limits.bytes:
            raise UnsafeArchive(f"it unpacks to more than {self.limits.bytes:,} bytes")

    def _filter(self, member: tarfile.TarInfo) -> None:
        """Refuse dangerous members. Links are never created; one out of the folder is an attack."""
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

    Stricter than tarfile's filter, which strips leading slashes and recognizes backslashes and
    drives only on Windows: a corpus must be the same files on every system.

    Raises:
        UnsafeArchive: if its name leads out of the folder on any system.
    """
    parts = name.replace("\\", "/").split("/")
    drive = len(parts[0]) == 2 and parts[0][1] == ":"
    if name.startswith(("/", "\\")) or ".." in parts or "\0" in name or drive:
        raise UnsafeArchive(f"it wants to write outside its folder, at {name!r}")
    return PurePosixPath(*(part for part in parts if part not in ("", ".")))
