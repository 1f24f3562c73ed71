"""A PDF's pages as words with places and styles, and the ruled lines and boxes drawn on them.

Everything is given in points from the top left corner of the page as it is shown. Only this file
and `picture` speak to pypdfium2. Words are found from the text of a page as PDFium gives it, and
asked for their places by first and last character: a call for every character would cost four times
as much.
"""

import ctypes
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium

WORD = re.compile("[^\\s\x00\x02\ufffe]+[\x02\ufffe]?")
BROKEN = "\x02\ufffe"
BOLD = re.compile(r"bold|black|heavy|semib|demi(?!r)", re.IGNORECASE)
ITALIC = re.compile(r"italic|oblique|slanted", re.IGNORECASE)
INVISIBLE_MODES = (3, 7)
MOST_OBJECTS = 20_000
MOST_DEPTH = 8
RULE_THICKNESS = 3.0
SMALLEST_FILL = 5.0
LARGEST_DOT = 7.5
MOST_DOTS = 500
SMALLEST_SIZE = 1.0
WHITE = 250
UPRIGHT = 12.0
"""Degrees that a line of text may lean and still count as level or as upright."""


class Rect(NamedTuple):
    """A rectangle; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.bottom - self.top

    def holds(self, x: float, y: float, slack: float = 0.0) -> bool:
        """Whether a point lies inside."""
        return (
            self.left - slack <= x <= self.right + slack
            and self.top - slack <= y <= self.bottom + slack
        )

    def covers(self, other: "Rect", slack: float = 0.0) -> bool:
        """Whether another rectangle lies inside."""
        return self.holds(other.left, other.top, slack) and self.holds(
            other.right, other.bottom, slack
        )

    def meets(self, other: "Rect") -> bool:
        """Whether two rectangles have a place in common."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def with_(self, other: "Rect") -> "Rect":
        """The smallest rectangle that covers both."""
        left, top, right, bottom = self
        other_left, other_top, other_right, other_bottom = other
        return Rect(  # written out, for it is asked for every word
            left if left < other_left else other_left,
            top if top < other_top else other_top,
            right if right > other_right else other_right,
            bottom if bottom > other_bottom else other_bottom,
        )


class Style(NamedTuple):
    """How a run of text is set; sizes in points as shown, colour as red, green and blue."""

    size: float
    bold: bool
    italic: bool
    colour: tuple[int, int, int]


@dataclass(slots=True)
class Word:
    """A run of characters without a space.

    Args:
        base: the height of the line that its letters stand on.
        shown: its place on the page as shown, where `box` is its place as read (see `turned`).
        turn: how far its text is turned clockwise: 0, 90, 180 or 270; -1 if it stands aslant.
        spaced: whether the file itself has a space before it.
    """

    text: str
    box: Rect
    base: float
    style: Style
    shown: Rect
    turn: int = 0
    spaced: bool = False


class Rule(NamedTuple):
    """A level or upright line: its place across, and from where to where along."""

    level: bool
    at: float
    start: float
    end: float


class Fill(NamedTuple):
    """A filled or outlined rectangle, and the colour it is filled with, if it is."""

    box: Rect
    colour: tuple[int, int, int] | None


@dataclass(slots=True)
class PageInk:
    """What stands on one page.

    Args:
        dots: small round or square shapes, as bullets are drawn.
        hidden: words that a reader of the page cannot see, left out of `words`.
        text: all characters as the file has them.
        drawn: how many paths, and `pictured`, what part of the page, pictures cover.
        fields: of a form, whose values are drawn apart from the page.
        unmapped: words of fonts that do not say which characters their shapes are.
    """

    number: int
    width: float
    height: float
    words: list[Word] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    dots: list[Rect] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    text: str = ""
    drawn: int = 0
    pictured: float = 0.0
    unmapped: int = 0
    fields: int = 0
    warnings: list[str] = field(default_factory=list)


Matrix = tuple[float, float, float, float, float, float]
IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


class _Look(NamedTuple):
    """What all words of one text object share."""

    style: Style
    turn: int
    mode: int
    alpha: int
    base: float
    unmapped: bool
    doubtful: bool


def read_page(page: "pypdfium2.PdfPage", number: int) -> PageInk:
    """The words, rules and boxes of a page."""
    left, bottom, right, top = page.get_bbox()
    rotation = page.get_rotation() % 360
    place = _placing(left, bottom, right, top, rotation)
    width, height = right - left, top - bottom
    if rotation in (90, 270):
        width, height = height, width
    ink = PageInk(number, width, height)
    pictures: list[Rect] = []
    _read_objects(page, ink, place, pictures)
    _read_words(page, ink, place, rotation, pictures)
    if page.pdf.get_formtype():
        ink.fields = _fields(page)
    return ink


def _fields(page: "pypdfium2.PdfPage") -> int:
    """How many fields of a form stand on a page."""
    count = 0
    for index in range(min(pdfium.FPDFPage_GetAnnotCount(page.raw), MOST_OBJECTS)):
        annotation = pdfium.FPDFPage_GetAnnot(page.raw, index)
        count += pdfium.FPDFAnnot_GetSubtype(annotation) == pdfium.FPDF_ANNOT_WIDGET
        pdfium.FPDFPage_CloseAnnot(annotation)
    return count


def _placing(
    left: float, bottom: float, right: float, top: float, rotation: int
) -> Callable[[float, float], tuple[float, float]]:
    """From the page's own coordinates to those of the page as shown."""
    match rotation:
        case 90:
            return lambda x, y: (y - bottom, x - left)
        case 180:
            return lambda x, y: (right - x, y - bottom)
        case 270:
            return lambda x, y: (top - y, right - x)
        case _:
            return lambda x, y: (x - left, top - y)


def _placed(
    place: Callable[[float, float], tuple[float, float]],
    corners: tuple[float, float, float, float],
) -> Rect:
    x1, y1 = place(corners[0], corners[1])
    x2, y2 = place(corners[2], corners[3])
    return Rect(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))


# Words.


def _read_words(
    page: "pypdfium2.PdfPage",
    ink: PageInk,
    place: Callable[[float, float], tuple[float, float]],
    rotation: int,
    pictures: list[Rect],
) -> None:
    textpage = page.get_textpage()
    raw = textpage.raw
    text = ink.text = _page_text(textpage)
    looks = _Looks(raw, rotation, place, _Backdrop(ink.fills, pictures))
    first, last = pdfium.FS_RECTF(), pdfium.FS_RECTF()
    edge = Rect(*place(0.0, 0.0), ink.width, ink.height)
    seen: set[tuple[str, int, int]] = set()
    for found in WORD.finditer(text):
        start, stop = found.span()
        look = looks.of(start)
        pdfium.FPDFText_GetLooseCharBox(raw, start, first)
        left, bottom, right, top = first.left, first.bottom, first.right, first.top
        if stop - start > 1:
            pdfium.FPDFText_GetLooseCharBox(raw, stop - 1, last)
            left = left if left < last.left else last.left
            bottom = bottom if bottom < last.bottom else last.bottom
            right = right if right > last.right else last.right
            top = top if top > last.top else last.top
        if rotation:
            box = _placed(place, (left, bottom, right, top))
        else:  # written out, for it is asked for every word
            box = Rect(left + edge.left, edge.top - top, right + edge.left, edge.top - bottom)
        word = found.group()
        if word[-1] in BROKEN:  # a hyphen at which PDFium saw the line end
            word = word[:-1] + "-"
        ink.unmapped += look.unmapped
        x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
        outside = not (0.0 <= x <= ink.width and 0.0 <= y <= ink.height)
        if outside or (look.doubtful and looks.hide(look, x, y)):
            ink.hidden.append(word)
            continue
        # The same word drawn twice on one spot is how some programs make bold.
        spot = (word, round(box.left), round(box.top))
        if spot in seen:
            continue
        seen.add(spot)
        spaced = text[start - 1 : start] == " " and not pdfium.FPDFText_IsGenerated(raw, start - 1)
        ink.words.append(Word(word, box, look.base, look.style, box, look.turn, spaced))


def _page_text(textpage: "pypdfium2.PdfTextPage") -> str:
    """The text of a page, each character at PDFium's own index of it."""
    count = textpage.count_chars()
    text = textpage.get_text_range() if count > 0 else ""
    if len(text) == count:
        return str(text)
    codes = (pdfium.FPDFText_GetUnicode(textpage.raw, i) for i in range(max(count, 0)))
    return "".join(chr(c) if 0 < c < 0xD800 or 0xE000 <= c < 0x110000 else "\x00" for c in codes)


class _Looks:
    """How the text objects of a page are set, each asked for once."""

    def __init__(
        self,
        raw: Any,
        rotation: int,
        place: Callable[[float, float], tuple[float, float]],
        backdrop: "_Backdrop",
    ) -> None:
        """Starts with none."""
        self._raw = raw
        self._rotation = rotation
        self._place = place
        self._backdrop = backdrop
        self._known: dict[int, _Look] = {}
        self._fonts: dict[int, tuple[str, int, bool]] = {}

    def of(self, index: int) -> _Look:
        """How the text object is set that a character belongs to."""
        item = pdfium.FPDFText_GetTextObject(self._raw, index)
        if not item:
            return self._new(index, item)
        key = ctypes.addressof(item.contents)
        look = self._known.get(key)
        if look is None:
            look = self._known[key] = self._new(index, item)
        return look

    def hide(self, look: _Look, x: float, y: float) -> bool:
        """Whether nobody can see a word that is set so at that place."""
        if look.style.size < SMALLEST_SIZE or look.alpha == 0:
            return True
        if look.mode in INVISIBLE_MODES:
            # Recognised text lies unseen over the picture it was read from.
            return not self._backdrop.pictured(x, y)
        return self._backdrop.hides(look.style.colour, x, y)

    def _new(self, index: int, item: Any) -> _Look:
        raw = self._raw
        matrix = pdfium.FS_MATRIX()
        pdfium.FPDFText_GetMatrix(raw, index, matrix)
        size = pdfium.FPDFText_GetFontSize(raw, index) * math.hypot(matrix.c, matrix.d)
        red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
        if not pdfium.FPDFText_GetFillColor(raw, index, red, green, blue, alpha):
            alpha.value = 255
        mode = pdfium.FPDFTextObj_GetTextRenderMode(item) if item else 0
        name, weight, slant = self._font(item)
        lean = self._rotation - math.degrees(math.atan2(matrix.b, matrix.a))
        turn = round(lean / 90) * 90
        aslant = abs(lean - turn) > UPRIGHT
        turn = -1 if aslant else turn % 360
        style = Style(
            round(abs(size), 1),
            bool(BOLD.search(name)) or weight >= 600 or mode == 2,
            bool(ITALIC.search(name)) or slant,
            (red.value, green.value, blue.value),
        )
        x, y = ctypes.c_double(), ctypes.c_double()
        pdfium.FPDFText_GetCharOrigin(raw, index, x, y)
        across, down = self._place(x.value, y.value)
        base = across if turn in (90, 270) else down
        unmapped = pdfium.FPDFText_HasUnicodeMapError(raw, index) == 1
        doubtful = (
            size < SMALLEST_SIZE
            or alpha.value == 0
            or mode in INVISIBLE_MODES
            or self._backdrop.may_hide(style.colour)
        )
        return _Look(style, turn, mode, alpha.value, base, unmapped, doubtful)

    def _font(self, item: Any) -> tuple[str, int, bool]:
        """Name, weight (0 if unknown) and whether it leans."""
        font = pdfium.FPDFTextObj_GetFont(item) if item else None
        if not font:
            return "", 0, False
        key = ctypes.addressof(font.contents)
        known = self._fonts.get(key)
        if known is None:
            known = self._fonts[key] = _font(font)
        return known


def _font(font: Any) -> tuple[str, int, bool]:
    needed = pdfium.FPDFFont_GetBaseFontName(font, None, 0)
    buffer = ctypes.create_string_buffer(max(needed, 1))
    pdfium.FPDFFont_GetBaseFontName(font, buffer, needed)
    angle = ctypes.c_int()
    slant = bool(pdfium.FPDFFont_GetItalicAngle(font, angle)) and angle.value < -3
    return buffer.value.decode(errors="replace"), pdfium.FPDFFont_GetWeight(font), slant


class _Backdrop:
    """What lies behind a word: used to find text in the colour of its own ground."""

    def __init__(self, fills: list[Fill], pictures: list[Rect]) -> None:
        """Sorts what is drawn by its colour."""
        self._fills = fills
        self._pictures = pictures
        self._by_colour: dict[tuple[int, int, int], list[Rect]] = {}
        for box, colour in self._fills:
            if colour:
                self._by_colour.setdefault(colour, []).append(box)

    def pictured(self, x: float, y: float) -> bool:
        """Whether a picture lies at that place."""
        return any(picture.holds(x, y, 2.0) for picture in self._pictures)

    def may_hide(self, colour: tuple[int, int, int]) -> bool:
        """Whether text of that colour could be lost on white or on something drawn."""
        return min(colour) >= WHITE or colour in self._by_colour

    def hides(self, colour: tuple[int, int, int], x: float, y: float) -> bool:
        """Whether a word of that colour cannot be told from what is drawn behind it."""
        pale = min(colour) >= WHITE
        if not pale and not any(box.holds(x, y) for box in self._by_colour.get(colour, ())):
            return False
        if self.pictured(x, y):
            return False
        # Any other colour behind it may show: words are called hidden only where none can.
        return all(
            not ground or not box.holds(x, y, 1.0) or _alike(colour, ground)
            for box, ground in self._fills
        )


def _alike(one: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= 4


# Turned pages.


def turned(ink: PageInk, turn: int) -> PageInk:
    """The page with its paper turned back, so that text set at `turn` runs level."""
    if turn == 0:
        return ink
    width, height = ink.width, ink.height
    words = [
        replace(w, box=_turn_back(w.box, turn, width, height), base=_base_back(w, turn, ink))
        for w in ink.words
    ]
    rules = [_rule(_turn_back(_as_rect(rule), turn, width, height)) for rule in ink.rules]
    fills = [Fill(_turn_back(f.box, turn, width, height), f.colour) for f in ink.fills]
    dots = [_turn_back(dot, turn, width, height) for dot in ink.dots]
    if turn in (90, 270):
        width, height = height, width
    return replace(
        ink, width=width, height=height, words=words, rules=rules, fills=fills, dots=dots
    )


def _turn_back(box: Rect, turn: int, width: float, height: float) -> Rect:
    match turn:
        case 90:
            return Rect(box.top, width - box.right, box.bottom, width - box.left)
        case 180:
            return Rect(width - box.right, height - box.bottom, width - box.left, height - box.top)
        case 270:
            return Rect(height - box.bottom, box.left, height - box.top, box.right)
        case _:
            return box


def _base_back(word: Word, turn: int, ink: PageInk) -> float:
    """The height of a word's line on the turned page; words at another angle get their foot."""
    if word.turn != turn:
        return _turn_back(word.box, turn, ink.width, ink.height).bottom
    if turn == 90:
        return ink.width - word.base
    return ink.height - word.base if turn == 180 else word.base


def _as_rect(rule: Rule) -> Rect:
    if rule.level:
        return Rect(rule.start, rule.at, rule.end, rule.at)
    return Rect(rule.at, rule.start, rule.at, rule.end)


# What is drawn.


def _read_objects(
    page: "pypdfium2.PdfPage",
    ink: PageInk,
    place: Callable[[float, float], tuple[float, float]],
    pictures: list[Rect],
) -> None:
    area = max(ink.width * ink.height, 1.0)
    shown = Rect(0.0, 0.0, ink.width, ink.height)
    for item, kind, matrix in _objects(page.raw, ink):
        if kind == pdfium.FPDF_PAGEOBJ_PATH:
            ink.drawn += 1
            _read_path(item, matrix, ink, place, pictures)
        elif kind in (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_SHADING):
            box = _bounds(item, matrix, place)
            if box is not None and box.meets(shown):
                pictures.append(box)
                seen_width = min(box.right, ink.width) - max(box.left, 0.0)
                seen_height = min(box.bottom, ink.height) - max(box.top, 0.0)
                _add_dot(ink, box)
                if kind == pdfium.FPDF_PAGEOBJ_IMAGE:
                    ink.pictured = min(1.0, ink.pictured + seen_width * seen_height / area)


def _objects(raw: Any, ink: PageInk) -> Iterator[tuple[Any, int, Matrix]]:
    """The objects of a page and of the forms on it, with the matrix they are drawn by."""
    count = 0
    stack: list[Iterator[tuple[Any, Matrix]]] = [
        (
            (pdfium.FPDFPage_GetObject(raw, i), IDENTITY)
            for i in range(pdfium.FPDFPage_CountObjects(raw))
        )
    ]
    while stack:
        entry = next(stack[-1], None)
        if entry is None:
            stack.pop()
            continue
        item, matrix = entry
        count += 1
        if count > MOST_OBJECTS:
            ink.warnings.append(f"page {ink.number}: too much is drawn on it to look for tables")
            return
        kind = pdfium.FPDFPageObj_GetType(item)
        if kind == pdfium.FPDF_PAGEOBJ_FORM and len(stack) < MOST_DEPTH:
            stack.append(_inside(item, _times(_matrix_of(item), matrix)))
        else:
            yield item, kind, matrix


def _inside(form: Any, matrix: Matrix) -> Iterator[tuple[Any, Matrix]]:
    for i in range(pdfium.FPDFFormObj_CountObjects(form)):
        yield pdfium.FPDFFormObj_GetObject(form, i), matrix


def _matrix_of(item: Any) -> Matrix:
    m = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(item, m):
        return IDENTITY
    return m.a, m.b, m.c, m.d, m.e, m.f


def _times(one: Matrix, two: Matrix) -> Matrix:
    a, b, c, d, e, f = one
    g, h, i, j, k, m = two
    return (
        a * g + b * i,
        a * h + b * j,
        c * g + d * i,
        c * h + d * j,
        e * g + f * i + k,
        e * h + f * j + m,
    )


def _bounds(
    item: Any, matrix: Matrix, place: Callable[[float, float], tuple[float, float]]
) -> Rect | None:
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    if not pdfium.FPDFPageObj_GetBounds(item, left, bottom, right, top):
        return None
    a, b, c, d, e, f = matrix
    corners = [(left.value, bottom.value), (right.value, top.value)]
    if matrix is not IDENTITY:
        corners += [(left.value, top.value), (right.value, bottom.value)]
    moved = [place(a * x + c * y + e, b * x + d * y + f) for x, y in corners]
    xs, ys = [x for x, _ in moved], [y for _, y in moved]
    if not all(map(math.isfinite, xs + ys)):
        return None
    return Rect(min(xs), min(ys), max(xs), max(ys))


def _read_path(
    item: Any,
    matrix: Matrix,
    ink: PageInk,
    place: Callable[[float, float], tuple[float, float]],
    pictures: list[Rect],
) -> None:
    mode, stroked = ctypes.c_int(), ctypes.c_int()
    if not pdfium.FPDFPath_GetDrawMode(item, mode, stroked) or not (mode.value or stroked.value):
        return
    box = _bounds(item, matrix, place)
    if box is None:
        return
    if _add_dot(ink, box):
        return
    segments = pdfium.FPDFPath_CountSegments(item)
    colour = _fill_colour(item) if mode.value else None
    if mode.value and colour is None:
        pictures.append(box)  # a pattern or gradient: nothing can be said of its colour
    thin = min(box.width, box.height) <= RULE_THICKNESS
    if thin and max(box.width, box.height) > RULE_THICKNESS:
        ink.rules.append(_rule(box))
    elif segments <= 12:
        if stroked.value and segments >= 4:
            ink.rules.extend(_edges(box))
        _add_fill(ink, box, colour)
    elif stroked.value and not mode.value:
        ink.rules.extend(_stretches(item, matrix, place))
    else:
        _add_fill(ink, box, colour)


def _add_dot(ink: PageInk, box: Rect) -> bool:
    """Notes a shape that may be a drawn bullet; whether it is one."""
    small = max(box.width, box.height) <= LARGEST_DOT
    round_ = min(box.width, box.height) > 0.6 * max(box.width, box.height) > 0.6
    if small and round_ and len(ink.dots) < MOST_DOTS:
        ink.dots.append(box)
    return small and round_


def _add_fill(ink: PageInk, box: Rect, colour: tuple[int, int, int] | None) -> None:
    if min(box.width, box.height) >= SMALLEST_FILL:
        ink.fills.append(Fill(box, colour))


def _rule(box: Rect) -> Rule:
    if box.width >= box.height:
        return Rule(True, (box.top + box.bottom) / 2, box.left, box.right)
    return Rule(False, (box.left + box.right) / 2, box.top, box.bottom)


def _edges(box: Rect) -> tuple[Rule, Rule, Rule, Rule]:
    return (
        Rule(True, box.top, box.left, box.right),
        Rule(True, box.bottom, box.left, box.right),
        Rule(False, box.left, box.top, box.bottom),
        Rule(False, box.right, box.top, box.bottom),
    )


def _stretches(
    item: Any, matrix: Matrix, place: Callable[[float, float], tuple[float, float]]
) -> Iterator[Rule]:
    """The level and upright stretches of a path of many strokes, such as a whole grid."""
    a, b, c, d, e, f = matrix
    x, y = ctypes.c_float(), ctypes.c_float()
    before: tuple[float, float] | None = None
    for i in range(min(pdfium.FPDFPath_CountSegments(item), 2000)):
        segment = pdfium.FPDFPath_GetPathSegment(item, i)
        pdfium.FPDFPathSegment_GetPoint(segment, x, y)
        here = place(a * x.value + c * y.value + e, b * x.value + d * y.value + f)
        if pdfium.FPDFPathSegment_GetType(segment) == pdfium.FPDF_SEGMENT_LINETO and before:
            across, along = abs(here[0] - before[0]), abs(here[1] - before[1])
            if min(across, along) < 0.5 and max(across, along) > RULE_THICKNESS:
                yield _rule(
                    Rect(
                        min(here[0], before[0]),
                        min(here[1], before[1]),
                        max(here[0], before[0]),
                        max(here[1], before[1]),
                    )
                )
        before = here


def _fill_colour(item: Any) -> tuple[int, int, int] | None:
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if not pdfium.FPDFPageObj_GetFillColor(item, red, green, blue, alpha):
        return None
    return red.value, green.value, blue.value
