"""Corpora that are MIDI files on disk."""

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from symbotunes.datasets.base import Corpus, DatasetError, Dropped
from symbotunes.scores.midi_piece import MidiPiece, read_midi_bytes
from symbotunes.scores.smf import MidiError

SUFFIXES = (".mid", ".midi")


class MidiFolder(Corpus):
    """A MIDI file, or all of them below a folder, hidden ones left out.

    Links to folders are not followed; links to files are, as long as they stay in the folder.

    Args:
        path: the file or folder.
    """

    FORMAT = "midi"

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser().resolve()

    def files(self) -> list[Path]:
        if self.path.is_file():
            return [self.path]
        if not self.path.is_dir():
            raise DatasetError(f"{self.path} does not exist; set dataset.path to MIDI files")
        found = files_below(self.path, SUFFIXES)
        if not found:
            raise DatasetError(
                f"no .mid or .midi below {self.path}; set dataset.path to MIDI files"
            )
        return found

    def owns(self, path: Path) -> bool:
        return path.is_relative_to(self.path)

    def read(self, path: Path) -> Iterator[MidiPiece | Dropped]:
        yield read_piece(path, self.path.parent)

    def checksum(self) -> str:
        """SHA-256 over names, sizes and dates: nobody waits for 100,000 files to be read."""
        return stamp(self.files(), self.path.parent)


def files_below(root: Path, suffixes: Collection[str]) -> list[Path]:
    """Files below a folder that end in one of `suffixes` (lower case), ordered by their names."""
    found: list[str] = []
    endings = tuple(suffixes)
    folders = [str(root)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.name.lower().endswith(endings) and _is_inside(entry, root):
                    found.append(entry.path)
    return [Path(path) for path in sorted(found, key=os.fsencode)]


def _is_inside(entry: os.DirEntry[str], root: Path) -> bool:
    """Whether it is a file, and one of this folder if it is a link."""
    if not entry.is_symlink():
        return entry.is_file()
    target = Path(entry.path).resolve()
    return target.is_file() and target.is_relative_to(root.resolve())


def read_piece(
    path: Path, root: Path, *, title: str = "", split: str | None = None
) -> MidiPiece | Dropped:
    """One MIDI file as a piece, named by its path below `root`."""
    name = printable(path.relative_to(root).as_posix())
    try:
        data = read_midi_bytes(path)
    except MidiError as error:
        return Dropped(name, error.reason)
    folder = path.parent.relative_to(root).as_posix()
    return MidiPiece(
        id=name,
        data=data,
        title=title or printable(path.stem),
        collection=printable(folder),
        split=split,
    )


def printable(name: str) -> str:
    """A file's name as text that UTF-8 can write, whatever bytes it has on disk."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def stamp(files: Iterable[Path], root: Path) -> str:
    """SHA-256 over names, sizes and modification times of files below `root`, hexadecimal."""
    digest = hashlib.sha256()
    for path in files:
        status = path.stat()
        name = os.fsencode(path.relative_to(root))
        digest.update(name + f"\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()
