"""Which accidentals are written, in the key of a tune and in others."""

import pytest

from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.keys import parse_key
from symbotunes.music.abc.normalize import normalize
from symbotunes.music.abc.phrases import parse_tokens
from symbotunes.music.abc.playback import notes
from symbotunes.music.abc.reader import parse
from symbotunes.music.abc.spelling import shorter_way
from symbotunes.music.abc.transposition import from_c, moved_key, on_c, to_c, transpose
from symbotunes.music.abc.writing import phrase_tokens


@pytest.mark.parametrize(
    ("key", "body", "expected"),
    [
        ("C", "CDEF", "C D E F |"),
        ("G", "GABc", "c d e f |"),  # up a fourth: down a fifth is longer
        ("D", "DEFG", "C D E F |"),  # down a tone
        ("A", "ABc^d", "c d e ^f |"),
        ("F", "FGAB", "C D E F |"),
        ("Gdor", "GABc", "c d e f |"),  # C dorian has Eb and Bb of its own
        ("F#m", "FGA^e", "C D E =B |"),
        ("Bb", "Bcd=e", "c d e ^f |"),
        ("Amix", "A=cGg", "c _e B b |"),
    ],
)
def test_a_tune_is_moved_to_c_and_keeps_its_mode(folk, key, body, expected):
    assert folk(body, key=key) == expected


def test_the_shorter_way_to_c_is_at_most_six_semitones(tune):
    for key in ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]:
        moved = notes(normalize(parse(tune("C", key=f"{key}"))))[0].pitch
        heard = 60 + parse_key(key).signature[0]
        assert abs(moved - heard) <= 6


def test_a_tune_may_keep_its_key(folk):
    assert folk("FG^AB", key="G", root="keep") == "F G ^A B |"


def test_an_accidental_holds_to_the_end_of_its_bar(folk):
    assert folk("^F F|F") == "^F F | F |"


def test_an_accidental_is_written_for_every_octave_that_a_reader_could_doubt(folk):
    assert folk("^F f f F") == "^F ^f f F |"
    assert folk("^F =f") == "^F =f |"


def test_what_the_key_or_the_bar_says_already_is_not_written(folk):
    assert folk("^F ^F =F", key="G", root="keep") == "F F =F |"
    assert folk("_B B _B") == "_B B B |"


def test_a_cancelled_accidental_is_written(folk):
    assert folk("^F =F F") == "^F =F F |"


def test_a_tie_carries_an_accidental_over_the_bar_sign_to_its_own_note_alone(folk):
    assert folk("^F8-|F4 F4|") == "^F 8 - | ^F 4 =F 4 |"


def test_double_accidentals_are_kept_and_three_are_refused(folk):
    assert folk("^^F __B") == "^^F __B |"
    with pytest.raises(AbcError, match="three sharps or flats"):
        folk("__C", key="C#")


def test_pitches_that_no_token_can_write_are_refused(folk):
    assert folk("b''' C,,,,") == "b''' C,,,, |"
    with pytest.raises(AbcError, match="beyond hearing"):
        folk("b'''", key="A")
    with pytest.raises(AbcError, match="beyond hearing"):
        folk("C,,,,,")


@pytest.mark.parametrize(
    ("before", "semitones", "after"),
    [
        ("M:4/4 K:Gmaj G B d F |", 2, "M:4/4 K:Amaj A c e G |"),
        ("M:4/4 K:Gmaj G =F F |", 2, "M:4/4 K:Amaj A =G G |"),
        ("M:4/4 K:Cmaj C ^F _B |", -1, "M:4/4 K:Bmaj B, ^E =A |"),
        ("M:4/4 K:Cmaj C ^F _B |", 1, "M:4/4 K:Dbmaj D =G _c |"),
        ("M:4/4 K:Amin A ^G ^F |", 1, "M:4/4 K:Bbmin B =A =G |"),
        ("M:4/4 K:Cdor [ C E ] 2> z 2 - |", 12, "M:4/4 K:Cdor [ c e ] 2> z 2 |"),
        ("M:6/8 K:Dmaj |: (3 D F A :|", -14, "M:6/8 K:Cmaj |: (3 C, E, G, :|"),
        ("M:4/4 K:Emin ^d 2 - | d c |", 5, "M:4/4 K:Amin ^g 2 - | ^g f |"),
    ],
)
def test_transposition_spells_for_the_new_key(before, semitones, after):
    assert " ".join(transpose(before.split(), semitones)) == after


@pytest.mark.parametrize(
    ("key", "semitones", "expected"),
    [
        ("C", 1, "Dbmaj"), ("C", 2, "Dmaj"), ("C", 6, "F#maj"), ("F", 1, "Gbmaj"),
        ("C", 11, "Bmaj"), ("A", -1, "Abmaj"), ("Am", 1, "Bbmin"), ("Em", 2, "F#min"),
        ("Ddor", 1, "Ebdor"), ("Gmix", -1, "F#mix"), ("C", 24, "Cmaj"),
    ],
)  # fmt: skip
def test_the_new_key_is_the_one_with_fewest_accidentals(key, semitones, expected):
    assert str(moved_key(parse_key(key), semitones)) == expected


def test_moving_by_nothing_changes_nothing():
    assert transpose(["odd", "tokens"], 0) == ["odd", "tokens"]


def test_without_a_key_nothing_can_be_moved():
    with pytest.raises(AbcError, match="^no key$"):
        transpose(["M:4/4", "C", "|"], 2)


def test_what_would_leave_the_range_of_pitches_is_refused():
    with pytest.raises(AbcError, match="beyond hearing"):
        transpose(["M:4/4", "K:Cmaj", "b'''", "|"], 1)


@pytest.mark.parametrize("semitones", [-7, -3, 1, 4, 6])
def test_every_note_of_real_tunes_moves_alike_and_back(corpus_tunes, semitones):
    for piece in corpus_tunes[5::650]:
        tokens = normalize(parse(piece.text), "keep")
        try:
            moved = transpose(tokens, semitones)
        except AbcError as error:
            assert error.reason == "needs three sharps or flats when moved"  # noqa: PT017
            continue
        heard = [(note.onset, note.duration, note.pitch + semitones) for note in notes(tokens)]
        assert [(note.onset, note.duration, note.pitch) for note in notes(moved)] == heard
        assert notes(transpose(moved, -semitones)) == notes(tokens)


def test_every_beginning_of_real_tunes_moves_to_c_token_for_token(corpus_tunes):
    for piece in corpus_tunes[3::650]:
        tokens = normalize(parse(piece.text), "keep")
        key = parse_key(tokens[1][2:])
        up = shorter_way(key, on_c(key))
        for end in range(2, len(tokens), 7):
            moved = to_c(tokens[:end])
            assert len(moved) == end
            assert moved[1].startswith("K:C")
            heard = [(note.onset, note.duration, note.pitch + up) for note in notes(tokens[:end])]
            assert [(note.onset, note.duration, note.pitch) for note in notes(moved)] == heard
        home = from_c(parse_tokens(to_c(tokens)), key)
        assert phrase_tokens(home.meter, home.key, home.items) == tokens
