"""Beginnings that samples go on from: typed, or the first bars of a file."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np

from symbotunes.data.encode import examples_in
from symbotunes.errors import UserError
from symbotunes.scores.abc.beginnings import first_bars
from symbotunes.scores.abc.files import read_tunes
from symbotunes.tokenizers.base import Tokenizer

LONGEST = 20_000  # characters; tunes have some hundreds


def read_prompt(tokenizer: Tokenizer[Any], text: str | None) -> Sequence[int]:
    """Ids of the beginning that a user typed; none for no text.

    Raises:
        UserError: if it cannot be read.
    """
    if not text or not text.strip():
        return []
    if len(text) > LONGEST:
        raise UserError(f"sample.prompt has {len(text):,} characters, at most {LONGEST:,} are read")
    if Path(text).suffix.lower() in (".abc", ".mid", ".midi"):
        raise UserError(f"sample.prompt={text} looks like a file: write sample.prompt_file={text}")
    try:
        return tokenizer.prompt(text)
    except ValueError as error:
        raise UserError(f"sample.prompt: {shorten(str(error), 200)}") from error


def read_prompt_file(tokenizer: Tokenizer[Any], path: Path, bars: int) -> Sequence[int]:
    """Ids of the first bars of a file's first piece.

    Raises:
        UserError: if the file cannot be read, is too short, or says what the tokens cannot.
    """
    try:
        if tokenizer.FORMAT == "abc":
            return _first_bars_of_abc(tokenizer, path, bars)
        return tokenizer.prompt_from(path, bars)
    except (ValueError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise UserError(f"sample.prompt_file={path}: {reason}") from error


def _first_bars_of_abc(tokenizer: Tokenizer[Any], path: Path, bars: int) -> list[int]:
    if path.suffix.lower() != ".abc":
        raise ValueError("the model's tokens are ABC; it goes on from .abc files")
    tune = read_tunes(path, collection="prompt")[0]
    (tokens,) = examples_in(tokenizer.tokenize(tune))
    if isinstance(tokens, np.ndarray):
        raise ValueError("these tokens are bytes of text; give sample.prompt instead")
    return tokenizer.encode(first_bars(tokens, bars))
