"""POP909: 909 pop songs arranged for piano, as melody, bridge and accompaniment.

Wang et al.: "POP909: A Pop-song Dataset for Music Arrangement Generation", ISMIR 2020,
https://arxiv.org/abs/2008.07142. The repository (https://github.com/music-x-lab/POP909-Dataset) is
published under the MIT license.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from symbotunes.datasets.base import DatasetError, Dropped, sha256_of
from symbotunes.datasets.fetch.download import Published
from symbotunes.datasets.midi_archive import ArchivedMidi
from symbotunes.datasets.midi_folder import VERSIONS, read_piece
from symbotunes.errors import UserError
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.piece import MidiPiece

SONG = re.compile(r"\d{3}\.mid")
CHECKSUMS = Path(__file__).with_suffix(".sha256")
PROGRAMS = 128


class POP909(ArchivedMidi):
    """The songs, of which each is a work of its own; other versions of them are not read.

    Archives of a repository have no stable checksum, so that of each song is checked instead.

    Args:
        urls: address of the repository as an archive, then mirrors.
        path: folder for the archive and its files.
        programs: General MIDI program by name of the track, counted from 0. All tracks of the files
            have program 0, which merges them where instruments are told by their programs;
            ``None``: as they are.
        archive: the archive, if the user already has it.
        download: whether the network may be used.

    Raises:
        UserError: if there is no such program.
    """

    FETCHES = ("urls", "download")
    CHOICES = ("programs",)

    def __init__(
        self,
        urls: str | list[str],
        path: str | Path,
        programs: Mapping[str, int] | None = None,
        archive: str | Path | None = None,
        download: bool = True,
    ) -> None:
        super().__init__(Published(urls, None, None), path, archive, download)
        self.programs = dict(programs or {})
        for name, program in self.programs.items():
            if not (isinstance(program, int) and 0 <= program < PROGRAMS):
                raise UserError(f"dataset.programs.{name}={program}: must be from 0 to 127")

    @property
    def file_name(self) -> str:
        """A more descriptive name than that of GitHub's archives, ``main.zip``."""
        return "POP909-Dataset.zip"

    def files(self) -> list[Path]:
        """The songs, checked.

        Raises:
            DatasetError: if one is missing, twice there or not the published one.
        """
        paths = [path for path in super().files() if self.owns(path)]
        songs = checksums()
        counts = Counter(path.name for path in paths)
        wrong = [name for name in songs if counts[name] != 1]
        wrong += [path.name for path in paths if sha256_of(path) != songs.get(path.name)]
        if wrong:
            raise DatasetError(
                f"{len(set(wrong))} of the {len(songs)} songs of POP909 in {self.unpacked} are "
                f"missing or changed, such as {sorted(wrong)[0]}: delete the folder and give the "
                "complete archive of the repository"
            )
        return sorted(paths, key=lambda path: path.name)

    def owns(self, path: Path) -> bool:
        return super().owns(path) and bool(SONG.fullmatch(path.name)) and VERSIONS not in path.parts

    def read(self, path: Path) -> Iterator[MidiPiece | Dropped]:
        piece = read_piece(path, self.unpacked, work=path.stem)
        if self.programs and isinstance(piece, MidiPiece):
            piece = self._with_programs(piece)
        yield piece

    def _with_programs(self, piece: MidiPiece) -> MidiPiece | Dropped:
        try:
            score = piece.score
        except MidiError as error:
            return Dropped(piece.id, error.reason, error.detail)
        for track in score.tracks:
            if track.name in self.programs and not track.is_drum:
                track.program = self.programs[track.name]
        return replace(piece, music=score)

    def checksum(self) -> str:
        """That of the list of checksums: the songs are the same in every archive."""
        self.prepared()
        return hashlib.sha256(CHECKSUMS.read_bytes()).hexdigest()


@cache
def checksums() -> dict[str, str]:
    """SHA-256 by file name of each song."""
    rows = (line.split() for line in CHECKSUMS.read_text(encoding="ascii").splitlines())
    return {name: digest for digest, name in rows}
