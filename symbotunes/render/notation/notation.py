"""ABC and scores engraved as SVG drawings that are safe to show."""

import re
import subprocess
import sys
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import numpy as np
import symusic

from symbotunes.music.abc.beginnings import stretches_by_bar
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.text import from_abc, in_one_key
from symbotunes.music.midi.bars import bar_lines

# -P: no shadowing by this folder
ENGRAVER = (sys.executable, "-P", str(Path(__file__).with_name("engraver.py")))
PATIENCE_SECONDS = 60  # the longest tunes take less than 1 s
MAX_NOTES = 1000  # of a score; music21 takes about 5 ms for each
MAX_BARS = 1000  # of all staves together, empty ones included, for the same reason
TRIPLETS = 0.1  # share of the onsets from which a score is engraved with triplets
SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
# The elements that Verovio uses; others of SVG can run code or load files.
DRAWING = frozenset({
    "circle", "clipPath", "defs", "desc", "ellipse", "g", "line", "path", "polygon", "polyline",
    "rect", "style", "svg", "symbol", "text", "title", "tspan", "use",
})  # fmt: skip
OUTSIDE = re.compile(r"@import|url\((?!\s*['\"]?\s*(?:#|data:))|expression\(", re.IGNORECASE)


class EngravingError(ValueError):
    """Verovio cannot engrave the tune; the message is one line that says why."""


Kind = Literal["abc", "sixteenths", "triplets"]  # of what is engraved
FORM: dict[Kind, str] = {"abc": "ABC", "sixteenths": "MIDI", "triplets": "MIDI"}


@dataclass(frozen=True)
class Engraving:
    """A tune in staff notation.

    Attributes:
        svg: one page as tall as the tune; scales to any width.
        warnings: those of the engraver.
    """

    svg: str
    warnings: tuple[str, ...]


def engrave(abc: str) -> Engraving:
    """Engrave one tune.

    Raises:
        EngravingError: if Verovio cannot read it, crashes, or takes too long.
    """
    return _engraved("abc", plain_abc(abc), numbers_of_bars(abc))


def plain_abc(abc: str) -> bytes:
    """ABC that other programs read."""
    try:
        abc = in_one_key(abc) if "[K:" in abc else abc
    except AbcError as error:
        raise EngravingError(f"changes of key cannot be engraved: {error}") from error
    return (abc.rstrip("\n") + "\n").encode()  # Verovio drops a last line without a line break


def musicxml_of(abc: str) -> bytes:
    """One tune as MusicXML, by music21.

    Raises:
        EngravingError: if it cannot be converted.
    """
    return run_engraver("abc", plain_abc(abc), "musicxml")[0]


def numbers_of_bars(abc: str) -> list[int]:
    """The bar to which each stretch of music between bar signs belongs; an upbeat is bar 0.

    Empty for ABC that `to_abc` did not write.
    """
    try:
        bars = stretches_by_bar(from_abc(abc))
    except ValueError:
        return []
    numbers = {stretch: bar for bar, stretches in bars.items() for stretch in stretches}
    return [number for _, number in sorted(numbers.items())]


def engrave_score(score: symusic.Score) -> Engraving:
    """Engrave a score, a staff for each track, on a grid of sixteenths, and triplets if it has any.

    Raises:
        EngravingError: if it cannot be engraved, or takes too long.
    """
    kind, midi, cut = plain_midi(score)
    engraving = _engraved(kind, midi)
    return replace(engraving, warnings=(*cut, *engraving.warnings))


def musicxml_of_score(score: symusic.Score) -> bytes:
    """A score as MusicXML, read as `engrave_score` does.

    Raises:
        EngravingError: if it cannot be converted.
    """
    kind, midi, _ = plain_midi(score)
    return run_engraver(kind, midi, "musicxml")[0]


def plain_midi(
    score: symusic.Score, most_notes: int | None = None
) -> tuple[Kind, bytes, tuple[str, ...]]:
    """The beginning of a score as MIDI, its grid, and a remark if it is longer.

    Args:
        score: the score.
        most_notes: of it; ``None``: `MAX_NOTES`.
    """
    plain, cut = _plain(score.to("tick"), MAX_NOTES if most_notes is None else most_notes)
    if not any(len(track.notes) for track in plain.tracks):
        raise EngravingError("there are no notes")
    return "triplets" if _in_triplets(plain) else "sixteenths", bytes(plain.dumps_midi()), cut


def _plain(score: symusic.Score, most_notes: int) -> tuple[symusic.Score, tuple[str, ...]]:
    """The beginning of a score, drums as pitches, and a remark if it is longer.

    Drums have one pitch each, as in the piano roll; on a staff for percussion all look alike.
    """
    plain = score.copy()
    onsets = sorted(note.time for track in plain.tracks for note in track.notes)
    cut: tuple[str, ...] = ()
    if kept := _fitting(plain, onsets, most_notes):
        plain = plain.clip(0, onsets[kept], clip_end=True)
        cut = (f"the first {kept:,} of {len(onsets):,} notes",)
    for track in plain.tracks:
        if track.is_drum:
            track.is_drum, track.name = False, "Drums"
    # A track without notes carries meters and keys, which then stand on every staff.
    plain.tracks.insert(0, symusic.Track(name=""))
    return plain, cut


def _fitting(score: symusic.Score, onsets: Sequence[int], most_notes: int) -> int:
    """How many of the notes, in the order of their onsets, are engraved; 0 for all."""
    staves = sum(len(track.notes) > 0 for track in score.tracks)
    last_bar = bar_lines(score).first - 1 + MAX_BARS // max(1, staves)
    end = bar_lines(score).start(last_bar + 1) * score.ticks_per_quarter
    fitting = max(1, min(most_notes, bisect_left(onsets, end)))
    return fitting if fitting < len(onsets) else 0


def _in_triplets(score: symusic.Score) -> bool:
    """Whether many notes begin nearer to a third of a quarter than to a sixteenth."""
    ticks = [track.notes.numpy()["time"] for track in score.tracks if len(track.notes)]
    if not ticks:
        return False
    quarters = np.concatenate(ticks) / score.ticks_per_quarter
    off_thirds, off_sixteenths = (abs(n * quarters - np.rint(n * quarters)) / n for n in (3, 4))
    return bool((off_thirds < off_sixteenths).mean() > TRIPLETS)


def _engraved(kind: Kind, source: bytes, numbers: Sequence[int] = ()) -> Engraving:
    drawn, log = run_engraver(kind, source, ",".join(map(str, numbers)))
    form = FORM[kind]
    svg = drawn.decode()
    if not re.search(r'class="(note|rest|mRest)\b', svg):
        raise EngravingError("; ".join([f"verovio finds no notes in this {form}", *log[:1]]))
    return Engraving(sanitize(svg), tuple(log))


def run_engraver(kind: Kind, source: bytes, *arguments: str) -> tuple[bytes, list[str]]:
    """What the engraver writes, and its log.

    Args:
        kind: of the source.
        source: ABC or MIDI.
        arguments: numbers of bars, or ``musicxml``; ``timed`` for JSON, see `engraver`.

    Raises:
        EngravingError: if it fails.
    """
    command = [*ENGRAVER, kind, *arguments]
    try:
        done = subprocess.run(command, input=source, capture_output=True, timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise EngravingError(f"verovio took more than {PATIENCE_SECONDS} s") from error
    log = log_lines(done.stderr.decode(errors="replace"))
    if done.returncode < 0:
        raise crashed(kind, log)
    if done.returncode or not done.stdout:
        raise unreadable(kind, log)
    return done.stdout, log


def crashed(kind: Kind, log: Sequence[str]) -> EngravingError:
    """The error of an engraver that has crashed."""
    return EngravingError("; ".join([f"verovio crashed on this {FORM[kind]}", *log[:1]]))


def unreadable(kind: Kind, log: Sequence[str]) -> EngravingError:
    """The error of an engraver that has written nothing."""
    return EngravingError("; ".join([f"verovio cannot read this {FORM[kind]}", *log[-1:]]))


def log_lines(log: str) -> list[str]:
    """Verovio's messages, without duplicates and without their severity."""
    lines = (re.sub(r"^\[\w+\]\s*", "", line).strip() for line in log.splitlines())
    return list(dict.fromkeys(line for line in lines if line))


def sanitize(svg: str, *, keeps_ids: bool = False) -> str:
    """Keep the drawing; drop scripts, event handlers and references to anything outside the file.

    The names of notes and staves go too, unless something refers to them: a tenth of the file.

    Args:
        svg: the drawing.
        keeps_ids: whether they stay.

    Raises:
        EngravingError: if it is not well-formed SVG.
    """
    if "<!" in re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL):
        raise EngravingError("the SVG declares a document type or entities")
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise EngravingError(f"the SVG is broken: {error}") from error
    if root.tag != f"{{{SVG}}}svg":
        raise EngravingError(f"the drawing is not SVG but {root.tag}")
    for parent in list(root.iter()):
        for child in list(parent):
            if not _is_drawing(child):
                parent.remove(child)
    referred = set(re.findall(r"#([\w.-]+)", svg))
    for element in root.iter():
        if not keeps_ids and element.get("id") not in referred:
            element.attrib.pop("id", None)
        for name in [key for key, value in element.attrib.items() if not _is_safe(key, value)]:
            del element.attrib[name]
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    return ElementTree.tostring(root, encoding="unicode")


def _is_drawing(element: ElementTree.Element) -> bool:
    namespace, _, name = str(element.tag).rpartition("}")
    if namespace != f"{{{SVG}" or name not in DRAWING:
        return False
    return name != "style" or not OUTSIDE.search(element.text or "")


def _is_safe(name: str, value: str) -> bool:
    plain = name.rpartition("}")[2].lower()
    if plain.startswith("on"):
        return False
    if plain in ("href", "src"):
        return value.startswith("#")
    return not OUTSIDE.search(value)
