"""An engraver that stays draws as one that is started each time, and outlives what goes wrong."""

import os
import re
import signal
import threading

import pytest

from symbotunes.render.notation import warm
from symbotunes.render.notation.notation import EngravingError, plain_midi, run_engraver
from symbotunes.render.notation.timed import timed_abc
from symbotunes.render.notation.warm import WarmEngraver

TUNE = b"X:1\nT:t\nM:4/4\nL:1/8\nK:C\nc4 e4 | g8 |]\n"


@pytest.fixture
def engraver():
    engraver = WarmEngraver()
    yield engraver
    engraver.close()


def test_it_draws_the_same(engraver, jig):
    for _ in range(2):
        assert timed_abc(jig, engraver.run) == timed_abc(jig)
    arguments = ("abc", TUNE, "1,2")
    drawings = [run(*arguments)[0].decode() for run in (engraver.run, run_engraver)]
    # Not the names of elements, which depend on what was drawn before.
    places = re.compile(r'\b(?:d|x|y|points|transform)="[^"]*"')
    before, after = map(places.findall, drawings)
    assert len(before) > 20
    assert before == after


def test_scores_come_from_the_same_process(engraver, make_score):
    kind, midi, _ = plain_midi(make_score([60, 64]))
    engraver.run("abc", TUNE, "")
    process = engraver._process
    assert b"<svg" in engraver.run(kind, midi, "")[0]
    assert engraver._process is process


def test_music_that_cannot_be_read_costs_only_itself(engraver):
    for kind in ("abc", "sixteenths"):
        with pytest.raises(EngravingError, match="cannot read this"):
            engraver.run(kind, b"\xff\xfe", "")
    assert engraver.run("abc", TUNE, "")[0]


def test_a_crash_costs_only_one_drawing(engraver):
    engraver.run("abc", TUNE, "")
    os.kill(engraver._process.pid, signal.SIGSEGV)
    with pytest.raises(EngravingError, match="verovio crashed on this ABC"):
        engraver.run("abc", TUNE, "")
    assert engraver.run("abc", TUNE, "")[0]


def test_what_takes_too_long_is_ended(engraver, monkeypatch):
    engraver.run("abc", TUNE, "")
    monkeypatch.setattr(warm, "PATIENCE_SECONDS", 0.1)
    os.kill(engraver._process.pid, signal.SIGSTOP)
    with pytest.raises(EngravingError, match="verovio took more than"):
        engraver.run("abc", TUNE, "")
    monkeypatch.setattr(warm, "PATIENCE_SECONDS", 60)
    assert engraver.run("abc", TUNE, "")[0]


def test_threads_take_turns_and_processes_are_replaced(engraver, monkeypatch):
    monkeypatch.setattr(warm, "MOST_REQUESTS", 3)
    drawings = []
    threads = [
        threading.Thread(target=lambda: drawings.append(engraver.run("abc", TUNE, "")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert drawings == [run_engraver("abc", TUNE, "")] * 8
