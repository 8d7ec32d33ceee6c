"""From ABC to MIDI, so that everything that reads MIDI can use folk tunes."""

from dataclasses import replace
from fractions import Fraction

from symbotunes.music.abc.phrases import sounding_eighths
from symbotunes.music.abc.playback import TICKS_PER_QUARTER, score_of
from symbotunes.music.abc.tokens import Bar, Phrase
from symbotunes.music.abc.tune import AbcTune
from symbotunes.music.midi.piece import MidiPiece
from symbotunes.music.tempo import tempo_in

PIANO = 0  # General MIDI program: extraction of melodies takes keyboards and plucked strings only


def midi_of(tune: AbcTune, *, as_written: bool = False) -> MidiPiece:
    """The tune as it is played, in its own key, with repeats, endings, meter and tempo.

    Without a ``Q:`` field that names its beat, the tempo is the natural one of the meter. An upbeat
    ends the first bar, so that bar lines are where MIDI expects them.

    Args:
        tune: in ABC.
        as_written: play every bar once, in the order of the notation.

    Raises:
        AbcError: if the tune cannot be read.
    """
    phrase = tune.phrase_in("keep")
    if as_written:
        plain = (Bar("|") if isinstance(item, Bar) else item for item in phrase.items)
        phrase = replace(phrase, items=tuple(plain))
    score = score_of(phrase, tempo_bpm=tempo_in(tune.text), program=PIANO)
    upbeat = silence_before_upbeat(phrase)
    for note in score.tracks[0].notes:
        note.time += upbeat
    return MidiPiece(
        id=tune.id,
        music=score.dumps_midi(),
        title=tune.title,
        collection=tune.collection,
        split=tune.split,
        family=tune.family,
        work=tune.work,
        only=tune.only,
    )


def silence_before_upbeat(phrase: Phrase) -> int:
    """Ticks from the bar line before an upbeat to its first note; 0 if there is none."""
    if phrase.meter == "none":
        return 0
    upbeat = Fraction(0)
    for item, length in zip(phrase.items, sounding_eighths(phrase.items), strict=True):
        if isinstance(item, Bar) and upbeat:
            break
        upbeat += length
    missing = 8 * Fraction(phrase.meter) - upbeat
    return round(missing / 2 * TICKS_PER_QUARTER) if missing > 0 else 0
