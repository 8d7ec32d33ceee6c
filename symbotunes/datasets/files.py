"""The files of a corpus that lie below a folder.

Hidden ones are left out. Links to folders are not followed; links to files are, as long as they
stay in the folder. A folder that may not be read is left out with a warning.
"""

import os
import warnings
from collections.abc import Collection
from pathlib import Path


def files_below(root: Path, suffixes: Collection[str]) -> list[Path]:
    """Files below a folder that end in one of `suffixes` (lower case), ordered by their names."""
    return [Path(path) for path in paths_below(root, suffixes)]


def paths_below(root: Path, suffixes: Collection[str]) -> list[str]:
    """`files_below` as strings: of 100,000 files, making a Path takes longer than finding it."""
    found: list[str] = []
    endings = tuple(suffixes)
    folders = [str(root)]
    while folders:
        for entry in _entries(folders.pop()):
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif entry.name.lower().endswith(endings) and _is_inside(entry, root):
                found.append(entry.path)
    return sorted(found, key=os.fsencode)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """What a folder holds; nothing if it may not be read."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except PermissionError:
        warnings.warn(f"{folder} may not be read and is left out", stacklevel=2)
        return []


def _is_inside(entry: os.DirEntry[str], root: Path) -> bool:
    """Whether it is a file, and one of this folder if it is a link."""
    if not entry.is_symlink():
        return entry.is_file()
    target = Path(entry.path).resolve()
    return target.is_file() and target.is_relative_to(root.resolve())
