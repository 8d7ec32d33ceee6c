"""Builds the chain and the data of a run from its config."""

import json

from omegaconf import DictConfig, OmegaConf

from symbotunes.config.build import build
from symbotunes.config.locations import without_locations
from symbotunes.data.module import MusicData
from symbotunes.transforms.base import Chain


def build_chain(cfg: DictConfig) -> Chain:
    """The steps under ``cfg.transforms``, in the order of the group's list."""
    steps = cfg.get("transforms") or {}  # Hydra leaves the key out for transforms=[]
    context = OmegaConf.select(cfg, "model.net.context")
    chain = Chain({str(name): build(node) for name, node in steps.items()}, context)
    keys = OmegaConf.select(cfg, "finetune.keys")
    if OmegaConf.is_dict(keys):
        chain.tokenizer.keys = {
            str(key): count for key, count in keys.items() if isinstance(count, int) and count > 0
        }
    return chain


def build_data(cfg: DictConfig, chain: Chain, *, key: str | None = None) -> MusicData:
    """The data of a run; none are read yet.

    Args:
        cfg: of the run.
        chain: its steps.
        key: identifies its cache; `None` takes `data_key`.
    """
    key = data_key(cfg, chain) if key is None else key
    data = build(cfg.loader, corpus=build(cfg.dataset), chain=chain, key=key)
    assert isinstance(data, MusicData)
    return data


def data_key(cfg: DictConfig, chain: Chain) -> str:
    """Text that changes whenever the config of the corpus or of a cached step does.

    Where the files of the corpus lie is left out: its checksum says what they are.
    """
    steps = OmegaConf.to_container(cfg.transforms, resolve=True)
    assert isinstance(steps, dict)
    dataset = without_locations(OmegaConf.to_container(cfg.dataset, resolve=True))
    return json.dumps({"dataset": dataset, "steps": [[name, steps[name]] for name in chain.cached]})
