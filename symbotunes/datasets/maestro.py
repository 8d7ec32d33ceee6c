"""MAESTRO v3.0.0: 1,276 performances of classical piano music, captured from the keys and pedals.

Hawthorne et al.: "Enabling Factorized Piano Music Modeling and Generation with the MAESTRO
Dataset", ICLR 2019. https://magenta.tensorflow.org/datasets/maestro. No composition appears in two
of the official splits.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from symbotunes.datasets.base import DatasetError, Dropped
from symbotunes.datasets.fetch.download import Published
from symbotunes.datasets.midi_archive import ArchivedMidi
from symbotunes.datasets.midi_folder import SUFFIXES, read_piece
from symbotunes.music.midi.piece import MidiPiece

SPLITS = {"train": "train", "validation": "val", "test": "test"}  # theirs -> ours


class Maestro(ArchivedMidi):
    """The performances, with the titles of the accompanying table.

    Args:
        urls: address of the archive of MIDI files, then mirrors.
        size: of the archive, in bytes.
        sha256: of the archive.
        path: folder for the archive and its files.
        official_splits: keep the published splits; otherwise ``loader.split`` decides, as for the
            other datasets. Performances of one composition are versions of one work.
        archive: the archive, if the user already has it.
        download: whether the network may be used.
    """

    CHOICES = ("official_splits",)
    UNPACKED = (*SUFFIXES, ".csv")

    def __init__(
        self,
        urls: str | list[str],
        size: int | None,
        sha256: str | None,
        path: str | Path,
        official_splits: bool = True,
        archive: str | Path | None = None,
        download: bool = True,
    ) -> None:
        super().__init__(Published(urls, size, sha256), path, archive, download)
        self.official_splits = official_splits
        self.table: dict[str, dict[str, str]] | None = None  # file name -> row, read at first use

    def read(self, path: Path) -> Iterator[MidiPiece | Dropped]:
        if self.table is None:
            self.table = self._read_table()
        row = self.table.get(path.name, {})
        title = ": ".join(filter(None, (row.get("canonical_composer"), row.get("canonical_title"))))
        piece = read_piece(
            path,
            self.unpacked,
            title=title,
            work=title,
            split=SPLITS.get(row.get("split", "")) if self.official_splits else None,
        )
        if self.official_splits and not isinstance(piece, Dropped) and piece.split is None:
            piece = Dropped(piece.id, "not in the table of official splits")
        yield piece

    def _read_table(self) -> dict[str, dict[str, str]]:
        tables = sorted(self.unpacked.rglob("maestro-*.csv"))
        if not tables and not self.official_splits:
            return {}
        if not tables:
            raise DatasetError(
                f"no maestro-*.csv in {self.unpacked}; set dataset.official_splits=false, or "
                "delete the folder and give the complete archive"
            )
        with tables[0].open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return {row["midi_filename"].rpartition("/")[2]: row for row in rows}
