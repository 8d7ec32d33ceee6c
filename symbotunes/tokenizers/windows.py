"""Windows of bars in sixteenths, as MusicVAE reads them: melodies, drums, trios.

Roberts et al. 2018, https://arxiv.org/abs/1803.05428; extraction as in the authors' code. A piece
yields many examples of the same length, without ``bos`` and ``eos``.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import symusic
from numpy.typing import NDArray

from symbotunes.errors import UserError
from symbotunes.music.grid.decode import decode_drums, decode_melody, decode_trio
from symbotunes.music.grid.drums import NINE_DRUMS, SIXTY_ONE_DRUMS, drum_windows
from symbotunes.music.grid.excerpt import drum_excerpt, melody_excerpt, trio_excerpt
from symbotunes.music.grid.melody import (
    ALL_PITCHES,
    MELODY_PROGRAMS,
    PIANO,
    MelodyClasses,
    melody_windows,
    silent_offs,
    without_key,
)
from symbotunes.music.grid.phrases import Placed
from symbotunes.music.grid.quantize import GridNotes
from symbotunes.music.grid.trio import BASS_PROGRAMS, trio_windows
from symbotunes.music.midi.notes import MidiNotes
from symbotunes.music.midi.tracks import TrackName
from symbotunes.tokenizers.base import (
    NO_ID,
    GrammarCheck,
    Ids,
    Vocabulary,
)
from symbotunes.tokenizers.window_base import Windows

PITCHES = {"piano": PIANO, "midi": ALL_PITCHES}
KITS = {"nine": NINE_DRUMS, "full": SIXTY_ONE_DRUMS}

__all__ = ["Drums", "Melody", "Trio", "Windows"]


class Melody(Windows):
    """Monophonic melodies, one class per sixteenth: hold or rest, note-off, pitches.

    Lost are velocity, tempo, what is shorter than a sixteenth, all but the highest of the notes
    that begin together, and music that is not in 4/4.

    Args:
        bars: length of a window.
        pitches: ``piano``: 21 to 108, 90 classes, as in the authors' code; ``midi``: all 128, 130
            classes, as in the paper.
        programs: lowest and highest General MIDI program to use; ``None``: all but drums.
        max_examples: maximum number of windows per piece; ``None``: all.
        tracks: names or numbers of the tracks to use, whatever their programs; ``None``: all.
        reading: fields of `Reading`.
    """

    SCHEMA: ClassVar[int] = 1

    def __init__(
        self,
        bars: int = 2,
        pitches: str = "piano",
        programs: Sequence[int] | None = (MELODY_PROGRAMS.start, MELODY_PROGRAMS.stop - 1),
        max_examples: int | None = None,
        tracks: Sequence[TrackName] | None = None,
        **reading: Any,
    ) -> None:
        super().__init__(bars, max_examples, **reading)
        self.classes: MelodyClasses = one_of(PITCHES, pitches, "pitches")
        if programs is None or tracks is not None:
            self.programs = None
        else:
            self.programs = range(programs[0], programs[1] + 1)
        self.tracks = tracks

    @property
    def melody_classes(self) -> MelodyClasses:
        return self.classes

    @property
    def pitch_classes(self) -> MelodyClasses:
        return self.classes

    def widened(self) -> tuple[Windows, str] | None:
        if self.programs is None:
            return None
        wide = copy.copy(self)
        wide.programs = None
        first, last = self.programs[0], self.programs[-1]
        return wide, f"of instruments outside programs {first} to {last}"

    def on_track(self, track: TrackName) -> Windows:
        chosen = copy.copy(self)
        chosen.tracks, chosen.programs = [track], None
        return chosen

    def absent(self, notes: MidiNotes) -> str:
        heard = set(notes.program[~notes.is_drum].tolist())
        if self.programs is not None and heard and not heard & set(self.programs):
            return f"no instrument of programs {self.programs[0]} to {self.programs[-1]}"
        return super().absent(notes)

    def missing(self, notes: MidiNotes) -> str:
        return "only drums" if notes.is_drum.all() else ""

    def placed(self, notes: GridNotes) -> Placed:
        return melody_windows(notes, self.bars, classes=self.classes, programs=self.programs)

    def excerpt(self, notes: GridNotes) -> Placed:
        return melody_excerpt(notes, self.bars, self.classes, self.programs)

    def score(self, ids: Ids) -> symusic.Score:
        return decode_melody(ids, classes=self.classes)

    def without_key(self, ids: NDArray[Any]) -> NDArray[Any]:
        return without_key(ids)

    def check(self, ids: Ids) -> GrammarCheck:
        """Count note-offs while no note sounds, which no melody has."""
        return GrammarCheck(silent_offs(ids), int(ids.size))

    @property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(self.classes.count, NO_ID, NO_ID)


class Drums(Windows):
    """Drum patterns: the set of drums hit at each sixteenth, as a number.

    Args:
        bars: length of a window.
        kit: ``nine``: 9 kinds of drums, 512 classes; ``full``: 61 pitches, one bit each.
        max_examples: maximum number of windows per piece; ``None``: all.
        reading: fields of `Reading`.
    """

    SCHEMA: ClassVar[int] = 1

    def __init__(
        self, bars: int = 2, kit: str = "nine", max_examples: int | None = None, **reading: Any
    ) -> None:
        super().__init__(bars, max_examples, **reading)
        self.kit = one_of(KITS, kit, "kit")

    def missing(self, notes: MidiNotes) -> str:
        return "" if notes.is_drum.any() else "no drums"

    def placed(self, notes: GridNotes) -> Placed:
        return drum_windows(notes, self.bars, kit=self.kit)

    def excerpt(self, notes: GridNotes) -> Placed:
        return drum_excerpt(notes, self.bars, self.kit)

    def score(self, ids: Ids) -> symusic.Score:
        return decode_drums(ids, kit=self.kit)

    @property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(2 ** len(self.kit), NO_ID, NO_ID)


class Trio(Windows):
    """Melody, bass and drums that sound together, three numbers per sixteenth.

    Args:
        bars: length of a window.
        pitches: as for `Melody`; for melody and bass.
        max_examples: maximum number of windows per piece; ``None``: all.
        reading: fields of `Reading`.
    """

    SCHEMA: ClassVar[int] = 1
    FIELDS: ClassVar[int] = 3

    def __init__(
        self,
        bars: int = 16,
        pitches: str = "piano",
        max_examples: int | None = None,
        **reading: Any,
    ) -> None:
        super().__init__(bars, max_examples, **reading)
        self.classes: MelodyClasses = one_of(PITCHES, pitches, "pitches")

    @property
    def melody_classes(self) -> MelodyClasses:
        return self.classes

    def on_track(self, track: TrackName) -> Windows:
        raise ValueError(f"a trio reads melody, bass and drums, and not one track ({track})")

    def missing(self, notes: MidiNotes) -> str:
        pitched = notes.program[~notes.is_drum]
        missing = [
            f"no {name}"
            for name, is_there in (
                ("melody (programs 0 to 31)", np.isin(pitched, MELODY_PROGRAMS).any()),
                ("bass (programs 32 to 39)", np.isin(pitched, BASS_PROGRAMS).any()),
                ("drums", notes.is_drum.any()),
            )
            if not is_there
        ]
        return ", ".join(missing)

    def placed(self, notes: GridNotes) -> Placed:
        return trio_windows(notes, self.bars, classes=self.classes, unique=True)

    def excerpt(self, notes: GridNotes) -> Placed:
        return trio_excerpt(notes, self.bars, self.classes)

    def score(self, ids: Ids) -> symusic.Score:
        return decode_trio(ids, classes=self.classes)

    def without_key(self, ids: NDArray[Any]) -> NDArray[Any]:
        """Melody and bass move together, drums stay."""
        return np.concatenate([without_key(ids[..., :2]), ids[..., 2:]], axis=-1)

    def check(self, ids: Ids) -> GrammarCheck:
        """As for `Melody`, in melody and bass; any drums are allowed."""
        return GrammarCheck(sum(silent_offs(ids[:, track]) for track in (0, 1)), int(ids.size))

    @property
    def vocabulary(self) -> Vocabulary:
        """One id for each class of the three tracks."""
        return Vocabulary(2 * self.classes.count + 2 ** len(NINE_DRUMS), NO_ID, NO_ID)


def one_of(choices: Mapping[str, Any], name: str, key: str) -> Any:
    """The choice with a name.

    Raises:
        UserError: naming the choices, if there is no such name.
    """
    if name not in choices:
        raise UserError(f"{key}={name}: choose {' or '.join(choices)}")
    return choices[name]
