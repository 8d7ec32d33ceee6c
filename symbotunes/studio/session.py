"""The pieces of a session, kept in a folder while they come."""

import threading
from collections.abc import Callable
from pathlib import Path

from symbotunes.errors import UserError, first_line
from symbotunes.files import remove_drafts
from symbotunes.generation.sample import Sample
from symbotunes.studio.commands import repeat_command
from symbotunes.studio.origins import Origin
from symbotunes.studio.piece import StudioPiece, load, save

FILES = "pieces"  # the folder of the pieces' files in that of the session
SUFFIXES = {"abc": "abc", "midi": "mid"}


class Session:
    """Pieces in the order in which they were made; undo and redo are walks over them.

    Every piece is written before the next comes, so that a kill loses nothing. A disk that is full
    does not stop the music: pieces stay in memory, and are written with the first that can be.
    Threads may share a session.

    Args:
        folder: of the session; it is made with the first piece.

    Attributes:
        folder: the same.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pieces: dict[str, StudioPiece] = {}
        self._unsaved: dict[str, str] = {}  # why, by id
        self._last = 0  # number of the last piece
        self._lock = threading.RLock()

    @classmethod
    def create(cls, folder: Path) -> "Session":
        """A session without pieces, in a folder of its own."""
        return cls(folder)

    @classmethod
    def open(cls, folder: Path) -> "Session":
        """The session that was kept in a folder; pieces whose files are damaged are left out.

        Raises:
            UserError: if there is none.
        """
        session = cls(folder)
        files = folder / FILES
        if not files.is_dir():
            raise UserError(f"{folder}: there is no session of the studio here (no {FILES}/)")
        remove_drafts(files)
        numbers = [int(path.stem) for path in files.glob("*.*") if path.stem.isdecimal()]
        session._last = max(numbers, default=0)  # also of damaged ones, which stay as they are
        for number in sorted(set(numbers)):
            try:
                piece = load(files, str(number))
            except (ValueError, OSError):
                continue
            if piece.parent is None or piece.parent in session._pieces:
                session._pieces[piece.id] = piece
        return session

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.folder.resolve().name

    @property
    def pieces(self) -> tuple[StudioPiece, ...]:
        """The oldest first."""
        with self._lock:
            return tuple(self._pieces.values())

    def piece(self, number: str) -> StudioPiece:
        """The piece with an id.

        Raises:
            UserError: if there is none.
        """
        with self._lock:
            if number not in self._pieces:
                raise UserError(f"there is no piece {number[:20]!r} in this session")
            return self._pieces[number]

    def add(
        self,
        sample: Sample,
        origin: Origin,
        parent: str | None = None,
        *,
        source: bytes | None = None,
    ) -> StudioPiece:
        """Take in a piece.

        Args:
            sample: the music.
            origin: how it came to be.
            parent: id of the piece that it was made from.
            source: the MIDI file that it was read from.

        Raises:
            UserError: if there is no such parent.
        """
        with self._lock:
            if parent is not None:
                self.piece(parent)
            self._last += 1
            piece = StudioPiece(str(self._last), sample, origin, parent, source)
            self._pieces[piece.id] = piece
            self._unsaved[piece.id] = ""
            self._save()
            return piece

    def _save(self) -> None:
        """Write what is not written yet, the oldest first, since children need their parents."""
        for number in list(self._unsaved):
            try:
                save(self._pieces[number], self.folder / FILES)
            except OSError as error:
                reason = error.strerror or first_line(error)
                self._unsaved = dict.fromkeys(self._unsaved, reason)
                return
            del self._unsaved[number]

    def why_unsaved(self, number: str) -> str:
        """Why a piece is in memory only; empty if it is on the disk."""
        with self._lock:
            return self._unsaved.get(number, "")

    def input_file(self, number: str, kind: str) -> Path:
        """The file of a piece that a plan reads.

        Args:
            number: id of the piece.
            kind: the format that the model reads, ``abc`` or ``midi``.

        Raises:
            UserError: if there is none.
        """
        piece = self.piece(number)
        if kind == "abc" and piece.sample.abc is None:
            raise UserError(f"{piece.sample.title} has no ABC, which the model reads")
        if reason := self.why_unsaved(number):
            raise UserError(f"{piece.sample.title} is not saved, so no model can read it: {reason}")
        return self.folder / FILES / f"{piece.id}.{SUFFIXES[kind]}"

    def command(self, number: str) -> str | None:
        """The command that writes a piece again, see `repeat_command`.

        Raises:
            UserError: if there is no such piece.
        """
        return self._command(number, lambda name: _shown(self.folder / FILES / name))

    def command_in(self, number: str, folder: str) -> str | None:
        """The same, for files that lie below another folder, as in `archive`."""
        return self._command(number, lambda name: Path(folder) / FILES / name)

    def _command(self, number: str, locate: Callable[[str], Path]) -> str | None:
        with self._lock:
            return repeat_command(self.piece(number), self._pieces, locate)

    def commands(self) -> dict[str, str]:
        """The commands of all pieces that have one, by id."""
        every = {piece.id: self.command(piece.id) for piece in self.pieces}
        return {number: line for number, line in every.items() if line is not None}


def _shown(path: Path) -> Path:
    """A path from the folder in which the program was started, if it is below it."""
    absolute, here = path.resolve(), Path.cwd()
    return absolute.relative_to(here) if absolute.is_relative_to(here) else absolute
