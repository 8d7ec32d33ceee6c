"""What tokens sound like."""

from fractions import Fraction

import pytest

from symbotunes.music.abc.playback import notes, score_of

C, D, E, F, G, A, B = 60, 62, 64, 65, 67, 69, 71


def played(tokens):
    return notes(tokens.split())


def heard(body, head="M:4/4 K:Cmaj"):
    """Pitch and duration in eighths of every note."""
    found = played(f"{head} {body}")
    return [(note.pitch, note.duration * 2) for note in found]


def pitches(body, head="M:4/4 K:Cmaj"):
    return "".join("C.D.EF.G.A.B"[pitch % 12] for pitch, _ in heard(body, head))


def test_onsets_and_durations_count_quarters():
    found = played("M:4/4 K:Cmaj C 2 z D /2 E |")
    assert [(note.onset, note.duration) for note in found] == [
        (0, 1),
        (Fraction(3, 2), Fraction(1, 4)),
        (Fraction(7, 4), Fraction(1, 2)),
    ]


def test_keys_and_accidentals_decide_pitches():
    assert [p for p, _ in heard("F ^C C =F |", "M:4/4 K:Gmaj")] == [66, 61, 61, 65]


def test_an_accidental_holds_for_all_octaves_until_the_bar_sign():
    assert [p for p, _ in heard("^F f | F |")] == [66, 78, 65]


def test_tuplets_play_p_notes_in_the_time_of_q():
    assert heard("(3 C D E F |") == [
        (C, Fraction(2, 3)),
        (D, Fraction(2, 3)),
        (E, Fraction(2, 3)),
        (F, 1),
    ]
    assert heard("(2 C D |", "M:6/8 K:Cmaj") == [(C, Fraction(3, 2)), (D, Fraction(3, 2))]


@pytest.mark.parametrize(
    ("sign", "first", "second"),
    [(">", "3/2", "1/2"), ("<", "1/2", "3/2"), (">>", "7/4", "1/4"), ("<<<", "1/8", "15/8")],
)
def test_broken_rhythm_shifts_length_between_neighbours(sign, first, second):
    assert heard(f"C {sign} D |") == [(C, Fraction(first)), (D, Fraction(second))]


def test_ties_make_one_note_across_bar_signs():
    assert heard("C 8 - | C 4 D 4 |") == [(C, 12), (D, 4)]


def test_a_tie_to_another_pitch_holds_nothing():
    assert heard("C - D |") == [(C, 1), (D, 1)]


def test_chords_sound_together_and_tie_note_by_note():
    found = played("M:4/4 K:Cmaj [ C - E ] 2 [ C G ] 2 |")
    assert [(note.onset, note.duration, note.pitch) for note in found] == [
        (0, 2, C),
        (0, 1, E),
        (1, 1, G),
    ]


def test_a_duration_inside_a_chord_counts_as_in_the_published_tunes():
    assert heard("[ C 2 E 2 ] D |") == [(C, 2), (E, 2), (D, 1)]


@pytest.mark.parametrize(
    ("body", "order"),
    [
        ("C | D |", "CD"),
        ("C :| D |", "CCD"),
        ("C |: D :| E |", "CDDE"),
        ("|: C :| |: D :|", "CCDD"),
        ("|: C |1 D :| |2 E | F |", "CDCEF"),
        ("|: C |1 D :| |2 E :|", "CDCE"),
        ("|: C |1,3 D :| |2 E :|", "CDCECD"),
        ("|: C |1-2 D :| |3 E | F |", "CDCDCEF"),
        ("C | D |1 E :| |2 F |: G :|", "CDECDFGG"),
        ("|: C |1 D :| |2 E |: F |1 G :| |2 A |", "CDCEFGFA"),
    ],
)
def test_repeats_and_endings_are_played_out(body, order):
    assert pitches(body) == order


def test_a_score_has_one_track_with_tempo_meter_and_key():
    tokens = "M:6/8 K:Ddor D 3 ^c 3 | d 6 |"
    score = score_of(tokens.split())
    (track,) = score.tracks
    assert [(note.time, note.duration, note.pitch) for note in track.notes] == [
        (0, 720, 62),
        (720, 720, 73),
        (1440, 1440, 74),
    ]
    assert score.ticks_per_quarter == 480
    assert [round(tempo.qpm) for tempo in score.tempos] == [165]
    assert [(s.numerator, s.denominator) for s in score.time_signatures] == [(6, 8)]
    assert [(k.key, k.tonality) for k in score.key_signatures] == [(0, 1)]


@pytest.mark.parametrize("tokens", ["", "M:4/4", "| :| |2", "nonsense ] [ - 2", "C,,,, b'''"])
def test_any_tokens_make_a_score(tokens):
    assert len(score_of(tokens.split()).tracks) == 1
