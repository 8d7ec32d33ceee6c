"""A corpus and a tokenizer of letters, so that the data layer is tested without music."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import symusic

from symbotunes.data.prepare import Limits, prepare
from symbotunes.data.split import Shares
from symbotunes.datasets.base import Corpus, Dropped
from symbotunes.scores.abc.tune import AbcTune
from symbotunes.tokenizers.base import Rendition, Tokenizer, Unencodable, Vocabulary
from symbotunes.transforms.base import Chain


class Words(Corpus):
    """One piece per line of a file; a line that begins with ``#`` is broken."""

    FORMAT = "words"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reads = 0

    def files(self) -> list[Path]:
        return [self.path]

    def read(self, path: Path) -> Iterator[AbcTune | Dropped]:
        self.reads += 1
        for number, line in enumerate(path.read_text().splitlines()):
            if line.startswith("#"):
                yield Dropped(str(number), "broken line")
            else:
                yield AbcTune(str(number), line, title=line)


class Letters(Tokenizer[AbcTune]):
    SCHEMA = 1
    FORMAT = "words"

    def __init__(self) -> None:
        self.letters: list[str] = []

    def tokenize(self, piece):
        if "!" in piece.text:
            raise Unencodable("shouting")
        return list(piece.text)

    def fit(self, corpus):
        self.letters = sorted({letter for tokens in corpus for letter in tokens})

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


@pytest.fixture
def corpus_of(tmp_path):
    def make(lines):
        path = tmp_path / "words.txt"
        path.write_text("\n".join(lines))
        return Words(path)

    return make


@pytest.fixture
def encoded_of(tmp_path):
    """Prepare lines of letters; returns what was encoded, and the chain that did it."""

    def make(corpus, *, limits=None, shares=None, key="", chain=None):
        chain = chain or Chain({"letters": Letters()})
        encoded = prepare(
            corpus,
            chain,
            key=key,
            limits=limits or Limits(1, 100),
            shares=shares or Shares(0.0, 0.0),
            cache=tmp_path / "cache",
        )
        return encoded, chain

    return make
