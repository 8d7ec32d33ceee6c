"""Byte-pair encoding of ids: frequent pairs of adjacent ids become new ids.

Hugging Face's tokenizers library does the work. It merges characters, so every id is mapped to a
character of Unicode's private use area, which no text rule splits or changes.

Not MidiTok's ``train``, because it tokenizes files itself, while the ids of the training split
exist already, and because it only splits at bars or beats, which MIDI-like schemes do not have.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.tokenizers.base import Ids

_FIRST = 0xF0000  # of 65,534 characters of private use
MAX_BASE = 65_000
_LEARNED_FROM = 2**23  # maximum number of ids to learn from, since they are kept in memory
_LONGEST_WORD = 512  # ids; the time to learn grows with its square


class BytePairs:
    """Merges, in the order in which they were learned and are applied.

    Args:
        base: number of ids that are not merged.
        pairs: (left, right) ids that are merged; merged ids are numbered from `base` on.
        openers: ids at which a word begins; merges stay within words.
    """

    def __init__(
        self, base: int, pairs: Iterable[Sequence[int]], openers: Sequence[int] = ()
    ) -> None:
        self.pairs = [(int(left), int(right)) for left, right in pairs]
        self.openers = np.array(openers, np.int64)
        self._texts = [chr(_FIRST + index) for index in range(base)]
        numbers = {text: index for index, text in enumerate(self._texts)}
        merges = []
        for left, right in self.pairs:
            merges.append((self._texts[left], self._texts[right]))
            merged = "".join(merges[-1])  # different pairs may give the same one
            if numbers.setdefault(merged, len(numbers)) == len(self._texts):
                self._texts.append(merged)
        self._engine = _engine(numbers, merges)

    @classmethod
    def learn(
        cls, base: int, size: int, examples: Iterable[Ids], openers: Sequence[int] = ()
    ) -> "BytePairs":
        """Merge the most frequent pair again and again until there are `size` ids.

        The same examples in the same order give the same merges.
        """
        from tokenizers import trainers

        alphabet = [chr(_FIRST + index) for index in range(base)]
        trainer = trainers.BpeTrainer(
            vocab_size=size, min_frequency=2, initial_alphabet=alphabet, show_progress=False
        )
        engine = _engine({}, [])
        chosen = thinned(examples, _LEARNED_FROM)
        words = (words_of(ids, np.array(openers), _LONGEST_WORD) for ids in chosen)
        engine.train_from_iterator(words, trainer)
        return cls(base, _pairs(engine), openers)

    @property
    def size(self) -> int:
        """Number of ids, including merged ones."""
        return len(self._texts)

    def merge(self, ids: Ids) -> NDArray[np.int64]:
        """Apply the merges to one example."""
        words = words_of(ids, self.openers)
        encoded = self._engine.encode(words, is_pretokenized=True, add_special_tokens=False)
        return np.array(encoded.ids, np.int64)

    def parts(self, index: int) -> list[int]:
        """The unmerged ids that an id stands for."""
        return [ord(character) - _FIRST for character in self._texts[index]]


def thinned(examples: Iterable[Ids], budget: int) -> list[Ids]:
    """Every example, or every second, fourth and so on, so that there are at most `budget` ids."""
    kept: list[Ids] = []
    total, stride = 0, 1
    for number, ids in enumerate(examples):
        if number % stride:
            continue
        kept.append(ids)
        total += len(ids)
        while total > budget and len(kept) > 1:
            kept, stride = kept[::2], 2 * stride
            total = sum(map(len, kept))
    return kept


def words_of(ids: Ids, openers: NDArray[np.int64], longest: int | None = None) -> list[str]:
    """Split an example into words at `openers`, and every `longest` ids in longer words."""
    text = (np.asarray(ids, "<u4") + _FIRST).astype("<u4").tobytes().decode("utf-32-le")
    cuts = {0, *np.flatnonzero(np.isin(ids, openers)).tolist(), len(text)}
    words = _between(text, sorted(cuts))
    if longest is None:
        return list(words)
    return [word[at : at + longest] for word in words for at in range(0, len(word), longest)]


def _between(text: str, cuts: Sequence[int]) -> Iterator[str]:
    for begin, end in zip(cuts, cuts[1:], strict=False):
        yield text[begin:end]


def _engine(numbers: dict[str, int], merges: list[tuple[str, str]]) -> Any:
    from tokenizers import Tokenizer, models

    return Tokenizer(models.BPE(vocab=numbers, merges=merges))


def _pairs(engine: Any) -> list[tuple[int, int]]:
    """The merges that an engine has learned, as ids."""
    import json

    model = json.loads(engine.to_str())["model"]
    numbers = model["vocab"]
    return [(numbers[left], numbers[right]) for left, right in model["merges"]]
