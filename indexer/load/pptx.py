"""Presentations: a slide is a page, its title a heading, its shapes read from the top left.

Speakers' notes are not shown to an audience and are left out, with a warning; so are hidden slides.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pptx
from pptx.enum.shapes import MSO_SHAPE_TYPE, PP_PLACEHOLDER
from pptx.exc import PythonPptxError

from corpus.errors import DocumentError
from indexer.blocks import Block, FilePage, Loaded
from indexer.cautions import Watch, named
from indexer.load.limits import Limits
from indexer.load.office import DAMAGE, DRAWING, check_package, diagram_texts
from indexer.load.unseen_slides import SlideSight
from indexer.normalise import one_line, without_bullet

DIAGRAM_URI = "http://schemas.openxmlformats.org/drawingml/2006/diagram"
FRAME = (
    PP_PLACEHOLDER.SLIDE_NUMBER,
    PP_PLACEHOLDER.FOOTER,
    PP_PLACEHOLDER.DATE,
    PP_PLACEHOLDER.HEADER,
)
TITLES = (PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE, PP_PLACEHOLDER.VERTICAL_TITLE)
BODIES = (PP_PLACEHOLDER.BODY, PP_PLACEHOLDER.OBJECT, PP_PLACEHOLDER.VERTICAL_BODY)
PRESENTATION = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
COUNTED = (
    f"{PRESENTATION}sp",
    f"{PRESENTATION}pic",
    f"{PRESENTATION}grpSp",
    f"{PRESENTATION}graphicFrame",
    f"{DRAWING}tc",
)
PICTURE_PART = 0.3
MOST_DEPTH = 12


@dataclass(frozen=True, slots=True)
class _Placed:
    """A shape and where it lies on the slide, in the file's own units."""

    shape: Any
    left: float
    top: float
    width: float
    height: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Its left, top, right and bottom edge."""
        return self.left, self.top, self.left + self.width, self.top + self.height


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is needed to tell which words of a slide its audience sees."""

    sight: SlideSight
    watch: Watch
    number: int

    def words(self, placed: "_Placed", paragraph: Any, cell: Any = None) -> str:
        """The words of a paragraph that are seen, breaks as newlines; the others are noted."""
        parts = []
        for run in paragraph._p.iterchildren():
            text = "".join(t.text or "" for t in run.iterchildren(f"{DRAWING}t"))
            if run.tag == f"{DRAWING}br":
                parts.append("\n")
            elif text and self.sight.of(run, placed.shape, placed.box, cell) == "unseen":
                self.watch.hide(text, self.number)
            else:
                parts.append(text)
        told = "".join(parts).replace("\v", "\n")
        self.watch.see(told, self.number)
        return told

    def frame(self, placed: "_Placed", frame: Any, cell: Any = None) -> str:
        """The words of a text frame that are seen, a line for each paragraph."""
        return "\n".join(self.words(placed, p, cell) for p in frame.paragraphs)


@dataclass(slots=True)
class _Budget:
    """How many shapes and cells may still be read."""

    name: str
    left: int
    most: int

    def spend(self, count: int) -> None:
        """Counts what is about to be read.

        Raises:
            DocumentError: it is more than may be read.
        """
        self.left -= count
        if self.left < 0:
            raise DocumentError(f"{self.name} holds more than {self.most} shapes and cells.")


def load(content: bytes, name: str, limits: Limits) -> Loaded:
    """The blocks and slides of a presentation.

    Raises:
        DocumentError: it is damaged, under a password, or holds more than may be read.
    """
    check_package(content, name, limits)
    try:
        presentation = pptx.Presentation(io.BytesIO(content))
        slides = list(presentation.slides)
        if len(slides) > limits.pages:
            raise DocumentError(f"{name} has {len(slides)} slides; up to {limits.pages} are read.")
        size = float(presentation.slide_width or 1), float(presentation.slide_height or 1)
        area = size[0] * size[1]
        watch = Watch("slide")
        budget = _Budget(name, limits.pages * 100, limits.pages * 100)
        blocks: list[Block] = []
        pages: list[FilePage] = []
        for number, slide in enumerate(slides, 1):
            found = []
            if _shown(slide):
                seen = _Seen(SlideSight(slide, *size), watch, number)
                found = list(_slide(slide, seen, budget))
            said = any(block.kind != "chrome" for block in found)
            unreadable = _shown(slide) and not said and _pictured(slide, area)
            pages.append(FilePage(number, unreadable=unreadable))
            blocks.extend(found)
        title = one_line(presentation.core_properties.title or "")
        warnings = (*_warnings(slides, pages), *watch.warnings())
    except (*DAMAGE, PythonPptxError) as error:
        raise DocumentError(f"{name} is damaged and cannot be read as a presentation.") from error
    if not slides:
        warnings = (*warnings, "it has no slides")
    real = title and title.casefold() != "powerpoint presentation"
    return Loaded(tuple(blocks), tuple(pages), warnings, title if real else None)


def _shown(slide: Any) -> bool:
    return slide.element.get("show", "1") not in ("0", "false")


def _warnings(slides: Sequence[Any], pages: Sequence[FilePage]) -> Iterator[str]:
    if hidden := [n for n, slide in enumerate(slides, 1) if not _shown(slide)]:
        yield f"hidden slides left out: {named(hidden, 'slide')}"
    if noted := [n for n, slide in enumerate(slides, 1) if _has_notes(slide)]:
        yield f"speakers' notes left out: {named(noted, 'slide')}"
    charts = [n for n, s in enumerate(slides, 1) if any(p.has_chart for p in _flat(s.shapes))]
    if charts:
        yield f"charts of which only the title is read: {named(charts, 'slide')}"
    if pictures := [page.number for page in pages if page.unreadable]:
        yield f"a picture without text: {named(pictures, 'slide')}"


def _has_notes(slide: Any) -> bool:
    if not slide.has_notes_slide:
        return False
    frame = slide.notes_slide.notes_text_frame
    return frame is not None and bool(frame.text.strip())


def _flat(shapes: Any, depth: int = 0) -> Iterator[Any]:
    """All shapes, those in groups too."""
    for shape in shapes:
        if shape.shape_type == MSO_SHAPE_TYPE.GROUP and depth < MOST_DEPTH:
            yield from _flat(shape.shapes, depth + 1)
        else:
            yield shape


def _pictured(slide: Any, area: float) -> bool:
    """Whether pictures cover a good part of a slide."""
    covered = sum(
        float(shape.width or 0) * float(shape.height or 0)
        for shape in _flat(slide.shapes)
        if shape.shape_type in (MSO_SHAPE_TYPE.PICTURE, MSO_SHAPE_TYPE.LINKED_PICTURE)
    )
    return covered >= PICTURE_PART * area


# A slide.


def _slide(slide: Any, seen: _Seen, budget: _Budget) -> Iterator[Block]:
    # Counted in the file itself, for every shape and cell costs its library a search.
    budget.spend(sum(1 for _ in slide.element.iter(*COUNTED)))
    placed = []
    for item in _place(slide.shapes):
        if seen.sight.hides(item.shape, item.box):
            told = item.shape.element.iter(f"{DRAWING}t")
            seen.watch.hide(" ".join(t.text or "" for t in told), seen.number)
        else:
            placed.append(item)
    titles = [p for p in placed if _placeholder(p.shape) in TITLES]
    rest = [p for p in placed if _placeholder(p.shape) not in TITLES]
    for title in titles:
        if text := one_line(seen.frame(title, title.shape.text_frame)):
            yield Block("heading", text, level=1, page=seen.number)
    for item in _ordered(rest):
        yield from _shape(slide, item, seen)


def _placeholder(shape: Any) -> Any:
    return shape.placeholder_format.type if shape.is_placeholder else None


def _place(
    shapes: Any,
    scale: tuple[float, float] = (1.0, 1.0),
    shift: tuple[float, float] = (0.0, 0.0),
    depth: int = 0,
) -> Iterator[_Placed]:
    """Shapes with their place on the slide; those of a group are scaled as the group is."""
    for shape in shapes:
        left = float(shape.left or 0) * scale[0] + shift[0]
        top = float(shape.top or 0) * scale[1] + shift[1]
        width, height = float(shape.width or 0) * scale[0], float(shape.height or 0) * scale[1]
        if shape.shape_type == MSO_SHAPE_TYPE.GROUP and depth < MOST_DEPTH:
            inner, moved = _group_frame(shape, scale, (left, top))
            yield from _place(shape.shapes, inner, moved, depth + 1)
        else:
            yield _Placed(shape, left, top, width, height)


def _group_frame(
    group: Any, scale: tuple[float, float], corner: tuple[float, float]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """How the inner units of a group become the slide's: scale and shift."""
    frame = group.element.grpSpPr.find(f"{DRAWING}xfrm")
    offset = frame.find(f"{DRAWING}chOff") if frame is not None else None
    extent = frame.find(f"{DRAWING}chExt") if frame is not None else None
    if offset is None or extent is None:
        return scale, (0.0, 0.0)
    inner_width, inner_height = float(extent.get("cx") or 0), float(extent.get("cy") or 0)
    across = scale[0] * float(group.width or 0) / inner_width if inner_width else scale[0]
    down = scale[1] * float(group.height or 0) / inner_height if inner_height else scale[1]
    shift = (
        corner[0] - float(offset.get("x") or 0) * across,
        corner[1] - float(offset.get("y") or 0) * down,
    )
    return (across, down), shift


def _ordered(placed: Sequence[_Placed]) -> Iterator[_Placed]:
    """Shapes row by row, and from the left within a row.

    A shape is in a row if its middle lies within the height of the row's first shape.
    """
    left = sorted(placed, key=lambda p: (p.top, p.left))
    while left:
        first = left[0]
        row = [p for p in left if p.top + p.height / 2 <= first.top + first.height or p is first]
        yield from sorted(row, key=lambda p: (p.left, p.top))
        left = [p for p in left if p not in row]


def _shape(slide: Any, placed: _Placed, seen: _Seen) -> Iterator[Block]:
    shape, number = placed.shape, seen.number
    if shape.has_text_frame:
        yield from _text_frame(placed, seen)
    elif getattr(shape, "has_table", False) and shape.has_table:
        yield from _table(placed, seen)
    elif getattr(shape, "has_chart", False) and shape.has_chart:
        chart = shape.chart
        if chart.has_title and chart.chart_title.has_text_frame:
            if text := one_line(chart.chart_title.text_frame.text):
                yield Block("prose", text, page=number)
    elif _is_diagram(shape):
        for text in diagram_texts(slide.part, shape.element):
            yield Block("list_item", text, page=number)


def _is_diagram(shape: Any) -> bool:
    data = shape.element.iter(f"{DRAWING}graphicData")
    return any(each.get("uri") == DIAGRAM_URI for each in data)


def _text_frame(placed: _Placed, seen: _Seen) -> Iterator[Block]:
    shape, number = placed.shape, seen.number
    kind = _placeholder(shape)
    if kind in FRAME:
        if text := one_line(seen.frame(placed, shape.text_frame)):
            yield Block("chrome", text, page=number)
        return
    told = ((p, one_line(seen.words(placed, p))) for p in shape.text_frame.paragraphs)
    paragraphs = [(paragraph, text) for paragraph, text in told if text]
    for paragraph, text in paragraphs:
        listed = _listed(paragraph, kind in BODIES and len(paragraphs) > 1)
        if listed:
            yield Block("list_item", without_bullet(text), page=number)
        elif kind == PP_PLACEHOLDER.SUBTITLE:
            yield Block("heading", text, level=2, page=number)
        else:
            yield Block("prose", text, page=number)


def _listed(paragraph: Any, usual: bool) -> bool:
    """Whether a paragraph has a bullet or number: by its own word, or as bodies usually have."""
    told = paragraph._p.pPr
    if told is not None:
        if told.find(f"{DRAWING}buNone") is not None:
            return False
        if any(told.find(f"{DRAWING}{tag}") is not None for tag in ("buChar", "buAutoNum")):
            return True
    return usual or paragraph.level > 0


def _table(placed: _Placed, seen: _Seen) -> Iterator[Block]:
    table, number = placed.shape.table, seen.number
    rows = []
    for row in table.rows:
        rows.append(tuple(_cell(placed, cell, seen) for cell in row.cells))
    names: tuple[str, ...] = ()
    if table.first_row and len(rows) > 1 and any(rows[0]):
        names = tuple(text.replace("\n", " ") for text in rows[0])
        yield Block("table_header", cells=rows[0], header=names, page=number)
        rows = rows[1:]
    for cells in rows:
        if any(cells):
            yield Block("table_row", cells=cells, header=names, page=number)


def _cell(placed: _Placed, cell: Any, seen: _Seen) -> str:
    """The lines of a cell; what a merged cell covers is empty."""
    if cell.is_spanned:
        return ""
    lines = seen.frame(placed, cell.text_frame, cell._tc).split("\n")
    return "\n".join(clean for line in lines if (clean := without_bullet(one_line(line))))
