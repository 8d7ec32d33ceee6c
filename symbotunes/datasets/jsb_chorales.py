"""Bach's four-part chorales, from the music21 package: no download.

Encoded by Margaret Greentree and others, distributed by music21 for research and education, see
``music21/corpus/license.txt`` next to them. Citation: M. S. Cuthbert and C. Ariza, "music21: A
Toolkit for Computer-Aided Musicology and Symbolic Music Data", ISMIR 2010.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from symbotunes.datasets.base import Corpus, DatasetError, Dropped, printable
from symbotunes.datasets.folk import corpus_folder
from symbotunes.music.midi.piece import MidiPiece
from symbotunes.music.musicxml import MusicXmlError, Part, read_musicxml, score_of_parts

VOICES = ("soprano", "alto", "tenor", "bass")
CHOIR = 52  # General MIDI program, counted from 0
SUFFIXES = (".mxl", ".xml", ".musicxml")


class JsbChorales(Corpus):
    """The chorales as MIDI of four tracks: soprano, alto, tenor, bass.

    From scores with more parts, the four voices are taken if the parts have these names. Repeats
    are not expanded. The scores state no tempo, so MIDI's default applies: 120 quarters per minute.

    Args:
        folder: of MusicXML files; ``None``: the chorales of the installed music21.
    """

    FORMAT = "midi"
    READS = ("folder",)

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = Path(folder).expanduser() if folder is not None else corpus_folder() / "bach"

    @property
    def name(self) -> str:
        is_own = self.folder != corpus_folder() / "bach"
        return printable(self.folder.name) if is_own else super().name

    def files(self) -> list[Path]:
        paths = sorted(path for path in self.folder.glob("*") if path.suffix.lower() in SUFFIXES)
        if not paths:
            raise DatasetError(f"no MusicXML in {self.folder}; reinstall music21 with its corpus")
        return paths

    def owns(self, path: Path) -> bool:
        return path.parent == self.folder

    def read(self, path: Path) -> Iterator[MidiPiece | Dropped]:
        name = f"{path.parent.name}/{path.name}"
        try:
            voices = four_voices(read_musicxml(path))
        except MusicXmlError as error:
            yield Dropped(name, error.reason, getattr(error, "detail", ""))
            return
        if voices is None:
            yield Dropped(name, "not in four parts")
            return
        data = score_of_parts(voices, program=CHOIR).dumps_midi()
        yield MidiPiece(name, data, title=path.stem, collection="Bach chorales")


def four_voices(parts: Sequence[Part]) -> list[Part] | None:
    """Soprano, alto, tenor and bass, or ``None`` if the score is for something else."""
    sounding = [part for part in parts if part.notes]
    named = {part.name.lower().rstrip("."): part for part in reversed(sounding)}
    if all(voice in named for voice in VOICES):
        return [named[voice] for voice in VOICES]
    return list(sounding) if len(sounding) == len(VOICES) else None
