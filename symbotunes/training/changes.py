"""Which settings of a checkpoint a resumed run may change, and what the user asks to change."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from omegaconf import DictConfig, OmegaConf

from symbotunes.config.commands import setting
from symbotunes.config.plugins import is_group
from symbotunes.errors import UserError, did_you_mean, nearest

# Settings that change how the training goes on, but neither its network nor what is learned from.
CHANGEABLE = (
    "model.optimizer.*", "model.optimizers.*.*", "model.scheduler.*", "model.schedulers.*.*",
    "model.clip_norm", "model.clip_norm.*", "model.zero_norm", "model.clip_each",
    "loader.batch_size", "loader.batch_tokens", "loader.pack_length",
    "trainer.accumulate_grad_batches",
)  # fmt: skip
WHAT = "the optimizer's constants, its schedule, clipping, the size of batches and accumulation"
EXAMPLES = (
    "model.optimizer.lr", "model.optimizer.weight_decay", "model.scheduler.steps",
    "model.clip_norm", "loader.batch_size", "loader.batch_tokens",
    "trainer.accumulate_grad_batches",
)  # fmt: skip
REGROUPING = ("loader.*", "trainer.accumulate_grad_batches")  # what makes other batches or steps
# Settings that change no result: they may differ without being asked about.
FREE = (
    "baselines", "compile", "loader.workers", "loader.prepare_workers", "loader.file_seconds",
    "loader.file_gib", "loader.cache",
)  # fmt: skip
ACCUMULATION = "trainer.accumulate_grad_batches"


@dataclass(frozen=True)
class Change:
    """A setting that differs from that of the checkpoint.

    Attributes:
        key: of the config, such as ``model.optimizer.lr``.
        before: its value in the checkpoint.
        now: its value on the command line.
    """

    key: str
    before: Any
    now: Any

    @property
    def is_changeable(self) -> bool:
        """Whether ``ckpt_changes`` may allow it."""
        return is_changeable(self.key)

    def __str__(self) -> str:
        return f"{self.key} was {self.before} and is now {self.now}"


def is_changeable(key: str) -> bool:
    """Whether ``ckpt_changes`` may name a key: a value, not a class."""
    return not key.rpartition(".")[2].startswith("_") and _matches(key, CHANGEABLE)


def regroups(keys: Collection[str]) -> bool:
    """Whether one of these changes makes other batches, so that a pass over the data begins."""
    return any(_matches(key, REGROUPING) for key in keys)


def _matches(key: str, patterns: Collection[str]) -> bool:
    return any(fnmatchcase(key, pattern) for pattern in patterns)


def requested(cfg: DictConfig) -> list[str]:
    """The keys that ``cfg.ckpt_changes`` names.

    Raises:
        UserError: if one of them cannot change.
    """
    given: Any = OmegaConf.select(cfg, "ckpt_changes")
    named = OmegaConf.to_container(given) if OmegaConf.is_config(given) else given
    keys = [named] if isinstance(named, str) else named or []
    if not isinstance(keys, list):
        example = allowing(["loader.batch_size"])
        raise UserError(f"ckpt_changes={named}: give a list of keys, such as {example}")
    for key in map(str, keys):
        if not is_changeable(key):
            near = nearest(key, EXAMPLES, cutoff=0.8)
            raise UserError(
                f"ckpt_changes: {key} cannot change in a resumed run; did you mean {near}?"
                if near
                else f"ckpt_changes: {key} cannot change in a resumed run, only {WHAT} can; for a "
                "new run from its weights, use model.init_from=PATH instead of ckpt=PATH"
            )
    return [str(key) for key in keys]


def allowing(keys: Collection[str]) -> str:
    """The argument that allows changes, as a shell reads it."""
    return setting("ckpt_changes", list(keys))


def compared(before: Mapping[str, Any], now: Mapping[str, Any], key: str) -> Iterator[Change]:
    """The values at or below a key that differ between two plain configs.

    Args:
        before: config of the checkpoint.
        now: config of the command.
        key: such as ``model`` or ``model.optimizer.lr``; a value that is not there is ``None``.
    """
    values = [flat(value_at(node, key), key) for node in (before, now)]
    for name in dict.fromkeys([*values[0], *values[1]]):
        change = Change(name, values[0].get(name), values[1].get(name))
        if change.before != change.now and not _matches(name, FREE):
            yield change


def changes_between(before: DictConfig, now: DictConfig) -> list[Change]:
    """The changeable settings that differ between the configs of a checkpoint and of a run."""
    saved, given = _training_part(before), _training_part(now)
    found = [change for key in given for change in compared(saved, given, key)]
    return [change for change in found if change.is_changeable]


def _training_part(cfg: DictConfig) -> dict[str, Any]:
    """The plain groups of a config that hold changeable settings."""
    nodes = {key: cfg.get(key) for key in ("model", "loader", "trainer")}
    return {
        key: OmegaConf.to_container(node, resolve=True)
        for key, node in nodes.items()
        if OmegaConf.is_config(node)
    }


def value_at(node: Any, key: str) -> Any:
    """The value at a key of a plain config; ``None`` if there is none."""
    for name in key.split("."):
        node = node.get(name) if isinstance(node, Mapping) else None
    return node


def flat(node: Any, key: str = "") -> dict[str, Any]:
    """The values of a plain config by their full keys; lists are values."""
    if not isinstance(node, Mapping):
        return {} if node is None else {key: node}
    values: dict[str, Any] = {}
    for name, inner in node.items():
        values |= flat(inner, f"{key}.{name}" if key else str(name))
    return values


def place_of(override: str) -> str:
    """The key of the config that an argument sets, as exactly as the argument tells.

    A choice such as ``model/optimizer=adam`` sets ``model.optimizer``; of one with a package, such
    as ``transforms@dataset.steps.first=crop``, only the first group is certain.
    """
    key = override.partition("=")[0].lstrip("+~")
    if "@" in key:
        return key.split("@")[0].split("/")[0]
    return key.replace("/", ".") if is_group(key) else key


def require_known(key: str, saved: Mapping[str, Any]) -> None:
    """See that a checkpoint has a key.

    Raises:
        UserError: if it has not, with the nearest one.
    """
    group, _, name = key.rpartition(".")
    inside = value_at(saved, group)
    if not isinstance(inside, Mapping) or name not in inside:
        known = [known for known in flat(saved) if not known.rpartition(".")[2].startswith("_")]
        raise UserError(f"the checkpoint's config has no {key}{did_you_mean(key, known)}")
