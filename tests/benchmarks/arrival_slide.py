"""What a model of arrival times loses by a window that moves by many events at once.

    python tests/benchmarks/arrival_slide.py CHECKPOINT CACHE [--split val] [--events 200]

CACHE is the folder of a prepared corpus, as ``mode=prepare`` names it. Some events and rests of
held-out pieces, beyond the first window of each, are scored with what the sampler's window holds
before them: the last 339 with ``sample.slide=1``, 255 to 339 with 85. The mean nats per event are
printed, and those of the difference with its standard error.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from symbotunes.checkpoints.checkpoint import unpack
from symbotunes.checkpoints.reopen import rebuild
from symbotunes.data.cache.encoded import load
from symbotunes.generation.arrival.grammar import EventGrammar
from symbotunes.generation.arrival.window import SLIDE, CachedReader, Triplet, Window, most_triplets
from symbotunes.music.arrival.clock import unwrapped
from symbotunes.music.arrival.vocabulary import AUTOREGRESS, TRIPLET


def nats(reader: CachedReader, window: Window, event: Triplet) -> float:
    """Of an event after what the window holds."""
    ids = [AUTOREGRESS, *window.ids]
    total = 0.0
    for index in (event[0] - window.base, *event[1:]):
        total -= float(reader.logits_after(ids).log_softmax(-1)[index])
        ids.append(index)
    return total


def windows_at(piece: list[Triplet], places: set[int], most: int, slide: int) -> dict[int, Window]:
    """The window before the events at some places of a piece."""
    moving = Window(most, slide, EventGrammar().span)
    before = {}
    for place, event in enumerate(piece):
        moving.settle()
        if place in places:
            span = moving.span
            before[place] = Window(most, slide, span, piece[:place], moving.first)
        moving.triplets.append(event)
    return before


def events_of(ids: NDArray[Any]) -> list[Triplet]:
    """The events and rests of a piece, with times from its beginning."""
    triplets = unwrapped(np.asarray(ids, np.int64).reshape(-1, TRIPLET)).tolist()
    return [(time, duration, note) for time, duration, note in triplets]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("checkpoint", type=Path)
    arguments.add_argument("cache", type=Path)
    arguments.add_argument("--split", default="val")
    arguments.add_argument("--events", type=int, default=200)
    options = arguments.parse_args()
    checkpoint = unpack(options.checkpoint)
    net, _ = rebuild(checkpoint)
    net.eval()
    encoded = load(options.cache)
    most = most_triplets(net.context)
    pieces = [events_of(encoded.example(int(index))) for index in encoded.examples(options.split)]
    later = [(number, at) for number, piece in enumerate(pieces) for at in range(most, len(piece))]
    random = np.random.default_rng(0)
    chosen = random.choice(len(later), min(options.events, len(later)), replace=False)
    reader = CachedReader(net)
    scores: dict[int, list[float]] = {1: [], SLIDE: []}
    with torch.inference_mode():
        for number, piece in enumerate(pieces):
            places = {later[index][1] for index in chosen if later[index][0] == number}
            for slide, values in scores.items():
                windows = windows_at(piece, places, most, slide) if places else {}
                values += [nats(reader, windows[at], piece[at]) for at in sorted(windows)]
    lost = np.array(scores[SLIDE]) - np.array(scores[1])
    error = lost.std(ddof=1) / np.sqrt(len(lost))
    for slide, values in scores.items():
        print(f"slide {slide:2}: {np.mean(values):.3f} nats per event, {len(values)} events")
    print(f"slide {SLIDE} loses {lost.mean():.3f} nats per event, standard error {error:.3f}")


if __name__ == "__main__":
    main()
