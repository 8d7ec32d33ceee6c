"""What a score sounds like: General MIDI through the soundfont that pretty_midi carries."""

import importlib.util
import io
import wave
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import symusic
from numpy.typing import NDArray

SAMPLE_RATE = 22_050  # Hz; keeps partials up to 11 kHz at half the size of a CD's rate
LONGEST_SECONDS = 180.0  # a page holds its sound, so an endless piece must not make it endless
PEAK = 0.9  # of full scale, so that rounding and resampling cannot clip
SILENCE = 1e-3  # of the peak, -60 dB: what lies below at the end is not heard
FADE_SECONDS = 0.02  # the synthesizer stops with the last note, which would click
EMPTY_SECONDS = 0.25  # of silence, for a score without notes
HIGHEST_PLAIN_PITCH = 87  # above it symusic's synthesizer may never return at a rate of 22,050 Hz
OVERSAMPLING = 4  # at 88,200 Hz every pitch of every program was seen to end
FILTER_TAPS = 32  # on either side, per factor of oversampling

Sound = NDArray[np.float32]


@cache
def soundfont() -> Path:
    """The General MIDI soundfont among the files of pretty_midi, which is not imported.

    Raises:
        FileNotFoundError: if pretty_midi is not installed or comes without it.
    """
    found = importlib.util.find_spec("pretty_midi")
    for folder in (found.submodule_search_locations or []) if found else []:
        for path in sorted(Path(folder).glob("*.sf2")):
            return path
    raise FileNotFoundError("no soundfont to play with: pip install pretty_midi brings one")


def synthesize(
    score: symusic.Score,
    sample_rate: int = SAMPLE_RATE,
    *,
    longest_seconds: float = LONGEST_SECONDS,
) -> Sound:
    """Play a score.

    Args:
        score: in any time unit; without notes it gives a moment of silence.
        sample_rate: in Hz.
        longest_seconds: where the sound is cut.

    Returns:
        ``[1, N]`` float32, mono. The loudest sample is at 0.9 and silence at the end is cut off.
    """
    playable = _playable(score, longest_seconds)
    if playable is None:
        return np.zeros((1, round(EMPTY_SECONDS * sample_rate)), dtype=np.float32)
    mono = _render(playable, sample_rate)
    peak = float(np.abs(mono).max(initial=0.0))
    if peak == 0.0:
        return mono.reshape(1, -1)
    heard = np.flatnonzero(np.abs(mono) > SILENCE * peak)[-1] + 1
    sound: Sound = mono[:heard] * np.float32(PEAK / peak)
    fade = min(heard, round(FADE_SECONDS * sample_rate))
    sound[heard - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    return sound.reshape(1, -1)


def _render(playable: Any, sample_rate: int) -> Sound:
    """What the synthesizer gives, ``[N]``, by way of a higher rate where the notes need one."""
    highest = max(note.pitch for track in playable.tracks for note in track.notes)
    factor = OVERSAMPLING if highest > HIGHEST_PLAIN_PITCH else 1
    synthesizer = symusic.Synthesizer(sf_path=str(soundfont()), sample_rate=factor * sample_rate)
    stereo = np.asarray(synthesizer.render(playable, True), dtype=np.float32)  # [2, N]
    mono: Sound = np.nan_to_num(stereo.mean(axis=0))
    return mono if factor == 1 else _decimated(mono, factor)


def _decimated(sound: Sound, factor: int) -> Sound:
    """Every `factor`-th sample ``[N / factor]``, after a low-pass against aliases."""
    reach = FILTER_TAPS * factor
    taps = np.sinc(np.arange(-reach, reach + 1) / factor) * np.hanning(2 * reach + 1)
    smooth = np.convolve(sound, (taps / taps.sum()).astype(np.float32))[reach:-reach]
    return smooth[::factor].astype(np.float32)


def _playable(score: symusic.Score, longest_seconds: float) -> Any:
    """The score in seconds, cut, without what the synthesizer refuses; ``None`` for no notes."""
    in_seconds: Any = score.to("second").clip(0, longest_seconds, clip_end=True)
    for index in reversed(range(len(in_seconds.tracks))):
        if not len(in_seconds.tracks[index].notes):
            del in_seconds.tracks[index]
    return in_seconds if len(in_seconds.tracks) else None


def wav_bytes(sound: Sound, sample_rate: int = SAMPLE_RATE) -> bytes:
    """A WAV file of 16 bits per sample.

    Args:
        sound: ``[channels, N]`` from -1 to 1; what lies beyond is clipped.
        sample_rate: in Hz.
    """
    whole = np.round(np.clip(sound, -1, 1) * 32767).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(len(whole))
        file.setsampwidth(2)  # bytes
        file.setframerate(sample_rate)
        file.writeframes(whole.T.tobytes())  # channels alternate
    return buffer.getvalue()
