"""The config of a run that resumes from a checkpoint."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

from symbotunes.checkpoints.arguments import dataset_of, is_own
from symbotunes.checkpoints.checkpoint import KEPT, Checkpoint, unpack
from symbotunes.checkpoints.error import CheckpointError
from symbotunes.checkpoints.reopen import place_loader
from symbotunes.checkpoints.trust import TRAINING, refuse_strangers
from symbotunes.config.build import build
from symbotunes.config.commands import setting
from symbotunes.config.difference import difference
from symbotunes.config.earlier import earlier_values
from symbotunes.config.locations import is_same_data
from symbotunes.config.overrides import FIXED, named_keys, names_dataset, refuse_overrides
from symbotunes.errors import UserError

CHANGEABLE = ("baselines", "compile")  # on the command line, although a checkpoint stores them
VALUES = ("name", "seed", "baselines", "compile")  # numbers and words, nothing to be built
DEVICE_KEYS = {"accelerator", "devices", "strategy", "precision", "num_nodes"}
RESUMES = (
    "a resumed run keeps the settings of its checkpoint; to start a new run from its weights, use "
    "model.init_from=PATH instead of ckpt=PATH"
)


def resumed(cfg: DictConfig) -> tuple[DictConfig, Checkpoint]:
    """The config of the run that wrote ``cfg.ckpt``, with the parts that may change from `cfg`.

    Network, data and optimizer come from the checkpoint; trainer, callbacks, logger and sampling
    come from `cfg`, so that a run can be extended. One of our own runs continues in its own folder,
    one from elsewhere in a new folder. ``dataset=...`` may say where the same data are now.

    Raises:
        UserError: if the command line changes what the checkpoint fixes.
    """
    fixed = [group for group in (*FIXED, "seed", "name") if group != "dataset"]
    refuse_overrides(cfg, fixed, RESUMES)
    last = Path(cfg.ckpt) / "checkpoints" / "last.ckpt"
    if last.is_file():  # cfg.ckpt is a run folder
        cfg = cfg.copy()
        cfg.ckpt = str(last)
    checkpoint = unpack(Path(cfg.ckpt))
    _require_state(checkpoint, cfg.ckpt)
    saved, named = checkpoint.config, named_keys(cfg)
    if "model.init_from" in named:
        raise UserError("ckpt= resumes with the weights of its run: remove model.init_from")
    kept = {key: saved[key] for key in KEPT if key not in CHANGEABLE or key not in named}
    refuse_strangers(checkpoint.path, kept, TRAINING)
    for key in VALUES:
        if key in kept and not _is_plain(kept[key]):
            raise CheckpointError(f"{checkpoint.path}: its {key} is not a value; it is not opened")
    own = is_own(checkpoint, cfg)
    if names_dataset(cfg):
        if not is_same_data(kept["dataset"], cfg.dataset):
            refuse_overrides(cfg, ["dataset"], RESUMES)
        kept["dataset"] = cfg.dataset
    else:
        kept["dataset"] = dataset_of(checkpoint, cfg, build)
    merged = cfg.copy()
    with open_dict(merged):
        for key, node in kept.items():
            merged[key] = node
        for key, value in limits_before(saved, cfg).items():
            # Words for other keys of Lightning could name a registry to upload checkpoints to.
            if own or key in cfg.trainer or not _has_text(value):
                merged.trainer[key] = value
        place_loader(merged, cfg)
        if own:
            merged.paths.run_dir = str(checkpoint.file.resolve().parents[1])
    return merged, checkpoint


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
    checkpoint fixes must not have changed.

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
    resuming = cfg.copy()
    before: Any = OmegaConf.to_container(checkpoint.config, resolve=True)
    with open_dict(resuming):
        for key, value in earlier_values(before, named_keys(cfg)).items():
            group, _, name = key.rpartition(".")
            node = OmegaConf.select(resuming, group, default={})
            node.pop(name, None)
            if name in (OmegaConf.select(checkpoint.config, group) or {}):
                node[name] = value
    now: Any = OmegaConf.to_container(resuming, resolve=True)
    for key in [key for key in KEPT if key not in CHANGEABLE]:
        changed = difference(before[key], now[key], key)
        if changed is not None:
            raise UserError(f"resume=auto: {last.parents[1]} is a different run: {changed}")
    with open_dict(resuming):
        resuming.ckpt = str(last)
    return resuming, checkpoint
