"""Keys: tonic, mode, and the accidentals of their signatures."""

import re
from dataclasses import dataclass

from symbotunes.music.abc.error import AbcError

LETTERS = "CDEFGAB"
NATURAL = (0, 2, 4, 5, 7, 9, 11)  # semitones of the letters above C
FIFTHS = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}  # sharps of the major key
MODES = {"maj": 0, "lyd": 1, "mix": -1, "dor": -2, "min": -3, "phr": -4, "loc": -5}  # sharps added
_WRITTEN = {"": "maj", "m": "min"}  # M could mean either, so it is rejected
_LONG = {**{name: name for name in MODES}, "ion": "maj", "aeo": "min"}
_SHARPS = "FCGDAEB"  # order in which a signature fills
_CLEF = re.compile(
    r"clef|treble|bass|alto|tenor|perc|none|octave|middle|transpose|stafflines", re.IGNORECASE
)
_KEY = re.compile(r"([A-G])([#b]?)\s*([A-Za-z]*)(.*)")
_OWN = re.compile(r"\s*(?:exp|[\^_=])")


@dataclass(frozen=True)
class Key:
    """A tonic and a mode.

    Attributes:
        letter: of the tonic, 0 for C to 6 for B.
        alter: of the tonic, in semitones.
        mode: one of `MODES`.
    """

    letter: int
    alter: int
    mode: str

    @property
    def sharps(self) -> int:
        """Number of sharps in the signature; flats count negative."""
        return FIFTHS[LETTERS[self.letter]] + 7 * self.alter + MODES[self.mode]

    @property
    def signature(self) -> tuple[int, ...]:
        """Semitones by which the signature alters each letter, from C to B."""
        alters = [0] * 7
        for step in range(abs(self.sharps)):
            order = _SHARPS if self.sharps > 0 else _SHARPS[::-1]
            alters[LETTERS.index(order[step % 7])] += 1 if self.sharps > 0 else -1
        return tuple(alters)

    @property
    def pitch_class(self) -> int:
        """Semitones of the tonic above C, not reduced."""
        return NATURAL[self.letter] + self.alter

    def __str__(self) -> str:
        sign = {-2: "bb", -1: "b", 0: "", 1: "#", 2: "##"}[self.alter]
        return f"{LETTERS[self.letter]}{sign}{self.mode}"


def parse_key(text: str) -> Key:
    """Read the value of a ``K:`` field; clefs after the key are ignored.

    Raises:
        AbcError: if there is no key, or one with accidentals of its own.
    """
    text = text.strip()
    if text[:2] in ("HP", "Hp"):
        return Key(5, 0, "mix")  # the bagpipe scale sounds as A mixolydian
    if text == "" or _CLEF.match(text):
        raise AbcError("no key", text)
    match = _KEY.match(text)
    if not match:
        raise AbcError("unreadable key", text)
    letter, sign, word, rest = match.groups()
    if word == "exp" or _CLEF.match(word):  # not a mode, but something that may follow one
        word, rest = "", f"{word}{rest}"
    mode = _WRITTEN.get(word) or _LONG.get(word[:3].lower())
    if mode is None:
        raise AbcError("unreadable key", text)
    if _OWN.match(rest):
        raise AbcError("key with accidentals of its own", text)
    return Key(LETTERS.index(letter), {"#": 1, "b": -1, "": 0}[sign], mode)
