"""The options of the config groups, as ``--help`` lists them."""

import re
from itertools import takewhile
from pathlib import Path
from textwrap import shorten, wrap

from symbotunes.config.plugins import conf_folders, option_files

WIDTH = 110  # characters of a line
EXPLAINED = (
    "model",
    "dataset",
    "transforms",
    "sample",
    "experiment",
)  # for other groups only the names are listed


def options(group: str) -> list[str]:
    """The options that a user can choose; ``_base`` and its like are parts of others."""
    return sorted(option_paths(group))


def option_paths(group: str) -> dict[str, Path]:
    """The file of every option that a user can choose; ours before those of plug-ins."""
    files = [path for path in option_files(group) if path.stem[0] != "_"]
    return {path.stem: path for path in reversed(files)}


def groups() -> list[str]:
    """All groups, such as ``model`` and ``model/optimizer``; not Hydra's own."""
    found = {
        path.parent.relative_to(folder).as_posix()
        for folder in conf_folders()
        for path in folder.rglob("*.yaml")
    }
    return sorted(group for group in found if group != "." and group.split("/")[0] != "hydra")


def describe(file: Path) -> str:
    """The first sentence of the comment at the top of a config file."""
    lines = file.read_text(encoding="utf-8").splitlines()
    head = takewhile(lambda line: line.startswith("#"), lines)
    comment = [line[2:] for line in head if "@package" not in line]
    text = " ".join(line for line in comment if not line.startswith("python main.py"))
    return re.split(r"(?<!al)\. ", text, maxsplit=1)[0].rstrip(".")


def listing() -> str:
    """One line per option of the main groups, one paragraph per other group."""
    lines: list[str] = []
    for group in EXPLAINED:
        lines.append(group)
        for name, file in sorted(option_paths(group).items()):
            about = describe(file)
            line = shorten(about, WIDTH - 25, placeholder=" …", break_on_hyphens=False)
            lines.append(f"  {name:22} {line}")
    for group in groups():
        if group not in EXPLAINED:
            text = f"{group}: {', '.join(options(group))}"
            lines.extend(wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False))
    return "\n".join(lines)
