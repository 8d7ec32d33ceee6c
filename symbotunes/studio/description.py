"""A piece as the page of the studio shows it."""

from typing import Any

import symusic

from symbotunes.generation.sample import Sample
from symbotunes.music.midi.bars import bar_lines
from symbotunes.render.audio import LONGEST_SECONDS
from symbotunes.render.notation.notation import numbers_of_bars
from symbotunes.render.piano_roll.clock import DEFAULT_BPM, Clock
from symbotunes.studio.origins import Changed, Opened, Origin, Typed, Written
from symbotunes.studio.piece import StudioPiece

PLANS = {Typed: "edit", Opened: "file", Changed: "change"}  # what the page says was done


def described(piece: StudioPiece, *, unsaved: str = "") -> dict[str, Any]:
    """A piece as JSON, without its notes.

    Args:
        piece: the piece.
        unsaved: why it is not on the disk; empty if it is.
    """
    sample = piece.sample
    score = sample.score.to("tick")
    length = Clock(score).seconds(int(score.end()))
    written = piece.origin if isinstance(piece.origin, Written) else None
    remarks = [*sample.notes, *([sample.likeness] if sample.likeness else [])]
    if length > LONGEST_SECONDS:
        remarks.append(f"the sound stops after {LONGEST_SECONDS:.0f} of {length:.0f} s")
    if unsaved:
        remarks.append(f"not saved: {unsaved}")
    return {
        "id": piece.id,
        "title": sample.title,
        "model": written.model if written else None,
        "plan": _plan(piece.origin),
        "seed": sample.seed if written else None,
        "options": dict(written.settings) if written else {},
        "abc": sample.abc,
        "remarks": remarks,
        "bars": _bars(sample, score),
        "seconds": round(min(length, LONGEST_SECONDS), 3),
        "quarters_per_minute": float(score.tempos[0].qpm) if len(score.tempos) else DEFAULT_BPM,
        "instrument": _instrument(score),
        "tracks": _tracks(score),
        "parent": piece.parent,
        "given": _given(sample, score),
        "new_bars": _new_bars(sample),
    }


def _plan(origin: Origin) -> str:
    if isinstance(origin, Written):
        return "sample" if origin.plan == "default" else origin.plan
    return PLANS[type(origin)]


def _bars(sample: Sample, score: symusic.Score) -> int:
    """The number of the last bar, so that an upbeat is not counted."""
    if sample.abc is not None and (numbers := numbers_of_bars(sample.abc)):
        return max(numbers)
    return bar_lines(score).last if score.note_num() else 0


def _instrument(score: symusic.Score) -> int | None:
    """The program that all tracks but drums play; ``None`` if they have several."""
    programs = {track.program for track in score.tracks if not track.is_drum and len(track.notes)}
    return programs.pop() if len(programs) == 1 else None


def _tracks(score: symusic.Score) -> list[dict[str, Any]]:
    """Tracks with notes, numbered from 1 as plans number those of a file."""
    return [
        {
            "index": index,
            "name": track.name or ("Drums" if track.is_drum else ""),
            "program": track.program,
            "notes": len(track.notes),
        }
        for index, track in enumerate((one for one in score.tracks if len(one.notes)), start=1)
    ]


def _given(sample: Sample, score: symusic.Score) -> list[list[float]] | None:
    """Seconds around what was written into given music; ``None`` if that is not known."""
    if not sample.marked_ticks:
        return None
    clock, now, spans = Clock(score), 0, []
    for begin, end in sample.marked_ticks:
        if begin > now:
            spans.append([clock.seconds(now), clock.seconds(begin)])
        now = end
    if now < score.end():
        spans.append([clock.seconds(now), clock.seconds(int(score.end()))])
    return [[round(second, 4) for second in span] for span in spans]


def _new_bars(sample: Sample) -> list[int] | None:
    """Numbers, as engraved, of the bars that a model wrote into a given tune."""
    if not sample.marked_bars or sample.abc is None:
        return None
    numbers = numbers_of_bars(sample.abc)
    return sorted({numbers[index] for index in sample.marked_bars if index < len(numbers)})
