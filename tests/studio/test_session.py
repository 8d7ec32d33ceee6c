"""Sessions outlive kills, full disks and threads."""

import errno
import json
import threading
from dataclasses import replace

import pytest
import symusic

from symbotunes.errors import UserError
from symbotunes.generation.sample import Sample
from symbotunes.studio import piece as pieces_on_disk
from symbotunes.studio.changes import Change
from symbotunes.studio.opening import add_typed
from symbotunes.studio.origins import Changed, Opened, Typed, Written
from symbotunes.studio.session import Session

KESH = "X:1\nT:Kesh\nM:6/8\nL:1/8\nK:Gmaj\n|: G3 GAB | A3 ABd :|\n"
WRITTEN = Written("pretrained/folk_rnn", "folk_rnn", "default", 5, {"temperature": 0.8}, 1)


@pytest.fixture
def session(tmp_path):
    return Session.create(tmp_path / "outputs" / "play" / "evening")


def sample_with(pitches, **facts):
    score = symusic.Score(480)
    track = symusic.Track(program=73, name="Flute")
    for index, pitch in enumerate(pitches):
        track.notes.append(symusic.Note(480 * index, 480, pitch, 90))
    score.tracks.append(track)
    usual = {
        "name": "sample_01", "title": "Sample 1", "abc": None, "tokens": 9, "nll_nats": 12.5,
        "generated": 9, "finished": True, "seed": 77,
    }  # fmt: skip
    return Sample(score=score, **{**usual, **facts})


def notes_of(sample):
    return [
        [(note.time, note.duration, note.pitch) for note in track.notes]
        for track in sample.score.tracks
    ]


def test_a_session_without_pieces_leaves_no_folder(session):
    assert not session.folder.exists()
    assert session.pieces == ()
    assert session.name == "evening"


def test_what_is_kept_is_read_again(session):
    typed = add_typed(session, KESH)
    facts = {"notes": ("a remark",), "marked_bars": (1,), "marked_ticks": ((0, 480),)}
    given = ((True, False),)
    session.add(sample_with([60, 72], given=given, **facts), WRITTEN, typed.id)
    session.add(sample_with([62]), Changed(Change(transpose=2)), "2")
    session.add(sample_with([64]), Opened("<b>.mid"), source=b"")
    again = Session.open(session.folder).pieces
    assert [piece.id for piece in again] == ["1", "2", "3"]  # no MIDI file is in b""
    assert [piece.origin for piece in again] == [Typed(), WRITTEN, Changed(Change(transpose=2))]
    assert [piece.parent for piece in again] == [None, "1", "2"]
    for before, after in zip(session.pieces, again, strict=False):
        assert notes_of(after.sample) == notes_of(before.sample)
        assert after.sample.abc == before.sample.abc
    kept = again[1].sample
    assert (kept.notes, kept.marked_bars, kept.marked_ticks) == tuple(facts.values())
    assert (kept.given, kept.seed, kept.nll_nats) == (given, 77, 12.5)


def test_an_infinite_likelihood_is_kept_as_none(session):
    session.add(sample_with([60], nll_nats=float("inf")), WRITTEN)
    (piece,) = Session.open(session.folder).pieces
    assert piece.sample.nll_nats is None


def test_a_kill_while_a_piece_is_written_costs_no_earlier_one(session):
    add_typed(session, KESH)
    add_typed(session, KESH)
    files = session.folder / "pieces"
    (files / "2.json").unlink()  # the record comes last
    (files / ".2.json.0123abcd.tmp").write_text("{")
    again = Session.open(session.folder)
    assert [piece.id for piece in again.pieces] == ["1"]
    assert add_typed(again, KESH).id == "3"  # number 2 stays as it is
    assert not list(files.glob(".*"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda record: "",
        lambda record: "[]",
        lambda record: json.dumps({**record, "origin": {"kind": "stolen"}}),
        lambda record: json.dumps({**record, "origin": {"kind": "changed", "change": {"a": 1}}}),
        lambda record: json.dumps({**record, "sample": {**record["sample"], "score": "x"}}),
        lambda record: json.dumps({**record, "parent": "9"}),
    ],
)
def test_a_damaged_record_is_left_out(session, damage):
    add_typed(session, KESH)
    add_typed(session, KESH)
    path = session.folder / "pieces" / "1.json"
    path.write_text(damage(json.loads(path.read_text())))
    assert [piece.id for piece in Session.open(session.folder).pieces] == ["2"]


def test_a_full_disk_stops_no_music_and_loses_none(session, monkeypatch):
    first = add_typed(session, KESH)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pieces_on_disk, "atomic_file", full)
        second = session.add(sample_with([60]), WRITTEN, first.id)
        third = session.add(sample_with([61]), WRITTEN, second.id)
        assert session.why_unsaved(second.id) == "No space left on device"
        with pytest.raises(UserError, match=r"not saved.*: No space left on device"):
            session.input_file(third.id, "midi")
        assert [piece.id for piece in session.pieces] == ["1", "2", "3"]
        assert [piece.id for piece in Session.open(session.folder).pieces] == ["1"]
    session.add(sample_with([62]), WRITTEN)
    assert session.why_unsaved(second.id) == ""
    assert [piece.id for piece in Session.open(session.folder).pieces] == ["1", "2", "3", "4"]


def test_a_model_reads_the_file_of_a_piece(session):
    piece = add_typed(session, KESH)
    tune = session.input_file(piece.id, "abc")
    assert tune.read_text() == piece.sample.abc
    assert symusic.Score(session.input_file(piece.id, "midi")).note_num() == 16
    opened = session.add(sample_with([60]), Opened("a.mid"))
    with pytest.raises(UserError, match="Sample 1 has no ABC"):
        session.input_file(opened.id, "abc")


@pytest.mark.parametrize("number", ["9", "../1", "", "1" * 500])
def test_there_is_no_other_piece(session, number):
    add_typed(session, KESH)
    with pytest.raises(UserError, match="there is no piece"):
        session.piece(number)
    with pytest.raises(UserError, match="there is no piece"):
        session.add(sample_with([60]), WRITTEN, number)
    assert len(session.pieces) == 1


def test_a_folder_without_a_session_is_refused(tmp_path):
    with pytest.raises(UserError, match="no session"):
        Session.open(tmp_path)


def test_threads_share_a_session(session):
    def add():
        for _ in range(5):
            session.add(sample_with([60]), WRITTEN)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = [str(number) for number in range(1, 21)]
    assert [piece.id for piece in session.pieces] == expected
    assert [piece.id for piece in Session.open(session.folder).pieces] == expected


def test_a_piece_that_was_opened_keeps_the_bytes_of_its_file(session):
    score = sample_with([60]).score
    source = bytes(score.dumps_midi()) + b"MTrk\0\0\0\0"
    piece = session.add(replace(sample_with([60])), Opened("a.mid"), source=source)
    assert session.input_file(piece.id, "midi").read_bytes() == source
    (again,) = Session.open(session.folder).pieces
    assert again.midi() == source
