"""What hanging, dying and greedy files, interruptions and company do to a preparation."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from symbotunes.data.preparation import workers as pool
from symbotunes.data.preparation.encode import Encoder
from symbotunes.data.preparation.parts import Part
from symbotunes.data.preparation.prepare import prepare
from symbotunes.data.preparation.workers import (
    GIB,
    Workers,
    cores,
    encode_all,
    file_seconds,
    missing,
)
from symbotunes.errors import UserError
from symbotunes.transforms.base import Chain
from tests.data.conftest import plan_of
from tests.data.letters import Hazards, Letters, Words, binary_words

WORKERS = Workers(2, file_seconds=1.0, file_gib=1.0)


def files_of(folder: Path, *texts: str) -> Words:
    """A corpus of one file for each text."""
    folder.mkdir()
    paths = [folder / f"{number:05d}.txt" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    return Words(*paths)


def hazardous(log: Path | None = None) -> Chain:
    return Chain({"letters": Hazards(log)})


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def job(corpus: Words, log: Path, cache: Path, count: int) -> None:
    prepare(corpus, hazardous(log), plan_of(cache, workers=Workers(count)))


def test_any_number_of_workers_gives_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr("symbotunes.data.preparation.workers.CHUNK_FILES", 3)
    words = binary_words(64, 164)
    texts = ["\n".join(words[start : start + 10]) for start in range(0, 100, 5)]
    corpus = files_of(tmp_path / "corpus", *texts, "bug", "no!", "#x")
    made = [
        prepare(corpus, hazardous(), plan_of(tmp_path / str(count), workers=Workers(count)))
        for count in (0, 1, 2)
    ]
    alone, *others = [contents(encoded.folder) for encoded in made]
    assert made[0].receipt.kept == {"train": 100}
    assert made[0].receipt.dropped == {
        "duplicate": 95,
        "failed with IndexError": 1,
        "shouting": 1,
        "broken line": 1,
    }
    assert others == [alone, alone]


def test_no_worker_starts_that_would_find_no_work(tmp_path, monkeypatch):
    started = []

    class Counted(pool.ProcessPool):
        def __init__(self, max_workers: int, **settings) -> None:
            started.append(max_workers)
            super().__init__(max_workers, **settings)

    monkeypatch.setattr(pool, "ProcessPool", Counted)
    corpus = files_of(tmp_path / "corpus", *binary_words(64, 66))  # two files: one chunk
    prepare(corpus, hazardous(), plan_of(tmp_path / "cache", workers=Workers(8)))
    assert started == [1]


@pytest.mark.slow("waits for workers that hang and are killed")
def test_files_that_hang_or_kill_or_eat_memory_are_left_out_and_all_others_kept(tmp_path):
    words = binary_words(64, 94)
    texts = [*words[:10], "hang", *words[10:20], "kill", *words[20:], "eat"]
    corpus = files_of(tmp_path / "corpus", *texts)
    encoded = prepare(corpus, hazardous(), plan_of(tmp_path / "cache", workers=WORKERS))
    assert [title for _, title in encoded.names] == words
    names = [str(path) for path in corpus.paths]
    assert encoded.receipt.quarantined == {
        names[10]: "took longer than 1 s",
        names[21]: "killed its worker",
        names[32]: "needed more than 1 GiB",
    }
    assert encoded.receipt.read == 33
    assert encoded.receipt.dropped.total() == 3


def test_a_file_that_eats_memory_costs_its_own_pieces_alone(tmp_path):
    corpus = files_of(tmp_path / "corpus", "ab", "ba\neat\nbb", "aa")
    encoded = prepare(corpus, hazardous(), plan_of(tmp_path / "cache", workers=WORKERS))
    assert [title for _, title in encoded.names] == ["ab", "aa"]


def test_what_an_interrupted_preparation_finished_is_not_done_again(tmp_path, monkeypatch):
    monkeypatch.setattr("symbotunes.data.preparation.workers.CHUNK_FILES", 4)
    words = binary_words(64, 84)
    corpus, log = files_of(tmp_path / "corpus", *words), tmp_path / "log"
    finished = []

    def interrupt(count):
        finished.append(count)
        if sum(finished) >= 8:
            raise KeyboardInterrupt

    monkeypatch.setattr(
        "symbotunes.data.preparation.prepare.progress", lambda _: Interrupting(interrupt)
    )
    plan = plan_of(tmp_path / "cache")
    with pytest.raises(KeyboardInterrupt):
        prepare(corpus, hazardous(log), plan)
    assert log.read_text().split() == words[:8]
    monkeypatch.undo()
    encoded = prepare(corpus, hazardous(log), plan)
    assert log.read_text().split() == words
    assert [title for _, title in encoded.names] == words
    assert [path for path in plan.cache.iterdir() if path.is_dir()] == [encoded.folder]


class Interrupting:
    """Stands in for the progress bar."""

    def __init__(self, done):
        self.done = done

    def __enter__(self):
        return self.done

    def __exit__(self, *_):
        return False


def test_a_broken_part_is_made_again(tmp_path):
    corpus = files_of(tmp_path / "corpus", "ab", "ba")
    parts = tmp_path / "cache" / "parts"
    encoder = Encoder(corpus, [], Hazards())
    (path,) = encode_all(encoder, corpus.files(), parts, Workers(0))
    path.write_bytes(path.read_bytes()[:100])
    (path,) = encode_all(encoder, corpus.files(), parts, Workers(0))
    assert len(Part.load(path).names) == 2


def test_a_killed_preparation_leaves_no_worker_behind_and_can_be_gone_on_with(tmp_path):
    words = binary_words(64, 80)
    corpus, log = files_of(tmp_path / "corpus", *words, *["slow"] * 8), tmp_path / "log"
    context = multiprocessing.get_context("fork")
    process = context.Process(target=job_of_small_chunks, args=(corpus, log, tmp_path / "cache", 1))
    process.start()
    wait_until(lambda: log.exists() and "slow" in log.read_text())
    workers = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert psutil.wait_procs(workers, timeout=300)[1] == []
    log.unlink()
    prepare(corpus, hazardous(log), plan_of(tmp_path / "cache"))
    assert set(log.read_text().split()) == {"slow"}


def job_of_small_chunks(*arguments) -> None:
    pool.CHUNK_FILES = 4
    job(*arguments)


def wait_until(condition) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_of_two_processes_that_prepare_the_same_one_builds(tmp_path):
    words = binary_words(64, 74)
    corpus, log = files_of(tmp_path / "corpus", *words, "slow"), tmp_path / "log"
    context = multiprocessing.get_context("fork")
    arguments = (corpus, log, tmp_path / "cache", 0)
    processes = [context.Process(target=job, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(300)
    assert [process.exitcode for process in processes] == [0, 0]
    assert log.read_text().split() == [*words, "slow"]


@pytest.mark.slow("starts a worker process, which imports torch")
def test_an_error_of_the_corpus_ends_the_preparation_with_its_words(tmp_path):
    corpus = files_of(tmp_path / "corpus", "ab")
    corpus.__class__ = Refusing
    for count in (0, 1):
        with pytest.raises(UserError, match="not this"):
            prepare(
                corpus,
                Chain({"letters": Letters()}),
                plan_of(tmp_path / str(count), workers=Workers(count)),
            )


class Refusing(Words):
    def read(self, path):
        raise UserError("not this")


def test_files_are_handed_out_together_while_they_are_few_and_small(tmp_path, monkeypatch):
    sizes = [1] * 70 + [600 * 2**10, 3 * 2**20] + [1] * 3
    monkeypatch.setattr(
        "symbotunes.data.preparation.workers._size", lambda path: sizes[int(path.name)]
    )
    files = [Path(str(number)) for number in range(len(sizes))]
    chunks = list(missing(files, [(10, 12)], Workers(1, file_seconds=10)))
    assert [(chunk.first, chunk.last, chunk.seconds) for chunk in chunks] == [
        (0, 10, 40),
        (12, 70, 40),
        (70, 71, 10),
        (71, 72, 30),
        (72, 75, 40),
    ]


def test_a_larger_file_may_take_longer():
    assert file_seconds(0, Workers(file_seconds=5)) == 5
    assert file_seconds(2**20 + 1, Workers(file_seconds=5)) == 10


@pytest.mark.slow("prepares 1,600 files")
def test_many_files_need_no_more_memory_than_few(tmp_path, monkeypatch):
    """Bytes held at the end grow by less than 1 KiB per file."""
    monkeypatch.setattr("symbotunes.data.preparation.workers.CHUNK_FILES", 16)
    process = psutil.Process()
    used = []
    for count in (100, 1_500):
        words = binary_words(4096, 4096 + count)
        corpus = files_of(tmp_path / f"corpus{count}", *words)
        prepare(corpus, Chain({"letters": Letters()}), plan_of(tmp_path / f"cache{count}"))
        used.append(process.memory_info().rss)
    assert used[1] - used[0] < 1_400 * 1024 + 4 * 2**20


@pytest.mark.parametrize("bad", [{"count": -1}, {"file_seconds": 0}, {"file_gib": 0}])
def test_impossible_limits_are_refused(bad):
    with pytest.raises(UserError, match=r"loader\."):
        Workers(**bad)


def test_by_default_every_core_works():
    assert Workers().processes == cores() >= 1
    assert GIB == 1024**3
