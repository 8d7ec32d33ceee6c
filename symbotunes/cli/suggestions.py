"""Hydra's errors about the command line, in one line with the closest valid name."""

import re
import sys
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf

from symbotunes.cli.options import groups, option_paths, options
from symbotunes.config.commands import setting
from symbotunes.config.compose import composed, composes
from symbotunes.config.plugins import is_group
from symbotunes.errors import did_you_mean, first_line, nearest, nearest_key

# The extra of this package that each of Hydra's launchers and sweepers needs.
EXTRAS = {
    "joblib": "cluster", "submitit_local": "cluster", "submitit_slurm": "cluster",
    "ray": "ray", "optuna": "optuna",
}  # fmt: skip

JOBS_TRIED = 20  # jobs of a sweep that are composed to find the one that an error is about


def explain(error: BaseException) -> str:
    """One line for an exception raised by Hydra or OmegaConf.

    Of a sweep, the line names the job, unless it is of all jobs.
    """
    job = job_that_fails(sys.argv[1:])
    if job is None:
        return _explained(error)
    restored = _of_job.set(job.arguments)
    try:
        return f"job {job.number} ({' '.join(job.settings)}): {_explained(error)}"
    finally:
        _of_job.reset(restored)


def _explained(error: BaseException) -> str:
    text = " ".join(str(part) for part in (error, error.__cause__) if part is not None)
    for pattern, answer in _ANSWERS:
        match = re.search(pattern, text, re.DOTALL)
        if match:
            return str(answer(*match.groups()))
    return first_line(error)


@dataclass(frozen=True)
class BadJob:
    """A job of a sweep that has no config, although others have.

    Attributes:
        number: of the job, counted from 0.
        arguments: of the job.
        settings: those of them that other jobs do not have.
    """

    number: int
    arguments: list[str]
    settings: list[str]


def job_that_fails(arguments: Sequence[str]) -> BadJob | None:
    """The first job of a sweep that cannot be composed; ``None`` if none or all of them can."""
    flags = {"--multirun", "-m"}
    if not flags & set(arguments):
        return None
    words = [argument for argument in arguments if argument not in flags]
    try:
        overrides = OverridesParser.create().parse_overrides(words)
        (jobs,) = BasicSweeper.split_arguments(overrides, max_batch_size=None)
    except HydraException:  # it is an error of the whole line, or a search
        return None
    tried = [composes(job) for job in jobs[:JOBS_TRIED]]
    if all(tried) or not any(tried):
        return None
    number = tried.index(False)
    common = set(jobs[0]).intersection(*jobs[1:])
    return BadJob(number, jobs[number], [word for word in jobs[number] if word not in common])


_of_job: ContextVar[list[str] | None] = ContextVar("arguments of a job", default=None)


def _arguments() -> list[str]:
    """The arguments that are being explained."""
    job = _of_job.get()
    return sys.argv[1:] if job is None else job


def _unknown_option(group_and_name: str, listing: str = "") -> str:
    group, _, name = group_and_name.rpartition("/")
    top = group.split("/")[0]
    if not is_group(group) and options(top):  # a path
        return f"{top} expects the name of an option{did_you_mean('', options(top))}"
    if group in ("hydra/launcher", "hydra/sweeper") and name in EXTRAS:
        return f"{group}={name} needs another package: pip install 'symbotunes[{EXTRAS[name]}]'"
    theirs = [line.strip() for line in listing.split("\n") if line.strip()]
    return f"{group}={name} does not exist{did_you_mean(name, options(group) or theirs)}"


def _unknown_key(key: str) -> str:
    if "/" in key:
        return f"there is no group {key}{did_you_mean(key, groups())}"
    group, _, last = key.rpartition(".")
    top, *below = key.split(".")
    subgroups = {name.rpartition("/")[2]: name for name in groups() if "/" in name}
    meant = nearest(key, subgroups, cutoff=0.8)
    if meant is not None:
        return f"write {subgroups[meant]}={_value_of(key)} to choose an option of the group"
    others = _options_with(group.replace(".", "/"), last)
    if others:
        named = group.replace(".", "/")
        return f"this {named} has no {last}; it belongs to {named}={' or '.join(others)}"
    keys = list(_keys(composed([*_group_choices(), *_appended()])))
    if len(below) > 1 and below[0] in options(top) and f"{top}.{below[0]}" not in keys:
        return f"there is no key {key}: {below[0]} is not among the selected {top}"
    return f"there is no key {key}{_nearest_key(key, keys)}"


def _nearest_key(key: str, keys: list[str]) -> str:
    group, _, last = key.rpartition(".")
    tops = [name for name in keys if "." not in name]
    if not group and nearest(key, tops) is not None:
        return did_you_mean(key, tops)
    inside = [name for name in keys if name.startswith(group) and name.rpartition(".")[2] == last]
    if inside:
        return f"; did you mean {' or '.join(inside)}?"
    near = nearest_key(key, keys)
    if near is not None:
        return f"; did you mean {near}?"
    package = f" -p {group}" if group in keys else ""
    return f"; `--cfg job{package}` lists them"


def _value_of(key: str) -> str:
    """The value that this command sets for a key."""
    pairs = [argument.partition("=") for argument in _arguments()]
    return next((value for name, _, value in pairs if name.lstrip("+~") == key), "OPTION")


def _options_with(group: str, key: str) -> list[str]:
    """The options of a group whose files have this key at their top level."""
    if key == "defaults":
        return []
    files = sorted(option_paths(group).items())
    return [name for name, file in files if key in set(OmegaConf.load(file))]


def _unknown_group(name: str) -> str:
    if name == "experiment":
        return "experiments need a plus sign: write +experiment=NAME"
    keys = [str(key) for key in composed([]) if key != "hydra"]
    return f"there is no group or key {name}{did_you_mean(name, [*groups(), *keys])}"


def _missing_value(key: str) -> str:
    return f"{key} is required: set {key}=VALUE"


def _several_values(key: str) -> str:
    return (
        f"{key} has several values: add --multirun for a sweep, or write '{key}=[A,B]' for a list"
    )


def _bad_syntax(argument: str = "") -> str:
    argument = argument or _unreadable()
    key, sign, value = argument.partition("=")
    sign_without_pair = _unpaired(value)
    why = f": {sign_without_pair} has no counterpart" if sign_without_pair else ""
    as_text = f", or {setting(key, value)} for a text" if sign else ""
    return f"cannot read the argument {argument}{why}; write KEY=VALUE{as_text}"


def _unpaired(value: str) -> str | None:
    """The first quote or bracket of a value that is not closed, or was not opened."""
    pairs, open_signs, quote = {"(": ")", "[": "]", "{": "}"}, list[str](), ""
    for before, sign in zip(" " + value, value, strict=False):
        if quote:
            quote = "" if sign == quote and before != "\\" else quote
        elif sign in "'\"":
            quote = sign
        elif sign in pairs:
            open_signs.append(sign)
        elif sign in pairs.values() and (not open_signs or pairs[open_signs.pop()] != sign):
            return sign
    return quote or (open_signs[0] if open_signs else None)


def _unreadable() -> str:
    """The first argument of this command that Hydra's grammar rejects."""
    parser = OverridesParser.create()
    for argument in sys.argv[1:]:
        try:
            parser.parse_override(argument)
        except HydraException:
            return argument
    return ""


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
    (r"mismatched input|no viable alternative", _bad_syntax),
    (r"Could not load '([^']+)'", _unknown_option),
]


def _group_choices() -> list[str]:
    """The arguments of this command that choose a group's option."""
    return [
        argument
        for argument in _arguments()
        if "=" in argument and is_group(argument.partition("=")[0]) and "," not in argument
    ]


def _appended() -> list[str]:
    return [argument for argument in _arguments() if argument.startswith("+experiment=")]


def _keys(node: Any, prefix: str = "") -> Iterator[str]:
    for key in node:
        if key in ("_target_", "_partial_"):
            continue
        yield f"{prefix}{key}"
        if not OmegaConf.is_missing(node, key) and not OmegaConf.is_interpolation(node, key):
            value = node[key]
            if OmegaConf.is_dict(value):
                yield from _keys(value, f"{prefix}{key}.")
