"""The models that the studio offers: those included, those named, and every finished run."""

import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from symbotunes.checkpoints.card import Metric, best_loss, card_metrics, data_name
from symbotunes.checkpoints.checkpoint import Checkpoint, unpack
from symbotunes.checkpoints.names import run_of
from symbotunes.checkpoints.published import SHIPPED, locate, shipped
from symbotunes.checkpoints.reopen import FIRST_MODEL, chain_of, checkpoints_below
from symbotunes.config.build import class_of
from symbotunes.errors import UserError, first_line
from symbotunes.files import read_json
from symbotunes.generation.abilities import abilities
from symbotunes.training.run_folder import RECORD, status_of

UNITS = {
    "nats_per_token": "nats per token",
    "reconstruction_nats_per_token": "nats per token of reconstruction",
}
Stamp = tuple[int, int]


@dataclass(frozen=True)
class Entry:
    """A model of the menu, as the page shows it.

    Attributes:
        id: what ``ckpt=`` names.
        name: what tells it apart.
        kind: class of the network.
        trained_on: what people call its data.
        likelihood: the best figure that is known, with its unit; ``None`` if there is none.
        abilities: see `symbotunes.generation.abilities`.
        abc: whether it writes ABC.
        defaults: of the settings that the page shows.
    """

    id: str
    name: str
    kind: str
    trained_on: str
    likelihood: str | None
    abilities: tuple[str, ...]
    abc: bool
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For the page."""
        return asdict(self)


class Menu:
    """The models that can be chosen; runs that finish later join them.

    Args:
        root: folder of the runs.
        named: further models.

    Attributes:
        left_out: by name, why a model could not be read.
    """

    def __init__(self, root: Path, named: Sequence[str] = ()) -> None:
        self._root = root
        self._named = named
        self._read: dict[str, tuple[Stamp, Entry]] = {}
        self._lock = threading.Lock()
        self.left_out: dict[str, str] = {}

    def entries(self) -> list[Entry]:
        """The named models, those included, then the runs, the newest first."""
        with self._lock:
            entries = [entry for source in self._sources() if (entry := self._entry(source))]
            self._read = {entry.id: self._read[entry.id] for entry in entries}
        return entries

    def entry(self, name: str) -> Entry:
        """A model of the menu as it was last read.

        Raises:
            UserError: if it is not on it.
        """
        with self._lock:
            known = self._read.get(name)
        if known is None:
            raise UserError("this model is not on the menu any more; reload the page")
        return known[1]

    def able(self, plan: str, *, abc: bool) -> Entry | None:
        """The first model that can carry out a plan, one that is included if there is any."""
        with self._lock:
            entries = [entry for _, entry in self._read.values()]
        able = [entry for entry in entries if plan in entry.abilities and entry.abc == abc]
        able.sort(key=lambda entry: not entry.id.startswith(f"{SHIPPED}/"))
        return able[0] if able else None

    def _sources(self) -> Iterable[str]:
        finished = [path for path in checkpoints_below(self._root) if _is_finished(path)]
        return dict.fromkeys([*self._named, FIRST_MODEL, *shipped(), *map(str, finished)])

    def _entry(self, source: str) -> Entry | None:
        """What is known of a model; ``None`` if it cannot be read."""
        try:
            file = locate(Path(source).expanduser())
            now = stamp_of(file)
            known = self._read.get(source)
            if known is None or known[0] != now:
                known = now, described(source, unpack(Path(source).expanduser()))
        except (UserError, OSError) as error:
            self.left_out[source] = first_line(error)
            return None
        self.left_out.pop(source, None)
        self._read[source] = known
        return known[1]


def stamp_of(path: Path) -> Stamp:
    """What changes when a file is written anew."""
    about = path.stat()
    return about.st_mtime_ns, about.st_size


def _is_finished(path: Path) -> bool:
    record = read_json(path.parents[1] / RECORD)
    return status_of(record) != "running"


def described(source: str, checkpoint: Checkpoint) -> Entry:
    """The entry of a model.

    Args:
        source: what ``ckpt=`` names.
        checkpoint: opened.

    Raises:
        UserError: if its network or its tokenizer does not exist.
    """
    node = checkpoint.config.model.net
    tokenizer = chain_of(checkpoint).tokenizer
    is_shipped = source.startswith(f"{SHIPPED}/")
    name = source.removeprefix(f"{SHIPPED}/")
    if not is_shipped:
        name = f"{checkpoint.config.get('name')}, {run_of(Path(source))}"
    kind = class_of(node)
    return Entry(
        id=source,
        name=name,
        kind=kind.__name__,
        trained_on=data_name(checkpoint),
        likelihood=_likelihood(checkpoint),
        abilities=abilities(kind, tokenizer),
        abc=tokenizer.FORMAT == "abc" and tokenizer.text is not None,
        defaults={"temperature": 1.0, "min_p": 0.0},
    )


def _likelihood(checkpoint: Checkpoint) -> str | None:
    """The first likelihood of its card, or the best one of its training, in words."""
    metrics: list[Metric] = [*card_metrics(checkpoint.file), *best_loss(checkpoint)]
    for metric in metrics:
        if metric.name in UNITS:
            # Cards say "Folk (test split)"; the data are told of already.
            inner = re.search(r"\((.*)\)$", metric.subject)
            where = inner[1] if inner else metric.subject
            return f"{metric.value:.3f} {UNITS[metric.name]} on the {where}"
    return None
