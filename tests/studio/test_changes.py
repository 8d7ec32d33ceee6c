"""Transposed, slower, on another instrument."""

import pytest

from symbotunes.errors import UserError
from symbotunes.studio.changes import Change, changed, combined
from symbotunes.studio.opening import typed

KESH = "X:1\nT:Kesh\nM:6/8\nL:1/8\nK:Gmaj\nG3 GAB | A3 ABd |\n"


def test_notation_and_sound_change_alike():
    before = typed(KESH)
    after = changed(before, Change.read({"transpose": 2, "tempo": 90, "instrument": 73}))
    track = after.score.tracks[0]
    assert [note.pitch for note in track.notes] == [69, 69, 71, 73, 71, 71, 73, 76]
    assert track.program == 73
    assert after.score.tempos[0].qpm == pytest.approx(135, abs=0.01)  # 90 dotted quarters
    assert after.abc.splitlines()[2:] == [
        "Q:3/8=90", "%%MIDI program 73", "M:6/8", "L:1/8", "K:Amaj", "A3 ABc | B3 Bce |]",
    ]  # fmt: skip
    assert [note.pitch for note in before.score.tracks[0].notes][:1] == [67]


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({}, "nothing to change"),
        ({"tempo": None}, "nothing to change"),
        ({"tempo": 5}, "change.tempo=5: must be from 10 to 500"),
        ({"tempo": "fast"}, "change.tempo=fast"),
        ({"tempo": True}, "change.tempo=True"),
        ({"transpose": 1.5}, "change.transpose=1.5"),
        ({"transpose": [1]}, "change.transpose="),
        ({"instrument": "kazoo!"}, "change.instrument=kazoo!"),
        ({"instrument": {}}, "change.instrument="),
        ({"out": "/etc"}, "a piece has no 'out' to change"),
        ({"tempos": 90}, "did you mean tempo"),
    ],
)
def test_bad_requests_are_refused_in_one_line(request_, reason):
    with pytest.raises(UserError, match=reason) as error:
        Change.read(request_)
    assert "\n" not in str(error.value)


def test_a_piece_that_cannot_be_moved_so_far_is_not_changed():
    high = typed(KESH.replace("G3 GAB", "g'3 g'ab"))
    with pytest.raises(UserError, match="stays in its key"):
        changed(high, Change(transpose=48))


def test_changes_add_up_to_settings():
    once = combined({"temperature": 0.8, "transpose": 2}, Change(transpose=-5, tempo=90))
    assert once == {"temperature": 0.8, "transpose": -3, "tempo": 90}
    assert combined(once, Change(tempo=100, instrument="flute")) == {
        "temperature": 0.8, "transpose": -3, "tempo": 100, "instrument": "flute",
    }  # fmt: skip
    assert combined({"key": "A"}, Change(tempo=90)) == {"key": "A", "tempo": 90}
    assert combined({"key": "A"}, Change(transpose=1)) is None
