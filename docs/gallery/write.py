"""Writes the gallery: two samples of each model, with what is known of its training.

    python docs/gallery/write.py RUN...

Runs of `mode=train` are shown after the included Folk-RNN. The samples are the first two of seed 1,
whatever they turn out to be.
"""

import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import symbotunes

HERE = Path(__file__).parent
INCLUDED = "pretrained/folk_rnn"
SEED, NUM = 1, 2


@dataclass(frozen=True)
class Entry:
    """One model of the gallery.

    Attributes:
        name: of the run; begins the names of its files.
        model: the model.
        pieces: what it wrote.
        run: contents of the run's ``run.json``; ``None`` for the included model.
    """

    name: str
    model: symbotunes.TrainedModel
    pieces: Sequence[symbotunes.Piece]
    run: dict[str, Any] | None

    @property
    def words(self) -> list[str]:
        """Arguments of the command that trained the model, as a shell reads them."""
        return [shlex.quote(word) for word in self.run["command"][1:]] if self.run else []

    def files(self) -> Iterator[tuple[symbotunes.Piece, str]]:
        """Each piece with the name of its picture."""
        for piece in self.pieces:
            suffix = "png" if piece.abc is None else "svg"
            yield piece, f"{self.name}_{piece.name.removeprefix('sample_')}.{suffix}"


def read(source: str) -> Entry:
    """Open a model and let it write.

    Args:
        source: `INCLUDED`, or the folder of a run.
    """
    run = None if source == INCLUDED else json.loads((Path(source) / "run.json").read_text())
    model = symbotunes.load(source)
    pieces = model.sample(NUM, seed=SEED, constraint=None)
    if pieces[0].abc is None:  # a model of windows: the path between the two
        pieces += model.interpolate(*pieces, steps=5)[:1]
    return Entry(model.name, model, pieces, run)


def write(entries: Sequence[Entry]) -> None:
    """Write the page and its pictures."""
    for entry in entries:
        for piece, name in entry.files():
            piece.save(HERE / name)
    environment = Environment(
        loader=FileSystemLoader(HERE),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    page = environment.get_template("page.md.jinja").render(entries=entries, seed=SEED)
    HERE.with_suffix(".md").write_text(page)


if __name__ == "__main__":
    write([read(source) for source in (INCLUDED, *sys.argv[1:])])
