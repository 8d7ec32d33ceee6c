import pytest

from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.keys import Key, leading_key, parse_key, parse_key_field

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
        ("none", Key(C, 0, "maj")),
        ("None clef=bass", Key(C, 0, "maj")),
        ("", Key(C, 0, "maj")),
        ("B_", Key(B, -1, "maj")),
        ("F^", Key(F, 1, "maj")),
        ("F^m", Key(F, 1, "min")),
        ("B _ Major", Key(B, -1, "maj")),
        ("E_dor", Key(E, -1, "dor")),
        ("B\u266d", Key(B, -1, "maj")),
        ("B flat", Key(B, -1, "maj")),
        ("F sharp minor", Key(F, 1, "min")),
        ("ddor", Key(D, 0, "dor")),
        ("emin", Key(E, 0, "min")),
        ("am", Key(A, 0, "min")),
        ("bbmaj", Key(B, -1, "maj")),
        ("G Maj.", Key(G, 0, "maj")),
        ("D\\", Key(D, 0, "maj")),
        ("D ^c", Key(D, 0, "maj")),  # which it has anyway
        ("A mix ^g", Key(A, 0, "maj")),
        ("A exp ^f ^c ^g", Key(A, 0, "maj")),
        ("D exp _b", Key(D, 0, "min")),
        ("Dmix=c", Key(D, 0, "mix")),
    ],
)
def test_keys_are_read_in_all_spellings(written, key):
    assert parse_key(written) == key


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("clef=bass", "no key"),
        ("g", "unreadable key"),  # minor for some, major for others
        ("bb", "unreadable key"),
        ("Dm 0&2", "unreadable key"),
        ("E phrygian dominant", "unreadable key"),
        ("H", "unreadable key"),
        ("Es", "unreadable key"),
        ("EM", "unreadable key"),  # major for some, minor for abc2midi
        ("C foo", "unreadable key"),
        ("D Phr ^f", "key with accidentals of its own"),
        ("C octave=high", "unreadable octave="),
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


@pytest.mark.parametrize(
    ("written", "signature"),
    [
        ("D Phr ^f", (0, 0, -1, 1, 0, 0, -1)),  # E flat, F sharp, B flat
        ("D _b _e", (1, 0, -1, 1, 0, 0, -1)),
        ("D ^f_b clef=bass", (1, 0, 0, 1, 0, 0, -1)),
        ("C exp ^g", (0, 0, 0, 0, 1, 0, 0)),
        ("G =f __b", (0, 0, 0, 0, 0, 0, -2)),
    ],
)
def test_a_signature_may_have_accidentals_of_its_own(written, signature):
    assert parse_key_field(written).signature == signature


@pytest.mark.parametrize(
    ("written", "octaves"),
    [
        ("C", None),
        ("C bass", 0),
        ("C treble-8", -1),
        ("clef=bass-8", -1),
        ("C clef=treble+8", 1),
        ("C clef=treble+15", 2),
        ("C clef=treble_8", 0),  # a figure that is drawn, not played
        ("C octave=-1", -1),
        ("treble-8 octave=2", 1),
    ],
)
def test_clefs_and_octaves_move_the_notes(written, octaves):
    assert parse_key_field(written).octaves == octaves


@pytest.mark.parametrize(
    ("written", "key", "rest"),
    [
        ("G G2A B2d", Key(G, 0, "maj"), "G2A B2d"),
        ("Edor|:EBBA", Key(E, 0, "dor"), "|:EBBA"),
        ("D ^cde", Key(D, 0, "maj"), "^cde"),
        ("Amix ^g A2", Key(A, 0, "maj"), "A2"),
        ("A minor clef=treble M:4/4", Key(A, 0, "min"), "M:4/4"),
    ],
)
def test_what_follows_a_key_is_not_part_of_it(written, key, rest):
    field, after = leading_key(written)
    assert (field.key, after) == (key, rest)
