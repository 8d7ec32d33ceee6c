"""Several corpora as one: order, names, formats, splits and steps."""

import pickle
from dataclasses import replace

import pytest
from hydra.utils import instantiate

from symbotunes.datasets.abc_folder import AbcFiles
from symbotunes.datasets.base import DatasetError, Dropped, split_key
from symbotunes.datasets.concat import Concat
from symbotunes.datasets.midi_folder import MidiFolder
from symbotunes.music.abc.tune import AbcTune
from symbotunes.music.midi.piece import MidiPiece
from tests.composing import composed


class Twice:
    """A step that gives a piece and a version of it an octave higher."""

    FORMAT = "midi"
    SCHEMA = 1

    def __call__(self, piece):
        score = piece.score
        for track in score.tracks:
            for note in track.notes:
                note.pitch += 12
        return [piece, replace(piece, id=f"{piece.id}+12", music=score)]


class OnlyJigs:
    FORMAT = "abc"
    SCHEMA = 1

    def __call__(self, piece):
        return [piece] if "M:6/8" in piece.text else []


@pytest.fixture
def abc(tmp_path):
    (tmp_path / "abc").mkdir()
    (tmp_path / "abc" / "tunes.abc").write_text(
        "X:1\nT:Jig\nM:6/8\nL:1/8\nK:G\nGAB c2d|\n\nX:2\nT:Reel\nM:4/4\nL:1/8\nK:D\nDEFG A4|\n"
    )
    return AbcFiles(tmp_path / "abc")


@pytest.fixture
def midi(tmp_path, midi_bytes):
    (tmp_path / "midi").mkdir()
    (tmp_path / "midi" / "1.mid").write_bytes(midi_bytes(60, 62))
    (tmp_path / "midi" / "2.mid").write_bytes(b"")
    return MidiFolder(tmp_path / "midi")


@pytest.fixture
def more_midi(tmp_path, midi_bytes):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "1.mid").write_bytes(midi_bytes(70, 72))
    return MidiFolder(tmp_path / "more")


def test_names_tell_where_a_piece_is_from(midi, more_midi):
    corpus = Concat({"b": midi, "a": more_midi})
    assert corpus.FORMAT == "midi"
    assert [piece.id for piece in corpus.pieces()] == [
        "b/midi/1.mid",
        "b/midi/2.mid",
        "a/more/1.mid",
    ]


def test_abc_alone_stays_abc(abc):
    corpus = Concat({"only": abc})
    assert corpus.FORMAT == "abc"
    assert all(isinstance(piece, AbcTune) for piece in corpus.pieces())


def test_abc_becomes_midi_beside_midi(abc, midi):
    corpus = Concat({"abc": abc, "midi": midi})
    assert corpus.FORMAT == "midi"
    jig, reel, other, dropped = corpus.pieces()
    assert [note.pitch for note in jig.score.tracks[0].notes] == [67, 69, 71, 72, 74]
    assert (jig.title, reel.title) == ("Jig", "Reel")
    assert isinstance(other, MidiPiece)
    assert dropped == Dropped("midi/midi/2.mid", "empty file")


def test_tunes_that_do_not_convert_are_dropped(abc, midi):
    (abc.path / "bad.abc").write_text("X:1\nT:No key or notes\n")
    found = [
        piece for piece in Concat({"a": abc, "m": midi}).pieces() if isinstance(piece, Dropped)
    ]
    assert [piece.id for piece in found] == ["a/abc/bad.abc#1", "m/midi/2.mid"]
    assert found[0].reason


def test_abc_and_midi_may_share_a_folder(abc, midi_bytes):
    (abc.path / "1.mid").write_bytes(midi_bytes(60, 62))
    corpus = Concat({"tunes": AbcFiles(abc.path), "played": MidiFolder(abc.path)})
    ids = [piece.id for piece in corpus.pieces() if not isinstance(piece, Dropped)]
    assert ids == ["tunes/abc/tunes.abc#1", "tunes/abc/tunes.abc#2", "played/abc/1.mid"]


def test_a_validation_corpus_is_all_that_is_validated_on(midi, more_midi):
    assert Concat({"a": midi}, val=more_midi).validates
    assert not Concat({"a": midi, "b": more_midi}).validates


def test_the_validation_corpus_comes_first_and_goes_to_val(midi, more_midi):
    first, second, _ = Concat({"train": midi}, val=more_midi).pieces()
    assert (first.id, first.split) == ("val/more/1.mid", "val")
    assert (second.id, second.split) == ("train/midi/1.mid", None)


def test_each_corpus_has_its_own_steps(abc, midi):
    corpus = Concat({"abc": abc, "midi": midi}, steps={"abc": {"jigs": OnlyJigs(), "two": Twice()}})
    ids = [piece.id for piece in corpus.pieces()]
    assert ids == [
        "abc/abc/tunes.abc#1",
        "abc/abc/tunes.abc#1+12",
        "abc/abc/tunes.abc#2",
        "midi/midi/1.mid",
        "midi/midi/2.mid",
    ]
    _, _, reel, *_ = corpus.pieces()
    assert reel == Dropped("abc/abc/tunes.abc#2", "left out by the steps of abc")


def test_versions_of_a_piece_share_what_decides_their_split(midi):
    plain, _ = Concat({"midi": midi}).pieces()
    one, two, _ = Concat({"midi": midi}, steps={"midi": {"twice": Twice()}}).pieces()
    assert one.content() != two.content()
    assert split_key(one) == split_key(two) == split_key(plain) == plain.content()


def test_steps_must_fit_the_corpus_and_the_corpus_exist(abc, midi):
    with pytest.raises(DatasetError, match="dataset.steps.midi: OnlyJigs reads abc, not midi"):
        Concat({"midi": midi}, steps={"midi": {"jigs": OnlyJigs()}})
    with pytest.raises(
        DatasetError, match="dataset.steps.x: there is no corpus of this name, only abc"
    ):
        Concat({"abc": abc}, steps={"x": {"jigs": OnlyJigs()}})


def test_a_file_in_two_corpora_is_refused(midi):
    with pytest.raises(DatasetError, match="2 files belong to two corpora"):
        Concat({"a": midi, "b": MidiFolder(midi.path)}).files()


@pytest.mark.parametrize(
    ("corpora", "match"), [({}, "corpora is empty"), ({"val": 0}, "as dataset.val")]
)
def test_names_are_checked(corpora, match):
    with pytest.raises(DatasetError, match=match):
        Concat(corpora)


def test_the_checksum_follows_corpora_names_and_steps(abc, midi):
    sums = {
        Concat({"a": abc, "m": midi}).checksum(),
        Concat({"b": abc, "m": midi}).checksum(),
        Concat({"a": abc}, val=midi).checksum(),
        Concat({"a": abc, "m": midi}, steps={"m": {"t": Twice()}}).checksum(),
    }
    assert len(sums) == 4
    assert Concat({"a": abc, "m": midi}).checksum() in sums


def test_it_travels_to_a_worker(abc, midi):
    corpus = pickle.loads(pickle.dumps(Concat({"a": abc, "m": midi})))
    assert [len(list(corpus.read(path))) for path in corpus.files()] == [2, 1, 1]


def test_the_command_line_chooses_adds_and_validates(midi, more_midi, abc):
    cfg = composed(
        "dataset=concat",
        "dataset@dataset.corpora.first=midi_folder",
        f"dataset.corpora.first.path={midi.path}",
        "+dataset@dataset.corpora.third=abc_folder",
        f"dataset.corpora.third.path={abc.path}",
        "+dataset@dataset.val=midi_folder",
        f"dataset.val.path={more_midi.path}",
    )
    corpus = instantiate(cfg.dataset, _convert_="all")
    assert {name: type(each).__name__ for name, each in corpus.corpora.items()} == {
        "val": "MidiFolder",
        "first": "MidiFolder",
        "second": "JsbChorales",
        "third": "AbcFiles",
    }
