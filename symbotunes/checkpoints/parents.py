"""The data that the parents of a fine-tuned model were trained on."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from symbotunes.checkpoints.arguments import is_own
from symbotunes.checkpoints.card import data_name
from symbotunes.checkpoints.checkpoint import Checkpoint, unpack
from symbotunes.checkpoints.lineage import Parent, parents_of
from symbotunes.checkpoints.published import shipped
from symbotunes.checkpoints.reopen import data_of
from symbotunes.data.cache.encoded import Encoded
from symbotunes.data.module import MusicData
from symbotunes.errors import UserError


def lineage(source: Checkpoint) -> list[dict[str, Any]]:
    """The parents of a model that is fine-tuned from a checkpoint, as plain values."""
    itself = Parent(
        str(source.path), str(source.config.get("name")), data_name(source), source.steps
    )
    return [asdict(parent) for parent in (*parents_of(source), itself)]


def data_of_source(source: Checkpoint, cfg: DictConfig) -> MusicData:
    """The data that a model was trained on, whatever dataset the command line names for another.

    Raises:
        UserError: if they cannot be had.
    """
    plain = cfg.copy()
    plain.sweep.overrides = []
    return data_of(source, plain)


def earlier_data(checkpoint: Checkpoint, cfg: DictConfig) -> Iterator[Encoded | str]:
    """The data of each parent, or why they are not at hand.

    What a checkpoint from elsewhere says about its parents names no file to read: only models that
    come with the package are opened for it.
    """
    for parent in parents_of(checkpoint):
        if parent.source not in shipped() and not is_own(checkpoint, cfg):
            yield f"{parent.source}, which a checkpoint from elsewhere may not have opened"
            continue
        try:
            source = unpack(Path(parent.source))
            if source.tokenizer != checkpoint.tokenizer:
                yield f"{parent.source}, which has another vocabulary"
                continue
            yield data_of_source(source, cfg).encoded
        except UserError as error:
            yield f"{parent.source}: {error}"
