"""Which files of a folder an earlier set of ours has written; only those are replaced."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from symbotunes.errors import UserError
from symbotunes.files import read_json


def refuse_foreign(
    folder: Path,
    written: Iterable[str],
    *,
    table: str,
    lists: Callable[[Mapping[str, Any]], Iterable[str] | None],
) -> None:
    """See that a set of files replaces none but those of an earlier set.

    Args:
        folder: of both sets.
        written: names of the files of the new set.
        table: name of the JSON file by which a set is known.
        lists: the names of a set's files by the content of its table; ``None`` if it is no table
            of ours.

    Raises:
        UserError: naming a file that is in the way.
    """
    own = set(lists(read_json(folder / table)) or ())
    for name in written:
        path = folder / name
        if name not in own and (path.exists() or path.is_symlink()):
            raise UserError(
                f"{path} is in the way, and no earlier set of these files has written it: choose "
                "another folder, or move it"
            )


def refuse_other_page(folder: Path, table: str) -> None:
    """See that a report or comparison replaces only an earlier one.

    Args:
        folder: for the page.
        table: the file of its figures, ``report.json`` or ``compare.json``.

    Raises:
        UserError: naming a file that is in the way.
    """
    names = (table, "index.html")
    refuse_foreign(
        folder, names, table=table, lists=lambda content: names if "facts" in content else None
    )
