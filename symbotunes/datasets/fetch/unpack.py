"""Unpacking archives that strangers made."""

import json
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from rich.progress import open as open_with_progress

from symbotunes.datasets.base import DatasetError
from symbotunes.datasets.fetch.download import only_one

RECORD = ".archive.json"  # in the unpacked folder
CHUNK_BYTES = 2**18
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


@dataclass(frozen=True)
class _Member:
    name: str
    source: IO[bytes]


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
    draft = folder.with_name(f".{folder.name}.unpacking")
    if draft.exists():  # of a job that was killed
        shutil.rmtree(draft)
    try:
        files, size = _write(archive, draft, suffixes, limits)
        (draft / RECORD).write_text(json.dumps(asdict(Unpacked(sha256, files, size))))
        draft.rename(folder)
    except UnsafeArchive as error:
        raise DatasetError(f"{archive} is refused: {error}") from error
    except _BROKEN as error:
        reason = str(error).partition("\n")[0]
        raise DatasetError(
            f"{archive} is damaged ({reason}); delete it to download it again"
        ) from error
    except OSError as error:
        raise DatasetError(f"could not unpack {archive} ({error})") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write(
    archive: Path, draft: Path, suffixes: Collection[str], limits: Limits
) -> tuple[int, int]:
    """Write the wanted files; returns their number and bytes."""
    draft.mkdir(parents=True)
    files = size = 0
    for member in _members(archive, limits):
        place = _place(member.name)
        wanted = place.suffix.lower() in suffixes
        if not wanted or any(part.startswith(".") or part == "__MACOSX" for part in place.parts):
            continue
        path = draft / place
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for chunk in _chunks(member.source):
                size += len(chunk)
                if size > limits.bytes:
                    raise UnsafeArchive(f"it unpacks to more than {limits.bytes:,} bytes")
                file.write(chunk)
        files += 1
    if not files:
        raise UnsafeArchive(f"it holds no file that ends in {' or '.join(sorted(suffixes))}")
    return files, size


def _chunks(source: IO[bytes]) -> Iterator[bytes]:
    while chunk := source.read(CHUNK_BYTES):
        yield chunk


def _place(name: str) -> PurePosixPath:
    """Where a member goes, below the folder.

    Raises:
        UnsafeArchive: if its name leads elsewhere on any system.
    """
    parts = name.replace("\\", "/").split("/")
    drive = len(parts[0]) == 2 and parts[0][1] == ":"
    if name.startswith(("/", "\\")) or ".." in parts or "\0" in name or drive:
        raise UnsafeArchive(f"it wants to write outside its folder, at {name!r}")
    return PurePosixPath(*(part for part in parts if part not in ("", ".")))


def _members(archive: Path, limits: Limits) -> Iterator[_Member]:
    """Plain files of the archive; everything else is passed over or refused."""
    with archive.open("rb") as file:
        is_zip = file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    members = _zip_members(archive, limits) if is_zip else _tar_members(archive, limits)
    for count, member in enumerate(members, start=1):
        if count > limits.members:
            raise UnsafeArchive(f"it has more than {limits.members:,} members")
        if member is not None:
            yield member


def _zip_members(archive: Path, limits: Limits) -> Iterator[_Member | None]:
    with (
        open_with_progress(archive, "rb", description=f"Unpacking {archive.name}") as file,
        zipfile.ZipFile(file) as opened,
    ):
        for info in opened.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if stat.S_ISLNK(kind):
                if info.file_size > MAX_LINK_BYTES:
                    raise UnsafeArchive(f"it holds a link of {info.file_size:,} bytes")
                _check_link(info.filename, opened.read(info).decode("utf-8", "replace"))
                yield None
            elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise UnsafeArchive(f"it holds a device, {info.filename!r}")
            elif info.is_dir():
                yield None
            elif info.file_size > limits.bytes:
                raise UnsafeArchive(f"it unpacks to more than {limits.bytes:,} bytes")
            else:
                with opened.open(info) as source:
                    yield _Member(info.filename, source)


def _tar_members(archive: Path, limits: Limits) -> Iterator[_Member | None]:
    passed = 0
    with (
        open_with_progress(archive, "rb", description=f"Unpacking {archive.name}") as file,
        tarfile.open(fileobj=file, mode="r|*") as opened,
    ):
        for info in opened:
            # What is not wanted must be decompressed all the same to be passed over.
            passed += info.size
            if passed > limits.bytes:
                raise UnsafeArchive(f"it unpacks to more than {limits.bytes:,} bytes")
            if info.issym() or info.islnk():
                base = info.name if info.issym() else ""  # hard links name a member
                _check_link(base, info.linkname)
                yield None
            elif info.isdir():
                yield None
            elif not info.isreg():
                raise UnsafeArchive(f"it holds a device, {info.name!r}")
            else:
                source = opened.extractfile(info)
                assert source is not None
                yield _Member(info.name, source)
            opened.members = []  # type: ignore[attr-defined]  # it would remember all of them


def _check_link(name: str, target: str) -> None:
    """Links are never made; one that points out of the folder betrays a hostile archive."""
    place = [*_place(name).parts[:-1]]
    if target.startswith(("/", "\\")):
        raise UnsafeArchive(f"it holds a link to {target!r}")
    for part in target.replace("\\", "/").split("/"):
        if part == "..":
            if not place:
                raise UnsafeArchive(f"it holds a link to {target!r}")
            place.pop()
        elif part not in ("", "."):
            place.append(part)
