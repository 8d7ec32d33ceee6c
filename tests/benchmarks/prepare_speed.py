"""How fast is a tree of many small MIDI files prepared, and in how much memory?

    python tests/benchmarks/prepare_speed.py [--files 20000] [--workers 1,2] [--work 2]

The tree is generated. Each file is parsed by symusic and its melody laid on a grid; ``--work``
milliseconds of further work per file stand in for a real tokenizer. Printed for each number of
processes: files per second and per second of processor time (what a free core would do), the
largest resident memory of the parent and of all processes together, the size of the cache, and how
long opening it takes afterwards.
"""

import argparse
import resource
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import symusic

from symbotunes.data.limits import Limits
from symbotunes.data.preparation.prepare import Plan, prepare
from symbotunes.data.preparation.workers import Workers
from symbotunes.data.split import Shares
from symbotunes.datasets.base import Corpus, Dropped
from symbotunes.music.midi.piece import MidiPiece
from symbotunes.tokenizers.base import Rendition, Tokenizer, Unencodable, Vocabulary
from symbotunes.transforms.base import Chain


class Tree(Corpus):
    """The files ``*/*.mid`` of a folder."""

    FORMAT = "midi"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*/*.mid"))

    def read(self, path: Path) -> Iterator[MidiPiece | Dropped]:
        yield MidiPiece(path.name, path.read_bytes())

    def checksum(self) -> str:
        """The files never change while this runs."""
        return str(self.folder)


class Grid(Tokenizer[MidiPiece]):
    """Pitches of the first track on a grid, in windows of 32; a stand-in for real extraction.

    Args:
        work: milliseconds of further work for each piece.
    """

    SCHEMA, FORMAT, FRAMED = 1, "midi", False

    def __init__(self, work: float) -> None:
        self.work = work

    def tokenize(self, piece: MidiPiece) -> list[np.ndarray]:
        until = time.process_time() + self.work / 1000
        score = piece.score
        if not score.tracks:
            raise Unencodable("no notes")
        notes = score.tracks[0].notes.numpy()
        steps = notes["time"] * 4 // score.ticks_per_quarter
        row = np.zeros(-(-(int(steps.max()) + 1) // 32) * 32, np.int64)
        row[steps] = notes["pitch"]
        while time.process_time() < until:
            pass
        return list(row.reshape(-1, 32))

    def render_ids(self, ids: Any, title: str, *, number: int = 1) -> Rendition:
        return Rendition(symusic.Score())

    @property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(128, -1, -1)

    def state(self) -> dict[str, Any]:
        return {}

    def load_state(self, state: Any) -> None:
        pass


def generate(folder: Path, count: int) -> None:
    """Files of one random melody each, 64 to 512 sixteenths."""
    random = np.random.default_rng(0)
    for number in range(count):
        length = int(random.integers(64, 512))
        score = symusic.Score(480)
        track = symusic.Track()
        for step, pitch in enumerate(random.integers(40, 90, length).tolist()):
            track.notes.append(symusic.Note(step * 120, 120, pitch, 90))
        score.tracks.append(track)
        path = folder / f"{number // 1000:03d}" / f"{number:06d}.mid"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(score.dumps_midi())


class Watch(threading.Thread):
    """Looks at resident memory ten times a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.own = self.all = 0
        self.over = threading.Event()

    def run(self) -> None:
        process = psutil.Process()
        while not self.over.wait(0.1):
            own = process.memory_info().rss
            others = 0
            for child in process.children(recursive=True):
                try:
                    others += child.memory_info().rss
                except psutil.Error:
                    continue
            self.own, self.all = max(self.own, own), max(self.all, own + others)


def processor_seconds() -> float:
    """Of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def measure(tree: Path, cache: Path, count: int, work: float) -> float:
    """Prepare and print one line; files per second."""
    plan = Plan("", Limits(1, None), Shares(0.05, 0.05), cache, Workers(count))
    watch = Watch()
    watch.start()
    start, before = time.perf_counter(), processor_seconds()
    encoded = prepare(Tree(tree), Chain({"grid": Grid(work)}), plan)
    seconds, spent = time.perf_counter() - start, processor_seconds() - before
    watch.over.set()
    start = time.perf_counter()
    prepare(Tree(tree), Chain({"grid": Grid(work)}), plan)
    opening = time.perf_counter() - start
    files = encoded.receipt.files
    size = sum(path.stat().st_size for path in encoded.folder.iterdir())
    print(
        f"{count} processes: {files / seconds:6,.0f} files/s, {files / spent:6,.0f} per "
        f"processor second   parent {watch.own / 2**20:,.0f} MiB, "
        f"all {watch.all / 2**20:5,.0f} MiB   cache {size / 1e6:6.1f} MB, "
        f"{encoded.receipt.examples.total():,} examples   opened again in {opening:.3f} s",
        flush=True,
    )
    return files / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=20_000, help="in the tree")
    parser.add_argument("--workers", default="1,2", help="numbers of processes to try")
    parser.add_argument("--work", type=float, default=2.0, help="milliseconds per file")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "tree")
        tree.mkdir()
        generate(tree, given.files)
        counts = [int(count) for count in given.workers.split(",")]
        rates = [measure(tree, Path(folder, f"cache{n}"), n, given.work) for n in counts]
        for count, rate in zip(counts[1:], rates[1:], strict=True):
            print(f"{count} processes are {rate / rates[0]:.2f} x {counts[0]}")


if __name__ == "__main__":
    main()
