"""A whole network against what the authors' package computes with it."""

import numpy as np
import pytest
import torch

from symbotunes.generation.arrival.grammar import EventGrammar
from symbotunes.generation.arrival.lockstep import LockstepReader
from symbotunes.generation.arrival.sampler import (
    Draw,
    Task,
    write_events,
    write_together,
    writing,
)
from symbotunes.generation.arrival.window import CachedReader, Window
from symbotunes.generation.sequences.settings import Settings
from symbotunes.models.base import Batch
from tests.generation.arrival.authors import AuthorsGrammar
from tests.generation.arrival.formula import FILES, VECTORS, formula_network

NOTHING = np.zeros((0, 3), np.int64)
UNIFORM = np.load(FILES / "uniform.npz")


def write(reader, task, grammar, *, slide=1, temperature=0.0, max_tokens=3000, most=339):
    settings = Settings(temperature=temperature, max_tokens=max_tokens)
    draws = Draw(grammar, settings, np.random.default_rng(0).random)
    with torch.inference_mode():
        return write_events(reader, task, draws, Window(most, slide, grammar.span))


def test_its_logits_and_loss_are_those_of_a_block():
    net = formula_network()
    np.testing.assert_array_equal(net.embed.weight[:3].detach(), VECTORS["wte_first_rows"])
    ids = torch.from_numpy(VECTORS["ids"][:1].astype(np.int64))
    columns = torch.from_numpy(VECTORS["columns"]).long()
    with torch.no_grad():
        logits = net(ids)[0]
        loss = net.loss(Batch(ids, torch.tensor([1024])))
    expected = VECTORS["logits_every_64th_position"][0]
    np.testing.assert_allclose(logits[::64, columns], expected, rtol=0, atol=1e-4)
    assert loss.objective.item() == pytest.approx(VECTORS["nats"][0].mean(), abs=1e-5)


@pytest.mark.parametrize("name", ["from_nothing", "with_controls"])
def test_greedy_events_are_the_authors(name):
    given, end = NOTHING, 9500
    if name == "with_controls":
        end = 6000
        moments = np.arange(100, end, 400)
        note = 27_513 + 11_000 + 72
        given = np.stack(
            [27_513 + moments, np.full_like(moments, 37_563), np.full_like(moments, note)], 1
        )
    reader = CachedReader(formula_network())
    written = write(reader, Task(NOTHING, given, 0, end), AuthorsGrammar())
    np.testing.assert_array_equal(written.events.flatten(), VECTORS[f"greedy_{name}"])


@pytest.mark.parametrize("row", range(3))
def test_events_drawn_with_a_table_of_random_numbers_are_the_authors(row):
    tokens, uniform = UNIFORM["tokens"][row], iter(UNIFORM["uniform"][row].tolist())
    settings = Settings(top_p=0.95, max_tokens=tokens.size)
    draws = Draw(AuthorsGrammar(), settings, lambda: next(uniform))
    reader = CachedReader(formula_network())
    with torch.inference_mode():
        written = write_events(reader, Task(NOTHING, NOTHING, 0, None), draws, Window(339, 1, None))
    np.testing.assert_array_equal(written.events, tokens)


class WholeReader:
    """Reads everything anew for every id."""

    def logits_after(self, ids):
        return formula_network()(torch.tensor([ids]))[0, -1].double()


@pytest.mark.parametrize("slide", [1, 3])
def test_cached_sampling_draws_what_uncached_sampling_draws(slide):
    task = Task(NOTHING, NOTHING, 0, None)
    settings = {"slide": slide, "temperature": 1.0, "max_tokens": 60, "most": 8}
    cached = write(CachedReader(formula_network()), task, EventGrammar(), **settings)
    whole = write(WholeReader(), task, EventGrammar(), **settings)
    np.testing.assert_array_equal(cached.events, whole.events)
    assert cached.nll_nats == pytest.approx(whole.nll_nats, abs=1e-3)


@pytest.mark.parametrize("end", [None, 3000])
def test_pieces_written_together_are_those_written_alone(end):
    task = Task(NOTHING, NOTHING, 0, end)

    def parts(seed):
        draws = Draw(EventGrammar(), Settings(max_tokens=60), np.random.default_rng(seed).random)
        return task, draws, Window(8, 3, 3000)

    net = formula_network()
    with torch.inference_mode():
        alone = [write_events(CachedReader(net), *parts(seed)) for seed in range(3)]
        reader = LockstepReader(net, 3)
        together = write_together(reader, [writing(*parts(seed)) for seed in range(3)])
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.events, other.events)
        assert one.nll_nats == pytest.approx(other.nll_nats, abs=1e-3)
        assert one.finished == other.finished == (end is not None)
    assert len({len(one.events) for one in alone}) > 1 or end is None
    assert not reader.groups  # all have ended


def test_pieces_share_a_cache_until_the_window_of_one_moves():
    net = formula_network()
    reader = LockstepReader(net, 3)
    first = [[55026, 5, 10_010, 11_060], [55026, 6, 10_010, 11_060], [55026, 7, 10_010, 11_060]]
    with torch.inference_mode():
        reader.logits_after(dict(enumerate(first)))
        assert [group.members for group in reader.groups] == [[0, 1, 2]]
        moved = {0: [*first[0], 9], 1: [55026, 0], 2: [*first[2], 9]}
        logits = reader.logits_after(moved)
        assert sorted(group.members for group in reader.groups) == [[0, 2], [1]]
        for number, ids in moved.items():
            expected = CachedReader(net).logits_after(ids)
            torch.testing.assert_close(logits[number], expected, rtol=0, atol=1e-4)
