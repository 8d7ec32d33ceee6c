"""Audio of a score: General MIDI with the soundfont that pretty_midi includes."""

import importlib.util
import io
import wave
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import symusic
from numpy.typing import NDArray

SAMPLE_RATE = 22_050  # Hz; keeps partials up to 11 kHz at half the size of CD quality
LONGEST_SECONDS = 180.0  # pages contain their audio, so its size must be limited
PEAK = 0.9  # of full scale, so that rounding and resampling cannot clip
SILENCE = 1e-3  # of the peak, -60 dB: anything below is inaudible at the end
FADE_SECONDS = 0.02  # the synthesizer stops with the last note, which would click
EMPTY_SECONDS = 0.25  # of silence, for a score without notes
HIGHEST_PLAIN_PITCH = 87  # above it, symusic's synthesizer may hang at 22,050 Hz
OVERSAMPLING = 4  # at 88,200 Hz, every pitch of every program was tried and returns
MP3_KBPS = (32, 24, 16)  # the first of these at which the sound fits in ...
MP3_BYTES = 120_000  # ... so that a page of four tunes can be mailed
MP3_EFFORT = (
    5  # LAME's quality, from 0 (slowest) to 9; lower ones do not sound better at such rates
)
FILTER_TAPS = 32  # on each side, for each factor of oversampling

Sound = NDArray[np.float32]


@cache
def soundfont() -> Path:
    """The General MIDI soundfont among the files of pretty_midi; does not import it.

    Raises:
        FileNotFoundError: if pretty_midi is not installed, or does not include it.
    """
    spec = importlib.util.find_spec("pretty_midi")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).glob("*.sf2")):
            return path
    raise FileNotFoundError("there is no soundfont: install pretty_midi, which includes one")


def synthesize(
    score: symusic.Score,
    sample_rate: int = SAMPLE_RATE,
    *,
    longest_seconds: float = LONGEST_SECONDS,
) -> Sound:
    """Play a score.

    Args:
        score: in any time unit; without notes, the result is a moment of silence.
        sample_rate: in Hz.
        longest_seconds: where the sound is cut.

    Returns:
        ``[1, N]`` float32, mono. The peak is 0.9; silence at the end is cut off.
    """
    playable = _playable(score, longest_seconds)
    if playable is None:
        return np.zeros((1, round(EMPTY_SECONDS * sample_rate)), dtype=np.float32)
    mono = _render(playable, sample_rate)
    peak = float(np.abs(mono).max(initial=0.0))
    if peak == 0.0:
        return mono.reshape(1, -1)
    end = np.flatnonzero(np.abs(mono) > SILENCE * peak)[-1] + 1
    sound: Sound = mono[:end] * np.float32(PEAK / peak)
    fade = min(end, round(FADE_SECONDS * sample_rate))
    sound[end - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    return sound.reshape(1, -1)


def _render(playable: Any, sample_rate: int) -> Sound:
    """The synthesizer's output ``[N]``, via a higher sample rate if the notes need one."""
    highest = max(note.pitch for track in playable.tracks for note in track.notes)
    factor = OVERSAMPLING if highest > HIGHEST_PLAIN_PITCH else 1
    synthesizer = symusic.Synthesizer(sf_path=str(soundfont()), sample_rate=factor * sample_rate)
    stereo = np.asarray(synthesizer.render(playable, True), dtype=np.float32)  # [2, N]
    mono: Sound = np.nan_to_num(stereo.mean(axis=0))
    return mono if factor == 1 else _decimated(mono, factor)


def _decimated(sound: Sound, factor: int) -> Sound:
    """Every `factor`-th sample ``[N / factor]``, after a low-pass filter against aliasing."""
    reach = FILTER_TAPS * factor
    taps = np.sinc(np.arange(-reach, reach + 1) / factor) * np.hanning(2 * reach + 1)
    smooth = np.convolve(sound, (taps / taps.sum()).astype(np.float32))[reach:-reach]
    return smooth[::factor].astype(np.float32)


def _playable(score: symusic.Score, longest_seconds: float) -> Any:
    """The score in seconds, cut, without empty tracks; ``None`` if there are no notes."""
    in_seconds: Any = score.to("second").clip(0, longest_seconds, clip_end=True)
    for index in reversed(range(len(in_seconds.tracks))):
        if not len(in_seconds.tracks[index].notes):
            del in_seconds.tracks[index]
    return in_seconds if len(in_seconds.tracks) else None


def wav_bytes(sound: Sound, sample_rate: int = SAMPLE_RATE) -> bytes:
    """A WAV file of 16 bits per sample.

    Args:
        sound: ``[channels, N]`` from -1 to 1; other values are clipped.
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


def mp3_bytes(wav: bytes) -> bytes:
    """A WAV file of 16 bits per sample as an MP3 file, about a twelfth of the size.

    MP3 and not Opus, because versions of Safari before 18.4 cannot play Opus in Ogg.

    Raises:
        ImportError: if there is no encoder.
        RuntimeError: if the encoder fails.
    """
    import lameenc

    with wave.open(io.BytesIO(wav)) as file:
        channels, rate, frames = file.getnchannels(), file.getframerate(), file.getnframes()
        sound = file.readframes(frames)
    encoder = lameenc.Encoder()
    encoder.silence()  # no log on standard output
    encoder.set_channels(channels)
    encoder.set_in_sample_rate(rate)
    encoder.set_bit_rate(_bit_rate(frames / rate))
    encoder.set_quality(MP3_EFFORT)
    return bytes(encoder.encode(sound) + encoder.flush())


def _bit_rate(seconds: float) -> int:
    """Bits per second, in thousands: the highest that keeps a sound within `MP3_BYTES`."""
    fitting = (rate for rate in MP3_KBPS if seconds * rate * 1000 / 8 <= MP3_BYTES)
    return next(fitting, MP3_KBPS[-1])
