"""In how many threads a training on the CPU computes.

More threads are not faster where networks are small or other programs keep the cores busy: each
operation ends with its slowest thread, and those that wait spin. A step is measured at the start,
in one thread and in several. The number is part of a result: sums over other parts of a tensor
differ in their last digits.
"""

import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import lightning
import torch
from lightning.pytorch.utilities.seed import isolate_rng
from omegaconf import DictConfig

from symbotunes.checkpoints.checkpoint import Checkpoint
from symbotunes.config.overrides import named_keys
from symbotunes.data.module import MusicData
from symbotunes.models.base import Batch
from symbotunes.training.dry_run import first_rows
from symbotunes.training.lit_base import LitBase

SECONDS = 1.5  # for the whole measurement
STEP_SECONDS = 0.1  # of a measured step: fewer rows where a batch takes longer
ROUNDS = 5
GAIN = 0.95  # more threads must take less than this share of the time of fewer
FILE = ".threads"  # in the folder of a sweep: the number that all of its jobs take
VARIABLE = "OMP_NUM_THREADS"


def use_threads(
    cfg: DictConfig, checkpoint: Checkpoint | None, model: LitBase, run: lightning.Trainer,
    data: MusicData,
) -> str | None:  # fmt: skip
    """Set the number of threads of this process, and note it in the recipe of checkpoints.

    The first of these that says something counts: ``trainer.threads`` as a number; the checkpoint
    that is resumed; ``OMP_NUM_THREADS``; another job of the same sweep; a measurement. Runs of
    earlier versions, several processes, other devices and compiled networks keep PyTorch's number.

    Args:
        cfg: of the run.
        checkpoint: that it resumes.
        model: to be trained; it is not changed, nor is any random state.
        run: the trainer.
        data: prepared.

    Returns:
        A line for the console, if there was something to choose.
    """
    if run.strategy.root_device.type != "cpu":
        return None
    number, reason = _decided(cfg, checkpoint)
    is_plain = run.world_size == 1 and not cfg.compile and not model.parts
    measures = number is None and reason == "" and is_plain
    if measures and torch.get_num_threads() > 1:
        number, reason = _of_sweep(cfg), "as in the first job of this sweep"
        if number is None:
            times = step_times(model, run, data)
            number = _agreed(cfg, fastest(times))
            shown = ", ".join(f"{count}: {1000 * spent:.3g} ms" for count, spent in times.items())
            reason = f"measured for a step in threads: {shown}"
    if number is not None:
        torch.set_num_threads(number)
    model.recipe["threads"] = torch.get_num_threads()
    return f"{number} ({reason}); trainer.threads=N sets it" if number is not None else None


def _decided(cfg: DictConfig, checkpoint: Checkpoint | None) -> tuple[int | None, str]:
    """The number that needs no measurement, with the reason; (None, "") if there is none."""
    asked = cfg.trainer.get("threads")
    named = "trainer.threads" in named_keys(cfg)
    if isinstance(asked, int) and (named or checkpoint is None):
        return asked, "trainer.threads"
    if checkpoint is not None and not named:
        kept = checkpoint.threads
        if kept is not None and kept <= (os.cpu_count() or 1):
            return kept, "as in the checkpoint"
        return None, "as PyTorch chooses"
    if asked is None or VARIABLE in os.environ:
        return None, "as PyTorch chooses"
    return None, ""


def step_times(model: LitBase, run: lightning.Trainer, data: MusicData) -> dict[int, float]:
    """Seconds that forward and backward pass of a step take, by number of threads.

    Numbers take turns, since the load of a machine changes.
    """
    most = torch.get_num_threads()
    counts = sorted({1, max(1, most // 2), most})
    times: dict[int, list[float]] = {count: [] for count in counts}
    with _untouched(model), run.precision_plugin.forward_context():
        batch = next(iter(data.train_dataloader()))
        torch.set_num_threads(1)
        of_one_row = _seconds(model, first_rows(batch, 1))
        few = first_rows(batch, max(1, int(STEP_SECONDS / of_one_row)))
        start = time.perf_counter()
        for _ in range(ROUNDS):
            for count in counts:
                torch.set_num_threads(count)
                _seconds(model, few)  # threads have to be started
                times[count].append(_seconds(model, few))
            if time.perf_counter() - start > SECONDS:
                break
        torch.set_num_threads(most)
    return {count: median(spent) for count, spent in times.items()}


def fastest(times: Mapping[int, float]) -> int:
    """The number of threads to take: a larger one only where it is clearly faster."""
    best, least = 1, math.inf
    for count, spent in sorted(times.items()):
        if spent < GAIN * least:
            best, least = count, spent
    return best


def _seconds(model: LitBase, batch: Batch) -> float:
    start = time.perf_counter()
    for loss in model.training_losses(batch).values():
        loss.objective.backward()  # type: ignore[no-untyped-call]
    return time.perf_counter() - start


@contextmanager
def _untouched(model: LitBase) -> Iterator[None]:
    """Leave random states as they are, and no gradients."""
    mode = model.training
    with isolate_rng():
        model.train()
        try:
            yield
        finally:
            model.zero_grad(set_to_none=True)
            model.train(mode)


def _of_sweep(cfg: DictConfig) -> int | None:
    """The number that another job of this sweep has measured."""
    if cfg.sweep.num is None:
        return None
    try:
        return int((Path(cfg.paths.run_dir).parent / FILE).read_text())
    except (OSError, ValueError):
        return None


def _agreed(cfg: DictConfig, number: int) -> int:
    """The number, or that of the job which has written its own first."""
    if cfg.sweep.num is None:
        return number
    path = Path(cfg.paths.run_dir).parent / FILE
    draft = path.with_name(f"{FILE}.{cfg.sweep.num}")
    try:
        draft.write_text(f"{number}\n")
        os.link(draft, path)  # fails if another job was first
    except OSError:
        pass  # a link of this name, or none in this file system
    finally:
        draft.unlink(missing_ok=True)
    return _of_sweep(cfg) or number
