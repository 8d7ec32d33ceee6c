"""Reading MusicXML: the notes, meters and keys of its parts, and nothing else.

For scores of plain parts, such as chorales: tied notes become one, grace and cue notes are
skipped, repeats are not played out. An upbeat is placed at the end of a full bar, so that bars
begin where the meter says.

Not music21, because its 410 scores of Bach take it 127 s of processor time and this reader 7 s; the
notes agree except for two tied ones of instruments, which its `stripTies` breaks. Not verovio,
because its MIDI (34 s) plays grace notes, shortens every note by a tick of 1/120 quarter, and has
neither keys nor the length of an upbeat's bar.
"""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import symusic

MAX_BYTES = 64 * 2**20
TICKS_PER_QUARTER = 480
VELOCITY = 80
_CONTAINER = "META-INF/container.xml"
_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


class MusicXmlError(ValueError):
    """MusicXML that cannot be read.

    Attributes:
        reason: a short phrase, the same for all files with the same problem, so that receipts can
            count it.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


@dataclass(frozen=True)
class WrittenNote:
    """A note as it sounds.

    Attributes:
        onset: quarters from the beginning of the first bar.
        duration: quarters, ties included.
        pitch: MIDI number.
    """

    onset: Fraction
    duration: Fraction
    pitch: int


@dataclass
class Part:
    """One part of a score.

    Attributes:
        name: as printed, such as ``Soprano``.
        notes: in the order of their onsets.
        meters: (quarters from the beginning, beats, beat type).
        keys: (quarters from the beginning, sharps or, negative, flats, whether minor).
    """

    name: str
    notes: list[WrittenNote] = field(default_factory=list)
    meters: list[tuple[Fraction, int, int]] = field(default_factory=list)
    keys: list[tuple[Fraction, int, bool]] = field(default_factory=list)


def read_musicxml(path: Path) -> list[Part]:
    """The parts of a .mxl, .musicxml or .xml file, in their order.

    Raises:
        MusicXmlError: if the file is not MusicXML of parts.
    """
    try:
        root = ElementTree.fromstring(_document(path))
        if root.tag != "score-partwise":
            raise MusicXmlError("not a score of parts", path.name)
        names = {
            entry.get("id"): (entry.findtext("part-name") or "").strip()
            for entry in root.iterfind("part-list/score-part")
        }
        return [
            _PartReader(names.get(part.get("id"), "")).read(part) for part in root.iterfind("part")
        ]
    except (OSError, ElementTree.ParseError, zipfile.BadZipFile, KeyError) as error:
        raise MusicXmlError("unreadable MusicXML", f"{path.name}: {error}") from error
    except (ValueError, ZeroDivisionError, TypeError) as error:
        if isinstance(error, MusicXmlError):
            raise
        raise MusicXmlError("broken MusicXML", f"{path.name}: {error}") from error


def score_of_parts(parts: Sequence[Part], *, program: int) -> symusic.Score:
    """Parts as tracks; meters and keys are those of the first part.

    Args:
        parts: of one score.
        program: General MIDI program of all tracks, counted from 0.

    Raises:
        MusicXmlError: if there are no parts.
    """
    if not parts:
        raise MusicXmlError("no parts")
    score = symusic.Score(TICKS_PER_QUARTER)
    for onset, beats, beat_type in parts[0].meters:
        tick = round(onset * TICKS_PER_QUARTER)
        score.time_signatures.append(symusic.TimeSignature(tick, beats, beat_type))
    for onset, sharps, minor in parts[0].keys:
        tick = round(onset * TICKS_PER_QUARTER)
        score.key_signatures.append(symusic.KeySignature(tick, max(-7, min(7, sharps)), int(minor)))
    for part in parts:
        track = symusic.Track(program=program, name=part.name)
        for note in part.notes:
            start, end = (
                round(moment * TICKS_PER_QUARTER)
                for moment in (note.onset, note.onset + note.duration)
            )
            if 0 <= note.pitch <= 127:
                track.notes.append(symusic.Note(start, max(1, end - start), note.pitch, VELOCITY))
        score.tracks.append(track)
    return score


def _document(path: Path) -> bytes:
    """The XML of a file, taken out of its container if it is compressed."""
    data = path.read_bytes()
    if not data.startswith(b"PK"):
        return data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        container = ElementTree.fromstring(archive.read(_CONTAINER))
        # Some files name the container's namespace and some do not.
        inner = next(
            entry.get("full-path", "")
            for entry in container.iter()
            if entry.tag.endswith("rootfile")
        )
        if archive.getinfo(inner).file_size > MAX_BYTES:
            raise MusicXmlError("larger than 64 MiB", path.name)
        return archive.read(inner)


class _PartReader:
    """Walks through the bars of one part."""

    def __init__(self, name: str) -> None:
        self.part = Part(name)
        self.divisions = Fraction(1)  # per quarter
        self.transposition = 0  # semitones from written to sounding
        self.now = Fraction(0)
        self.last_onset = Fraction(0)
        self.open: dict[int, int] = {}  # sounding pitch of a tied note -> its index in the part

    def read(self, part: Element) -> Part:
        for number, bar in enumerate(part.iterfind("measure")):
            start = end = self.now
            for element in bar:
                self._element(element)
                end = max(end, self.now)
            self.now = end
            if not number:
                self._place_upbeat(end - start)
        self.part.notes.sort(key=lambda note: (note.onset, note.pitch))
        return self.part

    def _element(self, element: Element) -> None:
        if element.tag == "note":
            self._note(element)
        elif element.tag == "backup":
            self.now = max(Fraction(0), self.now - self._duration(element))
        elif element.tag == "forward":
            self.now += self._duration(element)
        elif element.tag == "attributes":
            self._attributes(element)

    def _duration(self, element: Element) -> Fraction:
        return Fraction(element.findtext("duration") or 0) / self.divisions

    def _attributes(self, element: Element) -> None:
        divisions = element.findtext("divisions")
        if divisions:
            self.divisions = Fraction(divisions)
        meter = element.find("time")
        if meter is not None and meter.findtext("beats"):
            beats = sum(int(part) for part in (meter.findtext("beats") or "").split("+"))
            self.part.meters.append((self.now, beats, int(meter.findtext("beat-type") or 4)))
        key = element.find("key")
        if key is not None and key.findtext("fifths"):
            minor = (key.findtext("mode") or "").strip() == "minor"
            self.part.keys.append((self.now, int(key.findtext("fifths") or 0), minor))
        moved = element.find("transpose")
        if moved is not None:
            octaves = int(moved.findtext("octave-change") or 0)
            self.transposition = int(moved.findtext("chromatic") or 0) + 12 * octaves

    def _note(self, element: Element) -> None:
        if element.find("grace") is not None or element.find("cue") is not None:
            return
        duration = self._duration(element)
        onset = self.now
        if element.find("chord") is not None:
            onset = self.last_onset
        else:
            self.last_onset = self.now
            self.now += duration
        pitch = element.find("pitch")
        if pitch is None or not duration:
            return
        self._sound(onset, duration, self._midi(pitch), element)

    def _midi(self, pitch: Element) -> int:
        step = _SEMITONES[(pitch.findtext("step") or "").strip()]
        alter = round(float(pitch.findtext("alter") or 0))
        octave = int(pitch.findtext("octave") or 4)
        return 12 * (octave + 1) + step + alter + self.transposition

    def _sound(self, onset: Fraction, duration: Fraction, pitch: int, element: Element) -> None:
        """Add a note, or prolong the one that is tied to it."""
        notes = self.part.notes
        ties = {tie.get("type") for tie in element.iterfind("tie")}
        index = self.open.pop(pitch, None)
        held = notes[index] if index is not None and "stop" in ties else None
        if index is not None and held and held.onset + held.duration == onset:
            notes[index] = WrittenNote(held.onset, held.duration + duration, pitch)
        else:
            index = len(notes)
            notes.append(WrittenNote(onset, duration, pitch))
        if "start" in ties:
            self.open[pitch] = index

    def _place_upbeat(self, length: Fraction) -> None:
        """After the first bar: move it, if it is shorter than the meter, to end on a bar line."""
        part = self.part
        if not part.meters or not length:
            return
        _, beats, beat_type = part.meters[0]
        missing = Fraction(4 * beats, beat_type) - length
        if missing <= 0:
            return
        part.notes = [
            WrittenNote(note.onset + missing, note.duration, note.pitch) for note in part.notes
        ]
        self.now += missing
