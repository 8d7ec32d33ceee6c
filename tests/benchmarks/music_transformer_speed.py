"""The Music Transformer: tokens/s beside GPT-2 of its size, memory beside the definition.

    python tests/benchmarks/music_transformer_speed.py [--threads 2] [--rounds 3] [--clock wall]
    python tests/benchmarks/music_transformer_speed.py --device cuda --rows 8 --depth 6

Both networks have the same width, depth, heads and feed-forward layers, and read the same made ids.
They take turns in every round; what is printed are medians of tokens per second and of ratios
within a round. ``plain`` is the Music Transformer with attention by PyTorch's scaled dot products
and the scores of distances as a bias. Memory is the peak of a fresh process beyond what it holds
before the step; ``definition`` forms the tensor of queries x keys x width for one layer at a time.
On a machine that other work shares, ``--threads 1 --clock cpu`` counts processor time instead.
"""

import argparse
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from symbotunes.models.base import Batch, SequenceModel
from symbotunes.models.decoder_only import DecoderOnly
from symbotunes.models.gpt2 import GPT2
from symbotunes.models.layers.attention import Layout
from symbotunes.models.layers.relative_attention import distance_table
from symbotunes.models.music_transformer import MusicTransformer
from symbotunes.tokenizers.base import Vocabulary

VOCABULARY = Vocabulary(388, bos=0, eos=1)
WIDTH, HEADS = 256, 4
LENGTHS, LONGEST = (512, 2048), 2048
Run = Callable[[], None]


class Plain(MusicTransformer):
    """The same without the kernel for packed pieces."""

    def attend_pieces(self, qkv: Tensor, layout: Layout, layer: int) -> Tensor:
        return DecoderOnly.attend_pieces(self, qkv, layout, layer)


class Definition(Plain):
    """The same by a tensor of every query, key and unit."""

    def attend(
        self, query: Tensor, key: Tensor, value: Tensor, *, layer: int, dropout: float
    ) -> Tensor:
        length = key.shape[2]
        table = distance_table(self.blocks[layer].distances, length, clip=True)
        distance = torch.arange(length)[:, None] - torch.arange(length)
        pairs = table[:, (length - 1 - distance).clamp_max(length - 1)]  # [H, T, T, C]
        scores = query @ key.transpose(2, 3) + torch.einsum("bhqc,hqkc->bhqk", query, pairs)
        scores = (scores * query.shape[-1] ** -0.5).masked_fill(distance < 0, -torch.inf)
        return scores.softmax(-1) @ value


def net_of(kind: str, depth: int, device: str) -> SequenceModel:
    torch.manual_seed(0)
    if kind == "gpt2":
        net: SequenceModel = GPT2(VOCABULARY, WIDTH, depth, HEADS, LONGEST, dropout=0.0)
    else:
        kinds = {"ours": MusicTransformer, "plain": Plain, "definition": Definition}
        net = kinds[kind](
            VOCABULARY, WIDTH, depth, HEADS, WIDTH, 4 * WIDTH, LONGEST, LONGEST // 2,
            dropout=0.0, attention_dropout=0.0,
        )  # fmt: skip
    return net.to(device).train()


def batch_of(rows: int, length: int, device: str) -> Batch:
    ids = torch.randint(2, 388, (rows, length + 1), generator=torch.Generator().manual_seed(1))
    return Batch(ids, torch.full((rows,), length + 1)).to(device)


def training(kind: str, given: argparse.Namespace, length: int) -> Run:
    net = net_of(kind, given.depth, given.device)
    batch = batch_of(given.rows, length, given.device)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4)

    def run() -> None:
        optimizer.zero_grad()
        net.loss(batch).objective.backward()
        optimizer.step()
        if given.device == "cuda":
            torch.cuda.synchronize()

    return run


def speed(given: argparse.Namespace, length: int) -> None:
    """Medians over rounds in which all take turns; the first round only allocates."""
    clock = time.perf_counter if given.clock == "wall" else time.process_time
    runs = {kind: training(kind, given, length) for kind in ("gpt2", "ours", "plain")}
    rows = []
    for _ in range(given.rounds + 1):
        row = {}
        for kind, run in runs.items():
            start = clock()
            run()
            row[kind] = clock() - start
        rows.append(row)
    for kind in runs:
        rate = statistics.median(given.rows * length / row[kind] for row in rows[1:])
        ratio = statistics.median(row["gpt2"] / row[kind] for row in rows[1:])
        print(f"T = {length:4d}  {kind:5s} {rate:9,.0f} tokens/s, {ratio:.2f} x GPT-2", flush=True)


def peak_of(kind: str, given: argparse.Namespace) -> float:
    """GB that one training step on one piece of the longest length adds to a fresh process."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(step_alone, (kind, given.threads))


def step_alone(kind: str, threads: int) -> float:
    torch.set_num_threads(threads)
    net, short, whole = net_of(kind, 1, "cpu"), batch_of(1, 8, "cpu"), batch_of(1, LONGEST, "cpu")
    net.loss(short).objective.backward()  # what is allocated once
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    net.loss(whole).objective.backward()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e6


def memory(given: argparse.Namespace) -> None:
    peaks = {kind: peak_of(kind, given) for kind in ("ours", "plain", "definition")}
    for kind, peak in peaks.items():
        ratio = peak / peaks["definition"]
        print(f"one layer, T = {LONGEST}: {kind:10s} {peak:5.2f} GB, {ratio:.3f} x", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, help="of torch")
    parser.add_argument("--rounds", type=int, default=3, help="turns of every network")
    parser.add_argument("--rows", type=int, default=1, help="pieces per batch")
    parser.add_argument("--depth", type=int, default=4, help="layers")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    parser.add_argument("--only", choices=["speed", "memory"], help="memory is the CPU's")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.only != "memory":
        for length in LENGTHS:
            speed(given, length)
    if given.only != "speed" and given.device == "cpu":
        memory(given)


if __name__ == "__main__":
    main()
