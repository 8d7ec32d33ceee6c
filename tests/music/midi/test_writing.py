"""Every program of a score sounds on a channel and port of its own."""

import io
from collections import defaultdict
from pathlib import Path

import mido
import pytest
import symusic

from symbotunes.generation.sample import Sample
from symbotunes.music.midi.piece import MidiPiece
from symbotunes.music.midi.writing import write_midi
from symbotunes.render.forms import FORMS

MANY = Path(__file__).parents[2] / "files" / "midi_cases" / "f21_24_instruments.mid"


def score_of(programs, drums=0):
    """One note a track; drums come first."""
    score = symusic.Score(480)
    for program, is_drum in [(0, True)] * drums + [(program, False) for program in programs]:
        track = symusic.Track(program=program, is_drum=is_drum)
        track.notes.append(symusic.Note(0, 480, 60, 80))
        score.tracks.append(track)
    return score


def sample_of(score):
    return Sample("one", "One", score, None, 1, None, 1, finished=True, seed=0)


def played(content):
    """Programs of the notes on each (port, channel), as a player hears them."""
    heard = defaultdict(set)
    for track in mido.MidiFile(file=io.BytesIO(content)).tracks:
        port, programs = 0, {}
        for event in track:
            if event.type == "midi_port":
                port = event.port
            elif event.type == "program_change":
                programs[event.channel] = event.program
            elif event.type == "note_on" and event.velocity:
                heard[port, event.channel].add(programs.get(event.channel, 0))
    return dict(heard)


@pytest.mark.parametrize(
    ("programs", "drums", "ports", "places"),
    [
        (range(15), 1, 1, 16),
        (range(15), 3, 1, 16),  # drums share a channel
        (range(16), 0, 2, 16),
        (range(40), 1, 3, 41),
        ([*range(14), *range(14)], 0, 1, 14),  # two tracks of each program
        (range(128), 1, 9, 129),
    ],
    ids=["15", "15 and drums", "16", "40", "14 twice", "128"],
)
def test_no_two_programs_share_a_channel(programs, drums, ports, places):
    written = write_midi(score_of(programs, drums))
    heard = played(written.content)
    assert written.ports == ports
    assert len(heard) == places
    assert all(len(on_it) == 1 for on_it in heard.values())
    melodic = [on_it for (_, channel), on_it in heard.items() if channel != 9]
    assert set().union(*melodic) == set(programs)


def test_what_is_written_is_read_again():
    score = score_of(range(40), 1)
    read = MidiPiece("x", write_midi(score).content).score
    tracks = [(t.program, t.is_drum, [(n.time, n.pitch) for n in t.notes]) for t in read.tracks]
    assert tracks == [(0, True, [(0, 60)])] + [(p, False, [(0, 60)]) for p in range(40)]


def test_a_file_with_many_instruments_keeps_them_and_the_reader_is_told():
    score = MidiPiece("x", MANY.read_bytes()).score
    written = FORMS["mid"].write(sample_of(score))
    heard = played(written.content)
    assert sorted(program for (program,) in heard.values()) == [2 + 3 * n for n in range(24)]
    assert written.notes == (
        "24 instruments need 2 MIDI ports; a player with a single port mixes them up",
    )
    assert FORMS["mid"].write(sample_of(score_of(range(5)))).notes == ()
