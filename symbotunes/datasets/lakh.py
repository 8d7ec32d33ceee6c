"""The Lakh MIDI Dataset, v0.1: MIDI files of the web, of all kinds and qualities.

Colin Raffel: "Learning-Based Methods for Comparing Sequences, with Applications to Audio-to-MIDI
Alignment and Matching", PhD thesis, Columbia University, 2016. https://colinraffel.com/projects/lmd

* ``full``: 178,561 files, named after the MD5 of their bytes; some thousands are corrupt.
* ``matched``: those matched to songs of the Million Song Dataset, once for every song.
* ``aligned``: the same, aligned in time to recordings.
* ``clean``: files whose names say artist and title, with some inaccuracy.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symbotunes.datasets.base import DatasetError
from symbotunes.datasets.fetch.download import Published
from symbotunes.datasets.midi_archive import ArchivedMidi


class Lakh(ArchivedMidi):
    """One variant of the dataset.

    Args:
        variant: a key of `variants`.
        variants: ``urls``, ``size`` and ``sha256`` of each variant's archive.
        path: folder for archives and unpacked files.
        archive: the variant's archive, if the user has it already.
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
