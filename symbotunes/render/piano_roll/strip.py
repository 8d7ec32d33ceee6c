"""Small piano rolls side by side, to show how one piece turns into another."""

import io
from collections.abc import Sequence
from typing import Any

import symusic

from symbotunes.render.piano_roll.pitches import Rows, rows_of
from symbotunes.render.piano_roll.roll import (
    BEAT_LINE,
    DPI,
    INK,
    OCTAVE,
    PAPER,
    WIDTH,
    colors_of,
)

MAX_COLUMNS = 8
LEFT, RIGHT, TOP, BOTTOM = 60, 16, 34, 12  # px around the panels of a line
PANEL_HEIGHT, GAP = 230, 10  # px
TICKS_PER_BAR = 4  # quarters


def draw_strip(panels: Sequence[tuple[str, symusic.Score]]) -> bytes:
    """A PNG, 1600 px wide, of scores in 4/4 with common pitch and time scales.

    Args:
        panels: label and score of each, from left to right; broken into lines if there are many.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    scores = [score.to("tick") for _, score in panels]
    rows, end = _common_rows(scores), max([1, *(int(score.end()) for score in scores)])
    lines = -(-len(panels) // MAX_COLUMNS)
    columns = -(-len(panels) // lines)
    height = lines * (TOP + PANEL_HEIGHT + BOTTOM)
    figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor=PAPER)
    canvas: Any = FigureCanvasAgg(figure)
    width = (WIDTH - LEFT - RIGHT - GAP * (columns - 1)) / columns
    for index, ((label, _), score) in enumerate(zip(panels, scores, strict=True)):
        line, column = divmod(index, columns)
        left = LEFT + column * (width + GAP)
        below = height - (line + 1) * (TOP + PANEL_HEIGHT + BOTTOM) + BOTTOM
        box = (left / WIDTH, below / height, width / WIDTH, PANEL_HEIGHT / height)
        _draw_panel(figure.add_axes(box, facecolor=PAPER), score, label, rows, end)
        if not column:
            names = rows.labels(PANEL_HEIGHT / rows.count)
            figure.axes[-1].set_yticks([row for row, _ in names], [name for _, name in names])
    buffer = io.BytesIO()
    canvas.print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()


def _common_rows(scores: Sequence[symusic.Score]) -> Rows:
    """Rows for the pitches of all scores."""
    together = symusic.Score(scores[0].ticks_per_quarter)
    for score in scores:
        together.tracks.extend(score.tracks)
    return rows_of(together)


def _draw_panel(axes: Any, score: symusic.Score, label: str, rows: Rows, end: int) -> None:
    bar = TICKS_PER_BAR * score.ticks_per_quarter
    end = -(-end // bar) * bar
    axes.set_xlim(0, end)
    axes.set_ylim(rows.bottom, rows.high + 0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.tick_params(length=0, labelsize=7, labelcolor=INK, pad=3)
    axes.set_title(label.replace("$", r"\$"), fontsize=8.5, color=INK, pad=5)
    for spine in axes.spines.values():
        spine.set(color=OCTAVE, linewidth=0.8)
    for tick in range(bar, end, bar):
        axes.axvline(tick, color=BEAT_LINE, linewidth=0.6, zorder=1)
    tracks = [track for track in score.tracks if len(track.notes)]
    for track, color in zip(tracks, colors_of(tracks), strict=True):
        for note in track.notes:
            low = rows.row(note.pitch, is_drum=track.is_drum) - 0.44
            axes.broken_barh(
                [(note.time, max(note.duration, end / 200))], (low, 0.88), color=color, linewidth=0
            )
