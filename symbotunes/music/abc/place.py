"""Where in its file a tune stands, so that messages can name the line that a user must mend."""

from collections.abc import Sequence
from dataclasses import dataclass

from symbotunes.music.abc.error import AbcError


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tune stands in its file.

    Attributes:
        file: name of the file.
        number: of the tune in the file, counted from 1.
        runs: lines of the tune's text that follow each other in the file, too: the number of the
            first in the text and in the file, both counted from 1. A tune inherits lines of the
            file's head, so that it has more than one run.
    """

    file: str
    number: int
    runs: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of_lines(cls, file: str, number: int, lines: Sequence[int]) -> "Place":
        """The place of a tune, given the line of the file of every line of its text."""
        runs: list[tuple[int, int]] = []
        for line, in_file in enumerate(lines, 1):
            if not runs or in_file - line != runs[-1][1] - runs[-1][0]:
                runs.append((line, in_file))
        return cls(file, number, tuple(runs))

    def line_in_file(self, line: int) -> int:
        """The line of the file for a line of the tune's text, both counted from 1."""
        begins, in_file = max(run for run in self.runs if run[0] <= line)
        return in_file + line - begins

    def describe(self, error: AbcError) -> str:
        """``unreadable meter "4/4 L: 1/8" in tune 3, line 2 of book.abc``."""
        what = f'{error.reason} "{error.detail}"' if error.detail else error.reason
        line = f", line {self.line_in_file(error.line)}" if error.line and self.runs else ""
        return f"{what} in tune {self.number}{line} of {self.file}"
