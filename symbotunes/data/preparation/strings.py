"""Token strings of a whole corpus: numbered, counted, and mapped to the tokenizer's ids."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.tokenizers.base import Tokenizer, Unencodable

UNKNOWN = -1


@dataclass
class Strings:
    """Token strings in order of first appearance in the corpus, whichever worker read them."""

    numbers: dict[str, int] = field(default_factory=dict)
    _counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def renumber(self, strings: Sequence[str]) -> NDArray[np.int64]:
        """Numbers of a part's strings in the whole corpus, by their number in the part."""
        numbers = self.numbers
        return np.array([numbers.setdefault(text, len(numbers)) for text in strings], np.int64)

    def count(self, ids: NDArray[np.int64]) -> None:
        """Count occurrences, by number in the corpus."""
        counts = np.bincount(ids, minlength=len(self.numbers))
        counts[: len(self._counts)] += self._counts
        self._counts = counts

    @property
    def counts(self) -> dict[str, int]:
        """How often each string was counted; strings with a count of 0 are left out."""
        names = list(self.numbers)
        return {names[index]: int(self._counts[index]) for index in np.flatnonzero(self._counts)}


@dataclass(frozen=True)
class Table:
    """The tokenizer's id of every string, by number.

    Attributes:
        ids: ``[strings]``; `UNKNOWN` if the tokenizer has no id for a string.
        reasons: why it has none, by number, and what that is about.
    """

    ids: NDArray[np.int64]
    reasons: dict[int, tuple[str, str]]

    @classmethod
    def of(cls, strings: Strings, tokenizer: Tokenizer[Any]) -> "Table":
        """Ask the tokenizer once for every string."""
        ids = np.full(len(strings.numbers), UNKNOWN, np.int64)
        reasons: dict[int, tuple[str, str]] = {}
        writer = tokenizer.text
        for text, number in strings.numbers.items():
            if writer is None:
                name = type(tokenizer).__name__
                raise TypeError(f"{name} returns token strings, so it must be a TextTokenizer")
            try:
                (ids[number],) = writer.encode([text])
            except Unencodable as error:
                reasons[number] = (error.reason, error.detail)
        return cls(ids, reasons)
