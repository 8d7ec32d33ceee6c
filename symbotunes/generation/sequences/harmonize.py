"""Melodies in four voices: the soprano is given, and a model of chorales writes the others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import numpy as np
import symusic

from symbotunes.errors import UserError, require_whole_number
from symbotunes.files import why_no_file
from symbotunes.generation.output import Output
from symbotunes.generation.pieces import ABC_SUFFIXES
from symbotunes.generation.sample import Composition, Sample
from symbotunes.generation.seeds import check_seeds, sample_seeds
from symbotunes.generation.sequences import Generated, Settings, generate
from symbotunes.generation.sequences.given_voice import GivenSoprano
from symbotunes.models.base import SequenceModel
from symbotunes.music.abc.books import tunes_named
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.files import read_tunes
from symbotunes.music.chorale.grid import (
    SILENT,
    STEPS_PER_QUARTER,
    TICKS_PER_STEP,
    VoiceGrid,
    read_melody,
)
from symbotunes.music.chorale.layout import VoiceLayout
from symbotunes.music.convert import midi_of
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.piece import MidiPiece, read_midi_bytes
from symbotunes.music.midi.tracks import TrackName, score_of_track
from symbotunes.tokenizers.base import TextTokenizer

SOPRANO = (60, 81)  # lowest and highest pitch of the training chorales' soprano
LONGEST = 4096  # steps: 256 bars of 4/4


@dataclass(frozen=True)
class Melody:
    """A melody on sixteenths.

    Attributes:
        title: shown to people.
        grid: ``[T, 1]`` what it sings.
        offset: steps of silence before it, so that it begins where it does in its bar.
        meters: of the file, in steps.
        shift: semitones by which it was moved.
    """

    title: str
    grid: VoiceGrid
    offset: int
    meters: Sequence[tuple[int, int, int]]
    shift: int = 0

    def within(self, lowest: int, highest: int) -> "Melody":
        """The melody in the key nearest to its own in which it fits; octaves come first.

        Raises:
            ValueError: if its range is too wide.
        """
        sung = self.grid.pitches[self.grid.pitches != SILENT]
        shifts = range(lowest - int(sung.min()), highest - int(sung.max()) + 1)
        if not len(shifts):
            raise ValueError(f"its range is wider than that of a soprano, {lowest} to {highest}")
        shift = min(shifts, key=lambda semitones: (semitones % 12 != 0, abs(semitones)))
        moved = np.where(self.grid.pitches == SILENT, SILENT, self.grid.pitches + shift)
        return replace(self, grid=replace(self.grid, pitches=moved), shift=shift)

    def score(self, grid: VoiceGrid) -> symusic.Score:
        """Four voices with the melody's own notes, meters and place in the bar."""
        pitches = np.concatenate([self.grid.pitches, grid.pitches[:, 1:]], 1)
        begins = np.concatenate([self.grid.begins, grid.begins[:, 1:]], 1)
        score = VoiceGrid(pitches, begins).score().shift_time(self.offset * TICKS_PER_STEP)
        for step, beats, beat_type in self.meters:
            tick = step * TICKS_PER_STEP
            score.time_signatures.append(symusic.TimeSignature(tick, beats, beat_type))
        return score


@dataclass(frozen=True, kw_only=True)
class HarmonizePlan(Output):
    """Harmonizations of one melody.

    Attributes:
        input: ABC or MIDI file with the melody.
        tune: which tune of an ABC file, by its place (from 1) or title; ``None``: the first that
            can be read.
        track: name or number of the track of a MIDI file; ``None``: the first with notes.
        num: how many harmonizations are written.
        seeds: of the harmonizations, to repeat exactly these; ``None``: derived from the
            command's seed.
        temperature: above 1 is more surprising, below 1 is safer; 0 always takes the most likely
            note.
        top_p: choose among the most likely notes that hold this fraction of the probability.
        batch_size: harmonizations written in parallel.
        weights: as for `SamplePlan`.
        out: folder for the files; ``None``: that of the run.

    For the other attributes, see `Output`.

    Raises:
        UserError: if a value is out of range.
    """

    NAME: ClassVar[str] = "harmonize"
    READS_DATASET: ClassVar[bool] = False

    input: str
    tune: int | str | None = None
    track: TrackName | None = None
    num: int = 4
    seeds: Sequence[int] | None = None
    temperature: float = 1.0
    top_p: float = 1.0
    batch_size: int = 64
    weights: str | None = None
    out: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.seeds is not None:
            check_seeds(self.seeds)
            object.__setattr__(self, "num", len(self.seeds))
        for name in ("num", "batch_size"):
            require_whole_number(f"sample.{name}", getattr(self, name))
        _ = self._settings(1)

    def _settings(self, tokens: int) -> Settings:
        try:
            return Settings(temperature=self.temperature, top_p=self.top_p, max_tokens=tokens)
        except (ValueError, TypeError) as error:
            raise UserError(f"sample: {error}") from error

    @property
    def plain(self) -> None:
        """The plan for samples that are measured; ``None``, since these continue no prompt."""
        return None

    def for_sequences(self) -> "HarmonizePlan":
        """The plan that a sequence model can carry out."""
        return self

    def for_windows(self) -> NoReturn:
        """Refuse models of windows.

        Raises:
            UserError: always.
        """
        raise UserError("sample=harmonize needs a model of chorales, such as voice_rnn")

    @property
    def facts(self) -> dict[str, str]:
        """How harmonizations are written, shown to people."""
        return {
            "temperature": f"{self.temperature:g}",
            "top-p": f"{self.top_p:g}" if self.top_p < 1 else "off",
            "soprano": f"given by {Path(self.input).name}, forced note by note",
        }

    def write(
        self,
        net: SequenceModel,
        tokenizer: TextTokenizer[Any],
        seed: int,
        on_step: Callable[[int], None] | None = None,
    ) -> Composition:
        """Harmonize the melody; the same seed gives the same voices.

        Args:
            net: the trained network.
            tokenizer: the one that it was trained with.
            seed: from which that of every harmonization is made, unless the plan gives them.
            on_step: called with the number of tokens so far.

        Raises:
            UserError: if the melody cannot be read, or the model does not write chorales.
        """
        layout = tokenizer.voices
        if layout is None:
            raise UserError(
                "sample=harmonize needs a model that was trained with transforms=[chorale_grid]"
            )
        melody = self._melody()
        voices = GivenSoprano(layout, layout.encode(melody.grid).tolist())
        net.round_weights(self.weights)
        seeds = list(self.seeds) if self.seeds is not None else sample_seeds(seed, self.num)
        drawn: list[Generated] = []
        for start in range(0, len(seeds), self.batch_size):
            part = seeds[start : start + self.batch_size]
            drawn += generate(
                net,
                tokenizer.vocabulary,
                [[]] * len(part),
                self._settings(voices.tokens),
                part,
                constraint=voices,
                on_step=on_step,
            )
        samples = tuple(
            _sample(layout, melody, generated, index, number)
            for index, (generated, number) in enumerate(zip(drawn, seeds, strict=True))
        )
        return Composition(samples, self.facts, {"melody": _described(melody)})

    def _melody(self) -> Melody:
        path = Path(self.input)
        try:
            if reason := why_no_file(path):
                raise ValueError(reason)
            melody = _read(path, self.tune, self.track)
            if len(melody.grid.pitches) > LONGEST:
                raise ValueError(f"it has more than {LONGEST:,} sixteenths")
            return melody.within(*SOPRANO)
        except (ValueError, OSError) as error:
            raise UserError(f"sample.input={self.input}: {error}") from error


def _read(path: Path, tune: int | str | None, track: TrackName | None) -> Melody:
    """The melody of a file; every bar of an ABC tune is played once.

    Raises:
        ValueError: if there is none, saying why.
    """
    if path.suffix.lower() in ABC_SUFFIXES:
        if track is not None:
            raise ValueError("sample.track chooses a track of a MIDI file")
        return _melody_of(_tune(path, tune))
    if tune is not None:
        raise ValueError("sample.tune chooses a tune of an ABC file")
    piece = MidiPiece(path.name, read_midi_bytes(path), title=path.stem)
    score = piece.score if track is None else score_of_track(piece.score, track)
    return _melody_of(replace(piece, music=score))


def _tune(path: Path, wanted: int | str | None) -> MidiPiece:
    failure: AbcError | None = None
    for tune in tunes_named(read_tunes(path, path.parent.name), wanted):
        try:
            return midi_of(tune, as_written=True)
        except AbcError as error:
            failure = failure or error
    assert failure is not None
    raise failure


def _melody_of(piece: MidiPiece) -> Melody:
    score = piece.score
    try:
        grid, offset = read_melody(score)
    except MidiError as error:
        if "two notes" in error.reason:
            raise ValueError(
                "its first track is not a melody; choose one by sample.track"
            ) from error
        raise
    meters = [
        (
            int(signature.time) * STEPS_PER_QUARTER // score.ticks_per_quarter,
            int(signature.numerator),
            int(signature.denominator),
        )
        for signature in score.time_signatures
    ]
    return Melody(piece.title or piece.id, grid, offset, meters)


def _sample(
    layout: VoiceLayout, melody: Melody, generated: Generated, index: int, seed: int
) -> Sample:
    grid, _ = layout.decode(np.array(generated.ids, np.int64))
    return Sample(
        name=f"harmonization_{index + 1:02d}",
        title=f"{melody.title}, harmonization {index + 1}",
        score=melody.score(grid),
        abc=None,
        tokens=len(generated.ids),
        nll_nats=generated.nll_nats,
        generated=generated.count,
        finished=generated.finished,
        seed=seed,
    )


def _described(melody: Melody) -> str:
    text = f"{melody.title}: {len(melody.grid.pitches)} sixteenths"
    return f"{text}, moved by {melody.shift} semitones" if melody.shift else text
