"""From a corpus to a tokenized, split, duplicate-free cache."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from symbotunes.data.cache.arrays import shard_name
from symbotunes.data.cache.encoded import DamagedCache, Encoded, load, mapped, write_about
from symbotunes.data.identity import content_hash
from symbotunes.data.limits import Limits
from symbotunes.data.preparation.encode import Encoder
from symbotunes.data.preparation.fingerprint import Fingerprint
from symbotunes.data.preparation.merge import Merge
from symbotunes.data.preparation.workers import Workers, encode_all
from symbotunes.data.split import Shares
from symbotunes.datasets.base import Corpus, DatasetError
from symbotunes.files import atomic_folder
from symbotunes.system.locks import locked
from symbotunes.transforms.base import Chain

PARTS = ".parts"  # suffix of the folder with the results of an unfinished preparation


@dataclass(frozen=True)
class Plan:
    """How a corpus is prepared.

    Attributes:
        key: text that changes whenever the config of corpus or cached steps does.
        limits: lengths to keep.
        shares: how much is held out.
        cache: folder of all caches.
        workers: processes, and what a file may cost.
    """

    key: str
    limits: Limits
    shares: Shares
    cache: Path
    workers: Workers = Workers()


def prepare(corpus: Corpus, chain: Chain, plan: Plan) -> Encoded:
    """Run the cached part of the chain on the corpus, or load the result if it is on disk.

    Concurrent jobs share one cache: one builds it, the others wait and read it. An interrupted
    preparation resumes where it stopped. The chain's tokenizer has its vocabulary afterward.

    Raises:
        DatasetError: if no piece is left, with the reasons.
        UserError: if the chain cannot read the corpus.
    """
    chain.adapt_to(corpus.FORMAT)
    encoder = Encoder(corpus, chain.score_steps, chain.tokenizer)
    fingerprint = Fingerprint.of(encoder, f"{plan.key}{plan.limits}{plan.shares}")
    folder = plan.cache / fingerprint.name
    encoded = _opened(folder, silent=True)
    if encoded is None:
        plan.cache.mkdir(parents=True, exist_ok=True)
        with locked(plan.cache / f"{fingerprint.name}.lock", busy=say_that_it_waits):
            encoded = _opened(folder) or _build(encoder, chain, plan, fingerprint)
    chain.tokenizer.load_state(encoded.tokenizer)
    chain.bind()
    return encoded


def say_that_it_waits() -> None:
    """Tell the user that another job has the lock."""
    Console(stderr=True).print("Another job is preparing the same data; waiting for it")


def _opened(folder: Path, *, silent: bool = False) -> Encoded | None:
    """The cache if it exists and is complete; tells the user if it is damaged."""
    if not folder.exists():
        return None
    try:
        return load(folder)
    except DamagedCache as error:
        if not silent:
            message = f"The cache {folder} is damaged ({error}) and will be rebuilt"
            Console(stderr=True).print(message, soft_wrap=True)
        return None


def _build(encoder: Encoder, chain: Chain, plan: Plan, fingerprint: Fingerprint) -> Encoded:
    folder = plan.cache / fingerprint.name
    parts = plan.cache / f"{fingerprint.name}{PARTS}"
    files = encoder.corpus.files()
    with progress(len(files)) as done:
        written = encode_all(encoder, files, parts, plan.workers, done)
    try:
        with atomic_folder(folder) as draft:  # replaces a damaged one
            merge = Merge(chain.tokenizer, plan.limits, plan.shares)
            merge.receipt.files = len(files)
            sizes = merge.run(written, draft)
            about = {
                "fingerprint": fingerprint.name,
                "dataset": encoder.corpus.name,
                "content": hash_of(draft, shards=len(sizes)),
                "transforms": chain.cached,
                "made_by": fingerprint.about(),
                "fields": chain.tokenizer.FIELDS,
                "shards": len(sizes),
                "lengths": merge.lengths,
                "receipt": merge.receipt.as_dict(),
                "tokenizer": dict(chain.tokenizer.state()),
            }
            write_about(draft, about)
    except DatasetError:
        shutil.rmtree(parts, ignore_errors=True)
        raise
    shutil.rmtree(parts)
    return load(folder)


def hash_of(folder: Path, *, shards: int) -> str:
    """The `content_hash` of the arrays of a cache."""
    arrays = [mapped(folder / shard_name(number)) for number in range(shards)]
    lengths = np.diff(mapped(folder / "starts.npy"))
    return content_hash(arrays, lengths, mapped(folder / "splits.npy"))


class FilesPerSecond(ProgressColumn):
    """Mean speed since this process started, without files that an earlier one finished."""

    def render(self, task: Task) -> Text:
        """The speed as text."""
        return Text(f"{task.speed or task.finished_speed or 0:,.0f} files/s")


@contextmanager
def progress(files: int) -> Iterator[Callable[[int], None]]:
    """A bar with finished files, speed and remaining time; yields the function to advance it."""
    console = Console(stderr=True)
    columns = (
        TextColumn("Preparing"),
        BarColumn(),
        TextColumn("{task.completed:,}/{task.total:,} files"),
        FilesPerSecond(),
        TimeRemainingColumn(),
    )
    began, total = time.monotonic(), 0
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=files)

        def advance(count: int) -> None:
            nonlocal total
            total += count
            bar.advance(task, count)

        yield advance
    seconds = time.monotonic() - began
    if seconds > 1:
        console.print(f"Prepared {total:,} {'file' if total == 1 else 'files'} in {seconds:,.0f} s")
