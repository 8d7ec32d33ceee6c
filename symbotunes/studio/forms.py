"""Files of a piece to take away, and what is kept of them in memory."""

import re
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from symbotunes.errors import UserError, did_you_mean, first_line
from symbotunes.generation.sample import Sample
from symbotunes.render.forms import FORMS, write_as
from symbotunes.render.notation.pdf import png_bytes
from symbotunes.render.notation.warm import WarmEngraver
from symbotunes.studio.notation import notation_of
from symbotunes.studio.piece import StudioPiece

PNG, ROLL = "png", "roll"  # the notation as a picture, and the piano roll
# Suffixes of files, but for the piano roll, which is a PNG as well.
TO_TAKE = ("abc", "mid", "wav", "mp3", "svg", PNG, "pdf", "musicxml", ROLL)
LONGEST_NAME = 60  # characters
# Names that Windows gives to devices, whatever their suffix.
DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)
KEPT = 8  # files and notations in memory: sound has one or two MB and is made in 30 ms


@dataclass(frozen=True)
class File:
    """A file of a piece.

    Attributes:
        name: safe on every system.
        media_type: of its content.
        content: of the file.
    """

    name: str
    media_type: str
    content: bytes


def file_of(sample: Sample, form: str) -> File:
    """A piece in one form.

    Args:
        sample: the piece.
        form: one of `TO_TAKE`.

    Raises:
        UserError: if there is no such form, or the piece cannot be written in it.
    """
    if form not in TO_TAKE:
        raise UserError(f"there is no form {form[:20]!r}{did_you_mean(form[:20], TO_TAKE)}")
    wanted = FORMS[{PNG: "svg", ROLL: "png"}.get(form, form)]
    try:
        written = write_as(wanted, sample)
        content = None if written is None else written.content
        if content is not None and form == PNG:
            content = png_bytes(content)
    except Exception as error:  # whatever a renderer raises, the studio goes on
        raise UserError(f"{sample.title} has no {wanted.noun}: {first_line(error)}") from error
    if content is None:
        raise UserError(f"{sample.title} has no {wanted.noun}: its model does not write it")
    picture = form in (PNG, ROLL)
    name = f"{safe_name(sample.title)}{'_roll' if form == ROLL else ''}"
    suffix = "png" if picture else wanted.suffix
    return File(f"{name}.{suffix}", "image/png" if picture else wanted.media_type, content)


def safe_name(title: str) -> str:
    """A title as the stem of a file's name: letters of ASCII, digits, ``_``, ``-`` and ``.``."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    stem = re.sub(r"[^\w.-]+", "_", plain)[:LONGEST_NAME].strip("._-") or "piece"
    return f"piece_{stem}" if DEVICES.fullmatch(stem.partition(".")[0]) else stem


class Renderings:
    """Files and notations of pieces, the latest of them kept in memory; threads may share it.

    Each is made once, even if several threads ask for it at once.

    Args:
        kept: how many.

    Attributes:
        kept: the same.
        engraver: of tunes.
        score_engraver: of scores, which take longer; tunes do not wait for them.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self.kept = kept
        self.engraver = WarmEngraver()
        self.score_engraver = WarmEngraver()
        self._made: OrderedDict[tuple[str, str], Any] = OrderedDict()
        self._making: dict[tuple[str, str], threading.Lock] = {}
        self._lock = threading.Lock()

    def file(self, piece: StudioPiece, form: str) -> File:
        """See `file_of`."""
        made: File = self._get((piece.id, form), lambda: file_of(piece.sample, form))
        return made

    def notation(self, piece: StudioPiece) -> dict[str, Any]:
        """See `notation_of`."""
        run = (self.score_engraver if piece.sample.abc is None else self.engraver).run
        made: dict[str, Any] = self._get(
            (piece.id, "notation"), lambda: notation_of(piece.sample, run)
        )
        return made

    def close(self) -> None:
        """End the processes of the engravers."""
        self.engraver.close()
        self.score_engraver.close()

    def _get(self, key: tuple[str, str], make: Callable[[], Any]) -> Any:
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        try:
            with making:
                with self._lock:
                    if key in self._made:
                        self._made.move_to_end(key)
                        return self._made[key]
                made = make()
                with self._lock:
                    self._made[key] = made
                    while len(self._made) > self.kept:
                        self._made.popitem(last=False)
                return made
        finally:
            with self._lock:
                self._making.pop(key, None)
