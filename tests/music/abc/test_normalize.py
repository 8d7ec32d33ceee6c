"""Tunes as the tokens of folk-rnn, and tokens as ABC."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.normalize import normalize
from symbotunes.music.abc.phrases import parse_tokens
from symbotunes.music.abc.reader import parse
from symbotunes.music.abc.text import from_abc, prompt_tokens, to_abc
from symbotunes.music.abc.tune import AbcTune


def words(text):
    return text.split()


def test_a_tune_begins_with_its_meter_and_key(tune):
    tokens = normalize(parse(tune("|:G2c (3def [EG]2-|[EG]6:|", meter="6/8", key="C dorian")))
    assert " ".join(tokens) == "M:6/8 K:Cdor |: G 2 c (3 d e f [ E - G - ] 2 | [ E G ] 6 :|"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("C/ C C3/2 C2 C/4 C15/8 C6/4", "C /2 C C 3/2 C 2 C /4 C 15/8 C 3/2 |"),
        ("C>D E2<F2 G3/>A3/", "C > D E 2< F 2 G 3/2> A 3/2 |"),
        ("z2 [CEG]2 [C2E2]", "z 2 [ C E G ] 2 [ C E ] 2 |"),
        ("(3CDE (3:2:2 CD (4CDEF", "(3 C D E (3:2:2 C D (4 C D E F |"),
    ],
)
def test_pitch_duration_and_signs_are_tokens_of_their_own(folk, body, expected):
    assert folk(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("C8||D8|]", "C 8 | D 8 |"),
        ("C8:|", "C 8 :|"),
        ("C8:|D8:|", "C 8 :| |: D 8 :|"),  # a second repeat without a beginning
        ("C8|D8||E8:|", "C 8 | D 8 | E 8 :|"),  # the first goes back to the beginning
        ("C8:|D8||E8:|", "C 8 :| D 8 |: E 8 :|"),  # to the double bar
        ("|:C8::D8:|", "|: C 8 :| |: D 8 :|"),
        ("C8|1D8:|2E8||F8:|", "C 8 |1 D 8 :| |2 E 8 |: F 8 :|"),  # the ending closes with ||
        ("C8|1D8:|2E8|F8:|", "C 8 |1 D 8 :| |2 E 8 | F 8 :|"),
        ("|:C8:||:D8||E8:|", "|: C 8 :| |: D 8 | E 8 :|"),
        ("|:C8|D8|", "C 8 | D 8 |"),  # never closed
        ("C8|2D8|", "C 8 | D 8 |"),  # an ending without a first one
    ],
)
def test_repeats_say_where_they_go_back_to(folk, body, expected):
    assert folk(body) == expected


def test_a_full_bar_that_ends_with_its_line_gets_a_bar_sign(folk):
    assert folk("C8\nD4\nE4") == "C 8 | D 4 E 4 |"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("C2-C2 D4|", "C 4 D 4 |"),
        ("C2-C-C D4|", "C 4 D 4 |"),
        ("C8-|C8|", "C 8 - | C 8 |"),
        ("C2-D2 E4|", "C 2 D 2 E 4 |"),  # a slur
        ("C2-^C2 E4|", "C 2 ^C 2 E 4 |"),  # another pitch
        ("[C-E]2[CE]2 D4|", "[ C - E ] 2 [ C E ] 2 D 4 |"),
        ("(3C-CD E6|", "(3 C - C D E 6 |"),
        ("C>D-D2 E4|", "C > D - D 2 E 4 |"),  # a half of broken rhythm stays as it is
    ],
)
def test_tied_notes_become_one_inside_a_bar_and_stay_tied_across(folk, body, expected):
    assert folk(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"), [("C>D2", "C D 2 |"), ("C>D>E", "C > D E |"), ("C2>D2", "C 2> D 2 |")]
)
def test_broken_rhythm_stays_where_it_has_a_meaning(folk, body, expected):
    assert folk(body) == expected


def test_tokens_are_written_as_abc_with_pitch_and_duration_joined():
    tokens = words("M:6/8 K:Cdor |: G 2 c (3 d e f | [ E G ] 2> z 2 c - | c 6 :|")
    assert to_abc(tokens, number=7, title="The Test") == (
        "X:7\nT:The Test\nM:6/8\nL:1/8\nK:Cdor\n|: G2 c (3def | [EG]2> z2 c- | c6 :|\n"
    )


@pytest.mark.parametrize(
    ("tokens", "written"),
    [
        ("C /3 D 2/3 E |", "(6:4:1C/2(6:4:1DE |]"),
        ("[ C - E - ] 4/3 | z /6 |", "(6:4:1[C-E-]2 | (6:4:1z/4 |]"),
        ("C 2/5 - | C /7 D 8/9 |", "(5:4:1C/2- | (7:4:1C/4(9:8:1D |]"),
    ],
)
def test_lengths_that_players_refuse_are_written_as_tuplets_of_one_note(tokens, written):
    tokens = ["M:4/4", "K:Cmaj", *words(tokens)]
    assert to_abc(tokens).split("K:Cmaj\n")[1] == f"{written}\n"
    assert from_abc(to_abc(tokens)) == tokens


def test_lines_hold_four_bars_and_the_tune_closes_with_a_double_bar():
    body = to_abc(["M:2/4", "K:Cmaj", *words("C 4 | " * 6)]).split("K:Cmaj\n")[1]
    assert body == "C4 | C4 | C4 | C4 |\nC4 | C4 |]\n"


def test_a_last_ending_is_closed_with_a_double_bar():
    tokens = words("M:4/4 K:Cmaj |: C 8 |1 D 8 :| |2 E 8 | F 8 | G 8 |")
    assert to_abc(tokens).split("K:Cmaj\n")[1] == "|: C8 |1 D8 :| |2 E8 || F8 | G8 |]\n"


def test_a_title_is_one_line_whatever_it_holds():
    assert "T:100\\% A B\n" in to_abc(["C"], title="100% A\n\tB\x00")
    assert "T:Untitled\n" in to_abc(["C"], title=" \n")


def test_no_line_reads_like_a_field():
    tokens = words("M:4/4 K:Cmaj A :| C 8 | D 8 | E 8 | z :| C 8 |")
    assert to_abc(tokens).split("K:Cmaj\n")[1] == "A1 :| C8 | D8 | E8 |\nz1 :| C8 |]\n"
    assert from_abc(to_abc(tokens)) == tokens


def test_tokens_that_are_not_well_formed_still_give_abc():
    assert to_abc(words("[ C E > | (3 G A | 2 |: x")) == (
        "X:1\nT:Untitled\nM:4/4\nL:1/8\nK:Cmaj\n[CE] | GA | |]\n"
    )


# -- round trip ---------------------------------------------------------------

PITCHES = st.sampled_from(words("C D ^F _B, =c ^^g __d a' C,, b'' G E"))
DURATIONS = st.sampled_from(["", "", "2", "3", "/2", "3/2", "/4", "15/8", "12", "/3", "4/3"])


@st.composite
def note_tokens(draw, duration=None):
    """A note, a chord or a rest."""
    length = draw(DURATIONS) if duration is None else duration
    names = draw(st.lists(PITCHES, min_size=0, max_size=3))
    tail = [length] if length else []
    if not names:
        return ["z", *tail]
    if len(names) == 1:
        return [names[0], *tail, *draw(st.sampled_from([[], [], ["-"]]))]
    inside = [part for name in names for part in (name, *draw(st.sampled_from([[], ["-"]])))]
    return ["[", *inside, "]", *tail]


@st.composite
def group_tokens(draw):
    """A sound, a pair in broken rhythm, or a tuplet."""
    form = draw(st.sampled_from(["sound", "sound", "broken", "tuplet", "long tuplet"]))
    if form == "broken":
        length, sign = draw(DURATIONS), draw(st.sampled_from(["<", ">", ">>", "<<<"]))
        first = draw(note_tokens(duration=f"{length}{sign}"))
        return [token for token in first if token != "-"] + draw(note_tokens(duration=length))
    count = {"tuplet": 3, "long tuplet": 4}.get(form, 1)
    head = {"tuplet": ["(3"], "long tuplet": ["(5:4:4"]}.get(form, [])
    return head + [token for _ in range(count) for token in draw(note_tokens())]


@st.composite
def tune_tokens(draw):
    """Tokens of a whole tune, as `normalize` could have written them."""

    def bars():
        groups = st.lists(st.lists(group_tokens(), min_size=1, max_size=4), min_size=1, max_size=3)
        return ["|" if bar is None else bar for bar in _join(draw(groups))]

    head = [f"M:{draw(st.sampled_from(['4/4', '6/8', 'none', '3/2']))}"]
    head.append(f"K:{draw(st.sampled_from(['Cmaj', 'Cdor', 'Gmix', 'F#min', 'Bbmaj']))}")
    body: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        form = draw(st.sampled_from(["plain", "repeat", "endings"]))
        if form == "plain":
            body += [*bars(), "|"]
        elif form == "repeat":
            body += ["|:", *bars(), ":|"]
        else:
            body += ["|:", *bars(), "|1", *bars(), ":|", "|2", *bars(), "|"]
    return [*head, "c", *body]


def _join(groups):
    for index, bar in enumerate(groups):
        yield from [None] if index else []
        for group in bar:
            yield from group


@pytest.mark.slow("writes and reads hundreds of random tunes")
@settings(max_examples=120, deadline=None, derandomize=True)
@given(tune_tokens())
def test_tokens_written_as_abc_and_read_back_are_the_same(tokens):
    assert from_abc(to_abc(tokens, title="K:Cmaj M:3/4 |1")) == tokens


def test_tokens_of_real_tunes_written_and_read_back_are_the_same(corpus_tunes):
    checked = 0
    for piece in corpus_tunes[3::40]:
        try:
            tokens = normalize(parse(piece.text))
        except AbcError:
            continue
        assert from_abc(to_abc(tokens, title=piece.title)) == tokens
        checked += 1
    assert checked > 300


def test_our_abc_read_as_any_abc_gives_the_same_tokens_again(corpus_tunes):
    for piece in corpus_tunes[7::130]:
        try:
            tokens = normalize(parse(piece.text))
        except AbcError:
            continue
        assert normalize(parse(to_abc(tokens))) == tokens, piece.id


# -- prompts ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("M:6/8 K:Cdor A2 B", "M:6/8 K:Cdor A 2 B"),
        ("M:6/8\nK:Cdor\nA2 B", "M:6/8 K:Cdor A 2 B"),
        ("M:6/8\\nK:C", "M:6/8 K:Cmaj"),
        ("M: C| K: C dorian", "M:2/2 K:Cdor"),
        ("M:4/4", "M:4/4"),
        ("M:7/8 K:Cm\n|:[CE]2 (3ABc A>B A-|", "M:7/8 K:Cmin |: [ C E ] 2 (3 A B c A > B A - |"),
        ("X:3\nT:My tune\nM:4/4\nL:1/8\nK:C\nCD|", "M:4/4 K:Cmaj C D |"),
        ("M:4/4 L:1/8 K:C A/ B// c1 d3/ ||", "M:4/4 K:Cmaj A /2 B /4 c d 3/2 |"),
    ],
)
def test_a_prompt_is_read_as_a_user_types_it(text, expected):
    assert " ".join(prompt_tokens(text)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("M:6/8 K:C A2 @B", "no music in ABC: @B"),
        ("M:banana", "unreadable meter: banana"),
        ("K:Hdur", "unreadable key: Hdur"),
        ("L:banana\nK:C", "unreadable unit length: banana"),
    ],
)
def test_a_prompt_that_cannot_be_read_names_what_is_wrong(text, message):
    with pytest.raises(AbcError) as caught:
        prompt_tokens(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("root", ["C", "keep"])
def test_what_a_normalized_tune_means_is_what_its_tokens_say(corpus_tunes, root):
    compared = 0
    for piece in corpus_tunes[::97]:
        tune = AbcTune(piece.id, piece.text)  # the fixture's would be kept with all of their parts
        try:
            tokens = tune.tokens_in(root)
        except AbcError:
            continue
        assert tune.phrase_in(root) == parse_tokens(tokens), piece.id
        compared += 1
    assert compared > 120
