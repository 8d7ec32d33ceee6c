"""Reads arguments as users type them, where Hydra's grammar has another meaning for them.

``dataset.path=/home/müller/tunes (1)`` is not a value in that grammar, and shells leave the ``~``
of ``dataset.path=~/tunes`` as it is.
"""

import os
import re

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep
from hydra.errors import HydraException

from symbotunes.config.commands import is_plain, quoted

KEY = re.compile(r"\+{0,2}[A-Za-z_][\w.]*")
# Keys whose values name files or folders, by their last part.
PATHS = (
    "a", "b", "cache", "ckpt", "ckpts", "data", "dir", "init_from", "input", "out", "path",
    "prompt_file", "report", "resume", "root", "run_dir", "save_dir",
)  # fmt: skip
TEXTS = ("ckpt", "name")  # the keys without a dot whose values may be any text; others are groups
OF_ALL_JOBS = ("hydra.", "sweep.")  # keys that no job has a value of its own for
FUNCTIONS = re.compile(
    r"(choice|range|interval|glob|shuffle|sort|tag|extend_list|int|float|str|bool|json_str)\s*\("
)
_ENTRIES = re.compile(r"""(?:[^,"']|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')+""")


def readable(arguments: list[str]) -> list[str]:
    """The arguments in Hydra's grammar, with ``~`` for the home folder replaced.

    A value that this grammar rejects is taken as the text that it is, and so are names of files
    that exist. Lists, functions and quoted values stay as they are, since they are meant for it.
    """
    sweeps = bool({"--multirun", "-m"} & set(arguments))
    return [_readable(argument, sweeps=sweeps) for argument in arguments]


def _readable(argument: str, *, sweeps: bool) -> str:
    key, sign, value = argument.partition("=")
    name = key.lstrip("+")
    if not sign or not KEY.fullmatch(key) or "." not in name and name not in TEXTS:
        return argument
    whole = os.path.expanduser(value)  # noqa: PTH111  (which raises where there is no such user)
    if _is_path(name) and _exists(whole):
        return f"{key}={whole if is_plain(whole) else quoted(whole)}"
    if value.startswith("[") and value.endswith("]"):
        return f"{key}=[{_each(value[1:-1], name)}]"
    if value[:1] in ("'", '"', "[", "{") or FUNCTIONS.match(value):
        return argument
    if sweeps and "," in value and not name.startswith(OF_ALL_JOBS):
        return f"{key}={_each(value, name)}"
    return f"{key}={_text(whole, name)}"


def _each(values: str, name: str) -> str:
    """Entries of a list or of a sweep, each as a text of its own unless it is a list itself."""
    entries = [entry.strip() for entry in _ENTRIES.findall(values)]
    separators = _ENTRIES.sub("", values)
    if not all(entries) or separators != "," * (len(entries) - 1):  # an open quote, or ",,"
        return values
    if any(entry[0] in "[{" or FUNCTIONS.match(entry) for entry in entries):
        return values
    expanded = [os.path.expanduser(entry) for entry in entries]  # noqa: PTH111
    return ",".join(entry if entry[0] in "'\"" else _text(entry, name) for entry in expanded)


def _text(text: str, name: str) -> str:
    """A text in quotes if Hydra's grammar would read anything else."""
    if is_plain(text):
        return text
    if _is_path(name) and _exists(text):
        return quoted(text)
    try:
        value = OverridesParser.create().parse_override(f"key={text}").value()
    except HydraException:
        return quoted(text, interpolate=True)
    several = _is_path(name) and isinstance(value, ChoiceSweep)
    return quoted(text, interpolate=True) if several else text


def _is_path(name: str) -> bool:
    return name.rpartition(".")[2] in PATHS


def _exists(path: str) -> bool:
    try:
        return os.path.lexists(path)
    except ValueError:  # a zero byte
        return False
