"""What a checkpoint contains besides weights, so that ``ckpt=...`` suffices to sample or resume.

The recipe is stored as plain strings: such a file opens with ``weights_only=True``, and can be read
by a person with one line of Python.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from torch import Tensor

from symbotunes.checkpoints.anticipatory import is_anticipatory, read_anticipatory
from symbotunes.checkpoints.error import CheckpointError
from symbotunes.checkpoints.formats.torch_file import load_plain
from symbotunes.checkpoints.published import locate, read_folder
from symbotunes.checkpoints.trust import refuse_strangers
from symbotunes.config.aliases import modernized
from symbotunes.config.compose import recomposed
from symbotunes.data.identity import Identity
from symbotunes.errors import UserError

FORMAT = 1
PUBLISHED = "published"  # in place of the data's fingerprint, for weights trained elsewhere
# The keys of the config that a resumed run takes from the checkpoint.
KEPT = ("model", "dataset", "transforms", "loader", "name", "seed", "baselines", "compile")
FINETUNE = "finetune"  # of the config of a fine-tuning: its parents, and the keys of its tunes
# Where Lightning keeps how many passes over the data are done, and for how long it has trained.
PASSES = ("loops", "fit_loop", "epoch_progress", "current", "processed")
SECONDS = ("callbacks", "Timer", "time_elapsed", "train")


@dataclass(frozen=True)
class Checkpoint:
    """An opened checkpoint, whether a file of a training or the folder of a published model.

    Attributes:
        path: where it was read from, as the user wrote it.
        file: the file or folder that this is.
        config: the resolved config of the run that wrote it.
        tokenizer: state of the run's tokenizer.
        data: fingerprint of the data that it was trained on.
        weights: of the network, by parameter name.
        steps: optimizer steps that it was trained for.
        tokens: real tokens that it was trained on.
        best: best validation value of the training so far, if known.
        monitor: the metric of `best`.
        quantity: what that metric was, in words; ``None`` in checkpoints of earlier versions, whose
            ``val/loss`` had no KL divergence in it.
        resumable: whether the training can be resumed, which a published or converted model
            cannot.
        identity: what those data are; ``None`` in checkpoints of earlier versions.
        passes: over the training data that were completed.
        seconds: that the training has taken, if it has a limit of time.
        threads: in which it was trained on a CPU; ``None`` on other devices and in checkpoints of
            earlier versions.
    """

    path: Path
    file: Path
    config: DictConfig
    tokenizer: dict[str, Any]
    data: str
    weights: dict[str, Tensor]
    steps: int
    tokens: int
    best: float | None = None
    monitor: str = "val/loss"
    quantity: str | None = None
    resumable: bool = False
    identity: Identity | None = None
    passes: int = 0
    seconds: float = 0.0
    threads: int | None = None

    @classmethod
    def from_file(cls, path: Path, file: Path) -> "Checkpoint":
        """Open a file that Lightning wrote; for errors, see `unpack`."""
        content = read(file)
        recipe = content.get("recipe")
        if not isinstance(recipe, dict) or "config" not in recipe:
            raise CheckpointError(f"{path} is a checkpoint of another program, not of Symbotunes")
        _require_format(path, recipe.get("format"))
        prefix = "net."
        best, monitor, quantity = _best(content.get("callbacks"))
        return cls(
            path,
            file,
            config=_config(path, recipe["config"]),
            tokenizer=_tokenizer(path, recipe.get("tokenizer")),
            data=str(recipe.get("data")),
            weights={
                name.removeprefix(prefix): tensor
                for name, tensor in content["state_dict"].items()
                if name.startswith(prefix)
            },
            steps=_count(path, content, "global_step"),
            tokens=_count(path, content, "real_tokens"),
            best=best,
            monitor=monitor,
            quantity=quantity,
            resumable={"rng", "optimizer_states", "loops"} <= content.keys(),
            identity=Identity.from_dict(recipe.get("identity")),
            passes=int(_number(content, PASSES)),
            seconds=_number(content, SECONDS),
            threads=_threads(recipe.get("threads")),
        )

    @classmethod
    def from_folder(cls, path: Path, folder: Path) -> "Checkpoint":
        """Open a published model; for errors, see `unpack`."""
        description, weights = read_folder(folder)
        _require_format(path, description["format"])
        return cls(
            path,
            folder,
            config=_config(path, description["config"]),
            tokenizer=description["tokenizer"],
            data=description["data"],
            weights=weights,
            steps=description["steps"],
            tokens=_count(path, description, "tokens"),
            identity=Identity.from_dict(description.get("identity")),
        )

    @classmethod
    def from_transformers(cls, path: Path, folder: Path) -> "Checkpoint":
        """Open an Anticipatory Music Transformer as its authors publish it; see `unpack`."""
        config, weights = read_anticipatory(folder, recomposed, name=_name(path))
        kept = {key: _resolved(config[key]) for key in KEPT}
        return cls(
            path,
            folder,
            config=_config(path, kept),
            tokenizer={},
            data=PUBLISHED,
            weights=weights,
            steps=0,
            tokens=0,
        )


def _resolved(node: Any) -> Any:
    """A part of a composed config without interpolations."""
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


def _name(path: Path) -> str:
    """A name for a model that has none: that of its folder or repository."""
    return path.name.partition("@")[0]


def _threads(value: Any) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    return value if whole else None


def pack(
    cfg: DictConfig,
    tokenizer: Mapping[str, Any],
    *,
    data: str,
    identity: Identity | None = None,
) -> dict[str, Any]:
    """The recipe for a checkpoint, with all interpolations resolved.

    Args:
        cfg: of the training.
        tokenizer: its state.
        data: fingerprint of the prepared corpus, or `PUBLISHED`.
        identity: of that corpus, if it is known.
    """
    known = {} if identity is None else {"identity": identity.as_dict()}
    return {
        "format": FORMAT,
        "config": OmegaConf.to_yaml(cfg, resolve=True),
        "tokenizer": json.dumps(dict(tokenizer), ensure_ascii=False),
        "data": data,
        **known,
    }


def unpack(path: Path) -> Checkpoint:
    """Open a checkpoint without running any code that it names.

    Args:
        path: a checkpoint file, or a published model; see
            `symbotunes.checkpoints.published.locate`.

    Raises:
        UserError: if the file is missing, damaged or not ours, or if its config names code that
            neither Symbotunes nor a plug-in defines.
    """
    source = locate(path)
    if source.is_dir() and is_anticipatory(source):
        return Checkpoint.from_transformers(path, source)
    if source.is_dir():
        return Checkpoint.from_folder(path, source)
    return Checkpoint.from_file(path, source)


def _require_format(path: Path, number: Any) -> None:
    if number != FORMAT:
        raise CheckpointError(f"{path} has recipe format {number}, this version reads {FORMAT}")


def _tokenizer(path: Path, text: Any) -> dict[str, Any]:
    try:
        state = json.loads(text)
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{path} carries no vocabulary: it is not JSON") from error
    if not isinstance(state, dict):
        raise CheckpointError(f"{path} carries no vocabulary: its state is not a dict")
    return state


def _count(path: Path, content: Mapping[str, Any], key: str) -> int:
    """A whole number of a checkpoint; 0 if it is missing."""
    value = content.get(key, 0)
    if not isinstance(value, int):
        raise CheckpointError(f"{path} is damaged: its {key} is not a whole number")
    return value


def _number(content: Any, keys: Sequence[str]) -> float:
    """A number in nested dicts; 0 if it is missing."""
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, int | float) else 0


def _best(callbacks: Any) -> tuple[float | None, str, str | None]:
    """The best validation value that a callback noted, its metric, and what that metric was."""
    states = callbacks.values() if isinstance(callbacks, dict) else ()
    for state in states:
        score = state.get("best_model_score") if isinstance(state, dict) else None
        if isinstance(score, int | float) or (isinstance(score, Tensor) and score.numel() == 1):
            quantity = state.get("quantity")
            recorded = None if quantity is None else str(quantity)
            return float(score), str(state.get("monitor", "val/loss")), recorded
    return None, "val/loss", None


def _config(path: Path, recipe: Any) -> DictConfig:
    """The config of a recipe: its values as written, and classes by their current names.

    Interpolations are rejected: one could give one class when checked and another when built.
    """
    try:
        config = OmegaConf.create(recipe)
        plain = OmegaConf.to_container(config)
    except Exception as error:  # YAML and OmegaConf raise many kinds of exceptions
        raise CheckpointError(f"{path} carries a config that cannot be read") from error
    if not isinstance(config, DictConfig) or not all(
        OmegaConf.is_dict(node) for node in (config.get("model"), config.get("transforms"))
    ):
        raise CheckpointError(f"{path} carries no config of a model and its transforms")
    for key, value in leaves(plain):
        if isinstance(value, str) and "${" in value:
            raise CheckpointError(f"{path} carries an interpolation in {key}; it is not opened")
    current = modernized(plain)
    # A config is made of nodes for a second time, as slow as the first, only where names changed.
    checked = config if current == plain else OmegaConf.create(current)
    refuse_strangers(path, {"net": checked.model.net, "transforms": checked.transforms})
    return checked


def leaves(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of plain dicts and lists, with the key that leads to it."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        if isinstance(value, dict | list):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def read(path: Path) -> dict[str, Any]:
    """The content of a file.

    Raises:
        CheckpointError: if it cannot be read, saying what is wrong with it.
    """
    if not path.is_file():
        raise CheckpointError(f"no checkpoint at {path}; set ckpt=PATH")
    try:
        content = load_plain(path)
    except UserError as error:
        raise CheckpointError(str(error)) from error
    if not isinstance(content, dict) or not isinstance(content.get("state_dict"), dict):
        raise CheckpointError(f"{path} is a checkpoint of another program, not of Symbotunes")
    return content
