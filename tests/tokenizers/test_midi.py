"""MIDI as tokens of MidiTok."""

import json
import pickle

import numpy as np
import pytest
import symusic
from hypothesis import given, settings
from hypothesis import strategies as st

from symbotunes.errors import UserError
from symbotunes.music.midi.piece import MidiPiece
from symbotunes.tokenizers import midi
from symbotunes.tokenizers.base import Unencodable, Vocabulary
from symbotunes.tokenizers.midi import MidiTokens
from symbotunes.transforms.cuts import SampleBars
from tests.tokenizers.midi_scores import (
    STEPS,
    VELOCITIES,
    notes_of,
    piece_of,
    score_of,
    tracks_off_grid,
    tracks_on_grid,
    without_gaps,
)

SCHEMES = ["REMI", "TSD", "MIDILike", "Structured"]
WITH_DURATIONS = ["REMI", "TSD", "Structured"]
LOUD = VELOCITIES[24]  # 99
TUNE = [(0, 8, 60, LOUD), (8, 4, 64, LOUD), (32, 8, 67, LOUD)]


@pytest.fixture(scope="module", params=SCHEMES)
def tokenizer(request):
    return MidiTokens(request.param)


def tokens_of(piece, **options):
    made = MidiTokens(**options)
    return [made.decode(ids) for ids in made.tokenize(piece)]


def merged(scheme="REMI", extra=20, pieces=None):
    """A tokenizer with byte pairs learned from these pieces."""
    made = MidiTokens(scheme, bpe_vocab=len(MidiTokens(scheme).base) + extra)
    examples = [ids for piece in pieces or [piece_of({0: TUNE})] for ids in made.tokenize(piece)]
    made.fit_ids(examples)
    return made


# -- what the tokens say --------------------------------------------------------------------


def test_remi_tells_bars_positions_and_notes():
    (tokens,) = tokens_of(piece_of({0: TUNE}))
    assert " ".join(tokens) == (
        "Bar_None TimeSig_4/4 Position_0 Program_0 Pitch_60 Velocity_99 Duration_1.0.8 "
        "Position_8 Program_0 Pitch_64 Velocity_99 Duration_0.4.8 "
        "Bar_None TimeSig_4/4 Position_0 Program_0 Pitch_67 Velocity_99 Duration_1.0.8"
    )


def test_midi_like_tells_when_notes_end():
    (tokens,) = tokens_of(piece_of({0: TUNE[:1], -1: [(4, 1, 38, LOUD)]}), scheme="MIDILike")
    assert [token.split("_")[0] for token in tokens if "TimeSig" not in token] == [
        "Program", "NoteOn", "Velocity", "TimeShift", "Program", "DrumOn", "Velocity",
        "TimeShift", "Program", "DrumOff", "TimeShift", "Program", "NoteOff",
    ]  # fmt: skip


def test_without_programs_every_track_is_an_example():
    piece = piece_of({0: TUNE[:1], -1: [(0, 1, 38, LOUD)]})
    first, second = tokens_of(piece, config={"use_programs": False})
    assert "Pitch_60" in first
    assert "PitchDrum_38" in second
    made = MidiTokens(config={"use_programs": False})
    assert notes_of(made.render(second, "").score) == [(-1, 0, 1, 38, LOUD)]


def test_ids_are_those_of_a_closed_vocabulary_with_its_own_bos_and_eos():
    made = MidiTokens()
    assert made.fitted
    assert made.vocabulary == Vocabulary(size=len(made.base), bos=1, eos=2)
    assert made.base[:3] == ["PAD_None", "BOS_None", "EOS_None"]
    (ids,) = made.tokenize(piece_of({0: TUNE}))
    assert made.encode(made.decode([1, *ids, 2])) == ids.tolist()
    with pytest.raises(Unencodable, match="unknown token: Pitch_200"):
        made.encode(["Pitch_200"])


def test_tokens_have_classes_for_reports():
    classes = {
        "Pitch_60": "pitch",
        "NoteOn_60": "pitch",
        "PitchDrum_38": "drum",
        "TimeSig_3/4": "time signature",
        "Bar_None": "bar",
        "Bar_None+TimeSig_3/4": "merged",
    }
    made = MidiTokens()
    assert {token: made.token_class(token) for token in classes} == classes


def test_bars_begin_at_their_tokens():
    made = MidiTokens()
    (ids,) = made.tokenize(piece_of({0: TUNE}))
    assert made.bar_starts(ids).tolist() == [0, 12]
    with pytest.raises(UserError, match="knows bars; TSD has no bar tokens"):
        SampleBars(2).bind(MidiTokens("TSD"))
    SampleBars(2).bind(made)


# -- round trips ----------------------------------------------------------------------------


@given(tracks=tracks_on_grid(), meter=st.sampled_from([(4, 4), (3, 4), (2, 4)]))
@settings(max_examples=25, deadline=None)
def test_what_is_on_the_grid_comes_back_as_it_was(tokenizer, tracks, meter):
    tracks = without_gaps(tracks) if tokenizer.scheme == "Structured" else tracks
    (ids,) = tokenizer.tokenize(piece_of(tracks, meter=meter))
    rendition = tokenizer.render(tokenizer.decode(ids), "Again")
    assert rendition.problems == ()
    assert notes_of(rendition.score) == notes_of(score_of(tracks))


@given(tracks=tracks_off_grid())
@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("scheme", WITH_DURATIONS)
def test_what_is_off_the_grid_comes_back_as_it_was_rounded(scheme, tracks):
    made = MidiTokens(scheme)
    tracks = without_gaps(tracks, 480) if scheme == "Structured" else tracks
    piece = piece_of(tracks, division=480)
    (ids,) = made.tokenize(piece)
    heard = notes_of(made.render(made.decode(ids), "Again").score)
    rounded = made.miditok.preprocess_score(piece.score)
    assert heard == notes_of(rounded)
    written = sorted(note[0] * STEPS / 480 for notes in tracks.values() for note in notes)
    onsets = sorted(note[1] for note in heard)
    assert onsets == pytest.approx(written, abs=0.5)  # half a step


@given(tracks=tracks_on_grid())
@settings(max_examples=15, deadline=None)
def test_merged_tokens_say_the_same(tracks):
    piece = piece_of(tracks)
    made = merged("REMI", 30, [piece])
    (ids,) = made.tokenize(piece)
    shorter = made.recode(ids)
    assert len(shorter) <= len(ids)
    assert made.encode(made.decode(shorter)) == shorter.tolist()
    assert notes_of(made.render(made.decode(shorter), "").score) == notes_of(score_of(tracks))
    assert len(made.bar_starts(shorter)) == len(made.bar_starts(ids))


def test_meter_and_tempo_come_back():
    made = MidiTokens(config={"use_tempos": True, "num_tempos": 211})
    (ids,) = made.tokenize(piece_of({0: TUNE}, meter=(6, 8), tempo=90.0, division=16))
    score = made.render(made.decode(ids), "").score
    assert (score.time_signatures[0].numerator, score.time_signatures[0].denominator) == (6, 8)
    assert score.tempos[0].qpm == pytest.approx(90, abs=0.01)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_any_tokens_can_be_rendered(tokenizer, data):
    words = st.sampled_from([*tokenizer.tokens, "nonsense", "Pitch_999", ""])
    rendition = tokenizer.render(data.draw(st.lists(words, max_size=40)), "Noise")
    assert isinstance(bytes(rendition.score.dumps_midi()), bytes)


def test_unknown_tokens_are_left_out_and_counted():
    made = MidiTokens()
    (ids,) = made.tokenize(piece_of({0: TUNE}))
    rendition = made.render(["what", *made.decode(ids)], "")
    assert rendition.problems == ("1 unknown tokens left out",)
    assert len(notes_of(rendition.score)) == 3


# -- byte pairs -----------------------------------------------------------------------------


def test_the_most_frequent_pair_is_merged_first():
    notes = [(32 * bar, 8, 60 + bar, LOUD) for bar in range(8)]  # bars alike but for their pitch
    made = merged(extra=1, pieces=[piece_of({0: notes})])
    assert made.vocabulary.size == len(made.base) + 1
    assert made.tokens[-1] in (
        "Bar_None+TimeSig_4/4", "TimeSig_4/4+Position_0", "Position_0+Program_0",
        "Velocity_99+Duration_1.0.8",
    )  # fmt: skip


def test_merges_never_reach_over_a_bar():
    made = merged(extra=60, pieces=[piece_of({0: [(32 * bar, 8, 60, LOUD) for bar in range(9)]})])
    assert any(token.count("+") == 6 for token in made.tokens)  # a bar became one token
    assert not any("+Bar" in token for token in made.tokens)


def test_learning_twice_gives_the_same_and_state_restores_it():
    pieces = [piece_of({0: TUNE, 33: [(4, 4, 40, LOUD)] * (number + 1)}) for number in range(3)]
    one, two = (merged(pieces=pieces) for _ in range(2))
    assert one.state() == two.state()
    restored = MidiTokens(bpe_vocab=one.bpe_vocab)
    with pytest.raises(RuntimeError, match="byte pairs have not been learned"):
        _ = restored.vocabulary
    restored.load_state(json.loads(json.dumps(one.state())))
    assert restored.tokens == one.tokens
    assert restored.state() == one.state()
    (ids,) = one.tokenize(pieces[0])
    assert restored.recode(ids).tolist() == one.recode(ids).tolist()


def test_it_travels_to_workers():
    one = merged()
    other = pickle.loads(pickle.dumps(one))
    assert other.tokens == one.tokens
    assert not pickle.loads(pickle.dumps(MidiTokens(bpe_vocab=2000))).fitted


def test_a_state_of_other_tokens_is_refused():
    with pytest.raises(ValueError, match="this version of MidiTok has other tokens for TSD"):
        MidiTokens("TSD").load_state(MidiTokens("REMI").state())


# -- pieces that cannot be -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("piece", "reason"),
    [
        (piece_of({0: [(200_000, 8, 60, 80)]}), "longer than 20,000 quarters"),
        (piece_of({0: [(0, 8, 5, 80)]}), "no notes within pitch_range"),
        (piece_of({}), "no notes"),
        (MidiPiece("x", b"MThd\0\0\0\6\0\0\0\1\0\0"), "zero ticks per quarter"),
    ],
    ids=["long", "low", "silent", "timeless"],
)
def test_pieces_that_have_no_tokens_say_why(piece, reason):
    with pytest.raises(Unencodable) as caught:
        MidiTokens().tokenize(piece)
    assert caught.value.reason == reason


def test_thousands_of_changes_are_refused_and_not_waited_for(monkeypatch):
    monkeypatch.setattr(midi, "MAX_CHANGES", 50)
    score = score_of({0: TUNE})
    for tick in range(60):
        score.tempos.append(symusic.Tempo(tick, 100 + tick))
    with pytest.raises(Unencodable, match="more than 50 changes of tempo, meter or key"):
        MidiTokens().tokenize(MidiPiece("x", bytes(score.dumps_midi())))


# -- configs --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scheme": "Remi"}, "no scheme Remi; did you mean REMI"),
        ({"scheme": "CPWord"}, "CPWord writes several numbers.*choose one of REMI, TSD, MIDILike"),
        ({"config": {"use_temops": True}}, "no option use_temops; did you mean use_tempos"),
        ({"config": {"nb_velocities": 8}}, "no option nb_velocities; did you mean num_velocities"),
        ({"scheme": "TSD", "config": {"max_bar_embedding": 9}}, "TSD has no option max_bar_embed"),
        ({"scheme": "Structured", "config": {"use_tempos": True}}, "not accept use_tempos=True"),
        ({"config": {"special_tokens": ["X"]}}, "special_tokens cannot be set"),
        ({"config": {"pitch_range": [90, 20]}}, "pitch_range"),
        ({"config": {"beat_res": {"four": 8}}}, "four is not a range of beats such as 0-4"),
        ({"bpe_vocab": 10}, r"bpe_vocab=10 must be null or \d+ to 65000: REMI has \d+ tokens"),
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_config_is_named_with_the_nearest_right_one(options, message):
    with pytest.raises(UserError, match=message) as caught:
        MidiTokens(**options)
    assert "\n" not in str(caught.value)


def test_yaml_can_say_what_miditok_asks_for_in_tuples():
    config = {"beat_res": {"0-2": 12, "2-8": 6}, "time_signature_range": {"4": [3, 4]}}
    made = MidiTokens(config=config)
    assert made.miditok.config.beat_res == {(0, 2): 12, (2, 8): 6}
    assert [token for token in made.base if "TimeSig" in token] == ["TimeSig_3/4", "TimeSig_4/4"]


# -- beginnings -----------------------------------------------------------------------------


def test_a_prompt_is_a_file_and_not_text():
    with pytest.raises(ValueError, match="cannot be typed; give the beginning as a MIDI file"):
        MidiTokens().prompt("Pitch_60")


@pytest.mark.parametrize("bars", [1, 2, 9])
def test_a_prompt_is_the_first_bars_of_a_file(tokenizer, tmp_path, bars):
    path = tmp_path / "tune.mid"
    path.write_bytes(piece_of({0: TUNE}).data)
    tokens = tokenizer.decode(tokenizer.prompt_from(path, bars))
    heard = notes_of(tokenizer.render(tokens, "").score)
    assert [note[3] for note in heard] == ([60, 64] if bars == 1 else [60, 64, 67])


def test_a_prompt_of_a_merged_vocabulary_is_merged(tmp_path):
    path = tmp_path / "tune.mid"
    path.write_bytes(piece_of({0: TUNE}).data)
    made = merged()
    assert max(made.prompt_from(path, 2)) >= len(made.base)
    path.write_text("no MIDI")
    with pytest.raises(ValueError, match="not a MIDI file"):
        made.prompt_from(path, 2)


def test_learning_takes_evenly_from_all_examples_within_its_budget():
    from symbotunes.tokenizers.id_merges import thinned

    examples = [np.full(10, number) for number in range(100)]
    kept = [int(ids[0]) for ids in thinned(iter(examples), 130)]
    assert kept == list(range(0, 100, 8))
    assert len(thinned(iter(examples), 1000)) == 100
