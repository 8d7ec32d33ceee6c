"""The files of a corpus below a folder.

Hidden files are skipped. Links to folders are not followed; links to files are, as long as they
point into the same folder. Nothing that belongs to the corpus is passed over without a word: links
that lead nowhere and folders that cannot be listed are among its files, and reading them says why.
"""

import errno
import os
from collections.abc import Collection
from pathlib import Path
from typing import Literal

from symbotunes.datasets.base import DatasetError, Dropped


def located(path: str | Path) -> Path:
    """An absolute path without links, as far as it can be followed.

    Not `Path.resolve`, which raises RuntimeError for a link that leads to itself.
    """
    return Path(os.path.realpath(os.path.expanduser(path)))  # noqa: PTH111


def kind_of(path: Path, content: str) -> Literal["file", "folder"]:
    """Whether a corpus is a file or a folder.

    Args:
        path: of the corpus, as `located` returned it.
        content: what it should hold, for the error.

    Raises:
        DatasetError: if there is neither, or it cannot be reached, saying why.
    """
    try:
        os.stat(path)  # noqa: PTH116
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise DatasetError(f"{path} does not exist; set dataset.path to {content}") from error
        raise DatasetError(
            f"{path} cannot be read ({error.strerror}); set dataset.path to {content}"
        ) from error
    if path.is_dir():
        return "folder"
    if path.is_file():
        return "file"
    raise DatasetError(f"{path} is neither a file nor a folder; set dataset.path to {content}")


def files_below(root: Path, suffixes: Collection[str]) -> list[Path]:
    """Files below a folder that end in one of `suffixes` (lower case), sorted by path.

    Folders that cannot be listed are among them; see `unlisted`.
    """
    return [Path(path) for path in paths_below(root, suffixes)]


def paths_below(root: Path, suffixes: Collection[str]) -> list[str]:
    """`files_below` as strings: for 100,000 files, creating Paths takes longer than the scan."""
    paths: list[str] = []
    endings = tuple(suffixes)
    folders = [str(root)]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                visible = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError:
            paths.append(folder)
            continue
        for entry in visible:
            if _is_folder(entry):
                folders.append(entry.path)
            elif entry.name.lower().endswith(endings) and _belongs(entry, root):
                paths.append(entry.path)
    return sorted(paths, key=os.fsencode)


def unlisted(path: Path, name: str) -> Dropped:
    """A folder of `files_below` that could not be listed, with the reason."""
    try:
        with os.scandir(path):
            reason = "could not be listed at first"
    except OSError as error:
        reason = error.strerror or type(error).__name__
    return Dropped(name, f"unreadable folder: {reason}")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False  # if it ends like a file of the corpus, reading it says why


def _belongs(entry: os.DirEntry[str], root: Path) -> bool:
    """Whether it is a file, or a link to one below `root`, or cannot be told.

    Links that lead nowhere belong to the corpus as long as they do not lead out of the folder.
    """
    try:
        if not entry.is_symlink():
            return entry.is_file()
        target = located(entry.path)
        return target.is_relative_to(located(root)) and not target.is_dir()
    except OSError:
        return True
