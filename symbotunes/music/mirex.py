"""The JSON files of MIREX's symbolic music generation task, which continues piano music.

https://www.music-ir.org/mirex/wiki/2025:Symbolic_Music_Generation. Notes on a grid of sixteenths in
4/4: a prompt of five bars, the first of which is the pickup, and a generation of the twelve bars
after it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import symusic

from symbotunes.music.midi.error import MidiError

SUFFIX = ".json"
PER_QUARTER = 4  # steps, which are sixteenths
PER_BAR = 4 * PER_QUARTER
PROMPT_BARS, GENERATED_BARS = 5, 12
BEGIN = PROMPT_BARS * PER_BAR  # the first step of a generation
END = BEGIN + GENERATED_BARS * PER_BAR  # the first step after it
QPM = 120  # prompts state no tempo, but models that write seconds need one
MAX_BYTES = 2**20  # prompts have a few KiB
_TICKS = 120  # per step
_VELOCITY = 80
_FIELDS = {"start": range(BEGIN), "pitch": range(128), "duration": range(1, END + 1)}


def is_prompt(path: str | Path | None) -> bool:
    """Whether a file is taken for a prompt of the task."""
    return path is not None and Path(path).suffix.lower() == SUFFIX


def prompt_seconds() -> float:
    """Length of a prompt."""
    return BEGIN / PER_QUARTER * 60 / QPM


def generated_seconds() -> float:
    """Length of a generation."""
    return (END - BEGIN) / PER_QUARTER * 60 / QPM


def read_prompt(data: bytes) -> symusic.Score:
    """The notes of a prompt as a score of one piano track in 4/4.

    Raises:
        MidiError: one line that says what is wrong with the file.
    """
    if len(data) > MAX_BYTES:
        raise MidiError("a prompt larger than 1 MiB", f"{len(data):,} bytes")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MidiError("not JSON", str(error)) from error
    notes = content.get("prompt") if isinstance(content, dict) else None
    if not isinstance(notes, list):
        raise MidiError('not a prompt of MIREX: it has no list named "prompt"')
    if not notes:
        raise MidiError("the prompt has no notes")
    rows = np.array([_row(number, note) for number, note in enumerate(notes, 1)], np.int32)
    start, pitch, duration = rows[np.lexsort((rows[:, 1], rows[:, 0]))].T
    score = symusic.Score(PER_QUARTER * _TICKS)
    score.tempos.append(symusic.Tempo(0, QPM))
    score.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    track = symusic.Track(name="Piano", program=0)
    track.notes = symusic.Note.from_numpy(
        time=_TICKS * start,
        duration=_TICKS * duration,
        pitch=pitch.astype(np.int8),
        velocity=np.full(len(rows), _VELOCITY, np.int8),
    )
    score.tracks.append(track)
    return score


def _row(number: int, note: Any) -> list[int]:
    """Start, pitch and duration of a note of a prompt."""
    if not isinstance(note, Mapping):
        raise MidiError(f"note {number} of the prompt is not an object")
    for name, values in _FIELDS.items():
        value = note.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or value not in values:
            raise MidiError(
                f"note {number} of the prompt",
                f"{name} must be a whole number from {values[0]} to {values[-1]}",
            )
    return [note[name] for name in _FIELDS]


def generation_of(score: symusic.Score, shift: int = 0) -> list[dict[str, int]]:
    """The notes of a score that begin in the twelve bars after a prompt, on the grid.

    Starts and ends are rounded to the nearest step, halves up; notes last at least a step, and none
    beyond the last bar. Of notes of one pitch that begin together, the longest is kept. Drums have
    no pitch and are left out.

    Args:
        score: prompt and continuation, in ticks.
        shift: steps from the beginning of the prompt's first bar to that of the score.

    Returns:
        In order of starts and pitches; any score gives a valid generation.
    """
    longest: dict[tuple[int, int], int] = {}
    for track in score.tracks:
        if track.is_drum or not len(track.notes):
            continue
        notes = track.notes.numpy()
        onsets, lengths = notes["time"].astype(np.int64), notes["duration"].astype(np.int64)
        start = _steps(onsets, score.ticks_per_quarter) + shift
        end = _steps(onsets + lengths, score.ticks_per_quarter) + shift
        end = np.minimum(np.maximum(end, start + 1), END)
        inside = (start >= BEGIN) & (start < END) & (notes["pitch"] >= 0)
        columns = (start[inside], notes["pitch"][inside], (end - start)[inside])
        for onset, pitch, length in zip(*(column.tolist() for column in columns), strict=True):
            longest[onset, pitch] = max(length, longest.get((onset, pitch), 0))
    return [
        {"start": start, "pitch": pitch, "duration": duration}
        for (start, pitch), duration in sorted(longest.items())
    ]


def shift_of(prompt: symusic.Score, played: symusic.Score) -> int:
    """Steps by which a prompt begins earlier in a model's score than in its file.

    Some tokenizers leave out silence at the beginning, and notes that have no tokens, so the shift
    is the one by which most notes are where the file has them.

    Args:
        prompt: as read.
        played: as decoded from the model's tokens.
    """
    given, own = _places(prompt), _places(played)
    return max(
        range(BEGIN), key=lambda shift: len(given & {(at + shift, pitch) for at, pitch in own})
    )


def _places(score: symusic.Score) -> set[tuple[int, int]]:
    """Start in steps and pitch of every note."""
    notes = [note for track in score.tracks for note in track.notes]
    return {(int(_steps(note.time, score.ticks_per_quarter)), note.pitch) for note in notes}


def _steps(ticks: Any, ticks_per_quarter: int) -> Any:
    """Ticks to the nearest step, halves upwards, without floating point."""
    return (2 * PER_QUARTER * ticks + ticks_per_quarter) // (2 * ticks_per_quarter)


def generation_text(notes: list[dict[str, int]]) -> str:
    """A generation as the task asks for it."""
    return json.dumps({"generation": notes}, indent=1) + "\n"
