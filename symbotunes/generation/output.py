"""How samples sound: the settings that all plans share, and samples that follow them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import symusic

from symbotunes.errors import UserError
from symbotunes.generation.sample import Composition, Sample
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.keys import Key, parse_key
from symbotunes.music.arrangement import (
    Arrangement,
    arranged_abc,
    arranged_score,
    key_of,
    meter_of,
)
from symbotunes.music.midi.instruments import instrument_names, program_of

SLOWEST, FASTEST = 10, 500  # beats per minute
FARTHEST = 48  # semitones
TONIC_OF_NO_SHARPS = {0: 0, 1: 9}  # pitch classes of C major and A minor


@dataclass(frozen=True, kw_only=True)
class Output:
    """Base class of plans: how what they write sounds.

    Attributes:
        tempo: beats of the meter per minute; ``None``: that of a prompt's or input's ``Q:``, else
            what suits the meter, or what the model writes.
        instrument: General MIDI name or program, 0 to 127, of all tracks but drums; ``None``: a
            violin for ABC, else what the model writes.
        transpose: semitones by which samples are moved up; ``None``: as written.
        key: tonic to which they are moved instead, the shorter way, such as ``Bb``; the mode stays.
        forms: suffixes of the files that are written for each piece; ``None``: the usual ones.

    Raises:
        UserError: if a value is out of range, or both `transpose` and `key` are given.
    """

    GROUP: ClassVar[str] = "sample"  # of the config, for errors

    tempo: float | None = None
    instrument: int | str | None = None
    transpose: int | None = None
    key: str | None = None
    forms: Sequence[str] | None = None

    def __post_init__(self) -> None:
        _ = self.arrangement

    @property
    def arrangement(self) -> Arrangement:
        """What is changed about samples before they are written."""
        for name, lowest, highest in (
            ("tempo", SLOWEST, FASTEST),
            ("transpose", -FARTHEST, FARTHEST),
        ):
            value = getattr(self, name)
            is_number = isinstance(value, int | float if name == "tempo" else int)
            is_number = is_number and not isinstance(value, bool)
            if value is not None and not (is_number and lowest <= value <= highest):
                unit = "beats per minute" if name == "tempo" else "whole semitones"
                raise UserError(
                    f"{self.GROUP}.{name}={value}: must be from {lowest} to {highest} {unit}, "
                    "or null"
                )
        if self.transpose is not None and self.key is not None:
            raise UserError(f"{self.GROUP}.transpose and {self.GROUP}.key: give only one of them")
        return Arrangement(
            beats_per_minute=self.tempo,
            program=None
            if self.instrument is None
            else program_of(f"{self.GROUP}.instrument", self.instrument),
            semitones=self.transpose,
            tonic=None if self.key is None else _tonic(f"{self.GROUP}.key", self.key),
        )

    @property
    def sound_facts(self) -> dict[str, str]:
        """What is changed about samples, shown to people."""
        arrangement = self.arrangement
        facts = {} if self.tempo is None else {"tempo": f"{self.tempo:g} beats per minute"}
        if arrangement.program is not None:
            facts["instrument"] = instrument_names()[arrangement.program]
        if self.transpose:
            direction = "up" if self.transpose > 0 else "down"
            facts["transposed"] = f"{abs(self.transpose)} semitones {direction}"
        if self.key is not None:
            facts["moved to"] = str(self.key)
        return facts


def _tonic(setting: str, name: object) -> Key:
    """The tonic that a setting names.

    Raises:
        UserError: if it is none.
    """
    try:
        key = parse_key(str(name))
    except AbcError:
        key = None
    if key is None or str(key) != f"{str(name)[:1].upper()}{str(name)[1:]}maj":
        raise UserError(
            f"{setting}={name}: must be a tonic such as G, Bb or F#; every piece keeps its mode"
        )
    return key


def arranged(composition: Composition, output: Output) -> Composition:
    """A composition whose samples have the tempo, instrument and key of a plan.

    Args:
        composition: of the plan.
        output: the plan.
    """
    arrangement = output.arrangement
    if arrangement.beats_per_minute is None:
        arrangement = replace(arrangement, quarters_per_minute=composition.tempo)
    if arrangement == Arrangement():
        return composition
    samples = tuple(arranged_sample(sample, arrangement) for sample in composition.samples)
    heard = {
        id(before.score): after.score
        for before, after in zip(composition.samples, samples, strict=True)
    }
    tempo = arrangement.quarters_per_minute
    of_prompt = {} if tempo is None else {"tempo": f"{tempo:g} quarters per minute, as given"}
    return replace(
        composition,
        samples=samples,
        facts={**composition.facts, **of_prompt, **output.sound_facts},
        strip=tuple((label, heard.get(id(score), score)) for label, score in composition.strip),
    )


def arranged_sample(sample: Sample, arrangement: Arrangement) -> Sample:
    """A sample in another tempo, on another instrument, in another key.

    Where its notes cannot be moved, it stays in its key, and a remark says why.
    """
    score = sample.score.to("tick")
    abc = sample.abc
    meter = _meter(score) if abc is None else meter_of(abc)
    try:
        semitones = arrangement.semitones or 0
        if arrangement.tonic is not None:
            semitones = arrangement.interval(_key(score) if abc is None else key_of(abc))
        return replace(
            sample,
            abc=None if abc is None else arranged_abc(abc, arrangement),
            score=arranged_score(score, arrangement, meter=meter, semitones=semitones),
        )
    except ValueError as error:
        if arrangement.semitones is None and arrangement.tonic is None:
            raise
        stays = replace(arrangement, semitones=None, tonic=None)
        remarked = replace(sample, notes=(*sample.notes, f"stays in its key: {error}"))
        return arranged_sample(remarked, stays)


def _meter(score: symusic.Score) -> str:
    """The meter of most of a score, which an upbeat's own signature is not; 4/4 if it has none."""
    signatures = list(score.time_signatures)
    if not signatures:
        return "4/4"
    ends = [*(signature.time for signature in signatures[1:]), score.end()]
    lasting = [end - signature.time for signature, end in zip(signatures, ends, strict=True)]
    longest = signatures[int(np.argmax(lasting))]
    return f"{longest.numerator}/{longest.denominator}"


def _key(score: symusic.Score) -> Key:
    """The key of a score: by its first signature, else the one whose profile its notes fit best.

    Raises:
        ValueError: if there are no notes.
    """
    for signature in score.key_signatures:
        tonic = (TONIC_OF_NO_SHARPS[signature.tonality] + 7 * signature.key) % 12
        return parse_key(_NAMES[tonic])
    return parse_key(_NAMES[_estimated_tonic(score)])


_NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


def _estimated_tonic(score: symusic.Score) -> int:
    """The pitch class of the tonic by Krumhansl and Schmuckler, as music21 computes it."""
    from music21 import note, stream

    ticks = np.zeros(12)
    for track in score.tracks:
        notes = [] if track.is_drum else track.notes
        for heard in notes:
            ticks[heard.pitch % 12] += heard.duration
    if not ticks.any():
        raise ValueError("there are no notes from which to tell it")
    shares: Any = stream.Stream()
    for pitch_class in np.flatnonzero(ticks):
        shares.append(
            note.Note(60 + int(pitch_class), quarterLength=float(ticks[pitch_class] / ticks.sum()))
        )
    return int(shares.analyze("key").tonic.pitchClass)
