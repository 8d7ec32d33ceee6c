"""Verovio in a process of its own: reads ABC or MIDI from stdin, writes SVG to stdout.

Run by `symbotunes.render.notation.notation`, never imported, for two reasons: some ABC crashes
Verovio with a segmentation fault, which must not end a training, and its log only goes to stderr.
MIDI becomes MusicXML first: music21 spells pitches, splits notes at bar lines and finds voices.
"""

import re
import sys
from contextlib import redirect_stderr
from io import StringIO

OPTIONS: dict[str, object] = {
    "pageWidth": 2100,  # in tenths of a mm: staves 8 mm high on a page 21 cm wide
    "pageHeight": 60_000,  # Verovio's maximum: everything on one page ...
    "adjustPageHeight": True,  # ... which ends below the last line
    "svgViewBox": True,  # scales to the available width
    "svgFormatRaw": True,  # indentation is 40 % of a file
    "header": "none",  # the page shows the title
    "footer": "none",
    "xmlIdChecksum": True,  # the same tune gives the same file
    "smuflTextFont": "embedded",  # no external font
}
ABC: dict[str, object] = {
    "inputFrom": "abc",
    "breaks": "smart",  # the lines of the ABC, unless they are too full or ...
    "breaksSmartSb": 0.3,  # ... fill less than this fraction of the width
}
MIDI: dict[str, object] = {"inputFrom": "xml", "breaks": "auto"}
GRIDS = {"sixteenths": (4,), "triplets": (4, 3)}  # parts of a quarter to which notes are moved


def music_xml(midi: bytes, grid: str) -> str:
    """The notes of a MIDI file as a score of one part for each track."""
    from music21 import converter
    from music21.musicxml.m21ToXml import GeneralObjectExporter

    with redirect_stderr(StringIO()):  # its warnings are about playing the score
        score = converter.parseData(midi, format="midi", quarterLengthDivisors=GRIDS[grid])
        xml: str = GeneralObjectExporter(score).parse().decode()
    # Drop the date, and abbreviations that are wrong for drums. Number what has ids at random. Then
    # the same music gives the same file.
    for tag in ("identification", "part-abbreviation"):
        xml = re.sub(rf"<{tag}>.*?</{tag}>", "", xml, flags=re.DOTALL)
    for number, name in enumerate(dict.fromkeys(re.findall(r'"([PI][0-9a-f]{32})"', xml))):
        xml = xml.replace(name, f"{name[0]}{number}")
    return xml


def main() -> int:
    """Engrave stdin; 1 if Verovio finds nothing to engrave."""
    import verovio

    source = sys.stdin.buffer.read()
    toolkit = verovio.toolkit()
    if sys.argv[1] in GRIDS:
        text = music_xml(source, sys.argv[1])
        toolkit.setOptions({**OPTIONS, **MIDI})
    else:
        text = source.decode()
        toolkit.setOptions({**OPTIONS, **ABC})
    if not toolkit.loadData(text) or toolkit.getPageCount() < 1:
        return 1
    if toolkit.getPageCount() > 1:
        print(f"only page 1 of {toolkit.getPageCount()} is shown", file=sys.stderr)
    sys.stdout.buffer.write(toolkit.renderToSVG(1).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
