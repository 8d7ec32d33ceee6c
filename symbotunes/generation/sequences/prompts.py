"""Prompts: beginnings that samples continue, typed or the first bars of a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np

from symbotunes.errors import UserError
from symbotunes.music.abc.beginnings import first_bars
from symbotunes.music.abc.files import read_tunes
from symbotunes.music.abc.keys import Key
from symbotunes.music.abc.prompt.beginning import read_typed
from symbotunes.music.abc.transposition import on_c
from symbotunes.tokenizers.base import TextTokenizer, examples_in

LONGEST = 20_000  # characters; tunes have a few hundred


@dataclass(frozen=True)
class Beginning:
    """The beginning that every sample continues.

    Attributes:
        ids: of its tokens, without ``bos``.
        key: before it was moved to C, to which samples are moved back; ``None`` if it was not
            moved.
        remarks: how it differs from what the user gave, for people.
    """

    ids: Sequence[int] = ()
    key: Key | None = None
    remarks: tuple[str, ...] = ()


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
        typed = read_typed(text)
        return Beginning(ids, _key_to_return_to(tokenizer, typed.key), typed.remarks)
    except ValueError as error:
        raise UserError(f"sample.prompt: {shorten(str(error), 200)}") from error


def read_prompt_file(tokenizer: TextTokenizer[Any], path: Path, bars: int) -> Beginning:
    """The first bars of a file's first piece.

    Raises:
        UserError: if the file cannot be read, is too short, or cannot be expressed in tokens.
    """
    try:
        if tokenizer.FORMAT == "abc":
            return _first_bars_of_abc(tokenizer, path, bars)
        return Beginning(tokenizer.prompt_from(path, bars))
    except (ValueError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise UserError(f"sample.prompt_file={path}: {reason}") from error


def _first_bars_of_abc(tokenizer: TextTokenizer[Any], path: Path, bars: int) -> Beginning:
    if path.suffix.lower() != ".abc":
        raise ValueError("the model writes ABC, and can only continue .abc files")
    tune = read_tunes(path, collection="prompt")[0]
    (tokens,) = examples_in(tokenizer.tokenize(tune))
    if isinstance(tokens, np.ndarray):
        raise ValueError("a model of byte pairs cannot continue a file; set sample.prompt")
    key = None if tune.tokens else tune.parsed.key
    ids = tokenizer.encode(first_bars(tokens, bars))
    return Beginning(ids, _key_to_return_to(tokenizer, key))


def _key_to_return_to(tokenizer: TextTokenizer[Any], key: Key | None) -> Key | None:
    """The key of a beginning if the tokenizer moves it to C."""
    return key if tokenizer.MOVES_TO_C and key is not None and key != on_c(key) else None
