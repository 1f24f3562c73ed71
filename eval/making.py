"""Makes documents from known words, so that what is read from them can be held against the truth.

Every maker returns the file's bytes and what stands in it: which paragraph on which page, which
cells in which row. All words are made up here; the same arguments give the same words.
"""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import docx
import pptx
from docx.enum.text import WD_COLOR_INDEX
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from PIL import Image, ImageDraw, ImageFont
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches
from reportlab.lib.colors import Color, black, white
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

A4 = (595.0, 842.0)
LANDSCAPE = (842.0, 595.0)
BODY, BOLD = "Helvetica", "Helvetica-Bold"
SIZE = 10.0
LEADING = 12.5
MARGIN = 60.0


@dataclass(frozen=True)
class Made:
    """A file and the truth about it.

    Args:
        paragraphs: (page counted from 1, text), in reading order.
        header: names of the columns of its table, and `rows` the cells of each of its rows.
        labels: the number printed on each page, where there is one.
        stamps: the number stamped on each page, where there is one.
    """

    content: bytes
    paragraphs: tuple[tuple[int, str], ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    labels: tuple[str | None, ...] = ()
    stamps: tuple[int | None, ...] = ()


# Words.

WHO = "The partnership|Each place|Our board|The hospital trust|Every practice|The council".split(
    "|"
)
DOES = "will widen|will review|has agreed to fund|plans to open|will train staff for|will publish"
WHAT = (
    "memory clinics|same-day urgent care|school nursing|falls prevention|long-term housing support|"
    "community rehabilitation|bereavement counselling|early-years speech therapy|dental access|"
    "neighbourhood diabetes groups|anticipatory care planning|perinatal mental health visits"
).split("|")
WHOM = (
    "for people living with dementia|for older residents|for young carers|in coastal communities|"
    "with voluntary organisations|across all neighbourhoods|in the most deprived wards"
).split("|")
WHEN = "by March|before the summer of|in the autumn of|during|by the end of|from April".split("|")


def paragraphs(count: int, seed: int = 1, sentences: int = 4) -> list[str]:
    """As many paragraphs, no two of them alike."""
    rng = random.Random(seed)
    out = []
    for number in range(count):
        parts = [_sentence(rng, number * 100 + i) for i in range(sentences)]
        out.append(" ".join(parts))
    return out


def _sentence(rng: random.Random, number: int) -> str:
    who, does = rng.choice(WHO), rng.choice(DOES.split("|"))
    first, second = rng.sample(WHAT, 2)
    year = 2025 + rng.randrange(8)
    return (
        f"{who} {does} {first} {rng.choice(WHOM)} {rng.choice(WHEN)} {year}, "
        f"and links it with {second} {rng.choice(WHOM)} in area {number}."
    )


def wrapped(text: str, width: float, hyphenated: bool = False, size: float = SIZE) -> list[str]:
    """Lines of a paragraph; if asked for, long words are parted by hyphens as typesetters do."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if stringWidth(longer, BODY, size) <= width:
            line = longer
            continue
        first, second = _parted(word) if hyphenated else ("", word)
        parted = f"{line} {first}".strip()
        if first and stringWidth(parted, BODY, size) <= width:
            lines.append(parted)
            line = second
            continue
        lines.append(line)
        line = word
    return [*lines, line]


def _parted(word: str) -> tuple[str, str]:
    """A word parted for the end of a line: at its own hyphen, or in the middle of a long one."""
    if "-" in word:
        first, second = word.split("-", 1)
        return f"{first}-", second
    if word.isalpha() and len(word) > 7:
        return f"{word[: len(word) // 2]}-", word[len(word) // 2 :]
    return "", word


# PDF.


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


HEADER = ("Objective", "Impact", "Owner", "Timeframe")


def table_rows(count: int, seed: int = 3) -> list[tuple[str, ...]]:
    """Rows of an action plan, in four columns."""
    rng = random.Random(seed)
    people = ["Director of Public Health", "Place lead", "Chief Nurse", "Head of Commissioning"]
    rows: list[tuple[str, ...]] = []
    for n in range(1, count + 1):
        what = f"Objective {n}: widen {rng.choice(WHAT)} {rng.choice(WHOM)}"
        share, weeks = rng.randrange(5, 60), rng.randrange(2, 30)
        impact = f"{share}% fewer people wait longer than {weeks} weeks for {rng.choice(WHAT)}"
        when = f"{rng.choice(('March', 'June', 'October'))} {2025 + rng.randrange(6)}"
        rows.append((what, impact, rng.choice(people), when))
    return rows


def pdf_table(
    rows: Sequence[tuple[str, ...]],
    header: Sequence[str] = HEADER,
    ruled: str = "grid",
    repeat_header: bool = True,
    split_rows: bool = False,
) -> Made:
    """A table over as many pages as it takes, with wrapped cells.

    Args:
        ruled: "grid" for lines around all cells, "rows" for level lines alone, "fills" for coloured
            cells with white between them.
        split_rows: rows may go on over a page.
    """
    pages = Pages(LANDSCAPE)
    widths = [230.0, 250.0, 130.0, 100.0][: len(header)]
    lefts = [MARGIN + sum(widths[:i]) for i in range(len(widths))]
    y = 90.0
    pages.text(MARGIN, 60, "Our action plan", BOLD, 16)
    y = _row(pages, lefts, widths, y, list(map(_one, header)), ruled, BOLD)
    for row in rows:
        cells = [wrapped(text, w - 10) for text, w in zip(row, widths, strict=True)]
        height = LEADING * max(map(len, cells)) + 8
        room = pages.height - 60 - y
        if height > room and split_rows and room > 3 * LEADING:
            fit = int((room - 8) / LEADING)
            _row(pages, lefts, widths, y, [cell[:fit] for cell in cells], ruled)
            cells = [cell[fit:] for cell in cells]
            room = 0
        if height > room:
            pages.next()
            y = 90.0
            if repeat_header:
                y = _row(pages, lefts, widths, y, list(map(_one, header)), ruled, BOLD)
        y = _row(pages, lefts, widths, y, cells, ruled)
    pages.next()
    return Made(pages.done(), header=tuple(header), rows=tuple(tuple(row) for row in rows))


def _one(text: str) -> list[str]:
    return [text]


def _row(
    pages: Pages,
    lefts: Sequence[float],
    widths: Sequence[float],
    y: float,
    cells: Sequence[list[str]],
    ruled: str,
    font: str = BODY,
) -> float:
    height = LEADING * max(map(len, cells)) + 8
    for left, width, cell in zip(lefts, widths, cells, strict=True):
        if ruled == "grid":
            pages.box(left, y, width, height)
        elif ruled == "fills":
            pages.canvas.setStrokeColor(white)
            dark = font == BOLD
            pages.box(left, y, width, height, Color(0.2, 0.3, 0.6) if dark else Color(0.9, 0.9, 1))
            pages.canvas.setFillColor(white if dark else black)
        for i, line in enumerate(cell):
            pages.text(left + 5, y + 13 + i * LEADING, line, font)
        pages.canvas.setFillColor(black)
    if ruled == "rows":
        pages.line(lefts[0], y, lefts[-1] + widths[-1], y)
        pages.line(lefts[0], y + height, lefts[-1] + widths[-1], y + height)
    return y + height


def pdf_figures(rows: int = 8, header: Sequence[str] = ("Measure", "2023", "2024", "2025")) -> Made:
    """A table of figures without any lines, right aligned."""
    rng = random.Random(7)
    pages = Pages()
    told = [
        (
            f"{WHAT[i % len(WHAT)].capitalize()} {i}",
            *(f"{rng.randrange(1000, 99999):,}" for _ in header[1:]),
        )
        for i in range(rows)
    ]
    y = 150.0
    for line in wrapped(paragraphs(1)[0], 470):
        pages.text(MARGIN, y - 60, line)
        y += LEADING
    for n, row in enumerate([tuple(header), *told]):
        pages.text(MARGIN, y, row[0], BOLD if n == 0 else BODY)
        for i, value in enumerate(row[1:]):
            pages.canvas.setFont(BOLD if n == 0 else BODY, SIZE)
            pages.canvas.drawRightString(330 + i * 70, pages.height - y, value)
        y += 18
    pages.next()
    return Made(pages.done(), ((1, paragraphs(1)[0]),), tuple(header), tuple(told))


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


def pdf_scan(texts: Sequence[str], pages_of_text: int = 0, layer: bool = False) -> Made:
    """A page that is a picture of its words, after so many with real text.

    Args:
        layer: the words lie unseen over the picture, as recognition leaves them.
    """
    pages = Pages()
    for i in range(pages_of_text):
        pages.text(MARGIN, 100, paragraphs(1, 50 + i)[0][:80])
        pages.next()
    lines = [line for text in texts for line in [*wrapped(text, 470), ""]]
    picture = Image.new("L", (1240, 1754), 255)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(21)
    for i, line in enumerate(lines):
        draw.text((125, 160 + i * 26), line, fill=0, font=font)
    pages.canvas.drawImage(ImageReader(picture), 0, 0, *A4)
    if layer:
        told = pages.canvas.beginText(MARGIN, pages.height - 80)
        told.setTextRenderMode(3)
        told.setFont(BODY, SIZE, LEADING)
        told.textLines("\n".join(lines))
        pages.canvas.drawText(told)
    pages.next()
    return Made(pages.done(), tuple((pages_of_text + 1, text) for text in texts))


def pdf_hidden(shown: str, hidden: str, how: str, after: str = "") -> Made:
    """A sentence, and one that nobody sees: white, tiny, unseen, outside or same-coloured."""
    pages = Pages()
    pages.text(MARGIN, 100, shown)
    canvas = pages.canvas
    match how:
        case "white":
            canvas.setFillColor(white)
            pages.text(MARGIN, 140, hidden)
        case "tiny":
            pages.text(MARGIN, 140, hidden, size=0.4)
        case "outside":
            pages.text(MARGIN, -200, hidden)
        case "unseen":
            canvas.saveState()
            told = canvas.beginText(MARGIN, 700)
            told.setTextRenderMode(3)
            told.setFont(BODY, SIZE)
            told.textLine(hidden)
            canvas.drawText(told)
            canvas.restoreState()
        case "same":
            pages.box(MARGIN - 5, 120, 480, 40, Color(0.1, 0.3, 0.5))
            canvas.setFillColor(Color(0.1, 0.3, 0.5))
            pages.text(MARGIN, 140, hidden)
        case "shown":  # not hidden at all: white on dark
            pages.box(MARGIN - 5, 120, 480, 40, Color(0.1, 0.3, 0.5))
            canvas.setFillColor(white)
            pages.text(MARGIN, 140, hidden)
    if after:
        canvas.setFillColor(black)
        pages.text(MARGIN, 400, after)
    pages.next()
    return Made(pages.done(), ((1, shown), (1, hidden)))


def pdf_labelled(styles: Sequence[tuple[str, int]]) -> Made:
    """Pages without printed numbers, numbered by the file itself: (style, first number)."""
    pages = Pages()
    for i, (style, start) in enumerate(styles):
        pages.canvas.addPageLabel(i, style, start)
        pages.text(MARGIN, 300, paragraphs(1, i)[0][:70])
        pages.next()
    return Made(pages.done())


def pdf_encrypted(text: str, password: str = "secret") -> bytes:
    """A PDF that opens only with a password."""
    out = io.BytesIO()
    canvas = Canvas(out, invariant=1, encrypt=password)
    canvas.drawString(100, 700, text)
    canvas.save()
    return out.getvalue()


# PDFs written by hand, to be as wrong as they are meant to be.


def pdf_raw(objects: Sequence[bytes], root: int = 1) -> bytes:
    """A PDF of these objects, numbered from 1, with a right table of their places."""
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for place in places:
        out += b"%010d 00000 n \n" % place
    out += b"trailer\n<</Size %d/Root %d 0 R>>\n" % (len(objects) + 1, root)
    out += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


def pdf_stream(data: bytes, extra: bytes = b"") -> bytes:
    """A compressed stream object."""
    packed = zlib.compress(data, 9)
    return (
        b"<</Length %d/Filter/FlateDecode%s>>stream\n" % (len(packed), extra)
        + packed
        + (b"\nendstream")
    )


FONT_OBJECT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def pdf_page(content: bytes, *others: bytes, resources: bytes = b"/Font<</F1 5 0 R>>") -> bytes:
    """A PDF of one page with this content stream; `others` are objects from 6 on."""
    return pdf_raw(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<<%s>>>>"
            % resources,
            content,
            FONT_OBJECT,
            *others,
        ]
    )


# Word.


def docx_plain(parts: Sequence[tuple[str, str]]) -> Made:
    """(style, text) in order; "" is a normal paragraph."""
    document = docx.Document()
    for style, text in parts:
        document.add_paragraph(text, style=style or None)
    return Made(_saved(document), tuple((0, text) for _, text in parts))


def docx_with(add: "Callable[[docx.document.Document], None]") -> bytes:
    """A Word document to which `add` has put what it likes."""
    document = docx.Document()
    add(document)
    return _saved(document)


def docx_table(
    rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER, marked: str = "bold"
) -> Made:
    """A table whose first row is marked as names: "bold", "shaded", "header" or "" for not."""
    document = docx.Document()
    document.add_paragraph("Before the table.")
    table = document.add_table(rows=0, cols=len(header))
    for n, row in enumerate([header, *rows]):
        cells = table.add_row().cells
        for cell, text in zip(cells, row, strict=True):
            run = cell.paragraphs[0].add_run(text)
            run.bold = True if n == 0 and marked == "bold" else None
            if n == 0 and marked == "shaded":
                fill = parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:fill="003087"/>')
                cell._tc.get_or_add_tcPr().append(fill)
    if marked == "header":
        mark = parse_xml(f"<w:tblHeader {nsdecls('w')}/>")
        table.rows[0]._tr.get_or_add_trPr().append(mark)
    document.add_paragraph("After the table.")
    told = tuple(tuple(row) for row in rows)
    return Made(_saved(document), header=tuple(header), rows=told)


def docx_tracked(kept: str, deleted: str, inserted: str) -> bytes:
    """A paragraph with a tracked deletion and a tracked insertion."""

    def add(document: "docx.document.Document") -> None:
        paragraph = document.add_paragraph(kept)
        who = 'w:id="1" w:author="x" w:date="2025-01-01T00:00:00Z"'
        for tag, words, text in (("del", "delText", deleted), ("ins", "t", inserted)):
            paragraph._p.append(
                parse_xml(
                    f'<w:{tag} {nsdecls("w")} {who}><w:r><w:{words} xml:space="preserve">'
                    f" {text}</w:{words}></w:r></w:{tag}>"
                )
            )

    return docx_with(add)


def docx_hidden(shown: str, hidden: str) -> bytes:
    """A paragraph of which a part is marked as hidden, and one that is only highlighted."""

    def add(document: "docx.document.Document") -> None:
        paragraph = document.add_paragraph(shown)
        paragraph.add_run(f" {hidden}").font.hidden = True
        document.add_paragraph().add_run(
            "Marked but seen."
        ).font.highlight_color = WD_COLOR_INDEX.YELLOW

    return docx_with(add)


def docx_text_box(anchor: str, inside: str) -> bytes:
    """A paragraph with a text box, saved in two ways as Word does."""
    box = f"<w:txbxContent><w:p><w:r><w:t>{inside}</w:t></w:r></w:p></w:txbxContent>"
    markup = (
        f'<w:r {nsdecls("w")} xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
        ' xmlns:v="urn:schemas-microsoft-com:vml"'
        ' xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape">'
        f'<mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wps:txbx>{box}</wps:txbx>'
        f"</w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox>{box}</v:textbox></w:pict>"
        "</mc:Fallback></mc:AlternateContent></w:r>"
    )

    def add(document: "docx.document.Document") -> None:
        document.add_paragraph(anchor)._p.append(parse_xml(markup))

    return docx_with(add)


def docx_merged() -> Made:
    """A table with a cell over two rows, a cell over two columns, and a table within a cell."""
    document = docx.Document()
    table = document.add_table(rows=4, cols=3)
    for row, texts in zip(
        table.rows,
        (("Aim", "What", "When"), ("Falls", "a", "b"), ("", "c", "d"), ("Both", "", "e")),
        strict=True,
    ):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.paragraphs[0].add_run(text).bold = texts[0] == "Aim" or None
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(3, 0).merge(table.cell(3, 1))
    inner = table.cell(1, 1).add_table(1, 2)
    inner.cell(0, 0).text, inner.cell(0, 1).text = "inner one", "inner two"
    rows = (("Falls", "a\ninner one\ninner two", "b"), ("", "c", "d"), ("Both", "", "e"))
    return Made(_saved(document), header=("Aim", "What", "When"), rows=rows)


def docx_footnote(text: str, note: str) -> bytes:
    """A paragraph with a footnote."""
    plain = docx_with(lambda document: _refer(document, text))
    notes = (
        f'<w:footnotes {nsdecls("w")}><w:footnote w:id="2"><w:p><w:r><w:t>{note}</w:t></w:r></w:p>'
        "</w:footnote></w:footnotes>"
    )
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
    relation = f'<Relationship Id="rIdF" Type="{kind}" Target="footnotes.xml"/></Relationships>'
    content = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    override = f'<Override PartName="/word/footnotes.xml" ContentType="{content}"/></Types>'
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(out, "w") as new:
        for item in old.namelist():
            data = old.read(item).decode("latin-1")
            if item == "word/_rels/document.xml.rels":
                data = data.replace("</Relationships>", relation)
            if item == "[Content_Types].xml":
                data = data.replace("</Types>", override)
            new.writestr(item, data.encode("latin-1"))
        new.writestr("word/footnotes.xml", notes)
    return out.getvalue()


def _refer(document: "docx.document.Document", text: str) -> None:
    paragraph = document.add_paragraph(text)
    reference = parse_xml(f'<w:r {nsdecls("w")}><w:footnoteReference w:id="2"/></w:r>')
    paragraph._p.append(reference)
    assert paragraph._p.findall(qn("w:r"))


def _saved(document: "docx.document.Document") -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


# PowerPoint.


def pptx_slides(slides: Sequence[tuple[str, Sequence[str]]], notes: str = "") -> Made:
    """(title, bullets) for each slide; the first has notes if any are given."""
    presentation = pptx.Presentation()
    truth: list[tuple[int, str]] = []
    for number, (title, bullets) in enumerate(slides, 1):
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text_frame.text = "\n".join(bullets)
        if notes and number == 1:
            slide.notes_slide.notes_text_frame.text = notes
        truth.extend((number, text) for text in (title, *bullets))
    return Made(_saved_slides(presentation), tuple(truth))


def pptx_shapes() -> Made:
    """A slide with boxes drawn out of order, a group, a table and a chart."""
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    slide.shapes.title.text = "How we work"
    for text, left, top in (("bottom", 1, 5), ("right", 6, 2), ("left", 1, 2)):
        box = slide.shapes.add_textbox(Inches(left), Inches(top), Inches(2), Inches(0.6))
        box.text_frame.text = text
    group = slide.shapes.add_group_shape()
    inner = group.shapes.add_textbox(Inches(3.5), Inches(2), Inches(2), Inches(0.6))
    inner.text_frame.text = "grouped"
    frame = slide.shapes.add_table(3, 2, Inches(1), Inches(3), Inches(6), Inches(1.2))
    for row, texts in zip(
        frame.table.rows, (("Aim", "Date"), ("A", "2026"), ("B", "")), strict=True
    ):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    frame.table.cell(2, 0).merge(frame.table.cell(2, 1))
    data = CategoryChartData()
    data.categories = ["one"]
    data.add_series("Admissions", (5,))
    chart = slide.shapes.add_chart(
        XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(6), Inches(3), Inches(1), data
    )
    chart.chart.has_title = True
    chart.chart.chart_title.text_frame.text = "Admissions fall"
    return Made(
        _saved_slides(presentation),
        tuple((1, t) for t in ("How we work", "left", "grouped", "right", "bottom")),
        ("Aim", "Date"),
        (("A", "2026"), ("B", "")),
    )


def pptx_picture() -> bytes:
    """A slide that is nothing but a picture, and a hidden one with words."""
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(out, "PNG")
    slide.shapes.add_picture(out, 0, 0, presentation.slide_width, presentation.slide_height)
    hidden = presentation.slides.add_slide(presentation.slide_layouts[5])
    hidden.shapes.title.text = "Not for the audience"
    hidden._element.set("show", "0")
    return _saved_slides(presentation)


def _saved_slides(presentation: "pptx.presentation.Presentation") -> bytes:
    out = io.BytesIO()
    presentation.save(out)
    return out.getvalue()


# Archives.


def archive(parts: dict[str, bytes]) -> bytes:
    """A zip archive of these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in parts.items():
            new.writestr(name, data)
    return out.getvalue()


def with_part(package: bytes, name: str, data: bytes) -> bytes:
    """A package with one of its parts replaced or added."""
    with zipfile.ZipFile(io.BytesIO(package)) as old:
        parts = {item: old.read(item) for item in old.namelist()}
    return archive({**parts, name: data})


def with_lie_about_size(package: bytes, name: str, size: int) -> bytes:
    """A package that says of one part that it unpacks to another size than it does."""
    data = bytearray(package)
    place = data.rindex(name.encode(), data.index(b"PK\x01\x02")) - 46
    struct.pack_into("<I", data, place + 24, size)
    return bytes(data)
