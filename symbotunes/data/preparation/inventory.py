"""The caches in a folder: listing and removing them."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from symbotunes.data.cache.encoded import ABOUT, DamagedCache, read_about
from symbotunes.data.preparation.fingerprint import is_current
from symbotunes.data.preparation.prepare import PARTS
from symbotunes.errors import UserError

_NAME = re.compile(r"\.?([0-9a-f]{20})(\.parts|\.[0-9a-f]+)?")  # a cache, its parts, its draft


@dataclass(frozen=True)
class Entry:
    """One folder of the cache.

    Attributes:
        folder: its path.
        fingerprint: the name of the cache that it is, or was to become.
        bytes: its size.
        used: when it was last opened or written.
        dataset: name of the corpus, or empty if it is unknown.
        transforms: names of the cached steps.
        examples: number of examples, all splits together.
        stale: why no run will use it again, or empty.
    """

    folder: Path
    fingerprint: str
    bytes: int
    used: datetime
    dataset: str = ""
    transforms: str = ""
    examples: int = 0
    stale: str = ""


def entries(cache: Path) -> list[Entry]:
    """All caches and the remains of unfinished preparations, the last used first."""
    folders = [path for path in _folders(cache) if _NAME.fullmatch(path.name)]
    found = filter(None, map(_entry, folders))
    return sorted(found, key=lambda entry: entry.used, reverse=True)


def _folders(cache: Path) -> Iterator[Path]:
    if cache.is_dir():
        yield from (path for path in cache.iterdir() if path.is_dir())


def _entry(folder: Path) -> Entry | None:
    """What a folder holds; ``None`` if another job is removing it, or files in it."""
    try:
        return _read_entry(folder)
    except FileNotFoundError:
        return None


def _read_entry(folder: Path) -> Entry:
    match = _NAME.fullmatch(folder.name)
    assert match is not None
    files = [path for path in folder.iterdir() if path.is_file()]
    about = folder / ABOUT
    used = (about if about.is_file() else folder).stat().st_mtime
    size = sum(path.stat().st_size for path in files)
    last_used = datetime.fromtimestamp(used)
    if match[2]:
        reason = "unfinished" if match[2] == PARTS else "left over"
        return Entry(folder, match[1], size, last_used, stale=reason)
    try:
        content = read_about(folder)
    except DamagedCache as error:
        return Entry(folder, match[1], size, last_used, stale=str(error))
    return Entry(
        folder,
        match[1],
        size,
        last_used,
        dataset=content["dataset"],
        transforms=", ".join(content["transforms"]),
        examples=sum(content["receipt"]["examples"].values()),
        stale="" if is_current(content["made_by"]) else "made by different code",
    )


def clean(cache: Path, which: str) -> list[Entry]:
    """Remove caches that no job is currently preparing.

    Args:
        cache: the folder of all caches.
        which: ``all``; ``stale``: those that no run will use again, and the remains of unfinished
            preparations; or a fingerprint or its first digits.

    Returns:
        What was removed.

    Raises:
        UserError: if the name is empty, or matches no cache or more than one.
    """
    caches = entries(cache)
    names = {entry.fingerprint for entry in caches if entry.fingerprint.startswith(which)}
    if which == "stale":
        chosen = [entry for entry in caches if entry.stale]
    elif which == "all":
        chosen = caches
    else:
        if len(names) != 1 or not which:
            count = f"{len(names)} caches match" if which and names else "no cache of that name"
            raise UserError(
                f"prepare.clean={which}: {count} in {cache}; give all, stale or a fingerprint "
                "(prepare.list=true shows them)"
            )
        chosen = [entry for entry in caches if entry.fingerprint in names]
    return [entry for entry in chosen if _remove(entry)]


def _remove(entry: Entry) -> bool:
    lock = entry.folder.parent / f"{entry.fingerprint}.lock"
    try:
        with FileLock(lock, timeout=0):
            shutil.rmtree(entry.folder)
    except Timeout:
        return False
    lock.unlink(missing_ok=True)
    return True
