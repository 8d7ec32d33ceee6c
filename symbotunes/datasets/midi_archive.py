"""Corpora that are published as one archive of MIDI files."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from symbotunes.datasets.base import Corpus, DatasetError, Dropped
from symbotunes.datasets.fetch.download import Published, fetch_once, verify
from symbotunes.datasets.fetch.unpack import Limits, record_of, unpack_once
from symbotunes.datasets.files import files_below, located
from symbotunes.datasets.midi_folder import read_piece
from symbotunes.music.midi.piece import MidiPiece

SUFFIXES = (".mid", ".midi")  # of the files in published archives


class ArchivedMidi(Corpus):
    """The MIDI files of an archive, downloaded and unpacked at first use.

    Once it is unpacked, the archive is no longer needed.

    Args:
        published: the archive.
        path: folder for the archive and its unpacked files.
        archive: an archive that the user already has, or ``None``. It is unpacked to a separate
            folder and never changed.
        download: whether the network may be used.
    """

    FORMAT = "midi"
    WRITES = ("path",)
    FETCHES: ClassVar[tuple[str, ...]] = ("urls", "size", "sha256", "download")
    READS = ("archive",)
    UNPACKED: tuple[str, ...] = SUFFIXES  # endings of the files that are taken out of the archive

    def __init__(
        self,
        published: Published,
        path: str | Path,
        archive: str | Path | None = None,
        download: bool = True,
    ) -> None:
        self.published = published
        self.path = located(path)
        self.archive = None if archive is None else located(archive)
        self.download = download
        if not published.addresses:
            raise DatasetError("the dataset's urls are empty; the first one names its archive")

    @property
    def file_name(self) -> str:
        """Name of the archive, as published."""
        return self.published.addresses[0].rpartition("/")[2]

    @property
    def unpacked(self) -> Path:
        """Folder of the unpacked files, which may not exist yet.

        Raises:
            DatasetError: if the user's archive does not exist.
        """
        name = self.file_name.removesuffix(".zip").removesuffix(".tar.gz")
        if self.archive is None:
            return self.path / name
        if not self.archive.is_file():
            raise DatasetError(f"dataset.archive={self.archive} does not exist")
        status = self.archive.stat()
        version = f"{self.archive}\0{status.st_size}\0{status.st_mtime_ns}".encode()
        return self.path / f"{name}-{hashlib.sha256(version).hexdigest()[:8]}"

    def prepared(self) -> Path:
        """The folder of unpacked files, created now if needed.

        Raises:
            DatasetError: if it cannot be created; the message says what to do.
        """
        folder = self.unpacked
        if not folder.is_dir():
            archive = self.archive or fetch_once(
                self.published,
                self.path / self.file_name,
                download=self.download,
                advice="or set dataset.archive=PATH",
            )
            digest = verify(archive, self.published.sha256)
            unpack_once(archive, folder, self.UNPACKED, sha256=digest, limits=Limits())
        record_of(folder)
        return folder

    def files(self) -> list[Path]:
        return files_below(self.prepared(), SUFFIXES)

    def is_at_hand(self) -> bool:
        return self.unpacked.is_dir()

    def owns(self, path: Path) -> bool:
        return path.is_relative_to(self.unpacked)

    def read(self, path: Path) -> Iterator[MidiPiece | Dropped]:
        yield read_piece(path, self.unpacked, work=self.work(path))

    def work(self, path: Path) -> str:  # noqa: ARG002  (for archives whose file names say it)
        """The work that a file is a version of, as named by the archive; empty if it is not."""
        return ""

    def checksum(self) -> str:
        """The SHA-256 of the archive that was unpacked, without reading any of its files."""
        return record_of(self.prepared()).sha256
