"""Masks: the authors' from their tables, and what ours closes."""

from pathlib import Path

import numpy as np
import pytest
import torch

from symbotunes.generation.arrival.grammar import RESTS, EventGrammar
from symbotunes.generation.arrival.sampler import instrument_of
from symbotunes.generation.sequences.filters import restrict
from tests.generation.arrival.authors import AuthorsGrammar

MASKS = np.load(Path(__file__).parents[2] / "files" / "amt" / "masks.npz")
HISTORIES = sorted(name.removeprefix("history_") for name in MASKS if name.startswith("history_"))
TIMES = sorted(name for name in MASKS if name.startswith("time_slot_"))
REST = 27_512


def ids(ranges):
    return {index for part in ranges for index in part}


def table(name):
    return ids(range(start, end) for start, end in MASKS[name].tolist())


def history(name):
    triplets = MASKS[f"history_{name}"].reshape(-1, 3).tolist()
    return {instrument_of(tuple(triplet)) for triplet in triplets}


@pytest.mark.parametrize("slot", [0, 1, 2])
def test_slots_are_the_authors_but_for_rests_in_the_first_two(slot):
    assert ids(AuthorsGrammar().allowed(slot, 0, set())) == table(f"slot_{slot}")
    ours = table(f"slot_{slot}") - ({REST} if slot < 2 else set())
    assert ids(EventGrammar().allowed(slot, 0, set())) == ours


@pytest.mark.parametrize("name", TIMES)
def test_times_before_the_last_one_are_closed(name):
    earliest = int(name.rpartition("_")[2])
    assert ids(AuthorsGrammar().allowed(0, earliest, set())) == table(name)
    assert ids(EventGrammar().allowed(0, earliest, set())) == table(name) - {REST}


@pytest.mark.parametrize("name", HISTORIES)
def test_the_authors_count_rests_among_fifteen_instruments(name):
    assert ids(AuthorsGrammar().allowed(2, 0, history(name))) == table(f"note_slot_{name}")


def test_sixteen_instruments_are_the_most_and_rests_are_none():
    fifteen = {*range(14), 128, RESTS}
    grammar = EventGrammar()
    assert ids(grammar.allowed(2, 0, fifteen)) == set(range(11_000, 27_513))
    sixteen = fifteen | {100}
    notes = {11_000 + 128 * n + pitch for n in sixteen - {RESTS} for pitch in range(128)}
    assert ids(grammar.allowed(2, 0, sixteen)) == notes | {REST}


@pytest.mark.parametrize("fraction", ["0.0", "0.5", "0.9", "0.98"])
def test_the_nucleus_keeps_the_token_that_crosses_its_fraction(fraction):
    logits = torch.from_numpy(MASKS[f"nucleus_logits_{fraction}"]).double()
    temperature, top_p = (1.0, float(fraction)) if float(fraction) else (0.0, 1.0)
    kept = restrict(logits, temperature=temperature, top_k=0, top_p=top_p).isfinite()
    assert set(kept.nonzero()[:, 0].tolist()) == set(MASKS[f"nucleus_kept_{fraction}"].tolist())
