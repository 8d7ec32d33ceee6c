"""The config of a run that goes on from a checkpoint."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

from symbotunes.checkpoints.arguments import dataset_of, is_own, is_same_data
from symbotunes.checkpoints.checkpoint import KEPT, Checkpoint, unpack
from symbotunes.checkpoints.error import CheckpointError
from symbotunes.checkpoints.reopen import place_loader
from symbotunes.checkpoints.trust import READING, refuse_strangers
from symbotunes.config.build import build
from symbotunes.config.difference import difference
from symbotunes.config.overrides import FIXED, named_keys, names_dataset, refuse_overrides
from symbotunes.errors import UserError

# What a checkpoint may name so that its training goes on.
TRAINING = (
    *READING,
    "symbotunes.training.lit_model",
    "symbotunes.training.optimizers",
    "symbotunes.training.schedules",
    "symbotunes.training.muon",
    "torch.optim",
)
CHANGEABLE = ("baselines", "compile")  # by the command line, although a checkpoint keeps them
VALUES = ("name", "seed", "baselines", "compile")  # numbers and words, nothing to be built
DEVICE_KEYS = {"accelerator", "devices", "strategy", "precision", "num_nodes"}
RESUMES = (
    "a resumed run keeps what its checkpoint says; to start anew from its weights use "
    "model.init_from=PATH instead of ckpt=PATH"
)


def resumed(cfg: DictConfig) -> tuple[DictConfig, Checkpoint]:
    """The config of the run that wrote ``cfg.ckpt``, with what may change taken from `cfg`.

    Network, data and optimizer are the checkpoint's; trainer, callbacks, logger and sampling are
    those just composed, so that a run can be prolonged. A run of ours goes on in its own folder,
    one that came from elsewhere in a new one. ``dataset=...`` may say where the same data lie now.

    Raises:
        UserError: if the command line asks to change what the checkpoint fixes.
    """
    fixed = [group for group in (*FIXED, "seed", "name") if group != "dataset"]
    refuse_overrides(cfg, fixed, RESUMES)
    last = Path(cfg.ckpt) / "checkpoints" / "last.ckpt"
    if last.is_file():  # it is the folder of a run
        cfg = cfg.copy()
        cfg.ckpt = str(last)
    checkpoint = unpack(Path(cfg.ckpt))
    if "rng" not in checkpoint.content:
        raise UserError(
            f"{cfg.ckpt} is published: it holds weights, but no position of a training to go on "
            f"from; start a new run with model.init_from={cfg.ckpt}"
        )
    saved, named = checkpoint.config, named_keys(cfg)
    if "model.init_from" in named:
        raise UserError("ckpt= goes on with the weights of its run: leave model.init_from out")
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


def limits_before(saved: DictConfig, cfg: DictConfig) -> dict[str, Any]:
    """Trainer settings of the first run that the command line does not set again.

    ``trainer=cpu`` sets where the run goes on, not for how long.
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
        and key != "default_root_dir"  # where files go is never the checkpoint's to say
        and _is_plain(value)
    }


def _is_plain(value: Any) -> bool:
    """Whether it is a number, a text or a list of such: nothing that could be built from."""
    values = value if OmegaConf.is_list(value) else [value]
    return not any(OmegaConf.is_config(each) for each in values)


def _has_text(value: Any) -> bool:
    return any(isinstance(each, str) for each in (value if OmegaConf.is_list(value) else [value]))


def continued(cfg: DictConfig) -> tuple[DictConfig, Checkpoint] | None:
    """With ``resume=auto``, the config and checkpoint that this run folder goes on from.

    The command is the same as before, so all of its config counts, and what a checkpoint fixes must
    be as it was.

    Returns:
        ``None`` for a folder without ``last.ckpt``, in which a run begins.

    Raises:
        UserError: if the folder holds a run of another config.
    """
    last = Path(cfg.paths.run_dir) / "checkpoints" / "last.ckpt"
    if cfg.resume != "auto" or not last.is_file():
        return None
    checkpoint = unpack(last)
    before: Any = OmegaConf.to_container(checkpoint.config, resolve=True)
    now: Any = OmegaConf.to_container(cfg, resolve=True)
    for key in [key for key in KEPT if key not in CHANGEABLE]:
        changed = difference(before[key], now[key], key)
        if changed is not None:
            raise UserError(f"resume=auto: {last.parents[1]} is another run: {changed}")
    going_on = cfg.copy()
    with open_dict(going_on):
        going_on.ckpt = str(last)
    return going_on, checkpoint
