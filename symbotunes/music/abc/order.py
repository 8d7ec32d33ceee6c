"""The order in which a tune is played, where it is not the order in which it is written."""

import re
from collections.abc import Sequence

from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.repeats import is_ending
from symbotunes.music.abc.tokens import LINE_END, Bar, Item

MAX_TIMES = 8  # colons of a repeat sign; more are a typing error
MAX_PARTS = 64  # in an order, such as ((AB)4C)2 with its nine
_MANY = re.compile(r"::+\||\|::+")
_LABEL = re.compile(r"(?:part\s+)?([A-Z])(?:[\s,:;(]|\.?$)", re.IGNORECASE)  # not D.S. or Fine


def repeat_signs(sign: str) -> list[Bar]:
    """The repeats of a bar sign: ``:|`` before ``|:``, with a colon for each time but the first.

    Raises:
        AbcError: if its colons cannot be divided between an end and a beginning.
    """
    if sign == ":]":
        ends, begins = 1, 0
    elif "|" not in sign:
        if len(sign) % 2:
            raise AbcError("an unreadable repeat sign", sign)
        ends = begins = len(sign) // 2
    else:
        ends = len(sign) - len(sign.lstrip(":")) or int("]:" in sign)
        begins = len(sign) - len(sign.rstrip(":")) or int("|:" in sign)
    return [Bar(":" * ends + "|")] * bool(ends) + [Bar("|" + ":" * begins)] * bool(begins)


def close_first_endings(items: Sequence[Item]) -> list[Item]:
    """Put the ``:|`` that is missing between two endings of a section, as in ``|1 A |2 B |``."""
    result: list[Item] = []
    in_ending = False
    for item in items:
        if isinstance(item, Bar) and item is not LINE_END:
            if item.sign[1:2].isdigit():
                if in_ending and "1" not in item.sign:
                    result.append(Bar(":|"))
                in_ending = True
            elif ":" in item.sign:
                in_ending = False
        result.append(item)
    return result


def write_out_repeats(items: Sequence[Item]) -> list[Item]:
    """Write out sections that are played more than twice: ``|::A::|`` becomes ``A | A | A``.

    Only where both signs have the same number of colons; others are plain repeats, for abc2midi
    too. Endings say for themselves how often a section is played.

    Raises:
        AbcError: if a sign has too many colons, or endings disagree with it.
    """
    if not any(isinstance(item, Bar) and _MANY.fullmatch(item.sign) for item in items):
        return list(items)
    result: list[Item] = []
    start, times = 0, 0  # of the section: where it begins, and the colons of its sign
    for item in items:
        colons = item.sign.count(":") if isinstance(item, Bar) else 0
        if colons > MAX_TIMES:
            raise AbcError("an unreadable repeat sign")
        if isinstance(item, Bar) and item.sign.startswith("|:"):
            start, times = len(result), colons
            result.append(Bar("|:"))
        elif not (isinstance(item, Bar) and colons):
            result.append(item)
        elif colons == 1 or colons != times:
            times = 0
            result.append(Bar(":|"))
        else:
            section = result[start + 1 :]
            if any(is_ending(section, index) for index in range(len(section))):
                raise AbcError("a repeat of several times with endings")
            result[start:] = [Bar("|"), *([*section, Bar("|")] * (colons + 1))]
            times = 0
    return result


def parse_order(text: str) -> str | None:
    """The parts of an order one by one: ``A2(BC)2`` is ``AABCBC``; ``None`` if it is no order.

    Dots, commas, dashes and spaces separate parts, and ``A x 2`` is ``A2``.

    Raises:
        AbcError: if it has more than `MAX_PARTS`.
    """
    signs = re.sub(r"[xX*](?=[0-9])", "", re.sub(r"[\s.,;-]", "", text)).upper()
    if not re.fullmatch(r"[A-Z0-9()]+", signs):
        return None
    open_groups = [""]
    last = ""  # what a number repeats
    for sign in re.findall(r"[0-9]+|.", signs):
        if sign == "(":
            open_groups.append("")
            last = ""
            continue
        if sign == ")":
            if len(open_groups) == 1:
                return None
            last = open_groups.pop()
            open_groups[-1] += last
        elif sign.isdigit():
            if not last or int(sign[:3]) < 1:
                return None
            open_groups[-1] += last * min(int(sign[:3]) - 1, MAX_PARTS)
            last = ""
        else:
            last = sign
            open_groups[-1] += sign
        if len(open_groups[-1]) > MAX_PARTS:
            raise AbcError("an order of too many parts", text[:20])
    return open_groups[0] if len(open_groups) == 1 else None


def in_order(
    items: Sequence[Item], marks: Sequence[tuple[int, str]], order: str
) -> list[Item] | None:
    """The items with the parts of a tune in the order that its head gives, each written out.

    What precedes the first part is played first. A tune that marks none of the parts, or has them
    in this order already, is played as it is written; so is one whose "order" is the name of its
    first part.

    Args:
        items: with every accidental written out.
        marks: where parts begin, and the values of their ``P:``.
        order: the value of the head's ``P:``.

    Returns:
        The items, or ``None`` if they are in order.

    Raises:
        AbcError: if the order cannot be read, or names a part that is missing or marked twice.
    """
    labels = [(at, name[1].upper()) for at, value in marks if (name := _LABEL.match(value))]
    marked = "".join(label for _, label in labels)
    if not order or not marked:
        return None
    sequence = parse_order(order)
    if sequence is None:
        raise AbcError("an unreadable order of parts", order[:20])
    if sequence == marked or not set(sequence) & set(marked):
        return None
    if set(sequence) - set(marked):
        raise AbcError("an order of parts that are not there", order[:20])
    if len(set(marked)) < len(marked):
        raise AbcError("a part that is marked twice", marked[:20])
    ends = [at for at, _ in labels[1:]] + [len(items)]
    parts = {
        label: _from_its_beginning(items[at:end])
        for (at, label), end in zip(labels, ends, strict=True)
    }
    result = list(items[: labels[0][0]])
    for label in sequence:
        result += parts[label]
    return result


def _from_its_beginning(part: Sequence[Item]) -> list[Item]:
    """A part whose first ``:|`` goes back to its beginning, not to a part before it."""
    repeats = [item.sign for item in part if isinstance(item, Bar) and ":" in item.sign]
    return [Bar("|:"), *part] if repeats[:1] == [":|"] else list(part)
