"""A document as a page to read: its text rebuilt as headings, paragraphs, lists and tables.

Page breaks stand between blocks. Ranges to mark (citations, words to find) cut the text into
pieces; the pieces of a block joined again are its slice of the canonical text.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from corpus.model import Cell, Page, Reading, Section
from search_api.cite import citation_id

LONGEST_PART = 120_000
"""Characters of a document on one page; longer documents are cut between two sections."""
MOST_FOUND = 200


@dataclass(frozen=True, slots=True)
class Mark:
    """A range to mark: a citation or a word found. The first piece of it carries its id."""

    start: int
    end: int
    id: str
    kind: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text of a block; `mark` and `id` are empty where nothing is marked."""

    text: str
    mark: str = ""
    id: str = ""
    current: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph, a list item or a heading: its pieces and the id that a link can name."""

    id: str
    pieces: tuple[Piece, ...]

    @property
    def plain(self) -> str:
        """All of it where nothing is marked, so that a template need not go piece by piece."""
        return _plain(self.pieces)


@dataclass(frozen=True, slots=True)
class TableCell:
    """A cell with the header of its column; with no pieces where the row has none there."""

    header: str
    pieces: tuple[Piece, ...]

    @property
    def plain(self) -> str:
        """All of it where nothing is marked."""
        return _plain(self.pieces)


@dataclass(frozen=True, slots=True)
class Row:
    """A table row."""

    id: str
    cells: tuple[TableCell, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One thing to lay out. `kind`: page, heading, prose, list, contents or table."""

    kind: str
    lines: tuple[Line, ...] = ()
    level: int = 0
    headers: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    page: Page | None = None
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A place where the words to find stand, with what is around."""

    id: str
    before: str
    text: str
    after: str
    start: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the document's own outline."""

    id: str
    text: str
    level: int
    start: int
    page: int | None


def _plain(pieces: Sequence[Piece]) -> str:
    return pieces[0].text if len(pieces) == 1 and not pieces[0].mark else ""


def find(text: str, words: str) -> tuple[Found, ...]:
    """Where words stand in a text, upper and lower case and line breaks aside."""
    parts = words.split()
    if not parts:
        return ()
    pattern = re.compile(r"\s+".join(map(re.escape, parts)), re.IGNORECASE)
    out = []
    for number, match in enumerate(pattern.finditer(text), 1):
        if number > MOST_FOUND:
            break
        before = text[max(0, match.start() - 60) : match.start()].split("\n")[-1]
        after = text[match.end() : match.end() + 60].split("\n")[0]
        out.append(Found(f"find-{number}", before, match[0], after, match.start()))
    return tuple(out)


def parts_of(reading: Reading) -> tuple[tuple[int, int], ...]:
    """A document as ranges of sections, each short enough for one page."""
    out, first = [], 0
    for at, section in enumerate(reading.sections):
        if section.end - reading.sections[first].start > LONGEST_PART and at > first:
            out.append((first, at))
            first = at
    return (*out, (first, len(reading.sections)))


def part_at(reading: Reading, parts: Sequence[tuple[int, int]], offset: int) -> int:
    """Which part holds a place of the text."""
    for number, (first, _) in enumerate(parts[1:], 1):
        if reading.sections[first].start > offset:
            return number - 1
    return len(parts) - 1


def outline(document_id: str, reading: Reading) -> tuple[Entry, ...]:
    """The headings of a document, one of those that repeat from slide to slide."""
    out: list[Entry] = []
    for section in reading.sections:
        if section.form != "heading" or section.level > 2:
            continue
        text = " ".join(reading.text[section.start : section.end].split())
        if out and out[-1].text == text:
            continue
        pages = reading.pages_of(section.start, section.end)
        identity = citation_id(document_id, section.start, section.end)
        number = pages[0].number if pages else None
        out.append(Entry(identity, text, section.level, section.start, number))
    return tuple(out)


@dataclass(slots=True)
class Layout:
    """Lays the sections of a document out as blocks."""

    document_id: str
    reading: Reading
    marks: Sequence[Mark] = ()
    _named: set[str] = field(default_factory=set)
    _level: int = 1

    def blocks(self, first: int, last: int) -> tuple[Block, ...]:
        """The blocks of a range of sections, with the page breaks among them."""
        out: list[Block] = []
        sections = self.reading.sections[first:last]
        pages = self._pages_from(sections[0].start if first else 0) if sections else []
        run: list[Section] = []
        for section in sections:
            breaks = []
            while pages and pages[0].start <= section.start:
                breaks.append(pages.pop(0))
            if run and (breaks or not _together(run[-1], section)):
                out.append(self._block(run))
                run = []
            out.extend(_break(page) for page in breaks)
            run.append(section)
        if run:
            out.append(self._block(run))
        if last == len(self.reading.sections):
            out.extend(_break(page) for page in pages)
        return tuple(out)

    def _pages_from(self, offset: int) -> list[Page]:
        ordered = sorted(self.reading.pages, key=lambda p: (p.start, p.number))
        return [p for p in ordered if p.start >= offset]

    def _block(self, run: Sequence[Section]) -> Block:
        form = run[0].form
        if form == "table_row":
            headers = _headers(run)
            rows = tuple(self._row(section, headers) for section in run)
            return Block("table", headers=headers, rows=rows)
        lines = tuple(self._line(section) for section in run)
        if form == "heading":
            # Steps of one, so that the outline has no gaps for those who walk along it.
            wanted = (run[0].level or len(run[0].heading) + 1) + 1
            self._level = min(wanted, self._level + 1, 6)
            return Block("heading", lines, level=self._level)
        kind = {"list_item": "list", "contents": "contents"}.get(form, "prose")
        return Block(kind, lines)

    def _line(self, section: Section) -> Line:
        return Line(self._id(section), self._pieces(section.start, section.end))

    def _row(self, section: Section, headers: Sequence[str]) -> Row:
        cells = section.cells or (Cell("", section.start, section.end),)
        if len(set(headers)) < len(headers) or not any(headers):
            # Columns that cannot be told apart by name are filled from the left.
            names = [*headers, *[""] * len(cells)]
            return Row(
                self._id(section),
                tuple(
                    TableCell(name, self._pieces(c.start, c.end))
                    for name, c in zip(names, cells, strict=False)
                ),
            )
        by_header: dict[str, list[Cell]] = {}
        for cell in cells:
            by_header.setdefault(cell.header, []).append(cell)
        return Row(
            self._id(section),
            tuple(TableCell(h, self._joined(by_header.get(h, ()))) for h in headers),
        )

    def _joined(self, cells: Iterable[Cell]) -> tuple[Piece, ...]:
        out: list[Piece] = []
        for cell in cells:
            if out:
                out.append(Piece("\n"))
            out.extend(self._pieces(cell.start, cell.end))
        return tuple(out)

    def _id(self, section: Section) -> str:
        """The section's own citation id, unless a mark carries it already."""
        identity = citation_id(self.document_id, section.start, section.end)
        return "" if any(m.id == identity for m in self.marks) else identity

    def _pieces(self, start: int, end: int) -> tuple[Piece, ...]:
        return tuple(self._cut(start, end))

    def _cut(self, start: int, end: int) -> Iterator[Piece]:
        text = self.reading.text
        touching = [m for m in self.marks if m.start < end and start < m.end]
        if not touching:
            yield Piece(text[start:end])
            return
        edges = {start, end}
        for mark in touching:
            edges |= {max(start, mark.start), min(end, mark.end)}
        ordered = sorted(edges)
        for left, right in zip(ordered, ordered[1:], strict=False):
            over = [m for m in touching if m.start <= left and right <= m.end]
            if not over:
                yield Piece(text[left:right])
                continue
            top = min(over, key=lambda m: (m.kind != "find", not m.current))
            fresh = next((m.id for m in over if m.id not in self._named), "")
            self._named.add(fresh)
            yield Piece(text[left:right], top.kind, fresh, any(m.current for m in over))


def _together(one: Section, other: Section) -> bool:
    """Whether two neighbours are items of one list or rows of one table."""
    if one.form != other.form or one.form not in ("list_item", "table_row", "contents"):
        return False
    if one.form != "table_row":
        return True
    return _compatible([c.header for c in one.cells], [c.header for c in other.cells])


def _compatible(one: Sequence[str], other: Sequence[str]) -> bool:
    if not any(one) and not any(other):
        return True
    return bool(set(one) & set(other)) and any(one) == any(other)


def _headers(rows: Sequence[Section]) -> tuple[str, ...]:
    """The columns of rows, in the order of the fullest row, then as they come."""
    fullest = max(rows, key=lambda row: len(row.cells))
    names = [c.header for c in fullest.cells]
    if len(set(names)) < len(names):
        return tuple(names)
    names += [c.header for row in rows for c in row.cells]
    return tuple(dict.fromkeys(names))


def _break(page: Page) -> Block:
    return Block("page", page=page, empty=page.end <= page.start)
