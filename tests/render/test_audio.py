import io
import subprocess
import sys
import wave

import numpy as np
import pytest
import soundfile
import symusic

from symbotunes.render.audio import mp3_bytes, soundfont, synthesize, wav_bytes


def test_the_soundfont_is_a_real_one():
    assert soundfont().read_bytes()[8:12] == b"sfbk"


def test_an_a4_sounds_at_440_hz(make_score):
    sound = synthesize(make_score([69, 69, 69, 69], program=73), 22_050)[0]  # a flute
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    peak_hz = np.argmax(spectrum) * 22_050 / len(sound)
    assert peak_hz == pytest.approx(440, abs=4)


def test_four_quarters_at_120_last_two_seconds(make_score):
    sound = synthesize(make_score([60, 62, 64, 65], program=19), 22_050)  # an organ, which holds
    assert sound.shape[0] == 1
    assert sound.dtype == np.float32
    assert sound.shape[1] / 22_050 == pytest.approx(2.0, abs=0.1)


def test_sound_is_loud_but_never_clipped(make_score):
    for pitches in ([60], [60, 60, 72, 84] * 4):
        assert np.abs(synthesize(make_score(pitches))).max() == pytest.approx(0.9, abs=1e-3)


def test_sound_ends_without_a_click_and_without_silence(make_score):
    score = make_score([60, 62])
    score.tracks.append(symusic.Track())
    sound = synthesize(score)[0]
    assert abs(sound[-1]) < 0.001
    assert np.abs(sound[-4410:]).max() > 0.001


@pytest.mark.parametrize("tracks", [0, 1])
def test_a_score_without_notes_is_a_moment_of_silence(tracks):
    score = symusic.Score(480)
    for _ in range(tracks):
        score.tracks.append(symusic.Track())
    sound = synthesize(score)
    assert 0 < sound.shape[1] <= 22_050
    assert not sound.any()


def test_an_endless_note_is_cut(make_score):
    score = make_score([60])
    score.tracks[0].notes.append(symusic.Note(0, 2_000_000_000, 64, 90))
    assert synthesize(score, 8_000, longest_seconds=3).shape[1] <= 3.1 * 8_000


HIGHEST_FIDDLE = """
import symusic
from symbotunes.render.audio import synthesize
score = symusic.Score(480)
score.tracks.append(symusic.Track(program=40))
score.tracks[0].notes.append(symusic.Note(0, 960, 100, 90))
print(synthesize(score).shape[1])
"""


def test_very_high_notes_end_too():
    # In a process that can be killed: at 22,050 Hz the synthesizer would never return from E7.
    command = [sys.executable, "-c", HIGHEST_FIDDLE]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert int(result.stdout) == pytest.approx(22_050, rel=0.1)


def test_a_high_note_keeps_its_pitch(make_score):
    sound = synthesize(make_score([88] * 4, program=73), 22_050)[0]  # E6 of a flute
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    peak_hz = np.argmax(spectrum) * 22_050 / len(sound)
    assert peak_hz == pytest.approx(1318.5, abs=12)


def test_a_wav_holds_16_bits_at_its_rate_and_channels_alternate():
    sound = np.array([[0.0, 0.5, 1.5], [0.0, -0.5, -1.5]], dtype=np.float32)
    with wave.open(io.BytesIO(wav_bytes(sound, 8_000))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 8_000)
        frames = np.frombuffer(file.readframes(3), "<i2")
    assert frames.tolist() == [0, 0, 16384, -16384, 32767, -32767]


@pytest.mark.parametrize("seconds", [20, 33, 60])
def test_an_mp3_sounds_the_same_and_four_of_them_can_be_mailed(seconds):
    rate = 22_050
    times = np.arange(seconds * rate) / rate
    mp3 = mp3_bytes(wav_bytes(0.5 * np.sin(2 * np.pi * 440 * times)[None], rate))
    assert len(mp3) <= 120_300  # and 720,000 for four in base64
    sound, decoded_rate = soundfile.read(io.BytesIO(mp3))
    assert decoded_rate in (16_000, rate)
    assert len(sound) / decoded_rate == pytest.approx(seconds, abs=0.2)
    middle = sound[len(sound) // 4 : 3 * len(sound) // 4]
    assert np.argmax(np.abs(np.fft.rfft(middle))) * decoded_rate / len(middle) == pytest.approx(
        440, abs=1
    )
    assert np.abs(middle).max() == pytest.approx(0.5, abs=0.03)
