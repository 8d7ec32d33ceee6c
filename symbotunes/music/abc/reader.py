"""Reading ABC notation: from the text of one tune to its sounds and bar signs.

Follows the ABC standard 2.1 where published tunes do, and abc2midi's playback where they do not.
Only the first of several voices is read. Lyrics, ornaments, grace notes, chord names, slurs and
layout are ignored. `docs/datasets.md` has a table of what is read, passed over and dropped.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from symbotunes.music.abc.accidentals import written_out
from symbotunes.music.abc.elements import Elements
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.fields import Field, bracketed_field
from symbotunes.music.abc.keys import Key
from symbotunes.music.abc.lines import BLANK, logical_lines
from symbotunes.music.abc.order import close_first_endings, in_order, write_out_repeats
from symbotunes.music.abc.phrases import scaled, sounding_eighths
from symbotunes.music.abc.prose import reads_as_music, reads_as_words
from symbotunes.music.abc.tokens import LINE_END, Bar, Change, Item, Sound


@dataclass(frozen=True)
class ParsedTune:
    """A tune as it is notated.

    Attributes:
        meter: ``6/8`` and the like, or ``none``.
        key: the tonic and mode. If the accidentals of the tune reach farther or less far than those
            of its mode and bars do, every note has its accidental written out.
        items: sounds, bar signs, tuplet marks and changes in order, lengths in eighth notes. An
            order of parts and repeats of more than two times are written out.
    """

    meter: str
    key: Key
    items: tuple[Item, ...]


def parse(text: str, *, beginning: bool = False, changes: bool = False) -> ParsedTune:
    """Read one tune, headers and body.

    Args:
        text: its ABC.
        beginning: whether it may end before its first note, as a prompt may.
        changes: whether its meter and key may change.

    Raises:
        AbcError: with a reason, if it cannot be read, or changes meter or key and must not.
    """
    body = _Body(text, keeps_changes=changes)
    later: list[Field] = []  # the paragraph so far, if it follows a blank line after the music
    interrupted = False
    for number, field in (*logical_lines(text), (text.count("\n") + 1, BLANK)):
        try:
            if field == BLANK:
                body = body.after_blank_line(later)
                later = []
                interrupted = body.elements.started
            elif interrupted:
                later.append(field)
            else:
                body.read(field)
        except AbcError as error:
            error.line = number
            raise
    return body.tune(beginning=beginning)


class _Body:
    """The state of reading one tune."""

    def __init__(self, text: str, *, keeps_changes: bool) -> None:
        self.elements = Elements(text, keeps_changes=keeps_changes)
        self.order = ""  # of parts, as the head gives it
        self.in_words = False  # whether the line before was words

    def read(self, field: Field) -> None:
        """Read a field or a line of music."""
        name, value = field
        settings = self.elements.settings
        if name == "P" and settings.key is None:
            self.order = value
        elif name:
            self.elements.field(name, value)
        elif settings.key is None and (first := bracketed_field(value)):
            self.elements.field(*first[0])  # a head in brackets
            self.read(("", first[1]))
        elif settings.key is not None and not self.skip_words(value):
            self.elements.line(value)

    def skip_words(self, line: str) -> bool:
        """Whether a line is words, which are passed over if they have no bar sign.

        Raises:
            AbcError: if they have one, so that it is uncertain what is music.
        """
        settings = self.elements.settings
        self.in_words = reads_as_words(line, settings.defined) or (
            self.in_words and not reads_as_music(line)
        )
        if self.in_words and "|" in line and settings.listening:
            raise AbcError("words among the notes", line[:40])
        return self.in_words

    def after_blank_line(self, paragraph: Sequence[Field]) -> "_Body":
        """Read on after a blank line, which ends a tune, if what follows is surely its music.

        It is if all of it reads as music and most of its bars are full: chord charts and other
        text are not.

        Raises:
            AbcError: if it looks like music, but nothing says that it belongs to the tune.
        """
        music = [value for name, value in paragraph if not name]
        if not music or not all(map(reads_as_music, music)):
            return self
        trial = self.copy()
        for field in paragraph:
            trial.read(field)
        if len(trial.elements.items) == len(self.elements.items):  # another voice
            return trial
        meter = self.elements.settings.meter
        if meter in (None, "none"):
            raise AbcError("music after a blank line")
        assert meter is not None
        if not _fills_bars(trial.elements.items, len(self.elements.items), 8 * Fraction(meter)):
            return self
        if self.elements.closed:
            raise AbcError("music after the end of the tune")
        return trial

    def copy(self) -> "_Body":
        """A copy that can be read into without changing this one."""
        body = copy.copy(self)
        body.elements = self.elements.copy()
        return body

    def tune(self, *, beginning: bool) -> ParsedTune:
        """The tune that was read.

        Raises:
            AbcError: if it has no key, no notes and is not a beginning, or an order of parts that
                cannot be played.
        """
        settings = self.elements.settings
        if settings.key is None:
            raise AbcError("no key")
        self.elements.no_accidental()
        items: list[Item] = self.elements.items
        if not (beginning or any(isinstance(item, Sound) and item.pitches for item in items)):
            raise AbcError("no notes")
        if settings.signature != settings.key.signature or settings.reach != "pitch":
            items = written_out(settings.signature, items, settings.reach)
        if self.order and self.elements.parts:
            if any(isinstance(item, Change) for item in items):
                raise AbcError("changes meter or key, and plays its parts in an order")
            explicit = written_out(settings.signature, items, settings.reach)
            items = in_order(explicit, self.elements.parts, self.order) or items
        items = write_out_repeats(close_first_endings(items))
        return ParsedTune(settings.first_meter or "none", settings.key, tuple(items))


def _fills_bars(items: Sequence[Item], begin: int, full: Fraction) -> bool:
    """Whether most bars that end after an index are full; there must be one."""
    filled, right, wrong = Fraction(0), 0, 0
    for index, (item, length) in enumerate(
        zip(items, sounding_eighths(scaled(items)), strict=True)
    ):
        filled += length
        if isinstance(item, Bar) and item is not LINE_END:
            if index >= begin and filled:
                right += filled == full
                wrong += filled != full
            filled = Fraction(0)
    return right > wrong
