"""The choices of the authors' sampler, token for token, with their masks."""

from pathlib import Path

import numpy as np
import pytest
import torch

from symbotunes.errors import UserError
from symbotunes.generation.arrival.grammar import EventGrammar
from symbotunes.generation.arrival.sampler import Draw, Task, write_events
from symbotunes.generation.arrival.window import CachedReader, Window, most_triplets
from symbotunes.generation.sequences.settings import Settings
from symbotunes.music.arrival.vocabulary import SIZE, Triplets, as_controls, times
from tests.generation.arrival.authors import ArithmeticNetwork, AuthorsGrammar

VECTORS = np.load(Path(__file__).parents[2] / "files" / "amt" / "sampler.npz")
SCENARIOS = sorted({name.partition("|")[0] for name in VECTORS} - {"autoregressive_baseline"})
GREEDY = Settings(temperature=0.0, max_tokens=10_000)
MOST = 339  # triplets of the authors' window


def triplets(name: str) -> Triplets:
    return VECTORS[name].astype(np.int64).reshape(-1, 3)


def in_order(events: Triplets) -> Triplets:
    return events[np.argsort(events[:, 0], kind="stable")]


def write(network, task, *, grammar=None, slide=1, most=MOST, settings=GREEDY, uniform=None):
    grammar = grammar or EventGrammar()
    window = Window(most, slide, grammar.span)
    uniform = uniform or (lambda: 0.5)
    return write_events(CachedReader(network), task, Draw(grammar, settings, uniform), window)


def scenario(name):
    """The task of a scenario as the authors' sampler prepares it, and the music after its start."""
    start, end = (int(100 * seconds) for seconds in VECTORS[f"{name}|args"])
    inputs, controls = triplets(f"{name}|inputs"), triplets(f"{name}|controls")
    controls = controls[times(controls) >= 5]  # theirs drops earlier ones
    later = inputs[times(inputs) > start]
    given = in_order(np.concatenate([controls, as_controls(later)]))
    lead = 200 if name.endswith("delta_2s") else 500
    return Task(inputs[times(inputs) <= start], given, start, end, lead), later


LONG = pytest.mark.slow("reads a full window hundreds of times")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[LONG] if name.startswith("window_slides") else [])
        for name in SCENARIOS
    ],
)
def test_every_call_and_the_result_are_the_authors(name):
    task, later = scenario(name)
    network = ArithmeticNetwork(step=30 if name.startswith("window_slides") else 45)
    written = write(network, task, grammar=AuthorsGrammar())
    lengths, sums = VECTORS[f"{name}|call_lengths"], VECTORS[f"{name}|call_crc32"]
    assert network.calls == list(zip(lengths.tolist(), sums.tolist(), strict=True))
    result = in_order(np.concatenate([task.before, written.events, later]))
    np.testing.assert_array_equal(result, in_order(triplets(f"{name}|result")))


def test_only_new_ids_are_read_until_the_window_moves():
    network = ArithmeticNetwork(step=45)
    task, _ = scenario("continuation")
    write(network, task)
    assert network.read_at_once == [1 + 3 * 100] + [1] * (len(network.calls) - 1)
    moved = ArithmeticNetwork(step=45)
    write(moved, task, slide=13, most=50)
    # Of 100 triplets, the last 38 are kept; 13 more fit beside an event that is being written.
    assert moved.read_at_once[:40] == [1 + 3 * 38] + [1] * (3 * 13 - 1) + [1 + 3 * 38]


def test_a_silence_that_ends_the_authors_sampler_is_written_across():
    task, _ = scenario("silence_over_100_s")
    assert not len(write(ArithmeticNetwork(step=45), task, grammar=AuthorsGrammar()).events)
    network = ArithmeticNetwork(step=45)
    written = write(network, task)
    assert len(written.events)
    assert written.finished
    assert 15_100 <= written.events[:, 0].min() <= written.events[:, 0].max() < 15_300


def test_whatever_is_drawn_is_music():
    """Of random logits: every id is of its kind, times never go back, instruments are few."""
    generator = torch.Generator().manual_seed(0)

    class Noise(ArithmeticNetwork):
        def _logits(self, x):
            noise = torch.randn(SIZE, generator=generator)
            noise[:10_000] -= torch.arange(10_000) / 200  # times soon after the last one
            noise[20_000:30_000] += 9  # much that is not allowed
            return noise

    given = as_controls(
        np.array([[t, 10_050, 11_000 + 128 * 40 + 60] for t in range(0, 30_000, 700)])
    )
    task = Task(np.zeros((0, 3), np.int64), given, 0, None)
    settings = Settings(max_tokens=600)
    numbers = np.random.default_rng(0)
    network = Noise(step=0)
    written = write(network, task, slide=9, most=60, settings=settings, uniform=numbers.random)
    time, duration, note = written.events.T
    assert written.count == 600
    assert (np.diff(time) >= 0).all()
    assert time.max() > 10_000  # beyond what a window spans
    assert ((duration >= 10_000) & (duration < 11_000)).all()
    assert ((note >= 11_000) & (note < 27_512)).all()
    assert len({*((note - 11_000) // 128).tolist(), 40}) == 16


def test_the_end_of_the_tokens_leaves_a_piece_unfinished():
    task, _ = scenario("from_nothing")
    written = write(
        ArithmeticNetwork(step=45), task, settings=Settings(temperature=0, max_tokens=7)
    )
    assert (written.count, len(written.events), written.finished) == (6, 2, False)


@pytest.mark.parametrize("slide", [0, 340])
def test_a_slide_beyond_the_window_is_refused(slide):
    with pytest.raises(UserError, match=f"sample.slide={slide}: must be from 1 to 339"):
        Window(MOST, slide, None)


@pytest.mark.parametrize(("context", "most"), [(1024, 339), (10, 1), (9, 0)])
def test_a_context_holds_a_flag_and_whole_triplets(context, most):
    if most:
        assert most_triplets(context) == most
    else:
        with pytest.raises(UserError, match="model.net.context must be at least 10"):
            most_triplets(context)
