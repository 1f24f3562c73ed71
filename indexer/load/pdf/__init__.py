"""PDF: text in reading order with its place, tables, headings, and what frames the pages.

Text and places come from pypdfium2 (`words`), the order of reading from white space and drawn boxes
(`layout`), tables from rules and alignment (`tables`), the frame of the pages from repetition
(`margins`). A page without text is read by Tesseract where it is installed (`ocr`), and is counted
unreadable otherwise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import median

import pypdfium2

from corpus.errors import DocumentError
from indexer.blocks import Block, FilePage, Loaded
from indexer.cautions import Watch, named
from indexer.load import ocr
from indexer.load.limits import Limits
from indexer.load.pdf import contents, headings, margins
from indexer.load.pdf.layout import (
    Leaf,
    Piece,
    Solid,
    Span,
    reading_order,
    spans_of,
    union,
    with_drawn_bullets,
    with_panels,
)
from indexer.load.pdf.opening import opened
from indexer.load.pdf.paragraphs import (
    LED,
    Hyphens,
    Paragraph,
    absorb,
    breaks_off,
    paragraphs,
    shown_box,
    text_of,
)
from indexer.load.pdf.picture import drawn
from indexer.load.pdf.rows import Rows, table_rows
from indexer.load.pdf.tables import Table, aligned_table, ruled_tables
from indexer.load.pdf.words import PageInk, Rect, Word, read_page, turned
from indexer.normalise import normalise, one_line

PICTURE_PAGE = 0.05
"""The part of a page that pictures must cover for a page without words to show something."""
FRAMED_PICTURE_PAGE = 0.3
DRAWN_PAGE = 30
NOTE_SIZE = 0.88
NOTE_PLACE = 0.6
OCR_LONG_SIDE = 2500

Element = Paragraph | Rows


@dataclass(slots=True)
class Sheet:
    """A page on its way from words to blocks."""

    ink: PageInk
    turn: int
    page: margins.Framed
    aslant: tuple[str, ...] = ()
    elements: tuple[Element, ...] = ()
    broken: bool = False

    @property
    def number(self) -> int:
        """The page's place in the file, from 1."""
        return self.page.number


def load(content: bytes, name: str, limits: Limits) -> Loaded:
    """The blocks of a PDF.

    Raises:
        DocumentError: it is damaged, under a password, without pages, or has too many.
    """
    document = opened(content, name)
    count = len(document)
    if count > limits.pages:
        raise DocumentError(f"{name} has {count} pages; up to {limits.pages} are read.")
    sheets = [_sheet(document, number) for number in range(1, count + 1)]
    words = [word.text for sheet in sheets for word in sheet.ink.words]
    hyphens = Hyphens(words, sum(len(sheet.page.spans) for sheet in sheets))
    margins.take_out([sheet.page for sheet in sheets], _body_size(sheets))
    for sheet in sheets:
        sheet.elements = tuple(_elements(sheet, hyphens))
    _interpret(sheets, headings.outline_of(document))
    read = _read_pictures(document, sheets, limits)
    blocks = _blocks(_run_on(sheets, hyphens), sheets, read)
    pages = tuple(_file_page(document, sheet, read) for sheet in sheets)
    title = one_line(document.get_metadata_value("Title"))
    return Loaded(blocks, pages, tuple(_warnings(sheets, read)), _real(title))


def _real(title: str) -> str | None:
    """A title that somebody gave, not one that a program made up."""
    made = not title or title.casefold() == "untitled" or title.startswith("Microsoft ")
    return None if made else title


# A page's pieces.


def _sheet(document: "pypdfium2.PdfDocument", number: int) -> Sheet:
    try:
        page = document[number - 1]
        ink = read_page(page, number)
        page.close()
    except (pypdfium2.PdfiumError, ValueError, OSError):
        ink = PageInk(number, 0.0, 0.0)
        return Sheet(ink, 0, margins.Framed(number, 1.0, []), broken=True)
    aslant = tuple(word.text for word in ink.words if word.turn < 0)
    ink.words = [word for word in ink.words if word.turn >= 0]
    turn = _main_turn(ink)
    read = turned(ink, turn)
    spans = spans_of(word for word in read.words if word.turn == turn)
    with_drawn_bullets(spans, read.dots)
    framed = margins.Framed(number, max(read.height, 1.0), spans)
    return Sheet(ink, turn, framed, aslant)


def _main_turn(ink: PageInk) -> int:
    letters = dict.fromkeys((0, 90, 180, 270), 0)
    for word in ink.words:
        letters[word.turn] += len(word.text)
    return max(letters, key=lambda turn: letters[turn])


def _body_size(sheets: Sequence[Sheet]) -> float:
    sizes = [span.size for sheet in sheets for span in sheet.page.spans for _ in span.words]
    return median(sizes) if sizes else 10.0


def _elements(sheet: Sheet, hyphens: Hyphens) -> Iterator[Element]:
    """The paragraphs and tables of a page in the order in which they are read."""
    ink = turned(sheet.ink, sheet.turn)
    spans = [*sheet.page.spans, *_turned_text(sheet, ink, hyphens)]
    if listed := contents.is_contents(spans):
        spans = contents.with_numbers(spans)
    tables, rest = ([], spans) if listed else ruled_tables(ink, spans)
    pieces: list[Piece] = [*tables]
    for span in rest:
        level = span.words[0].turn == sheet.turn
        pieces.append(span if level else Solid(Leaf([span], span.box), span.box))
    pieces = with_panels(pieces, ink, ink.fills)
    find = contents.no_table if listed else aligned_table
    for part in reading_order(pieces, find):
        inside = part.content if isinstance(part, Solid) else part
        if isinstance(inside, Table):
            yield table_rows(inside, sheet.number, hyphens)
        elif isinstance(inside, Leaf):
            ends = contents.NUMBERED if listed else LED
            yield from paragraphs(inside, sheet.number, hyphens, ends)


def _turned_text(sheet: Sheet, main: PageInk, hyphens: Hyphens) -> Iterator[Span]:
    """Text set at another angle than most of the page, each paragraph of it as one word."""
    for turn in (0, 90, 180, 270):
        words = [w for w in sheet.ink.words if w.turn == turn]
        if turn == sheet.turn or not words:
            continue
        place = {id(a.shown): b.box for a, b in zip(sheet.ink.words, main.words, strict=True)}
        level = (word for word in turned(sheet.ink, turn).words if word.turn == turn)
        for part in reading_order(spans_of(level), contents.no_table):
            if not isinstance(part, Leaf):
                continue
            for paragraph in paragraphs(part, sheet.number, hyphens):
                inside = [word for line in paragraph.lines for word in line.words]
                box = union(place[id(word.shown)] for word in inside)
                middle = (box.top + box.bottom) / 2 + 0.3 * paragraph.style.size
                word = Word(
                    text_of(paragraph.lines, hyphens),
                    box,
                    middle,
                    paragraph.style,
                    union(word.shown for word in inside),
                    turn,
                )
                yield Span([word], middle, paragraph.style.size, box)


# What the paragraphs are.


def _interpret(sheets: Sequence[Sheet], outline: headings.Outline) -> None:
    """Marks contents lines, headings and footnotes among the paragraphs."""
    for sheet in sheets:
        contents.mark([e for e in sheet.elements if isinstance(e, Paragraph)])
    told = [
        element
        for sheet in sheets
        for element in sheet.elements
        if isinstance(element, Paragraph) and not element.contents
    ]
    headings.mark_headings(told, outline)
    body = headings.body_size(told)
    heights = {sheet.number: sheet.ink.height for sheet in sheets}
    for paragraph in told:
        small = paragraph.style.size <= NOTE_SIZE * body
        low = paragraph.boxes[0].top > NOTE_PLACE * heights[paragraph.page]
        paragraph.note = small and low and not paragraph.heading


def _run_on(sheets: Sequence[Sheet], hyphens: Hyphens) -> list[Element]:
    """All elements, those made whole that break off at the end of a column or page.

    A note or a heading may stand between the two parts of a paragraph, as where a heading tops the
    next column; a table may stand between none.
    """
    out: list[Element] = []
    held: Paragraph | None = None
    topped = False
    for element in chain.from_iterable(sheet.elements for sheet in sheets):
        if isinstance(element, Rows):
            above = _table_before(out, element)
            out.append(above.continued_by(element) if above else element)
            held = None
        elif element.note:
            out.append(element)
        elif element.heading and held is not None and not topped:
            out.append(element)
            topped = True
        elif held is not None and breaks_off(held, element):
            absorb(held, element, hyphens)
        else:
            out.append(element)
            held, topped = (None if element.heading else element), False
    return out


def _table_before(elements: Sequence[Element], below: Rows) -> Rows | None:
    """The table at the end of the page before that the first table of a page may go on with."""
    for element in reversed(elements):
        if element.page == below.page:
            return None  # something stands above it on its own page
        if element.page < below.page - 1:
            return None
        if isinstance(element, Rows) and element.fits(below):
            return element
        if isinstance(element, Paragraph) and not element.note:
            return None
    return None


# Blocks and pages.


def _blocks(
    elements: Sequence[Element], sheets: Sequence[Sheet], read: dict[int, list[Block]]
) -> tuple[Block, ...]:
    """The blocks of all pages, what frames a page before what stands on it."""
    by_page: dict[int, list[Block]] = {sheet.number: [] for sheet in sheets}
    for sheet in sheets:
        for text in (*sheet.page.chrome, *sheet.aslant):
            by_page[sheet.number].append(Block("chrome", one_line(text), page=sheet.number))
    for element in elements:
        if isinstance(element, Rows):
            by_page[element.page].extend(element.blocks)
        else:
            by_page[element.page].append(_block(element))
    for number, blocks in read.items():
        by_page[number].extend(blocks)
    return tuple(block for number in sorted(by_page) for block in by_page[number])


def _block(paragraph: Paragraph) -> Block:
    boxes = tuple(paragraph.boxes)
    text = normalise(paragraph.text)
    if paragraph.contents:
        return Block("contents", text, page=paragraph.page, boxes=boxes)
    if paragraph.heading:
        level = paragraph.heading
        return Block("heading", text, level=level, page=paragraph.page, boxes=boxes)
    kind = "list_item" if paragraph.item else "prose"
    return Block(kind, text, page=paragraph.page, boxes=boxes)  # type: ignore[arg-type]


def _file_page(
    document: "pypdfium2.PdfDocument", sheet: Sheet, read: dict[int, list[Block]]
) -> FilePage:
    label = sheet.page.label or one_line(document.get_page_label(sheet.number - 1)) or None
    return FilePage(
        sheet.number,
        label=label,
        stamp=sheet.page.stamp,
        inferred=sheet.page.inferred,
        unreadable=_shows_without_words(sheet) and not read.get(sheet.number),
    )


def _shows_without_words(sheet: Sheet) -> bool:
    """Whether a page shows something, but has no words of its own that can be relied on."""
    if sheet.broken or _garbled(sheet):
        return True
    if sheet.elements:
        return False
    framed = bool(sheet.page.chrome)
    if sheet.ink.pictured >= (FRAMED_PICTURE_PAGE if framed else PICTURE_PAGE):
        return True
    return sheet.ink.drawn >= DRAWN_PAGE


def _garbled(sheet: Sheet) -> bool:
    return sheet.ink.unmapped * 2 > len(sheet.ink.words) > 0


def _read_pictures(
    document: "pypdfium2.PdfDocument", sheets: Sequence[Sheet], limits: Limits
) -> dict[int, list[Block]]:
    """What Tesseract finds on the pages that show something but hold no words."""
    wanting = [s for s in sheets if _shows_without_words(s) and not s.broken]
    read: dict[int, list[Block]] = {}
    for sheet in wanting:
        if _garbled(sheet):
            sheet.elements = ()
    if not wanting or not ocr.installed():
        return read
    budget = ocr.Budget(limits.ocr_seconds, limits.ocr_page_seconds)
    for sheet in wanting:
        page = document[sheet.number - 1]
        scale = max(*page.get_size(), 1.0) / OCR_LONG_SIDE
        found = ocr.read(drawn(page, OCR_LONG_SIDE), budget)
        read[sheet.number] = [
            Block(
                "prose",
                normalise(part.text),
                page=sheet.number,
                boxes=(shown_box(sheet.number, Rect(*part.box.scaled(scale))),),
            )
            for part in found
        ]
    return read


# Findings.


def _warnings(sheets: Sequence[Sheet], read: dict[int, list[Block]]) -> Iterator[str]:
    broken = [sheet.number for sheet in sheets if sheet.broken]
    if broken:
        yield f"damaged and left out: {named(broken)}"
    recognised = [number for number, blocks in sorted(read.items()) if blocks]
    if recognised:
        yield f"read from a picture by Tesseract, so mistakes are likely: {named(recognised)}"
    wanting = [
        s.number
        for s in sheets
        if _shows_without_words(s) and not s.broken and s.number not in recognised
    ]
    if wanting:
        why = "Tesseract found none" if ocr.installed() else "Tesseract is not installed"
        yield f"a picture without a text layer, and {why}: {named(wanting)}"
    inferred = [sheet.number for sheet in sheets if sheet.page.inferred]
    if inferred:
        yield f"the pack's number is not stamped on, but inferred for: {named(inferred)}"
    forms = [sheet.number for sheet in sheets if sheet.ink.fields]
    if forms:
        yield f"a form, of which what is filled in is not read: {named(forms)}"
    empty = [s.number for s in sheets if not s.ink.words and not _shows_without_words(s)]
    if empty:
        yield f"nothing to read: {named(empty)}"
    garbled = [sheet.number for sheet in sheets if _garbled(sheet)]
    if garbled:
        yield f"fonts that do not say which letters they draw, text left out: {named(garbled)}"
    partly = [s.number for s in sheets if s.ink.unmapped and not _garbled(s)]
    if partly:
        yield f"some letters may be wrong, their font does not name them: {named(partly)}"
    watch = Watch()
    for sheet in sheets:
        yield from sheet.ink.warnings
        watch.see(sheet.ink.text, sheet.number)
        watch.hide(" ".join(sheet.ink.hidden), sheet.number)
    yield from watch.warnings()
