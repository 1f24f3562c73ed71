"""Which words of a Word document its reader can see: hidden, tiny, or white on white."""

from dataclasses import dataclass
from typing import Any

from indexer.load.office import DRAWING, white
from indexer.load.unseen import Sight

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
PLACE = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
SHAPE = "{http://schemas.microsoft.com/office/word/2010/wordprocessingShape}"
VML = "{urn:schemas-microsoft-com:vml}"
TINY = 2
"""Half points: letters up to this size are no letters to a reader."""
BEYOND_LEFT = -2_000_000
BEYOND_RIGHT = 30_000_000
"""Where a text box starts or ends outside any paper, in English metric units (360,000 a cm)."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What a style says of letters and their ground, its ancestors' word included."""

    hidden: bool = False
    colour: str | None = None
    ground: bool = False


class WordSight:
    """Tells of the runs and text boxes of one document whether they are seen."""

    def __init__(self, document: Any) -> None:
        """Looks through the styles and for what may lie behind the text."""
        found = {s.get(f"{W}styleId"): s for s in document.styles.element.iter(f"{W}style")}
        self._looks = {key: _look(key, found) for key in found if key}
        self._shaded = {
            key
            for key in self._looks
            if any(_ground(mark) for s in _chain(key, found) for mark in s.iter(f"{W}shd"))
        }
        parts = [document.part, *(r.target_part for r in _internal(document.part, "/header"))]
        drawn = (f"{PLACE}anchor", f"{VML}shape", f"{VML}rect")
        # A picture or a box may lie behind words: whether it does is known only once laid out.
        self._floating = any(
            next(part.element.iter(*drawn), None) is not None
            for part in parts
            if hasattr(part, "element")
        )
        paper = document.element.find(f"{W}background")
        self._dark = paper is not None and not white(paper.get(f"{W}color") or "FFFFFF")

    def of(self, run: Any, style: str | None) -> Sight:
        """Whether the words of a run are seen; `style` is that of its paragraph."""
        mark = run.find(f"{W}rPr")
        own = _looks_of(mark)
        above = self._looks.get(style or "", _Look())
        told = self._looks.get(_value(mark, "rStyle") or "", _Look())
        if _said(mark, "vanish") is not None:
            if own.hidden:
                return "unseen"
        elif told.hidden or above.hidden:
            return "unseen"
        size = _value(mark, "sz") or ""
        if size.isdecimal() and int(size) <= TINY:
            return "unseen"
        colour = own.colour or told.colour or above.colour
        if colour is None or not white(colour):
            return "seen"
        if own.ground or told.ground or above.ground or _value(mark, "highlight"):
            return "seen"
        return self._behind(run)

    def _behind(self, run: Any) -> Sight:
        """Whether white letters show on what is around and behind them."""
        for above in run.iterancestors():
            if above.tag == f"{W}p" and _ground_of(above.find(f"{W}pPr")):
                return "seen"
            if above.tag == f"{W}tc" and _ground_of(above.find(f"{W}tcPr")):
                return "seen"
            if above.tag == f"{W}tbl":
                told = above.find(f"{W}tblPr")
                if _ground_of(told) or _value(told, "tblStyle") in self._shaded:
                    return "seen"
            if above.tag == f"{SHAPE}wsp" and (seen := _filled(above)) is not None:
                return "seen" if seen else "unseen"
            if above.tag in (f"{VML}shape", f"{VML}rect"):
                return "doubtful"
        if self._dark:
            return "seen"
        return "doubtful" if self._floating else "unseen"


def off_paper(box: Any) -> bool:
    """Whether a text box hangs where no paper is."""
    anchor = next(box.iterancestors(f"{PLACE}anchor"), None)
    if anchor is None:
        return False
    extent = anchor.find(f"{PLACE}extent")
    for position, side in (("positionH", "cx"), ("positionV", "cy")):
        offset = anchor.find(f"{PLACE}{position}/{PLACE}posOffset")
        if offset is None or extent is None:
            continue
        start, length = int(offset.text or 0), int(extent.get(side) or 0)
        if start + length < BEYOND_LEFT or start > BEYOND_RIGHT:
            return True
    return False


def _internal(part: Any, kind: str) -> list[Any]:
    return [r for r in part.rels.values() if r.reltype.endswith(kind) and not r.is_external]


def _chain(key: str, found: dict[str, Any]) -> list[Any]:
    """A style and those it is based on."""
    out: list[Any] = []
    while key and key in found and found[key] not in out:
        out.append(found[key])
        key = _value(found[key], "basedOn") or ""
    return out


def _look(key: str, found: dict[str, Any]) -> _Look:
    hidden, colour, ground = False, None, False
    for style in _chain(key, found):
        look = _looks_of(style.find(f"{W}rPr"))
        hidden = hidden or look.hidden
        colour = colour or look.colour
        ground = ground or look.ground or _ground_of(style.find(f"{W}pPr"))
    return _Look(hidden, colour, ground)


def _looks_of(mark: Any) -> _Look:
    if mark is None:
        return _Look()
    vanish = _said(mark, "vanish")
    hidden = vanish is not None and vanish.get(f"{W}val", "true") not in ("0", "false", "off")
    return _Look(hidden, _value(mark, "color"), _ground_of(mark))


def _said(element: Any, tag: str) -> Any:
    return element.find(f"{W}{tag}") if element is not None else None


def _value(element: Any, tag: str) -> str | None:
    child = _said(element, tag)
    return child.get(f"{W}val") if child is not None else None


def _ground_of(properties: Any) -> bool:
    shading = _said(properties, "shd")
    return shading is not None and _ground(shading)


def _ground(shading: Any) -> bool:
    """Whether shading shows: with a colour other than white, or with a pattern."""
    fill = shading.get(f"{W}fill") or "auto"
    pattern = shading.get(f"{W}val") or "clear"
    return (fill.lower() != "auto" and not white(fill)) or pattern not in ("clear", "nil")


def _filled(shape: Any) -> bool | None:
    """Whether a shape is filled with a colour other than white; None if one looks through it."""
    told = shape.find(f"{SHAPE}spPr")
    if told is None or told.find(f"{DRAWING}noFill") is not None:
        return None
    plain = told.find(f"{DRAWING}solidFill/{DRAWING}srgbClr")
    return plain is None or not white(plain.get("val") or "")
