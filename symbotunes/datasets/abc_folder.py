"""Corpora that are ABC files on disk."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path

from symbotunes.datasets.base import Corpus, DatasetError, Dropped, checksum
from symbotunes.datasets.files import files_below, kind_of, located, unlisted
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.files import read_tunes
from symbotunes.music.abc.tune import AbcTune

SUFFIX = ".abc"


class AbcFiles(Corpus):
    """A file of ABC tunes, or all ``*.abc`` files below a folder, hidden ones left out.

    Args:
        path: the file or folder.
    """

    FORMAT = "abc"
    READS = ("path",)

    def __init__(self, path: str | Path) -> None:
        self.path = located(path)

    def files(self) -> list[Path]:
        if kind_of(self.path, "ABC files") == "file":
            return [self.path]
        paths = files_below(self.path, [SUFFIX])
        if not paths:
            raise DatasetError(f"no .abc file below {self.path}; set dataset.path to ABC files")
        return paths

    def read(self, path: Path) -> Iterator[AbcTune | Dropped]:
        if path == self.path or path.suffix.lower() == SUFFIX:
            yield from tunes_of(path, self.collection(path))
        else:
            yield unlisted(path, path.relative_to(self.path.parent).as_posix())

    def owns(self, path: Path) -> bool:
        if path == self.path:
            return True
        return path.suffix.lower() == SUFFIX and path.is_relative_to(self.path)

    def checksum(self) -> str:
        files = self.files()
        return checksum(files, self.path.parent if files != [self.path] else None)

    def collection(self, path: Path) -> str:
        """The folder that contains the file, relative to the parent of the corpus."""
        if path == self.path:
            return path.parent.name
        return path.parent.relative_to(self.path.parent).as_posix()


def tunes_of(path: Path, collection: str) -> Iterator[AbcTune | Dropped]:
    """The tunes of one file, or one `Dropped` if the file is not ABC."""
    try:
        tunes = deque(read_tunes(path, collection))
        while tunes:  # releases each tune once it is used: it holds on to what was parsed
            yield tunes.popleft()
    except AbcError as error:
        yield Dropped(f"{collection}/{path.name}", f"unreadable file: {error.reason}")
    except OSError as error:
        yield Dropped(f"{collection}/{path.name}", f"unreadable file: {error.strerror}")
