"""PDFs that are odd: scanned, hidden, locked, or written by hand to be as wrong as is meant."""

import io
import zlib
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.colors import Color, black, white
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from eval.making.pages import Pages
from eval.making.words import A4, BODY, LEADING, MARGIN, SIZE, Made, paragraphs, wrapped


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
