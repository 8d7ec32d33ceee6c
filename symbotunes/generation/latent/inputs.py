"""Windows of a file that a user names."""

import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from symbotunes.errors import UserError
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.files import read_tunes
from symbotunes.music.convert import midi_of
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.piece import MidiPiece, read_midi_bytes
from symbotunes.tokenizers.base import Ids, Unencodable
from symbotunes.tokenizers.windows import Windows

ABC_SUFFIXES = (".abc", ".txt")


@dataclass(frozen=True)
class FileWindows:
    """The windows of a file.

    Attributes:
        path: of the file.
        windows: ids of all windows in the order of the music, of all tunes of an ABC file.
        bars: length of each window.
        remark: how reading differed from training, if it did.
    """

    path: Path
    windows: Sequence[Ids]
    bars: int
    remark: str = ""

    def select(self, number: int, count: int = 1) -> Sequence[Ids]:
        """Some windows, beginning with a given one.

        Args:
            number: of the first window, counted from 1.
            count: maximum number of windows.

        Raises:
            UserError: if there is no such window.
        """
        if not 1 <= number <= len(self.windows):
            raise UserError(
                f"{self.path} has windows 1 to {len(self.windows)}; there is no window {number}"
            )
        return self.windows[number - 1 : number - 1 + count]

    def describe(self, number: int, count: int = 1) -> str:
        """How many windows there are and which are used, in words."""
        total = len(self.windows)
        last = min(total, number + count - 1)
        which = f"window {number} is" if last == number else f"windows {number} to {last} are"
        plural = "" if total == 1 else "s"
        text = f"{self.path.name}: {total:,} window{plural} of {self.bars} bars, {which} used"
        return f"{text} ({self.remark})" if self.remark else text


def read_windows(path: Path, tokenizer: Windows, key: str) -> FileWindows:
    """All windows of a MIDI or ABC file.

    If no instrument is one that the model was trained on, melodies of any instrument are read.

    Args:
        path: of the file.
        tokenizer: the model's; its limit of windows per piece is not applied.
        key: the argument that named the file, for errors.

    Raises:
        UserError: if the file is missing, unreadable, or has no windows, saying why.
    """
    if not path.is_file():
        raise UserError(f"{key}={path}: there is no such file")
    whole = copy.copy(tokenizer)
    whole.max_examples = None
    reasons: Counter[str] = Counter()
    try:
        pieces = _pieces(path, reasons)
    except (AbcError, MidiError) as error:
        raise UserError(f"{key}={path}: {error.reason}") from error
    windows = _windows(pieces, whole, reasons)
    if not windows and (widened := whole.widened()) is not None:
        any_instrument, remark = widened
        windows = _windows(pieces, any_instrument, Counter())
        if windows:
            return FileWindows(path, windows, tokenizer.bars, remark)
    if not windows:
        why = ", ".join(f"{reason} ({count}x)" for reason, count in reasons.most_common(3))
        raise UserError(f"{key}={path} has no music for the model: {why.replace(' (1x)', '')}")
    return FileWindows(path, windows, tokenizer.bars)


def _windows(pieces: Sequence[MidiPiece], tokenizer: Windows, reasons: Counter[str]) -> list[Ids]:
    windows: list[Ids] = []
    for piece in pieces:
        try:
            windows += tokenizer.tokenize(piece)
        except Unencodable as error:
            reasons[error.reason] += 1
    return windows


def _pieces(path: Path, reasons: Counter[str]) -> list[MidiPiece]:
    if path.suffix.lower() not in ABC_SUFFIXES:
        return [MidiPiece(path.name, read_midi_bytes(path))]
    pieces = []
    for tune in read_tunes(path, path.parent.name):
        try:
            pieces.append(midi_of(tune))
        except AbcError as error:
            reasons[error.reason] += 1
    return pieces
