"""Keys: tonic, mode, and the accidentals of their signatures."""

import re
from dataclasses import dataclass, replace

from symbotunes.music.abc.error import AbcError

LETTERS = "CDEFGAB"
NATURAL = (0, 2, 4, 5, 7, 9, 11)  # semitones of the letters above C
FIFTHS = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}  # sharps of the major key
MODES = {"maj": 0, "lyd": 1, "mix": -1, "dor": -2, "min": -3, "phr": -4, "loc": -5}  # sharps added
_LONG = {**{name: name for name in MODES}, "ion": "maj", "aeo": "min"}
_SHARPS = "FCGDAEB"  # order in which a signature fills
_ALTERS = {
    **dict.fromkeys(("#", "\u266f", "^", "sharp"), 1),
    **dict.fromkeys(("b", "\u266d", "_", "flat"), -1),
    "": 0,
}
_CLEF_OCTAVES = {"": 0, "+8": 1, "-8": -1, "+15": 2, "-15": -2}
_OWN_ALTERS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
# B_ is B flat in old files, but the _b of "D_b" and "D _b" is an accidental of the signature.
_TONIC = re.compile(
    r"([A-Ga-g])(b|\s*(?:#|\u266f|\u266d|flat|sharp)|\s+[_^](?=\s|$)|[_^](?![A-Ga-g](?![a-z]))|)",
    re.IGNORECASE,
)
_MODE = re.compile(r"(\s*)([A-Za-z]+)\.?")
_OWN = re.compile(r"\s*(\^\^|__|[\^_=])([A-Ga-g])(?=[\s^_=|:]|$)")
_STAFF = re.compile(
    r"\s*(?:clef\s*=\s*)?\"?(?P<clef>(?:treble|bass|alto|tenor|soprano|mezzo\w*|baritone|perc\w*"
    r"|none|(?<==)[GCFP])[1-5]?)(?P<shift>[+-](?:8|15))?(?:[\^_](?:8|15))?\"?(?=[\s|]|$)"
    r"|\s*(?P<name>octave|transpose|middle|staff\w+|shift|score|sound|instrument|style|cue|stem|name"
    r"|nm|subname|snm|gchord|m|t)\s*=\s*(?P<value>\"[^\"]*\"|[^\s|]+)",
    re.IGNORECASE,
)


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


@dataclass(frozen=True)
class KeyField:
    """What a ``K:`` field says.

    Attributes:
        key: the tonic and mode; ``None`` if the field names only a clef or the like.
        signature: semitones that alter each letter, from C to B; not that of the key if the field
            has accidentals of its own.
        octaves: by which its clef and ``octave=`` move the notes; ``None`` if it has neither.
        transpose: semitones by which ``transpose=`` moves them; ``None`` if it is not there.
    """

    key: Key | None
    signature: tuple[int, ...] = (0,) * 7
    octaves: int | None = None
    transpose: int | None = None


def parse_key(text: str) -> Key:
    """Read the value of a ``K:`` field that is a tonic and a mode; clefs after them are ignored.

    Raises:
        AbcError: if there is no key, or one with accidentals of its own that no mode has.
    """
    field = parse_key_field(text)
    if field.key is None:
        raise AbcError("no key", text)
    if field.signature != field.key.signature:
        raise AbcError("key with accidentals of its own", text)
    return field.key


def parse_key_field(text: str) -> KeyField:
    """Read the whole value of a ``K:`` field.

    Raises:
        AbcError: if it is not a key or a clef.
    """
    field, rest = leading_key(text)
    if re.search(r"\w", rest, re.ASCII):
        raise AbcError("unreadable key", text.strip()[:40])
    return field


def leading_key(text: str) -> tuple[KeyField, str]:
    """The key with which a text begins, and what follows it, such as the first notes of a tune.

    ``K:none`` and an empty field stand for no accidentals, and are read as C major. Accidentals
    stand alone, as in ``D Phr ^f``; those of ``D ^fga`` belong to the notes that follow. If the
    tonic has a mode with the same signature, that is the key: ``A mix ^g`` is A major.

    Raises:
        AbcError: if it does not begin with a key or a clef.
    """
    text = text.strip()
    staff, after = leading_staff(text)
    bare = re.match(r"none\b|$", text, re.IGNORECASE)
    if bare:
        return replace(staff, key=Key(0, 0, "maj")), after
    if re.match(r"H[Pp](?![A-Za-z])", text):
        key = Key(5, 0, "mix")  # the bagpipe scale sounds as A mixolydian
        staff, rest = leading_staff(text[2:])
        return replace(staff, key=key, signature=key.signature), rest
    if after != text:  # a clef alone
        return staff, after
    key, at = _tonic_and_mode(text)
    signature, at = _own_accidentals(key, text, at)
    staff, rest = leading_staff(text[at:])
    modes = [Key(key.letter, key.alter, mode) for mode in (key.mode, *MODES)]
    key = next((other for other in modes if other.signature == signature), key)
    return replace(staff, key=key, signature=signature), rest


def _tonic_and_mode(text: str) -> tuple[Key, int]:
    """The key, and where it ends in the text."""
    tonic = _TONIC.match(text)
    word = _MODE.match(text, tonic.end()) if tonic else None
    # M could mean either mode, so it is not read; a small letter is a tonic only with a mode.
    mode = None if word is None else "min" if word[2] == "m" else _LONG.get(word[2][:3].lower())
    attached = word is not None and not word[1] and word[2] != "exp"
    if tonic is None or (mode is None and (attached or tonic[1].islower())):
        raise AbcError("unreadable key", text[:40])
    alter = _ALTERS[tonic[2].strip().lower()]
    end = word.end() if word is not None and mode is not None else tonic.end()
    return Key(LETTERS.index(tonic[1].upper()), alter, mode or "maj"), end


def _own_accidentals(key: Key, text: str, at: int) -> tuple[tuple[int, ...], int]:
    """The signature with the accidentals that follow a key, and where they end."""
    signature = list(key.signature)
    if explicit := re.compile(r"\s*exp\b").match(text, at):
        signature, at = [0] * 7, explicit.end()
    while own := _OWN.match(text, at):
        signature[LETTERS.index(own[2].upper())] = _OWN_ALTERS[own[1]]
        at = own.end()
    return tuple(signature), at


def leading_staff(text: str) -> tuple[KeyField, str]:
    """What clefs and the like at the beginning of a text say, and what follows them.

    Raises:
        AbcError: if ``octave=`` or ``transpose=`` has no number.
    """
    octaves: int | None = None
    transpose: int | None = None
    at = 0
    while match := _STAFF.match(text, at):
        at = match.end()
        if match["clef"]:
            octaves = (octaves or 0) + _CLEF_OCTAVES[match["shift"] or ""]
        name, value = (match["name"] or "").lower(), match["value"] or ""
        if name in ("octave", "transpose"):
            if not re.fullmatch(r"[+-]?[0-9]{1,2}", value):
                raise AbcError(f"unreadable {name}=", value[:20])
            octaves = (octaves or 0) + int(value) if name == "octave" else octaves
            transpose = int(value) if name == "transpose" else transpose
    return KeyField(None, octaves=octaves, transpose=transpose), text[at:].strip()
