"""Prompts: beginnings that samples continue, typed or the first bars of a file."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import shorten
from typing import Any, TypeVar

import numpy as np

from symbotunes.errors import UserError
from symbotunes.music.abc.beginnings import chosen_bars, first_bars
from symbotunes.music.abc.books import tunes_named
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.files import read_tunes
from symbotunes.music.abc.keys import Key
from symbotunes.music.abc.prompt.beginning import read_typed
from symbotunes.music.abc.transposition import on_c
from symbotunes.music.abc.tune import AbcTune
from symbotunes.music.excerpt import Excerpt
from symbotunes.music.midi.tracks import TrackName
from symbotunes.music.tempo import tempo_in
from symbotunes.tokenizers.base import TextTokenizer, examples_in

Result = TypeVar("Result")
LONGEST = 20_000  # characters; tunes have a few hundred


@dataclass(frozen=True)
class Beginning:
    """The beginning that every sample continues.

    Attributes:
        ids: of its tokens, without ``bos``.
        key: before it was moved to C, to which samples are moved back; ``None`` if it was not
            moved.
        remarks: how it differs from what the user gave, for people.
        tempo: that its ``Q:`` asks for, in quarters per minute; ``None`` if it has none.
    """

    ids: Sequence[int] = ()
    key: Key | None = None
    remarks: tuple[str, ...] = ()
    tempo: float | None = None


def read_prompt(tokenizer: TextTokenizer[Any], text: str | None) -> Beginning:
    """The beginning that a user typed; an empty one for no text.

    Raises:
        UserError: if it cannot be read.
    """
    if not text or not text.strip():
        return Beginning()
    if len(text) > LONGEST:
        raise UserError(f"sample.prompt has {len(text):,} characters, at most {LONGEST:,} are read")
    if Path(text).suffix.lower() in (".abc", ".mid", ".midi", ".kar", ".rmi"):
        raise UserError(f"sample.prompt={text} looks like a file: write sample.prompt_file={text}")
    try:
        ids = tokenizer.prompt(text)
        if tokenizer.FORMAT != "abc":
            return Beginning(ids)
        typed = read_typed(text, changes=tokenizer.KEEPS_CHANGES)
        tempo = tempo_in(re.sub(r"\s(?=Q:)", "\n", text)) or None
        return Beginning(ids, key_to_return_to(tokenizer, typed.key), typed.remarks, tempo)
    except ValueError as error:
        raise UserError(f"sample.prompt: {shorten(str(error), 200)}") from error


def read_prompt_file(
    tokenizer: TextTokenizer[Any],
    path: Path,
    bars: int | Excerpt,
    tune: int | str | None = None,
    *,
    track: TrackName | None = None,
    key: str = "sample.prompt_file",
) -> Beginning:
    """Some bars of a piece in a file.

    Args:
        tokenizer: of the model.
        path: of the file.
        bars: how many from the beginning, not counting an upbeat, or which.
        tune: which tune of an ABC file, by its place or title; ``None``: the first that can be
            used.
        track: name or number of the only track that is read; ``None``: all.
        key: the setting that names the file, for errors.

    Raises:
        UserError: if the file cannot be read, is too short, or cannot be expressed in tokens.
    """
    try:
        if tokenizer.FORMAT == "abc":
            if track is not None:
                raise ValueError("an ABC tune is read as one track; track is for MIDI files")
            return _bars_of_abc(tokenizer, path, bars, tune)
        if tune is not None:
            raise ValueError("sample.prompt_tune chooses a tune of an ABC file")
        return Beginning(tokenizer.prompt_from(path, bars, track))
    except (ValueError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise UserError(f"{key}={path}: {reason}") from error


def _bars_of_abc(
    tokenizer: TextTokenizer[Any], path: Path, bars: int | Excerpt, wanted: int | str | None
) -> Beginning:
    if path.suffix.lower() != ".abc":
        raise ValueError("the model writes ABC, and can only continue .abc files")
    beginning, remarks = first_usable(path, wanted, lambda tune: _bars_of(tokenizer, tune, bars))
    return replace(beginning, remarks=remarks)


def first_usable(
    path: Path, wanted: int | str | None, use: Callable[[AbcTune], Result]
) -> tuple[Result, tuple[str, ...]]:
    """What is made of the first tune of an ABC file of which it can be made.

    Args:
        path: of the file.
        wanted: a tune by its place, from 1, or title; ``None``: any.
        use: makes it of a tune; raises ``ValueError`` where that fails.

    Returns:
        The result, and remarks on tunes that were passed over.

    Raises:
        ValueError: saying what is wrong with the first tune, if there is none.
        OSError: if the file cannot be read.
    """
    tunes = read_tunes(path, collection="prompt")
    failures: list[str] = []
    for tune in tunes_named(tunes, wanted):
        try:
            result = use(tune)
        except ValueError as error:
            failures.append(_located(error, tune, len(tunes)))
            continue
        return result, tuple(f"passed over: {failure}" for failure in failures)
    others = len(failures) - 1
    more = f"; {others} other tune{'s'[: others - 1]} cannot be used either" if others else ""
    raise ValueError(failures[0] + more)


def _bars_of(tokenizer: TextTokenizer[Any], tune: AbcTune, bars: int | Excerpt) -> Beginning:
    # First, because its errors name their line.
    phrase = tune.phrase_in("keep", changes=tokenizer.KEEPS_CHANGES)
    key = None if tune.tokens else phrase.key
    (tokens,) = examples_in(tokenizer.tokenize(tune))
    if isinstance(tokens, np.ndarray):
        raise ValueError("a model of byte pairs cannot continue a file; set sample.prompt")
    chosen = first_bars(tokens, bars) if isinstance(bars, int) else chosen_bars(tokens, bars)
    ids, tempo = tokenizer.encode(chosen), tempo_in(tune.text) or None
    return Beginning(ids, key_to_return_to(tokenizer, key), tempo=tempo)


def _located(error: ValueError, tune: AbcTune, total: int) -> str:
    """What is wrong with a tune of a file, and where it stands."""
    if tune.place is None:
        return str(error)
    if isinstance(error, AbcError):
        return tune.place.describe(error)
    where = f" (tune {tune.place.number} of {tune.place.file})" if total > 1 else ""
    return f"{error}{where}"


def key_to_return_to(tokenizer: TextTokenizer[Any], key: Key | None) -> Key | None:
    """The key of a beginning if the tokenizer moves it to C."""
    return key if tokenizer.MOVES_TO_C and key is not None and key != on_c(key) else None
