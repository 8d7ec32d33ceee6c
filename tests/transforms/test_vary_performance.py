"""Random speeds and keys of performance events."""

import numpy as np
import pytest
import torch

from symbotunes.errors import UserError
from symbotunes.music.performance.events import EventLayout, EventNotes
from symbotunes.tokenizers.performance import Performance
from symbotunes.tokenizers.windows import Melody
from symbotunes.transforms.vary_performance import VaryPerformance

LAYOUT = EventLayout(32)
IDS = LAYOUT.encode(
    EventNotes(*(np.array(v) for v in ([0, 50, 203], [49, 51, 260], [60, 67, 64], [20, 20, 9])))
)


def vary(factors=(1.0,), semitones=(0,)):
    step = VaryPerformance(factors, semitones)
    step.bind(Performance())
    return step


def draws(step, ids=IDS, count=40):
    return [step(ids, torch.Generator().manual_seed(seed)) for seed in range(count)]


def test_times_are_stretched_and_rounded_half_up():
    (ids,) = draws(vary([1.05]), count=1)
    notes = LAYOUT.notes(ids)
    assert notes.start.tolist() == [0, 53, 213]  # 52.5 and 213.15
    assert notes.end.tolist() == [51, 54, 273]  # 51.45, 53.55 and 273
    assert notes.bins.tolist() == [20, 20, 9]


def test_no_note_vanishes_at_a_faster_speed():
    for ids in draws(vary([0.25, 0.5])):
        notes = LAYOUT.notes(ids)
        assert (notes.end > notes.start).all()
        assert len(notes.start) == 3


def test_every_interval_is_drawn_and_velocities_stay():
    pitches = {tuple(LAYOUT.notes(ids).pitch.tolist()) for ids in draws(vary([1.0], [-3, 0, 3]))}
    assert pitches == {(57, 64, 61), (60, 67, 64), (63, 70, 67)}


def test_no_note_leaves_the_range_of_midi():
    low = LAYOUT.encode(EventNotes(*(np.array([v]) for v in (0, 9, 2, 1))))
    drawn = {int(LAYOUT.notes(ids).pitch[0]) for ids in draws(vary([1.0], [-3, -2, 2]), low)}
    assert drawn == {0, 4}
    assert {int(LAYOUT.notes(ids).pitch[0]) for ids in draws(vary([1.0], [-3]), low)} == {2}


def test_no_note_leaves_the_range_of_the_tokenizer():
    piano = Performance(pitches=(21, 108), reserved=2)
    step = VaryPerformance([1.0], [-3, 0, 12])
    step.bind(piano)
    high = piano.layout.encode(EventNotes(*(np.array([v]) for v in (0, 9, 100, 1))))
    drawn = {int(piano.layout.notes(ids).pitch[0]) for ids in draws(step, high)}
    assert drawn == {97, 100}


def test_an_unchanged_example_keeps_its_events():
    assert draws(vary(), count=1)[0].tolist() == IDS.tolist()


def test_the_same_seed_gives_the_same_version():
    step = vary([0.95, 1.05], [-1, 1])
    one, other = (
        [ids.tolist() for ids in draws(step)],
        [ids.tolist() for ids in draws(step)],
    )
    assert one == other
    assert len({tuple(ids) for ids in one}) == 4


def test_an_example_becomes_no_longer():
    long = LAYOUT.encode(
        EventNotes(np.arange(0, 990, 99), np.arange(99, 1089, 99), np.arange(10), np.ones(10, int))
    )
    assert all(len(ids) <= len(long) for ids in draws(vary([1.05]), long))


def test_a_cut_piece_keeps_its_open_notes():
    (ids,) = draws(vary([1.05]), IDS[:3], count=1)
    assert LAYOUT.notes(ids).pitch.tolist() == [60]


def test_windows_have_no_events_to_vary():
    with pytest.raises(UserError, match="needs transforms=.performance"):
        VaryPerformance([1.0], [0]).bind(Melody())


@pytest.mark.parametrize("values", [([], [0]), ([1.0], []), ([5.0], [0])])
def test_values_out_of_range_are_refused(values):
    with pytest.raises(UserError, match=r"transforms\.vary_performance"):
        VaryPerformance(*values)
