"""What the config inside a checkpoint may decide, apart from which of our classes are built.

The threat: a checkpoint often comes from a stranger, and its config sets arguments. A dataset that
downloads `path` from `url`, unpacks an archive or fills a cache would write bytes of the stranger's
choice to a path of the stranger's choice, such as a start-up file of Python or a shell.

The rules, by how each `Corpus` class declares its arguments:

* A checkpoint is **own** if it is a file ``RUN/checkpoints/NAME.ckpt``, ``RUN/run.json`` exists,
  and it is below the current ``paths.root`` with all links resolved. Everything else is
  **foreign**: the hub, exported folders, copied files.
* Where files are written (`Corpus.WRITES`) and where they are fetched from (`Corpus.FETCHES`) is
  set by ``conf/`` and the command line. The data of an own checkpoint may be elsewhere if they are
  complete, since they are then only read.
* Which files are read (`Corpus.READS`, and every undeclared argument) may be set by an own
  checkpoint. In a foreign one, they must be those of an option of ``conf/dataset``.
* Numbers and words (`Corpus.CHOICES`) may be set by any checkpoint.

``dataset=...`` on the command line needs no trust and replaces all of this; ``dataset.path=...``
and other keys alone are the user's own words about the checkpoint's dataset.
"""

import copy
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

from symbotunes.checkpoints.checkpoint import Checkpoint, leaves
from symbotunes.checkpoints.error import CheckpointError
from symbotunes.config.locations import class_of
from symbotunes.config.overrides import chooses_dataset, dataset_values
from symbotunes.datasets.base import Corpus
from symbotunes.errors import UserError, did_you_mean
from symbotunes.paths import CONF

Node = dict[str, Any]
PLAIN = (bool, int, float, str, type(None))


def is_own(checkpoint: Checkpoint, cfg: DictConfig) -> bool:
    """Whether a checkpoint is in the folder of a run below ``cfg.paths.root``."""
    file = checkpoint.file.resolve()
    run = file.parent.parent
    return (
        file.is_file()
        and file.parent.name == "checkpoints"
        and (run / "run.json").is_file()
        and run.is_relative_to(Path(cfg.paths.root).resolve())
    )


def dataset_of(
    checkpoint: Checkpoint, cfg: DictConfig, build: Callable[[Any], Corpus]
) -> DictConfig:
    """The dataset of a checkpoint, as far as the rules of this module and the command line allow.

    ``dataset=NAME`` on the command line replaces it; ``dataset.path=PATH`` alone sets that key.

    Args:
        checkpoint: whose ``_target_`` entries have been checked, unless its dataset is replaced.
        cfg: the current config.
        build: builds a corpus from its config.

    Raises:
        CheckpointError: if the command line must name the dataset, saying how.
        UserError: if the command line sets a key that the dataset does not have.
    """
    if chooses_dataset(cfg):
        chosen: Any = OmegaConf.to_container(cfg.dataset, resolve=True)
        return OmegaConf.create(dict(chosen))
    saved = checkpoint.config.get("dataset")
    node: Any = OmegaConf.to_container(saved) if OmegaConf.is_config(saved) else None
    corpus = class_of(node)
    if corpus is None or not issubclass(corpus, Corpus):
        raise CheckpointError(f"{checkpoint.path} names no dataset; give dataset=NAME")
    given = dataset_values(cfg)
    node = _with_values(node, given)
    own = build if is_own(checkpoint, cfg) else None
    judge = _Judge(checkpoint, dataset_options(cfg), own, {f"dataset.{key}" for key in given})
    vetted: Node = judge.vetted(node, "dataset")
    return OmegaConf.create(_with_values(vetted, given))


def _with_values(node: Node, values: Mapping[str, Any]) -> Node:
    """A dataset with values for some of its keys, such as ``corpora.mine.path``."""
    changed = copy.deepcopy(node)
    for key, value in values.items():
        *groups, name = key.split(".")
        inner: Any = changed
        for group in groups:
            inner = inner.get(group) if isinstance(inner, dict) else None
        if not isinstance(inner, dict) or name not in inner or name.startswith("_"):
            known = [known for known, _ in leaves(node) if "_target_" not in known]
            raise UserError(f"the checkpoint's dataset has no {key}{did_you_mean(key, known)}")
        inner[name] = value
    return changed


def without_files(node: Any) -> Any:
    """Steps without the names of files to read; their content is in the tokenizer's state."""
    if OmegaConf.is_config(node):
        return OmegaConf.create(without_files(OmegaConf.to_container(node)))
    if isinstance(node, list):
        return [without_files(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    reads = getattr(class_of(node), "READS", ())
    return {name: None if name in reads else without_files(entry) for name, entry in node.items()}


def dataset_options(cfg: DictConfig) -> dict[str, Node]:
    """Every dataset of ``conf/`` by its name, with the folders of the current config."""
    options: dict[str, Node] = {}
    root = cfg.copy()
    for file in sorted((CONF / "dataset").glob("[!_]*.yaml")):
        node = OmegaConf.load(file)
        assert isinstance(node, DictConfig)
        node.pop("defaults", None)  # of concatenated corpora, which are options themselves
        with open_dict(root):
            root.dataset = node
        options[file.stem] = OmegaConf.to_container(root.dataset, resolve=True)  # type: ignore[assignment]
    return options


@dataclass(frozen=True)
class _Judge:
    """Applies the rules to a dataset and to the corpora in it.

    Attributes:
        checkpoint: that names the dataset.
        options: `dataset_options`.
        build: builds a corpus; ``None`` if the checkpoint is foreign.
        given: the keys whose values are the user's, such as ``dataset.path``.
    """

    checkpoint: Checkpoint
    options: dict[str, Node]
    build: Callable[[Any], Corpus] | None
    given: Collection[str] = ()

    def vetted(self, node: Any, key: str) -> Any:
        """A node, with the rules applied to each corpus at or below it."""
        if isinstance(node, list):
            return [self.vetted(entry, f"{key}.{index}") for index, entry in enumerate(node)]
        if not isinstance(node, dict):
            return node
        corpus = class_of(node)
        if corpus is None:
            return {name: self.vetted(entry, f"{key}.{name}") for name, entry in node.items()}
        if not issubclass(corpus, Corpus):  # a step for one corpus
            return without_files(node)
        node = self._own(node, corpus, key) if self.build else self._foreign(node, corpus, key)
        return {
            name: self.vetted(entry, f"{key}.{name}") if name in corpus.PARTS else entry
            for name, entry in node.items()
        }

    def _foreign(self, node: Node, corpus: type[Corpus], key: str) -> Node:
        options = self._options_of(corpus)
        misfits: dict[str, str] = {}
        for name, option in options.items():
            misfit = self._misfit(node, corpus, option, key)
            if misfit is None:
                return _placed(node, corpus, option)
            misfits[name] = misfit
        if not misfits:
            raise self._error(key, "is not an option of conf/dataset", "dataset=NAME")
        name, argument = next(iter(misfits.items()))
        raise self._error(
            f"{key}.{argument}={shorten(str(node[argument]), 80)!r}",
            "must be set by you, since the checkpoint is not of a run below paths.root",
            self._advice(name, argument, corpus, nested=key != "dataset"),
        )

    def _own(self, node: Node, corpus: type[Corpus], key: str) -> Node:
        options = self._options_of(corpus)
        here = [_placed(node, corpus, option) for option in options.values()]
        if node in here or not (corpus.WRITES or corpus.FETCHES):
            return node
        if here and any(f"{key}.{name}" in self.given for name in corpus.WRITES):
            return here[0]  # the user says where the files go
        assert self.build is not None
        for candidate in (node, *here):
            if self.build(OmegaConf.create({"dataset": candidate}).dataset).is_at_hand():
                return candidate
        argument = next(iter(corpus.WRITES), "")
        raise self._error(
            f"{key}.{argument}={node.get(argument)}",
            "holds no data to read, and a checkpoint does not choose where to download or unpack",
            self._advice(next(iter(options), "NAME"), argument, corpus, nested=key != "dataset"),
        )

    def _misfit(self, node: Node, corpus: type[Corpus], option: Node, key: str) -> str | None:
        """The first argument that a foreign checkpoint may not set."""
        replaced = {"_target_", *corpus.WRITES, *corpus.FETCHES, *corpus.PARTS}
        for name, value in node.items():
            names_nothing = name in corpus.READS and value is None
            is_choice = name in corpus.CHOICES and _is_plain(value)
            is_ours = name in option and value == option[name]
            is_users = f"{key}.{name}" in self.given
            if not (name in replaced or names_nothing or is_choice or is_ours or is_users):
                return name
        return None

    def _options_of(self, corpus: type[Corpus]) -> dict[str, Node]:
        return {name: node for name, node in self.options.items() if class_of(node) is corpus}

    def _advice(self, option: str, argument: str, corpus: type[Corpus], *, nested: bool) -> str:
        if nested:
            return "dataset=concat and its corpora, as in training"
        is_path = argument in (*corpus.READS, *corpus.WRITES)
        return f"dataset={option} dataset.{argument}={'PATH' if is_path else 'VALUE'}"

    def _error(self, what: str, why: str, advice: str) -> CheckpointError:
        return CheckpointError(f"{self.checkpoint.path}: {what} {why}; give {advice}")


def _placed(node: Node, corpus: type[Corpus], option: Node) -> Node:
    """A corpus with the places to write to and fetch from of an option of ``conf/``."""
    ours = {*corpus.WRITES, *corpus.FETCHES}
    kept = {name: value for name, value in node.items() if name not in ours}
    return kept | {name: value for name, value in option.items() if name in ours}


def _is_plain(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return all(isinstance(entry, PLAIN) for entry in values)
