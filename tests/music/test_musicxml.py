"""MusicXML, written by hand."""

import zipfile
from fractions import Fraction

import pytest

from symbotunes.music.musicxml import MusicXmlError, read_musicxml

CONTAINER = '<container><rootfiles><rootfile full-path="a.xml"/></rootfiles></container>'
FOUR_FOUR = (
    "<attributes><divisions>2</divisions><key><fifths>-1</fifths><mode>minor</mode></key>"
    "<time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
)


def note(step, duration, *, octave=4, alter=None, inside=""):
    sign = "" if alter is None else f"<alter>{alter}</alter>"
    pitch = f"<pitch><step>{step}</step>{sign}<octave>{octave}</octave></pitch>"
    return f"<note>{inside}{pitch}<duration>{duration}</duration></note>"


@pytest.fixture
def read(tmp_path):
    def run(*bars, name="Flute"):
        inner = "".join(f"<measure>{bar}</measure>" for bar in bars)
        path = tmp_path / "a.xml"
        path.write_text(
            f'<score-partwise><part-list><score-part id="P1"><part-name>{name}</part-name>'
            f'</score-part></part-list><part id="P1">{inner}</part></score-partwise>'
        )
        (part,) = read_musicxml(path)
        return part

    return run


def heard(part):
    return [(float(note.onset), float(note.duration), note.pitch) for note in part.notes]


def test_divisions_accidentals_and_rests(read):
    rest = "<note><rest/><duration>2</duration></note>"
    part = read(FOUR_FOUR + note("C", 1) + rest + note("F", 3, alter=1) + note("B", 2, alter=-1))
    assert heard(part) == [(0, 0.5, 60), (1.5, 1.5, 66), (3, 1, 70)]
    assert part.name == "Flute"
    assert part.meters == [(Fraction(0), 4, 4)]
    assert part.keys == [(Fraction(0), -1, True)]


def test_tied_notes_are_one_across_bar_lines(read):
    start, both, stop = (
        "".join(f'<tie type="{kind}"/>' for kind in kinds)
        for kinds in (["start"], ["stop", "start"], ["stop"])
    )
    part = read(
        FOUR_FOUR + note("C", 8, inside=start),
        note("C", 8, inside=both),
        note("C", 2, inside=stop) + note("C", 6),
    )
    assert heard(part) == [(0, 9, 60), (9, 3, 60)]


def test_a_tie_that_leads_nowhere_is_no_tie(read):
    part = read(
        FOUR_FOUR
        + note("C", 2, inside='<tie type="start"/>')
        + note("D", 2)
        + note("C", 4, inside='<tie type="stop"/>')
    )
    assert heard(part) == [(0, 1, 60), (1, 1, 62), (2, 2, 60)]


def test_chords_voices_and_ornaments(read):
    grace = "<note><grace/><pitch><step>A</step><octave>4</octave></pitch></note>"
    back = "<backup><duration>8</duration></backup>"
    part = read(
        FOUR_FOUR + grace + note("C", 8) + note("E", 8, inside="<chord/>") + back
        + "<forward><duration>4</duration></forward>" + note("G", 4, octave=3),
        note("D", 8),
    )  # fmt: skip
    assert heard(part) == [(0, 4, 60), (0, 4, 64), (2, 2, 55), (4, 4, 62)]


def test_an_upbeat_ends_on_the_bar_line(read):
    part = read(FOUR_FOUR + note("C", 2), note("D", 8))
    assert heard(part) == [(3, 1, 60), (4, 4, 62)]


def test_transposing_instruments_sound(read):
    down = "<attributes><transpose><chromatic>-2</chromatic></transpose></attributes>"
    assert heard(read(FOUR_FOUR + down + note("C", 8))) == [(0, 4, 58)]


def test_compressed_files_name_their_score(read, tmp_path):
    part = read(FOUR_FOUR + note("C", 8))
    with zipfile.ZipFile(tmp_path / "a.mxl", "w") as archive:
        archive.write(tmp_path / "a.xml", "a.xml")
        archive.writestr("META-INF/container.xml", CONTAINER)
    assert read_musicxml(tmp_path / "a.mxl") == [part]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "unreadable MusicXML"),
        (b"<score-partwise>", "unreadable MusicXML"),
        (b"PK\x03\x04 broken", "unreadable MusicXML"),
        (b"<score-timewise/>", "not a score of parts"),
        (
            b"<score-partwise><part><measure><attributes><divisions>0</divisions></attributes>"
            b"<note><duration>1</duration></note></measure></part></score-partwise>",
            "broken MusicXML",
        ),
    ],
)
def test_broken_files_have_a_reason(tmp_path, data, reason):
    path = tmp_path / "x.xml"
    path.write_bytes(data)
    with pytest.raises(MusicXmlError) as caught:
        read_musicxml(path)
    assert caught.value.reason == reason
