"""How fast does the hierarchical MusicVAE train and write, beside the straightforward form?

    python tests/benchmarks/music_vae_speed.py [--threads 2] [--rounds 5] [--dtype float32]
    python tests/benchmarks/music_vae_speed.py --device cuda --dtype bfloat16 --batch-size 512

The straightforward form has the same encoder, posterior, weights and loss, but its decoder loops
over bars and steps and feeds ``[previous step, code]`` to its cells at every step, and it writes
64 pieces 8 by 8. Competitors take turns in every round; what is printed are medians. Useful
operations are those that the mathematics needs, without what the straightforward form repeats:
one-hot inputs cost nothing, codes are projected once per bar. With ``--clock cpu`` and one thread
the time of other programs on the machine does not count.
"""

import argparse
import contextlib
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from symbotunes.models.base import Batch
from symbotunes.models.music_vae.encoder import BidirectionalEncoder
from symbotunes.models.music_vae.hierarchical import HierarchicalDecoder
from symbotunes.models.music_vae.model import MusicVAE
from symbotunes.models.music_vae.symbols import Classes
from symbotunes.tokenizers.base import Vocabulary
from symbotunes.training.allocator import keep_freed_memory

WIDTH, CLASSES, BARS, BAR = 512, 90, 16, 16
STEPS = BARS * BAR
PIECES_WRITTEN, AT_ONCE = 64, 8
Run = Callable[[], object]


def make() -> MusicVAE:
    """The 16-bar melody model with 512 units in every layer."""
    return MusicVAE(
        Vocabulary(CLASSES, 0, 0),
        Classes({"melody": CLASSES}),
        partial(BidirectionalEncoder, widths=[WIDTH, WIDTH]),
        partial(HierarchicalDecoder, widths=[WIDTH, WIDTH], conductor=[WIDTH, WIDTH]),
        latent=WIDTH,
        free_bits=256,
        max_beta=0.2,
    )


class Straightforward(HierarchicalDecoder):
    """The same decoder, one bar after the other and one step after the other."""

    def forward(self, z: Tensor, inputs: Tensor) -> Tensor:
        found = []
        for codes, bar in zip(self.loop_codes(z), inputs.split(BAR, 1), strict=True):
            state = self.cores[0].stack.start(codes)
            for step in bar.unbind(1):
                logits, state = self.loop_step(codes, step[:, 0], state)
                found.append(logits)
        return torch.stack(found, 1)

    def loop_codes(self, z: Tensor) -> list[Tensor]:
        state, found = self.conductor.start(z), []
        for _ in range(BARS):
            hidden, state = cells(self.conductor.weights(), z.new_zeros(len(z), 1), state)
            found.append(hidden)
        return found

    def loop_step(self, codes: Tensor, ids: Tensor, state: list) -> tuple[Tensor, list]:
        one_hot = F.one_hot(ids + 1, CLASSES + 1)[:, 1:].to(codes.dtype)
        vectors = torch.cat([one_hot, codes], -1)
        hidden, state = cells(self.cores[0].stack.weights(), vectors, state)
        return self.cores[0].head(hidden), state

    @torch.no_grad()
    def loop_write(self, z: Tensor) -> Tensor:
        last, found = torch.full((len(z),), -1, device=z.device), []
        for codes in self.loop_codes(z):
            state = self.cores[0].stack.start(codes)
            for _ in range(BAR):
                logits, state = self.loop_step(codes, last, state)
                last = logits.float().softmax(-1).multinomial(1)[:, 0]
                found.append(last)
        return torch.stack(found, 1)


def cells(weights: list, inputs: Tensor, states: list) -> tuple[Tensor, list]:
    """One step of stacked LSTM cells, as `nn.LSTMCell` computes it."""
    new = []
    for (w_ih, w_hh, bias), state in zip(weights, states, strict=True):
        inputs, cell = torch._VF.lstm_cell(inputs, state, w_ih, w_hh, bias, torch.zeros_like(bias))
        new.append((inputs, cell))
    return inputs, new


def straightforward(model: MusicVAE) -> MusicVAE:
    """A copy of the model that runs the straightforward decoder."""
    other = make()
    other.decoder = Straightforward(WIDTH, other.symbols, [WIDTH, WIDTH], [WIDTH, WIDTH])
    other.load_state_dict(model.state_dict())
    return other.to(next(model.parameters()).device)


def training(model: MusicVAE, batch: Batch, context: Callable) -> Run:
    """Loss, gradients and update."""
    trained = [p for p in model.train().parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=1e-5)

    def run() -> None:
        optimizer.zero_grad()
        with context():
            loss = model.loss(batch, step=1).objective
        loss.backward()
        optimizer.step()

    return run


def useful_operations(pieces: int) -> float:
    """Multiplications and additions of one training step; the backward pass takes two passes."""
    square = 4 * WIDTH * WIDTH  # gates from one vector of 512
    encoder = 2 * (square + 3 * square)  # both directions; the second layer reads both
    core = square + 2 * square + WIDTH * CLASSES
    per_bar = (square + 2 * square) + square + square  # conductor, states, projected code
    per_piece = 2 * 2 * WIDTH * WIDTH + square  # mean and deviation, conductor's states
    total = STEPS * (encoder + core) + BARS * per_bar + per_piece
    return 2 * 3 * pieces * float(total)


def roofline(dtype: torch.dtype, device: str, seconds: Callable[[Run], float]) -> float:
    """Operations per second of a large product of square matrices."""
    size = 2048 if device == "cpu" else 8192
    one, other = torch.randn(2, size, size, device=device).to(dtype)
    return 2 * size**3 / statistics.median(seconds(lambda: one @ other) for _ in range(7))


def measure(runs: dict[str, Run], rounds: int, seconds: Callable[[Run], float]) -> dict[str, float]:
    """Median seconds of each competitor, taking turns."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds + 1):
        for name, run in runs.items():
            spent = seconds(run)
            if turn:  # first calls allocate
                times[name].append(spent)
    return {name: statistics.median(spent) for name, spent in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, help="of torch")
    parser.add_argument("--rounds", type=int, default=5, help="turns of every competitor")
    parser.add_argument("--batch-size", type=int, default=32, help="windows of 16 bars")
    parser.add_argument("--dtype", default="float32", help="float32 or bfloat16 (autocast)")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--clock", default="wall", choices=["wall", "cpu"], help="what is timed")
    parser.add_argument("--only", default="both", choices=["both", "training", "writing"])
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    keep_freed_memory()  # as training does
    torch.manual_seed(0)
    dtype = getattr(torch, given.dtype)
    clock = time.perf_counter if given.clock == "wall" else time.process_time

    def seconds(run: Run) -> float:
        start = clock()
        run()
        if given.device == "cuda":
            torch.cuda.synchronize()
        return clock() - start

    def context() -> contextlib.AbstractContextManager:
        return torch.autocast(given.device, dtype, enabled=dtype != torch.float32)

    ours = make().to(given.device)
    other = straightforward(ours)
    if given.only != "writing":
        report_training(
            ours, other, given, context, seconds, roofline(dtype, given.device, seconds)
        )
    if given.only != "training":
        report_writing(ours, other, given, context, seconds)


def report_training(ours, other, given, context, seconds, peak) -> None:
    tokens = torch.randint(CLASSES, (given.batch_size, STEPS), device=given.device)
    batch = Batch(tokens, torch.full((given.batch_size,), STEPS))
    runs = {
        "MusicVAE": training(ours, batch, context),
        "straightforward": training(other, batch, context),
    }
    z = torch.randn(given.batch_size, WIDTH, device=given.device)
    inputs = ours.decoder.previous(tokens[..., None])
    for name, model in (("MusicVAE", ours), ("straightforward", other)):

        def decoder(model: MusicVAE = model) -> None:
            with context():
                nats, _ = model.decoder.score(model.decoder(z, inputs), tokens[..., None])
            nats.sum().backward()

        runs[f"{name}, decoder alone"] = decoder
    times = measure(runs, given.rounds, seconds)
    print(f"training, {given.batch_size} windows of {STEPS} steps, {given.dtype}")
    for name, spent in times.items():
        print(f"  {name:32s} {tokens.numel() / spent:10,.0f} tokens/s")
    print(f"  ratio {times['straightforward'] / times['MusicVAE']:.2f}, decoder alone", end=" ")
    alone = [times[f"{name}, decoder alone"] for name in ("straightforward", "MusicVAE")]
    print(f"{alone[0] / alone[1]:.2f}")
    share = useful_operations(given.batch_size) / times["MusicVAE"] / peak
    print(f"  {share:.1%} of the roofline of {peak / 1e9:.0f} GFLOP/s")


def report_writing(ours, other, given, context, seconds) -> None:
    z = torch.randn(PIECES_WRITTEN, WIDTH, device=given.device)

    def inside(run: Run) -> Run:
        def wrapped() -> None:
            with torch.no_grad(), context():
                run()

        return wrapped

    def rounded() -> None:
        with torch.no_grad(), torch.autocast(given.device, torch.bfloat16):
            ours.decode(z, STEPS)

    parts = z.split(AT_ONCE)
    runs = {
        "64 at once": inside(lambda: ours.decode(z, STEPS)),
        "64 at once, weights=bfloat16": rounded,
        "8 by 8": inside(lambda: [ours.decode(part, STEPS) for part in parts]),
        "8 by 8, straightforward": inside(lambda: [other.decoder.loop_write(p) for p in parts]),
    }
    times = measure(runs, given.rounds, seconds)
    print(f"writing {PIECES_WRITTEN} pieces of {BARS} bars")
    for name, spent in times.items():
        print(f"  {name:32s} {spent:8.2f} s   {spent / times['64 at once']:6.2f} x")


if __name__ == "__main__":
    main()
