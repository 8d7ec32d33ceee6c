"""A corpus and tokenizers of letters, so that the data layer is tested without music.

Worker processes import this module: it imports nothing that takes long.
"""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import symusic

from symbotunes.datasets.base import Corpus, Dropped
from symbotunes.tokenizers.base import Rendition, TextTokenizer, Unencodable, Vocabulary


@dataclass(frozen=True)
class Word:
    id: str
    text: str
    title: str = ""
    collection: str = ""
    split: str | None = None
    family: bytes = b""
    work: str = ""
    only: str = ""

    def content(self) -> bytes:
        return self.text.encode()


class Words(Corpus):
    """One piece per line of a file; a line that begins with ``#`` is broken."""

    FORMAT = "words"

    def __init__(self, *paths: Path) -> None:
        self.paths = list(paths)
        self.reads = 0

    def files(self) -> list[Path]:
        return self.paths

    def read(self, path: Path) -> Iterator[Word | Dropped]:
        self.reads += 1
        for number, line in enumerate(path.read_text().splitlines()):
            if line.startswith("#"):
                yield Dropped(str(number), "broken line", line[1:])
            else:
                yield Word(str(number), line, title=line)


class Letters(TextTokenizer[Word]):
    SCHEMA = 1
    FORMAT = "words"

    def __init__(self) -> None:
        self.letters: list[str] = []

    def tokenize(self, piece):
        if "!" in piece.text:
            raise Unencodable("shouting", "!")
        return list(piece.text)

    def fit(self, counts):
        self.letters = sorted(counts)

    def encode(self, tokens):
        unknown = sorted(set(tokens) - set(self.letters))
        if unknown:
            raise Unencodable("unknown letter", unknown[0])
        return [self.letters.index(letter) for letter in tokens]

    def decode(self, ids):
        return [self.letters[index] for index in ids if index < len(self.letters)]

    def render(self, tokens, title, *, number=1):
        return Rendition(symusic.Score())

    def prompt(self, text):
        return self.encode(list(text))

    @property
    def vocabulary(self):
        if not self.letters:
            raise RuntimeError("no vocabulary yet")
        size = len(self.letters)
        return Vocabulary(size + 2, size, size + 1)

    def state(self):
        return {"letters": self.letters}

    def load_state(self, state):
        self.letters = list(state["letters"])


class Pairs(Letters):
    """Windows of four pairs of numbers: a closed vocabulary, two numbers per step, no frame."""

    FIELDS = 2
    FRAMED = False

    def tokenize(self, piece):
        values = np.frombuffer(piece.text.encode(), np.uint8).astype(np.int64) - ord("a")
        rows = np.stack([values, values[::-1]], axis=1)
        return [rows[start : start + 4] for start in range(0, len(rows) - 3, 4)]

    @property
    def vocabulary(self):
        return Vocabulary(300, -1, -1)

    def state(self):
        return {}

    def load_state(self, state):
        pass


def binary_words(first: int, last: int) -> list[str]:
    """Different words of a and b."""
    return [f"{number:b}".replace("0", "a").replace("1", "b") for number in range(first, last)]


class Hazards(Letters):
    """Does what the piece's text says: ``hang``, ``kill``, ``eat`` or ``bug``.

    Args:
        log: a file that gets one line for every call, or ``None``.
    """

    def __init__(self, log: Path | None = None) -> None:
        super().__init__()
        self.log = log

    def tokenize(self, piece):
        if self.log is not None:
            with self.log.open("a") as file:
                file.write(f"{piece.text}\n")
        match piece.text:
            case "hang":
                time.sleep(600)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "eat":
                np.ones(2**30)  # 8 GiB
            case "bug":
                raise IndexError("list index out of range")
            case "slow":
                time.sleep(0.5)
        return super().tokenize(piece)
