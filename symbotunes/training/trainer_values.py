"""Detects values under ``trainer`` that cannot be used, before any data are prepared.

Lightning answers some of them with a traceback, some only once training starts, and a few not at
all: it would train without a limit for ``max_time=0``.
"""

import inspect
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import lightning
from lightning.pytorch.strategies import StrategyRegistry

from symbotunes.errors import UserError, did_you_mean

TIME_FORM = "DD:HH:MM:SS"
OURS = ("callbacks", "plugins", "use_distributed_sampler")  # arguments that `make_trainer` passes
STRATEGIES = ("auto", *StrategyRegistry.available_strategies())
UNITS = ("weeks", "days", "hours", "minutes", "seconds")


@dataclass(frozen=True)
class Kind:
    """What a value may be.

    Attributes:
        form: the same in words, for messages.
        fits: whether it is that.
    """

    form: str
    fits: Callable[[Any], bool]

    def or_null(self, meaning: str = "") -> "Kind":
        """This kind, or ``None``."""
        form = f"{self.form}, or null{f' for {meaning}' if meaning else ''}"
        return Kind(form, lambda value: value is None or self.fits(value))


def is_whole(value: Any) -> bool:
    """Whether it is a whole number; YAML reads 1e4 as a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and value == int(value)


def is_number(value: Any) -> bool:
    """Whether it is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def whole(least: int) -> Kind:
    """Whole numbers of at least `least`."""
    return Kind(
        f"a whole number of at least {least}", lambda value: is_whole(value) and value >= least
    )


def length(unlimited: str) -> Kind:
    """Lengths of a run, for which Lightning takes -1 and ``None`` as "no limit"."""
    form = f"a whole number of at least 1, or {unlimited} for no limit"
    return Kind(
        form, lambda value: value is None or is_whole(value) and (value >= 1 or value == -1)
    )


def is_duration(value: Any) -> bool:
    """Whether it is a time above zero: ``DD:HH:MM:SS``, or numbers by unit."""
    if isinstance(value, str):
        match = re.fullmatch(r"\d+:\d\d:\d\d:\d\d", value.strip())
        return match is not None and any(int(part) for part in value.split(":"))
    if isinstance(value, Mapping):
        known = set(value) <= set(UNITS) and all(is_number(number) for number in value.values())
        return known and timedelta(**value) > timedelta()
    return False


def is_part(value: Any) -> bool:
    """Whether it is a fraction as a float, or a number of batches as an int."""
    return is_number(value) and value >= 0 and (isinstance(value, int) or value <= 1)


def is_devices(value: Any) -> bool:
    """Whether it is a number of devices or a list of their indices, perhaps as text."""
    if isinstance(value, str):
        return value == "auto" or re.fullmatch(r"-1|\d+(,\d*)*", value) is not None
    if isinstance(value, list | tuple):
        return bool(value) and all(is_whole(index) and index >= 0 for index in value)
    return is_whole(value) and (value >= 1 or value == -1)


def is_interval(value: Any) -> bool:
    """Whether it is a number of optimizer steps, a fraction of a pass, or a time."""
    if is_number(value):
        return value > 0 and (value <= 1 or is_whole(value))
    return is_duration(value)


def is_steps(value: Any) -> bool:
    """Whether it is a number of optimizer steps and not a fraction: 1.0 is a whole pass."""
    return is_whole(value) and (isinstance(value, int) or value > 1)


PART = "a fraction from 0.0 to 1.0, or a whole number of batches"
DURATION = f"a time in the form {TIME_FORM}, such as 00:00:05:00 for five minutes"
KINDS: Mapping[str, Kind] = {
    "max_steps": length("null"),
    "max_epochs": length("-1"),
    "min_steps": whole(0).or_null(),
    "min_epochs": whole(0).or_null(),
    "max_time": Kind(DURATION, is_duration).or_null("no limit"),
    "val_check_interval": Kind(
        "a whole number of optimizer steps of at least 1, a fraction of a pass over the data above "
        f"0.0, or a time in the form {TIME_FORM}",
        is_interval,
    ).or_null("once per pass"),
    "check_val_every_n_epoch": whole(1).or_null(),
    "limit_train_batches": Kind(
        f"{PART} of at least 1", lambda value: is_part(value) and value > 0
    ).or_null("all"),
    **{
        f"limit_{split}_batches": Kind(PART, is_part).or_null("all")
        for split in ("val", "test", "predict")
    },
    "overfit_batches": Kind(
        "0; debug=overfit, or loader.repeat=1, trains on one batch again and again",
        lambda value: value == 0,
    ),
    "num_sanity_val_steps": whole(-1),
    "log_every_n_steps": whole(1),
    "accumulate_grad_batches": whole(1),
    "num_nodes": whole(1),
    "devices": Kind(
        "a whole number of at least 1, a list of indices of devices, or auto", is_devices
    ),
    "gradient_clip_val": Kind(
        "a number of at least 0", lambda value: is_number(value) and value >= 0
    ).or_null("no clipping"),
    "deterministic": Kind(
        "true, false or warn", lambda value: isinstance(value, bool) or value == "warn"
    ).or_null(),
    "fast_dev_run": Kind(
        "true, false or a whole number of batches",
        lambda value: isinstance(value, bool) or is_whole(value) and value >= 0,
    ),
    "strategy": Kind(
        "auto, ddp, fsdp or another strategy of Lightning, such as ddp_find_unused_parameters_true",
        lambda value: value in STRATEGIES if isinstance(value, str) else value is not None,
    ),
}


def checked(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings, with whole numbers as such: Lightning would count to 1e4 in floats.

    Raises:
        UserError: naming the first key that does not exist or has a value that does not fit.
    """
    known = list(inspect.signature(lightning.Trainer).parameters)
    result = dict(settings)
    for key, value in settings.items():
        if key not in known:
            choices = [name for name in known if name not in OURS]
            raise UserError(
                f"there is no key trainer.{key}{did_you_mean(key, choices, prefix='trainer.')}"
            )
        if key in OURS:
            raise UserError(f"trainer.{key} is set by the program: remove it")
        kind = KINDS.get(key)
        if kind is not None and not kind.fits(value):
            raise UserError(f"trainer.{key}={_written(value)}: must be {kind.form}")
        if isinstance(value, float) and is_steps(value):
            result[key] = int(value)
    return result


def _written(value: Any) -> str:
    """A value as YAML has it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
