"""Engraved notation as a PDF file, for printing."""

from xml.etree import ElementTree

from symbotunes.render.notation.notation import SVG, XLINK

WIDTH = 794  # pixels of 1/96 inch: A4
HEAD = 160  # units of the drawing, above it, for the title
FONT = 64


def pdf_bytes(svg: bytes, title: str) -> bytes:
    """A drawing from `engrave` below its title, on one page as tall as the tune.

    Raises:
        RuntimeError: if there is no converter.
    """
    try:
        import cairosvg
    except (ImportError, OSError) as error:  # OSError: without the library that it calls
        raise RuntimeError("it needs cairo and pip install 'symbotunes[pdf]'") from error
    return bytes(cairosvg.svg2pdf(bytestring=_titled(svg, title), output_width=WIDTH))


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
