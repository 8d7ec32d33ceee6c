"""A run folder as an object: what a training was given, what it measured, and what it wrote."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from symbotunes.checkpoints.trained_model import TrainedModel
from symbotunes.errors import UserError, did_you_mean, first_line
from symbotunes.files import atomic_write, read_json
from symbotunes.render.files import RenderPlan, read_files
from symbotunes.render.pages.charts import curves
from symbotunes.render.pages.plots import Curve, plot_of
from symbotunes.render.pages.training import quantities
from symbotunes.render.palette import COLORS
from symbotunes.render.piece import Piece
from symbotunes.render.tables import Drawing
from symbotunes.training.metrics_file import FILE, number, read_rows
from symbotunes.training.run_folder import RECORD

CONFIG = "config.yaml"
PANEL_FORMS = ("abc", "mid")  # of samples, the first that there is


@dataclass(frozen=True)
class Columns(Mapping[str, Sequence[float]]):
    """Numbers in columns of one length, NaN in empty cells: a table for those without pandas.

    Attributes:
        values_by_name: the columns.
    """

    values_by_name: Mapping[str, Sequence[float]]

    def __getitem__(self, name: str) -> Sequence[float]:
        return self.values_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)

    def __repr__(self) -> str:
        rows = max(map(len, self.values_by_name.values()), default=0)
        return f"<{rows} rows of {', '.join(self)}>"


@dataclass(frozen=True)
class Picture:
    """A drawing that a notebook displays.

    Attributes:
        drawing: SVG, and its numbers as CSV.
    """

    drawing: Drawing

    def _repr_svg_(self) -> str:
        return self.drawing.svg.decode()

    def save(self, path: str | Path) -> Path:
        """Write the drawing (``.svg``) or its numbers (``.csv``) to a file; returns the path.

        Raises:
            UserError: for other suffixes, or if the file cannot be written.
        """
        target = Path(path).expanduser()
        contents = {".svg": self.drawing.svg, ".csv": self.drawing.csv.encode()}
        if target.suffix not in contents:
            raise UserError(f"{target}: the name must end in .svg or .csv")
        try:
            atomic_write(target, contents[target.suffix])
        except OSError as error:
            raise UserError(f"{target} cannot be written: {error.strerror or error}") from error
        return target


class TrainedRun:
    """The folder of a training, which may still be running.

    Args:
        folder: of the run.

    Attributes:
        folder: the same.

    Raises:
        UserError: if there is no run in it.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).expanduser()
        if not (self.folder / RECORD).is_file():
            raise UserError(
                f"{self.folder} is not the folder of a run: it has no {RECORD}; a model alone is "
                "opened by symbotunes.load"
            )

    def __repr__(self) -> str:
        record = self.record
        steps = int(record.get("step") or 0)
        return f"<run {record.get('name')!r}, {steps:,} steps, {self.folder}>"

    @property
    def record(self) -> dict[str, Any]:
        """What ``run.json`` says now: status, command, versions, device, best value."""
        return dict(read_json(self.folder / RECORD))

    @cached_property
    def config(self) -> DictConfig:
        """The config of the training, such as ``run.config.model.net.width``.

        Raises:
            UserError: if it cannot be read.
        """
        try:
            config = OmegaConf.load(self.folder / CONFIG)
        except Exception as error:  # of YAML, of the file system, or of OmegaConf
            reason = first_line(error)
            raise UserError(f"{self.folder / CONFIG} cannot be read: {reason}") from error
        assert isinstance(config, DictConfig)
        return config

    @property
    def metrics(self) -> Any:
        """The figures so far: one row per logged step, with its validation values, if it has some.

        The columns ``step`` and ``seconds`` come first. A pandas DataFrame if pandas is installed,
        otherwise `Columns`; both give a column by ``run.metrics["val/loss"]``, with NaN where a
        step has no value.
        """
        columns = self._columns()
        try:
            import pandas as pd  # type: ignore[import-not-found, import-untyped, unused-ignore]
        except ImportError:
            return Columns(columns)
        return pd.DataFrame(columns)

    def model(self, which: str = "best") -> TrainedModel:
        """The trained model.

        Args:
            which: ``best`` or ``last``, or the name of another file below ``checkpoints/``. A run
                that was never validated has no best one, and gives its last.

        Raises:
            UserError: if there is no such checkpoint, or it cannot be opened.
        """
        folder = self.folder / "checkpoints"
        path = folder / f"{which.removesuffix('.ckpt')}.ckpt"
        if which == "best" and not path.is_file():
            path = folder / "last.ckpt"
        if not path.is_file():
            names = sorted(file.stem for file in folder.glob("*.ckpt"))
            raise UserError(f"{self.folder} has no checkpoint {which}; it has {names or 'none'}")
        return TrainedModel.load(path)

    @property
    def samples(self) -> list[Piece]:
        """What the best checkpoint wrote at the end, or else the newest samples of the training.

        They are read from the files of the run, ABC or MIDI.
        """
        panels = [self.folder / "samples" / "best", *self._panels()]
        panel = next((path for path in panels if any(path.glob("*.mid"))), None)
        if panel is None:
            return []
        listed = read_json(panel / "samples.json").get("samples") or []
        seeds = {str(entry.get("name")): int(entry.get("seed") or 0) for entry in listed}
        pieces = []
        for midi in sorted(panel.glob("*.mid")):
            abc = midi.with_suffix(".abc")
            (sample, *_) = read_files(RenderPlan(input=str(abc if abc.is_file() else midi))).pieces
            seed = seeds.get(midi.stem, 0)
            pieces.append(Piece(replace(sample, name=midi.stem, seed=seed, from_user=False)))
        return pieces

    def plot(self, quantity: str = "loss", *others: "TrainedRun", over: str = "step") -> Picture:
        """Draw a quantity of this run, and of others for comparison.

        Args:
            quantity: what follows the slash in the name of a column, such as ``loss`` for
                ``train/loss`` and ``val/loss``, or the whole name of one column.
            others: runs that are drawn beside it, by their names.
            over: ``step`` or ``seconds``.

        Raises:
            UserError: if no run has logged it.
        """
        x_label = _axis(over)
        runs = [self, *others]
        lines = [
            curve
            for index, run in enumerate(runs)
            for curve in run._curves(quantity, over, index, alone=not others)
        ]
        known = sorted({name for run in runs for name in run._columns()})
        plot = plot_of(quantity, lines, x_label=x_label)
        if plot is None:
            raise UserError(f"no {quantity} is logged{did_you_mean(quantity, known)}")
        shown = {name for run in runs for name in _matching(run._columns(), quantity)}
        titles = [title for title, names in quantities(dict.fromkeys(known, ())).items()
                  if shown & set(names)]  # fmt: skip
        return Picture(curves(replace(plot, title=titles[0] if titles else quantity)))

    def _columns(self) -> dict[str, list[float]]:
        rows = read_rows(self.folder / FILE)
        names = rows[0] if rows else ()
        return {name: [number(row[name]) for row in rows] for name in names}

    def _curves(self, quantity: str, over: str, index: int, *, alone: bool) -> Iterator[Curve]:
        columns = self._columns()
        name = str(self.record.get("name") or self.folder.name)
        for column in _matching(columns, quantity):
            is_val = column.startswith("val/")
            split = {"train": "training", "val": "validation"}.get(column.partition("/")[0], column)
            yield Curve(
                name=split if alone else f"{name} {index + 1}, {split}",
                x=columns[over],
                y=columns[column],
                color=COLORS[(is_val if alone else index) % len(COLORS)],
                is_dotted=is_val,
                is_dashed=not alone and not is_val,
            )

    def _panels(self) -> list[Path]:
        """Folders of samples by step, the newest first."""
        paths = (self.folder / "samples").glob("step_*")
        steps = {path: path.name.removeprefix("step_") for path in paths}
        kept = [path for path, step in steps.items() if step.isdecimal()]
        return sorted(kept, key=lambda path: int(steps[path]), reverse=True)


def _matching(columns: Mapping[str, Sequence[float]], quantity: str) -> list[str]:
    """Columns of a quantity that have a value."""
    return [
        name
        for name, values in columns.items()
        if quantity in (name, name.rpartition("/")[2]) and any(map(math.isfinite, values))
    ]


def _axis(over: str) -> str:
    axes = {"step": "optimizer steps", "seconds": "seconds"}
    if over not in axes:
        raise UserError(f"over={over} must be step or seconds")
    return axes[over]
