"""Hydra's complaints about the command line, in one line with the nearest right name."""

import re
import sys
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf

from symbotunes.options import groups, options
from symbotunes.places import CONF

# What launchers and sweepers of Hydra need: the extra of this package, by their names.
EXTRAS = {
    "joblib": "cluster", "submitit_local": "cluster", "submitit_slurm": "cluster",
    "ray": "ray", "optuna": "optuna",
}  # fmt: skip


def nearest(name: str, choices: Iterable[str]) -> str:
    """``; did you mean X?`` if a choice is near, else the list of choices."""
    names = list(choices)
    swapped = [choice for choice in names if sorted(choice) == sorted(name)]
    if swapped:  # two letters in the wrong order, such as modle
        return f"; did you mean {swapped[0]}?"
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
    if name in EXTRAS:
        return f"{group}={name} needs another package: pip install 'symbotunes[{EXTRAS[name]}]'"
    known = [line.strip() for line in listing.split("\n") if line.strip()]
    return f"{group}={name} does not exist{nearest(name, known)}"


def _unknown_key(key: str) -> str:
    group, _, last = key.rpartition(".")
    keys = list(_keys(_composed([*_group_choices(), *_appended()])))
    if key in _subgroups():
        return f"write {_subgroups()[key]}={_value_of(key)} for the group's option"
    others = _options_with(group, last)
    if others:
        return f"this {group} has no {last}; it belongs to {group}={' or '.join(others)}"
    inside = [other for other in keys if other.startswith(group) and _last(other) == last]
    if inside:
        return f"there is no key {key}; did you mean {' or '.join(inside)}?"
    near = nearest(key, [other for other in keys if not key.startswith(f"{other}.")])
    package = f" -p {group}" if group else ""
    return f"there is no key {key}{near or f'; `--cfg job{package}` lists them'}"


def _last(key: str) -> str:
    return key.rpartition(".")[2]


def _subgroups() -> dict[str, str]:
    """``optimizer`` -> ``model/optimizer``."""
    return {group.rpartition("/")[2]: group for group in groups() if "/" in group}


def _value_of(key: str) -> str:
    """What this command gives for a key."""
    given = [argument.partition("=") for argument in sys.argv[1:]]
    return next((value for name, _, value in given if name.lstrip("+~") == key), "OPTION")


def _options_with(group: str, key: str) -> list[str]:
    """The options of a group whose files have this key at their top."""
    files = {name: CONF / group / f"{name}.yaml" for name in options(group)}
    return [name for name, file in files.items() if key in set(OmegaConf.load(file))]


def _unknown_group(name: str) -> str:
    if name == "experiment":
        return "an experiment is added to the rest: write +experiment=NAME"
    keys = [str(key) for key in _composed([]) if key != "hydra"]
    return f"there is no group or key {name}{nearest(name, [*groups(), *keys])}"


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


def misfit(cfg: DictConfig, arguments: Iterable[str]) -> str | None:
    """Of the values on the command line, the first that is text where a number belongs.

    Args:
        cfg: as composed with them.
        arguments: what the command line sets, as Hydra heard it.
    """
    pairs = [argument.lstrip("+").partition("=") for argument in arguments]
    texts = {key: value for key, _, value in pairs if isinstance(_selected(cfg, key), str)}
    if not texts:
        return None
    others = [argument for argument in arguments if argument.partition("=")[0] not in texts]
    usual = _composed(others)
    for key, value in texts.items():
        kinds = {bool: "true or false", int: "a whole number", float: "a number"}
        needed = kinds.get(type(_selected(usual, key)))
        if needed is not None:
            return f"{key}={value}: this is text, and {needed} is needed"
    return None


def _selected(cfg: Any, key: str) -> Any:
    """A value as it is written, or ``None``; the names of groups are no keys."""
    if "/" in key or "@" in key or (CONF / key).is_dir():
        return None
    return OmegaConf.select(cfg, key, throw_on_missing=False, throw_on_resolution_failure=False)


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
