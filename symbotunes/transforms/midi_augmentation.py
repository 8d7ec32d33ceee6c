"""Augmentation of MIDI: steps that produce several versions of a piece.

They come before the tokenizer, because its tokens are already quantized and may be merged by BPE: a
token of two notes cannot be moved by a semitone. Versions are therefore made once and cached, and
the cache grows with their number. Held-out pieces are read as they are: further versions of a piece
add no evidence, and their figures would describe music that nobody wrote.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
import symusic

from symbotunes.datasets.base import HELD_OUT, TRAINING
from symbotunes.errors import UserError
from symbotunes.music.midi.piece import MidiPiece

MAX_DIVISION = 32_767  # ticks per quarter that a MIDI file can state
MAX_TICKS = 2**31 - 1
MAX_SHIFT = 24  # semitones
MIN_FACTOR, MAX_FACTOR = Fraction(1, 4), Fraction(4)
_HIGHEST_FLATS = 6  # keys with more flats are written with sharps


class TransposeMidi:
    """Versions of a piece in other keys; drums stay as they are.

    A version with a note outside the range is left out, except the untransposed one. Key signatures
    are transposed too.

    Args:
        semitones: one version for each; 0 keeps the piece as it is.
        lowest: pitch below which no note may be moved.
        highest: pitch above which no note may be moved.
    """

    SCHEMA: ClassVar[int] = 1
    FORMAT: ClassVar[str] = "midi"

    def __init__(self, semitones: Sequence[int], lowest: int = 21, highest: int = 108) -> None:
        self.semitones = _distinct(semitones, "transpose_midi.semitones")
        self.lowest, self.highest = lowest, highest
        if not all(int(shift) == shift and abs(shift) <= MAX_SHIFT for shift in self.semitones):
            raise UserError(f"transpose_midi.semitones must be whole numbers, at most ±{MAX_SHIFT}")
        if not 0 <= lowest < highest <= 127:
            raise UserError("transpose_midi.lowest must be below highest, both from 0 to 127")

    def __call__(self, piece: MidiPiece) -> Sequence[MidiPiece]:
        """The versions, in the order of `semitones`."""
        return list(_versions(piece, self.semitones, self._moved))

    def _moved(self, score: Any, shift: int) -> Any | None:
        if shift == 0:
            return score
        for track in score.tracks:
            if track.is_drum or not len(track.notes):
                continue
            notes = track.notes.numpy()
            pitches = notes["pitch"].astype(np.int64) + shift
            if pitches.min() < self.lowest or pitches.max() > self.highest:
                return None
            notes["pitch"] = pitches.astype(notes["pitch"].dtype)
            track.notes = symusic.Note.from_numpy(**notes)
        for signature in score.key_signatures:
            # A semitone up is seven fifths up, or five down.
            fifths = signature.key + 7 * shift + _HIGHEST_FLATS
            signature.key = fifths % 12 - _HIGHEST_FLATS
        return score


class TimeStretch:
    """Versions of a piece with scaled note values at the same tempo: 2 turns eighths into quarters.

    All times are scaled: onsets, durations, changes of tempo, meter and controllers.

    Args:
        factors: one version for each, from 1/4 to 4; 1 keeps the piece as it is.
    """

    SCHEMA: ClassVar[int] = 1
    FORMAT: ClassVar[str] = "midi"

    def __init__(self, factors: Sequence[float]) -> None:
        self.factors = [
            Fraction(factor).limit_denominator(100)
            for factor in _distinct(factors, "time_stretch.factors")
        ]
        if not all(MIN_FACTOR <= factor <= MAX_FACTOR for factor in self.factors):
            raise UserError("time_stretch.factors must lie between 0.25 and 4")

    def __call__(self, piece: MidiPiece) -> Sequence[MidiPiece]:
        """The versions, in the order of `factors`; one too long for a MIDI file is left out."""
        return list(_versions(piece, self.factors, _stretched))


class Velocity:
    """Versions of a piece that are played louder or softer.

    Args:
        shifts: added to every velocity; one version for each pair of shift and scale.
        scales: factors applied to velocities before the shift; the result is clipped to 1 to 127.
    """

    SCHEMA: ClassVar[int] = 1
    FORMAT: ClassVar[str] = "midi"

    def __init__(self, shifts: Sequence[int], scales: Sequence[float] = (1.0,)) -> None:
        self.changes = [
            (float(scale), int(shift))
            for scale in _distinct(scales, "velocity.scales")
            for shift in _distinct(shifts, "velocity.shifts")
        ]
        if not all(scale > 0 for scale, _ in self.changes):
            raise UserError("velocity.scales must be above 0")

    def __call__(self, piece: MidiPiece) -> Sequence[MidiPiece]:
        """The versions, scale by scale, without those equal to an earlier one."""
        return list(_versions(piece, self.changes, _played))


def _versions(piece: MidiPiece, changes: Iterable[Any], make: Any) -> Iterator[MidiPiece]:
    """What `make` returns for a fresh score and each change, without duplicates.

    If a change has no effect, the piece itself is yielded, byte for byte; if every change has one,
    the piece comes last, for the held-out side only. All other versions are for training only. They
    are passed on as scores, which the following steps read without writing a file in between.
    """
    if piece.only == HELD_OUT:
        yield piece
        return
    family = piece.family or piece.content()
    versions: list[Any] = []
    unchanged = False
    for change in changes:
        score = make(piece.score, change)
        if score is None or score in versions:
            continue
        versions.append(score)
        if score == piece.parsed:
            unchanged = True
            yield replace(piece, family=family)
        else:
            yield replace(piece, music=score, family=family, only=TRAINING)
    if not unchanged and piece.only != TRAINING:
        yield replace(piece, family=family, only=HELD_OUT)


def _stretched(score: Any, factor: Fraction) -> Any | None:
    """Multiply times by a fraction: exactly, if the ticks per quarter can be fine enough."""
    if factor == 1:
        return score
    division, parts = score.ticks_per_quarter, factor.denominator
    if division * parts <= MAX_DIVISION and division * factor.numerator <= MAX_DIVISION:
        fine = division * parts
    else:
        fine = parts * -(-division // parts)
    longer = fine * factor.numerator // parts  # whole, since `parts` divides `fine`
    if longer > MAX_DIVISION or score.end() * longer > MAX_TICKS * division:
        return None
    stretched = score.resample(longer, min_dur=1)
    stretched.ticks_per_quarter = fine
    return stretched


def _played(score: Any, change: tuple[float, int]) -> Any:
    scale, shift = change
    for track in score.tracks:
        notes = track.notes.numpy()
        louder = np.floor(notes["velocity"] * scale + 0.5) + shift
        notes["velocity"] = np.clip(louder, 1, 127).astype(notes["velocity"].dtype)
        track.notes = symusic.Note.from_numpy(**notes)
    return score


def _distinct(values: Sequence[Any], name: str) -> list[Any]:
    """The values without duplicates.

    Raises:
        UserError: if there are none.
    """
    if not values:
        raise UserError(f"{name} needs at least one value")
    return list(dict.fromkeys(values))
