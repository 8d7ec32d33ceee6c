"""Blocks of triplets across pieces, compared with those that the authors' package writes."""

from pathlib import Path

import numpy as np
import pytest

from symbotunes.music.arrival import blocks as blocks_module
from symbotunes.music.arrival.anticipation import with_controls
from symbotunes.music.arrival.blocks import blocks_of, count_blocks
from symbotunes.music.arrival.vocabulary import ANTICIPATE, AUTOREGRESS, SEPARATOR, events_of

FILES = Path(__file__).parents[2] / "files" / "arrival"
PIECES = ("trio", "solo", "silence", "duo")


def augmented(factor):
    """Each piece `factor` times, with the controls that the authors' generator drew."""
    with np.load(FILES / "blocks.npz") as stored:
        for piece in PIECES:
            events = stored[f"{piece}|events"].astype(np.int64)
            for number in range(factor):
                chosen = np.unpackbits(stored[f"{piece}|{number}"])[: len(events)] > 0
                yield ANTICIPATE if number else AUTOREGRESS, with_controls(events, chosen)


@pytest.mark.parametrize("factor", [1, 10])
@pytest.mark.parametrize("chunk", [341, 2_000, blocks_module.CHUNK])
def test_blocks_are_those_of_the_authors(factor, chunk, monkeypatch):
    monkeypatch.setattr(blocks_module, "CHUNK", chunk)
    blocks = blocks_of(augmented(factor))
    with np.load(FILES / "blocks.npz") as stored:
        assert blocks.tokens.tolist() == stored[f"blocks_{factor}"].tolist()
    assert blocks.dropped == 0


def test_each_block_tells_its_first_and_last_piece():
    blocks = blocks_of(augmented(1))
    # 3 blocks of 341 hold the first three pieces of 700, 110 and 130 notes with 25 rests and
    # separators, and the beginning of the last.
    assert (blocks.first.tolist(), blocks.last.tolist()) == ([0, 0, 0], [0, 0, 3])


def notes_at(times):
    times = np.asarray(times)
    return events_of(times, np.full(len(times), 10), np.full(len(times), 60))


def test_a_block_of_100_s_is_dropped_and_counted_and_the_next_has_its_own_flag():
    slow = notes_at(np.arange(341) * 50)  # 170 s
    fast = notes_at(np.arange(340) * 20 + 12_000)  # 68 s, from 120 s on
    blocks = blocks_of([(ANTICIPATE, slow[:-1]), (AUTOREGRESS, notes_at([0] * 340)), (7, fast)])
    assert (len(blocks.tokens), blocks.dropped) == (1, 2)
    assert blocks.tokens[0, :4].tolist() == [AUTOREGRESS, *[SEPARATOR] * 3]
    assert blocks.first.tolist() == [1]


def test_an_excerpt_from_the_middle_of_a_long_piece_begins_at_0():
    blocks = blocks_of([(AUTOREGRESS, notes_at(np.arange(681) * 20 + 30_000))])
    assert blocks.dropped == 1  # the first: after a separator, times are those of the piece
    (block,) = blocks.tokens
    assert block[1::3].tolist() == [20 * at for at in range(341)]
    assert block[0] == AUTOREGRESS


def test_blocks_are_counted_with_a_separator_for_each_piece():
    assert count_blocks(np.array([340])) == 1
    assert count_blocks(np.array([339])) == 0
    assert count_blocks(np.array([339, 341])) == 2
    assert blocks_of([]).tokens.shape == (0, 1024)
