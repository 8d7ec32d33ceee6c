"""The ABC reader, one feature of the notation at a time (ABC standard 2.1)."""

import pytest

from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.keys import Key
from symbotunes.music.abc.reader import parse


def test_meter_and_key_come_from_the_head(tune):
    parsed = parse(tune("G2 A2|", meter="6/8", key="Edor"))
    assert parsed.meter == "6/8"
    assert parsed.key == Key(2, 0, "dor")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("C, C c c'", "C, C c c'"),
        ("C,, c''", "C,, c''"),
        ("c, C'", "C c"),  # octave marks that cancel
        ("^F _B =c ^^g __d", "^F _B =c ^^g __d"),
    ],
)
def test_pitches_have_octaves_and_accidentals(read, body, expected):
    assert read(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("A2 A3 A12", "A*2 A*3 A*12"),
        ("A/ A/2 A3/2 A/4 A//", "A*1/2 A*1/2 A*3/2 A*1/4 A*1/4"),
        ("A1 A4/2", "A A*2"),
    ],
)
def test_lengths_are_multiples_and_fractions(read, body, expected):
    assert read(body) == expected


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("1/8", "A*2"), ("1/4", "A*4"), ("1/16", "A"), ("1/2", "A*8"), ("1", "A*16")],
)
def test_lengths_are_converted_to_eighths(read, unit, expected):
    assert read("A2", unit=unit) == expected


@pytest.mark.parametrize(
    ("meter", "expected"),
    [("2/4", "A*1/2"), ("5/8", "A*1/2"), ("3/4", "A"), ("6/8", "A"), ("4/4", "A"), ("none", "A")],
)
def test_without_unit_it_is_a_sixteenth_below_three_quarters(read, meter, expected):
    assert read("A", meter=meter, unit=None) == expected


def test_the_unit_may_change_in_a_line_of_its_own_or_inline(read):
    assert read("A\nL:1/4\nA [L:1/16] A") == "A A*2 A*1/2"


@pytest.mark.parametrize(
    ("written", "meter"),
    [
        ("C", "4/4"),
        ("C|", "2/2"),
        ("c", "4/4"),
        ("c|", "2/2"),
        ("Cl", "4/4"),  # l and s of abc2mtex
        ("6/8l", "6/8"),
        ("4/4s", "4/4"),
        ("none", "none"),
        ("None", "none"),
        ("6/8", "6/8"),
        ("2/2/", "2/2"),
        ("2/4:", "2/4"),
        ("(2+3)/8", "5/8"),
        ("2.2.3/16", "7/16"),
        ("C4/4", "4/4"),
        ("6/8 3/4", "6/8"),  # as long as one another
    ],
)
def test_meters_by_name_and_by_number(tune, written, meter):
    assert parse(tune("A", meter=written)).meter == meter


def test_a_tune_without_meter_is_free():
    assert parse("X:1\nK:C\nCDE|").meter == "none"


def test_rests_are_read_invisible_ones_too(read):
    assert read("A z2 x z/") == "A z*2 z z*1/2"


def test_rests_of_whole_bars_become_bars(read):
    assert read("A6|Z2|Z|X", meter="3/4") == "A*6 | z*6 | z*6 | z*6 | z*6"


def test_spacers_take_no_time(read):
    assert read("A y B y3 c") == "A B c"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("A|B", "A | B"),
        ("A||B|]", "A || B ||"),
        ("A[|B", "A || B"),
        ("A.|B", "A | B"),
        ("|:A:|", "|: A :|"),
        ("A::B:|", "A :| |: B :|"),
        ("A:||:B:|", "A :| |: B :|"),
        ("A:|:B:|", "A :| |: B :|"),
        ("A|:|B:|", "A |: B :|"),
        ("|:A[|]:|B", "|: A :| B"),  # an invisible bar line before the sign, in Ryan's collection
        ("||:A:||", "|: A :|"),
        ("c A:]B", "c A :| B"),
    ],
)
def test_bar_signs_and_repeats(read, body, expected):
    assert read(body) == expected


@pytest.mark.parametrize("body", ["A|1 B:|2 c|", "A|[1 B:|[2 c|", "A| [1 B:| [2 c|"])
def test_variant_endings_in_all_spellings(read, body):
    assert read(body) == "A | |1 B :| |2 c |"


def test_an_ending_may_open_inside_a_bar(read):
    assert read("A [1 B:|[2 c|") == "A |1 B :| |2 c |"


def test_endings_may_serve_several_times(read):
    assert read("A|1,3 B:|2-4 c|") == "A | |1,3 B :| |2-4 c |"


def test_an_ending_with_a_name_is_a_bar_sign_alone(read):
    assert read('A||["Coda" B2|]') == "A || B*2 ||"


@pytest.mark.parametrize(
    ("body", "meter", "expected"),
    [
        ("(2AB", "6/8", "(2:3:2 A B"),
        ("(3ABc", "4/4", "(3:2:3 A B c"),
        ("(4ABcd", "6/8", "(4:3:4 A B c d"),
        ("(5ABcde", "4/4", "(5:2:5 A B c d e"),
        ("(5ABcde", "6/8", "(5:3:5 A B c d e"),
        ("(6ABcdef", "4/4", "(6:2:6 A B c d e f"),
        ("(3:2:4 ABcd", "4/4", "(3:2:4 A B c d"),
        ("(3::2 AB", "4/4", "(3:2:2 A B"),
        ("(3:4 ABc", "4/4", "(3:4:3 A B c"),
    ],
)
def test_tuplets(read, body, meter, expected):
    assert read(body, meter=meter) == expected


def test_slurs_are_not_tuplets(read):
    assert read("(AB) ((3ABc) (A(Bc))") == "A B (3:2:3 A B c A B c"


@pytest.mark.parametrize(
    ("body", "expected"),
    [("A>B", "A> B"), ("A < B", "A< B"), ("A>>>B", "A>>> B"), ("A2>B2", "A*2> B*2")],
)
def test_broken_rhythm(read, body, expected):
    assert read(body) == expected


def test_broken_rhythm_reaches_over_grace_notes_and_chord_names(read):
    assert read('A>{g}B A{g}>"Am"B') == "A> B A> B"


def test_ties_over_notes_chords_bar_signs_and_lines(read):
    assert read("A-A [CE]-[CE] [C-E] A-|A B-\nB") == "A- A C-+E- C+E C-+E A- | A B- B"


def test_chords_take_the_length_of_their_first_note_times_their_own(read):
    assert read("[CEG] [C2E2]2 [ce]/ [C2E4]") == "C+E+G C+E*4 c+e*1/2 C+E*2"


def test_what_carries_no_sound_is_passed_over(read):
    body = '"Am"A !trill!B ~c .d vA uB HTc +fermata+d {ag}A {/g}B $c `d \\ "^text"A'
    assert read(body) == "A B c d A B c d A B c d A"


def test_an_old_line_break_sign_does_not_swallow_music(read):
    assert read("AB|!cd|AB!cd|") == "A B | c d | A B c d |"


def test_comments_and_directives_are_passed_over(read):
    assert read("A B % c d\n%%MIDI program 1\n%e\nc") == "A B c"


def test_blocks_of_text_are_not_music(read):
    assert read("A\n%%begintext\nA fine reel | d\n%%endtext\nB") == "A B"


def test_a_backslash_continues_the_line(tune):
    broken = parse(tune("A B\\\nc d|"))
    assert broken.items == parse(tune("A B c d|")).items


def test_what_spans_a_continued_line_stays_together(read):
    assert read("A|\\\n1 B:|\\  % a comment\n2 c>\\\nd|") == "A | |1 B :| |2 c> d |"
    assert read("A|\\\n|B|") == "A | | B |"
    assert read("A\\\nw:la\nB|\\") == "A B |"


def test_fields_inside_the_body_are_no_notes(read):
    assert read("A\nw:a-ge d\n+:more\nP:B\nN:A note\nB [r:a remark][P:A] c") == "A B c"


def test_a_note_before_a_bar_sign_begins_no_field(read):
    assert read("A2\nA:|\nB||") == "A*2 A :| B ||"


def test_meter_and_key_may_be_repeated_unchanged(read):
    assert read("A|\nM:4/4\nK:C\nB [M:C][K:Cmaj][K:clef=bass] c|") == "A | B c |"


def test_the_first_key_and_meter_after_the_head_hold_for_the_tune(tune):
    parsed = parse(tune("K:G\nM:6/8\nG3 A3|"))
    assert (parsed.meter, parsed.key) == ("6/8", Key(4, 0, "maj"))


@pytest.mark.parametrize("change", ["\nK:Am\n", "[K:Ddor]", "\nK:none\n", "[K:C ^f =f]"])
def test_another_name_for_the_same_signature_is_no_change(read, change):
    assert read(f"C E|{change}A c|") == "C E | A c |"


def test_a_clef_alone_leaves_the_key_as_it_is(tune):
    assert parse(tune("K:clef=bass\nE,2|", key="E")).key == Key(2, 0, "maj")
    assert parse(tune("E,2|[K:bass]E,|", key="clef=bass")).key == Key(0, 0, "maj")


def test_accidentals_of_a_signature_are_written_out(read):
    # E flat, F sharp and B flat; F natural holds to the bar sign, in all octaves.
    assert read("D E F =F f|F-|F B", key="D Phr ^f") == "=D _E ^F =F =f | ^F- | ^F _B"


def test_of_several_voices_the_first_is_read(read):
    assert read("V:1\nA B|\nV:2\nC, D,|\nV:1\nc d|") == "A B | c d |"
    assert read("A B|\nV:2\nC, D,|\nV:1\nc d|") == "A B | c d |"
    assert read("[V:T]A B|[V:B]C, D,|[V:T]c|") == "A B | c |"
    assert read("A B|\nV:2\nC,|", more="V:1 clef=treble\nV:2 clef=bass\n") == "A B |"


def test_meter_changes_of_other_voices_do_not_matter(read):
    assert read("V:1\nA|\nV:2\nM:3/4\nC|\nV:1\nB|") == "A | B |"


def test_accidentals_stay_as_they_are_written(read):
    assert read("^F F|F =F", key="G") == "^F F | F =F"


@pytest.mark.parametrize(
    ("reach", "expected"),
    [("pitch", "^F ^f ^F | =f"), ("octave", "^F =f ^F | =f"), ("not", "^F =f =F | =f")],
)
@pytest.mark.parametrize("form", ["%%propagate-accidentals", "I:propagate-accidentals"])
def test_a_directive_says_how_far_accidentals_reach(read, form, reach, expected):
    written = read("^F f F|f", more=f"{form} {reach}\n")
    assert written == (expected if reach != "pitch" else "^F f F | f")


@pytest.mark.parametrize(
    "written",
    ["^!3!c", "^~c", "^.Tc", '^"G"c', "^{d}c", "^+trill+c", "^ c", "^(c", "^uc", "^\nc"],
)
def test_an_accidental_reaches_over_decorations_to_its_note(read, written):
    assert read(f"A {written} B|") == "A ^c B |"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("[K:C treble-8]", "C C"),
        ("[K:clef=bass-8]", "C C"),
        ("[K:C clef=treble+8]", "C c'"),
        ("[K:octave=-1]", "C C"),
        ("\nK:C clef=treble-8\n", "C C"),
        ("[K:C treble-8][K:C]", "C C"),
        ("[K:C treble-8][K:treble]", "C c"),
        ("[V:1 octave=1]", "C c'"),
        ("[K:C clef=treble_8]", "C c"),
    ],
)
def test_clefs_of_octaves_move_the_notes_after_them(read, change, expected):
    assert read(f"C{change}c", more="V:1\n") == expected


def test_a_clef_of_an_octave_in_the_head_moves_all_notes(read):
    assert read("C c|", key="C treble-8") == "C, C |"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("A|-A B", "A- | A B"),
        ("A:|-A", "A- :| A"),
        ("A||\n-A", "A- || A"),
        ("|:A|1B:|2B|-B", "|: A | |1 B :| |2 B- | B"),
        ("A|1-A:|2B", "A- | |1 A :| |2 B"),
        ("[CE]|-[CE]", "C-+E- | C+E"),
    ],
)
def test_a_tie_may_stand_behind_the_bar_sign(read, body, expected):
    assert read(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("(10:8:10CDEFGABcde", "(5:4:5 C D E F G (5:4:5 A B c d e"),
        ("(12:8:12CDEFGABCDEFG", "(3:2:3 C D E (3:2:3 F G A (3:2:3 B C D (3:2:3 E F G"),
        ("(3:2:10CDEFGABcde", "(3:2:3 C D E (3:2:3 F G A (3:2:3 B c d e*2/3"),
        ("(3:2:1C/2 D", "C*1/3 D"),
        ("(5:4:1[CE] D", "C+E*4/5 D"),
    ],
)
def test_long_tuplets_are_written_as_short_ones(read, body, expected):
    assert read(body) == expected


def test_an_error_says_what_and_where(tune):
    with pytest.raises(AbcError, match="^unreadable meter: FREI4/4$"):
        parse(tune("A", meter="FREI4/4"))
