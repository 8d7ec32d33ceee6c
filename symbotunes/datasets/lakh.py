"""The Lakh MIDI Dataset, v0.1: MIDI files from the web, of all kinds and qualities.

Colin Raffel: "Learning-Based Methods for Comparing Sequences, with Applications to Audio-to-MIDI
Alignment and Matching", PhD thesis, Columbia University, 2016. https://colinraffel.com/projects/lmd

* ``full``: 178,561 files, named after the MD5 of their bytes; a few thousand are corrupt.
* ``matched``: those matched to songs of the Million Song Dataset, once per song.
* ``aligned``: the same, aligned in time to recordings.
* ``clean``: files whose names give artist and title, not always correctly.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symbotunes.datasets.base import DatasetError, printable
from symbotunes.datasets.fetch.download import Published
from symbotunes.datasets.midi_archive import ArchivedMidi

_NUMBER = re.compile(r"\.\d{1,3}$")  # number of another version: ``Title.1.mid``


class Lakh(ArchivedMidi):
    """One variant of the dataset.

    Files matched to one song of the Million Song Dataset, and files of one artist and title in
    ``clean``, are versions of one work.

    Args:
        variant: a key of `variants`.
        variants: ``urls``, ``size`` and ``sha256`` of each variant's archive.
        path: folder for archives and unpacked files.
        archive: the variant's archive, if the user already has it.
        download: whether the network may be used.
    """

    FETCHES = ("variants", "download")
    CHOICES = ("variant",)

    def __init__(
        self,
        variant: str,
        variants: Mapping[str, Mapping[str, Any]],
        path: str | Path,
        archive: str | Path | None = None,
        download: bool = True,
    ) -> None:
        if variant not in variants:
            raise DatasetError(f"dataset.variant={variant}: choose one of {', '.join(variants)}")
        super().__init__(Published(**variants[variant]), path, archive, download)
        self.variant = variant

    def work(self, path: Path) -> str:
        """Artist and title in ``clean``; the folder of the song in ``matched`` and ``aligned``."""
        if self.variant == "full":
            return ""
        folder = path.parent.name
        if self.variant != "clean":
            return printable(folder)
        title = _NUMBER.sub("", path.stem)
        return printable("/".join(" ".join(name.casefold().split()) for name in (folder, title)))
