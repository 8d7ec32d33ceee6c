"""The page of a blind listening test, and its key, which stays with whoever gives the test."""

import base64
import hashlib
import json
import math
from pathlib import Path

import numpy as np
import symusic

from symbotunes.evaluation.listening import ratings
from symbotunes.evaluation.listening.design import ListeningTest
from symbotunes.evaluation.listening.questions import HIGHEST, LOWEST, NAMES, QUESTIONS
from symbotunes.files import atomic_write
from symbotunes.render.audio import SAMPLE_RATE, mp3_bytes, synthesize, wav_bytes
from symbotunes.render.templates import asset, data_uri, render

FADE_SECONDS = 2.0
RATING_SECONDS = 20  # that answering four questions takes, on top of listening


def write_listening_test(folder: Path, test: ListeningTest) -> Path:
    """Write ``key.json`` and ``index.html``; returns the page.

    Raises:
        OSError: if the folder cannot be written.
    """
    text = json.dumps(test.key(), indent=2, ensure_ascii=False, allow_nan=False)
    atomic_write(folder / ratings.KEY_FILE, text + "\n")
    page = folder / "index.html"
    atomic_write(page, listening_test_page(test))
    return page


def listening_test_page(test: ListeningTest) -> str:
    """The page as text, with all sound; it loads nothing and names no model."""
    script = asset("listening_test.js")
    count = test.rounds_heard * len(test.rounds[0])
    data = {
        "format": ratings.FORMAT,
        "version": ratings.VERSION,
        "test": test.name,
        "questions": NAMES,
        "seconds": test.seconds,
        "rounds": test.rounds,
        "rounds_heard": test.rounds_heard,
        "sounds": {
            name: data_uri(mp3_bytes(sound_of(piece.score, test.seconds)), "audio/mpeg")
            for name, piece in test.pieces.items()
        },
    }
    return render(
        "listening_test.html",
        styles=["listening_test.css"],
        heading="Listening test",
        facts={},
        remarks=[],
        count=count,
        minutes=math.ceil(count * (test.seconds + RATING_SECONDS) / 60),
        seconds=test.seconds,
        prompt_bars=test.prompt_bars,
        questions=QUESTIONS,
        values=range(LOWEST, HIGHEST + 1),
        data=data,
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(f"\n{script}".encode()).digest()).decode(),
    )


def sound_of(score: symusic.Score, seconds: float) -> bytes:
    """A WAV file of the music, which fades out if it is longer than some seconds."""
    sound = synthesize(score, longest_seconds=seconds)
    if score.to("second").end() > seconds:
        sound = sound[:, : round(seconds * SAMPLE_RATE)]
        fade = min(sound.shape[1], round(FADE_SECONDS * SAMPLE_RATE))
        sound[:, sound.shape[1] - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return wav_bytes(sound)
