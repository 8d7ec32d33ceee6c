"""Verovio in a process of its own: ABC comes in on stdin, SVG leaves on stdout.

Run by `symbotunes.render.notation.notation`, never imported. Two reasons: some ABC ends Verovio
with a segmentation fault, which must not take a training with it, and its log goes to stderr only.
"""

import sys

OPTIONS: dict[str, object] = {
    "inputFrom": "abc",
    "breaks": "smart",  # the lines of the ABC, unless that leaves them too full or ...
    "breaksSmartSb": 0.3,  # ... emptier than this share
    "pageWidth": 2100,  # in tenths of a mm at 100 %: staves 8 mm high on a page of 21 cm
    "pageHeight": 60_000,  # Verovio's maximum: everything on one page ...
    "adjustPageHeight": True,  # ... that ends below the last line
    "svgViewBox": True,  # scales to the width that it is given
    "header": "none",  # the title stands beside it
    "footer": "none",
    "xmlIdChecksum": True,  # same tune, same file
    "smuflTextFont": "embedded",  # no font from elsewhere
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
