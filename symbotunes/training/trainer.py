"""Builds the Lightning Trainer, with our checkpoint writer and a suitable precision."""

import logging
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import lightning
import torch

from symbotunes.errors import UserError, first_line
from symbotunes.models.layers.precision import multiplies_bfloat16
from symbotunes.training.callbacks.validation import ValidationSchedule
from symbotunes.training.checkpoint_io import AtomicCheckpointIO

if TYPE_CHECKING:
    from symbotunes.training.sharding import FullyShard

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
    **settings: Any,
) -> lightning.Trainer:
    """Build a Trainer; other arguments are passed to ``lightning.Trainer`` unchanged.

    Args:
        accelerator: ``auto`` picks CUDA, then MPS, then the CPU.
        precision: ``auto`` picks bfloat16 where the device multiplies it faster than float32.
        max_steps: optimizer steps; ``None`` sets no limit.
        val_check_interval: optimizer steps between validations if it is a whole number; else as
            ``lightning.Trainer`` understands it.
        callbacks: what happens during training.
        strategy: ``fsdp`` shards the weights over all devices, see `FullyShard`; else as
            ``lightning.Trainer`` understands it.
        settings: all other arguments of ``lightning.Trainer``.

    Raises:
        UserError: if the requested device does not exist, or training in a precision is not
            supported.
    """
    quiet_lightning()
    precision = chosen_precision(precision, accelerator)
    counts_steps = isinstance(val_check_interval, int) and val_check_interval > 0
    schedule = ValidationSchedule(val_check_interval if counts_steps else None)  # type: ignore[arg-type]
    callbacks = [schedule, *callbacks]  # first, so that others still see the validation at the end
    if str(strategy).startswith("fsdp"):
        strategy = sharded(strategy)
    try:
        return lightning.Trainer(
            accelerator=accelerator,
            precision=precision,  # type: ignore[arg-type]  # a name from the user's config
            max_steps=-1 if max_steps is None else max_steps,
            plugins=[AtomicCheckpointIO()],
            val_check_interval=val_check_interval,
            callbacks=callbacks,
            strategy=strategy,
            use_distributed_sampler=False,  # our batches are already sharded by rank
            **settings,
        )
    except (lightning.fabric.utilities.exceptions.MisconfigurationException, ValueError) as error:
        absent = "; trainer=cpu runs everywhere" if "backend" in str(error) else ""
        reason = first_line(error).rstrip("!")
        raise UserError(f"trainer: {reason}{absent}") from error


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
