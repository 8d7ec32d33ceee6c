"""Ratings that listeners saved, read as what they are: files of strangers."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symbotunes.errors import UserError, first_line
from symbotunes.evaluation.listening import design
from symbotunes.evaluation.listening.questions import HIGHEST, LOWEST, NAMES
from symbotunes.files import why_no_file

FORMAT, VERSION = "symbotunes listening ratings", 1
MOST_BYTES = 1_000_000  # a listener's file has a few thousand
MOST_FILES = 10_000
KEY_FILE = "key.json"
_LISTENER = re.compile(r"[0-9a-f]{8,32}")
_TEST = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True)
class Key:
    """Who wrote which piece of a test.

    Attributes:
        test: name of the test.
        sources: names of the models, and of held-out music.
        pieces: source and round of every piece, by its name.
    """

    test: str
    sources: tuple[str, ...]
    pieces: Mapping[str, tuple[str, int]]


@dataclass(frozen=True)
class Rating:
    """What a listener answered about one piece.

    Attributes:
        piece: name of the piece.
        answers: by question, from `LOWEST` to `HIGHEST`.
        seconds: how long it was listened to.
    """

    piece: str
    answers: Mapping[str, int]
    seconds: float


@dataclass(frozen=True)
class Listener:
    """The ratings of one listener, in the order in which the pieces were heard."""

    name: str
    ratings: tuple[Rating, ...]


class Unusable(ValueError):
    """Why a file is skipped."""


def read_key(path: Path) -> Key:
    """The key of a test.

    Raises:
        UserError: if it is none.
    """
    try:
        content = _json(path)
        if content.get("format") != design.FORMAT or content.get("version") != design.VERSION:
            raise Unusable("it is not the key of a listening test")
        return Key(
            test=str(content["test"]),
            sources=tuple(str(source) for source in content["sources"]),
            pieces={
                str(name): (str(piece["source"]), int(piece["round"]))
                for name, piece in content["pieces"].items()
            },
        )
    except (Unusable, LookupError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: {first_line(error)}") from error


def read_all(paths: Sequence[Path]) -> tuple[dict[str, Mapping[str, Any]], dict[str, str]]:
    """The content of the files that hold ratings of any test, and why others are skipped.

    Raises:
        UserError: if a path does not exist.
    """
    contents: dict[str, Mapping[str, Any]] = {}
    skipped: dict[str, str] = {}
    for path in _files(paths):
        try:
            content = _json(path)
            if content.get("format") != FORMAT or content.get("version") != VERSION:
                raise Unusable("it does not hold ratings of a listening test")
            if not _TEST.fullmatch(str(content.get("test"))):
                raise Unusable("it does not say of which test")
        except Unusable as error:
            skipped[str(path)] = str(error)
        else:
            contents[str(path)] = content
    return contents, skipped


def listeners_of(
    contents: Mapping[str, Mapping[str, Any]], key: Key
) -> tuple[list[Listener], dict[str, str]]:
    """The listeners of a test, and why files are skipped.

    Of several files of one listener, the one with the most ratings counts: those saved before the
    end are parts of it.
    """
    best: dict[str, tuple[str, Listener]] = {}
    skipped: dict[str, str] = {}
    for path, content in contents.items():
        try:
            listener = _listener(content, key)
        except Unusable as error:
            skipped[path] = str(error)
            continue
        before = best.get(listener.name)
        if before is not None and len(before[1].ratings) >= len(listener.ratings):
            skipped[path] = f"the same listener as in {before[0]}"
            continue
        if before is not None:
            skipped[before[0]] = f"the same listener as in {path}"
        best[listener.name] = path, listener
    return [listener for _, listener in best.values()], skipped


def _files(paths: Sequence[Path]) -> list[Path]:
    """The files that are named, and those ending in .json in folders that are."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(file for file in path.glob("*.json") if file.name != KEY_FILE)
        elif reason := why_no_file(path):
            raise UserError(f"listen.ratings={path}: {reason}")
        else:
            files.append(path)
    if len(files) > MOST_FILES:
        raise UserError(f"listen.ratings: {len(files):,} files, at most {MOST_FILES:,} are read")
    return list(dict.fromkeys(files))


def _json(path: Path) -> Mapping[str, Any]:
    """The JSON object in a file.

    Raises:
        Unusable: if there is none.
    """
    if reason := why_no_file(path):
        raise Unusable(reason)
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise Unusable(f"it is longer than {MOST_BYTES:,} bytes")
        content = json.loads(text)
    except OSError as error:
        raise Unusable(error.strerror or "it cannot be read") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, Unusable):
            raise
        raise Unusable("it is not JSON") from error
    if not isinstance(content, dict):
        raise Unusable("it is not a JSON object")
    return content


def _listener(content: Mapping[str, Any], key: Key) -> Listener:
    """The listener of a file.

    Raises:
        Unusable: if anything in it cannot be from the page of the test.
    """
    if content["test"] != key.test:
        raise Unusable("it is of another test")
    name, rows = content.get("listener"), content.get("ratings")
    if not isinstance(name, str) or not _LISTENER.fullmatch(name):
        raise Unusable("its listener has no valid number")
    if not isinstance(rows, list) or not rows:
        raise Unusable("it holds no ratings")
    ratings = tuple(_rating(row, key) for row in rows)
    if len({rating.piece for rating in ratings}) < len(ratings):
        raise Unusable("it rates a piece twice")
    return Listener(name, ratings)


def _rating(row: Any, key: Key) -> Rating:
    if not isinstance(row, dict) or not isinstance(row.get("piece"), str):
        raise Unusable("a rating names no piece")
    if row["piece"] not in key.pieces:
        raise Unusable("it rates a piece that is not in the test")
    answers: dict[str, Any] = {question: row.get(question) for question in NAMES}
    for question, answer in answers.items():
        is_number = isinstance(answer, int) and not isinstance(answer, bool)
        if not is_number or not LOWEST <= answer <= HIGHEST:
            raise Unusable(f"an answer on {question} is not from {LOWEST} to {HIGHEST}")
    seconds: Any = row.get("seconds")
    known = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    return Rating(row["piece"], answers, float(seconds) if known and 0 <= seconds < 1e6 else 0.0)
