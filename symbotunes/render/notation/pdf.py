"""Engraved notation as a PDF file, for printing, and as a picture."""

from typing import Any
from xml.etree import ElementTree

from symbotunes.render.notation.notation import SVG, XLINK

WIDTH = 794  # pixels of 1/96 inch: A4
PNG_WIDTH = 1654  # pixels: A4 at 200 dpi
HEAD = 160  # units of the drawing, above it, for the title
FONT = 64


def pdf_bytes(svg: bytes, title: str) -> bytes:
    """A drawing from `engrave` below its title, on one page as tall as the tune.

    Raises:
        RuntimeError: if there is no converter.
    """
    return bytes(_converter().svg2pdf(bytestring=_titled(svg, title), output_width=WIDTH))


def png_bytes(svg: bytes) -> bytes:
    """A drawing from `engrave` as a picture on white, `PNG_WIDTH` wide.

    Raises:
        RuntimeError: if there is no converter.
    """
    converter = _converter()
    return bytes(
        converter.svg2png(bytestring=svg, output_width=PNG_WIDTH, background_color="white")
    )


def _converter() -> Any:
    try:
        import cairosvg
    except (ImportError, OSError) as error:  # OSError: without the library that it calls
        raise RuntimeError("it needs cairo and pip install 'symbotunes[pdf]'") from error
    return cairosvg


def _titled(svg: bytes, title: str) -> bytes:
    root = ElementTree.fromstring(svg)
    left, top, width, height = (float(side) for side in root.get("viewBox", "").split())
    root.set("viewBox", f"{left:g} {top - HEAD:g} {width:g} {height + HEAD:g}")
    head = ElementTree.SubElement(root, f"{{{SVG}}}text", {"text-anchor": "middle"})
    head.attrib |= {"x": f"{left + width / 2:g}", "y": f"{top - HEAD / 3:g}"}
    head.attrib |= {"font-size": f"{FONT}px", "font-family": "serif"}
    head.text = title
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    return ElementTree.tostring(root)
