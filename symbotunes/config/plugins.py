"""Packages of the user's own, whose models and configs join ours.

``SYMBOTUNES_PLUGINS=my_plugin,other`` names them; only the user does, never a checkpoint. Each is a
package that can be imported and has a folder ``conf/``, whose groups and options stand beside ours,
and checkpoints may name classes that are defined in it.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.plugins import Plugins
from hydra.plugins.search_path_plugin import SearchPathPlugin

from symbotunes.errors import UserError, first_line
from symbotunes.paths import CONF

VARIABLE = "SYMBOTUNES_PLUGINS"


@dataclass(frozen=True)
class Plugin:
    """A package that the user has named.

    Attributes:
        module: its name.
        conf: its folder of configs.
    """

    module: str
    conf: Path


def plugin_names() -> tuple[str, ...]:
    """The packages that ``SYMBOTUNES_PLUGINS`` names."""
    names = (name.strip() for name in os.environ.get(VARIABLE, "").split(","))
    return tuple(filter(None, names))


def plugins() -> list[Plugin]:
    """The packages that ``SYMBOTUNES_PLUGINS`` names; they are found, not imported.

    Raises:
        UserError: if one is not there, or has no folder ``conf/``.
    """
    return [_located(name) for name in plugin_names()]


def _located(name: str) -> Plugin:
    try:
        spec = find_spec(name)  # which imports what a dotted name lies in
    except Exception as error:  # whatever that raises
        raise _unimportable(name, error) from error
    if spec is None and (spec := _in_current_folder(name)) is None:
        raise UserError(
            f"{VARIABLE}={name}: there is no module {name}; install it, or add its folder to "
            "PYTHONPATH"
        )
    for folder in spec.submodule_search_locations or ():
        if (Path(folder) / "conf").is_dir():
            return Plugin(name, Path(folder).resolve() / "conf")
    raise UserError(f"{VARIABLE}={name}: it has no folder conf/, which a plug-in has")


def _in_current_folder(name: str) -> ModuleSpec | None:
    """Look for a plug-in in the current folder; after all others, so that it hides no module."""
    folder = str(Path.cwd())
    sys.path.append(folder)
    spec = None
    try:
        spec = find_spec(name)
    finally:
        if spec is None:
            sys.path.remove(folder)
    return spec


def import_plugins() -> None:
    """Import the packages, so that what they register is known.

    Raises:
        UserError: if one cannot be imported.
    """
    for plugin in plugins():
        try:
            import_module(plugin.module)
        except Exception as error:  # it is the user's code
            raise _unimportable(plugin.module, error) from error


def _unimportable(name: str, error: Exception) -> UserError:
    reason = first_line(error)
    return UserError(f"{VARIABLE}={name} cannot be imported: {type(error).__name__}: {reason}")


def conf_folders() -> list[Path]:
    """Our folder of configs, then those of the plug-ins."""
    return [CONF, *(plugin.conf for plugin in plugins())]


def option_files(group: str) -> Iterator[Path]:
    """The files of a group's options, ours first."""
    for folder in conf_folders():
        yield from sorted((folder / group).glob("*.yaml"))


def is_group(name: str) -> bool:
    """Whether there are options of this name, such as ``model`` or ``model/optimizer``."""
    return any((folder / name).is_dir() for folder in conf_folders())


class PluginConfigs(SearchPathPlugin):
    """Tells Hydra, wherever it composes, to look for options in the plug-ins, too."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        for plugin in plugins():
            search_path.append(f"plug-in {plugin.module}", f"file://{plugin.conf}")


def register_plugins() -> None:
    """Let Hydra find the plug-ins' configs.

    Raises:
        UserError: if one is not there, or has no folder ``conf/``.
    """
    if plugins():
        Plugins.instance().register(PluginConfigs)
