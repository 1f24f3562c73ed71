"""PDFs that are laid out as plans are: columns, spreads, boxes, headings, lists, stamps."""

import io
from collections.abc import Iterator, Sequence

from reportlab.lib.colors import Color, black
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from eval.making.words import A4, BODY, BOLD, LEADING, MARGIN, SIZE, Made, paragraphs, wrapped


class Pages:
    """A PDF in the making; y is counted from the top."""

    def __init__(self, size: tuple[float, float] = A4, compress: int = 0) -> None:
        self.out = io.BytesIO()
        self.canvas = Canvas(self.out, pagesize=size, pageCompression=compress, invariant=1)
        self.width, self.height = size
        self.number = 1

    def text(self, x: float, y: float, words: str, font: str = BODY, size: float = SIZE) -> None:
        """Draws words on one line."""
        self.canvas.setFont(font, size)
        self.canvas.drawString(x, self.height - y, words)

    def line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Draws a ruled line."""
        self.canvas.line(x1, self.height - y1, x2, self.height - y2)

    def box(
        self, x: float, y: float, width: float, height: float, fill: Color | None = None
    ) -> None:
        """Draws a rectangle, its top left corner given."""
        if fill is not None:
            self.canvas.setFillColor(fill)
        self.canvas.rect(
            x, self.height - y - height, width, height, stroke=1, fill=int(fill is not None)
        )
        self.canvas.setFillColor(black)

    def next(self) -> None:
        """Ends the page."""
        self.canvas.showPage()
        self.number += 1

    def done(self) -> bytes:
        """The file."""
        self.canvas.save()
        return self.out.getvalue()


def pdf_single_column(
    texts: Sequence[str], hyphenated: bool = False, frame: bool = True, size: float = SIZE
) -> Made:
    """Paragraphs one under the other, with a running head and page numbers."""
    pages = Pages()
    truth = []
    y = MARGIN + 20
    bottom = pages.height - MARGIN - 10
    leading = size * 1.25
    for text in texts:
        lines = wrapped(text, pages.width - 2 * MARGIN, hyphenated, size)
        if y + leading * len(lines) > bottom:
            _frame(pages, frame)
            pages.next()
            y = MARGIN + 20
        truth.append((pages.number, text))
        for line in lines:
            pages.text(MARGIN, y, line, size=size)
            y += leading
        y += leading * 0.8
    _frame(pages, frame)
    labels = tuple(str(n) if frame else None for n in range(1, pages.number + 1))
    return Made(pages.done(), tuple(truth), labels=labels)


def _frame(pages: Pages, drawn: bool = True) -> None:
    if drawn:
        pages.text(MARGIN, 30, "Northvale strategy for health 2025 to 2030", size=8)
        pages.text(pages.width / 2, pages.height - 25, str(pages.number), size=8)


def pdf_broken_over_pages(texts: Sequence[str]) -> Made:
    """Paragraphs set without regard to the ends of pages: many go on over one."""
    pages = Pages()
    truth = []
    y = MARGIN + 20
    for text in texts:
        for i, line in enumerate(wrapped(text, pages.width - 2 * MARGIN)):
            if y > pages.height - MARGIN - 10:
                _frame(pages)
                pages.next()
                y = MARGIN + 20
            if i == 0:
                truth.append((pages.number, text))
            pages.text(MARGIN, y, line)
            y += LEADING
        y += LEADING * 0.8
    _frame(pages)
    return Made(pages.done(), tuple(truth))


def pdf_columns(
    texts: Sequence[str],
    columns: int = 2,
    row_drawn: bool = False,
    hyphenated: bool = False,
    heading: str | None = None,
    gutter: float = 20.0,
) -> Made:
    """Paragraphs in columns, the columns drawn one after the other or line by line across."""
    pages = Pages()
    width = (pages.width - 2 * MARGIN - gutter * (columns - 1)) / columns
    per_column = int((pages.height - 2 * MARGIN - 60) / LEADING)
    truth: list[tuple[int, str]] = []
    for filled in _columns_filled(texts, columns, per_column, width, hyphenated, truth):
        if heading:
            pages.text(MARGIN, MARGIN + 10, f"{heading} {pages.number}", BOLD, 18)
        lines = [
            (MARGIN + c * (width + gutter), MARGIN + 45 + r * LEADING, r, line)
            for c, column in enumerate(filled)
            for r, line in enumerate(column)
            if line
        ]
        for x, y, _, line in sorted(lines, key=lambda item: item[2]) if row_drawn else lines:
            pages.text(x, y, line)
        _frame(pages)
        pages.next()
    return Made(pages.done(), tuple(truth))


def _columns_filled(
    texts: Sequence[str],
    columns: int,
    per_column: int,
    width: float,
    hyphenated: bool,
    truth: list[tuple[int, str]],
) -> Iterator[list[list[str]]]:
    """The lines of each page's columns; a paragraph goes on in the next column, not page."""
    page = 1
    filled: list[list[str]] = [[]]
    for text in texts:
        lines = wrapped(text, width, hyphenated)
        left = sum(per_column - len(column) for column in filled)
        left += per_column * (columns - len(filled))
        if left < len(lines) + 1:
            yield filled
            page += 1
            filled = [[]]
        truth.append((page, text))
        for line in lines:
            if len(filled[-1]) >= per_column:
                filled.append([])
            filled[-1].append(line)
        if len(filled[-1]) < per_column:
            filled[-1].append("")
    yield filled


def pdf_spread(texts: Sequence[str]) -> Made:
    """Two pages side by side on every sheet, each with a heading and its own number."""
    pages = Pages((1190.0, 842.0))
    truth = []
    halves = [texts[i : i + 4] for i in range(0, len(texts), 4)]
    for i, half in enumerate(halves):
        left = (i % 2) * 595 + MARGIN
        pages.text(left, 70, f"Part {chr(65 + i)}: what we will do", BOLD, 16)
        y = 110.0
        for text in half:
            truth.append((pages.number, text))
            for line in wrapped(text, 595 - 2 * MARGIN):
                pages.text(left, y, line)
                y += LEADING
            y += LEADING
        pages.text(left, 815, str(i + 1), size=8)
        if i % 2 or i == len(halves) - 1:
            pages.next()
    return Made(pages.done(), tuple(truth))


def pdf_rotated(texts: Sequence[str], rotation: int) -> Made:
    """Pages drawn sideways and turned by their own entry, so that they show upright."""
    pages = Pages(A4)
    canvas = pages.canvas
    canvas.setPageRotation(rotation)  # for 90 and 270 the sheet itself is made landscape
    shown, top = A4
    match rotation:
        case 90:
            canvas.translate(top, 0)
        case 180:
            canvas.translate(shown, top)
        case 270:
            canvas.translate(0, shown)
    canvas.rotate(rotation)
    y = top - 80
    for text in texts:
        for line in wrapped(text, shown - 2 * MARGIN):
            canvas.setFont(BODY, SIZE)
            canvas.drawString(MARGIN, y, line)
            y -= LEADING
        y -= LEADING
    pages.next()
    return Made(pages.done(), tuple((1, text) for text in texts))


def pdf_side_box(texts: Sequence[str], aside: Sequence[str]) -> Made:
    """Paragraphs with a filled box beside the middle ones, drawn before them."""
    pages = Pages()
    pages.box(380, 150, 165, 30 + LEADING * 11 * len(aside), Color(0.85, 0.9, 1))
    y = 175.0
    for text in aside:
        for line in wrapped(text, 145):
            pages.text(390, y, line)
            y += LEADING
        y += LEADING
    y = 100.0
    for text in texts:
        for line in wrapped(text, 300):
            pages.text(MARGIN, y, line)
            y += LEADING
        y += LEADING
    pages.next()
    return Made(pages.done(), tuple((1, text) for text in (*texts, *aside)))


def pdf_headings(sections: Sequence[tuple[int, str, str]], outline: bool = False) -> Made:
    """(level, heading, paragraph): headings by size and weight, or by the outline alone."""
    pages = Pages()
    sizes = {1: 20.0, 2: 15.0, 3: 12.0, 4: SIZE}
    truth = []
    y = 90.0
    for i, (level, heading, text) in enumerate(sections):
        lines = wrapped(text, pages.width - 2 * MARGIN)
        if y + 60 + LEADING * len(lines) > pages.height - 80:
            pages.next()
            y = 90.0
        if outline:
            pages.canvas.bookmarkPage(f"h{i}")
            pages.canvas.addOutlineEntry(heading, f"h{i}", level - 1)
        pages.text(MARGIN, y, heading, BODY if outline else BOLD, SIZE if outline else sizes[level])
        y += 2 * LEADING
        for line in lines:
            pages.text(MARGIN, y, line)
            y += LEADING
        y += 2 * LEADING
        truth.append((pages.number, heading))
        truth.append((pages.number, text))
    pages.next()
    return Made(pages.done(), tuple(truth))


def pdf_with_stamps(texts: Sequence[str], first: int = 79, agenda: str = "Agenda Item 5") -> Made:
    """A part of a council's pack: each page stamped with its number in the pack, and its own."""
    pages = Pages()
    truth = []
    groups = [texts[i : i + 5] for i in range(0, len(texts), 5)]
    for i, group in enumerate(groups):
        pages.text(480, 22, f"Page {first + i}", "Times-Roman", 12)
        if i == 0:
            pages.text(480, 40, agenda, "Times-Roman", 12)
        y = 100.0
        for text in group:
            truth.append((pages.number, text))
            for line in wrapped(text, pages.width - 2 * MARGIN):
                pages.text(MARGIN, y, line)
                y += LEADING
            y += LEADING
        pages.text(290, 820, str(i + 1), size=8)
        pages.next()
    count = len(groups)
    return Made(
        pages.done(),
        tuple(truth),
        labels=tuple(str(i + 1) for i in range(count)),
        stamps=tuple(first + i for i in range(count)),
    )


def pdf_contents(titles: Sequence[str], leaders: bool = True) -> Made:
    """A contents page, and then the parts that it names."""
    pages = Pages()
    pages.text(MARGIN, 80, "Contents", BOLD, 18)
    truth = []
    for i, title in enumerate(titles):
        y = 120 + i * 20
        pages.text(MARGIN, y, title)
        left = MARGIN + stringWidth(title, BODY, SIZE) + 4
        if leaders:
            pages.text(left, y, "." * int((480 - left) / stringWidth(".", BODY, SIZE)))
        pages.text(485, y, str(i + 2))
    pages.next()
    for title, text in zip(titles, paragraphs(len(titles), 11), strict=True):
        pages.text(MARGIN, 80, title, BOLD, 18)
        for i, line in enumerate(wrapped(text, 470)):
            pages.text(MARGIN, 120 + i * LEADING, line)
        truth.append((pages.number, text))
        pages.next()
    return Made(pages.done(), tuple(truth))


def pdf_list(lead: str, items: Sequence[str], mark: str = "•") -> Made:
    """A sentence and bulleted or numbered items, with a hanging indent; "dot" draws the bullets."""
    pages = Pages()
    pages.text(MARGIN, 100, lead)
    y = 100 + 1.5 * LEADING
    for n, item in enumerate(items, 1):
        if mark == "dot":
            pages.canvas.circle(MARGIN + 12, pages.height - y + 3, 1.6, stroke=0, fill=1)
        else:
            pages.text(MARGIN + 10, y, f"{n}." if mark == "1" else mark)
        for line in wrapped(item, 420):
            pages.text(MARGIN + 28, y, line)
            y += LEADING
        y += 3
    pages.next()
    told = [f"{n}. {item}" for n, item in enumerate(items, 1)] if mark == "1" else items
    return Made(pages.done(), tuple((1, item) for item in (lead, *told)))
