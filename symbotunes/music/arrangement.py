"""Music in another tempo, on another instrument and in another key; its notes stay the same."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import symusic

from symbotunes.music.abc.keys import Key, parse_key
from symbotunes.music.abc.phrases import parse_tokens
from symbotunes.music.abc.spelling import respell, shorter_way
from symbotunes.music.abc.text import from_abc, to_abc
from symbotunes.music.abc.transposition import moved_key
from symbotunes.music.tempo import beat_of

MOST_ACCIDENTALS = 7  # of a signature
_TITLES = re.compile(r"(?:^(?:X|T):.*\n)+", re.MULTILINE)


@dataclass(frozen=True)
class Arrangement:
    """What is changed about music; ``None`` leaves as it is.

    Attributes:
        beats_per_minute: tempo, in beats of the meter.
        quarters_per_minute: the same in quarter notes, where `beats_per_minute` is ``None``.
        program: General MIDI program of all tracks but drums, 0 to 127.
        semitones: by which notes are moved up; drums stay.
        tonic: to which they are moved instead, the shorter way; the mode stays.
    """

    beats_per_minute: float | None = None
    quarters_per_minute: float | None = None
    program: int | None = None
    semitones: int | None = None
    tonic: Key | None = None

    def interval(self, key: Key) -> int:
        """Semitones by which music in a key is moved up."""
        if self.tonic is not None:
            return shorter_way(key, self.tonic)
        return self.semitones or 0

    def tempo(self, meter: str) -> tuple[Fraction, float] | None:
        """The beat of music in a meter, in whole notes, and beats per minute."""
        if self.beats_per_minute is not None:
            return beat_of(meter), self.beats_per_minute
        if self.quarters_per_minute is not None:
            beat = beat_of(meter)
            return beat, self.quarters_per_minute / float(4 * beat)
        return None


def arranged_score(
    score: symusic.Score, arrangement: Arrangement, *, meter: str, semitones: int
) -> symusic.Score:
    """A copy of a score with the arrangement.

    Args:
        score: in ticks.
        arrangement: its tempo replaces all those of the score.
        meter: whose beat the tempo counts.
        semitones: by which notes are moved up.

    Raises:
        ValueError: if a note would leave MIDI's range.
    """
    score = score.copy()
    if (tempo := arrangement.tempo(meter)) is not None:
        beat, rate = tempo
        score.tempos = [symusic.Tempo(0, float(4 * beat) * rate)]
    for track in score.tracks:
        if track.is_drum:
            continue
        if arrangement.program is not None:
            track.program = arrangement.program
        for note in track.notes if semitones else ():
            if not 0 <= note.pitch + semitones <= 127:
                raise ValueError(f"MIDI pitch {note.pitch + semitones} is out of range")
            note.pitch += semitones
    if semitones:
        score.key_signatures = [_moved(signature, semitones) for signature in score.key_signatures]
    return score


def _moved(signature: symusic.KeySignature, semitones: int) -> symusic.KeySignature:
    """A key signature of MIDI, which counts sharps, moved up; of enharmonic ones as `moved_key`."""
    sharps = (signature.key + 7 * semitones + 5) % 12 - 5
    sharps = -6 if sharps == 6 and signature.key < 0 else sharps
    return symusic.KeySignature(signature.time, sharps, signature.tonality)


def arranged_abc(abc: str, arrangement: Arrangement) -> str:
    """ABC from `to_abc` with the arrangement, as ``Q:``, ``%%MIDI program`` and another key.

    Raises:
        AbcError: if a note would need three sharps or flats, or be out of range.
    """
    if arrangement.interval(key_of(abc)):
        abc = _transposed(abc, arrangement)
    lines = []
    if (tempo := arrangement.tempo(meter_of(abc))) is not None:
        lines.append(f"Q:{tempo[0]}={tempo[1]:.0f}")
        abc = re.sub(r"^Q:.*\n", "", abc, flags=re.MULTILINE)
    if arrangement.program is not None:
        lines.append(f"%%MIDI program {arrangement.program}")
        abc = re.sub(r"^%%MIDI\s+program\b.*\n", "", abc, flags=re.MULTILINE)
    return _with_lines(abc, lines)


def _with_lines(abc: str, lines: Sequence[str]) -> str:
    """ABC with more lines behind its number and title."""
    text = "".join(f"{line}\n" for line in lines)
    return _TITLES.sub(lambda match: match[0] + text, abc, count=1)


def _transposed(abc: str, arrangement: Arrangement) -> str:
    phrase = parse_tokens(from_abc(abc), changes=True)
    semitones = arrangement.interval(phrase.key)
    key = moved_key(phrase.key, semitones)
    if arrangement.tonic is not None:
        named = replace(arrangement.tonic, mode=phrase.key.mode)
        key = named if abs(named.sharps) <= MOST_ACCIDENTALS else key
    items = respell(phrase.items, phrase.key, key, semitones)
    body = to_abc(replace(phrase, key=key, items=tuple(items))).splitlines(keepends=True)
    head = "".join(line for line in abc.splitlines(keepends=True) if _is_head(line))
    return head + "".join(line for line in body if line[:2] not in ("X:", "T:"))


def _is_head(line: str) -> bool:
    return line[:2] in ("X:", "T:", "Q:", "%%")


def key_of(abc: str) -> Key:
    """The key of ABC from `to_abc`."""
    return parse_key(_field("K", abc))


def meter_of(abc: str) -> str:
    """The meter in which ABC from `to_abc` begins."""
    return _field("M", abc)


def _field(name: str, abc: str) -> str:
    return next(line[2:].strip() for line in abc.splitlines() if line.startswith(f"{name}:"))
