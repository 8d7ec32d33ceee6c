"""ABC files: from bytes to the tunes they contain."""

import re
from collections.abc import Iterator
from pathlib import Path

from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.tune import AbcTune

MAX_BYTES = 64 * 2**20  # the largest tune books have a hundredth of this
_FIELD = re.compile(r"^([A-Za-z]):[ \t]*(.*?)[ \t]*(?:(?<!\\)%.*)?$", re.MULTILINE)
_REFERENCE = re.compile(r"^X:", re.MULTILINE)
_INHERITED = ("M", "L", "R", "O")  # fields of a file's head that apply to its tunes


def read_abc(path: Path) -> str:
    r"""The text of an ABC file, UTF-8 or else Latin-1, with line ends as ``\n``.

    Raises:
        AbcError: if the file is empty, too large, binary, a web page or a git-lfs pointer.
    """
    size = path.stat().st_size
    if size == 0:
        raise AbcError("empty file", path.name)
    if size > MAX_BYTES:
        raise AbcError("file larger than 64 MiB", path.name)
    data = path.read_bytes()
    if b"\0" in data[:65536]:
        raise AbcError("binary file", path.name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    head = text[:200].lstrip().lower()
    if head.startswith(("<!doctype", "<html", "<?xml")):
        raise AbcError("a web page, not ABC", path.name)
    if head.startswith("version https://git-lfs"):
        raise AbcError("a git-lfs pointer, not the file", path.name)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def split_tunes(text: str) -> list[str]:
    """The tunes of a file, each from its ``X:`` on; fields above the first apply to all.

    A text without ``X:`` that names a key is one tune.
    """
    starts = [match.start() for match in _REFERENCE.finditer(text)]
    if not starts:
        return [text.strip()] if re.search(r"^K:", text, re.MULTILINE) else []
    shared = {
        match[1]: match[0] for match in _FIELD.finditer(text[: starts[0]]) if match[1] in _INHERITED
    }
    tunes = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        first, _, rest = text[start:end].strip().partition("\n")
        own = {match[1] for match in _FIELD.finditer(rest)}
        above = [line for name, line in shared.items() if name not in own]
        tunes.append("\n".join([first, *above, rest]))
    return tunes


def read_tunes(path: Path, collection: str) -> list[AbcTune]:
    """All tunes of a file with their provenance; ids are unique within the file.

    Raises:
        AbcError: if the file contains no ABC tune.
    """
    tunes = list(_tunes(path, collection))
    if not tunes:
        raise AbcError("no tune in the file", path.name)
    return tunes


def _tunes(path: Path, collection: str) -> Iterator[AbcTune]:
    used: set[str] = set()
    for text in split_tunes(read_abc(path)):
        fields: dict[str, str] = {}
        for match in _FIELD.finditer(text):
            fields.setdefault(match[1], match[2])
        number = name = fields.get("X", "") or "1"
        count = 1
        while name in used:
            count += 1
            name = f"{number}.{count}"
        used.add(name)
        yield AbcTune(
            id=f"{collection}/{path.name}#{name}",
            text=text,
            title=fields.get("T", ""),
            collection=collection,
            rhythm=fields.get("R", ""),
            origin=fields.get("O", ""),
        )
