"""Music of the user: ABC that is typed, and files."""

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from symbotunes.errors import UserError, first_line
from symbotunes.generation.sample import Sample
from symbotunes.generation.sequences.prompts import read_prompt
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.files import read_tunes, tunes_by_line
from symbotunes.music.abc.tune import AbcTune
from symbotunes.render.files import ABC, MIDI, MUSICXML, piece_of_tune, pieces_of
from symbotunes.studio.origins import Opened, Typed
from symbotunes.studio.piece import StudioPiece
from symbotunes.studio.session import Session
from symbotunes.tokenizers.base import TextTokenizer

LONGEST = 20_000  # characters of a tune, which have a few hundred; those of some take a second
LARGEST = {"text": 500_000, "other": 4_000_000}  # bytes of a file of ABC, and of MIDI or MusicXML
TEXT = (".txt",)  # read as ABC
UNNAMED = "Untitled"


@dataclass(frozen=True)
class Problem:
    """Why a text cannot be read.

    Attributes:
        message: one line.
        position: where in the text it is, in characters from 0; ``None`` if it is nowhere.
        line: of that place, from 1.
        column: the same.
    """

    message: str
    position: int | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        if self.line is None:
            return self.message
        return f"line {self.line}, column {self.column}: {self.message}"


def problem_in(abc: str) -> Problem | None:
    """What is wrong with a tune that is being typed; ``None`` if it can be read."""
    return _tried(abc, lambda: _read(abc))


def problem_in_prompt(tokenizer: TextTokenizer[Any], prompt: str) -> Problem | None:
    """What is wrong with the beginning of a tune that is being typed; ``None`` if it can be read.

    Args:
        tokenizer: of the model that is to continue it.
        prompt: the beginning, as ``sample.prompt`` takes it.
    """
    return _tried(prompt, lambda: read_prompt(tokenizer, prompt))


def typed(abc: str) -> Sample:
    """A tune that was typed.

    Raises:
        UserError: with line and column, if it cannot be read.
    """
    try:
        return _read(abc)
    except AbcError as error:
        raise UserError(str(_located(abc, error))) from error


def add_typed(session: Session, abc: str, parent: str | None = None) -> StudioPiece:
    """Take a typed tune into a session.

    Args:
        session: the session.
        abc: the tune.
        parent: id of the piece whose text was edited.

    Raises:
        UserError: if it cannot be read, or there is no such parent.
    """
    return session.add(typed(abc), Typed(), parent)


def add_opened(session: Session, name: str, content: bytes) -> StudioPiece:
    """Take a file of the user into a session: its first piece that can be read.

    Args:
        session: the session.
        name: of the file, as the user's machine says; only its suffix decides anything.
        content: of the file.

    Raises:
        UserError: if it cannot be read.
    """
    shown = Path(name.replace("\\", "/")).name[:80] or "file"
    suffix = Path(shown).suffix.lower()
    kinds = (*ABC, *TEXT, *MIDI, *MUSICXML)
    if suffix not in kinds:
        raise UserError(f"{shown}: the name must end in one of {', '.join(kinds)}")
    most = LARGEST["text" if suffix in (*ABC, *TEXT) else "other"]
    if len(content) > most:
        raise UserError(f"{shown} has {len(content):,} bytes; the studio reads at most {most:,}")
    sample = _first_piece(shown, suffix, content)
    source = content if suffix in MIDI else None
    return session.add(sample, Opened(shown), source=source)


def _first_piece(shown: str, suffix: str, content: bytes) -> Sample:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{suffix}"  # not the user's name, which may be any text
        path.write_bytes(content)
        broken: dict[str, str] = {}
        is_abc = suffix in (*ABC, *TEXT)
        piece = _first_tune(path, broken) if is_abc else next(pieces_of(path, broken), None)
    if piece is None:
        reason = next(iter(broken.values()), "no music in it")
        reason = reason.removesuffix(path.name).replace(path.name, shown).removesuffix(": ")
        raise UserError(f"{shown}: {reason}")
    return replace(piece, name="piece", title=piece.title if is_abc else Path(shown).stem)


def _first_tune(path: Path, broken: dict[str, str]) -> Sample | None:
    """The first tune of a file that can be read; why those before it cannot be is noted."""
    try:
        tunes = read_tunes(path, "")
    except AbcError as error:
        broken[path.name] = error.reason
        return None
    for tune in tunes:
        try:
            _refuse_long(tune.text)
            piece = piece_of_tune(tune)
        except AbcError as error:
            broken[tune.id] = _placed(error, tune)
            continue
        except UserError as error:
            broken[tune.id] = str(error)
            continue
        others = f"one of {len(tunes)} tunes in the file"
        return replace(piece, notes=(*piece.notes, others)) if len(tunes) > 1 else piece
    return None


def _placed(error: AbcError, tune: AbcTune) -> str:
    """What is wrong with a tune, and where, without the name of its file."""
    if tune.place is None:
        return first_line(error)
    return tune.place.describe(error).removesuffix(f" of {tune.place.file}")


def _refuse_long(abc: str) -> None:
    if len(abc) > LONGEST:
        raise UserError(f"a tune of {len(abc):,} characters is too long: at most {LONGEST:,}")


def _read(abc: str) -> Sample:
    """The first tune of a text.

    Raises:
        AbcError: if it cannot be read; `AbcError.line` is that of the text.
        UserError: if the text is too long.
    """
    _refuse_long(abc)
    lines = abc.replace("\r\n", "\n").replace("\r", "\n")
    tunes = tunes_by_line(lines)
    tune = tunes[0] if tunes else list(enumerate(lines.split("\n"), 1))
    text = "\n".join(line for _, line in tune)
    title = re.search(r"^T:[ \t]*(.*?)[ \t]*$", text, re.MULTILINE)
    try:
        piece = piece_of_tune(AbcTune("typed", text, title=title[1] if title else UNNAMED))
    except AbcError as error:
        if error.line is not None:
            error.line = tune[min(error.line, len(tune)) - 1][0]
        raise
    notes = (*piece.notes, *(["only the first tune of the text"] if len(tunes) > 1 else []))
    return replace(piece, name="piece", notes=notes)


def _tried(text: str, read: Callable[[], object]) -> Problem | None:
    try:
        read()
    except ValueError as error:  # also `UserError`, and what it was raised from
        cause = error if error.__cause__ is None else error.__cause__
        if isinstance(cause, AbcError):
            return _located(text, cause)
        return Problem(first_line(error).removeprefix("sample.prompt: "))
    return None


def _located(text: str, error: AbcError) -> Problem:
    """A problem where the text has what the error is about, else at the beginning of its line."""
    message = first_line(error)
    lines = text.replace("\r\n", " \n").replace("\r", "\n").split("\n")
    if error.line is None:
        position = text.find(error.detail) if error.detail else -1
        if position < 0:
            return Problem(message)
        line = text.count("\n", 0, position)
        return Problem(message, position, line + 1, position - sum(map(_length, lines[:line])) + 1)
    line = min(error.line, len(lines)) - 1
    column = max(0, lines[line].find(error.detail)) if error.detail else 0
    return Problem(message, sum(map(_length, lines[:line])) + column, line + 1, column + 1)


def _length(line: str) -> int:
    return len(line) + 1
