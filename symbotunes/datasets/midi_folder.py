"""Corpora that are MIDI files on disk."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from symbotunes.datasets.base import Corpus, DatasetError, Dropped, printable
from symbotunes.datasets.files import kind_of, located, paths_below, unlisted
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.piece import MidiPiece, read_midi_bytes

SUFFIXES = (".mid", ".midi", ".kar", ".rmi")
VERSIONS = "versions"  # folder of other arrangements of the song next to it


class MidiFolder(Corpus):
    """A MIDI file, or all MIDI files below a folder, except hidden ones.

    Links to folders are not followed; links to files are, as long as they stay in the folder. Files
    in a folder ``versions``, and those next to it, are versions of one work, as in POP909.

    Args:
        path: the file or folder.
    """

    FORMAT = "midi"
    READS = ("path",)

    def __init__(self, path: str | Path) -> None:
        self.path = located(path)

    def files(self) -> list[Path]:
        return [Path(path) for path in self._paths()]

    def _paths(self) -> list[str]:
        if kind_of(self.path, "MIDI files") == "file":
            return [str(self.path)]
        paths = paths_below(self.path, SUFFIXES)
        if not paths:
            raise DatasetError(
                f"no .mid, .midi, .kar or .rmi below {self.path}; set dataset.path to MIDI files"
            )
        return paths

    def owns(self, path: Path) -> bool:
        if path == self.path:
            return True
        return path.suffix.lower() in SUFFIXES and path.is_relative_to(self.path)

    def read(self, path: Path) -> Iterator[MidiPiece | Dropped]:
        # Names begin with the folder that contains the music.
        if path == self.path:
            yield read_piece(path, path.parent.parent)
        elif path.suffix.lower() not in SUFFIXES:
            yield unlisted(path, path.relative_to(self.path.parent).as_posix())
        else:
            yield read_piece(path, self.path.parent, work=self._work(path))

    def _work(self, path: Path) -> str:
        """The song that a file is a version of, if folders are laid out as in POP909; else empty.

        There, ``001`` contains a song and ``001/versions`` other arrangements of it.
        """
        folder = path.parent
        if folder.name == VERSIONS:
            folder = folder.parent
        elif not os.path.isdir(folder / VERSIONS):  # noqa: PTH112  (never raises)
            return ""
        inside = folder.is_relative_to(self.path)
        return printable(folder.relative_to(self.path.parent).as_posix()) if inside else ""

    def checksum(self) -> str:
        """SHA-256 over names, sizes and dates: reading 100,000 files would take too long."""
        paths = self._paths()
        alone = paths == [str(self.path)]  # pieces are named from the folder of the music on
        return _stamp(paths, self.path.parent.parent if alone else self.path.parent)


def read_piece(
    path: Path, root: Path, *, title: str = "", split: str | None = None, work: str = ""
) -> MidiPiece | Dropped:
    """One MIDI file as a piece, named by its path below `root`."""
    name = printable(path.relative_to(root).as_posix())
    try:
        data = read_midi_bytes(path)
    except MidiError as error:
        return Dropped(name, error.reason, error.detail)
    folder = path.parent.relative_to(root).as_posix()
    return MidiPiece(
        id=name,
        music=data,
        title=title or printable(path.stem),
        collection=printable(folder),
        split=split,
        work=work,
    )


def _stamp(paths: Iterable[str], root: Path) -> str:
    """SHA-256 over names, sizes and modification times of files below `root`, hexadecimal."""
    digest = hashlib.sha256()
    above = len(os.fsencode(root)) + 1
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116
        except OSError:  # reading it reports why it is left out
            numbers = (-1, -1)
        else:
            numbers = (status.st_size, status.st_mtime_ns)
        digest.update(b"%s\0%d\0%d\0" % (os.fsencode(path)[above:], *numbers))
    return digest.hexdigest()
