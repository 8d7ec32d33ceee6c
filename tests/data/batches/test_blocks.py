"""Batches of blocks of a small folder of MIDI files."""

from itertools import islice

import numpy as np
import pytest

from symbotunes.data.module import MusicData
from symbotunes.data.receipt import BlockCount
from symbotunes.datasets.base import DatasetError
from symbotunes.datasets.midi_folder import MidiFolder
from symbotunes.errors import UserError
from symbotunes.music.arrival.blocks import blocks_of
from symbotunes.music.arrival.clock import unwrapped
from symbotunes.music.arrival.vocabulary import ANTICIPATE, AUTOREGRESS
from symbotunes.render.console import receipt_table
from symbotunes.tokenizers.arrival import ArrivalTimes
from symbotunes.tokenizers.performance import Performance
from symbotunes.transforms.anticipate import Anticipate
from symbotunes.transforms.base import Chain
from symbotunes.transforms.cuts import Crop
from tests.music.events import midi, notes, program

TOKENIZER = ArrivalTimes()
FILES, NOTES = 12, 400  # of each file, at four a second on two instruments


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("midi")
    random = np.random.default_rng(0)
    for number in range(FILES):
        pitches = random.integers(40, 80, NOTES).tolist()
        spans = [(120 * at, 120 * at + 60, pitch) for at, pitch in enumerate(pitches)]
        violin = [program(0, 40, 1), *notes(*spans[1::2], channel=1)]
        data = midi(notes(*spans[::2]), violin, ticks_per_quarter=240)
        (folder / f"{number:02d}.mid").write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def data_of(folder, cache):
    def make(*steps, path=folder, **changes):
        options = {
            "batch_size": 2,
            "split": {"val": 0.2, "test": 0.0, "by": "content"},
            "min_tokens": 1,
            "max_tokens": None,
            "workers": 0,
            "prepare_workers": 0,
            "seed": 0,
            "blocks": True,
        }
        chain = Chain(dict(steps or [("arrival_times", TOKENIZER)]))
        where = {"corpus": MidiFolder(path), "cache": cache, "key": str(path)}
        data = MusicData(chain=chain, **where, **(options | changes))
        data.prepare_data()
        chain.bind()
        return data

    return make


@pytest.fixture
def plain(data_of):
    return data_of()


@pytest.fixture
def anticipating(data_of):
    return data_of(("arrival_times", TOKENIZER), ("anticipate", Anticipate()))


def tokens_of(loader):
    return [batch.tokens.tolist() for batch in loader]


def rows_of(loader):
    return [tuple(row) for batch in tokens_of(loader) for row in batch]


def test_held_out_blocks_are_those_of_the_pieces_in_their_order(plain):
    examples = plain.encoded.examples("val")
    pieces = [plain.encoded.example(index).astype(int).reshape(-1, 3) for index in examples]
    expected = blocks_of((AUTOREGRESS, unwrapped(triplets)) for triplets in pieces)
    loader = plain.val_dataloader()
    rows = rows_of(loader)
    assert sorted(rows) == sorted(map(tuple, expected.tokens.tolist()))
    assert len(rows) == sum(NOTES + 1 for _ in pieces) // 341 >= 2
    assert rows_of(loader) == rows  # the same in every validation
    assert plain.held_out_examples("val", len(loader)).tolist() == examples.tolist()


def test_an_epoch_has_all_training_pieces_and_another_order_than_the_next(plain):
    loader = plain.train_dataloader()
    first, second = tokens_of(loader), tokens_of(loader)
    count = len(plain.encoded.examples("train")) * (NOTES + 1) // 341
    assert [sum(map(len, epoch)) for epoch in (first, second)] == [count, count]
    assert len(loader) == len(first) == len(second) == -(-count // 2)
    assert first != second
    assert {(len(row), row[0]) for batch in first for row in batch} == {(1024, AUTOREGRESS)}


def test_blocks_are_counted_by_split_and_those_of_100_s_or_more_as_left_out(data_of, tmp_path):
    rows = {"fast": 120, "slow": 320}  # ticks from note to note, 480 of which are a second
    for name, step in rows.items():
        spans = [(step * at, step * at + 60, 60 + at % 12) for at in range(682)]
        (tmp_path / f"{name}.mid").write_bytes(midi(notes(*spans), ticks_per_quarter=240))
    data = data_of(path=tmp_path, split={"val": 0.0, "test": 0.0, "by": "content"})
    # 1,366 triplets, separators included, make 4 blocks: two of the first piece, and two of the
    # second, of which one begins with the last note of the first. A block of the slow piece lasts
    # at least 338 * 2 / 3 s = 225 s, one of the fast piece 85 s.
    assert data.count_blocks() == {
        "train": BlockCount(kept=2, dropped=2),
        "val": BlockCount(0, 0),
        "test": BlockCount(0, 0),
    }
    table = receipt_table(data.encoded.receipt, "music", blocks=data.count_blocks())
    printed = [list(column.cells) for column in table.columns]
    assert ("blocks of 341 for train", "2", "2,046") in zip(printed[0], *printed[2:], strict=True)
    assert ("blocks left out: 100 s or more", "2") in zip(printed[0], printed[2], strict=True)
    assert data_of(blocks=False).count_blocks() == {}


def test_the_same_seed_gives_the_same_blocks_with_controls(anticipating):
    first, same = (tokens_of(anticipating.train_dataloader()) for _ in range(2))
    assert first == same
    flags = {row[0] for batch in first for row in batch}
    assert ANTICIPATE in flags <= {AUTOREGRESS, ANTICIPATE}
    anticipating.seed = 6
    assert first != tokens_of(anticipating.train_dataloader())


def test_held_out_pieces_have_no_controls(anticipating, plain):
    assert rows_of(anticipating.val_dataloader()) == rows_of(plain.val_dataloader())


def test_a_training_goes_on_in_the_middle_of_an_epoch(anticipating):
    loader = anticipating.train_dataloader()
    tokens_of(loader)  # the first epoch
    second = tokens_of(loader)
    for done in (0, 1, len(loader) - 1):
        resumed = anticipating.train_dataloader()
        resumed.load_state_dict({"epoch": 1, "done": done})
        assert tokens_of(resumed) == second[done:]
    interrupted = anticipating.train_dataloader()
    assert list(islice(interrupted, 2))
    assert interrupted.state_dict() == {"epoch": 0, "done": 2}


def test_processes_share_the_blocks(anticipating):
    whole = rows_of(anticipating.train_dataloader())
    shares = [rows_of(anticipating.train_dataloader(rank=rank, processes=2)) for rank in range(2)]
    assert set(shares[0]) | set(shares[1]) <= set(whole)
    assert not set(shares[0]) & set(shares[1])


def test_loader_processes_give_the_same_blocks(anticipating):
    alone = tokens_of(anticipating.train_dataloader())
    anticipating.workers = 1
    assert tokens_of(anticipating.train_dataloader()) == alone


def test_what_cannot_be_cut_into_blocks_is_refused(data_of, tmp_path):
    with pytest.raises(UserError, match="loader=blocks cuts arrival times, not"):
        data_of(("performance", Performance()))
    with pytest.raises(UserError, match="leave the last step out of"):
        data_of(("arrival_times", TOKENIZER), ("crop", Crop()))
    with pytest.raises(UserError, match="anticipate needs loader=blocks"):
        data_of(("arrival_times", TOKENIZER), ("anticipate", Anticipate()), blocks=False)
    with pytest.raises(UserError, match="do not apply to blocks"):
        data_of(pack=True)
    (tmp_path / "short.mid").write_bytes(
        midi(notes(*((at * 60, at * 60 + 9, 60) for at in range(120))), ticks_per_quarter=240)
    )
    with pytest.raises(DatasetError, match="make no block of 341"):
        data_of(path=tmp_path).train_dataloader()
