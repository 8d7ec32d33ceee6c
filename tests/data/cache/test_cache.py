"""Caches on disk: opening, damage, names, listing and cleaning."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from symbotunes.data.cache.arrays import GrowingArray, ShardWriter, flat_index, smallest_dtype
from symbotunes.data.cache.encoded import load
from symbotunes.data.preparation import inventory
from symbotunes.data.preparation.fingerprint import code_hash, modules_of
from symbotunes.data.preparation.inventory import clean, entries
from symbotunes.errors import UserError
from symbotunes.transforms.base import Chain
from tests.data.letters import Letters, Pairs


def test_opening_maps_the_arrays_and_reads_none_of_them(corpus_of, encoded_of, monkeypatch):
    encoded, _ = encoded_of(corpus_of(["abc", "bca"]))
    (encoded.folder / "names.txt").chmod(0)
    modes = []
    original = np.load
    monkeypatch.setattr(np, "load", lambda *a, **k: modes.append(k) or original(*a, **k))
    opened = load(encoded.folder)
    assert modes == [{"mmap_mode": "r"}] * 5  # ids, starts, splits, pieces, families
    arrays = (*opened.shards, opened.starts, opened.splits, opened.owners)
    assert all(isinstance(array.base, np.memmap) for array in arrays)
    assert not any(array.flags.writeable for array in arrays)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "ids-00000.npy").write_bytes(b""),
        lambda folder: (folder / "starts.npy").unlink(),
        lambda folder: (folder / "about.json").write_text('{"format": 1}'),
        lambda folder: (folder / "about.json").write_text("{"),
        lambda folder: (folder / "about.json").unlink(),
        lambda folder: (folder / "splits.npy").write_bytes(
            bytes((folder / "splits.npy").stat().st_size)
        ),
    ],
    ids=["empty", "missing", "old format", "no JSON", "no index", "no array"],
)
def test_a_damaged_cache_is_made_anew_with_one_line(corpus_of, encoded_of, capsys, damage):
    corpus = corpus_of(["abc", "bca"])
    encoded, _ = encoded_of(corpus)
    damage(encoded.folder)
    again, _ = encoded_of(corpus)
    assert corpus.reads == 2
    assert again.example(1).tolist() == [1, 2, 0]
    lines = "".join(capsys.readouterr().err.split("\n"))
    assert lines.count("is damaged") == 1
    encoded_of(corpus)
    assert corpus.reads == 2


@pytest.mark.parametrize(
    ("largest", "expected"), [(255, "u1"), (256, "u2"), (65_535, "u2"), (65_536, "u4")]
)
def test_ids_take_no_more_bytes_than_they_need(largest, expected):
    assert smallest_dtype(largest) == np.dtype(expected)


def test_an_array_that_grew_reads_back(tmp_path):
    with GrowingArray(tmp_path / "a.npy", np.int16, columns=3) as array:
        for count in (2, 0, 5):
            array.append(np.full((count, 3), count))
    assert np.load(tmp_path / "a.npy").tolist() == [[2] * 3] * 2 + [[5] * 3] * 5


def test_no_example_straddles_two_shards(tmp_path):
    writer = ShardWriter(tmp_path, np.uint8, fields=1, limit_bytes=10)
    writer.append(np.arange(25), np.array([4, 6, 3, 12]))
    writer.append(np.arange(25, 31), np.array([6]))
    writer.close()
    shards = [np.load(path).tolist() for path in sorted(tmp_path.iterdir())]
    assert shards == [
        list(range(10)),
        [10, 11, 12],
        list(range(13, 25)),
        list(range(25, 31)),
    ]
    assert writer.sizes == [10, 3, 12, 6]


def test_stretches_are_indexed_end_to_end():
    assert flat_index(np.array([5, 0, 9]), np.array([2, 0, 3])).tolist() == [5, 6, 9, 10, 11]
    assert flat_index(np.array([], int), np.array([], int)).tolist() == []


def test_changed_code_never_reads_an_old_cache(tmp_path, monkeypatch):
    package = tmp_path / "strange_steps"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "step.py").write_text("def f():\n    from strange_steps import below\n")
    (package / "below.py").write_text("import json\nVALUE = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    first = code_hash(["strange_steps.step"])
    assert code_hash(["strange_steps.step"]) == first
    (package / "below.py").write_text("import json\nVALUE = 2\n")
    second = code_hash(["strange_steps.step"])
    (package / "step.py").write_text("from strange_steps import below\n")
    assert len({first, second, code_hash(["strange_steps.step"])}) == 3


def test_code_reaches_from_a_tokenizer_to_the_reader_below_it(monkeypatch):
    before = code_hash(["symbotunes.tokenizers.abc"])
    read = Path.read_bytes
    monkeypatch.setattr(
        Path,
        "read_bytes",
        lambda path: b"" if path.parts[-2:] == ("abc", "reader.py") else read(path),
    )
    assert code_hash(["symbotunes.tokenizers.abc"]) != before


def test_the_code_of_what_a_corpus_holds_counts(corpus_of):
    both = type("Both", (), {"__module__": "tests.elsewhere"})()
    both.corpora = {"one": [corpus_of([])]}
    assert modules_of([both]) == ["tests.data.letters", "tests.elsewhere"]


def test_a_changed_step_makes_another_cache(corpus_of, encoded_of, monkeypatch):
    corpus = corpus_of(["abc"])
    first, _ = encoded_of(corpus)
    monkeypatch.setattr(Letters, "SCHEMA", 2)
    second, _ = encoded_of(corpus)
    monkeypatch.setattr("symbotunes.data.preparation.fingerprint.code_hash", lambda _: "other code")
    third, _ = encoded_of(corpus)
    monkeypatch.setattr(
        "symbotunes.data.preparation.fingerprint.versions", lambda: {"symusic": "99"}
    )
    fourth, _ = encoded_of(corpus)
    assert len({each.fingerprint for each in (first, second, third, fourth)}) == 4


def test_caches_are_listed_last_used_first(corpus_of, encoded_of):
    one, _ = encoded_of(corpus_of(["abc", "ab"]))
    two, _ = encoded_of(corpus_of(["abcdefgh"]), chain=Chain({"pairs": Pairs()}))
    os.utime(one.folder / "about.json", (0, 0))
    first, second = entries(one.folder.parent)
    assert (first.fingerprint, first.transforms, first.examples) == (two.fingerprint, "pairs", 2)
    assert (second.dataset, second.transforms, second.examples) == ("Words", "letters", 2)
    assert second.bytes == sum(path.stat().st_size for path in one.folder.iterdir())
    assert second.used.year == 1970 or second.used.year == 1969
    assert not first.stale
    load(one.folder)
    assert entries(one.folder.parent)[0].fingerprint == one.fingerprint


def test_stale_caches_are_those_that_no_run_reads_again(corpus_of, encoded_of, monkeypatch):
    good, _ = encoded_of(corpus_of(["abc"]))
    cache = good.folder.parent
    old, _ = encoded_of(corpus_of(["abcd"]))
    damaged, _ = encoded_of(corpus_of(["abcde"]))
    (damaged.folder / "starts.npy").unlink()
    (cache / f"{'0' * 20}.parts").mkdir()
    (cache / f".{'1' * 20}.abcd").mkdir()
    (cache / "mine").mkdir()
    about = old.folder / "about.json"
    about.write_text(about.read_text().replace('"code": "', '"code": "0'))
    assert {entry.stale for entry in entries(cache)} == {
        "",
        "made by different code",
        "starts.npy cannot be read",
        "unfinished",
        "left over",
    }
    with FileLock(cache / f"{'0' * 20}.lock"):
        assert len(clean(cache, "stale")) == 3
    assert sorted(path.name for path in cache.iterdir() if path.is_dir()) == sorted(
        [good.fingerprint, "mine", f"{'0' * 20}.parts"]
    )


def test_one_cache_or_all_can_be_removed(corpus_of, encoded_of):
    one, _ = encoded_of(corpus_of(["abc"]))
    two, _ = encoded_of(corpus_of(["abcd"]))
    cache = one.folder.parent
    for which, reason in (("", "no cache of that name"), ("  ", "no cache of that name")):
        with pytest.raises(
            UserError, match=f"prepare.clean={which}: {reason} in .*give all, stale"
        ):
            clean(cache, which)
    assert len(entries(cache)) == 2
    assert [entry.folder for entry in clean(cache, one.fingerprint[:12])] == [one.folder]
    with pytest.raises(UserError, match=f"prepare.clean={one.fingerprint}: no cache"):
        clean(cache, one.fingerprint)
    assert [entry.folder for entry in clean(cache, "all")] == [two.folder]
    assert entries(cache) == []


def test_workers_import_neither_torch_nor_lightning():
    code = "import symbotunes.data.preparation.workers, symbotunes.transforms.conversion, sys;"
    code += "assert not {'torch', 'lightning', 'hydra'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_name_that_fits_several_caches_removes_none(tmp_path):
    for digit in "12":
        (tmp_path / f"{digit:0>20}").mkdir()
    with pytest.raises(UserError, match="prepare.clean=0000: 2 caches match"):
        clean(tmp_path, "0000")
    assert len(entries(tmp_path)) == 2


def test_what_another_job_removes_in_the_meantime_is_not_listed(corpus_of, encoded_of, monkeypatch):
    encoded, _ = encoded_of(corpus_of(["abc", "bca"]))
    folder = encoded.folder
    gone = folder.with_name(f"{folder.name}.parts")
    monkeypatch.setattr(inventory, "_folders", lambda cache: iter([gone, folder]))
    assert [entry.folder for entry in entries(folder.parent)] == [folder]
