"""How many tokens per second does a loader without workers give, with no model behind it?

    python tests/benchmarks/loader_speed.py [--seconds 3]

Corpora are generated: tunes with lengths like those of folk tunes, and melodies of two bars, 32
steps each. Printed are real tokens per second, padding not counted, and the share of padding.
Compare with the tokens per second that a model trains at (``train_speed.py``).
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import symusic
import torch

from symbotunes.data.module import MusicData
from symbotunes.datasets.base import Corpus
from symbotunes.tokenizers.base import Rendition, Tokenizer, Vocabulary
from symbotunes.transforms.base import Chain
from symbotunes.transforms.cuts import SampleSubsequence

MEDIAN_LENGTH, SPREAD = 150, 0.45  # tokens per tune; log-normal


class Made:
    """A piece of random numbers."""

    title = collection = ""
    split, family = None, b""

    def __init__(self, number: int) -> None:
        self.id = str(number)
        self.random = np.random.default_rng(number)

    def content(self) -> bytes:
        """Unlike all others."""
        return self.id.encode()


class Generated(Corpus):
    """So many pieces, of no file."""

    FORMAT = "made"

    def __init__(self, count: int) -> None:
        self.count = count

    def files(self) -> list[Path]:
        return [Path(__file__)]

    def read(self, path: Path) -> Iterator[Made]:
        yield from map(Made, range(self.count))


class Numbers(Tokenizer[Made]):
    """Random ids; what would turn them into music is left out."""

    SCHEMA, FORMAT = 1, "made"
    SIZE: ClassVar[int] = 137

    def tokenize(self, piece: Made) -> list[np.ndarray]:
        length = int(piece.random.lognormal(np.log(MEDIAN_LENGTH), SPREAD))
        return [piece.random.integers(0, self.SIZE - 2, max(length, 16))]

    def render_ids(self, ids: Any, title: str, *, number: int = 1) -> Rendition:
        return Rendition(symusic.Score())

    @property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(self.SIZE, self.SIZE - 2, self.SIZE - 1)

    def state(self) -> dict[str, Any]:
        return {}

    def load_state(self, state: Any) -> None:
        pass


class Melodies(Numbers):
    """Twenty windows of 32 steps per piece."""

    FRAMED = False

    def tokenize(self, piece: Made) -> list[np.ndarray]:
        return list(piece.random.integers(0, 90, (20, 32)))


def speed(data: MusicData, seconds: float) -> tuple[float, float]:
    """Real tokens per second over whole epochs, and the share of padding."""
    loader = data.train_dataloader()
    next(iter(loader))
    real = slots = 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        for batch in loader:
            real += int(batch.lengths.sum())
            slots += batch.tokens.shape[0] * batch.tokens.shape[1]
    return real / (time.perf_counter() - start), 1 - real / slots


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="for each line")
    given = parser.parse_args()
    torch.set_num_threads(1)
    cut = {"sample_subsequence": SampleSubsequence(128)}
    cases: dict[str, tuple[int, dict[str, Any], dict[str, Any]]] = {
        "tunes, 64 of like length": (13_000, {"t": Numbers()}, {"batch_size": 64}),
        "tunes, 16,384 tokens": (13_000, {"t": Numbers()}, {"batch_tokens": 16_384}),
        "tunes, 16 packed rows of 1,026": (
            13_000,
            {"t": Numbers()},
            {"batch_size": 16, "pack": True, "pack_length": 1_026},
        ),
        "tunes, 64 random stretches of 128": (
            13_000,
            {"t": Numbers(), **cut},
            {"batch_size": 64},
        ),
        "melodies, 512 windows of 32": (10_000, {"t": Melodies()}, {"batch_size": 512}),
    }
    with tempfile.TemporaryDirectory() as cache:
        for name, (count, steps, settings) in cases.items():
            data = MusicData(
                corpus=Generated(count),
                chain=Chain(steps),
                key=f"{count}",
                cache=cache,
                split={"val": 0.05, "test": 0.05},
                min_tokens=16,
                max_tokens=1024,
                workers=0,
                seed=0,
                prepare_workers=0,
                **{"batch_size": 64, **settings},
            )
            rate, padding = speed(data, given.seconds)
            print(f"{name:36s} {rate / 1e6:8.2f} M tokens/s   {padding:6.2%} padding", flush=True)


if __name__ == "__main__":
    main()
