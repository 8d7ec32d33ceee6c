"""The options of the config groups, as ``--help`` lists them."""

import re
from itertools import takewhile
from pathlib import Path
from textwrap import shorten, wrap

from symbotunes.paths import CONF

WIDTH = 110  # characters of a line
EXPLAINED = (
    "model",
    "dataset",
    "transforms",
    "sample",
    "experiment",
)  # for other groups only the names are listed


def options(group: str) -> list[str]:
    """The options that a user can choose; files such as ``_base`` are parts of others."""
    return sorted(path.stem for path in (CONF / group).glob("*.yaml") if path.stem[0] != "_")


def groups() -> list[str]:
    """All groups, such as ``model`` and ``model/optimizer``, except Hydra's own."""
    folders = {path.parent.relative_to(CONF).as_posix() for path in CONF.rglob("*.yaml")}
    return sorted(name for name in folders if name != "." and name.split("/")[0] != "hydra")


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
        for name in options(group):
            about = describe(CONF / group / f"{name}.yaml")
            line = shorten(about, WIDTH - 25, placeholder=" …", break_on_hyphens=False)
            lines.append(f"  {name:22} {line}")
    for group in groups():
        if group not in EXPLAINED:
            text = f"{group}: {', '.join(options(group))}"
            lines.extend(wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False))
    return "\n".join(lines)
