"""The published training text of Folk-RNN, ``data_v2``: 23,635 tunes of thesession.org.

Sturm, Santos, Ben-Tal, Korshunova: "Music transcription modelling and composition using deep
learning", 2016. The tunes are contributed by the members of thesession.org; the text is published
with the authors' code. Its tunes are separated by blank lines; the first line is the meter, the
second the key (always on C), the third the body, all tokens separated by spaces. They are taken as
they are, accidentals that repeat the key and repeats without a beginning included.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from symbotunes.datasets.base import Corpus, DatasetError, Dropped
from symbotunes.datasets.download import fetch_once
from symbotunes.scores.abc.tokens import kind
from symbotunes.scores.abc.tune import AbcTune


class FolkRnnData(Corpus):
    """Tunes of ``data_v2``, from its published place or from a file the user placed.

    Args:
        path: the text; downloaded to here if it does not exist and `url` is given.
        url: published place, or ``None`` to never download.
    """

    FORMAT: ClassVar[str] = "abc"

    def __init__(self, path: str | Path, url: str | None) -> None:
        self.path = Path(path).expanduser()
        self.url = url

    def files(self) -> list[Path]:
        if not self.path.is_file():
            if self.url is None:
                raise DatasetError(f"put folk-rnn's data_v2 at {self.path}, or set dataset.url")
            fetch_once(self.url, self.path)
        return [self.path]

    def pieces(self) -> Iterator[AbcTune | Dropped]:
        text = self.files()[0].read_text(encoding="utf-8", errors="replace")
        if not text.lstrip().startswith("M:"):
            raise DatasetError(
                f"{self.path} is not folk-rnn's data_v2, which begins with M:; delete it and retry"
            )
        for number, block in enumerate(filter(str.strip, re.split(r"\n\s*\n", text)), start=1):
            name, tokens = f"{self.path.name}#{number}", tuple(block.split())
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
