"""How fast does Folk-RNN train, beside a bare LSTM of the same size without any padding?

    python tests/benchmarks/train_speed.py [--threads 2] [--rounds 7] [--device cpu]

All competitors take turns in every round, on batches of the same number of real tokens; what is
printed are medians of real tokens per second and of the ratios within a round, since other work on
the machine disturbs neighbors in time alike. Lengths are drawn like those of folk tunes and
batched by the training loader's own rule, so padding costs what it costs in training.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symbotunes.data.batches.grouping import Buckets
from symbotunes.data.batches.sampler import Batches
from symbotunes.models.base import Batch
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.tokenizers.base import Vocabulary
from symbotunes.training.optimizers import RMSprop

VOCABULARY = Vocabulary(137, bos=0, eos=1)
WIDTH, DEPTH = 512, 3
MEDIAN_LENGTH, SPREAD = 150, 0.45  # tokens per tune; log-normal
Run = Callable[[int], None]


def bucketed(count: int, batch_size: int, device: str) -> list[Batch]:
    """Batches as in training, of random ids."""
    random = np.random.default_rng(0)
    lengths = random.lognormal(np.log(MEDIAN_LENGTH), SPREAD, 100 * batch_size).astype(np.int64)
    drawn = list(Batches(np.arange(len(lengths)), Buckets(lengths, batch_size), seed=0))[:count]
    batches = []
    for draws in drawn:
        own = torch.from_numpy(lengths[draws.examples])
        tokens = torch.randint(2, VOCABULARY.size, (len(own), int(own.max())))
        batches.append(Batch(tokens, own).to(device))
    return batches


def trainer(batches: list[Batch], device: str, gate_clip: float | None) -> Run:
    """Loss, gradients and update of our model."""
    model = FolkRNN(VOCABULARY, WIDTH, DEPTH, gate_clip=gate_clip).to(device).train()
    optimizer = RMSprop([p for p in model.parameters() if p.requires_grad], lr=1e-4)

    def run(turn: int) -> None:
        optimizer.zero_grad()
        model.loss(batches[turn % len(batches)]).objective.backward()
        optimizer.step()

    return run


def bare(batches: list[Batch], device: str, *, whole: bool) -> Run:
    """An ``nn.LSTM`` over as many tokens without padding; `whole` adds head, loss and optimizer."""
    lstm = nn.LSTM(VOCABULARY.size, WIDTH, DEPTH, batch_first=True).to(device)
    head = nn.Linear(WIDTH, VOCABULARY.size).to(device)
    optimizer = torch.optim.RMSprop([*lstm.parameters(), *head.parameters()], lr=1e-4)
    shapes = [(len(b.lengths), round(b.targets / len(b.lengths))) for b in batches]
    tokens = [torch.randint(VOCABULARY.size, shape, device=device) for shape in shapes]
    inputs = [F.one_hot(ids, VOCABULARY.size).float() for ids in tokens]

    def run(turn: int) -> None:
        optimizer.zero_grad()
        hidden: Tensor = lstm(inputs[turn % len(inputs)])[0]
        if not whole:
            hidden.sum().backward()
            return
        targets = tokens[turn % len(inputs)].flatten()
        F.cross_entropy(head(hidden).flatten(0, 1), targets).backward()
        optimizer.step()

    return run


def seconds(run: Run, turn: int, device: str) -> float:
    """Wall time of one call, with the device's queue empty before and after."""
    start = time.perf_counter()
    run(turn)
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, help="of torch on the CPU")
    parser.add_argument("--rounds", type=int, default=7, help="turns of every competitor")
    parser.add_argument("--batch-size", type=int, default=64, help="tunes")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    batches = bucketed(given.rounds, given.batch_size, given.device)
    competitors = {
        "bare nn.LSTM": bare(batches, given.device, whole=False),
        "bare nn.LSTM, head, loss, RMSprop": bare(batches, given.device, whole=True),
        "FolkRNN": trainer(batches, given.device, None),
        "FolkRNN, gate_clip=5": trainer(batches, given.device, 5.0),
    }
    for run in competitors.values():
        run(0)  # first calls allocate and compile
    times = {name: [seconds(run, 0, given.device)] for name, run in competitors.items()}
    for turn in range(1, given.rounds):
        for name, run in competitors.items():
            times[name].append(seconds(run, turn, given.device))
    report(times, batches)


def report(times: dict[str, list[float]], batches: list[Batch]) -> None:
    """Print padding, then speed and ratio to the bare LSTM of every competitor."""
    slots = sum(batch.tokens[:, 1:].numel() for batch in batches)
    real = [batch.targets for batch in batches]
    print(f"padding: {1 - sum(real) / slots:.1%} of {slots:,} slots")
    reference = times["bare nn.LSTM"]
    for name, spent in times.items():
        speed = statistics.median(n / s for n, s in zip(real, spent, strict=True))
        ratio = statistics.median(r / s for r, s in zip(reference, spent, strict=True))
        print(f"{name:35s} {speed:10,.0f} real tokens/s   {ratio:6.1%} of the bare LSTM")


if __name__ == "__main__":
    main()
