"""A benchmark: fixed data, and rows that are measured on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from symbotunes.errors import UserError, did_you_mean, require_whole_number

ORDER, WORDS = "order", "words"  # what a row is: an n-gram model, or a training
KEYS = ("about", ORDER, WORDS, "seeds", "minutes")


@dataclass(frozen=True)
class Row:
    """One line of the leaderboard.

    Attributes:
        name: of its file.
        about: what it is, for readers.
        order: n of an n-gram model; ``None`` for a training.
        words: arguments of a training besides those of the benchmark.
        seeds: of its trainings.
        minutes: the budget that its number of steps was chosen for, on two cores.
    """

    name: str
    about: str
    order: int | None = None
    words: Sequence[str] = ()
    seeds: Sequence[int] = ()
    minutes: int | None = None


@dataclass(frozen=True)
class Benchmark:
    """What is measured, and where rows and results are; ``conf/benchmark`` explains the keys.

    Raises:
        UserError: if a value is out of range.
    """

    name: str
    words: Sequence[str]
    content: str | None
    evaluation: Sequence[str]
    folder: str = "docs/leaderboard"
    page: str = "docs/leaderboard.md"
    rows: Sequence[str] | None = None
    resamples: int = 1000

    def __post_init__(self) -> None:
        require_whole_number("benchmark.resamples", self.resamples)

    @property
    def place(self) -> Path:
        """The folder of its rows and results."""
        return Path(self.folder) / self.name

    def all_rows(self) -> list[Row]:
        """Every row, n-gram models first, then by budget and name.

        Raises:
            UserError: if there are none, or one cannot be read.
        """
        files = sorted(self.place.glob("*.yaml"))
        if not files:
            raise UserError(f"no rows (*.yaml) in {self.place}: run this in a checkout")
        rows = [read_row(file) for file in files]
        return sorted(rows, key=lambda row: (row.order or 99, row.minutes or 0, row.name))

    def chosen_rows(self) -> list[Row]:
        """The rows of ``benchmark.rows``.

        Raises:
            UserError: if there is no such row.
        """
        known = {row.name: row for row in self.all_rows()}
        names = list(known) if self.rows is None else [str(name) for name in self.rows]
        for name in names:
            if name not in known:
                raise UserError(f"benchmark.rows: there is no {name}{did_you_mean(name, known)}")
        return [known[name] for name in names]


def read_row(file: Path) -> Row:
    """A row from its file.

    Raises:
        UserError: if it is neither an n-gram model nor a training.
    """
    try:
        content: Any = OmegaConf.to_container(OmegaConf.load(file))
    except Exception as error:  # YAML and OmegaConf raise many kinds of exceptions
        raise UserError(f"{file} cannot be read as YAML") from error
    if not isinstance(content, dict) or not set(content) <= set(KEYS) or "about" not in content:
        raise UserError(f"{file}: a row has about, and of {', '.join(KEYS[1:])} what it needs")
    if (ORDER in content) == (WORDS in content):
        raise UserError(f"{file}: give either {ORDER} or {WORDS}")
    if WORDS in content and not content.get("seeds"):
        raise UserError(f"{file}: a training needs seeds, such as [1, 2, 3]")
    return Row(file.stem, **content)
