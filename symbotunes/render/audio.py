"""Scores as sound, through the General MIDI soundfont that pretty_midi carries."""

import io
import wave
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import symusic
from numpy.typing import NDArray

from symbotunes.errors import UserError

SAMPLE_RATE = 22_050  # Hz: enough for a fiddle, and half the size of a CD's
PEAK = 0.9  # of full scale
SILENCE = 1e-3  # of full scale, below which the tail is cut
Audio = NDArray[np.float32]


def soundfont() -> Path:
    """Where pretty_midi keeps its soundfont, found without importing pretty_midi.

    Raises:
        UserError: if it is not there.
    """
    spec = find_spec("pretty_midi")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "TimGM6mb.sf2"
        if path.is_file():
            return path
    raise UserError("audio needs the soundfont of pretty_midi: pip install pretty_midi")


def synthesize(score: symusic.Score, sample_rate: int = SAMPLE_RATE) -> Audio:
    """The score as audio ``[channels, samples]`` in -1 to 1; a second of silence for no notes."""
    if not any(len(track.notes) for track in score.tracks):
        return np.zeros((2, sample_rate), np.float32)
    synthesizer = symusic.Synthesizer(sf_path=str(soundfont()), sample_rate=sample_rate)
    audio = np.asarray(synthesizer.render(score, stereo=True), np.float32)
    peak = float(np.abs(audio).max())
    if peak == 0:
        return audio
    audio = audio * (PEAK / peak)
    loud = np.flatnonzero(np.abs(audio).max(axis=0) > SILENCE)
    return audio[:, : int(loud[-1]) + 1]


def wav_bytes(audio: Audio, sample_rate: int = SAMPLE_RATE) -> bytes:
    """A WAV file of 16-bit samples."""
    samples = (np.clip(audio, -1, 1) * 32767).round().astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(audio.shape[0])
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(samples.T.tobytes())
    return buffer.getvalue()
