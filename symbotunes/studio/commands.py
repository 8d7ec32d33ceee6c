"""The command that repeats a piece of a session."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from symbotunes.config.commands import command
from symbotunes.studio.changes import Change, combined
from symbotunes.studio.origins import Changed, Written
from symbotunes.studio.piece import StudioPiece

WHOLE = ("interpolate", "attribute", "reconstruct")  # plans whose samples belong together
Locate = Callable[[str], Path]  # where a file of the session is, by its name


def repeat_command(
    piece: StudioPiece, pieces: Mapping[str, StudioPiece], locate: Locate
) -> str | None:
    """The command that writes a piece again, as it is typed in a shell.

    What a user typed or opened is a file; a change of it is repeated by ``mode=render`` of this
    file. What a model wrote is repeated by ``mode=sample``, with all changes since.

    Args:
        piece: the piece.
        pieces: of the session, by id.
        locate: where files of the session are.

    Returns:
        The command; ``None`` for a piece that is a file of the user.
    """
    changes: list[Change] = []
    root = piece
    while isinstance(root.origin, Changed):
        changes.insert(0, root.origin.change)
        root = pieces[str(root.parent)]
    if isinstance(root.origin, Written):
        settings = _together(root.origin.settings, changes)
        if settings is not None:
            return _sampled(root.origin, settings, root.sample.seed, locate)
    if not changes:
        return None
    settings = {f"render.{key}": value for key, value in (_together({}, changes) or {}).items()}
    file = locate(f"{root.id}.{root.suffix}")
    return command({"mode": "render", "render.input": file, **settings})


def _together(settings: Mapping[str, Any], changes: list[Change]) -> dict[str, Any] | None:
    result: dict[str, Any] | None = dict(settings)
    for change in changes:
        if result is not None:
            result = combined(result, change)
    return result


def _sampled(origin: Written, settings: Mapping[str, Any], seed: int, locate: Locate) -> str:
    typed: dict[str, object] = {"mode": "sample", "ckpt": origin.ckpt, "seed": origin.seed}
    if origin.plan != "default":
        typed["sample"] = origin.plan
    typed |= {f"sample.{key}": locate(name) for key, name in origin.inputs.items()}
    typed |= {f"sample.{key}": value for key, value in settings.items()}
    if origin.plan in WHOLE:
        return f"{command(typed)}  # number {origin.number + 1} of what it writes"
    return command({**typed, "sample.seeds": [seed]})


def comment(text: str) -> str:
    """A text as a comment of a shell; titles may have line ends, after which commands would run."""
    return "# " + re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029]+", " ", text).strip()
