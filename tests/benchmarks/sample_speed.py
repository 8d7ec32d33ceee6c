"""How fast is sampling, beside a bare loop over the same network? What does the constraint cost?

    python tests/benchmarks/sample_speed.py [--threads 2] [--rounds 5]

All competitors take turns in every round; medians are printed. The bare loop carries the state too
and draws with ``torch.multinomial`` for the whole batch at once, without any of what the sampler
adds: streams per sample, likelihoods, prompts and endings. Under the constraint every round has
seeds of its own and meets states that are new to its table; an untrained network meets far more of
them than a trained one.
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F

from symbotunes.generation.sequences import Settings, generate
from symbotunes.generation.sequences.abc_constraint import AbcConstraint
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.tokenizers.abc import AbcTokens

TOKENIZER = AbcTokens(vocabulary="folk_rnn")
VOCABULARY = TOKENIZER.vocabulary  # 137 tokens
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


def constrained() -> Callable[[FolkRNN, int], None]:
    """Sampling of tunes that are well-formed; its table of states lasts from round to round."""
    constraint = AbcConstraint(TOKENIZER.tokens, VOCABULARY.eos)
    seeds = itertools.count()

    def run(model: FolkRNN, tokens: int) -> None:
        part = [next(seeds) for _ in range(SAMPLES)]
        settings = Settings(max_tokens=tokens)
        prompts: list[list[int]] = [[]] * SAMPLES
        drawn = generate(model, VOCABULARY, prompts, settings, part, constraint=constraint)
        # Near the limit tunes are brought to an end, some a few tokens before it.
        assert all(tokens - 10 < one.count <= tokens for one in drawn)

    return run


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
    model, under_constraint = endless(), constrained()
    seconds(sample, model, 20), seconds(bare_loop, model, 20)  # first calls allocate
    rounds = [
        (
            seconds(bare_loop, model, TOKENS),
            seconds(sample, model, TOKENS),
            seconds(sample, model, 2 * TOKENS),
            seconds(under_constraint, model, TOKENS),
        )
        for _ in range(given.rounds)
    ]
    speed = statistics.median(SAMPLES * TOKENS / ours for _, ours, _, _ in rounds)
    ratio = statistics.median(bare / ours for bare, ours, _, _ in rounds)
    growth = statistics.median(longer / ours for _, ours, longer, _ in rounds)
    cost = statistics.median(bound / ours for _, ours, _, bound in rounds)
    print(f"{SAMPLES} x {TOKENS} tokens: {speed:,.0f} tokens/s, {ratio:.1%} of the bare loop")
    print(f"{2 * TOKENS} tokens take {growth:.2f} times as long as {TOKENS} (linear: 2)")
    print(f"under constraint=abc they take {cost:.2f} times as long (bound: 1.3)")


if __name__ == "__main__":
    main()
