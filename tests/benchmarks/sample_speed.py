"""How fast is sampling, beside a bare loop over the same network? Does it grow linearly?

    python tests/benchmarks/sample_speed.py [--threads 2] [--rounds 5]

All competitors take turns in every round; medians are printed. The bare loop carries the state too
and draws with ``torch.multinomial`` for the whole batch at once, without any of what the sampler
adds: streams per sample, likelihoods, prompts and endings.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F

from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.sampling import Settings, generate
from symbotunes.tokenizers.base import Vocabulary

VOCABULARY = Vocabulary(137, bos=0, eos=1)
SAMPLES, TOKENS = 8, 200


def endless() -> FolkRNN:
    """A network of the paper's size that never ends a tune."""
    torch.manual_seed(0)
    model = FolkRNN(VOCABULARY).eval()
    torch.nn.init.constant_(model.head.bias[VOCABULARY.eos].detach(), -1e4)
    return model


def sample(model: FolkRNN, tokens: int) -> None:
    settings = Settings(max_tokens=tokens)
    drawn = generate(model, VOCABULARY, [[]] * SAMPLES, settings, range(SAMPLES))
    assert all(one.count == tokens for one in drawn), "the network ended a tune"


@torch.inference_mode()
def bare_loop(model: FolkRNN, tokens: int) -> None:
    state = model.start(SAMPLES)
    ids = torch.full((SAMPLES, 1), VOCABULARY.bos)
    for _ in range(tokens):
        hidden, state = model.lstm(F.one_hot(ids, VOCABULARY.size).float(), state)
        ids = torch.multinomial(model.head(hidden[:, -1]).softmax(-1), 1)


def seconds(run: Callable[[FolkRNN, int], None], model: FolkRNN, tokens: int) -> float:
    start = time.perf_counter()
    run(model, tokens)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, help="of torch")
    parser.add_argument("--rounds", type=int, default=5, help="turns of every competitor")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    model = endless()
    seconds(sample, model, 20), seconds(bare_loop, model, 20)  # first calls allocate
    rounds = [
        (
            seconds(bare_loop, model, TOKENS),
            seconds(sample, model, TOKENS),
            seconds(sample, model, 2 * TOKENS),
        )
        for _ in range(given.rounds)
    ]
    speed = statistics.median(SAMPLES * TOKENS / ours for _, ours, _ in rounds)
    ratio = statistics.median(bare / ours for bare, ours, _ in rounds)
    growth = statistics.median(longer / ours for _, ours, longer in rounds)
    print(f"{SAMPLES} x {TOKENS} tokens: {speed:,.0f} tokens/s, {ratio:.1%} of the bare loop")
    print(f"{2 * TOKENS} tokens take {growth:.2f} times as long as {TOKENS} (linear: 2)")


if __name__ == "__main__":
    main()
