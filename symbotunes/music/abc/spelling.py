"""Which accidentals must be written, in the key of a tune or moved to another."""

from collections.abc import Sequence

from symbotunes.music.abc.accidentals import alterations_in
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.keys import NATURAL, Key
from symbotunes.music.abc.tokens import OCTAVES, Bar, Change, Item, Pitch, Sound, make_pitch


class Speller:
    """Decides which accidentals must be written.

    One is written wherever a note could be misread, whether the reader applies accidentals to one
    octave or to all; so all programs read the same notes.
    """

    def __init__(self, key: Key) -> None:
        self.signature = key.signature
        self.everywhere: dict[int, int] = {}  # letter -> alteration, in all octaves
        self.here: dict[tuple[int, int], int] = {}  # letter and octave -> alteration, in one octave

    def bar(self) -> None:
        """Forget accidentals at a bar sign."""
        self.everywhere.clear()
        self.here.clear()

    def spell(self, pitch: Pitch, midi: int, steps: int) -> Pitch:
        """The pitch moved by letter steps, with the accidental that makes it sound as `midi`.

        Raises:
            AbcError: if it would need three sharps or flats, or be out of range.
        """
        octave, letter = divmod(pitch.octave * 7 + pitch.letter + steps, 7)
        alter = midi - 12 * (octave + 1) - NATURAL[letter]
        if abs(alter) > 2:
            raise AbcError("needs three sharps or flats when moved")
        if octave not in OCTAVES:
            raise AbcError("a pitch beyond hearing")
        default = self.signature[letter]
        everywhere = self.everywhere.get(letter, default)
        here = self.here.get((letter, octave), default)
        if everywhere == here == alter:
            return make_pitch(letter, octave, None, pitch.tied)
        self.everywhere[letter] = alter
        self.here[letter, octave] = alter
        return make_pitch(letter, octave, alter, pitch.tied)


def shorter_way(old: Key, new: Key) -> int:
    """Semitones from one tonic to the nearest position of another, at most six."""
    return (new.pitch_class - old.pitch_class + 6) % 12 - 6


def respell(items: Sequence[Item], old: Key, new: Key, semitones: int) -> list[Item]:
    """Items in the old key moved to the new one, spelled for it.

    Args:
        items: as written in the old key.
        old: their key.
        new: the key `semitones` away.
        semitones: upwards; negative downwards.

    Raises:
        AbcError: if a note would need three sharps or flats, or be out of range.
    """
    return _respelled(items, alterations_in(old.signature, items), (old, new), semitones)


def respell_explicit(items: Sequence[Item], old: Key, new: Key, semitones: int) -> list[Item]:
    """As `respell`, for items with every accidental written out, see `written_out`."""
    alters = [
        tuple(pitch.accidental or 0 for pitch in item.pitches) if isinstance(item, Sound) else ()
        for item in items
    ]
    return _respelled(items, alters, (old, new), semitones)


def _respelled(
    items: Sequence[Item], alters: Sequence[tuple[int, ...]], keys: tuple[Key, Key], semitones: int
) -> list[Item]:
    """The items in the second key; `alters` are the semitones that alter each item's pitches."""
    old, new = keys
    octaves = (semitones - new.pitch_class + old.pitch_class) // 12
    steps = new.letter - old.letter + 7 * octaves
    speller = Speller(new)
    result: list[Item] = []
    for item, own in zip(items, alters, strict=True):
        if isinstance(item, Sound):
            pitches = tuple(
                speller.spell(pitch, pitch.midi(alter) + semitones, steps)
                for pitch, alter in zip(item.pitches, own, strict=True)
            )
            item = Sound(pitches, item.eighths, item.broken, item.scale)
        elif isinstance(item, Bar):
            speller.bar()
        elif isinstance(item, Change) and item.key is not None:
            key = moved_by_steps(item.key, steps, semitones)
            item, speller = Change(key=key), Speller(key)
        result.append(item)
    return result


def moved_by_steps(key: Key, steps: int, semitones: int) -> Key:
    """A key moved as the notes are.

    Raises:
        AbcError: if it would have more than seven sharps or flats.
    """
    letter = (key.letter + steps) % 7
    alter = (key.pitch_class + semitones - NATURAL[letter] + 6) % 12 - 6
    moved = Key(letter, alter, key.mode)
    if abs(alter) > 1 or abs(moved.sharps) > 7:
        raise AbcError("changes to a key that cannot be written when moved")
    return moved
