"""A piano roll: time in bars to the right, pitch upwards, broken into lines like a score."""

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import symusic
from numpy.typing import NDArray

from symbotunes.music.midi.instruments import instrument_names
from symbotunes.render.palette import COLORS, NEW
from symbotunes.render.piano_roll.bars import Bars, bars_of
from symbotunes.render.piano_roll.clock import Clock
from symbotunes.render.piano_roll.pitches import BLACK, Rows, rows_of

DPI = 160
WIDTH = 1600  # px, of the picture; the page shows it at up to 1000
LEFT, RIGHT, TOP, BOTTOM = 100, 24, 18, 44  # px around the lines; pitch names are on the left
GAP, LEGEND = 52, 46  # px between lines, and above them for more than one track
MIN_HEIGHT, MAX_HEIGHT, ROW_HEIGHT = 170, 640, 15  # px: of a line, and of a row if that fits
ONE_LINE, PER_LINE = 20, 16  # most bars on a single line; bars per line if there are more
MAX_LINES = 12
PAPER, BLACK_ROW, OCTAVE = "#ffffff", "#f4f2ec", "#d2cdc2"
BAR_LINE, BEAT_LINE, INK = "#a39d90", "#e8e4db", "#4a463e"
DRUM_COLOR = "#6b665c"
PALENESS = 0.65  # share of the paper's color in that of notes that were given
PALE_MEANS_GIVEN = "pale: given"


@dataclass(frozen=True)
class Line:
    """One line of a roll, in fractions of the picture's width and height, from the top left.

    Attributes:
        top: upper edge.
        bottom: lower edge.
        times: ``(seconds, fraction of the width)`` at its ends and at each change of tempo;
            time is linear in between.
    """

    top: float
    bottom: float
    times: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Roll:
    """A drawn piano roll.

    Attributes:
        png: the picture.
        lines: its time axes.
    """

    png: bytes
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class _Layout:
    """Positions in the picture; `spans` are each line's first bar and the bar after its last."""

    bars: Bars
    rows: Rows
    spans: tuple[tuple[int, int], ...]
    line_height: int
    head: int

    @property
    def height(self) -> int:
        return self.top(len(self.spans)) - GAP + BOTTOM

    def top(self, line: int) -> int:
        return self.head + line * (self.line_height + GAP)

    def ticks(self, line: int) -> tuple[int, int]:
        first, last = self.spans[line]
        return self.bars.onsets_ticks[first], self.bars.onsets_ticks[last]

    def right(self, line: int) -> float:
        """Right end in px; all lines share one scale, so the last may be shorter."""
        longest = max(end - start for start, end in map(self.ticks, range(len(self.spans))))
        start, end = self.ticks(line)
        return LEFT + (WIDTH - LEFT - RIGHT) * (end - start) / longest


def draw_roll(
    score: symusic.Score,
    marked_ticks: Sequence[tuple[int, int]] = (),
    given: Sequence[Sequence[bool]] = (),
) -> Roll:
    """Draw a score, 1600 px wide and as high as its lines and its range require.

    Each track has a color; several tracks have a legend. Drums have their own rows below the
    pitches.

    Args:
        score: the notes.
        marked_ticks: beginnings and ends of the times at which notes begin that are drawn in the
            color of what is new.
        given: by track, which notes were given; they are drawn in a paler color, and the legend
            says so.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    score = score.to("tick")
    tracks = [track for track in score.tracks if len(track.notes)]
    has_legend = len(tracks) > 1 or bool(given)
    layout, clock = _lay_out(score, has_legend=has_legend), Clock(score)
    figure = Figure(figsize=(WIDTH / DPI, layout.height / DPI), dpi=DPI, facecolor=PAPER)
    canvas: Any = FigureCanvasAgg(figure)
    colored = list(zip(tracks, colors_of(tracks), strict=True))
    layers = _layers(score, colored, marked_ticks, given)
    for line in range(len(layout.spans)):
        axes = _axes(figure, layout, line)
        _draw_grid(axes, layout, line)
        for layer in layers:
            _draw_notes(axes, layer, layout, line)
    if has_legend:
        entries = list(zip(_names_of(tracks), colors_of(tracks), strict=True))
        _draw_legend(figure, [*entries, (PALE_MEANS_GIVEN, paler(INK))] if given else entries)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # letters that the font lacks are shown as boxes
        canvas.print_png(buffer, metadata={"Software": None})
    lines = tuple(_placed(layout, line, clock) for line in range(len(layout.spans)))
    return Roll(buffer.getvalue(), lines)


@dataclass(frozen=True)
class _Layer:
    """Notes of one color, drawn over those of the layers before."""

    notes: Sequence[Any]
    color: str
    is_drum: bool


def _layers(
    score: symusic.Score,
    colored: Sequence[tuple[Any, str]],
    marked_ticks: Sequence[tuple[int, int]],
    given: Sequence[Sequence[bool]],
) -> list[_Layer]:
    """The notes of each track by color: given ones, written ones, and new ones over these."""
    flags = given or [[False] * len(track.notes) for track in score.tracks]
    pale: list[_Layer] = []
    full: list[_Layer] = []
    marked: list[_Layer] = []
    for (track, color), of_track in zip(colored, filter(len, flags), strict=True):
        notes = list(zip(track.notes, of_track, strict=True))
        old = [note for note, is_given in notes if is_given]
        new = [note for note, is_given in notes if not is_given]
        inside = [
            note
            for note in track.notes
            if any(begin <= note.time < until for begin, until in marked_ticks)
        ]
        pale.append(_Layer(old, paler(color), track.is_drum))
        full.append(_Layer(new, color, track.is_drum))
        marked.append(_Layer(inside, NEW, track.is_drum))
    return [layer for layer in (*pale, *full, *marked) if layer.notes]


def paler(color: str) -> str:
    """A color mixed with the paper's."""
    mixed = (
        round((1 - PALENESS) * int(color[at : at + 2], 16) + PALENESS * int(PAPER[at : at + 2], 16))
        for at in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _lay_out(score: symusic.Score, *, has_legend: bool) -> _Layout:
    bars, rows = bars_of(score), rows_of(score)
    lines = 1 if bars.count <= ONE_LINE else min(MAX_LINES, -(-bars.count // PER_LINE))
    per_line = 4 * -(-bars.count // (4 * lines))  # whole phrases of four bars; equal lines
    spans = tuple(
        (first, min(first + per_line, bars.count)) for first in range(0, bars.count, per_line)
    )
    height = min(MAX_HEIGHT, max(MIN_HEIGHT, round(rows.count * ROW_HEIGHT)))
    return _Layout(bars, rows, spans, height, TOP + LEGEND * has_legend)


def colors_of(tracks: Sequence[Any]) -> list[str]:
    """A color for each track; drums have their own."""
    pitched = [index for index, track in enumerate(tracks) if not track.is_drum]
    chosen = {index: COLORS[rank % len(COLORS)] for rank, index in enumerate(pitched)}
    return [chosen.get(index, DRUM_COLOR) for index in range(len(tracks))]


def _axes(figure: Any, layout: _Layout, line: int) -> Any:
    height = layout.height
    below = height - layout.top(line) - layout.line_height  # matplotlib counts from below
    box = (
        LEFT / WIDTH,
        below / height,
        (layout.right(line) - LEFT) / WIDTH,
        layout.line_height / height,
    )
    axes = figure.add_axes(box, facecolor=PAPER)
    axes.set_xlim(*layout.ticks(line))
    axes.set_ylim(layout.rows.bottom, layout.rows.high + 0.5)
    for spine in axes.spines.values():
        spine.set(color=BAR_LINE, linewidth=0.6)
    axes.tick_params(length=0, labelsize=8, labelcolor=INK, pad=4)
    return axes


def _draw_grid(axes: Any, layout: _Layout, line: int) -> None:
    rows, bars = layout.rows, layout.bars
    for pitch in range(rows.low, rows.high + 1):
        if pitch % 12 in BLACK:
            axes.axhspan(pitch - 0.5, pitch + 0.5, color=BLACK_ROW, linewidth=0, zorder=0)
        elif pitch % 12 == 0:
            axes.axhline(pitch - 0.5, color=OCTAVE, linewidth=0.6, zorder=1)
    if rows.drums:
        axes.axhline(rows.low - 0.5, color=BAR_LINE, linewidth=0.6, zorder=1)
    labels = rows.labels(layout.line_height / rows.count)
    axes.set_yticks([row for row, _ in labels], [name for _, name in labels])
    first, last = layout.spans[line]
    onsets = bars.onsets_ticks
    for bar in range(first, last):
        beat_ticks = bars.beats_ticks[bar]
        for beat in range(onsets[bar] + beat_ticks, onsets[bar + 1], beat_ticks):
            axes.axvline(beat, color=BEAT_LINE, linewidth=0.5, zorder=1)
        axes.axvline(onsets[bar], color=BAR_LINE, linewidth=0.7, zorder=2)
    every = max(1, -(-(last - first) // 20))  # so that numbers do not overlap
    shown = range(first, last, every)
    axes.set_xticks(
        [onsets[bar] for bar in shown], [str(bar + bars.first_number) for bar in shown], ha="left"
    )


def _draw_notes(axes: Any, layer: _Layer, layout: _Layout, line: int) -> None:
    """Draw the notes of a layer on a line."""
    from matplotlib.collections import PolyCollection

    start, end = layout.ticks(line)
    corners = [
        _corners(note, layout.rows.row(note.pitch, is_drum=layer.is_drum), end - start)
        for note in layer.notes
        if note.time < end and note.time + max(1, note.duration) > start
    ]
    if corners:
        notes = PolyCollection(
            corners, facecolors=layer.color, edgecolors=PAPER, linewidths=0.4, zorder=3
        )
        axes.add_collection(notes, autolim=False)


def _corners(note: Any, row: float, span: int) -> NDArray[np.float64]:
    """A note's rectangle, long enough to be visible."""
    left, right = note.time, note.time + max(note.duration, span / 400)
    return np.array(
        [(left, row - 0.44), (right, row - 0.44), (right, row + 0.44), (left, row + 0.44)],
        dtype=np.float64,
    )


def _names_of(tracks: Sequence[Any]) -> list[str]:
    """The names of tracks; where they have none, those of their instruments."""
    if all(track.name.strip() for track in tracks):
        return [track.name.strip() for track in tracks]
    instruments = instrument_names()
    return [
        track.name.strip() or ("Drums" if track.is_drum else instruments[track.program])
        for track in tracks
    ]


def _draw_legend(figure: Any, entries: Sequence[tuple[str, str]]) -> None:
    """Names and their colors."""
    from matplotlib.patches import Patch

    handles = [
        # A name that begins with an underscore would be left out, and $ would start a formula.
        Patch(color=color, label=name.lstrip("_")[:24].replace("$", r"\$") or "?")
        for name, color in entries
    ]
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(LEFT / WIDTH, 1.0),
        borderaxespad=0.4,
        borderpad=0,
        ncols=6,
        frameon=False,
        fontsize=8.5,
        labelcolor=INK,
        handlelength=1.2,
        handleheight=0.9,
    )


def _placed(layout: _Layout, line: int, clock: Clock) -> Line:
    start, end = layout.ticks(line)
    inside = [at for at in clock.changes_ticks if start < at < end]
    width = layout.right(line) - LEFT
    times = tuple(
        (
            round(clock.seconds(at), 4),
            round((LEFT + width * (at - start) / (end - start)) / WIDTH, 5),
        )
        for at in [start, *inside, end]
    )
    top = layout.top(line)
    height = layout.height
    return Line(round(top / height, 5), round((top + layout.line_height) / height, 5), times)
