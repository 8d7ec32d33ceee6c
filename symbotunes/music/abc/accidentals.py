"""How far accidentals reach, and notes written so that it does not matter."""

from collections.abc import Sequence

from symbotunes.music.abc.tokens import LINE_END, Bar, Item, Sound, make_pitch

REACHES = ("pitch", "octave", "not")  # values of %%propagate-accidentals (ABC 2.1, section 11.3)


def written_out(items: Sequence[Item], signature: Sequence[int], reach: str) -> list[Item]:
    """The items with the accidental of every note written, as notes are read that have none.

    Args:
        items: as written.
        signature: semitones that alter each letter, from C to B.
        reach: to which notes an accidental applies until the next bar sign: ``pitch``, its letter
            in all octaves; ``octave``, its letter in its octave; ``not``, none but its own. A tie
            carries it across the bar sign, but only to the tied note.
    """
    in_bar: dict[tuple[int, int], int] = {}  # letter and octave (0 for all) -> alteration
    held: dict[tuple[int, int], int] = {}  # of pitches tied from the last sound
    result: list[Item] = []
    for item in items:
        if isinstance(item, Bar) and item is not LINE_END:
            in_bar.clear()
        if not isinstance(item, Sound):
            result.append(item)
            continue
        pitches = []
        for pitch in item.pitches:
            here = (pitch.letter, 0 if reach == "pitch" else pitch.octave)
            alter = pitch.accidental
            if alter is None:
                alter = in_bar.get(here, signature[pitch.letter])
                alter = held.get((pitch.letter, pitch.octave), alter)
            elif reach != "not":
                in_bar[here] = alter
            pitches.append(make_pitch(pitch.letter, pitch.octave, alter, pitch.tied))
        held = {
            (pitch.letter, pitch.octave): pitch.accidental or 0 for pitch in pitches if pitch.tied
        }
        result.append(Sound(tuple(pitches), item.eighths, item.broken, item.scale))
    return result
