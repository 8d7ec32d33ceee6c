"""Does everything that trains and samples work on this CUDA device? One command, at most 5 minutes.

    python -m tests.on_gpu.check                              every check on the first CUDA device
    python -m tests.on_gpu.check --device cpu --steps 5       tries the checks themselves
    python -m tests.on_gpu.check --device cpu --write         writes the losses to compare with

It needs a checkout, torch 2.9 or newer, Lightning and Hydra; data are made ids. The exit status is
the number of checks that failed.
"""

import argparse
import importlib.util
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import hydra
import lightning
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor
from torch.utils.data import DataLoader

if importlib.util.find_spec("symusic") is None:  # which tokenizers need, and networks do not
    sys.modules["symusic"] = MagicMock()

from symbotunes.models.base import Batch, Model, SequenceModel
from symbotunes.models.layers.attention import Layout
from symbotunes.models.layers.precision import multiplies_bfloat16
from symbotunes.tokenizers.base import NO_ID, Vocabulary
from symbotunes.training.callbacks.peak import peak_flops

CONF = Path(__file__).parents[2] / "conf"
EXPECTED = Path(__file__).with_name("losses.json")
PRECISIONS = {
    "32-true": 0.02,
    "bf16-mixed": 0.05,
    "16-mixed": 0.05,
}  # and how far losses may be off
LAST = 20  # steps whose mean loss is compared
SIZE = 40  # vocabulary of small sequence models
TRANSFORMERS = ("gpt2", "gpt2_mini", "gpt2_small", "music_transformer", "music_transformer_small")
SEQUENCES = ("folk_rnn", "folk_rnn_small", *TRANSFORMERS)
WINDOWS = {  # and their classes
    "music_vae": 90, "music_vae_2bar_big": 90, "music_vae_16bar": 90, "music_vae_16bar_flat": 90,
    "music_vae_trio": 692, "music_vae_trio_flat": 692, "music_vae_drums": 512,
    "music_vae_drums_nade": 61,
}  # fmt: skip
PUBLISHED = {
    "folk_rnn": (64, 256), "gpt2_small": (8, 1024), "music_transformer": (8, 2048),
    "music_vae_2bar_big": (256, 32),
}  # fmt: skip


def make(name: str, *, small: bool) -> Model:
    """A network of ``conf/model``, the same every time."""
    words = [f"model={name}", "model.net.dropout=0"] if name in SEQUENCES else [f"model={name}"]
    if name.startswith("music_transformer"):
        words.append("model.net.attention_dropout=0")
    if small and name in SEQUENCES:
        words.append("model.net.width=32")
        if name in TRANSFORMERS:
            words += [f"model.net.{word}" for word in ("depth=2", "heads=2", "context=32")]
        if name.startswith("music_transformer"):
            sizes = ("key_width=48", "feedforward=64", "max_distance=12")
            words += [f"model.net.{word}" for word in sizes]
    elif small:
        words += ["encoder.widths=[32]", "decoder.widths=[32,32]", "latent=16"]
        words += ["decoder.conductor=[32,32]"] * (name in ("music_vae_16bar", "music_vae_trio"))
        words = [words[0], *(f"model.net.{word}" for word in words[1:])]
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        node = hydra.compose("config", words).model.net
    vocabulary = (
        Vocabulary(SIZE, 0, 1) if name in SEQUENCES else Vocabulary(WINDOWS[name], NO_ID, NO_ID)
    )
    torch.manual_seed(0)
    net: Model = hydra.utils.instantiate(node, _convert_="all")(vocabulary=vocabulary)
    return net


def made_batches(net: Model, rows: int, steps: int, count: int = 4) -> list[Batch]:
    """Batches of made ids: scales and random steps, so that there is something to learn."""
    random = torch.Generator().manual_seed(1)
    batches = []
    for _ in range(count):
        starts = torch.randint(0, 30, (rows, 1), generator=random)
        walk = starts + torch.randint(0, 3, (rows, steps), generator=random).cumsum(1)
        if isinstance(net, SequenceModel):
            tokens = 2 + walk % (SIZE - 2)
            lengths = torch.randint(steps // 2, steps + 1, (rows,), generator=random)
            lengths[0] = steps
        else:
            symbols: Any = net.symbols  # type: ignore[union-attr]
            classes = getattr(symbols, "classes", [2] * symbols.numbers)
            tokens = symbols.pack(torch.stack([(walk + k) % n for k, n in enumerate(classes)], -1))
            lengths = torch.full((rows,), steps)
        batches.append(Batch(tokens, lengths))
    return batches


class Lit(lightning.LightningModule):
    """Trains on made batches by the number of the step, so that a resumed run needs no loader."""

    def __init__(self, net: Model, batches: list[Batch]) -> None:
        super().__init__()
        self.net, self.batches = net, batches
        self.losses: list[float] = []

    def training_step(self, _: Any, batch_idx: int) -> Tensor:  # noqa: ARG002
        batch = self.batches[self.global_step % len(self.batches)].to(self.device)
        loss = self.net.loss(batch, self.global_step).objective
        self.losses.append(float(loss.detach()))
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.net.parameters(), lr=1e-3)

    def train_dataloader(self) -> DataLoader[int]:
        return DataLoader(list(range(10_000)), batch_size=None)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["random"] = [torch.get_rng_state(), *self._cuda_states()]

    def _cuda_states(self) -> list[Tensor]:
        return torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.random = checkpoint["random"]

    def on_train_start(self) -> None:
        if hasattr(self, "random"):
            torch.set_rng_state(self.random[0])
            if self.random[1:]:
                torch.cuda.set_rng_state_all(self.random[1:])


def train(
    lit: Lit, device: str, steps: int, *, ckpt_path: Path | None = None, **settings: Any
) -> lightning.Trainer:
    """Train for so many steps in all, in float32 on one device if the settings do not differ."""
    trainer = lightning.Trainer(
        accelerator="gpu" if device == "cuda" else "cpu", max_steps=steps, gradient_clip_val=1.0,
        logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, **{"devices": 1, "precision": "32-true"} | settings,
    )  # fmt: skip
    trainer.fit(lit, ckpt_path=ckpt_path, weights_only=ckpt_path is not None)
    return trainer


def final(losses: list[float]) -> float:
    """Mean loss of the last steps."""
    return sum(losses[-LAST:]) / len(losses[-LAST:])


def small_losses(name: str, device: str, steps: int, precision: str) -> list[float]:
    net = make(name, small=True)
    lit = Lit(net, made_batches(net, 8, 32))
    train(lit, device, steps, precision=precision)
    return lit.losses


def check_losses(device: str, steps: int) -> Iterator[str]:
    """Every network, made small, has the losses of the CPU in each precision."""
    expected = json.loads(EXPECTED.read_text()) if EXPECTED.exists() else {}
    for name in (*SEQUENCES, *WINDOWS):
        for precision, tolerance in PRECISIONS.items():
            if device == "cpu" and precision == "16-mixed":
                continue
            losses = small_losses(name, device, steps, precision)
            first, last = expected[name] if steps == expected["steps"] else (losses[0], None)
            yield f"{name} {precision}: {losses[0]:.4f} to {final(losses):.4f}, CPU {first} {last}"
            assert all(loss == loss for loss in losses), "a loss is not a number"
            assert abs(losses[0] / first - 1) < tolerance, "the first loss differs"
            assert last is None or abs(final(losses) / last - 1) < tolerance, "the loss differs"


def check_resume(device: str, steps: int) -> Iterator[str]:  # noqa: ARG001
    """A resumed training is bit for bit one that was not interrupted."""
    for name in ("folk_rnn", "gpt2", "music_transformer", "music_vae", "music_vae_trio"):
        batches = made_batches(make(name, small=True), 8, 32)
        whole, half, resumed = (Lit(make(name, small=True), batches) for _ in range(3))
        torch.manual_seed(1)
        train(whole, device, 8, deterministic=True)
        torch.manual_seed(1)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "half.ckpt"
            train(half, device, 4, deterministic=True).save_checkpoint(path)
            train(resumed, device, 8, deterministic=True, ckpt_path=path)
        yield f"{name}: {resumed.losses}"
        assert resumed.losses == whole.losses[4:], whole.losses[4:]


def check_cache(device: str, steps: int) -> Iterator[str]:  # noqa: ARG001
    """Reading token by token gives the logits of reading all at once."""
    for name in SEQUENCES:
        net = make(name, small=True).to(device).eval()
        assert isinstance(net, SequenceModel)
        tokens = made_batches(net, 3, 24)[0].tokens.to(device)
        with torch.no_grad():
            whole, state, parts = net(tokens), net.start(len(tokens)), []
            for column in tokens.unbind(1):
                logits, state = net.step(column, state)
                parts.append(logits)
        difference = float((torch.stack(parts, 1) - whole).abs().max())
        yield f"{name}: logits differ by {difference:.1e}"
        assert difference < 1e-3 * float(whole.abs().max())


def check_packing(device: str, steps: int) -> Iterator[str]:  # noqa: ARG001
    """Packed pieces have the nats that they have apart, and attend with hardly any padding."""
    for name in ("gpt2", "music_transformer"):
        yield f"{name}: {packing_of(make(name, small=True).to(device).eval(), device)}"


def packing_of(net: Model, device: str) -> str:
    random = torch.Generator().manual_seed(2)
    lengths = torch.randint(3, 30, (24,), generator=random).tolist()
    pieces = [torch.randint(2, SIZE, (length,), generator=random) for length in lengths]
    segments = torch.repeat_interleave(torch.arange(1, 25), torch.tensor(lengths))[None]
    total = torch.tensor([sum(lengths)])
    with torch.no_grad():
        packed = net.loss(Batch(torch.cat(pieces)[None], total, segments).to(device))
        apart = [
            net.loss(Batch(piece[None], torch.tensor([len(piece)])).to(device)) for piece in pieces
        ]
    nats = sum(float(loss.nll_nats) for loss in apart if loss.nll_nats is not None)
    groups = Layout.of(lengths, torch.device("cpu")).groups.layouts
    padded = sum(rows * longest for rows, longest in (part.padded for part in groups))
    assert packed.nll_nats is not None
    assert abs(float(packed.nll_nats) / nats - 1) < 1e-4
    assert padded < 1.15 * sum(lengths)
    return f"{float(packed.nll_nats):.4f} and {nats:.4f} nats, {padded / sum(lengths):.3f} padded"


class LastLoss(Callback):
    """Brings the last loss back from processes that are started for a training."""

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, *_: Any) -> None:  # noqa: ARG002
        pl_module.log("last", outputs["loss"], sync_dist=True)


def check_ddp(device: str, steps: int) -> Iterator[str]:  # noqa: ARG001
    """Processes with the same batches train as one does."""
    most = min(2, torch.cuda.device_count() if device == "cuda" else 2)
    for name in ("gpt2", "music_vae_2bar_big"):
        batches = made_batches(make(name, small=True), 8, 32)
        alone = Lit(make(name, small=True), batches)
        train(alone, device, 10)
        losses = []
        for devices in range(1, most + 1):
            lit = Lit(make(name, small=True), batches)
            settings = {"devices": devices, "strategy": "ddp_spawn", "callbacks": [LastLoss()]}
            losses.append(float(train(lit, device, 10, **settings).callback_metrics["last"]))
        yield f"{name}: {alone.losses[-1]:.5f} alone, {losses} by one process and more"
        tolerance = 1e-4 if name == "gpt2" else 0.05  # processes draw different latent vectors
        assert all(abs(loss / alone.losses[-1] - 1) < tolerance for loss in losses)


def check_speed(device: str, steps: int) -> Iterator[str]:
    """Published sizes: tokens per second and the share of the device's peak."""
    precision = "bf16-mixed" if multiplies_bfloat16(torch.device(device)) else "32-true"
    for name, (rows, length) in PUBLISHED.items():
        rows, count = (rows, 20) if device == "cuda" else (1, min(steps, 2))
        lit = Lit(make(name, small=False), made_batches(make(name, small=False), rows, length, 1))
        train(lit, device, 3, precision=precision)  # warm up
        began = time.perf_counter()
        train(lit, device, count, precision=precision)
        seconds = time.perf_counter() - began
        rate = count * int(lit.batches[0].lengths.sum()) / seconds
        weights = sum(weight.numel() for weight in lit.net.parameters())
        peak = peak_flops(torch.device(device), precision)
        share = f"{6 * weights * rate / peak:.1%} of peak" if peak else "peak unknown"
        yield f"{name}, {weights / 1e6:.0f} M, {precision}: {rate:,.0f} tokens/s, {share}"


CHECKS: tuple[Callable[[str, int], Iterator[str]], ...] = (
    check_cache, check_packing, check_resume, check_ddp, check_speed, check_losses,
)  # fmt: skip


@contextmanager
def counted(failures: list[str], name: str) -> Iterator[None]:
    """Note a failed check and go on with the next."""
    try:
        yield
    except Exception as error:  # a check may fail in any way
        failures.append(name)
        print(f"  FAILED {type(error).__name__}: {error}", flush=True)


def write(steps: int) -> None:
    """Write the losses of this CPU in float32."""
    found: dict[str, Any] = {"steps": steps}
    for name in (*SEQUENCES, *WINDOWS):
        losses = small_losses(name, "cpu", steps, "32-true")
        found[name] = [round(losses[0], 4), round(final(losses), 4)]
        print(name, found[name], flush=True)
    EXPECTED.write_text(json.dumps(found, indent=1) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--steps", type=int, default=200, help="of the comparison of losses")
    parser.add_argument("--write", action="store_true", help="write losses.json")
    arguments = parser.parse_args()
    if arguments.write:
        write(arguments.steps)
        return 0
    name = torch.cuda.get_device_name() if arguments.device == "cuda" else "CPU"
    print(f"torch {torch.__version__}, lightning {lightning.__version__}, {name}", flush=True)
    failures: list[str] = []
    for check in CHECKS:
        print(f"{check.__name__}: {check.__doc__}", flush=True)
        with counted(failures, check.__name__):
            for line in check(arguments.device, arguments.steps):
                print(f"  {line}", flush=True)
    print(
        f"{len(failures)} of {len(CHECKS)} checks failed: {failures}" if failures else "all passed"
    )
    return len(failures)


if __name__ == "__main__":
    sys.exit(main())
