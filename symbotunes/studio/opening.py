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
from symbotunes.music.abc.files import tunes_by_line
from symbotunes.music.abc.tune import AbcTune
from symbotunes.render.files import ABC, MIDI, MUSICXML, piece_of_tune, pieces_of
from symbotunes.studio.origins import Opened, Typed
from symbotunes.studio.piece import StudioPiece
from symbotunes.studio.session import Session
from symbotunes.tokenizers.base import TextTokenizer

LONGEST = 100_000  # characters of typed ABC; tunes have a few hundred
LARGEST = 4_000_000  # bytes of a file; books of ABC and long performances have a tenth
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
    problem = problem_in(abc)
    if problem is not None:
        raise UserError(str(problem))
    return _read(abc)


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
    if len(content) > LARGEST:
        raise UserError(
            f"{shown} has {len(content):,} bytes; the studio reads files of at most {LARGEST:,}"
        )
    sample = _first_piece(shown, ".abc" if suffix in TEXT else suffix, content)
    source = content if suffix in MIDI else None
    return session.add(sample, Opened(shown), source=source)


def _first_piece(shown: str, suffix: str, content: bytes) -> Sample:
    broken: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{suffix}"  # not the user's name, which may be any text
        path.write_bytes(content)
        pieces = pieces_of(path, broken)
        piece = next(pieces, None)
        others = piece is not None and next(pieces, None) is not None
    if piece is None:
        reason = next(iter(broken.values()), "no music in it").replace(f"of {path.name}", "")
        raise UserError(f"{shown}: {reason.replace(path.name, shown).strip()}")
    notes = (*piece.notes, *(["the first of several tunes in the file"] if others else []))
    title = piece.title if suffix in ABC else Path(shown).stem
    return replace(piece, name="piece", title=title, notes=notes)


def _read(abc: str) -> Sample:
    """The first tune of a text.

    Raises:
        AbcError: if it cannot be read; `AbcError.line` is that of the text.
        UserError: if the text is too long.
    """
    if len(abc) > LONGEST:
        raise UserError(f"{len(abc):,} characters are too many; the studio reads {LONGEST:,}")
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
    except ValueError as error:  # also `UserError`
        cause = error if error.__cause__ is None else error.__cause__
        message = first_line(error).removeprefix("sample.prompt: ")
        if not isinstance(cause, AbcError):
            return Problem(message)
        return _located(text, message, cause)
    return None


def _located(text: str, message: str, error: AbcError) -> Problem:
    """A problem where the text has what the error is about, else at the beginning of its line."""
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
