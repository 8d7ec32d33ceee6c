"""Bach's chorales on a grid of sixteenths, with the split of the published results.

``Jsb16thSeparated`` of https://github.com/czhuang/JSB-Chorales-dataset: 229, 76 and 77 chorales in
four voices, split as by Boulanger-Lewandowski et al., "Modeling Temporal Dependencies in
High-Dimensional Sequences", ICML 2012, made from the data of M. Allan's harmonization code and used
by Coconet (Huang et al., "Counterpoint by Convolution", ISMIR 2017). The music is in the public
domain; the repository states no license for the encoding.

A grid holds the pitches that sound. Fermatas, bars and keys are not in it, and held and repeated
notes are not told apart. The split is published and is kept, although 20 of the 76 validation
pieces and 21 of the 77 test pieces have a training piece whose soprano begins with the same 12
quarters in some key: the same hymn, set another time.
"""

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.datasets.base import Corpus, DatasetError, Dropped
from symbotunes.datasets.fetch.download import Published, fetch_once
from symbotunes.datasets.files import kind_of
from symbotunes.music.chorale.grid import SILENT, VOICES, VoiceGrid
from symbotunes.music.midi.piece import MidiPiece

SPLITS = {"train": "train", "valid": "val", "test": "test"}  # theirs -> ours
PICKLED = (
    "holds pickled objects, which could run code and are not read; leave dataset.path out to "
    "download the same chorales as JSON, or store the arrays plainly, one of numbers per split"
)


class Jsb16(Corpus):
    """The chorales as MIDI of four tracks, soprano to bass; equal neighbors are one note.

    Args:
        path: the JSON file, downloaded here if it does not exist; or an ``.npz`` file of plain
            arrays: ``train``, ``valid`` and ``test``, ``[steps, 4]``, all pieces of a split end to
            end, soprano to bass, 0 for silence; and their lengths in steps, ``train_lengths`` and
            so on.
        urls: published address of the JSON file, then mirrors.
        size: of the JSON file, in bytes.
        sha256: of the JSON file.
        download: whether the network may be used.
    """

    FORMAT = "midi"
    WRITES = ("path",)
    FETCHES = ("urls", "size", "sha256", "download")

    def __init__(
        self,
        path: str | Path,
        urls: str | list[str],
        size: int | None = None,
        sha256: str | None = None,
        download: bool = True,
    ) -> None:
        self.path = Path(path).expanduser()
        self.published = Published(urls, size, sha256)
        self.download = download

    @property
    def is_plain(self) -> bool:
        """Whether `path` is a file of arrays of the user's own, which is never downloaded."""
        return self.path.suffix == ".npz"

    def files(self) -> list[Path]:
        if not self.is_plain:
            return [fetch_once(self.published, self.path, download=self.download)]
        kind_of(self.path, "a file of plain arrays, or leave it out")
        return [self.path]

    def is_at_hand(self) -> bool:
        return self.path.is_file()

    def owns(self, path: Path) -> bool:
        return path == self.path

    def read(self, path: Path) -> Iterator[MidiPiece | Dropped]:
        for split, grids in (_plain if self.is_plain else _twin)(path).items():
            for number, pitches in enumerate(grids, start=1):
                name = f"{path.name}#{split}_{number:03d}"
                if not (pitches != SILENT).any():
                    yield Dropped(name, "no notes")
                    continue
                yield MidiPiece(
                    name,
                    VoiceGrid.joined(pitches).score(),
                    title=f"Chorale {split} {number}",
                    collection="Jsb16thSeparated",
                    split=SPLITS[split],
                )


def _twin(path: Path) -> Mapping[str, list[NDArray[np.int64]]]:
    """The pieces of each split of the JSON file, in which -1 is silence."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return {split: [_grid(piece, SILENT) for piece in stored[split]] for split in SPLITS}
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{path} is not Jsb16thSeparated.json ({error!r}); delete it and retry"
        ) from error


def _plain(path: Path) -> Mapping[str, list[NDArray[np.int64]]]:
    """The pieces of each split of a file of plain arrays, in which 0 is silence."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {
                split: [
                    _grid(piece, 0) for piece in _cut(stored[split], stored[f"{split}_lengths"])
                ]
                for split in SPLITS
            }
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        is_pickled = "allow_pickle" in str(error)
        reason = PICKLED if is_pickled else f"is not a file of such arrays ({error})"
        raise DatasetError(f"{path} {reason}") from error


def _cut(rows: NDArray[Any], lengths: NDArray[Any]) -> list[NDArray[Any]]:
    """Pieces of these lengths.

    Raises:
        ValueError: if they do not add up to all rows.
    """
    ends = np.cumsum(lengths, dtype=np.int64)
    if len(rows) != (ends[-1] if len(ends) else 0):
        raise ValueError("the lengths do not add up to the number of steps")
    return np.split(rows, ends[:-1])


def _grid(piece: Sequence[Sequence[int]] | NDArray[Any], silence: int) -> NDArray[np.int64]:
    """``[T, 4]`` pitches with `SILENT` for silence.

    Raises:
        ValueError: if it is anything else.
    """
    grid = np.asarray(piece)
    if grid.ndim != 2 or grid.shape[1] != len(VOICES) or grid.dtype.kind not in "iu":
        raise ValueError("a piece is not a row of four whole numbers per step")
    pitches = np.where(grid == silence, SILENT, grid.astype(np.int64))
    if ((pitches < SILENT) | (pitches > 127)).any():
        raise ValueError("a pitch is not from 0 to 127")
    return pitches
