"""Moving tunes to other keys, spelled as the new key asks."""

from collections.abc import Sequence

from symbotunes.scores.abc.keys import LETTERS, Key, parse_key
from symbotunes.scores.abc.spelling import Speller
from symbotunes.scores.abc.tokens import kind, parse_pitch
from symbotunes.scores.abc.tune import AbcError


def transpose(tokens: Sequence[str], semitones: int) -> list[str]:
    """The tune moved up (negative: down); ``K:Gmaj`` moved by 2 becomes ``K:Amaj``.

    Only pitches and the key change. The way back restores every note, and the tokens too if the key
    has no enharmonic twin.

    Args:
        tokens: with a key before the first note.
        semitones: any number; 0 returns the tokens as they are.

    Raises:
        AbcError: if there is no key, or a note would need three sharps or flats.
    """
    if not semitones:
        return list(tokens)
    result: list[str] = []
    moved: _Moved | None = None
    for token in tokens:
        name = kind(token)
        if name == "key" and moved is None:
            moved = _Moved(parse_key(token[2:]), semitones)
            token = f"K:{moved.key}"
        elif name == "pitch":
            if moved is None:
                raise AbcError("no key")
            token = moved.pitch(token)
        elif name == "bar" and moved is not None:
            moved.bar()
        result.append(token)
    if moved is None:
        raise AbcError("no key")
    return result


def moved_key(key: Key, semitones: int) -> Key:
    """The key that many semitones away, of those that sound alike the one with fewest accidentals.

    Between six sharps and six flats the signs of the old key decide.
    """
    target = (key.pitch_class + semitones) % 12
    alike = [
        candidate
        for letter in range(len(LETTERS))
        for alter in (0, 1, -1)
        if (candidate := Key(letter, alter, key.mode)).pitch_class % 12 == target
    ]
    sign = -1 if key.sharps < 0 else 1
    return min(alike, key=lambda candidate: (abs(candidate.sharps), -sign * candidate.sharps))


class _Moved:
    """What accidentals hold on either side of the move, from bar to bar."""

    def __init__(self, key: Key, semitones: int) -> None:
        self.key = moved_key(key, semitones)
        self.semitones = semitones
        octaves = (semitones - self.key.pitch_class + key.pitch_class) // 12
        self.steps = self.key.letter - key.letter + 7 * octaves
        self.signature = key.signature
        self.heard: dict[int, int] = {}  # letter -> alteration, as the old bar has it so far
        self.speller = Speller(self.key)

    def bar(self) -> None:
        self.heard.clear()
        self.speller.bar()

    def pitch(self, token: str) -> str:
        pitch = parse_pitch(token)
        if pitch.accidental is not None:
            self.heard[pitch.letter] = pitch.accidental
        alter = self.heard.get(pitch.letter, self.signature[pitch.letter])
        return str(self.speller.spell(pitch, pitch.midi(alter) + self.semitones, self.steps))
