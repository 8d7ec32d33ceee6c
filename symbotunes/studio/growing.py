"""A tune while it is written: its whole bars, as ABC."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from symbotunes.generation.sequences import Generated
from symbotunes.generation.sequences.collection_keys import key_of_sample
from symbotunes.generation.sequences.decoded import to_sample
from symbotunes.generation.sequences.prompts import Beginning
from symbotunes.tokenizers.base import TextTokenizer

BAR = "|"  # in every token that is or holds a bar sign
LEAST_SECONDS = 0.1  # between two texts: reading one takes as long as writing some tokens


class Steps:
    """What is called after every step of a model; it may raise to stop the model.

    Args:
        check: called every time.
    """

    def __init__(self, check: Callable[[], None]) -> None:
        self.check = check

    def __call__(self, done: int) -> None:  # noqa: ARG002
        self.check()


class GrowingTune(Steps):
    """Tells the text of a single tune whenever a bar is complete.

    Args:
        check: called after every step.
        tell: called with the ABC of the whole bars so far.
        tokenizer: of a model that writes ABC.
        beginning: what the tune continues.
        index: of the candidate, from 0.
        seed: of the sample.
    """

    def __init__(
        self,
        check: Callable[[], None],
        tell: Callable[[str], None],
        tokenizer: TextTokenizer[Any],
        beginning: Beginning,
        index: int,
        seed: int,
    ) -> None:
        super().__init__(check)
        self.tell = tell
        self.tokenizer = tokenizer
        self.beginning = beginning
        self.index = index
        self.seed = seed
        self._told = 0.0

    def wrote(self, pieces: Sequence[Sequence[int]]) -> None:
        """See `symbotunes.generation.sequences.generate.Listener`."""
        (ids,) = pieces
        now = time.monotonic()
        if now - self._told < LEAST_SECONDS or not ids:
            return
        if BAR not in "".join(self.tokenizer.decode([ids[-1]])):
            return
        key = key_of_sample(self.tokenizer, self.beginning, ids, self.seed)
        generated = Generated(list(ids), 0, 0.0, 0, True)
        abc = to_sample(self.tokenizer, generated, self.index, self.seed, key).abc
        if abc is not None:
            self._told = now
            self.tell(abc)
