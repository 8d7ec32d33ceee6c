"""Synthetic music for checks that no dataset has the right kind of music for."""

import random
from pathlib import Path

import symusic

QUARTER = 480  # ticks
BARS = 24  # in 4/4
SCALE = (60, 62, 64, 65, 67, 69, 71, 72)
KICK, SNARE, HAT = 36, 38, 42
PIANO, FINGER_BASS, CHOIR = 0, 33, 52  # programs of General MIDI, counted from 0


def write_pieces(folder: Path, count: int = 12) -> Path:
    """Write MIDI files of trios and choirs, the same in every call; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(count):
        trio(random.Random(seed)).dump_midi(folder / f"trio_{seed:02d}.mid")
        choir(random.Random(seed)).dump_midi(folder / f"choir_{seed:02d}.mid")
    return folder


def choir(rng: random.Random) -> symusic.Score:
    """Eight bars of quarters in four voices."""
    score = symusic.Score(QUARTER)
    for octaves in (0, 0, -12, -12):
        voice = symusic.Track(program=CHOIR)
        for beat in range(32):
            voice.notes.append(
                symusic.Note(beat * QUARTER, QUARTER, rng.choice(SCALE) + octaves, 80)
            )
        score.tracks.append(voice)
    return score


def trio(rng: random.Random) -> symusic.Score:
    """Twenty-four bars of melody, bass and drums."""
    score = symusic.Score(QUARTER)
    score.tempos.append(symusic.Tempo(0, 120.0))
    score.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    melody, bass = symusic.Track(program=PIANO), symusic.Track(program=FINGER_BASS)
    drums = symusic.Track(is_drum=True)
    for beat in range(4 * BARS):
        onset = beat * QUARTER
        melody.notes.append(symusic.Note(onset, QUARTER // 2, rng.choice(SCALE), 90))
        melody.notes.append(symusic.Note(onset + QUARTER // 2, QUARTER // 2, rng.choice(SCALE), 80))
        bass.notes.append(symusic.Note(onset, QUARTER, rng.choice(SCALE) - 24, 90))
        drums.notes.append(symusic.Note(onset, QUARTER // 4, rng.choice((KICK, SNARE)), 100))
        drums.notes.append(symusic.Note(onset + QUARTER // 2, QUARTER // 4, HAT, 70))
    for track in (melody, bass, drums):
        score.tracks.append(track)
    return score
