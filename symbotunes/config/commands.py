"""Commands and settings that are printed for users to paste.

What a user pastes is read twice, by the shell and by Hydra's grammar of ``key=value``, and both
give a meaning to characters that names of folders may hold. Every printed command is made here.
"""

import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from hydra.core.override_parser.types import Quote, QuotedString
from omegaconf import OmegaConf

from symbotunes.paths import PACKAGE

# Text that Hydra's grammar reads as itself. Others are quoted, if in doubt: 1e3 is a number there.
PLAIN = re.compile(
    r"(?!(?:true|false|null|nan|inf)$)(?:\.{0,2}/)*[a-z_][\w.-]*(?:/[\w.-]+)*/?", re.IGNORECASE
)
_INTERPOLATION = re.compile(r"(\\*)\$\{")


def is_plain(text: str) -> bool:
    """Whether Hydra's grammar reads a text as the text itself without quotes."""
    return text.isascii() and PLAIN.fullmatch(text) is not None


def quoted(text: str, *, interpolate: bool = False) -> str:
    """A text in quotes of Hydra's grammar; double ones where possible, for the shell's are single.

    Args:
        text: what Hydra is to read.
        interpolate: whether ``${...}`` in it stands for another value.
    """
    if not interpolate:
        text = _INTERPOLATION.sub(r"\1\1\\${", text)
    quote = Quote.single if '"' in text and "'" not in text else Quote.double
    return QuotedString(text, quote).with_quotes()


def value_of(value: object) -> str:
    """A value in Hydra's grammar.

    Args:
        value: a path or other text, which is quoted where it has to be; a number; or a list.
    """
    if isinstance(value, list | tuple):
        return f"[{','.join(value_of(entry) for entry in value)}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return str(value)
    return str(value) if is_plain(str(value)) else quoted(str(value))


def setting(key: str, value: object) -> str:
    """``key=value`` as it is typed in a shell."""
    return shlex.quote(f"{key}={value_of(value)}")


def command(settings: Mapping[str, object], words: Sequence[str] = ()) -> str:
    """The command that runs this program with these settings, as it is typed in a shell.

    Args:
        settings: values by key.
        words: arguments before them, in Hydra's grammar.
    """
    typed = [*map(shlex.quote, words), *(setting(key, value) for key, value in settings.items())]
    return " ".join([program(), *typed])


def resume_settings(folder: Path) -> dict[str, object]:
    """The settings that resume the run of a folder.

    A run outside of ``paths.root`` does not decide which files are read, so the user names them.
    """
    settings: dict[str, object] = {"ckpt": folder / "checkpoints" / "last.ckpt"}
    try:
        cfg = OmegaConf.load(folder / "config.yaml")
    except OSError:
        return settings
    root, path = OmegaConf.select(cfg, "paths.root"), OmegaConf.select(cfg, "dataset.path")
    if root and path and not folder.resolve().is_relative_to(Path(root).resolve()):
        settings["dataset.path"] = path
    return settings


def program() -> str:
    """What starts this program here: ``python main.py`` in a checkout, else ``symbotunes``."""
    started, checkout = Path(sys.argv[0]), PACKAGE.parent
    if started.name == "main.py" and started.is_file():
        return f"python {shlex.quote(str(started))}"
    here = (checkout / "main.py").is_file() and Path.cwd() == checkout
    return "python main.py" if here and started.stem != "symbotunes" else "symbotunes"
