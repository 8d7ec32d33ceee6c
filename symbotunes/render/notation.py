"""ABC as engraved notation, through verovio."""

import re
from dataclasses import dataclass

PAGE_WIDTH = 2100  # verovio's units, a tenth of a millimetre
OPTIONS = {
    "inputFrom": "abc",
    "pageWidth": PAGE_WIDTH,
    "pageHeight": 60_000,  # one tall page, cut to what is used
    "adjustPageHeight": True,
    "scale": 42,
    "header": "none",
    "footer": "none",
    "breaks": "auto",
    "svgViewBox": True,
    "svgHtml5": False,
}
_ACTIVE = re.compile(r"<script\b.*?</script\s*>|\son\w+\s*=\s*(\"[^\"]*\"|'[^']*')", re.I | re.S)
_REMOTE = re.compile(r"(href|src)\s*=\s*(\"(?!#)[^\"]*\"|'(?!#)[^']*')", re.I)


class EngravingError(ValueError):
    """ABC that verovio cannot set; the message is one line."""


@dataclass(frozen=True)
class Engraving:
    """Notation as a picture.

    Attributes:
        svg: the picture, one page, nothing in it that runs or loads.
        warnings: what verovio remarked.
    """

    svg: str
    warnings: tuple[str, ...]


def engrave(abc: str) -> Engraving:
    """Set one tune.

    Raises:
        EngravingError: if verovio cannot read it.
    """
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    verovio.enableLogToBuffer(True)
    toolkit = verovio.toolkit()
    toolkit.setOptions(OPTIONS)
    if not toolkit.loadData(abc) or not toolkit.getPageCount():
        remarks = toolkit.getLog().strip().splitlines()
        raise EngravingError(remarks[0] if remarks else "verovio cannot read this ABC")
    svg = toolkit.renderToSVG(1)
    remarks = [line.strip() for line in toolkit.getLog().splitlines() if line.strip()]
    return Engraving(harmless(svg), tuple(dict.fromkeys(remarks)))


def harmless(svg: str) -> str:
    """The picture without scripts, event handlers and references to other files."""
    return _REMOTE.sub("", _ACTIVE.sub("", svg))
