"""Folders that come along: in a checkout, and in an installed package."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
# A wheel carries conf/ inside the package; in a checkout it lies beside it.
CONF = PACKAGE / "conf" if (PACKAGE / "conf").is_dir() else PACKAGE.parent / "conf"
PRETRAINED = PACKAGE / "pretrained"
# What starts the program here, for the commands that it shows.
PROGRAM = "python main.py" if (PACKAGE.parent / "main.py").is_file() else "symbotunes"
