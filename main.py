"""The only entry: Hydra composes conf/, and cfg.mode names what is done with it."""

import sys

import hydra
from omegaconf import DictConfig

from symbotunes.cli import expand_home, one_line_errors, register_resolvers, run_mode


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def main(cfg: DictConfig) -> float | None:
    """Run one mode; returns the value that a hyper-parameter search minimizes, if there is one."""
    return run_mode(cfg)


if __name__ == "__main__":
    register_resolvers()
    sys.argv[1:] = expand_home(sys.argv[1:])
    with one_line_errors():
        main()
