"""Scores as piano rolls."""

import io
from typing import Any

import symusic

BLACK_KEYS = {1, 3, 6, 8, 10}  # pitch classes
COLOURS = ("#1f6f8b", "#c8553d", "#5b8e3e", "#8a5a9e", "#b08d1f", "#44546a")
MARGIN_SEMITONES = 2
INCHES_PER_BAR, INCHES_PER_SEMITONE = 0.34, 0.11


def piano_roll_png(score: symusic.Score) -> bytes:
    """The notes over bars and pitches, one colour per track, as a PNG without margins.

    The picture's left and right edges are the beginning and the end of the music, so that a
    playhead can be laid over it.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    bar_ticks = ticks_per_bar(score)
    bars = max(1.0, score.end() / bar_ticks)
    pitches = [note.pitch for track in score.tracks for note in track.notes] or [60]
    low, high = min(pitches) - MARGIN_SEMITONES, max(pitches) + MARGIN_SEMITONES
    width = min(24.0, max(8.0, bars * INCHES_PER_BAR))
    height = max(1.8, (high - low) * INCHES_PER_SEMITONE)
    figure = Figure(figsize=(width, height), dpi=110)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    _draw_keyboard(axes, low, high)
    _draw_bars(axes, bars, high)
    for index, track in enumerate(score.tracks):
        colour = COLOURS[index % len(COLOURS)]
        spans = [(note.time / bar_ticks, note.duration / bar_ticks) for note in track.notes]
        rows = [note.pitch for note in track.notes]
        for (start, length), pitch in zip(spans, rows, strict=True):
            axes.broken_barh([(start, length * 0.96)], (pitch - 0.42, 0.84), color=colour)
    if len(score.tracks) > 1:
        _draw_legend(axes, score)
    axes.set_xlim(0, bars)
    axes.set_ylim(low - 0.5, high + 0.5)
    axes.axis("off")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor="#fbfaf7")
    return buffer.getvalue()


def ticks_per_bar(score: symusic.Score) -> float:
    """Length of a bar of the first time signature; four quarters without one."""
    signature = next(iter(score.time_signatures), None)
    quarters = 4 * signature.numerator / signature.denominator if signature else 4.0
    return float(quarters * score.ticks_per_quarter)


def _draw_keyboard(axes: Any, low: int, high: int) -> None:
    for pitch in range(low, high + 1):
        if pitch % 12 in BLACK_KEYS:
            axes.axhspan(pitch - 0.5, pitch + 0.5, color="#efece4", linewidth=0)
        if pitch % 12 == 0:
            axes.axhline(pitch - 0.5, color="#cfc9bb", linewidth=0.8)
            name = f"C{pitch // 12 - 1}"
            axes.text(0.05, pitch, name, fontsize=7, color="#7a7466", va="center", clip_on=True)


def _draw_bars(axes: Any, bars: float, high: int) -> None:
    every = 4 if bars > 12 else 1
    for bar in range(int(bars) + 1):
        strong = bar % 4 == 0
        axes.axvline(bar, color="#c3bcab" if strong else "#e4dfd3", linewidth=0.8 if strong else 0.5)
        if bar and bar % every == 0:
            axes.text(bar + 0.05, high, str(bar + 1), fontsize=7, color="#7a7466", va="center")


def _draw_legend(axes: Any, score: symusic.Score) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(color=COLOURS[index % len(COLOURS)], label=track.name or f"track {index + 1}")
        for index, track in enumerate(score.tracks)
    ]
    axes.legend(handles=handles, loc="upper right", fontsize=7, framealpha=0.9)
