"""A pool of processes turns files into parts; a bad file costs its own pieces and no others.

Work is handed out in chunks of files. A chunk that takes too long, or whose worker dies, is retried
at the end, file by file, and a file that fails again is quarantined. Finished parts stay on disk,
so that an interrupted run resumes where it stopped.
"""

import multiprocessing
import os
import pickle
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures import TimeoutError as TookTooLong
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pebble import ProcessExpired, ProcessPool

from symbotunes.data.preparation.encode import Encoder
from symbotunes.data.preparation.parts import PartBuilder, found_parts, part_name
from symbotunes.errors import UserError, require_whole_number

CHUNK_FILES = 64  # small files share a chunk, since handing one out costs a millisecond
CHUNK_BYTES = 512 * 2**10  # large files do not, so that all workers finish at about the same time
CHUNK_PATIENCE = 4  # a chunk may take as long as this many files
TASKS_PER_WORKER = 500  # a worker is then replaced, in case a library leaks memory
MIB, GIB = 2**20, 2**30


@dataclass(frozen=True)
class Workers:
    """How many processes read files, and what a file may cost.

    Attributes:
        count: processes; 0 uses this one, without limits; ``None``: one per core.
        file_seconds: a file that takes longer is quarantined; a file of N MiB may take N times as
            long.
        file_gib: a file that needs more memory is quarantined.

    Raises:
        UserError: if a value is out of range.
    """

    count: int | None = None
    file_seconds: float = 60.0
    file_gib: float = 2.0

    def __post_init__(self) -> None:
        require_whole_number("loader.prepare_workers", self.count, least=0, optional=True)
        if self.file_seconds <= 0 or self.file_gib <= 0:
            raise UserError("loader.file_seconds and loader.file_gib must be above 0")

    @property
    def processes(self) -> int:
        """The number of processes in addition to this one."""
        return cores() if self.count is None else self.count


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class Chunk:
    """Files ``first .. last - 1`` of a corpus, and what they may cost.

    Attributes:
        first: index of the first file.
        last: index after the last file.
        seconds: time limit for all of them.
    """

    first: int
    last: int
    seconds: float

    @property
    def is_single(self) -> bool:
        """Whether it is a single file, which is then to blame for any failure."""
        return self.last - self.first == 1


def encode_all(
    encoder: Encoder,
    files: Sequence[Path],
    folder: Path,
    workers: Workers,
    done: Callable[[int], None] = lambda _: None,
) -> list[Path]:
    """Write the parts of all files.

    The parts that are already in `folder` are kept. The contents of all parts together depend
    neither on the number of workers nor on interruptions.

    Args:
        encoder: reads and encodes.
        files: of the corpus, in its order.
        folder: where the parts go.
        workers: how many, and their limits.
        done: called repeatedly, with the number of files finished since the last call.

    Returns:
        The parts, in corpus order.

    Raises:
        UserError: if the corpus says that nothing can be read at all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = found_parts(folder)
    done(sum(last - first for first, last, _ in parts))
    todo = deque(missing(files, [(first, last) for first, last, _ in parts], workers))
    if workers.processes == 0:
        for chunk in todo:
            part = encoder.encode(files[chunk.first : chunk.last])
            part.save(folder / part_name(chunk.first, chunk.last))
            done(chunk.last - chunk.first)
    else:
        while todo:  # runs at most twice: retries are single files
            todo = _in_processes(encoder, files, folder, workers, todo, done)
    return [path for _, _, path in found_parts(folder)]


def missing(
    files: Sequence[Path], finished: Sequence[tuple[int, int]], workers: Workers
) -> Iterator[Chunk]:
    """Chunks of the files that no part covers, small files together.

    A chunk is a run of consecutive files, since a part is named by its first and last file. The
    open chunk is ``first .. index - 1``. It is closed by a file that a part covers, and by one that
    would exceed its number of files or bytes, which then opens the next chunk.

    Args:
        files: of the corpus.
        finished: first file, and the one after the last, of every existing part.
        workers: their limits.
    """
    covered = bytearray(len(files))
    for first, last in finished:
        covered[first:last] = b"\1" * (last - first)
    first, weight, longest = 0, 0, 0.0
    for index, path in enumerate(files):
        if covered[index]:
            if index > first:
                yield _chunk(first, index, longest)
            first, weight, longest = index + 1, 0, 0.0
            continue
        size = _size(path)
        # A file larger than CHUNK_BYTES gets a chunk to itself: the open chunk ends before it, and
        # it leaves no room for another file.
        full = index - first == CHUNK_FILES or weight + size > CHUNK_BYTES
        if full and index > first:
            yield _chunk(first, index, longest)
            first, weight, longest = index, 0, 0.0
        weight += size
        longest = max(longest, file_seconds(size, workers))
    if len(files) > first:
        yield _chunk(first, len(files), longest)


def _chunk(first: int, last: int, longest: float) -> Chunk:
    return Chunk(first, last, longest * (1 if last - first == 1 else CHUNK_PATIENCE))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def file_seconds(size: int, workers: Workers) -> float:
    """Seconds that a file of `size` bytes may take."""
    return workers.file_seconds * max(1, -(-size // MIB))


def _in_processes(
    encoder: Encoder,
    files: Sequence[Path],
    folder: Path,
    workers: Workers,
    todo: deque[Chunk],
    done: Callable[[int], None],
) -> deque[Chunk]:
    """Process the chunks; returns those to retry, one per file.

    Every chunk is in one of three states: waiting in `todo`, handed out in `running`, or settled. A
    settled chunk is on disk as its part, or its files are in `retries`, each as a chunk of its own.
    A single-file chunk that fails is not retried: it is quarantined, which also writes its part. So
    a round leaves only single-file chunks, and the caller's loop ends after the second round.
    """
    luggage = pickle.dumps(encoder)
    count = min(workers.processes, len(todo))  # more would have nothing to do
    pool = ProcessPool(
        max_workers=count,
        max_tasks=TASKS_PER_WORKER,
        initializer=enter,
        initargs=(luggage, workers.file_gib),
        # A fork would copy the locks of torch's threads in whatever state they are in.
        context=multiprocessing.get_context("spawn"),
    )
    retries: deque[Chunk] = deque()
    running: dict[Future[None], Chunk] = {}
    try:
        while todo or running:
            # Two chunks per worker: one in progress and one queued, so that no worker waits for
            # this loop. The time limit starts when a worker takes a chunk, not here.
            while todo and len(running) < 2 * count:
                chunk = todo.popleft()
                chunk_files = files[chunk.first : chunk.last]
                args = (luggage, chunk_files, folder, chunk.first, workers.file_gib)
                with signals_held_back():  # the first call starts the workers
                    running[pool.schedule(work, args, timeout=chunk.seconds)] = chunk
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                chunk = running.pop(future)
                reason = _failure(future, chunk)
                if reason is None:
                    done(chunk.last - chunk.first)
                elif chunk.is_single:
                    _quarantine(encoder, files[chunk.first], folder, chunk.first, reason)
                    done(1)
                else:
                    retries.extend(_apart(chunk, files, workers))
    finally:
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join()
    return retries


@contextmanager
def signals_held_back() -> Iterator[None]:
    """Hold Ctrl-C back in this thread, and for good in threads and processes that it starts.

    A terminal sends it to the workers too, which would end with a traceback each; this process
    stops them.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _failure(future: Future[None], chunk: Chunk) -> str | None:
    """Why a chunk was not finished, or ``None``; errors not caused by its files are raised.

    The failure does not tell which file caused it: a chunk of several is retried file by file, and
    the one that fails by itself is to blame.
    """
    try:
        future.result()
    except TookTooLong:
        return f"took longer than {chunk.seconds:g} s"
    except ProcessExpired:
        return "killed its worker"
    return None


def _apart(chunk: Chunk, files: Sequence[Path], workers: Workers) -> Iterator[Chunk]:
    for index in range(chunk.first, chunk.last):
        yield Chunk(index, index + 1, file_seconds(_size(files[index]), workers))


def _quarantine(encoder: Encoder, path: Path, folder: Path, index: int, reason: str) -> None:
    builder = PartBuilder(encoder.tokenizer.FIELDS)
    builder.quarantine(path, reason)
    builder.build().save(folder / part_name(index, index + 1))


def enter(luggage: bytes, file_gib: float) -> None:
    """Set up a new worker: import what it needs, then limit its memory."""
    # Imports come first: the limit is on top of the memory that the process has by then.
    with suppress(Exception):  # the first task hits the same error, and can report it
        unpacked(luggage)
    limit_memory(file_gib)


def work(luggage: bytes, files: Sequence[Path], folder: Path, first: int, file_gib: float) -> None:
    """Encode files and write their part; runs in a worker."""
    part = unpacked(luggage).encode(files, file_gib)
    part.save(folder / part_name(first, first + len(files)))


@lru_cache(maxsize=1)
def unpacked(luggage: bytes) -> Encoder:
    """Unpickle the encoder, once per worker."""
    encoder = pickle.loads(luggage)
    assert isinstance(encoder, Encoder)
    return encoder


def limit_memory(gib: float) -> None:
    """Limit the address space of this process to `gib` more than it has now; Linux only."""
    if sys.platform != "linux":
        return
    try:
        import resource
    except ImportError:
        return
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * os.sysconf("SC_PAGE_SIZE") + int(gib * GIB)
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
