"""From a config node to the object that it describes."""

from textwrap import shorten
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf

from symbotunes.errors import UserError, first_line


def build(node: Any, **late: Any) -> Any:
    """Instantiate a config node, with additional arguments that are not in the config.

    They are passed after Hydra is done, because Hydra turns dataclasses into a DictConfig.

    Raises:
        UserError: if a required value is missing, or a value does not fit.
    """
    for key in sorted(OmegaConf.missing_keys(node)):
        raise UserError(f"{key} is required: set {key}=VALUE")
    try:
        make = instantiate(node, _partial_=True, _convert_="all")
        return make(**late)
    except UserError:
        raise
    except InstantiationException as error:
        if (ours := _user_error(error)) is not None:
            raise ours from error
        raise UserError(_unbuildable(node, error)) from error
    except (TypeError, ValueError) as error:
        where = node._get_full_key(None) or "config"
        raise UserError(f"{where}: {first_line(error)} (SYMBOTUNES_DEBUG=1 shows more)") from error


def class_of(node: Any) -> Any:
    """What a config node names as its ``_target_``.

    Raises:
        UserError: if there is no such thing.
    """
    try:
        return get_object(str(node._target_))
    except Exception as error:  # whatever importing a made-up path raises
        where = node._get_full_key(None) or "config"
        raise UserError(
            f"{where}: {shorten(str(error), 200)} (SYMBOTUNES_DEBUG=1 shows more)"
        ) from error


def _user_error(error: BaseException | None) -> UserError | None:
    while error is not None and not isinstance(error, UserError):
        error = error.__cause__
    return error


def _unbuildable(node: Any, error: BaseException) -> str:
    """Hydra's message about a target that does not exist or does not accept its arguments."""
    where = node._get_full_key(None) or "config"
    reason = shorten(str(error).partition(", set env var")[0], 200)
    return f"{where}: {reason} (SYMBOTUNES_DEBUG=1 shows more)"


def build_many(node: DictConfig | None) -> list[Any]:
    """The objects of a group of named targets, such as callbacks; null entries are skipped."""
    return [build(entry) for entry in (node or {}).values() if entry is not None]
