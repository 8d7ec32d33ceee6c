"""Limits of W&B: lengths of tags and names, and the size of a config."""

import json
from collections.abc import Sequence
from typing import Any

TAG_LENGTH = 64  # characters; W&B rejects a run with a longer tag
NAME_LENGTH = 128  # characters of a run's name, a group or a project
TEXT_LENGTH = 10_000  # characters of one value; longer text only slows pages down
LIST_LENGTH = 1_000  # entries of one value
CONFIG_BYTES = 10_000_000  # bytes of a whole config


def tags_within(tags: Sequence[object]) -> list[str]:
    """Tags that W&B accepts: not empty, without duplicates, at most 64 characters."""
    truncated = (str(tag).strip()[:TAG_LENGTH].strip() for tag in tags)
    return list(dict.fromkeys(tag for tag in truncated if tag))


def name_within(name: str | None) -> str | None:
    """A name of at most 128 characters, shortened in the middle, since numbers are at the end."""
    if name is None or len(name) <= NAME_LENGTH:
        return name
    half = (NAME_LENGTH - 1) // 2
    return f"{name[:half]}…{name[-half:]}"


def config_within(config: dict[str, Any]) -> dict[str, Any]:
    """A config with long texts and lists truncated, and a note where this was done.

    Raises:
        ValueError: if it is still larger than 10 MB.
    """
    shortened: dict[str, Any] = _shortened(config)
    size = len(json.dumps(shortened, default=str))
    if size > CONFIG_BYTES:
        raise ValueError(f"a config of {size / 1e6:.1f} MB exceeds the limit of W&B")
    return shortened


def _shortened(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _shortened(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        more = len(node) - LIST_LENGTH
        kept = [_shortened(value) for value in node[:LIST_LENGTH]]
        return [*kept, f"... {more:,} more"] if more > 0 else kept
    if isinstance(node, str) and len(node) > TEXT_LENGTH:
        return f"{node[:TEXT_LENGTH]}... {len(node) - TEXT_LENGTH:,} more"
    return node
