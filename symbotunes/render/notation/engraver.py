"""Verovio in a process of its own: reads ABC or MIDI from stdin, writes SVG, JSON or MusicXML.

Run by `symbotunes.render.notation.notation`, never imported, for two reasons: some ABC crashes
Verovio with a segmentation fault, which must not end a training, and its log only goes to stderr.
MIDI becomes MusicXML first: music21 spells pitches, splits notes at bar lines and finds voices.
"""

import json
import os
import re
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from contextlib import redirect_stderr
from io import StringIO
from typing import Any
from xml.etree import ElementTree

OPTIONS: dict[str, object] = {
    "pageWidth": 2100,  # in tenths of a mm: staves 8 mm high on a page 21 cm wide
    "pageHeight": 60_000,  # Verovio's maximum: everything on one page ...
    "adjustPageHeight": True,  # ... which ends below the last line
    "svgViewBox": True,  # scales to the available width
    "svgFormatRaw": True,  # indentation is 40 % of a file
    "header": "none",  # the page shows the title
    "footer": "none",
    "xmlIdChecksum": True,  # the same tune gives the same file
    "smuflTextFont": "none",  # embedded, it is 58 kB for the sign of a beat
}
ABC: dict[str, object] = {
    "inputFrom": "abc",
    "breaks": "smart",  # the lines of the ABC, unless they are too full or ...
    "breaksSmartSb": 0.3,  # ... fill less than this fraction of the width
}
MEI = "http://www.music-encoding.org/ns/mei"
XML_ID = "{http://www.w3.org/XML/1998/namespace}id"
# Beats by their length in whole notes, as text that other fonts than Verovio's have.
BEATS = {
    "1": "whole note", "3/4": "dotted half note", "1/2": "half note", "3/8": "♩.",
    "1/4": "♩", "3/16": "♪.", "1/8": "♪",
}  # fmt: skip
OWN_SIGNS = str.maketrans({"\ueca3": "half note", "\ueca5": "♩", "\ueca7": "♪", "\uecb7": "."})
OWN_FONT = re.compile(r' font-family="Leipzig" font-size="[0-9]+px"')
MIDI: dict[str, object] = {"inputFrom": "xml", "breaks": "auto"}
GRIDS = {"sixteenths": (4,), "triplets": (4, 3)}  # parts of a quarter to which notes are moved


def music_xml(source: bytes, kind: str) -> str:
    """ABC, or the notes of a MIDI file on a grid as a score of one part for each track."""
    from music21 import converter
    from music21.musicxml.m21ToXml import GeneralObjectExporter

    with redirect_stderr(StringIO()):  # its warnings are about playing the score
        if kind in GRIDS:
            score = converter.parseData(source, format="midi", quarterLengthDivisors=GRIDS[kind])
        else:
            score = converter.parseData(source.decode(), format="abc")
        xml: str = GeneralObjectExporter(score).parse().decode()
    # Drop the date, and abbreviations that are wrong for drums. Number what has ids at random. Then
    # the same music gives the same file.
    for tag in ("identification", "part-abbreviation"):
        xml = re.sub(rf"<{tag}>.*?</{tag}>", "", xml, flags=re.DOTALL)
    for number, name in enumerate(dict.fromkeys(re.findall(r'"([PI][0-9a-f]{32})"', xml))):
        xml = xml.replace(name, f"{name[0]}{number}")
    return xml


def without_tempo(abc: str) -> tuple[str, tuple[str, str] | None]:
    """ABC without ``Q:``, and the beat and beats per minute of the first that has both."""
    match = re.search(r"^Q:[ \t]*([0-9]+(?:/[0-9]+)?)[ \t]*=[ \t]*([0-9]+)", abc, re.MULTILINE)
    plain = re.sub(r"^(?:Q:|%%).*\n?", "", abc, flags=re.MULTILINE)
    return plain, (match[1], match[2]) if match else None


def annotated(mei: str, numbers: Sequence[str], tempo: tuple[str, str] | None) -> str:
    """MEI that Verovio made of ABC, with numbers of bars and a tempo, which it does not read there.

    Args:
        mei: the tune.
        numbers: of the measures with music, in their order; the others get none.
        tempo: the beat in whole notes, such as ``3/8``, and beats per minute.
    """
    root = ElementTree.fromstring(mei)
    for head in root.findall(f"{{{MEI}}}meiHead"):
        head.clear()  # it holds the time of day
    sounds = {f"{{{MEI}}}{name}" for name in ("note", "rest", "mRest")}
    measures = [
        measure
        for measure in root.iter(f"{{{MEI}}}measure")
        if any(element.tag in sounds for element in measure.iter())
    ]
    for measure, number in zip(measures, numbers, strict=False):
        measure.set("n", number)
    if tempo is not None and measures and tempo[0] in BEATS:
        mark = ElementTree.SubElement(measures[0], f"{{{MEI}}}tempo", tstamp="1", staff="1")
        mark.set(XML_ID, "tempo")
        mark.text = f"{BEATS[tempo[0]]} = {tempo[1]}"
    ElementTree.register_namespace("", MEI)
    return ElementTree.tostring(root, encoding="unicode")


def written_notes(mei: str) -> dict[str, list[Any]]:
    """Ids of the measures and notes of MEI that `annotated` returned, in the order of the document.

    Returns:
        ``measures``: id and number of each; ``None`` without music. ``sounds``: ids of the notes of
        each note or chord.
    """
    root = ElementTree.fromstring(mei)
    note, chord = f"{{{MEI}}}note", f"{{{MEI}}}chord"
    in_chords = {inner for group in root.iter(chord) for inner in group.iter(note)}
    sounds = [
        [inner.get(XML_ID) for inner in element.iter(note)]
        for element in root.iter()
        if element.tag == chord or (element.tag == note and element not in in_chords)
    ]
    measures = [[each.get(XML_ID), each.get("n")] for each in root.iter(f"{{{MEI}}}measure")]
    return {"measures": measures, "sounds": sounds}


def timed_notes(toolkit: Any) -> dict[str, list[Any]]:
    """When the measures and notes of a score without repeats begin and end.

    Verovio's time map crashes on endings, so ABC must not come here.

    Returns:
        ``measures``: id and quarters from the beginning. ``notes``: id, quarters at which it begins
        and ends, MIDI pitch; the parts of tied notes are notes of their own.
    """
    measures: list[Any] = []
    notes: list[Any] = []
    begun: dict[str, float] = {}
    for moment in toolkit.renderToTimemap({"includeMeasures": True}):
        now = moment["qstamp"]
        if "measureOn" in moment:
            measures.append([moment["measureOn"], now])
        for name in moment.get("off", ()):
            if name in begun:
                pitch = toolkit.getMIDIValuesForElement(name)["pitch"]
                notes.append([name, begun.pop(name), now, pitch])
        begun.update(dict.fromkeys(moment.get("on", ()), now))
    return {"measures": measures, "notes": notes}


def written(source: bytes, kind: str, argument: str, *timed: str) -> bytes | None:
    """What is asked for: MusicXML, a drawing, or JSON of a drawing and its times.

    Args:
        source: ABC or MIDI.
        kind: ``abc``, or one of `GRIDS`.
        argument: ``musicxml``, or numbers of bars.
        timed: anything for JSON.

    Returns:
        ``None`` if Verovio finds nothing to engrave.
    """
    if argument == "musicxml":
        return music_xml(source, kind).encode()
    import verovio

    toolkit = verovio.toolkit()
    if kind in GRIDS:
        text = music_xml(source, kind)
        toolkit.setOptions({**OPTIONS, **MIDI})
    else:
        toolkit.setOptions({**OPTIONS, **ABC})
        text, tempo = without_tempo(source.decode())
        if not toolkit.loadData(text):
            return None
        text = annotated(toolkit.getMEI(), argument.split(",") if argument else [], tempo)
        toolkit.setOptions({"inputFrom": "mei"})
    if not toolkit.loadData(text) or toolkit.getPageCount() < 1:
        return None
    if toolkit.getPageCount() > 1:
        print(f"only page 1 of {toolkit.getPageCount()} is shown", file=sys.stderr, flush=True)
    svg = OWN_FONT.sub(' font-size="405px"', toolkit.renderToSVG(1)).translate(OWN_SIGNS)
    if timed:
        times = timed_notes(toolkit) if kind in GRIDS else written_notes(text)
        svg = json.dumps({"svg": svg, **times})
    return svg.encode()


def serve() -> None:
    """Answer requests until stdin ends, see `symbotunes.render.notation.warm`.

    A request is a line of JSON, ``[kind, arguments, size]``, and `size` bytes; an answer is
    ``[size or null, log]`` and the bytes. Verovio logs to stderr by itself, so that is a file here.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who asks, and ends stdin
    answers = os.fdopen(os.dup(1), "wb")
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        os.dup2(2, 1)  # nothing that a library prints is an answer
        while line := sys.stdin.buffer.readline():
            kind, arguments, size = json.loads(line)
            log.seek(0)
            log.truncate()
            try:
                content = written(sys.stdin.buffer.read(size), kind, *arguments)
            except Exception:  # whatever music21 raises, others wait for their notation
                traceback.print_exc()
                content = None
            sys.stderr.flush()
            log.seek(0)
            head = [None if content is None else len(content), log.read().decode(errors="replace")]
            answers.write(json.dumps(head).encode() + b"\n" + (content or b""))
            answers.flush()


def main() -> int:
    """Engrave stdin, or convert it to MusicXML; 1 if Verovio finds nothing to engrave."""
    if sys.argv[1:] == ["serve"]:
        serve()
        return 0
    content = written(sys.stdin.buffer.read(), *sys.argv[1:])
    if content is None:
        return 1
    sys.stdout.buffer.write(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
