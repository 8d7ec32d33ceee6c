"""Lengths in whole numbers (cells), and the fewest tokens that fill a bar."""

from collections.abc import Mapping
from functools import cache

from symbotunes.music.abc.tokens import parse_duration

UNIT = 16  # cells per eighth note
LONGEST_BAR = 32 * UNIT
NEVER = 30_000  # stands for unreachable: more tokens than any tune needs; fits 16 bits


@cache
def cells_of(token: str) -> tuple[int, str]:
    """Cells and broken-rhythm signs of a duration; 0 cells if it is not a whole number of them."""
    eighths, broken = parse_duration(token)
    cells = eighths * UNIT
    return (int(cells) if cells.denominator == 1 else 0), broken


def shortest_fills(lengths: Mapping[int, int]) -> list[int]:
    """The fewest tokens that fill each number of cells with plain notes, up to the longest bar.

    This is the change-making problem: result[total] is the least, over all lengths, of the tokens
    of one note and of result[total - length].

    Args:
        lengths: cells that a note may have, and the tokens that must then follow it.
    """
    result = [0] + [NEVER] * LONGEST_BAR
    steps = sorted((cells, 1 + after) for cells, after in lengths.items())
    for total in range(1, LONGEST_BAR + 1):
        for cells, tokens in steps:
            if cells > total:
                break
            result[total] = min(result[total], result[total - cells] + tokens)
    return result
