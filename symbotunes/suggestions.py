"""Hydra's complaints about the command line, in one line with the nearest right name."""

import re
import sys
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from symbotunes.places import CONF


def nearest(name: str, choices: Iterable[str]) -> str:
    """``; did you mean X?`` if a choice is near, else the list of choices."""
    names = list(choices)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; choose one of {', '.join(names)}" if len(names) <= 40 else ""


def explain(error: BaseException) -> str:
    """One line for an exception that Hydra or OmegaConf raised."""
    text = " ".join(str(part) for part in (error, error.__cause__) if part is not None)
    for pattern, answer in _ANSWERS:
        found = re.search(pattern, text, re.DOTALL)
        if found:
            return str(answer(*found.groups()))
    return str(error).strip().splitlines()[0]


def _unknown_option(group_and_name: str, listing: str) -> str:
    group, _, name = group_and_name.rpartition("/")
    options = [line.strip() for line in listing.split("\n") if line.strip()]
    return f"{group}={name} does not exist{nearest(name, options)}"


def _unknown_key(key: str) -> str:
    group = key.split(".")[0]
    keys = list(_keys(_composed([*_group_choices(), *_appended()])))
    return f"there is no key {key}{nearest(key, keys) or f'; see --cfg job -p {group}'}"


def _unknown_group(name: str) -> str:
    if name == "experiment":
        return "an experiment is added to the rest: write +experiment=NAME"
    groups = sorted(path.name for path in CONF.iterdir() if path.is_dir() and path.name != "hydra")
    keys = [str(key) for key in _composed([]) if key != "hydra"]
    return f"there is no group or key {name}{nearest(name, [*groups, *keys])}"


def _missing_value(key: str) -> str:
    return f"{key} is needed: give {key}=VALUE"


def _several_values(key: str) -> str:
    return (
        f"{key} has several values: add --multirun for a sweep, or write '{key}=[A,B]' for a list"
    )


def _bad_syntax(argument: str) -> str:
    return (
        f"cannot read the argument {argument}; write KEY=VALUE, and quote values that hold "
        f"spaces, commas or colons: 'sample.prompt=\"M:6/8 K:Cdor\"'"
    )


_ANSWERS: list[tuple[str, Any]] = [
    (
        r"Could not find '([^']+)'\s+Available options in '[^']*':(.*?)(?:Config search|$)",
        _unknown_option,
    ),
    (r"Could not override '([^'@]+)'\.\s*No match in the defaults list", _unknown_group),
    (r"Could not override '([^']+)'", _unknown_key),
    (r"Ambiguous value for argument '([^'=]+)=", _several_values),
    (r"Missing mandatory value: (\S+)", _missing_value),
    (r"Error parsing override '([^']*)'", _bad_syntax),
    (r"LexerNoViableAltException: ([^\n]*)", _bad_syntax),
]


def _composed(overrides: list[str]) -> Any:
    """The config of these overrides, or of none if they do not compose."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        try:
            return compose("config", overrides)
        except Exception:  # the second error would hide the first, which is being explained
            return compose("config")


def _group_choices() -> list[str]:
    """The arguments of this command that choose a group's option."""
    return [
        argument
        for argument in sys.argv[1:]
        if "=" in argument and (CONF / argument.partition("=")[0]).is_dir() and "," not in argument
    ]


def _appended() -> list[str]:
    return [argument for argument in sys.argv[1:] if argument.startswith("+experiment=")]


def _keys(node: Any, prefix: str = "") -> Iterator[str]:
    for key in node:
        if key in ("_target_", "_partial_"):
            continue
        yield f"{prefix}{key}"
        if not OmegaConf.is_missing(node, key) and not OmegaConf.is_interpolation(node, key):
            value = node[key]
            if OmegaConf.is_dict(value):
                yield from _keys(value, f"{prefix}{key}.")
