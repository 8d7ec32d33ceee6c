"""The first difference between two configs, in words."""

from typing import Any


def difference(before: Any, now: Any, key: str = "") -> str | None:
    """The first value that is not the same in two plain configs, in words."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name in [*before, *(name for name in now if name not in before)]:
            found = difference(before.get(name), now.get(name), f"{key}.{name}".lstrip("."))
            if found is not None:
                return found
        return None
    if isinstance(before, list) and isinstance(now, list):
        gone = [entry for entry in before if entry not in now]
        new = [entry for entry in now if entry not in before]
        if gone or new:
            before, now = gone, new
    return None if before == now else f"{key} was {before}, now it is {now}"
