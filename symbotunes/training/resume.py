"""The config of a run that resumes from a checkpoint."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

from symbotunes.checkpoints.arguments import dataset_of, is_own
from symbotunes.checkpoints.checkpoint import FINETUNE, KEPT, Checkpoint, unpack
from symbotunes.checkpoints.error import CheckpointError
from symbotunes.checkpoints.reopen import place_loader
from symbotunes.checkpoints.trust import TRAINING, refuse_strangers
from symbotunes.config.build import build
from symbotunes.config.commands import setting
from symbotunes.config.earlier import earlier_values, with_earlier
from symbotunes.config.locations import is_same_data, without_locations
from symbotunes.config.overrides import (
    FIXED,
    named_keys,
    names_dataset,
    overrides,
    refuse_overrides,
)
from symbotunes.errors import UserError
from symbotunes.training.changes import (
    ACCUMULATION,
    FREE,
    Change,
    allowing,
    compared,
    place_of,
    requested,
    require_known,
    value_at,
)
from symbotunes.training.prospects import limit_reached

VALUES = ("name", "seed", "baselines", "compile")  # numbers and words, nothing to be built
NOT_KEPT = ("baselines", "compile")  # if the command line sets them
DEVICE_KEYS = {"accelerator", "devices", "strategy", "precision", "num_nodes"}
RESUMES = (
    "a resumed run keeps the settings of its checkpoint; to start a new run from its weights, use "
    "model.init_from=PATH instead of ckpt=PATH"
)


def resumed(cfg: DictConfig) -> tuple[DictConfig, Checkpoint]:
    """The config of the run that wrote ``cfg.ckpt``, with the parts that may change from `cfg`.

    Network, data and optimizer come from the checkpoint; trainer, callbacks, logger and sampling
    come from `cfg`, so that a run can be extended. ``cfg.ckpt_changes`` names settings of the
    optimizer and of batches that come from `cfg`, too. One of our own runs continues in its own
    folder, one from elsewhere in a new folder. ``dataset.path=...`` may say where the same data are
    now.

    Raises:
        UserError: if the command line changes what the checkpoint fixes.
    """
    last = Path(cfg.ckpt) / "checkpoints" / "last.ckpt"
    if last.is_file():  # cfg.ckpt is a run folder
        cfg = cfg.copy()
        cfg.ckpt = str(last)
    checkpoint = unpack(Path(cfg.ckpt))
    _require_state(checkpoint, cfg.ckpt)
    saved, named = checkpoint.config, named_keys(cfg)
    kept = {key: saved[key] for key in KEPT if key not in NOT_KEPT or key not in named}
    kept |= {FINETUNE: saved[FINETUNE]} if FINETUNE in saved else {}
    refuse_strangers(checkpoint.path, kept, TRAINING)
    for key in VALUES:
        if key in kept and not _is_plain(kept[key]):
            raise CheckpointError(f"{checkpoint.path}: its {key} is not a value; it is not opened")
    before = _filled(saved)
    changes = _changes_by_command(cfg, before)
    own = is_own(checkpoint, cfg)
    merged = cfg.copy()
    with open_dict(merged):
        for key, value in limits_before(saved, cfg).items():
            # Words for other keys of Lightning could name a registry to upload checkpoints to.
            if own or key in cfg.trainer or not _has_text(value):
                merged.trainer[key] = value
        try:
            kept["dataset"] = dataset_of(checkpoint, cfg, build)
            if names_dataset(cfg) and not is_same_data(saved.dataset, kept["dataset"]):
                refuse_overrides(cfg, ["dataset"], RESUMES)
        except UserError:
            if own or limit_reached(merged, checkpoint) is None:  # else the data are not needed
                raise
            kept.pop("dataset", None)
        for key, node in kept.items():
            merged[key] = node
        place_loader(merged, cfg)
        for key in [key for key in FREE if key in named and key.startswith("loader.")]:
            OmegaConf.update(merged, key, OmegaConf.select(cfg, key))
        for key in requested(cfg):
            value = changes[key].now if key in changes else _unset(key, before, merged, named)
            OmegaConf.update(merged, key, value)
        if own:
            merged.paths.run_dir = str(checkpoint.file.resolve().parents[1])
    return merged, checkpoint


def _fixed_part(cfg: DictConfig, keys: Iterable[str] = KEPT) -> dict[str, Any]:
    """The plain part of a config that a checkpoint fixes.

    Args:
        cfg: a whole config.
        keys: its groups and keys; accumulation is always among them.
    """
    group, name = ACCUMULATION.split(".")
    plain: dict[str, Any] = {group: {name: OmegaConf.select(cfg, ACCUMULATION)}}
    for key in keys:
        if key in cfg:
            node = cfg[key]
            is_config = OmegaConf.is_config(node)
            plain[key] = OmegaConf.to_container(node, resolve=True) if is_config else node
    return plain


def _set_by_command(cfg: DictConfig) -> list[str]:
    """The groups and keys that the command line sets, of those that a checkpoint fixes."""
    tops = {place_of(word).split(".")[0] for word in overrides(cfg)}
    return [key for key in KEPT if tops & {key, "experiment", "debug"}]


def _filled(saved: DictConfig) -> dict[str, Any]:
    """The plain config of a checkpoint, with what ran without the keys that it lacks."""
    before: Any = OmegaConf.to_container(saved, resolve=True)
    with_earlier(before, earlier_values(before, named=()))
    return dict(before)


def _changes_by_command(cfg: DictConfig, before: dict[str, Any]) -> dict[str, Change]:
    """What the command line changes and ``ckpt_changes`` allows, by key.

    Raises:
        UserError: if it changes more than that.
    """
    asked, now = requested(cfg), _fixed_part(cfg, _set_by_command(cfg))
    fixed = [*(group for group in FIXED if group != "dataset"), "seed", "name"]
    words, found = [], []
    for word in overrides(cfg):
        place = place_of(word)
        top = place.split(".")[0]
        if top not in fixed and place != ACCUMULATION:
            continue
        if "." in place and place in word and not word.startswith("~"):
            require_known(place, before)
        wholes = [key for key in KEPT if key not in ("dataset", *NOT_KEPT)]
        places = wholes if top in ("experiment", "debug") else [place]
        changes = [change for key in places for change in compared(before, now, key)]
        changes = [change for change in changes if not is_derived(cfg, change.key)]
        if any(change.key not in asked for change in changes):
            words.append(word)
        found += changes
    refuse([change for change in found if change.key not in asked], words, asked)
    return {change.key: change for change in found}


def refuse(changes: Sequence[Change], words: Sequence[str], asked: Sequence[str]) -> None:
    """Raise `UserError` if there are changes, saying how they can be had.

    Args:
        changes: that are not allowed.
        words: of the command line that make them.
        asked: the keys that ``ckpt_changes`` names already.
    """
    if not changes:
        return
    given = " ".join(words)
    if any(change.key == "model.init_from" for change in changes):
        raise UserError("ckpt= resumes with the weights of its run: remove model.init_from")
    if not all(change.is_changeable for change in changes):
        raise UserError(f"{given}: {RESUMES}")
    keys = list(dict.fromkeys(change.key for change in changes))
    values = ", ".join(f"{change.key} was {change.before}" for change in changes)
    raise UserError(
        f"{given}: a resumed run keeps the settings of its checkpoint ({values}); to go on with "
        f"other values, add {allowing([*asked, *keys])}"
    )


def is_derived(cfg: DictConfig, key: str) -> bool:
    """Whether a value follows from the trainer's, such as the length of a schedule."""
    group, _, name = key.rpartition(".")
    node = OmegaConf.select(cfg, group) if group else cfg
    if not OmegaConf.is_dict(node) or name not in list(node):
        return False
    if not OmegaConf.is_interpolation(node, name):
        return False
    raw: Any = OmegaConf.to_container(node, resolve=False)
    return str(raw[name]).startswith("${trainer.")


def _unset(key: str, before: dict[str, Any], merged: DictConfig, named: set[str]) -> Any:
    """The value of a key of ``ckpt_changes`` that the command line does not change.

    The length of a schedule follows ``trainer.max_steps``.

    Raises:
        UserError: if nothing sets it.
    """
    require_known(key, before)
    if key in named:
        return value_at(before, key)  # the same as before
    if key.split(".")[1].startswith("scheduler") and key.endswith(".steps"):
        if merged.trainer.max_steps:
            return merged.trainer.max_steps
        raise UserError(f"ckpt_changes names {key}: set trainer.max_steps, which it follows")
    raise UserError(f"ckpt_changes names {key}, but nothing sets it: add {key}=VALUE")


def _require_state(checkpoint: Checkpoint, path: str) -> None:
    """See that a training can be resumed.

    Raises:
        UserError: if there are weights alone.
    """
    if not checkpoint.resumable:
        raise UserError(
            f"{path} is a published or converted model: it has weights, but no training state to "
            f"resume from; start a new run with {setting('model.init_from', path)}"
        )


def limits_before(saved: DictConfig, cfg: DictConfig) -> dict[str, Any]:
    """Trainer settings of the first run that the command line does not override.

    ``trainer=cpu`` sets where the run continues, not for how long.
    """
    named = named_keys(cfg)
    given = {key.removeprefix("trainer.") for key in named if key.startswith("trainer.")}
    if "trainer" in named:
        given |= DEVICE_KEYS
    return {
        key: value
        for key, value in saved.trainer.items()
        if key not in given
        and not key.startswith("_")
        and key != "default_root_dir"  # a checkpoint never decides where files are written
        and _is_plain(value)
    }


def _is_plain(value: Any) -> bool:
    """Whether it is a number, a string or a list of these: nothing that could be instantiated."""
    entries = value if OmegaConf.is_list(value) else [value]
    return not any(OmegaConf.is_config(entry) for entry in entries)


def _has_text(value: Any) -> bool:
    return any(isinstance(each, str) for each in (value if OmegaConf.is_list(value) else [value]))


def continued(cfg: DictConfig) -> tuple[DictConfig, Checkpoint] | None:
    """With ``resume=auto``, the config and checkpoint from which this run folder resumes.

    The command is expected to be the same as before, so all of its config applies, and what the
    checkpoint fixes must not have changed, except for what ``cfg.ckpt_changes`` names. The data may
    be elsewhere, and a schedule keeps its length if ``trainer.max_steps`` grows.

    Returns:
        ``None`` for a folder without ``last.ckpt``, in which a new run starts.

    Raises:
        UserError: if the folder holds a run with a different config.
    """
    last = Path(cfg.paths.run_dir) / "checkpoints" / "last.ckpt"
    if cfg.resume != "auto" or not last.is_file():
        return None
    checkpoint = unpack(last)
    _require_state(checkpoint, str(last))
    before: Any = OmegaConf.to_container(checkpoint.config, resolve=True)
    resuming = _as_earlier(cfg, checkpoint.config, before)
    now, asked = _fixed_part(resuming), requested(cfg)
    with open_dict(resuming):
        for change in _changes_of_config(before, now):
            if change.key in asked:
                continue
            if not is_derived(resuming, change.key):
                hint = f"; to go on with it, add {allowing([*asked, change.key])}"
                raise UserError(
                    f"resume=auto: {last.parents[1]} is a different run: {change}"
                    f"{hint if change.is_changeable else ''}"
                )
            OmegaConf.update(resuming, change.key, change.before)
        resuming.ckpt = str(last)
    return resuming, checkpoint


def _as_earlier(cfg: DictConfig, saved: DictConfig, before: dict[str, Any]) -> DictConfig:
    """A config without the keys of today that a checkpoint's lacks, which do what was done then."""
    resuming = cfg.copy()
    with open_dict(resuming):
        for key, value in earlier_values(before, named_keys(cfg)).items():
            group, _, name = key.rpartition(".")
            node = OmegaConf.select(resuming, group, default={})
            node.pop(name, None)
            if name in (OmegaConf.select(saved, group) or {}):
                node[name] = value
    return resuming


def _changes_of_config(before: dict[str, Any], now: dict[str, Any]) -> list[Change]:
    """What a checkpoint fixes and a config has otherwise."""
    saved = {**before, "dataset": without_locations(before["dataset"])}
    given = {**now, "dataset": without_locations(now["dataset"])}
    places = [*(key for key in KEPT if key not in NOT_KEPT), ACCUMULATION]
    changes = [change for key in places for change in compared(saved, given, key)]
    return [change for change in changes if (change.key, change.before) != (ACCUMULATION, None)]
