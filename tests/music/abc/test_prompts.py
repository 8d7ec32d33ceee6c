"""Typed prompts: read as files are, and nothing of them lost without a word."""

from pathlib import Path

import pytest

from symbotunes.generation.sequences.prompts import read_prompt
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.prompt.beginning import read_typed
from symbotunes.tokenizers.abc import AbcTokens

FILES = Path(__file__).parents[2] / "files" / "prompts"


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("bracket-endings", "M:4/4 K:Gmaj |: G 2 B 2 d 2 B 2 |1 G 8 :| |2 G 4 d 4 |"),
        ("second-ending", "M:4/4 K:Gmaj |: G 2 B 2 d 2 B 2 |1 G 8 :| |2 G 4 d 4 |"),
        ("one-line-head", "M:6/8 K:Gmaj G 2 A B 2 d"),
        ("key-accidentals", "M:4/4 K:Amaj A 2 B 2 c 2 d 2"),
    ],
)
def test_a_prompt_of_a_public_report_gives_its_tokens(name, tokens):
    assert " ".join(read_typed((FILES / f"{name}.abc").read_text()).tokens) == tokens


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("key-change", "changes key inside"),
        ("tuplet-12", "a tuplet must have two to nine notes: (6:4:12"),
    ],
)
def test_a_prompt_of_a_public_report_is_refused_with_the_reason(name, message):
    with pytest.raises(AbcError) as caught:
        read_typed((FILES / f"{name}.abc").read_text())
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("X:1 T:The Banshee R:reel M:4/4 L:1/8 K:Edor EBBA", "M:4/4 K:Edor E B B A"),
        ("X:1 T:A jig M:6/8 K:G\nG2A", "M:6/8 K:Gmaj G 2 A"),
        ("X:1 T:A jig\nM:6/8\nK:G\nG2A", "M:6/8 K:Gmaj G 2 A"),
        ("T:One | two\nM:4/4\nK:G\nG2A", "M:4/4 K:Gmaj G 2 A"),
        ("M:4/4 K:G T:Banshee |:G2", "M:4/4 K:Gmaj |: G 2"),
        ("m:6/8 k:D A", "M:6/8 K:Dmaj A"),
        ("K:D M:6/8 A", "M:6/8 K:Dmaj A"),
        ("M: 4/4 L: 1/8 K: G major G2", "M:4/4 K:Gmaj G 2"),
        ("Q:1/4=120 M:6/8 K:D A2d", "M:6/8 K:Dmaj A 2 d"),
        ('M:6/8 Q:"Lively" 3/8=110 K:D A2d', "M:6/8 K:Dmaj A 2 d"),
        ("M:6/8 Q:120 K:D A2d", "M:6/8 K:Dmaj A 2 d"),
        ('V:1 clef=treble name="Fiddle" M:6/8 K:D V:1 A2d', "M:6/8 K:Dmaj A 2 d"),
        ("[M:6/8][K:D]ABc", "M:6/8 K:Dmaj A B c"),
        ("X:1 % first\n%Q:80\n%%scale 0.7\nM:6/8\nK:D\nA2d", "M:6/8 K:Dmaj A 2 d"),
        ("M:C|K:G", "M:2/2 K:Gmaj"),
        ("M:C| K:Gm |:G2", "M:2/2 K:Gmin |: G 2"),
        ("M:C|:G2", "M:4/4 |: G 2"),
        ("M:4/4 K:Edor|:EBBA B2 EB|", "M:4/4 K:Edor |: E B B A B 2 E B |"),
        ("M:4/4 K:E dorian EB", "M:4/4 K:Edor E B"),
        ("M:4/4 K:D clef=bass D,2", "M:4/4 K:Dmaj D, 2"),
        ("M:4/4 K:edor EBBA", "M:4/4 K:Edor E B B A"),
        ("M:4/4 K:B_ B2", "M:4/4 K:Bbmaj B 2"),
        ("M:4/4 K:D Phr ^f F2 f2 =f2", "M:4/4 K:Dphr ^F 2 ^f 2 =f 2"),
        ("M:4/4 K:C ^f1 A2", "M:4/4 K:Cmaj ^f A 2"),
        ("M:4/4 K:C ^fA2", "M:4/4 K:Cmaj ^f A 2"),
        ("M:4/4 K:C |^f A2|", "M:4/4 K:Cmaj ^f A 2 |"),
        ("M:6/8l K:D A", "M:6/8 K:Dmaj A"),
        ("L:1/4 M:4/4 K:C AB/", "M:4/4 K:Cmaj A 2 B"),
        ("M:6/8 K:D A2B [L:1/16] A4B2", "M:6/8 K:Dmaj A 2 B A 2 B"),
    ],
)
def test_fields_are_found_anywhere_on_the_line(text, tokens):
    assert " ".join(read_typed(text).tokens) == tokens


@pytest.mark.parametrize(
    ("music", "tokens", "left_out"),
    [
        ('"Em"EBBA', "E B B A", '"Em"'),
        ("“Em”EBBA", "E B B A", "“Em”"),
        ("{f}E {/ga}B", "E B", "{f}, {/ga}"),
        ("~E3 .A Td", "E 3 A d", "~, ., T"),
        ("!trill!E +fermata+B", "E B", "!trill!, +fermata+"),
        ("(B2 A)", "B 2 A", "(, )"),
        ("E2 H| S|A", "E 2 | A", "H, S"),
        ("E2 % slow", "E 2", "% slow"),
        ("^!3!c2 _~d", "^c 2 _d", "!3!, ~"),
    ],
)
def test_chord_names_grace_notes_and_ornaments_are_left_out_and_named(music, tokens, left_out):
    beginning = read_typed(f"M:4/4 K:C {music}")
    assert " ".join(beginning.tokens[2:]) == tokens
    assert beginning.remarks == (f"left out {left_out}",)


@pytest.mark.parametrize(
    ("music", "tokens"),
    [
        ("B2-B2", "B 4"),
        ("B2-|B2", "B 2 - | B 2"),
        ("B2|-B2", "B 2 - | B 2"),
        ("G 2 E C | D 2", "G 2 E C | D 2"),
        ("G2 E > C A 3/2", "G 2 E > C A 3/2"),
        ("+DA+2 [CE]3/2", "[ D A ] 2 [ C E ] 3/2"),
        ("[ C E ] 2 -| [CE]2", "[ C - E - ] 2 | [ C E ] 2"),
        ("A B/ c// d3/2 e3/", "A B /2 c /4 d 3/2 e 3/2"),
        ("A4 B4 :: c4", "A 4 B 4 :| |: c 4"),
        ("A4 B4 :|: c4", "A 4 B 4 :| |: c 4"),
        ("|:A4|1 B4:|2 c4|]", "|: A 4 |1 B 4 :| |2 c 4 |"),
        ("|:A4|[1 B4:| [2 c4||", "|: A 4 |1 B 4 :| |2 c 4 |"),
    ],
)
def test_music_is_read_as_in_files(music, tokens):
    assert " ".join(read_typed(f"M:4/4 K:C {music}").tokens[2:]) == tokens


@pytest.mark.parametrize(
    ("music", "tokens"),
    [
        ("", ""),
        ("|:", "|:"),
        ("|: A2 |", "|: A 2 |"),
        ("|: A4 |1 B", "|: A 4 |1 B"),
        ("A2 B2 |1", "A 2 B 2 |1"),
        ("[", "["),
        ("A2 [CE", "A 2 [ C E"),
        ("A2 [^C", "A 2 [ ^C"),
        ("A2 [C-E", "A 2 [ C - E"),
        ("(3", "(3"),
        ("A2 (3AB", "A 2 (3 A B"),
        ("A2-", "A 2 -"),
        ("A2-|", "A 2 - |"),
        ("^A2-|", "^A 2 - |"),
        ("A>", "A >"),
        ("(3:2:2 A2-", "(3:2:2 A 2 -"),
        ("z4", "z 4"),
    ],
)
def test_an_incomplete_end_stays_as_it_is(music, tokens):
    typed = read_typed(f"M:4/4 L:1/8 K:G {music}")
    assert " ".join(typed.tokens) == f"M:4/4 K:Gmaj {tokens}".strip()
    assert typed.remarks == ()


@pytest.mark.parametrize(
    "text",
    [
        "M:4/4 K:Cmaj |: G 2 E C > D - | [ E G ] 2 (3 A B",
        "M:6/8 K:Cdor _E 2 _E ^F - ^F | |: G",
        "K:Cmaj",
        "M:4/4",
        "M:9/8 K:Cmix |: A 3 - | |2 A",
    ],
)
def test_tokens_are_taken_as_they_are(text):
    assert list(read_typed(text).tokens) == text.split()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("6/8 D A2d", "a duration that follows no note: 6/8"),
        ("6/8 D A d", "a duration that follows no note: 6/8"),
        ("M:4/4 K:C | 2 A", "a duration that follows no note: 2"),
        ("M:4/4 K:C A2 3", "a duration that follows no note: 3"),
        ("M:4/4 K:Cmaj A 4 K:Gmaj B 4", "a key inside the tune: K:Gmaj"),
        ("M:4/4 K:C A4 M:3/4 B2", "changes meter inside"),
        ("M:4/4 A2 K:D B2", "the key must stand in front of the notes: K:D"),
        ("K:D A2 M:6/8", "the meter must stand in front of the notes: M:6/8"),
        ("M:4/4 K:D K:G A2", "a prompt has one meter, one key and one unit length: K:G"),
        ("M:4/4 K:C A2 V:2 B2", "a prompt has one voice: V:2"),
        ("V:1 M:4/4 K:C A2 [V:2] B2", "a prompt has one voice: [V:2]"),
        ("M:4/4 K:C hello", "no music in ABC: hello"),
        ("The Kesh Jig", "no music in ABC: The"),
        ("M:4/4 K:C A2@B", "no music in ABC: A2@B"),
        ("T:Kesh GAB", "neither notes nor a meter or key: nothing"),
        ("X:1 T:Kesh GAB", "notes cannot be told from words; begin a new line after the words"),
        ("M:6/8 K:G T:Kesh GAB", "notes cannot be told from words; begin a new line"),
        ("M:4/4 K:C (12:8:12 A", "a tuplet must have two to nine notes: (12:8:12"),
        ("M:4/4 K:C (3AB|c", "a tuplet that is cut short"),
        ("M:4/4 K:C {gA", "grace notes without end: {gA"),
        ('M:4/4 K:C "Em A', 'a quotation without end: "Em'),
        ("M:4/4 K:C [CE|", "a chord without end: [CE|"),
        ("M:4/4 K:C [C2E", "a chord without end"),
        ("M:4/4 K:C []", "an empty chord: []"),
        ("M:4/4 K:C A]", "] without [: A]"),
        ("M:4/4 K:C -A", "a tie that follows no note: -A"),
        ("M:4/4 K:C |-A", "a tie that follows no note: |-A"),
        ("M:4/4 K:C z-A", "a tie that follows no note: z-A"),
        ("M:4/4 K:C >A", "broken rhythm that follows no note: >A"),
        ("M:4/4 K:C A3>B", "broken rhythm between unequal notes"),
        ("M:4/4 K:C A^!3!|", "an accidental that stands before no note: A^!3!|"),
        ("M:4/4 K:C A :| B |2 C", "an ending outside a repeat"),
        ("M:4/4 K:C |: A |: B", "a repeat inside a repeat"),
        ("M:4/4 K:C A&c", "voices overlaid with &: A&c"),
        ("M:4/4 K:C ^/2A", "no music in ABC: ^/2A"),
        ("M:4/4 K:D _b", "accidentals of a key without notes: for a note, write _b1"),
        ("M:4/4 K:g A2", "unreadable key: g"),
        ("M:6/8banana K:G", "unreadable meter: 6/8banana"),
        ("L:eighth K:G", "unreadable unit length: eighth"),
        ("M:4/4 K:Amix ^g A B c d", "a note or an accidental of the key: K:Amix ^g"),
    ],
)
def test_what_a_prompt_would_lose_is_refused_naming_it(text, message):
    with pytest.raises(AbcError) as caught:
        read_typed(text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "meter"),
    [
        ("K:Edor|:EBBA B2 EB|", "4/4"),
        ("K:G B|A2 B2 c2 d2|e4 d4|c", "4/4"),
        ("K:G ABc def gab|", "9/8"),
        ("K:G A2 B2|c4|", "2/4"),
        ("K:Cmaj G 2 E 2 C 4 | D", "4/4"),
    ],
)
def test_a_meter_that_is_missing_is_told_from_the_bars(text, meter):
    typed = read_typed(text)
    assert typed.tokens[0] == f"M:{meter}"
    assert typed.remarks[0].startswith(f"M:{meter} is added, as the bars have ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("K:D A2d BAG|", "bars of 6 eighths do not tell the meter: write M:6/8 or M:3/4 in front"),
        ("K:D A4|A4 B4 c4|A4|", "the bars do not tell the meter: write M:6/8 or another in front"),
        ("K:D A2|", "the bars do not tell the meter"),
        ("K:D A4|A4 B4", "the bars do not tell the meter"),
        ("K:D A8 B3|", "bars of 11 eighths do not tell the meter: write M: in front"),
    ],
)
def test_a_missing_meter_that_the_bars_do_not_tell_is_asked_for(text, message):
    with pytest.raises(AbcError) as caught:
        read_typed(text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("K:D A2d", "without M:, samples are written in 4/4"),
        ("M:6/8 A2d", "without K:, samples are written in C major"),
        ("M:2/4 K:D A2", "without L:, lengths are in eighths"),
        ("X:4 T:A tune M:4/4 K:D", "left out X:4, T:A tune"),
        ("M:4/4 K:D | A2", "left out the bar sign before the first note"),
        ("M:4/4 K:D A-B", "left out a tie to another pitch"),
    ],
)
def test_what_is_assumed_or_left_out_is_remarked_on(text, remark):
    assert read_typed(text).remarks == (remark,)
    assert read_prompt(AbcTokens("folk_rnn"), text).remarks == (remark,)
