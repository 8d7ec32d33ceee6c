"""How pieces came to be, as the session remembers it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from symbotunes.studio.changes import Change


@dataclass(frozen=True)
class Written:
    """By a model.

    Attributes:
        ckpt: what ``ckpt=`` names.
        model: its name, shown to people.
        plan: name of the plan in ``conf/sample/``.
        seed: of the command.
        settings: of the plan, but for files and seeds, where they are not the usual ones.
        number: of the piece among the samples that the plan writes, from 0.
        inputs: settings of the plan that name files, and the ids of the pieces in these files.
    """

    KIND: ClassVar[str] = "written"

    ckpt: str
    model: str
    plan: str
    seed: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    number: int = 0
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Typed:
    """As ABC, by the user."""

    KIND: ClassVar[str] = "typed"


@dataclass(frozen=True)
class Opened:
    """From a file of the user.

    Attributes:
        file: its name.
    """

    KIND: ClassVar[str] = "opened"

    file: str


@dataclass(frozen=True)
class Changed:
    """From another piece, see `symbotunes.studio.changes`.

    Attributes:
        change: what is different.
    """

    KIND: ClassVar[str] = "changed"

    change: Change


Origin = Written | Typed | Opened | Changed


def as_json(origin: Origin) -> dict[str, Any]:
    """An origin as a JSON object."""
    if isinstance(origin, Changed):
        return {"kind": origin.KIND, "change": origin.change.settings}
    return {"kind": origin.KIND, **asdict(origin)}


def from_json(content: Mapping[str, Any]) -> Origin:
    """The origin that `as_json` wrote.

    Raises:
        ValueError: if it is not one.
    """
    values = {name: value for name, value in content.items() if name != "kind"}
    kinds = {kind.KIND: kind for kind in (Written, Typed, Opened)}
    try:
        if content["kind"] == Changed.KIND:
            return Changed(Change.read(values["change"]))
        return kinds[content["kind"]](**values)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not the origin of a piece: {error}") from error
