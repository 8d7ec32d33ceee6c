"""Which arguments of a dataset say where its files are, not what they are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

from symbotunes.datasets.base import Corpus, printable


def class_of(node: Any) -> type | None:
    """The class that a plain config node names, if it names one."""
    if not isinstance(node, Mapping) or "_target_" not in node:
        return None
    target = get_object(str(node["_target_"]))
    return target if isinstance(target, type) else None


def without_locations(node: Any) -> Any:
    """A plain config of a dataset without the paths and addresses of its files."""
    if isinstance(node, list):
        return [without_locations(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    corpus = class_of(node)
    if corpus is None or not issubclass(corpus, Corpus):
        return {name: without_locations(entry) for name, entry in node.items()}
    locations = {*corpus.WRITES, *corpus.FETCHES, *corpus.READS}
    return {name: without_locations(entry) for name, entry in node.items() if name not in locations}


def collection_name(node: Any) -> str:
    """What people call the corpus of a plain config: `Corpus.name`, as far as the config tells."""
    corpus = class_of(node)
    if corpus is None or not issubclass(corpus, Corpus):
        nodes = node.values() if isinstance(node, dict) else ()
        return " + ".join(dict.fromkeys(filter(None, map(collection_name, nodes))))
    parts = collection_name({name: node.get(name) for name in corpus.PARTS if name != "steps"})
    path = node.get("path") if "path" in corpus.READS else None
    return parts or (printable(Path(str(path)).name) if path else "") or corpus.__name__


def is_same_data(before: DictConfig, now: DictConfig) -> bool:
    """Whether two datasets differ only in where their files are and come from."""
    return bool(
        without_locations(OmegaConf.to_container(before))
        == without_locations(OmegaConf.to_container(now, resolve=True))
    )
