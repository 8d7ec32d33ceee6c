"""Pieces in another key, in another tempo, on another instrument."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from symbotunes.errors import UserError, did_you_mean
from symbotunes.generation.output import Output, arranged_sample
from symbotunes.generation.sample import Sample

KEYS = ("transpose", "tempo", "instrument")


@dataclass(frozen=True, kw_only=True)
class Change(Output):
    """What is changed about a piece: `KEYS`, see `Output`.

    Raises:
        UserError: if a value is out of range.
    """

    GROUP: ClassVar[str] = "change"

    @classmethod
    def read(cls, request: Mapping[str, Any]) -> "Change":
        """The change that a request asks for.

        Raises:
            UserError: if it asks for anything else, or for nothing.
        """
        for key in request:
            if key not in KEYS:
                raise UserError(f"a piece has no {key!r} to change{did_you_mean(key, KEYS)}")
        if all(value is None for value in request.values()):
            raise UserError(f"nothing to change: give one of {', '.join(KEYS)}")
        return cls(**request)

    @property
    def settings(self) -> dict[str, Any]:
        """What is changed, by the names of settings of `Output`."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: given[name] for name in KEYS if given[name] is not None}


def changed(sample: Sample, change: Change) -> Sample:
    """A piece with a change; its notes stay the same but for their key.

    Raises:
        UserError: if it cannot be moved that far.
    """
    result = arranged_sample(sample, change.arrangement)
    # `arranged_sample` leaves a piece in its key and says why; here the user waits for an answer.
    if remarks := result.notes[len(sample.notes) :]:
        raise UserError(f"the piece {remarks[0]}")
    return result


def combined(settings: Mapping[str, Any], change: Change) -> dict[str, Any] | None:
    """Settings by which a piece is at once as it is with a change made to it afterwards.

    Args:
        settings: of `Output`, and others, by which the piece was written.
        change: made to it.

    Returns:
        The settings; ``None`` if there are none, since a piece cannot be moved to a key and by
        semitones.
    """
    result = {**settings, **change.settings}
    if change.transpose:
        if settings.get("key") is not None:
            return None
        result["transpose"] = (settings.get("transpose") or 0) + change.transpose
    return result
