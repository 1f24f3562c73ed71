"""Lines into paragraphs and list items: where one ends, and how its lines are made one text."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from corpus.model import Box
from indexer.load.pdf.layout import (
    ENUMERATOR,
    LOOSE_BULLETS,
    TOUCHING,
    Leaf,
    Span,
    rows_of,
    union,
)
from indexer.load.pdf.words import Rect, Style, Word
from indexer.normalise import BULLET, one_line, without_bullet

APART = 3.0
"""Ems of white within a line that part it in two, where no column was cut there."""
SET_APART = 1.0
PITCH_SLACK = 1.25
SIZE_SLACK = 1.12
TERMINAL = ".:;!?"
NUMERAL = r"(?:\d{1,3}|[ivx]+)"
LED = re.compile(rf"(?:(?:\.\s?){{4,}}|…[….]*|_{{4,}})\s*{NUMERAL}(?:\s?[-–,]\s?{NUMERAL})?$")
"""A contents line: leaders and a page number at its end."""
CLOSING = "\"'”’)]"
EDGES = "".join(chr(c) for c in range(33, 127) if not chr(c).isalnum()) + "‘’“”–—…•·"
# First halves that British English keeps its hyphen after, whatever follows.
FEW_BROKEN = 2
OFTEN_BROKEN = 0.05
"""The part of lines that end in a hyphen where a program parts words by syllables."""
HYPHEN_PREFIXES = frozenset("self co non well cross ex all half".split())
DASHES = "-\u2010\u2011"


class Hyphens:
    """Whether a hyphen at the end of a line is the word's own: told by the document's words."""

    def __init__(self, words: Sequence[str], lines: int) -> None:
        """Learns from all words, in the order in which they were drawn, and how many lines."""
        self._known = Counter(word.strip(EDGES).casefold() for word in words)
        pairs = zip(words, words[1:], strict=False)
        broken = [(a, b) for a, b in pairs if a[-1] in DASHES and len(a) > 2 and b[0].islower()]
        forms = [(a.strip(EDGES).casefold(), b.strip(EDGES).casefold()) for a, b in broken]
        parted = sum(self._known[a + b] > self._known[f"{a}-{b}"] for a, b in forms)
        kept = sum(self._known[f"{a}-{b}"] > 0 for a, b in forms)
        # Few programs part words by syllables: where none is plainly parted, all hyphens are real.
        often = len(broken) > max(FEW_BROKEN, OFTEN_BROKEN * lines)
        self._by_syllables = parted > kept or often

    def joint(self, before: str, after: str) -> str:
        """What stands between the last word of a line and the first of the next.

        Either nothing, or the hyphen itself; `before` is without it.
        """
        first, second = before.strip(EDGES).casefold(), after.strip(EDGES).casefold()
        if not first or not second or not before[-1].isalpha() or not after[0].islower():
            return "-"
        whole, parted = self._known[first + second], self._known[f"{first}-{second}"]
        if whole != parted:
            return "" if whole > parted else "-"
        last = re.split(r"[-/]", first)[-1]
        if last in HYPHEN_PREFIXES or len(last) < 2 or not self._by_syllables:
            return "-"
        # The second half may be known only from this very break.
        return "-" if self._known[last] and self._known[second] > 1 else ""


@dataclass(slots=True)
class Line:
    """Words that stand on one line of a column."""

    words: list[Word]
    box: Rect
    base: float
    size: float
    style: Style
    bold: bool
    mark: bool

    @property
    def last(self) -> str:
        """The last word."""
        return self.words[-1].text


@dataclass(slots=True)
class Paragraph:
    """Lines that belong together, what they are, and how they are set.

    Args:
        item: it is an item of a list; `note`: a footnote; `heading`: its level, or 0.
        first: it is the first of its column.
        room: the white between the end of its last line and the edge of its column.
    """

    lines: list[Line]
    page: int
    item: bool = False
    text: str = ""
    boxes: list[Box] = field(default_factory=list)
    heading: int = 0
    contents: bool = False
    note: bool = False
    first: bool = False
    room: float = 0.0

    @property
    def style(self) -> Style:
        """How most of its first line is set."""
        return self.lines[0].style

    @property
    def bold(self) -> bool:
        """Whether every word is bold."""
        return all(line.bold for line in self.lines)


def paragraphs(
    leaf: Leaf, page: int, hyphens: Hyphens, ends: re.Pattern[str] = LED
) -> list[Paragraph]:
    """The paragraphs and list items of a column, in order, with their text and place.

    Args:
        ends: how a line ends after which nothing goes on, as those of a contents page do.
    """
    lines = lines_of(leaf.spans)
    out: list[Paragraph] = []
    if not lines:
        return out
    measure = _Measure(lines)
    for line in lines:
        held = out[-1] if out else None
        goes_on = held is not None and not ends.search(line_text(held.lines[-1]))
        if held is not None and goes_on and not _parts(held, line, measure):
            held.lines.append(line)
        else:
            out.append(Paragraph([line], page, item=line.mark))
    out[0].first = True
    for paragraph in out:
        paragraph.room = measure.right - paragraph.lines[-1].box.right
        paragraph.text = text_of(paragraph.lines, hyphens)
        box = union(word.shown for line in paragraph.lines for word in line.words)
        paragraph.boxes = [shown_box(page, box)]
    return [paragraph for paragraph in out if paragraph.text]


def shown_box(page: int, rect: Rect) -> Box:
    """A box of the model, to a tenth of a point."""
    return Box(page, *(round(value, 1) for value in rect))


def lines_of(spans: Sequence[Span]) -> list[Line]:
    """The lines of a column from the top down; one with a wide gap counts as two."""
    out = []
    for row in rows_of(spans):
        held = row[0].words[:]
        size = row[0].size
        for span in row[1:]:
            size = max(size, span.size)
            marked = len(held) == 1 and _is_mark(held)
            if not marked and span.box.left - held[-1].box.right > _apart(held, span, size):
                out.append(_line(held))
                held = []
            held = held + span.words
        out.append(_line(held))
    return out


def _apart(held: Sequence[Word], span: Span, size: float) -> float:
    """The white beyond which what stands on one line is two: little, where they are set apart."""
    one, other = held[-1].style, span.words[0].style
    alike = one.bold == other.bold and max(one.size, other.size) < 1.15 * min(one.size, other.size)
    return (APART if alike else SET_APART) * size


def _line(words: list[Word]) -> Line:
    if _right_to_left(words):
        words = words[::-1]
    style = words[0].style
    tallest = words[0]
    if any(word.style is not style for word in words):
        letters: Counter[Style] = Counter()
        for word in words:
            letters[word.style] += len(word.text)
        style = letters.most_common(1)[0][0]
        tallest = max(words, key=lambda w: w.style.size)
    size = tallest.style.size
    left = min(word.box.left for word in words)
    right = max(word.box.right for word in words)
    body = Rect(left, tallest.base - 0.75 * size, right, tallest.base + 0.22 * size)
    told = [w for w in words if w.text.strip("•–-*") and w.text[0].isalnum()] or words
    bold = all(word.style.bold for word in told)
    capitals = all(word.text == word.text.upper() for word in words)
    # Small capitals are in two sizes, of which the larger is meant.
    told_size = size if capitals else style.size
    return Line(words, body, tallest.base, told_size, style, bold, _is_mark(words))


def _right_to_left(words: Sequence[Word]) -> bool:
    if all(word.text[0] < "\u0590" for word in words):  # where Hebrew, the first of them, begins
        return False
    strong = [unicodedata.bidirectional(word.text[0]) in ("R", "AL") for word in words]
    return sum(strong) * 2 > len(strong)


def _is_mark(words: Sequence[Word]) -> bool:
    """Whether a line starts with a bullet or the number of a list item."""
    first = words[0].text
    if BULLET.match(first) or ENUMERATOR.fullmatch(first):
        return True
    if first not in LOOSE_BULLETS or len(words) < 2:
        return False
    gap = words[1].box.left - words[0].box.right
    return gap > 0.35 * words[1].style.size or first in "§Øü➔"


class _Measure:
    """What is usual in a column: its edges and the height from line to line."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.left = min(line.box.left for line in lines)
        rights = sorted(line.box.right for line in lines)
        self.right = rights[int(len(rights) * 0.9)] if len(rights) > 4 else rights[-1]
        pitches: dict[float, list[float]] = {}
        for a, b in zip(lines, lines[1:], strict=False):
            pitch = b.base - a.base
            if 0.5 * a.size < pitch < 2.2 * a.size and abs(a.size - b.size) < 0.6:
                pitches.setdefault(round(a.size), []).append(pitch)
        self._pitch = {size: _usual(found) for size, found in pitches.items()}

    def pitch(self, line: Line) -> float:
        """How far below a line the next one of its paragraph stands."""
        return self._pitch.get(round(line.size), 1.25 * line.size)


def _usual(pitches: Sequence[float]) -> float:
    """The lower half's middle: paragraphs' own lines stand closer than paragraphs do."""
    ordered = sorted(pitches)
    return median(ordered[: len(ordered) // 2 + 1])


def _parts(held: Paragraph, line: Line, measure: _Measure) -> bool:
    """Whether a line starts a new paragraph after the lines held so far."""
    above = held.lines[-1]
    pitch = line.base - above.base
    if _is_note(line):
        return True
    if line.mark and not _number_in_sentence(held, above, line):
        return True
    if pitch < 0.4 * line.size or pitch > max(PITCH_SLACK * measure.pitch(above), line.size * 1.1):
        return True
    if max(line.size, above.size) > SIZE_SLACK * min(line.size, above.size):
        return True
    ended = above.last.rstrip(CLOSING)[-1:] in TERMINAL
    if above.bold != line.bold and _set_apart(held, above, line, ended):
        return True
    colours = above.style.colour != line.style.colour and above.bold == line.bold
    if colours and held.lines[0].style.colour == above.style.colour and ended:
        return True
    return _ran_short(held, above, line, ended, measure)


def _is_note(line: Line) -> bool:
    """Whether a line starts with the raised number of a footnote."""
    if len(line.words) < 2 or not line.words[0].text.isdigit():
        return False
    return line.words[1].base - line.words[0].base > 0.2 * line.size


def _number_in_sentence(held: Paragraph, above: Line, line: Line) -> bool:
    """Whether a line's number only happens to stand at its start ("... by 31 March\\n2024.")."""
    first = line.words[0].text
    if BULLET.match(first) or first in LOOSE_BULLETS:
        return False
    if held.item and ENUMERATOR.fullmatch(held.lines[0].words[0].text):
        return line.box.left > held.lines[0].box.left + line.size
    ended = above.last.rstrip(CLOSING)[-1:] in TERMINAL
    return not ended and not held.item and abs(line.box.left - above.box.left) < 1.0


def _set_apart(held: Paragraph, above: Line, line: Line, ended: bool) -> bool:
    """Whether bold lines above are a heading of the line, or a bold line one of what follows."""
    if above.bold:  # a heading, unless its last words stand on the next line
        return ended or (held.bold and not _runs_in(line))
    return ended or not _inner(line)


def _runs_in(line: Line) -> bool:
    """Whether a line starts with the last words of something bold that stands before its text."""
    first = line.words[0]
    return first.style.bold or first.text[0].islower() or not first.text[0].isalnum()


def _inner(line: Line) -> bool:
    """Whether a bold line is only the bold part of a sentence: it does not start like a heading."""
    return not line.words[0].text[0].isupper() or line.last[-1:] in ".,;"


def _ran_short(held: Paragraph, above: Line, line: Line, ended: bool, measure: _Measure) -> bool:
    """Whether the line above stopped although the next word would have gone on it."""
    centred = abs((above.box.left + above.box.right) - (line.box.left + line.box.right)) < 4
    if centred and abs(above.box.left - line.box.left) > 2:
        return False
    first = line.words[0]
    room = measure.right - above.box.right
    fits = room > first.box.width + line.size
    starts = first.text.lstrip("“\"'‘(")[:1]
    if fits and (ended or not starts.islower() and room > 0.25 * (measure.right - measure.left)):
        return True
    if held.item:
        # A line under a list item that stands no further in than its bullet starts anew.
        outdented = line.box.left < held.lines[0].box.left - 1
        flush = len(held.lines) > 1 and line.box.left < above.box.left - 0.8 * line.size
        return outdented or (flush and ended)
    indented = line.box.left - above.box.left
    return ended and 0.8 * line.size < indented < 4 * line.size


def text_of(lines: Sequence[Line], hyphens: Hyphens) -> str:
    """The text of lines that belong together, without the bullet it may start with."""
    out = ""
    for line in lines:
        out = joined(out, line_text(line), hyphens)
    out = one_line(out)
    first = lines[0]
    if first.mark and first.words[0].text in LOOSE_BULLETS:
        return one_line(out[len(first.words[0].text) :])
    return without_bullet(out)


def line_text(line: Line) -> str:
    """The words of a line, parted by a space unless they touch and the file has none there."""
    parts = [line.words[0].text]
    for before, word in zip(line.words, line.words[1:], strict=False):
        gap = word.box.left - before.box.right
        touching = -0.5 * word.style.size < gap < TOUCHING * word.style.size and not word.spaced
        parts.append(word.text if touching else " " + word.text)
    return "".join(parts)


def joined(above: str, below: str, hyphens: Hyphens) -> str:
    """Two pieces of running text made one over the break between their lines."""
    if not above or not below:
        return above or below
    if above.endswith("\u00ad"):
        return above[:-1] + below
    if above[-1] in DASHES and above[-2:-1].isalnum():
        words = above[:-1].rsplit(None, 1)
        between = hyphens.joint(words[-1], below.split(None, 1)[0])
        return above[:-1] + (above[-1] if between == "-" else between) + below
    if above[-1] in "–/" and above[-2:-1].isdigit() and below[0].isdigit():
        return above + below
    return f"{above} {below}"


def breaks_off(above: Paragraph, below: Paragraph) -> bool:
    """Whether a paragraph only goes on with the one before it."""
    if below.item or above.heading or below.heading or above.contents or below.contents:
        return False
    first, last = below.lines[0], above.lines[-1]
    if max(first.size, last.size) > SIZE_SLACK * min(first.size, last.size):
        return False
    if first.bold != last.bold and (below.bold or above.bold):
        return False
    end = above.text.rstrip(CLOSING)[-1:]
    if below.text[0].islower():
        hyphen = end in DASHES and above.text[-2:-1].isalpha()
        return hyphen or (end not in TERMINAL and len(above.text.split()) > 4)
    # A capital or figure may go on with a sentence, but only from a full line, in a new column.
    full = above.room < below.lines[0].words[0].box.width + 0.25 * last.size
    running = len(above.lines) > 1 and len(below.lines) > 1
    return below.first and full and running and (end.isalnum() or end == ",")


def absorb(above: Paragraph, below: Paragraph, hyphens: Hyphens) -> None:
    """Adds a paragraph's text, lines and boxes to the one that it goes on with."""
    above.text = joined(above.text, below.text, hyphens)
    above.lines = above.lines + below.lines
    above.room = below.room
    above.boxes = above.boxes + below.boxes
