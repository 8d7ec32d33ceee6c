import pytest

from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.keys import Key, parse_key

C, D, E, F, G, A, B = range(7)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("C", Key(C, 0, "maj")),
        ("G major", Key(G, 0, "maj")),
        ("Bb", Key(B, -1, "maj")),
        ("F#m", Key(F, 1, "min")),
        ("A minor", Key(A, 0, "min")),
        ("Amin", Key(A, 0, "min")),
        ("C Aeolian", Key(C, 0, "min")),
        ("F ionian", Key(F, 0, "maj")),
        ("D Dor", Key(D, 0, "dor")),
        ("AMIX", Key(A, 0, "mix")),
        ("G Mixolydian", Key(G, 0, "mix")),
        ("E phrygian", Key(E, 0, "phr")),
        ("F lyd", Key(F, 0, "lyd")),
        ("B Locrian", Key(B, 0, "loc")),
        ("Gm clef=bass", Key(G, 0, "min")),
        ("D bass", Key(D, 0, "maj")),
        ("G treble-8", Key(G, 0, "maj")),
        ("HP", Key(A, 0, "mix")),
        ("Hp", Key(A, 0, "mix")),
    ],
)
def test_keys_are_read_in_all_spellings(written, key):
    assert parse_key(written) == key


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "no key"),
        ("none", "no key"),
        ("clef=bass", "no key"),
        ("H", "unreadable key"),
        ("Es", "unreadable key"),
        ("EM", "unreadable key"),  # major for some, minor for abc2midi
        ("C foo", "unreadable key"),
        ("D ^c", "key with accidentals of its own"),
        ("Dmix=c", "key with accidentals of its own"),
        ("D exp _b", "key with accidentals of its own"),
    ],
)
def test_what_is_no_key_is_refused_with_its_reason(written, reason):
    with pytest.raises(AbcError) as caught:
        parse_key(written)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("key", "sharps"),
    [
        ("C", 0), ("G", 1), ("D", 2), ("C#", 7), ("F", -1), ("Bb", -2), ("Cb", -7),
        ("Am", 0), ("Em", 1), ("F#m", 3), ("Cm", -3),
        ("Ddor", 0), ("Gmix", 0), ("Ephr", 0), ("Flyd", 0), ("Bloc", 0), ("Cdor", -2), ("Cmix", -1),
    ],
)  # fmt: skip
def test_signatures_have_as_many_accidentals_as_the_circle_of_fifths_says(key, sharps):
    assert parse_key(key).sharps == sharps


def test_a_signature_alters_the_letters_in_order():
    assert parse_key("D").signature == (1, 0, 0, 1, 0, 0, 0)  # C# and F#
    assert parse_key("Cmin").signature == (0, 0, -1, 0, 0, -1, -1)  # Eb, Ab and Bb


@pytest.mark.parametrize("name", ["Cmaj", "F#min", "Bbdor", "Ephr"])
def test_a_key_is_written_as_the_token_has_it(name):
    assert str(parse_key(name)) == name
