"""Which words of a presentation its audience can see: hidden, off the slide, tiny, white on white.

White letters are called unseen only where everything behind them is known to be white; a picture, a
gradient or a theme's fill may show them, and then they count as seen.
"""

from collections.abc import Iterator
from typing import Any

from indexer.load.office import DRAWING, white
from indexer.load.unseen import Sight

P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
TINY = 100
"""Hundredths of a point: letters up to this size are no letters to an audience."""
PALE = ("bg1", "lt1")
PLAIN_BACKGROUND = "1001"
OTHER_FILLS = tuple(f"{DRAWING}{kind}" for kind in ("gradFill", "blipFill", "pattFill", "grpFill"))

Rect = tuple[float, float, float, float]


class SlideSight:
    """Tells of the shapes and runs of one slide whether they are seen."""

    def __init__(self, slide: Any, width: float, height: float) -> None:
        """Looks at the slide's size, background and at what may lie behind its words."""
        self._paper: Rect = (0.0, 0.0, width, height)
        layers = [slide, slide.slide_layout, slide.slide_layout.slide_master]
        self._pale = _pale_theme(layers[-1]) and _pale_background(layers)
        self._behind = [box for layer in layers for box in _grounds(layer)]
        self._layers = layers

    def hides(self, shape: Any, place: Rect) -> bool:
        """Whether a shape is hidden, or hangs beside the slide."""
        own = next(shape.element.iter(f"{P}cNvPr"), None)
        if own is not None and own.get("hidden") in ("1", "true"):
            return True
        return place[2] > place[0] and not _meet(place, self._paper)

    def of(self, run: Any, shape: Any, place: Rect, cell: Any = None) -> Sight:
        """Whether the words of a run are seen; `cell` is the table cell it stands in, if any."""
        mark = run.find(f"{DRAWING}rPr")
        if mark is None:
            return "seen"
        size = mark.get("sz") or ""
        if size.isdecimal() and int(size) <= TINY:
            return "unseen"
        if mark.find(f"{DRAWING}noFill") is not None and mark.find(f"{DRAWING}ln") is None:
            return "unseen"
        alpha = mark.find(f"{DRAWING}solidFill/*/{DRAWING}alpha")
        if alpha is not None and alpha.get("val") in ("0", "0%"):
            return "unseen"
        if not self._white(mark) or mark.find(f"{DRAWING}highlight") is not None:
            return "seen"
        return "unseen" if self._on_white(shape, place, cell) else "seen"

    def _white(self, holder: Any) -> bool:
        """Whether a plain fill is white."""
        fill = holder.find(f"{DRAWING}solidFill")
        if fill is None:
            return False
        named = fill.find(f"{DRAWING}schemeClr")
        if named is not None:
            return named.get("val") in PALE and len(named) == 0 and self._pale
        told = fill.find(f"{DRAWING}srgbClr")
        return told is not None and len(told) == 0 and white(told.get("val") or "")

    def _on_white(self, shape: Any, place: Rect, cell: Any) -> bool:
        if cell is not None:
            told = cell.find(f"{DRAWING}tcPr")
            return told is not None and self._white(told)
        own = shape.element.find(f"{P}spPr")
        if own is not None and self._white(own):
            return True
        if own is not None and _filled(own):
            return False
        style = shape.element.find(f"{P}style/{DRAWING}fillRef")
        bare = own is not None and own.find(f"{DRAWING}noFill") is not None
        if style is not None and style.get("idx") != "0" and not bare:
            return False
        if not self._pale or (shape.is_placeholder and not bare and self._inherits_fill(shape)):
            return False
        return not any(_meet(place, box) for box in self._behind)

    def _inherits_fill(self, shape: Any) -> bool:
        index = shape.placeholder_format.idx
        kind = shape.placeholder_format.type
        for layer in self._layers[1:]:
            for other in layer.placeholders:
                like = other.placeholder_format
                told = other.element.find(f"{P}spPr")
                if (like.idx == index or like.type == kind) and told is not None and _filled(told):
                    return True
        return False


def _filled(properties: Any) -> bool:
    fills = (f"{DRAWING}solidFill", *OTHER_FILLS)
    return any(properties.find(kind) is not None for kind in fills)


def _grounds(layer: Any) -> Iterator[Rect]:
    """Where a layer has pictures and filled shapes, on which white letters may show."""
    for shape in layer.shapes:
        element = shape.element
        told = element.find(f"{P}spPr")
        style = element.find(f"{P}style/{DRAWING}fillRef")
        plain = told.find(f"{DRAWING}solidFill/{DRAWING}srgbClr") if told is not None else None
        if plain is not None and white(plain.get("val") or ""):
            continue
        bare = told is not None and told.find(f"{DRAWING}noFill") is not None
        themed = style is not None and style.get("idx") != "0" and not bare
        holds = element.tag in (f"{P}pic", f"{P}grpSp", f"{P}graphicFrame")
        if holds or themed or (told is not None and _filled(told)):
            left, top = float(shape.left or 0), float(shape.top or 0)
            yield left, top, left + float(shape.width or 0), top + float(shape.height or 0)


def _pale_background(layers: list[Any]) -> bool:
    """Whether the nearest background that is told of is white; none at all is white."""
    for layer in layers:
        told = layer.element.find(f"{P}cSld/{P}bg")
        if told is None:
            continue
        named = told.find(f"{P}bgRef")
        if named is not None:
            scheme = named.find(f"{DRAWING}schemeClr")
            pale = scheme is not None and scheme.get("val") in PALE and len(scheme) == 0
            return pale and named.get("idx") == PLAIN_BACKGROUND
        fill = told.find(f"{P}bgPr/{DRAWING}solidFill")
        scheme = fill.find(f"{DRAWING}schemeClr") if fill is not None else None
        plain = fill.find(f"{DRAWING}srgbClr") if fill is not None else None
        if scheme is not None:
            return scheme.get("val") in PALE and len(scheme) == 0
        return plain is not None and white(plain.get("val") or "")
    return True


def _pale_theme(master: Any) -> bool:
    """Whether the theme's first background colour is white, as nearly always."""
    mapped = master.element.find(f"{P}clrMap")
    if mapped is not None and mapped.get("bg1", "lt1") != "lt1":
        return False
    for relation in master.part.rels.values():
        if relation.reltype.endswith("/theme"):
            content = relation.target_part.blob
            start = content.find(b"<a:lt1>")
            told = content[start : content.find(b"</a:lt1>", start)]
            return start < 0 or b'"window"' in told or b'"FFFFFF"' in told.upper()
    return True


def _meet(one: Rect, other: Rect) -> bool:
    across = one[0] < other[2] and other[0] < one[2]
    return across and one[1] < other[3] and other[1] < one[3]
