"""ABC files: from bytes to the tunes they contain."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from symbotunes.music.abc.encoding import decode, without_markup
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.fields import field_of, split_fields
from symbotunes.music.abc.place import Place
from symbotunes.music.abc.tune import AbcTune

Line = tuple[int, str]  # of a file: its number, counted from 1, and its text

MAX_BYTES = 64 * 2**20  # the largest tune books have a hundredth of this
_INHERITED = ("M", "L", "R", "O", "U", "m")  # fields of a file's head that apply to its tunes
_DIRECTIVE = re.compile(r"(?:%%|I:)[ \t]*(propagate-accidentals)\b")  # that applies to them, too
_BRACKETED_KEY = re.compile(r"^\s*(?:\[[A-Z]:[^\]\n]*\]\s*)*\[K:", re.MULTILINE)
_COMMENT = re.compile(r"(?<!\\)%.*$")
_QUOTED_REPLY = re.compile(r"^(?:[ \t]*>)+(?=[ \t]*X:)", re.MULTILINE)  # of electronic mail


def read_abc(path: Path) -> str:
    r"""The text of an ABC file in any common encoding, without HTML, with line ends as ``\n``.

    Raises:
        AbcError: if the file is empty, too large, binary, a web page without music or a git-lfs
            pointer.
    """
    size = path.stat().st_size
    if size == 0:
        raise AbcError("empty file", path.name)
    if size > MAX_BYTES:
        raise AbcError("file larger than 64 MiB", path.name)
    try:
        text = decode(path.read_bytes())
    except AbcError as error:
        raise AbcError(error.reason, path.name) from error
    head = text[:200].lstrip().lower()
    text = without_markup(text)
    if head.startswith(("<!doctype", "<html", "<?xml")) and not _has_key(text):
        raise AbcError("a web page, not ABC", path.name)
    if head.startswith("version https://git-lfs"):
        raise AbcError("a git-lfs pointer, not the file", path.name)
    if _QUOTED_REPLY.search(text):
        text = re.sub(r"^(?:[ \t]*>)+ ?", "", text, flags=re.MULTILINE)
    return text


def split_tunes(text: str) -> list[str]:
    """The text of every tune of a file, see `tunes_by_line`."""
    return [_text_of(tune) for tune in tunes_by_line(text)]


def _text_of(lines: Sequence[Line]) -> str:
    return "\n".join(line for _, line in lines)


def tunes_by_line(text: str) -> list[list[Line]]:
    """The tunes of a file, each from its ``X:`` on; fields above the first apply to all.

    Without ``X:``, a tune begins with the fields of a head that names a key, if the tune before it
    has notes. After a blank line this holds in files with ``X:``, too, if the head has a title or a
    meter.

    Returns:
        The lines of every tune, each with its number in the file, counted from 1.
    """
    lines = text.split("\n")
    names = [_names(line) for line in lines]
    numbered = any("X" in found[:1] for found in names)
    blocks: list[list[Line]] = [[]]  # the first is the head of a file whose tunes are numbered
    key = music = blank = False  # whether the tune has them, and whether a blank line precedes
    for index, line in enumerate(lines):
        found = names[index]
        begins = "X" in found[:1]
        if music and found and not begins and (blank or not names[index - 1]):
            begins = _begins_tune(_names_of_head(lines, names, index), blank, numbered)
        if begins:
            unnumbered = numbered and "X" not in found
            blocks.append([(index + 1, _number_of(blocks[-1]))] if unnumbered else [])
            key = music = False
        blank = not line.strip()
        key = key or "K" in found
        music = music or "" in found or (key and not (found or blank or line.startswith("%")))
        blocks[-1].append((index + 1, line))
    shared = blocks.pop(0) if numbered else []
    tunes = [_with_shared(block, shared) for block in blocks]
    return [tune for tune in tunes if numbered or _has_key(_text_of(tune))]


def _has_key(text: str) -> bool:
    return bool(_BRACKETED_KEY.search(text)) or any(
        "K" in _names(line) for line in text.split("\n")
    )


def _names(line: str) -> list[str]:
    """The names of the fields in a line that begins with one; of music the name is empty."""
    return [name for name, _ in split_fields(line)] if ":" in line and field_of(line) else []


def _names_of_head(lines: Sequence[str], names: Sequence[list[str]], start: int) -> set[str]:
    """The names of the fields from a line to the next music."""
    result: set[str] = set()
    for line, found in zip(lines[start:], names[start:], strict=True):
        if "X" in found[:1] or not (found or not line.strip() or line.startswith("%")):
            break
        result.update(found)
        if "" in found:
            break
    return result


def _begins_tune(head: set[str], blank: bool, numbered: bool) -> bool:  # noqa: FBT001
    """Whether fields after music are the head of another tune."""
    if "K" not in head or "P" in head or (numbered and not blank):
        return False
    return bool({"T", "M"} & head) or (blank and not numbered)


def _number_of(block: Sequence[Line]) -> str:
    """The ``X:`` of a tune, for another that has none."""
    fields = [field for _, line in block[:1] for field in split_fields(line)]
    return next((f"X:{value}" for name, value in fields if name == "X"), "X:1")


def _with_shared(block: Sequence[Line], shared: Sequence[Line]) -> list[Line]:
    """The lines of a tune, with those fields of the file's head that its own head lacks."""
    lines = _stripped(block)
    own: set[str] = set()
    for _, line in lines:
        own.update(_names(line))
        if "K" in own:
            break
    inherited: dict[str, Line] = {}
    for number, line in shared:
        for name, value in split_fields(line):
            if name in _INHERITED and name not in own:
                inherited[name + (value if name in "Um" else "")] = (number, f"{name}:{value}")
        if directive := _DIRECTIVE.match(line):
            inherited[directive[1]] = (number, line)
    return [*lines[:1], *inherited.values(), *lines[1:]]


def _stripped(block: Sequence[Line]) -> list[Line]:
    """The lines of a tune without the space around it, or blank lines between all of them."""
    filled = [index for index, (_, line) in enumerate(block) if line.strip()]
    lines = list(block[filled[0] : filled[-1] + 1]) if filled else [(0, "")]
    lines[0] = (lines[0][0], lines[0][1].lstrip())
    lines[-1] = (lines[-1][0], lines[-1][1].rstrip())
    if _double_spaced([line for _, line in lines]):
        lines = [(number, line) for number, line in lines if line.strip()]
    return lines


def _double_spaced(lines: Sequence[str]) -> bool:
    """Whether every other line is blank, so that blank lines separate nothing."""
    return len(lines) > 6 and not any(lines[1::2]) and all(lines[::2])


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
    counts: dict[str, int] = {}  # of tunes with a number, so that a book of X:1 is read in one pass
    for order, lines in enumerate(tunes_by_line(read_abc(path)), 1):
        text = _text_of(lines)
        fields: dict[str, str] = {}
        for line in text.split("\n"):
            for name, value in split_fields(line) if field_of(line) else []:
                fields.setdefault(name, _COMMENT.sub("", value).strip())
        number = name = fields.get("X", "") or "1"
        while name in used:
            counts[number] = counts.get(number, 1) + 1
            name = f"{number}.{counts[number]}"
        used.add(name)
        yield AbcTune(
            id=f"{collection}/{path.name}#{name}",
            text=text,
            title=fields.get("T", ""),
            collection=collection,
            rhythm=fields.get("R", ""),
            origin=fields.get("O", ""),
            place=Place.of_lines(path.name, order, [line for line, _ in lines]),
        )
