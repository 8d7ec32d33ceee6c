"""Bundled folders, in a checkout and in an installed package."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
# In a wheel, conf/ is inside the package; in a checkout it is next to it.
CONF = PACKAGE / "conf" if (PACKAGE / "conf").is_dir() else PACKAGE.parent / "conf"
PRETRAINED = PACKAGE / "pretrained"
