"""The program behind the entry point: Hydra composes conf/, and cfg.mode selects what to do."""

import sys
from importlib.metadata import version

import hydra
from omegaconf import DictConfig

from symbotunes.cli.arguments import readable
from symbotunes.cli.command_line import (
    added_to_checkpoint,
    flags_first,
    help_text,
    register_resolvers,
    run_mode,
)
from symbotunes.cli.environment import prepare_environment
from symbotunes.cli.errors import one_line_errors
from symbotunes.cli.start_up import compose_once, parse_with_libyaml
from symbotunes.cli.terminal import print_in_any_encoding, warn_in_one_line
from symbotunes.config.plugins import register_plugins
from symbotunes.paths import CONF
from symbotunes.sweeps.hooks import closing_sweep
from symbotunes.system.streams import make_unfailing


@hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")
def main(cfg: DictConfig) -> float | None:
    """Run one mode; returns the value that a hyperparameter search minimizes, if any."""
    value: float | None = run_mode(cfg)
    return value


def run() -> None:
    """Read the command line and run."""
    print_in_any_encoding()
    make_unfailing()
    warn_in_one_line()
    parse_with_libyaml()
    compose_once()
    register_resolvers()
    sys.argv[1:] = added_to_checkpoint(flags_first(readable(sys.argv[1:])))
    if sys.argv[1:] == ["--version"]:
        print(f"Symbotunes {version('symbotunes')}")
        return
    with one_line_errors():
        if {"--help", "-h"} & set(sys.argv[1:]):
            print(help_text(sys.argv[1:]))
            return
        prepare_environment()
        register_plugins()
        with closing_sweep():
            main()
