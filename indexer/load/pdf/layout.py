"""Words into reading order: spans of words on a line, cut into columns, boxes and bands.

The page is cut by its white gutters, again and again (XY-cut: Nagy and Seth, 1984), with three
changes. A gutter is looked for only as far down the page as it stays clear, so that a heading over
two columns does not hide them; a panel drawn as a filled or outlined box, and a table, are never
cut through; and one line alone, however wide a gap it has, makes no columns.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from indexer.load.pdf.words import Fill, PageInk, Rect, Word
from indexer.normalise import BULLET

SPAN_GAP = 0.7
"""The widest space between words of one span, in ems; a wider one may be a gutter."""
TOUCHING = 0.08
"""The widest space, in ems, at which two words drawn apart are one."""
SAME_LINE = 0.2
RAISED = 0.75
GUTTER = 0.8
NARROWEST_GUTTER = 6.0
ENUMERATOR = re.compile(r"\(?(?:\d{1,3}|[a-z]|[ivx]{1,5})[.)]|\d{1,2}(?:\.\d{1,2}){1,3}\.?")
NUMBER = re.compile(r"\d{1,2}")
LOOSE_BULLETS = frozenset("o-–—*§Øü➔→")
ENUMERATOR_GAP = 5.0
DRAWN_BULLET = "•"
FARTHEST_DOT = 30.0
NEAR_DOTS = 20.0
WHOLE_PAGE = 0.9
SMALLEST_PANEL = 40.0


@dataclass(slots=True)
class Span:
    """Words of one line with no wide space between them; `box` is cut to the letters' bodies."""

    words: list[Word]
    base: float
    size: float
    box: Rect

    @property
    def text(self) -> str:
        """The words with single spaces."""
        return " ".join(word.text for word in self.words)


@dataclass(slots=True)
class Leaf:
    """Spans that are read straight down: a column, or the part of one between two cuts."""

    spans: list[Span]
    box: Rect


@dataclass(slots=True)
class Solid:
    """Something that is not cut: a table, or text set at another angle, as its reader made it."""

    content: object
    box: Rect


@dataclass(slots=True)
class Panel:
    """A drawn box and what stands in it."""

    pieces: "list[Piece]"
    box: Rect


Piece = Span | Solid | Panel
Part = Leaf | Solid
TableFinder = Callable[[Sequence[Span], Sequence[float]], Solid | None]
"""Spans that stand in rows, and the middles of the gutters between them, into a table, if one."""


def spans_of(words: Iterable[Word]) -> list[Span]:
    """Spans of words, first by the order in which they were drawn, then by where they stand."""
    runs: list[list[Word]] = []
    base = size = 0.0
    for word in words:
        if runs and _goes_on(runs[-1][-1], word, base, size):
            runs[-1].append(word)
            if word.style.size > size:
                base, size = word.base, word.style.size
        else:
            runs.append([word])
            base, size = word.base, word.style.size
    drawn = [_span(run) for run in runs]
    joined: list[Span] = []
    for row in rows_of(drawn):
        held = row[0]
        for span in row[1:]:
            if _same_span(held, span):
                held = _span(sorted(held.words + span.words, key=lambda w: w.box.left))
            else:
                joined.append(held)
                held = span
        joined.append(held)
    return joined


def _goes_on(last: Word, word: Word, base: float, size: float) -> bool:
    """Whether a word is drawn on in the line of words that ends with `last`."""
    own = word.style.size
    larger = size if size > own else own
    gap = word.box.left - last.box.right
    away = abs(word.base - base)
    if gap < -0.3 * larger or away > RAISED * larger:
        return False
    if away <= SAME_LINE * larger:
        return gap <= _widest(size, own)
    # A raised number, before or after the words that it marks.
    raised = min(size, own) < 0.85 * larger or _is_note_mark(last, word)
    return raised and gap <= 0.45 * larger


def _widest(one: float, other: float) -> float:
    """The widest space inside a span: less, where its words are set in different sizes."""
    alike = max(one, other) < 1.15 * min(one, other)
    return SPAN_GAP * one if alike else 0.5 * min(one, other)


def _is_note_mark(before: Word, word: Word) -> bool:
    return any(len(w.text) <= 3 and w.text.isdigit() for w in (before, word))


def _span(words: list[Word]) -> Span:
    """The words as a span; its box leaves out the room fonts keep above and below letters."""
    tallest = words[0] if len(words) == 1 else max(words, key=lambda w: w.style.size)
    first = words[0]
    top = bottom = first.base
    left, right = first.box.left, first.box.right
    for word in words:
        base, size = word.base, word.style.size
        top = min(top, base - 0.75 * size)
        bottom = max(bottom, base + 0.22 * size)
        left = min(left, word.box.left)
        right = max(right, word.box.right)
    return Span(words, tallest.base, tallest.style.size, Rect(left, top, right, bottom))


def rows_of(spans: Sequence[Span]) -> Iterator[list[Span]]:
    """Spans that stand on the same line, from left to right, line by line."""
    row: list[Span] = []
    for span in sorted(spans, key=lambda s: s.base):
        if row and span.base - row[-1].base > SAME_LINE * min(span.size, row[-1].size):
            yield sorted(row, key=lambda s: s.box.left)
            row = []
        row.append(span)
    if row:
        yield sorted(row, key=lambda s: s.box.left)


def _same_span(left: Span, right: Span) -> bool:
    gap = right.box.left - left.box.right
    size = max(left.size, right.size)
    if gap < -0.3 * size:
        return False
    if max(left.size, right.size) >= 1.15 * min(left.size, right.size):
        # Not drawn one after the other and set in different sizes: neighbours by chance.
        return gap <= TOUCHING * size
    if gap <= SPAN_GAP * size:
        return True
    return gap <= ENUMERATOR_GAP * size and is_mark(left, right)


def with_drawn_bullets(spans: Sequence[Span], dots: Sequence[Rect]) -> None:
    """Puts a bullet before each span that a dot is drawn in front of."""
    for dot in _lone(dots):
        middle = (dot.top + dot.bottom) / 2
        beside = [
            span
            for span in spans
            if span.box.top <= middle <= span.box.bottom
            and -1.0 <= span.box.left - dot.right <= FARTHEST_DOT
            and dot.height < span.size
        ]
        if not beside:
            continue
        span = min(beside, key=lambda s: s.box.left)
        style = span.words[0].style
        span.words.insert(0, Word(DRAWN_BULLET, dot, span.base, style, dot, span.words[0].turn))
        span.box = span.box.with_(Rect(dot.left, span.box.top, dot.right, span.box.bottom))


def _lone(dots: Sequence[Rect]) -> list[Rect]:
    """The dots beside which no other stands as near as in a border or a row of leaders."""
    by_place: dict[tuple[int, int], list[Rect]] = {}
    for dot in dots:
        by_place.setdefault((int(dot.left // NEAR_DOTS), int(dot.top // NEAR_DOTS)), []).append(dot)
    out: list[Rect] = []
    for (x, y), here in by_place.items():
        around = [
            d for i in (-1, 0, 1) for j in (-1, 0, 1) for d in by_place.get((x + i, y + j), ())
        ]
        out.extend(dot for dot in here if not any(_dotted(dot, other) for other in around))
    return out


def _dotted(dot: Rect, other: Rect) -> bool:
    near = 2.2 * max(dot.width, dot.height) + 1
    across, down = abs(other.left - dot.left), abs(other.top - dot.top)
    return across < near and down < near and across + down > 0.5


def is_mark(left: Span, right: Span) -> bool:
    """Whether a span is no more than the bullet or number of the one to its right."""
    if len(left.words) != 1:
        return False
    mark = left.words[0]
    if not BULLET.sub("", mark.text) or mark.text in LOOSE_BULLETS:
        return True
    if ENUMERATOR.fullmatch(mark.text):
        return True
    heading = mark.style.bold or mark.style.size > 13
    return bool(NUMBER.fullmatch(mark.text)) and heading and mark.style == right.words[0].style


def union(boxes: Iterable[Rect]) -> Rect:
    """The smallest rectangle over all of them."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return Rect(min(lefts), min(tops), max(rights), max(bottoms))


# Panels.


def with_panels(pieces: Sequence[Piece], ink: PageInk, fills: Sequence[Fill]) -> list[Piece]:
    """The pieces of a page, those that stand together in a drawn box put into its panel."""
    page = ink.width * ink.height
    frames = {
        Rect(*(round(v) for v in fill.box))
        for fill in fills
        if min(fill.box.width, fill.box.height) >= SMALLEST_PANEL / 2
        and fill.box.width >= SMALLEST_PANEL
        and fill.box.width * fill.box.height <= WHOLE_PAGE * page
    }
    pieces = list(pieces)
    # The smallest boxes first: what they hold is one piece for the boxes around them.
    for frame in sorted(frames, key=lambda box: box.width * box.height):
        inside = [piece for piece in pieces if _stands_in(piece.box, frame)]
        if len(inside) < 2 or len(inside) == len(pieces):
            continue
        kept = set(map(id, inside))
        if any(_crosses(piece.box, frame) for piece in pieces if id(piece) not in kept):
            continue
        if len(list(_bands(inside))) < 2:
            continue
        pieces = [piece for piece in pieces if id(piece) not in kept]
        pieces.append(Panel(inside, union(piece.box for piece in inside)))
    return pieces


def _stands_in(box: Rect, frame: Rect) -> bool:
    return frame.covers(box, 3.0)


def _crosses(box: Rect, frame: Rect) -> bool:
    """Whether something stands partly in the frame: then the frame is no frame."""
    inner = Rect(frame.left + 3, frame.top + 3, frame.right - 3, frame.bottom - 3)
    return inner.meets(box)


# Cutting.


def reading_order(pieces: Sequence[Piece], find_table: TableFinder) -> list[Part]:
    """Leaves and solids in the order in which they are read."""
    out: list[Part] = []
    _cut(list(pieces), find_table, out, 0)
    return out


MOST_CUTS = 40
Gap = tuple[float, float]


@dataclass(slots=True)
class _Group:
    """Bands one above the other that share gutters; none are shared where text goes across."""

    bands: list[list[Piece]]
    gutters: list[Gap] = field(default_factory=list)


def _cut(pieces: list[Piece], find_table: TableFinder, out: list[Part], depth: int) -> None:
    if len(pieces) == 1 or depth > MOST_CUTS:
        _emit(pieces, find_table, out, depth)
        return
    narrowest = _narrowest(pieces)
    groups = _groups([list(band) for band in _bands(pieces)], narrowest)
    for group in groups:
        inside = [piece for band in group.bands for piece in band]
        if not group.gutters:
            _emit(inside, find_table, out, depth)
            continue
        middles = [(left + right) / 2 for left, right in group.gutters]
        spans = [piece for piece in inside if isinstance(piece, Span)]
        table = find_table(spans, middles) if len(spans) == len(inside) else None
        if table is not None:
            out.append(table)
            continue
        if spans and len(spans) == len(inside) and _mostly_figures(spans):
            # Too few to be a table, but read along the lines none the less.
            _emit(inside, find_table, out, depth)
            continue
        for column in _columns(inside, middles):
            _cut(column, find_table, out, depth + 1)


def _mostly_figures(spans: Sequence[Span]) -> bool:
    return sum(span.text[:1].isdigit() and len(span.text) < 8 for span in spans) * 2 > len(spans)


def _narrowest(pieces: Sequence[Piece]) -> float:
    sizes = [piece.size for piece in pieces if isinstance(piece, Span)]
    return max(NARROWEST_GUTTER, GUTTER * median(sizes)) if sizes else NARROWEST_GUTTER


def _columns(pieces: Sequence[Piece], middles: Sequence[float]) -> list[list[Piece]]:
    columns: list[list[Piece]] = [[] for _ in range(len(middles) + 1)]
    for piece in pieces:
        middle = (piece.box.left + piece.box.right) / 2
        columns[sum(middle > gutter for gutter in middles)].append(piece)
    return [column for column in columns if column]


def _emit(pieces: list[Piece], find_table: TableFinder, out: list[Part], depth: int) -> None:
    """Pieces without a gutter, from the top down; panels are cut on their own."""
    held: list[Span] = []
    for piece in sorted(pieces, key=lambda p: (p.box.top, p.box.left)):
        if isinstance(piece, Span):
            held.append(piece)
            continue
        if held:
            out.append(Leaf(held, union(span.box for span in held)))
            held = []
        if isinstance(piece, Panel):
            _cut(piece.pieces, find_table, out, depth + 1)
        else:
            out.append(piece)
    if held:
        out.append(Leaf(held, union(span.box for span in held)))


def _bands(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Pieces between clear level strips, from the top down."""
    band: list[Piece] = []
    bottom = 0.0
    for piece in sorted(pieces, key=lambda p: p.box.top):
        if band and piece.box.top >= bottom - 0.5:
            yield band
            band = []
        bottom = max(bottom, piece.box.bottom) if band else piece.box.bottom
        band.append(piece)
    if band:
        yield band


def _occupied(band: Sequence[Piece]) -> list[Gap]:
    """What the pieces of a band cover from left to right, overlaps made one."""
    out: list[Gap] = []
    for box in sorted((piece.box for piece in band), key=lambda b: b.left):
        if out and box.left <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], box.right))
        else:
            out.append((box.left, box.right))
    return out


def _inner_gaps(taken: Sequence[Gap], narrowest: float) -> list[Gap]:
    pairs = zip(taken, taken[1:], strict=False)
    return [(a[1], b[0]) for a, b in pairs if b[0] - a[1] >= narrowest]


def _free(taken: Sequence[Gap]) -> list[Gap]:
    edges = [float("-inf"), *(x for interval in taken for x in interval), float("inf")]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _shared(gaps: Sequence[Gap], free: Sequence[Gap], narrowest: float) -> list[Gap]:
    out = []
    for left, right in gaps:
        for start, end in free:
            both = max(left, start), min(right, end)
            if both[1] - both[0] >= narrowest:
                out.append(both)
    return out


def _groups(bands: list[list[Piece]], narrowest: float) -> list[_Group]:
    """The bands of a region, grouped by the gutters that they share."""
    taken = [_occupied(band) for band in bands]
    groups: list[_Group] = []
    i = 0
    while i < len(bands):
        gutters = _inner_gaps(taken[i], narrowest)
        j = i + 1
        while gutters and j < len(bands):
            further = _shared(gutters, _free(taken[j]), narrowest)
            if not further:
                break
            gutters = further
            j += 1
        gutters = [gap for gap in gutters if _supported(bands[i:j], gap)]
        if not gutters:
            _add_full(groups, bands[i])
            i += 1
            continue
        group = _Group(bands[i:j], gutters)
        _reach_up(groups, group)
        if j < len(bands):
            j -= _give_back(group, bands[j])
        groups.append(group)
        i = j
    return groups


def _add_full(groups: list[_Group], band: list[Piece]) -> None:
    if groups and not groups[-1].gutters:
        groups[-1].bands.append(band)
    else:
        groups.append(_Group([band]))


def _supported(bands: Sequence[Sequence[Piece]], gap: Gap) -> bool:
    """Whether two lines or more stand on both sides of a gutter, or anything bigger than a line."""
    left = right = 0
    for band in bands:
        before = [piece for piece in band if piece.box.right <= gap[0] + 0.5]
        after = [piece for piece in band if piece.box.left >= gap[1] - 0.5]
        if before and after:
            left += max(len(list(_bands(before))), _bulk(before))
            right += max(len(list(_bands(after))), _bulk(after))
    return min(left, right) >= 2


def _bulk(pieces: Sequence[Piece]) -> int:
    return 2 if any(not isinstance(piece, Span) for piece in pieces) else 1


def _one_sided(band: Sequence[Piece], gutters: Sequence[Gap]) -> bool:
    """Whether a band lies clear of every gutter."""
    return all(
        piece.box.right <= gap[0] + 0.5 or piece.box.left >= gap[1] - 0.5
        for piece in band
        for gap in gutters
    )


def _distance(upper: Sequence[Piece], lower: Sequence[Piece]) -> float:
    return min(p.box.top for p in lower) - max(p.box.bottom for p in upper)


def _reach_up(groups: list[_Group], group: _Group) -> None:
    """Moves bands above that stand over one column only to that column, if they belong to it."""
    if not groups or groups[-1].gutters:
        return
    above = groups[-1].bands
    chain = 0
    while chain < len(above) and _one_sided(above[-1 - chain], group.gutters):
        chain += 1
    if not chain:
        return
    if chain < len(above):
        # Something goes across above: cut where the white between the bands is widest.
        stack = above[len(above) - chain - 1 :] + [group.bands[0]]
        gaps = [_distance(a, b) for a, b in zip(stack, stack[1:], strict=False)]
        chain -= gaps.index(max(gaps))
    if chain:
        group.bands[:0] = above[len(above) - chain :]
        del above[len(above) - chain :]
        if not above:
            groups.pop()


def _give_back(group: _Group, following: list[Piece]) -> int:
    """How many last bands, standing under one column only, belong to what follows; they are cut."""
    bands = group.bands
    chain = 0
    while chain < len(bands) - 1 and len(_occupied(bands[-1 - chain])) == 1:
        chain += 1
    stack = bands[len(bands) - chain - 1 :] + [following]
    gaps = [_distance(a, b) for a, b in zip(stack, stack[1:], strict=False)]
    if len(gaps) < 2:
        return 0
    back = len(gaps) - 1 - gaps.index(max(gaps))
    if back:
        del bands[len(bands) - back :]
    return back
