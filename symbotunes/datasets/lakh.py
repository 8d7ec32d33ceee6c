"""The Lakh MIDI Dataset, v0.1: MIDI files from the web, of all kinds and qualities.

Colin Raffel: "Learning-Based Methods for Comparing Sequences, with Applications to Audio-to-MIDI
Alignment and Matching", PhD thesis, Columbia University, 2016. https://colinraffel.com/projects/lmd

* ``full``: 178,561 files, named after the MD5 of their bytes; a few thousand are corrupt.
* ``matched``: those matched to songs of the Million Song Dataset, once per song.
* ``aligned``: the same, aligned in time to recordings.
* ``clean``: files whose names give artist and title, not always correctly.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from symbotunes.datasets.base import DatasetError, Dropped, printable
from symbotunes.datasets.fetch.download import Published
from symbotunes.datasets.midi_archive import ArchivedMidi
from symbotunes.music.midi.piece import MidiPiece

# By the first digit of the MD5 that names a file, as the Anticipatory Music Transformer's authors
# split ``full`` (Thickstun et al. 2023).
SPLITS = {"e": "val", "f": "test"}  # all others: train
_MD5 = re.compile(r"[0-9a-f]{32}")
_NUMBER = re.compile(r"\.\d{1,3}$")  # number of another version: ``Title.1.mid``


class Lakh(ArchivedMidi):
    """One variant of the dataset.

    Files matched to one song of the Million Song Dataset, and files of one artist and title in
    ``clean``, are versions of one work.

    Args:
        variant: a key of `variants`.
        variants: ``urls``, ``size`` and ``sha256`` of each variant's archive.
        path: folder for archives and unpacked files.
        official_splits: hold out files whose MD5 begins with e (validation) and f (test), as far as
            their names are MD5s; otherwise ``loader.split`` decides. Versions of one song may then
            be on both sides.
        archive: the variant's archive, if the user already has it.
        download: whether the network may be used.
    """

    FETCHES = ("variants", "download")
    CHOICES = ("variant", "official_splits")

    def __init__(
        self,
        variant: str,
        variants: Mapping[str, Mapping[str, Any]],
        path: str | Path,
        archive: str | Path | None = None,
        download: bool = True,
        official_splits: bool = False,
    ) -> None:
        if variant == "clean" and official_splits:
            raise DatasetError(
                "dataset.official_splits=true: the files of dataset.variant=clean are not named by "
                "their MD5; choose full, matched or aligned"
            )
        if variant not in variants:
            raise DatasetError(f"dataset.variant={variant}: choose one of {', '.join(variants)}")
        super().__init__(Published(**variants[variant]), path, archive, download)
        self.variant = variant
        self.official_splits = official_splits

    def read(self, path: Path) -> Iterator[MidiPiece | Dropped]:
        for piece in super().read(path):
            if self.official_splits and isinstance(piece, MidiPiece):
                yield replace(piece, split=split_of(path.stem))
            else:
                yield piece

    def work(self, path: Path) -> str:
        """Artist and title in ``clean``; the folder of the song in ``matched`` and ``aligned``."""
        if self.variant == "full":
            return ""
        folder = path.parent.name
        if self.variant != "clean":
            return printable(folder)
        title = _NUMBER.sub("", path.stem)
        return printable("/".join(" ".join(name.casefold().split()) for name in (folder, title)))


def split_of(name: str) -> str | None:
    """The authors' split of a file that is named by its MD5; ``None`` of any other."""
    return SPLITS.get(name[0], "train") if _MD5.fullmatch(name) else None
