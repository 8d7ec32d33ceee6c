"""Augmentation: training tunes in many keys."""

from collections.abc import Sequence
from typing import Any

import torch

from symbotunes.errors import UserError
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.keys import parse_key
from symbotunes.music.abc.transposition import moved_key, transpose
from symbotunes.tokenizers.base import TextTokenizer, Tokenizer, Unencodable


class Transpose:
    """Transposes each example by an interval drawn from those that the vocabulary can spell.

    All of them are equally likely. An example that cannot be transposed by any stays as it is.

    Args:
        semitones: intervals to choose from; 0 leaves a tune in its key.
    """

    def __init__(self, semitones: Sequence[int]) -> None:
        if not semitones:
            raise UserError("transpose needs transforms.transpose.semitones, such as [-2, 0, 2]")
        self.semitones = tuple(int(shift) for shift in semitones)
        self.tokenizer: TextTokenizer[Any] | None = None
        self.choices: dict[str, list[int]] = {}  # key token -> shifts to keys in the vocabulary

    def bind(self, tokenizer: Tokenizer[Any]) -> None:
        """Find which keys the vocabulary has.

        Raises:
            UserError: if the tokenizer does not write ABC, or transposes all of it to C.
        """
        text = tokenizer.text
        tokens = None if text is None else text.abc_tokens
        if text is None or tokens is None:
            raise UserError(
                "transpose moves ABC tunes; it needs the tokenizer abc_tokens before it"
            )
        if text.MOVES_TO_C:
            raise UserError(
                "transpose needs transforms.abc_tokens.root=keep: a tune on C cannot leave C"
            )
        self.tokenizer = text
        known = set(tokens)
        for name in (token[2:] for token in known if token.startswith("K:")):
            key = parse_key(name)
            self.choices[f"K:{name}"] = [
                shift
                for shift in self.semitones
                if not shift or f"K:{moved_key(key, shift)}" in known
            ]

    def __call__(self, ids: Sequence[int], generator: torch.Generator) -> Sequence[int]:
        """The example in another key, or as it is."""
        if self.tokenizer is None:
            raise RuntimeError("call bind before transpose is used: it has no tokenizer")
        tokens = self.tokenizer.decode(ids)
        key = next((token for token in tokens if token.startswith("K:")), "")
        shifts = self.choices.get(key, [])
        # The first that fits in a random order is a uniform draw among all that fit.
        for index in torch.randperm(len(shifts), generator=generator).tolist():
            try:
                return self.tokenizer.encode(transpose(tokens, shifts[index]))
            except (AbcError, Unencodable):
                continue
        return ids
