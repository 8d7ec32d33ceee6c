"""The configs of commands, composed by Hydra once for every choice of options.

Composing takes a fifth of a second, reading what was composed a thousandth. Workers of pytest share
it by files in a folder of the session.
"""

import hashlib
import os
import pickle
from functools import cache
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from symbotunes.cli.command_line import register_resolvers
from symbotunes.cli.start_up import parse_with_libyaml
from symbotunes.config.compose import recomposed
from symbotunes.config.plugins import is_group
from symbotunes.files import atomic_write

FOLDER = "TESTS_COMPOSED"  # environment variable


def composed(*arguments: str) -> DictConfig:
    """The config of ``python main.py *arguments``; values are set last, as Hydra does."""
    chosen, values = [], []
    for argument in arguments:
        key, _, value = argument.partition("=")
        group = is_group(key) or not set(key).isdisjoint("/@+~")
        (chosen if group or key.startswith("hydra.") else values).append(argument)
    cfg: DictConfig = pickle.loads(_chosen(tuple(chosen)))  # which copies faster than deepcopy
    for override in OverridesParser.create().parse_overrides(values):
        OmegaConf.update(cfg, override.key_or_group, override.value(), merge=True)
    return cfg


@cache
def _chosen(arguments: tuple[str, ...]) -> bytes:
    register_resolvers()
    parse_with_libyaml()
    path = Path(os.environ[FOLDER], hashlib.sha256(repr(arguments).encode()).hexdigest())
    if not path.exists():
        atomic_write(path, pickle.dumps(recomposed(arguments)))
    return path.read_bytes()
