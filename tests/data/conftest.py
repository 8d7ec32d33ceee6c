"""A corpus and a tokenizer of letters, so that the data layer is tested without music."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import symusic

from symbotunes.data.limits import Limits
from symbotunes.data.pool import Workers
from symbotunes.data.prepare import Plan, prepare
from symbotunes.data.split import Shares
from symbotunes.datasets.base import Corpus, Dropped
from symbotunes.tokenizers.base import Rendition, Tokenizer, Unencodable, Vocabulary
from symbotunes.transforms.base import Chain


@dataclass(frozen=True)
class Word:
    id: str
    text: str
    title: str = ""
    collection: str = ""
    split: str | None = None
    family: bytes = b""

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
                yield Dropped(str(number), "broken line")
            else:
                yield Word(str(number), line, title=line)


class Letters(Tokenizer[Word]):
    SCHEMA = 1
    FORMAT = "words"

    def __init__(self) -> None:
        self.letters: list[str] = []

    def tokenize(self, piece):
        if "!" in piece.text:
            raise Unencodable("shouting")
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


def plan_of(cache: Path, **changes) -> Plan:
    settings = {
        "key": "",
        "limits": Limits(1, 100),
        "shares": Shares(0.0, 0.0),
        "workers": Workers(0),
    }
    return Plan(cache=cache, **{**settings, **changes})


@pytest.fixture
def corpus_of(tmp_path):
    """A corpus of one file of these lines, or of several files of such lines."""

    def make(lines, *others):
        (tmp_path / "corpus").mkdir(exist_ok=True)
        paths = []
        for number, content in enumerate([lines, *others]):
            paths.append(tmp_path / "corpus" / f"words{number}.txt")
            paths[-1].write_text("\n".join(content))
        return Words(*paths)

    return make


@pytest.fixture
def encoded_of(tmp_path):
    """Prepare lines of letters; returns what was encoded, and the chain that did it."""

    def make(corpus, *, chain=None, cache="cache", **changes):
        chain = chain or Chain({"letters": Letters()})
        return prepare(corpus, chain, plan_of(tmp_path / cache, **changes)), chain

    return make
