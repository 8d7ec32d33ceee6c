"""Sampling arrival times beside the authors' own sampler, with the same weights on a CPU.

    python tests/benchmarks/arrival_speed.py FOLDER [--threads 1] [--clock cpu] [--events 2]

FOLDER holds the package ``anticipation`` (https://github.com/jthickstun/anticipation, Thickstun et
al. 2023), such as a checkout of its repository. The network has the published small size, 12 x 768
with 55,028 ids, in float32; its weights are random but for one unit, which makes early times
likely, so that windows are as full as those of a trained network.

The authors read the whole window three times for each event, so its length decides. Both sides
write some events after each of several lengths; what is printed are tokens per second for 300
events from nothing, as the mean over these lengths, and beyond the context, where the window moves
by one event or by 85. There, 1 of 85 events costs ours a new pass over the window, and 84 do not;
these are taken to cost what they do after 299 events.
``--clock cpu`` counts processor time, for a machine that other work shares.
"""

import argparse
import importlib
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import transformers

from symbotunes.generation.arrival.grammar import EventGrammar
from symbotunes.generation.arrival.sampler import Draw, Task, write_events
from symbotunes.generation.arrival.window import SLIDE, CachedReader, Triplet, Window, most_triplets
from symbotunes.generation.sequences.settings import Settings
from symbotunes.models.gpt2 import GPT2
from symbotunes.models.published import to_transformers
from symbotunes.music.arrival.vocabulary import AUTOREGRESS, DURATION, NOTE, SIZE, TRIPLET
from symbotunes.tokenizers.base import NO_ID, Vocabulary

VOCABULARY = Vocabulary(SIZE, AUTOREGRESS, NO_ID)
LENGTHS = (0, 75, 150, 225, 299)  # events before those that are timed, of 300
BEYOND = 400  # events of a piece that is longer than the context
TOP_P = 0.95
NOTHING = np.zeros((0, TRIPLET), np.int64)


def networks() -> tuple[GPT2, Any]:
    """Ours, and the same weights in transformers' class, which the authors use."""
    torch.manual_seed(0)
    ours = GPT2(VOCABULARY, width=768, depth=12, heads=12, context=1024, dropout=0.0).eval()
    with torch.no_grad():
        ours.embed.weight[:10_000, 0] = 2 - torch.arange(10_000) / 250
        ours.norm.bias[0] = 10
    config, tensors = to_transformers(ours, VOCABULARY)
    theirs = transformers.GPT2LMHeadModel(transformers.GPT2Config(**config))
    theirs.load_state_dict(tensors, strict=False)
    theirs.tie_weights()
    return ours, theirs.eval()


def history(count: int) -> list[Triplet]:
    """Events at four a second."""
    random = np.random.default_rng(0)
    pitches = random.integers(40, 80, count).tolist()
    return [(25 * at, DURATION + 50, NOTE + pitch) for at, pitch in enumerate(pitches)]


def same_logits(ours: GPT2, theirs: Any) -> float:
    """The largest difference of logits after some events."""
    ids = torch.tensor([[AUTOREGRESS, *np.array(history(20)).flatten().tolist()]])
    with torch.inference_mode():
        return float((ours(ids)[0, -1] - theirs(ids).logits[0, -1]).abs().max())


class Ours:
    """Our sampler."""

    def __init__(self, net: GPT2, clock: Callable[[], float]) -> None:
        self.reader = CachedReader(net)
        self.most = most_triplets(net.context)
        self.clock = clock

    def seconds(self, before: list[Triplet], events: int, slide: int = SLIDE) -> list[float]:
        """Of each event after some; that of the first includes reading these."""
        random = torch.Generator().manual_seed(0)
        settings = Settings(top_p=TOP_P, max_tokens=TRIPLET * events)
        draws = Draw(EventGrammar(), settings, lambda: float(torch.rand((), generator=random)))
        triplets = np.array(before, np.int64).reshape(-1, TRIPLET)
        task = Task(triplets, NOTHING, before[-1][0] if before else 0, None)
        marks = [self.clock()]
        with torch.inference_mode():
            write_events(
                self.reader,
                task,
                draws,
                Window(self.most, slide, draws.grammar.span),
                lambda _: marks.append(self.clock()),
            )
        return [after - since for since, after in pairwise(marks)]


class Theirs:
    """The authors' sampler, which draws one event by three passes."""

    def __init__(self, net: Any, clock: Callable[[], float]) -> None:
        self.net, self.clock = net, clock
        self.add_token = importlib.import_module("anticipation.sample").add_token

    def seconds(self, before: list[Triplet], events: int) -> list[float]:
        """Of each event after some."""
        tokens = [token for triplet in before for token in triplet]
        now = before[-1][0] if before else 0
        marks = [self.clock()]
        for _ in range(events):
            tokens += self.add_token(self.net, [AUTOREGRESS], tokens, TOP_P, now)
            now = tokens[-TRIPLET]
            marks.append(self.clock())
        return [after - since for since, after in pairwise(marks)]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder")
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    arguments.add_argument("--events", type=int, default=2, help="of theirs at each length")
    options = arguments.parse_args()
    sys.path.insert(0, options.folder)
    torch.set_num_threads(options.threads)
    clock = time.perf_counter if options.clock == "wall" else time.process_time
    net, copy = networks()
    print(f"logits differ by {same_logits(net, copy):.1e} at most", flush=True)
    ours, theirs = Ours(net, clock), Theirs(copy, clock)
    ours.seconds(history(10), 2), theirs.seconds(history(10), 1)  # the first calls are slower

    steady, whole = [], []
    print("events before   ours    theirs (seconds per event)")
    for length in LENGTHS:
        before = history(length)
        steady.append(statistics.mean(ours.seconds(before, 6)[1:]))
        whole.append(statistics.mean(theirs.seconds(before, options.events)))
        print(f"{length:13} {steady[-1]:6.3f} {whole[-1]:9.3f}", flush=True)
    beyond = history(BEYOND)
    authors = statistics.mean(theirs.seconds(beyond, options.events))
    slow = statistics.mean(ours.seconds(beyond, 2, slide=1))
    (moved,) = ours.seconds(beyond, 1)
    fast = (moved + (SLIDE - 1) * steady[-1]) / SLIDE
    for name, own, their in (
        ("300 events from nothing", mean_over(steady), mean_over(whole)),
        ("beyond the context, slide 1", slow, authors),
        (f"beyond the context, slide {SLIDE}", fast, authors),
    ):
        speeds = f"{TRIPLET / own:6.2f} and {TRIPLET / their:6.2f} tokens/s"
        print(f"{name:28} {speeds}, {their / own:5.1f} x", flush=True)


def mean_over(seconds: Sequence[float]) -> float:
    """Mean over all lengths of what was measured at some, by straight lines between them."""
    return float(np.trapezoid(seconds, LENGTHS) / LENGTHS[-1])


if __name__ == "__main__":
    main()
