"""The published training text of Folk-RNN, ``data_v2``: 23,635 tunes of thesession.org.

Sturm, Santos, Ben-Tal, Korshunova: "Music transcription modelling and composition using deep
learning", 2016. The tunes are contributed by the members of thesession.org; the text is published
with the authors' code. Its tunes are separated by blank lines; the first line is the meter, the
second the key (always on C), the third the body, all tokens separated by spaces. They are read
as they are, including accidentals that repeat the key and repeats without a start.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from symbotunes.datasets.base import Corpus, DatasetError, Dropped
from symbotunes.datasets.fetch.download import Published, fetch_once
from symbotunes.music.abc.tokens import kind
from symbotunes.music.abc.tune import AbcTune


class FolkRnnData(Corpus):
    """Tunes of ``data_v2``, downloaded from its published address or read from the user's file.

    Args:
        path: the text file; downloaded here if it does not exist and `url` is given.
        url: published address, or ``None`` to never download.
        download: whether the network may be used.
    """

    FORMAT = "abc"
    WRITES = ("path",)
    FETCHES = ("url", "download")

    def __init__(self, path: str | Path, url: str | None, download: bool = True) -> None:
        self.path = Path(path).expanduser()
        self.published = Published(url)
        self.download = download

    def files(self) -> list[Path]:
        return [fetch_once(self.published, self.path, download=self.download)]

    def is_at_hand(self) -> bool:
        return self.path.is_file()

    def owns(self, path: Path) -> bool:
        return path == self.path

    def read(self, path: Path) -> Iterator[AbcTune | Dropped]:
        text = path.read_text(encoding="utf-8", errors="replace")
        if not text.lstrip().startswith("M:"):
            raise DatasetError(
                f"{path} is not folk-rnn's data_v2, which begins with M:; delete it and retry"
            )
        for number, block in enumerate(filter(str.strip, re.split(r"\n\s*\n", text)), start=1):
            name, tokens = f"{path.name}#{number}", tuple(block.split())
            kinds = [kind(token) for token in tokens]
            if kinds[:2] != ["meter", "key"] or "pitch" not in kinds:
                yield Dropped(name, "no meter, key and notes")
            elif "unknown" in kinds:
                yield Dropped(name, "not in the folk-rnn language")
            else:
                yield AbcTune(
                    name,
                    block,
                    title=f"Tune {number}",
                    collection="folk-rnn data_v2",
                    tokens=tokens,
                )
