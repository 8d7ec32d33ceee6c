"""The first difference between two configs, in words."""

from typing import Any


def difference(before: Any, now: Any, key: str = "") -> str | None:
    """Describe the first value that differs between two plain configs, or return ``None``."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name in [*before, *(name for name in now if name not in before)]:
            change = difference(before.get(name), now.get(name), f"{key}.{name}".lstrip("."))
            if change is not None:
                return change
        return None
    if isinstance(before, list) and isinstance(now, list):
        removed = [entry for entry in before if entry not in now]
        added = [entry for entry in now if entry not in before]
        if removed or added:
            before, now = removed, added
    return None if before == now else f"{key} was {before} and is now {now}"
