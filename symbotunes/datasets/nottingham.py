"""The Nottingham Music Database as MIDI: about 1,000 British and American folk tunes with chords.

Collected by Eric Foxley; ABC by Seymour Shlien; cleaned and turned into MIDI by Jukedeck, whose
repository (https://github.com/jukedeck/nottingham-dataset) is published under GPL-3.0.
"""

from pathlib import Path

from symbotunes.datasets.base import DatasetError
from symbotunes.datasets.fetch.download import Published
from symbotunes.datasets.midi_archive import ArchivedMidi

FOLDERS = {  # part -> folder of the repository
    "full": ("MIDI",),
    "melody": ("MIDI", "melody"),
    "chords": ("MIDI", "chords"),
}


class Nottingham(ArchivedMidi):
    """The tunes, or one part of each.

    Args:
        urls: address of the repository as an archive, then mirrors.
        size: of the archive, in bytes.
        sha256: of the archive.
        path: folder for the archive and its files.
        part: ``full`` (melody and chords), ``melody`` or ``chords``.
        archive: the archive, if the user already has it.
        download: whether the network may be used.
    """

    CHOICES = ("part",)

    def __init__(
        self,
        urls: str | list[str],
        size: int | None,
        sha256: str | None,
        path: str | Path,
        part: str = "full",
        archive: str | Path | None = None,
        download: bool = True,
    ) -> None:
        if part not in FOLDERS:
            raise DatasetError(f"dataset.part={part}: choose one of {', '.join(FOLDERS)}")
        super().__init__(Published(urls, size, sha256), path, archive, download)
        self.part = part

    @property
    def file_name(self) -> str:
        """A more descriptive name than that of GitHub's archives, ``master.zip``."""
        return "nottingham-dataset.zip"

    def files(self) -> list[Path]:
        paths = [path for path in super().files() if self.owns(path)]
        if not paths:
            raise DatasetError(f"no {'/'.join(FOLDERS[self.part])} in {self.unpacked}")
        return paths

    def owns(self, path: Path) -> bool:
        if not super().owns(path):
            return False
        _, *folders = path.parent.relative_to(self.unpacked).parts or ("",)
        return tuple(folders) == FOLDERS[self.part]
