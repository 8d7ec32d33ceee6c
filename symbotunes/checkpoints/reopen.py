"""From a checkpoint back to its network, tokenizer and data."""

import json
from datetime import datetime
from pathlib import Path
from textwrap import shorten
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

from symbotunes.checkpoints.arguments import dataset_of, without_files
from symbotunes.checkpoints.checkpoint import FINETUNE, PUBLISHED, Checkpoint
from symbotunes.checkpoints.error import CheckpointError
from symbotunes.checkpoints.trust import READING, refuse_strangers
from symbotunes.config.assembly import build_chain, build_data, data_key
from symbotunes.config.build import build
from symbotunes.config.commands import program
from symbotunes.config.locations import is_same_data
from symbotunes.config.overrides import chooses_dataset, names_dataset
from symbotunes.data.module import MusicData
from symbotunes.errors import UserError
from symbotunes.models.base import Model
from symbotunes.tokenizers.base import Tokenizer
from symbotunes.transforms.base import Chain

FIRST_MODEL = "pretrained/folk_rnn"  # what someone hears who has not trained a model yet


def data_of(checkpoint: Checkpoint, cfg: DictConfig) -> MusicData:
    """The data of a checkpoint, or of ``dataset=`` on the command line, prepared for its tokenizer.

    `cfg` decides where files are written and fetched; split and limits are the checkpoint's.

    Raises:
        CheckpointError: if the dataset must be named on the command line, see
            `symbotunes.checkpoints.arguments`.
    """
    saved = checkpoint.config.copy()
    used = [saved.loader] if chooses_dataset(cfg) else [saved.loader, saved.get("dataset")]
    refuse_strangers(checkpoint.path, used, READING)
    dataset = dataset_of(checkpoint, cfg, build)
    others = names_dataset(cfg) and not _is_moved(checkpoint, dataset)
    with open_dict(saved):  # resolved: ${paths.data} must not be the checkpoint's
        saved.dataset = dataset
    original = saved.copy()
    with open_dict(saved):
        saved.transforms = without_files(saved.transforms)
        place_loader(saved, cfg)
    chain = build_chain(saved)
    # Without its vocabulary, the tokenizer of a run that fitted one finds the run's cache.
    if others or saved.model.init_from is not None or saved.transforms != original.transforms:
        chain.load_state(checkpoint.tokenizer)
    data = build_data(saved, chain, key=data_key(original, chain))
    data.prepare_data()
    if chain.state() != checkpoint.tokenizer:
        # Its files have changed, or are read differently now; `other_data` says so.
        chain = build_chain(saved)
        chain.load_state(checkpoint.tokenizer)
        data = build_data(saved, chain, key=data_key(original, chain))
        data.prepare_data()
    return data


def _is_moved(checkpoint: Checkpoint, dataset: DictConfig) -> bool:
    """Whether a dataset is the checkpoint's, as its config says, in another place perhaps."""
    saved = checkpoint.config.get("dataset")
    try:
        refuse_strangers(checkpoint.path, saved, READING)
    except CheckpointError:  # its classes must not even be imported
        return False
    return OmegaConf.is_config(saved) and is_same_data(saved, dataset)


def place_loader(saved: DictConfig, cfg: DictConfig) -> None:
    """Set the folders of a checkpoint's loader to those of the current config."""
    for name in MusicData.WRITES:
        saved.loader[name] = cfg.loader[name]


def other_data(cfg: DictConfig, checkpoint: Checkpoint, data: MusicData) -> list[str]:
    """A remark for reports if `data_of` does not give exactly the data of the training."""
    if data.encoded.fingerprint == checkpoint.data:
        return []
    detail = ""
    if checkpoint.identity is not None:
        difference = data.encoded.identity.differs_from(checkpoint.identity)
        if difference is None:
            return []
        detail = f" ({difference})"
    if names_dataset(cfg) or checkpoint.data == PUBLISHED:
        return [
            f"these are not the data that the checkpoint was trained on{detail}: its training "
            "pieces may be among the held-out ones, and copies are looked up in these data's "
            "training split"
        ]
    return [
        "the same dataset, but its files have changed since the training, or another version of "
        f"Symbotunes has prepared them{detail}: pieces that are read differently may be in other "
        "splits"
    ]


def rebuild(checkpoint: Checkpoint) -> tuple[Model, Tokenizer[Any]]:
    """The network with its weights and the tokenizer, from the checkpoint alone.

    Raises:
        CheckpointError: if the vocabulary is invalid, or the weights do not fit the network of the
            recipe.
    """
    chain = chain_of(checkpoint)
    tokenizer = chain.tokenizer
    try:
        chain.load_state(checkpoint.tokenizer)
    except Exception as error:  # byte pairs raise plain exceptions
        reason = shorten(str(error), 120)
        raise CheckpointError(f"{checkpoint.path} carries no vocabulary: {reason}") from error
    net = build(checkpoint.config.model.net, vocabulary=tokenizer.model_vocabulary)
    load_weights(net, checkpoint.weights, str(checkpoint.path))
    return net, tokenizer


def chain_of(checkpoint: Checkpoint) -> Chain:
    """The steps of a checkpoint; its tokenizer does not know its vocabulary yet."""
    steps = {
        "transforms": without_files(checkpoint.config.transforms),
        FINETUNE: checkpoint.config.get(FINETUNE),
    }
    return build_chain(OmegaConf.create(steps))


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


def newest_checkpoint(root: Path) -> Path:
    """The best checkpoint of the run below `root` that began or was resumed last.

    It is the last checkpoint if that run has not validated.

    Raises:
        UserError: if there is none.
    """
    paths = checkpoints_below(root)
    if not paths:
        raise UserError(f"no trained model below {root}: run `{program()}` first, or set ckpt=PATH")
    return paths[0]


def newest_or_shipped(root: Path) -> Path:
    """The same; a model that comes with the package if there is none."""
    paths = checkpoints_below(root)
    return paths[0] if paths else Path(FIRST_MODEL)


def checkpoints_below(root: Path) -> list[Path]:
    """Of every run below a folder: its best checkpoint, or else its last, the newest run first."""
    runs = [run for pattern in ("train/*", "slurm/*", "multirun/*/*") for run in root.glob(pattern)]
    paths = [path for run in runs if (path := _best_or_last(run)) is not None]
    return sorted(paths, key=_begun, reverse=True)


def _best_or_last(run: Path) -> Path | None:
    paths = (run / "checkpoints" / name for name in ("best.ckpt", "last.ckpt"))
    return next((path for path in paths if path.is_file()), None)


def _begun(path: Path) -> tuple[float, float]:
    """When the run of a checkpoint began, then when the file was written, in seconds.

    Files get new times when a run is copied; what ``run.json`` says stays. Without one, the time of
    the file must do.
    """
    written = path.stat().st_mtime
    try:
        run = json.loads((path.parents[1] / "run.json").read_text(encoding="utf-8"))
        return datetime.fromisoformat(run["started_utc"]).timestamp(), written
    except (OSError, ValueError, LookupError, TypeError):
        return written, written
