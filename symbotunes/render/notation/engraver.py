"""Verovio in a process of its own: reads ABC from stdin, writes SVG to stdout.

Run by `symbotunes.render.notation.notation`, never imported, for two reasons: some ABC crashes
Verovio with a segmentation fault, which must not end a training, and its log only goes to stderr.
"""

import sys

OPTIONS: dict[str, object] = {
    "inputFrom": "abc",
    "breaks": "smart",  # the lines of the ABC, unless they are too full or ...
    "breaksSmartSb": 0.3,  # ... fill less than this fraction of the width
    "pageWidth": 2100,  # in tenths of a mm: staves 8 mm high on a page 21 cm wide
    "pageHeight": 60_000,  # Verovio's maximum: everything on one page ...
    "adjustPageHeight": True,  # ... which ends below the last line
    "svgViewBox": True,  # scales to the available width
    "header": "none",  # the page shows the title
    "footer": "none",
    "xmlIdChecksum": True,  # the same tune gives the same file
    "smuflTextFont": "embedded",  # no external font
}


def main() -> int:
    """Engrave stdin; 1 if Verovio finds nothing to engrave."""
    import verovio

    toolkit = verovio.toolkit()
    toolkit.setOptions(OPTIONS)
    abc = sys.stdin.buffer.read().decode()
    if not toolkit.loadData(abc) or toolkit.getPageCount() < 1:
        return 1
    if toolkit.getPageCount() > 1:
        print(f"only page 1 of {toolkit.getPageCount()} is shown", file=sys.stderr)
    sys.stdout.buffer.write(toolkit.renderToSVG(1).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
