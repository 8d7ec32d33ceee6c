"""The built-in corpus: about 13,000 tunes in ABC, included in the music21 package.

Collections, with the number of tunes in their files:

* ``essenFolksong``: 8,514 songs of the Essen collection (H. Schaffrath), mostly German and Chinese.
* ``oneills1850``: 2,009 records of F. O'Neill, *Music of Ireland* (1903).
* ``airdsAirs``: 1,180 airs of J. Aird, Glasgow (1782-1803), transcribed by J. Campin.
* ``ryansMammoth``: 1,059 fiddle tunes of *Ryan's Mammoth Collection* (1883).
* ``miscFolk``: 185 tunes of American fife and Northumbrian books.
* ``nottingham-dataset``: 2 records of E. Foxley's collection.

The tunes are traditional; the transcriptions are distributed by music21 for research and education,
see ``music21/corpus/license.txt`` next to them. Citation: M. S. Cuthbert and C. Ariza, "music21: A
Toolkit for Computer-Aided Musicology and Symbolic Music Data", ISMIR 2010.
"""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from symbotunes.datasets.abc_folder import tunes_of
from symbotunes.datasets.base import Corpus, DatasetError, Dropped
from symbotunes.music.abc.tune import AbcTune

COLLECTIONS = (
    "ryansMammoth",
    "oneills1850",
    "airdsAirs",
    "essenFolksong",
    "miscFolk",
    "nottingham-dataset",
)


def corpus_folder() -> Path:
    """Where music21 keeps its corpus, located without importing music21, which takes seconds.

    Raises:
        DatasetError: if music21 is not installed.
    """
    spec = find_spec("music21")
    if spec is None or not spec.submodule_search_locations:
        raise DatasetError("dataset=folk reads music21's corpus: pip install music21")
    return Path(spec.submodule_search_locations[0]) / "corpus"


class Folk(Corpus):
    """Tunes of the named collections.

    Args:
        collections: one or more of `COLLECTIONS`, in any order.
        folder: the corpus folder of music21; ``None``: that of the installed music21.
    """

    FORMAT = "abc"
    READS = ("folder",)
    CHOICES = ("collections",)

    def __init__(self, collections: str | Sequence[str], folder: str | Path | None = None) -> None:
        collections = [collections] if isinstance(collections, str) else collections
        unknown = sorted(set(collections) - set(COLLECTIONS))
        if unknown or not collections:
            raise DatasetError(
                f"dataset.collections={list(collections)}: choose some of {', '.join(COLLECTIONS)}"
            )
        self.collections = tuple(name for name in COLLECTIONS if name in collections)
        self.folder = Path(folder) if folder is not None else corpus_folder()

    def files(self) -> list[Path]:
        paths = [
            path
            for collection in self.collections
            for path in sorted((self.folder / collection).glob("*.abc"))
        ]
        if not paths:
            raise DatasetError(f"no ABC in {self.folder}; reinstall music21 with its corpus")
        return paths

    def read(self, path: Path) -> Iterator[AbcTune | Dropped]:
        yield from tunes_of(path, path.parent.name)

    def owns(self, path: Path) -> bool:
        return path.parent.parent == self.folder and path.parent.name in self.collections
