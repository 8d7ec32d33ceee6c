"""Builds the Lightning Trainer, with our checkpoint writer and a suitable precision."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import lightning
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException

from symbotunes.errors import UserError, first_line, require_whole_number
from symbotunes.models.layers.precision import multiplies_bfloat16
from symbotunes.training.callbacks.validation import ValidationSchedule
from symbotunes.training.checkpoint_io import AtomicCheckpointIO
from symbotunes.training.cluster import own_environment, refuse_other_numbers
from symbotunes.training.trainer_values import checked

if TYPE_CHECKING:
    from symbotunes.training.sharding import FullyShard

# What Lightning raises for values that it does not accept.
REFUSALS = (
    MisconfigurationException,
    ValueError,
    TypeError,
    AttributeError,
    RuntimeError,
    ImportError,
)
# Lightning's other precisions convert weights and batches, and our batches hold integers alone.
PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")
SHORT_PRECISIONS = {
    "32": "32-true",
    "bf16": "bf16-mixed",
    "16": "16-mixed",
}  # as Lightning reads them


def make_trainer(
    *,
    accelerator: str,
    precision: str,
    max_steps: int | None,
    val_check_interval: int | float | str | None = None,
    callbacks: Sequence[lightning.Callback] = (),
    strategy: Any = "auto",
    threads: int | str | None = None,
    **settings: Any,
) -> lightning.Trainer:
    """Build a Trainer; other arguments are passed to ``lightning.Trainer`` unchanged.

    Args:
        accelerator: ``auto`` picks CUDA, then MPS, then the CPU.
        precision: ``auto`` picks bfloat16 where the device multiplies it faster than float32.
        max_steps: optimizer steps; ``None`` sets no limit.
        val_check_interval: optimizer steps between validations if it is a whole number, a fraction
            of a pass over the data, or a time; ``None`` validates once per pass.
        callbacks: what happens during training.
        strategy: ``fsdp`` shards the weights over all devices, see `FullyShard`; else as
            ``lightning.Trainer`` understands it.
        threads: a number of threads on the CPU, ``auto`` or ``None``; only checked here, see
            `symbotunes.training.threads`.
        settings: all other arguments of ``lightning.Trainer``.

    Raises:
        UserError: if a value does not fit, the requested device does not exist, or training in a
            precision is not supported.
    """
    quiet_lightning()
    if threads not in ("auto", None):
        require_whole_number("trainer.threads", threads, optional=True)
    settings = checked(
        {
            **settings,
            "max_steps": max_steps,
            "val_check_interval": val_check_interval,
            "strategy": strategy,
        }
    )
    # First, so that others still see the validation at the end.
    callbacks = [_schedule(settings), *callbacks]
    precision = chosen_precision(precision, accelerator)
    with in_one_line():
        if str(strategy).startswith("fsdp"):
            settings["strategy"] = sharded(strategy)
        if settings["max_steps"] is None:
            settings["max_steps"] = -1
        trainer = lightning.Trainer(
            accelerator=accelerator,
            precision=precision,  # type: ignore[arg-type]  # a name from the user's config
            plugins=[AtomicCheckpointIO(), *own_environment()],
            callbacks=callbacks,
            use_distributed_sampler=False,  # our batches are already sharded by rank
            **settings,
        )
    refuse_other_numbers(trainer)
    return trainer


def _schedule(settings: dict[str, Any]) -> ValidationSchedule:
    """The schedule of validations; changes the settings where Lightning counts otherwise."""
    interval = settings["val_check_interval"]
    by_pass = settings.get("check_val_every_n_epoch") is not None
    if isinstance(interval, float) and not by_pass:  # a fraction of every pass
        settings["check_val_every_n_epoch"] = 1
    if not isinstance(interval, int) or settings.get("fast_dev_run"):  # which validates at its end
        return ValidationSchedule(None)
    if by_pass:  # Lightning refuses more steps than a pass has batches
        settings["val_check_interval"] = 1
    return ValidationSchedule(interval)


@contextmanager
def in_one_line() -> Iterator[None]:
    """Say in one line what Lightning does not accept.

    Raises:
        UserError: for every kind of error with which it refuses values.
    """
    try:
        yield
    except UserError:
        raise
    except REFUSALS as error:
        absent = "; trainer=cpu runs everywhere" if "backend" in str(error) else ""
        raise UserError(f"trainer: {first_line(error).rstrip('!.')}{absent}") from error


def sharded(name: str) -> "FullyShard":
    """The strategy for ``trainer.strategy=fsdp``.

    Raises:
        UserError: for variants of Lightning's strategy of that name, which flattens parameters.
    """
    from symbotunes.training.sharding import FullyShard

    if name != "fsdp":
        raise UserError(f"trainer.strategy={name}: choose fsdp, ddp or auto")
    return FullyShard()


def quiet_lightning() -> None:
    """Silence Lightning's messages about devices, its own settings and other products."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    for message in (
        ".*does not have many workers.*",
        ".*is smaller than the logging interval.*",
        ".*srun. command is available.*",  # single-process training on a cluster node
        ".*isinstance.treespec, LeafSpec.*",  # about Lightning's own code
        ".*single contiguous chunk of memory.*",  # Folk-RNN runs its layers one by one, for dropout
    ):
        warnings.filterwarnings("ignore", message=message)


def chosen_precision(precision: object, accelerator: str) -> str:
    """The precision to train in, as Lightning names it.

    Args:
        precision: one of `PRECISIONS`, a short name of one, or ``auto``; YAML may give a number.
        accelerator: which `natural_precision` reads.

    Raises:
        UserError: for others, such as ``bf16-true``.
    """
    if precision == "auto":
        return natural_precision(accelerator)
    name = SHORT_PRECISIONS.get(str(precision), str(precision))
    if name not in PRECISIONS:
        raise UserError(
            f"trainer.precision={precision} is not supported: weights are kept in float32; choose "
            f"one of auto, {', '.join(PRECISIONS)}"
        )
    return name


def natural_precision(accelerator: str) -> str:
    """``bf16-mixed`` on devices with bfloat16 units, otherwise ``32-true``.

    These are CUDA devices since Ampere, and CPUs with AMX or AVX512-BF16, on which training takes
    about half the time; weights and their updates stay in float32. ``trainer=cpu`` uses float32 on
    every machine.
    """
    if accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available():
        has_units = multiplies_bfloat16(torch.device("cuda", torch.cuda.current_device()))
    elif accelerator == "auto" and torch.backends.mps.is_available():
        has_units = False
    else:
        has_units = accelerator in ("auto", "cpu") and multiplies_bfloat16(torch.device("cpu"))
    return "bf16-mixed" if has_units else "32-true"
