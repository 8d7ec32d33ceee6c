"""Keys that the configs of earlier versions lack, and what ran without them."""

from collections.abc import Collection, Mapping
from functools import reduce
from operator import getitem
from typing import Any

SPAN = {"beginnings": 0.0, "endings": 0.0}
EARLIER: Mapping[str, Any] = {
    "loader.split.by": "content",
    "loader.even_batches": False,
    **{f"transforms.sample_subsequence.{name}": value for name, value in SPAN.items()},
    **{f"transforms.sample_bars.{name}": value for name, value in SPAN.items()},
}


def earlier_values(recorded: Mapping[str, Any], named: Collection[str]) -> dict[str, Any]:
    """What a run or sweep did where its recorded config lacks a key of today.

    Args:
        recorded: its config.
        named: keys that the command line sets, which are not the recorded config's to decide.
    """
    return {
        key: value
        for key, value in EARLIER.items()
        if key not in named and _lacks(recorded, key.split("."))
    }


def with_earlier(recorded: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Write such values into a recorded config."""
    for key, value in values.items():
        *groups, name = key.split(".")
        reduce(getitem, groups, recorded)[name] = value


def as_overrides(values: Mapping[str, Any]) -> list[str]:
    """The same on a command line."""
    return [f"{key}={value}".lower() for key, value in values.items()]


def _lacks(node: Any, path: list[str]) -> bool:
    """Whether a config has the group of a key, but not the key."""
    for name in path[:-1]:
        node = node.get(name) if isinstance(node, Mapping) else None
    return isinstance(node, Mapping) and path[-1] not in node
