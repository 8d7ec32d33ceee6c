"""Engraved bars in color."""

from collections.abc import Collection
from xml.etree import ElementTree

from symbotunes.render.notation.notation import SVG, XLINK

SOUNDS = ("note", "rest", "mRest")  # classes of what a bar with music holds


def with_colored_bars(svg: str, bars: Collection[int], color: str) -> str:
    """An engraving from `engrave` with the music of some bars in a color, but not their bar lines.

    Verovio reads no colors from ABC. It draws a measure for the music between any two bar signs,
    and an empty one for two signs without music.

    Args:
        svg: the drawing.
        bars: numbers of measures with music, counted from 0.
        color: as in SVG.
    """
    if not bars:
        return svg
    root = ElementTree.fromstring(svg)
    measures = [group for group in _of_class(root, "measure") if _sounds(group)]
    for number in bars:
        for layer in _of_class(measures[number], "layer") if number < len(measures) else ():
            layer.set("color", color)  # of lines
            layer.set("fill", color)  # of signs from the music font
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    return ElementTree.tostring(root, encoding="unicode")


def _of_class(element: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    groups = element.iter(f"{{{SVG}}}g")
    return [group for group in groups if name in group.get("class", "").split()]


def _sounds(measure: ElementTree.Element) -> bool:
    return any(_of_class(measure, name) for name in SOUNDS)
