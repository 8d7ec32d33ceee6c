"""How a model's harmonizations of folk tunes compare with Bach's own part-writing.

    python tests/benchmarks/harmonization.py CHECKPOINT [--tunes 20] [--out FOLDER]

Random tunes of the built-in corpus in 4/4 are harmonized, each once, and measured beside the test
chorales of ``dataset=jsb16``, and beside harmonizations of the sopranos of as many of these: what
is due to the model, and what to melodies that are not hymns.

Parallels are music21's: of all moments at which both of two voices move, the share of parallel
fifths, and of parallel octaves and unisons. A step has crossed voices if a voice sounds above one
that is named before it. A note is out of range if its pitch is outside its voice's range in the
training chorales.
"""

import argparse
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
from music21.note import Note
from music21.voiceLeading import VoiceLeadingQuartet
from numpy.typing import NDArray

import symbotunes
from symbotunes.checkpoints.trained_model import TrainedModel
from symbotunes.datasets.base import Dropped
from symbotunes.datasets.folk import COLLECTIONS, Folk
from symbotunes.datasets.jsb16 import Jsb16
from symbotunes.errors import UserError
from symbotunes.music.abc.tune import AbcTune
from symbotunes.music.chorale.grid import SILENT, VOICES, VoiceGrid, read_voices

CHORALES = Path(__file__).parents[1] / "files" / "jsb16" / "jsb16_plain.npz"
RANGES = ((60, 81), (52, 74), (46, 69), (36, 66))  # of the training chorales
LENGTHS = range(16 * 8, 16 * 24)  # sixteenths: tunes of 8 to 24 bars


@cache
def parallels(before: tuple[int, int], after: tuple[int, int]) -> tuple[bool, bool]:
    """Whether two voices move in parallel fifths, and in parallel octaves or unisons."""
    quartet = VoiceLeadingQuartet(
        *(Note(pitch) for pair in zip(before, after, strict=True) for pitch in pair)
    )
    return quartet.parallelFifth(), quartet.parallelOctave() or quartet.parallelUnison()


@dataclass
class Counts:
    """What is counted in a set of pieces."""

    moves: int = 0
    fifths: int = 0
    octaves: int = 0
    steps: int = 0
    crossed: int = 0
    notes: int = 0
    beyond: int = 0

    def add(self, grid: VoiceGrid) -> None:
        """Count one piece."""
        pitches = grid.pitches
        for first, second in combinations(range(len(VOICES)), 2):
            pair = pitches[:, [first, second]]
            sounds = (pair != SILENT).all(1)
            for now in np.flatnonzero((pair[1:] != pair[:-1]).all(1) & sounds[1:] & sounds[:-1]):
                before, after = (tuple(pair[at].tolist()) for at in (now, now + 1))
                fifth, octave = parallels(before, after)
                self.moves += 1
                self.fifths += fifth
                self.octaves += octave
        # A silent voice is neither above nor below its neighbors.
        heard = np.where(pitches == SILENT, np.nan, pitches.astype(float))
        self.steps += len(pitches)
        self.crossed += int(_crossed(heard).sum())
        for voice, (lowest, highest) in enumerate(RANGES):
            sung = pitches[grid.begins[:, voice], voice]
            self.notes += len(sung)
            self.beyond += int(((sung < lowest) | (sung > highest)).sum())

    def row(self, name: str, pieces: int) -> str:
        """A row of the table."""
        shares = (
            (self.fifths, self.moves),
            (self.octaves, self.moves),
            (self.crossed, self.steps),
            (self.beyond, self.notes),
        )
        cells = " | ".join(f"{100 * part / max(1, whole):.2f} %" for part, whole in shares)
        return f"| {name} | {pieces} | {self.moves:,} | {cells} |"


def _crossed(heard: NDArray[np.float64]) -> NDArray[np.bool_]:
    """``[T]`` whether a voice sounds above one named before it."""
    pairs = combinations(range(len(VOICES)), 2)
    return np.any([heard[:, second] > heard[:, first] for first, second in pairs], axis=0)


def tunes_in_common_time(seed: int) -> Iterator[AbcTune]:
    """All tunes in 4/4, in random order."""
    tunes = [piece for piece in Folk(COLLECTIONS).pieces() if not isinstance(piece, Dropped)]
    random.Random(seed).shuffle(tunes)
    for tune in tunes:
        phrase = tune.phrase_in("keep")
        if phrase.meter != "none" and Fraction(phrase.meter) == 1:
            yield tune


def harmonizations(
    model: TrainedModel, count: int, temperature: float, seed: int, out: Path | None
) -> list[VoiceGrid]:
    """One of each tune."""
    grids: list[VoiceGrid] = []
    with tempfile.TemporaryDirectory() as folder:
        for tune in tunes_in_common_time(seed):
            path = Path(folder) / "tune.abc"
            path.write_text(tune.text)
            try:
                (piece,) = model.harmonize(path, num=1, seed=seed, temperature=temperature)
            except UserError:
                continue  # too wide a range
            grid = read_voices(piece.score)
            if len(grid.pitches) not in LENGTHS:
                continue
            grids.append(grid)
            if out is not None:
                piece.save(out / f"{len(grids):02d}.mid")
            if len(grids) == count:
                break
    return grids


def harmonized_sopranos(
    model: TrainedModel, chorales: Sequence[VoiceGrid], temperature: float, seed: int
) -> list[VoiceGrid]:
    """The sopranos of chorales with new lower voices."""
    grids = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chorale.mid"
        for chorale in chorales:
            chorale.score().dump_midi(path)
            options = {"track": "Soprano", "temperature": temperature}
            (piece,) = model.harmonize(path, num=1, seed=seed, **options)
            grids.append(read_voices(piece.score))
    return grids


def counted(grids: Sequence[VoiceGrid]) -> Counts:
    """The counts of all pieces."""
    counts = Counts()
    for grid in grids:
        counts.add(grid)
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--tunes", type=int, default=20)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    model = symbotunes.load(arguments.checkpoint)
    written = harmonizations(
        model, arguments.tunes, arguments.temperature, arguments.seed, arguments.out
    )
    chorales = [
        read_voices(piece.parsed)
        for piece in Jsb16(CHORALES, []).pieces()
        if not isinstance(piece, Dropped) and piece.split == "test"
    ]
    print("| | pieces | moves | parallel fifths | octaves, unisons | crossed | out of range |")
    print("|---|---|---|---|---|---|---|")
    print(counted(written).row("harmonized folk tunes", len(written)))
    again = harmonized_sopranos(
        model, chorales[: arguments.tunes], arguments.temperature, arguments.seed
    )
    print(counted(again).row("harmonized sopranos of the test", len(again)))
    print(counted(chorales).row("Bach, test chorales", len(chorales)))


if __name__ == "__main__":
    main()
