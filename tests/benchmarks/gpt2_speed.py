"""GPT-2 beside transformers' GPT2LMHeadModel of the same size: training, sampling, memory.

    python tests/benchmarks/gpt2_speed.py [--threads 2] [--rounds 5] [--clock wall]
    python tests/benchmarks/gpt2_speed.py --device cuda --batch-size 64 --only bfloat16

53 million parameters (width 600, 12 layers, 12 heads, context 1,955), on the built-in folk tunes
through the training loader. All competitors take turns in every round; what is printed are medians
of real tokens per second and of ratios within a round. ``bucketed`` batches are the loader's, of
like length; ``mixed`` ones hold tunes as they come. The roofline is the speed of a matrix product
of 2,048 (CUDA: 8,192) in the same type, measured in the same rounds, and 6 x parameters operations
per token.
On a machine that other work shares, ``--threads 1 --clock cpu`` counts processor time instead.
"""

import argparse
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import torch
import transformers
from hydra import compose, initialize_config_dir

from symbotunes.cli.command_line import register_resolvers
from symbotunes.config.assembly import build_chain, build_data
from symbotunes.data.batches.loading import collate, framed
from symbotunes.generation.sequences import Settings, generate
from symbotunes.models.base import Batch
from symbotunes.models.gpt2 import GPT2
from symbotunes.tokenizers.base import Vocabulary
from symbotunes.training.optimizers import GroupedAdamW

CONF = Path(__file__).parents[2] / "conf"
WIDTH, DEPTH, HEADS, CONTEXT = 600, 12, 12, 1955
SAMPLES, TOKENS = 4, 150
SIDES, PRODUCTS = {"cpu": 2048, "cuda": 8192}, 8  # of the roofline
Run = Callable[[Batch], None]


def data(
    batch_size: int, count: int, device: str = "cpu"
) -> tuple[Vocabulary, dict[str, list[Batch]]]:
    """Batches of folk tunes, of like length and mixed."""
    register_resolvers()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("config", ["dataset=folk", f"loader.batch_size={batch_size}"])
    module = build_data(cfg, build_chain(cfg))
    loader = module.train_dataloader()
    bucketed = list(islice(iter(loader), count))
    vocabulary = module.chain.tokenizer.vocabulary
    examples = loader.batches.examples
    order = np.random.default_rng(0).permutation(examples)[: batch_size * count]
    mixed = [
        collate(*framed(*module.encoded.gather(some), vocabulary))
        for some in np.split(order, count)
    ]
    kinds = {"bucketed": bucketed, "mixed": mixed}
    return vocabulary, {name: [one.to(device) for one in own] for name, own in kinds.items()}


def our_net(vocabulary: Vocabulary) -> GPT2:
    torch.manual_seed(0)
    return GPT2(vocabulary, WIDTH, DEPTH, HEADS, CONTEXT, dropout=0.0)


def their_net(vocabulary: Vocabulary) -> torch.nn.Module:
    torch.manual_seed(0)
    none = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    config = transformers.GPT2Config(
        vocab_size=vocabulary.size, n_positions=CONTEXT, n_embd=WIDTH, n_layer=DEPTH, n_head=HEADS,
        bos_token_id=vocabulary.bos, eos_token_id=None, use_cache=False, **none,
    )  # fmt: skip
    return transformers.GPT2LMHeadModel(config)


def our_training(vocabulary: Vocabulary, *, bf16: bool, device: str = "cpu") -> Run:
    net = our_net(vocabulary).to(device).train()
    optimizer = GroupedAdamW(net.parameters())

    def run(batch: Batch) -> None:
        optimizer.zero_grad()
        with torch.autocast(device, torch.bfloat16, enabled=bf16):
            objective = net.loss(batch).objective
        objective.backward()
        optimizer.step()

    return run


def their_training(vocabulary: Vocabulary, *, bf16: bool, device: str = "cpu") -> Run:
    net = their_net(vocabulary).to(device).train()
    optimizer = torch.optim.AdamW(net.parameters(), fused=True)

    def run(batch: Batch) -> None:
        optimizer.zero_grad()
        mask = torch.arange(batch.tokens.shape[1]) < batch.lengths[:, None]
        mask = mask.to(device)
        labels = batch.tokens.masked_fill(~mask, -100)
        with torch.autocast(device, torch.bfloat16, enabled=bf16):
            loss = net(batch.tokens, attention_mask=mask.long(), labels=labels).loss
        loss.backward()
        optimizer.step()

    return run


def roofline(*, bf16: bool, device: str) -> Run:
    dtype, side = torch.bfloat16 if bf16 else torch.float32, SIDES[device]
    left, right = torch.randn(2, side, side, dtype=dtype, device=device)

    def run(batch: Batch) -> None:
        for _ in range(PRODUCTS):
            torch.mm(left, right)

    return run


def our_sampling(
    vocabulary: Vocabulary, dtype: torch.dtype | None, device: str
) -> Callable[[], None]:
    net = our_net(vocabulary).to(device).eval()
    net.decoding_dtype = dtype
    endless = Vocabulary(vocabulary.size, vocabulary.bos, vocabulary.bos)  # bos is never drawn

    def run() -> None:
        drawn = generate(net, endless, [[]] * SAMPLES, Settings(max_tokens=TOKENS), range(SAMPLES))
        assert sum(one.count for one in drawn) == SAMPLES * TOKENS

    return run


def their_sampling(vocabulary: Vocabulary, device: str) -> Callable[[], None]:
    net = their_net(vocabulary).to(device).eval()
    prompt = torch.full((SAMPLES, 1), vocabulary.bos, device=device)
    settings = {"max_new_tokens": TOKENS, "do_sample": True, "use_cache": True, "pad_token_id": 1}

    def run() -> None:
        drawn = net.generate(prompt, attention_mask=torch.ones_like(prompt), **settings)
        assert drawn.shape == (SAMPLES, TOKENS + 1)

    return run


def training(given: argparse.Namespace, clock: Callable[[], float], *, bf16: bool) -> None:
    vocabulary, kinds = data(given.batch_size, given.rounds + 1, given.device)
    own = {"bf16": bf16, "device": given.device}
    ours, theirs = our_training(vocabulary, **own), their_training(vocabulary, **own)
    runs = {"ours": ours, "theirs": theirs, "roofline": roofline(**own)}
    parameters = sum(parameter.numel() for parameter in our_net(vocabulary).parameters())
    print(f"\ntraining, {'bfloat16 autocast' if bf16 else 'float32'}, {parameters / 1e6:.1f} M")
    for kind, batches in kinds.items():
        rows = [timed(runs, batch, clock) for batch in batches][1:]  # the first call allocates
        real = [batch.targets for batch in batches[1:]]
        slots = [batch.tokens[:, 1:].numel() for batch in batches[1:]]
        speed = [n / row["ours"] for n, row in zip(real, rows, strict=True)]
        ratio = [row["theirs"] / row["ours"] for row in rows]
        peak = [2 * SIDES[given.device] ** 3 * PRODUCTS / row["roofline"] for row in rows]
        share = [6 * parameters * v / top for v, top in zip(speed, peak, strict=True)]
        print(
            f"{kind:9s} {statistics.median(speed):7,.0f} real tokens/s, "
            f"{statistics.median(ratio):.2f} x transformers, "
            f"{statistics.median(share):.0%} of {statistics.median(peak) / 1e9:,.0f} GFLOP/s "
            f"(padding {1 - sum(real) / sum(slots):.0%})",
            flush=True,
        )


def timed(runs: dict[str, Run], batch: Batch, clock: Callable[[], float]) -> dict[str, float]:
    """Seconds of each competitor on the same batch, one after the other."""
    spent = {}
    for name, run in runs.items():
        start = clock()
        run(batch)
        if batch.tokens.is_cuda:
            torch.cuda.synchronize()
        spent[name] = clock() - start
    return spent


def sampling(given: argparse.Namespace, clock: Callable[[], float]) -> None:
    vocabulary = Vocabulary(137, bos=0, eos=1)
    theirs = their_sampling(vocabulary, given.device)
    dtypes = {"float32": None}
    if given.device == "cpu":  # elsewhere weights are not rounded
        dtypes |= {"bfloat16 weights": torch.bfloat16, "int8 weights": torch.int8}
    ours = {name: our_sampling(vocabulary, dtype, given.device) for name, dtype in dtypes.items()}
    rows = []
    for _ in range(given.rounds + 1):
        row = {}
        for name, run in {"theirs": theirs, **ours}.items():
            start = clock()
            run()
            row[name] = clock() - start
        rows.append(row)
    speed = statistics.median(SAMPLES * TOKENS / row["theirs"] for row in rows[1:])
    print(f"\nsampling {SAMPLES} x {TOKENS} tokens; transformers, float32: {speed:,.0f} tokens/s")
    for name in ours:
        speed = statistics.median(SAMPLES * TOKENS / row[name] for row in rows[1:])
        ratio = statistics.median(row["theirs"] / row[name] for row in rows[1:])
        print(f"{name:18s} {speed:6,.0f} tokens/s, {ratio:.2f} x transformers", flush=True)


def peak_of(make: str, given: argparse.Namespace, bf16: bool) -> float:
    """Peak resident memory in GB of a fresh process that trains on every batch once."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(train_alone, (make, given.threads, given.batch_size, bf16))


def train_alone(make: str, threads: int, batch_size: int, bf16: bool) -> float:
    torch.set_num_threads(threads)
    vocabulary, kinds = data(batch_size, 2)
    run = {"ours": our_training, "theirs": their_training}[make](vocabulary, bf16=bf16)
    for batch in kinds["bucketed"] + kinds["mixed"]:
        run(batch)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def memory(given: argparse.Namespace) -> None:
    for bf16 in (False, True):
        ours, theirs = (peak_of(make, given, bf16) for make in ("ours", "theirs"))
        print(
            f"peak memory of training, {'bfloat16' if bf16 else 'float32 '}: "
            f"{ours:.2f} GB, transformers {theirs:.2f} GB: {ours / theirs:.2f} x",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, help="of torch")
    parser.add_argument("--rounds", type=int, default=5, help="turns of every competitor")
    parser.add_argument("--batch-size", type=int, default=16, help="tunes")
    parser.add_argument(
        "--device", default="cpu", choices=["cpu", "cuda"], help="memory is the CPU's"
    )
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    parser.add_argument("--only", choices=["float32", "bfloat16", "sampling", "memory"])
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    transformers.logging.set_verbosity_error()
    clock = time.perf_counter if given.clock == "wall" else time.process_time
    parts: dict[str, Callable[[], None]] = {
        "sampling": lambda: sampling(given, clock),
        "float32": lambda: training(given, clock, bf16=False),
        "bfloat16": lambda: training(given, clock, bf16=True),
        "memory": lambda: memory(given),
    }
    for name, part in parts.items():
        if given.only in (None, name):
            part()


if __name__ == "__main__":
    main()
