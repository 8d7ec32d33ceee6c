"""From composed configs to objects; with `symbotunes.checkpoints.checkpoint` all that builds them."""

import json
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf, open_dict

from symbotunes.checkpoints.arguments import dataset_of, is_own, is_same_data, without_files
from symbotunes.checkpoints.checkpoint import (
    PUBLISHED,
    TRAINING,
    Checkpoint,
    CheckpointError,
    refuse_strangers,
    unpack,
)
from symbotunes.data.module import MusicData
from symbotunes.errors import UserError
from symbotunes.models.base import LatentModel, Model, SequenceModel
from symbotunes.paths import CONF
from symbotunes.sweeps.jobs import difference
from symbotunes.tokenizers.base import Tokenizer
from symbotunes.transforms.base import Chain

# What a checkpoint brings along, and what of it a resumed run may change.
KEPT = ("model", "dataset", "transforms", "loader", "name", "seed", "baselines", "compile")
CHANGEABLE = ("baselines", "compile")
VALUES = ("name", "seed", "baselines", "compile")  # numbers and words, nothing to be built
DEVICE_KEYS = {"accelerator", "devices", "strategy", "precision", "num_nodes"}
FIXED = ("model", "dataset", "transforms", "loader", "experiment", "debug")
RESUMES = (
    "a resumed run keeps what its checkpoint says; to start anew from its weights use "
    "model.init_from=PATH instead of ckpt=PATH"
)


def build(node: Any, **late: Any) -> Any:
    """Instantiate a config node, with arguments that exist only now.

    They are passed after Hydra is done: a dataclass that goes through it comes out as a DictConfig.

    Raises:
        UserError: if a value that the user must give is missing, or one does not fit.
    """
    for key in sorted(OmegaConf.missing_keys(node)):
        raise UserError(f"{key} is needed: give {key}=VALUE")
    try:
        make = instantiate(node, _partial_=True, _convert_="all")
        return make(**late)
    except UserError:
        raise
    except InstantiationException as error:
        if (ours := _user_error(error)) is not None:
            raise ours from error
        raise UserError(_unbuildable(node, error)) from error
    except (TypeError, ValueError) as error:
        where = node._get_full_key(None) or "config"
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{where}: {reason} (SYMBOTUNES_DEBUG=1 shows more)") from error


def _user_error(error: BaseException | None) -> UserError | None:
    while error is not None and not isinstance(error, UserError):
        error = error.__cause__
    return error


def _unbuildable(node: Any, error: BaseException) -> str:
    """What Hydra says of a target that is not there or does not take its arguments."""
    where = node._get_full_key(None) or "config"
    reason = shorten(str(error).partition(", set env var")[0], 200)
    return f"{where}: {reason} (SYMBOTUNES_DEBUG=1 shows more)"


def build_chain(cfg: DictConfig) -> Chain:
    """The steps under ``cfg.transforms``, in the order of the group's list."""
    steps = cfg.get("transforms") or {}  # Hydra leaves the key out for transforms=[]
    return Chain({str(name): build(node) for name, node in steps.items()})


def build_data(cfg: DictConfig, chain: Chain, *, key: str | None = None) -> MusicData:
    """The data module of a run; nothing is read yet.

    Args:
        cfg: of the run.
        chain: its steps.
        key: what its cache goes by, if that is not `data_key`.
    """
    key = data_key(cfg, chain) if key is None else key
    data = build(cfg.loader, corpus=build(cfg.dataset), chain=chain, key=key)
    assert isinstance(data, MusicData)
    return data


def data_key(cfg: DictConfig, chain: Chain) -> str:
    """Text that changes whenever the config of the corpus or of a cached step does."""
    steps = OmegaConf.to_container(cfg.transforms, resolve=True)
    assert isinstance(steps, dict)
    dataset = OmegaConf.to_container(cfg.dataset, resolve=True)
    return json.dumps({"dataset": dataset, "steps": [[name, steps[name]] for name in chain.cached]})


def data_of(checkpoint: Checkpoint, cfg: DictConfig) -> MusicData:
    """The data that a checkpoint was trained on, or ``dataset=`` of the command line, as it reads.

    Files are written and fetched where `cfg` says; split and limits are the checkpoint's.

    Raises:
        CheckpointError: if the dataset now gives another vocabulary than the checkpoint has, or is
            one that `symbotunes.checkpoints.arguments` leaves to the command line.
    """
    saved = checkpoint.config.copy()
    refuse_strangers(checkpoint.path, [saved.get("dataset"), saved.loader], TRAINING)
    named = names_dataset(cfg)
    if named:
        with open_dict(saved):  # resolved first: ${paths.data} must not be the checkpoint's
            saved.dataset = OmegaConf.to_container(cfg.dataset, resolve=True)
    original = saved.copy()
    with open_dict(saved):
        if not named:
            saved.dataset = dataset_of(checkpoint, cfg, build)
        saved.transforms = without_files(saved.transforms)
        place_loader(saved, cfg)
    chain = build_chain(saved)
    # A run that fitted its vocabulary finds its own cache by not knowing it yet.
    if named or saved.model.init_from is not None or saved.transforms != original.transforms:
        chain.tokenizer.load_state(checkpoint.tokenizer)
    # The training's key: where the files lie does not change what is read of them.
    data = build_data(saved, chain, key=data_key(original, chain))
    data.prepare_data()
    if dict(chain.tokenizer.state()) != checkpoint.tokenizer:
        raise CheckpointError(
            f"{checkpoint.path} was trained on other data: the dataset now gives another "
            "vocabulary; name the dataset (dataset=...) to read it with the checkpoint's"
        )
    return data


def place_loader(saved: DictConfig, cfg: DictConfig) -> None:
    """Let the loader of a checkpoint write where the present config says."""
    for name in MusicData.WRITES:
        saved.loader[name] = cfg.loader[name]


def names_dataset(cfg: DictConfig) -> bool:
    """Whether the command line asks for other data than a checkpoint's."""
    return any(_group(override) == "dataset" for override in overrides(cfg))


def other_data(cfg: DictConfig, checkpoint: Checkpoint, data: MusicData) -> list[str]:
    """A remark for reports if `data_of` does not give the very data of the training."""
    if data.encoded.fingerprint == checkpoint.data:
        return []
    if names_dataset(cfg) or checkpoint.data == PUBLISHED:
        return [
            "these are not the data that the checkpoint was trained on: its training pieces may be "
            "among the held-out ones, and copies are looked up in these data's training split"
        ]
    return [
        "the same dataset, but its files have changed since the training, or another version of "
        "Symbotunes has prepared them: pieces that are read otherwise now may have changed sides"
    ]


def build_many(node: DictConfig | None) -> list[Any]:
    """The objects of a group of named targets, such as callbacks; null entries drop out."""
    return [build(entry) for entry in (node or {}).values() if entry is not None]


def rebuild(checkpoint: Checkpoint) -> tuple[SequenceModel | LatentModel, Tokenizer[Any]]:
    """The network with its weights and the tokenizer, from the checkpoint alone.

    Raises:
        CheckpointError: if the vocabulary is none, or the weights do not fit the network that the
            recipe describes.
    """
    steps = {"transforms": without_files(checkpoint.config.transforms)}
    tokenizer = build_chain(OmegaConf.create(steps)).tokenizer
    try:
        tokenizer.load_state(checkpoint.tokenizer)
    except Exception as error:  # byte pairs raise plain exceptions
        reason = shorten(str(error), 120)
        raise CheckpointError(f"{checkpoint.path} carries no vocabulary: {reason}") from error
    net = build(checkpoint.config.model.net, vocabulary=tokenizer.vocabulary)
    load_weights(net, checkpoint.weights, str(checkpoint.path))
    return net, tokenizer


def load_weights(net: Model, weights: dict[str, Any], source: str) -> None:
    """Copy weights into the network, all of them or none.

    Raises:
        CheckpointError: naming the first that differs.
    """
    try:
        net.load_state_dict(weights)
    except RuntimeError as error:
        lines = str(error).splitlines()
        detail = lines[1].strip() if len(lines) > 1 else lines[0]
        raise CheckpointError(f"{source} holds the weights of another model: {detail}") from error


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


def named_keys(cfg: DictConfig) -> set[str]:
    """What the command line sets: keys and groups."""
    return {override.partition("=")[0].lstrip("+~") for override in overrides(cfg)}


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


def recomposed(arguments: Sequence[str]) -> DictConfig:
    """The config that a command with these arguments would have."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", list(arguments))


def overrides(cfg: DictConfig) -> list[str]:
    """What the command line changed, as Hydra heard it; a job of a sweep has it in its config."""
    frozen = OmegaConf.select(cfg, "sweep.overrides")
    if frozen is not None:
        return [str(override) for override in frozen]
    return list(HydraConfig.get().overrides.task) if HydraConfig.initialized() else []


def refuse_overrides(cfg: DictConfig, groups: Sequence[str], why: str) -> None:
    """Raise `UserError` if the command line changes one of these groups."""
    offenders = []
    for override in overrides(cfg):
        key = override.partition("=")[0].lstrip("+~")
        if _group(override) in groups and key != "model.init_from":
            offenders.append(override)
    if offenders:
        raise UserError(f"{' '.join(offenders)}: {why}")


def _group(override: str) -> str:
    """The config group that an argument such as ``model.optimizer.lr=1`` belongs to."""
    key = override.partition("=")[0].lstrip("+~")
    return key.split(".")[0].split("/")[0].split("@")[0]


def newest_checkpoint(root: Path) -> Path:
    """The best checkpoint of the newest run below `root`; the last if no run has validated.

    Raises:
        UserError: if there is none.
    """
    runs = [run for pattern in ("train/*", "slurm/*", "multirun/*/*") for run in root.glob(pattern)]
    for name in ("best.ckpt", "last.ckpt"):
        found = [path for run in runs if (path := run / "checkpoints" / name).is_file()]
        if found:
            break
    else:
        raise UserError(
            f"no trained model below {root}: run `python main.py` first, or set ckpt=PATH"
        )
    return max(found, key=lambda path: path.stat().st_mtime)
