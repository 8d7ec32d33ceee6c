"""How far accidentals reach: what alters each note, and notes written with all of them."""

from collections.abc import Sequence

from symbotunes.music.abc.tokens import LINE_END, Bar, Change, Item, Sound, make_pitch

REACHES = ("pitch", "octave", "not")  # values of %%propagate-accidentals (ABC 2.1, section 11.3)
_NO_ALTERATIONS: tuple[int, ...] = ()


def alterations_in(
    signature: Sequence[int], items: Sequence[Item], reach: str = "pitch"
) -> list[tuple[int, ...]]:
    """For every item, the semitones that alter its pitches: as written, from the bar, or the key.

    A tie carries an accidental across the bar sign, but only to the tied note.

    Args:
        signature: semitones that alter each letter, from C to B, until the key changes.
        items: as written.
        reach: to which notes an accidental applies until the next bar sign: ``pitch``, its letter
            in all octaves, as in abc2midi; ``octave``, its letter in its octave; ``not``, none.
    """
    in_bar: dict[int, int] = {}  # letter, or letter and octave as one number -> alteration
    octaves = 7 if reach == "octave" else 0
    held: dict[tuple[int, int], int] = {}  # letter and octave of pitches tied from the last sound
    result = []
    for item in items:
        if not isinstance(item, Sound):
            if isinstance(item, Bar) and item is not LINE_END:
                in_bar.clear()
            elif isinstance(item, Change) and item.key is not None:
                signature = item.key.signature
            result.append(_NO_ALTERATIONS)
            continue
        alters = []
        for pitch in item.pitches:
            place = pitch.letter + octaves * pitch.octave
            if pitch.accidental is not None and reach != "not":
                in_bar[place] = pitch.accidental
            alter = pitch.accidental
            if alter is None:
                alter = in_bar.get(place, signature[pitch.letter])
                alter = held.get((pitch.letter, pitch.octave), alter) if held else alter
            alters.append(alter)
        result.append(tuple(alters))
        held = {
            (pitch.letter, pitch.octave): alter
            for pitch, alter in zip(item.pitches, alters, strict=True)
            if pitch.tied
        }
    return result


def written_out(
    signature: Sequence[int], items: Sequence[Item], reach: str = "pitch"
) -> list[Item]:
    """The items with every accidental written out; arguments are those of `alterations_in`.

    Bar signs that are added later then do not change any note.
    """
    return [
        Sound(
            tuple(
                make_pitch(pitch.letter, pitch.octave, alter, pitch.tied)
                for pitch, alter in zip(item.pitches, alters, strict=True)
            ),
            item.eighths,
            item.broken,
            item.scale,
        )
        if isinstance(item, Sound)
        else item
        for item, alters in zip(items, alterations_in(signature, items, reach), strict=True)
    ]
