"""Which ids stand for what four voices sing: soprano, alto, tenor and bass of each step in turn."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.chorale.grid import SILENT, VOICES, VoiceGrid

BOS, EOS, REST = range(3)
PITCHES = 3  # id of the lowest pitch


class OutOfRange(ValueError):
    """A pitch that has no id; the message names it."""


@dataclass(frozen=True)
class VoiceLayout:
    """Ids of one alphabet for all voices: begin, end, silence, pitches, and hold, if it has one.

    A note slot is one voice at one step; every slot has one id.

    Attributes:
        lowest: MIDI pitch.
        highest: MIDI pitch.
        holds: whether a held note has an id of its own; otherwise it is its pitch again.
    """

    lowest: int = 36
    highest: int = 81
    holds: bool = False

    @property
    def hold(self) -> int:
        """The id of a held note, if there is one."""
        return PITCHES + self.highest - self.lowest + 1

    @property
    def size(self) -> int:
        """Number of ids."""
        return self.hold + self.holds

    @property
    def names(self) -> list[str]:
        """The token of every id."""
        pitches = [f"Pitch_{pitch}" for pitch in range(self.lowest, self.highest + 1)]
        return ["BOS", "EOS", "Rest", *pitches, *(["Hold"] if self.holds else [])]

    def encode(self, grid: VoiceGrid) -> NDArray[np.int64]:
        """Ids ``[4 T]`` of all slots.

        Raises:
            OutOfRange: if a pitch has no id.
        """
        sounding = grid.pitches[grid.pitches != SILENT]
        beyond = sounding[(sounding < self.lowest) | (sounding > self.highest)]
        if len(beyond):
            raise OutOfRange(f"pitch {beyond[0]}")
        ids = np.where(grid.pitches == SILENT, REST, grid.pitches - self.lowest + PITCHES)
        if self.holds:
            ids = np.where((ids != REST) & ~grid.begins, self.hold, ids)
        return ids.ravel()

    def decode(self, ids: NDArray[np.int64]) -> tuple[VoiceGrid, int]:
        """What ids ``[N]`` stand for, and how many of them make no sense.

        Slots that the last step lacks are silent. A hold with nothing to hold, and ids that mark
        the beginning and end, are silent and count as errors; without an id for holds, equal
        neighbors are one note.
        """
        padding = -len(ids) % len(VOICES)
        slots = np.pad(ids, (0, padding), constant_values=REST).reshape(-1, len(VOICES))
        special = (slots == BOS) | (slots == EOS)
        slots = np.where(special, REST, slots)
        errors = int(special.sum())
        is_pitch = (slots >= PITCHES) & (slots < self.hold)
        pitches = np.where(is_pitch, slots - PITCHES + self.lowest, SILENT)
        if not self.holds:
            return VoiceGrid.joined(pitches), errors
        for step in range(len(slots)):
            before = pitches[step - 1] if step else np.full(len(VOICES), SILENT)
            held = slots[step] == self.hold
            errors += int((held & (before == SILENT)).sum())
            pitches[step] = np.where(held, before, pitches[step])
        return VoiceGrid(pitches, is_pitch), errors

    def transpose(self, ids: NDArray[np.int64], semitones: int) -> NDArray[np.int64]:
        """The same music in another key; the caller sees to it that all pitches have ids."""
        is_pitch = (ids >= PITCHES) & (ids < self.hold)
        return np.where(is_pitch, ids + semitones, ids)
