"""Passages into statements: sentences, list items, headings that state something, table rows.

A statement is a range of the canonical text and nothing else; no word of it is ours.
"""

import itertools
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from corpus.model import Cell, Passage, Reading, Section

# A sentence ends at a full stop, exclamation or question mark, perhaps inside closing quotes,
# before a space and a capital, digit or opening quote; not after an abbreviation or list number.
SENTENCE_END = re.compile(r"[.!?][\"'”’)]*(?=\s+[\"'“‘(]?[A-Z0-9£])")
ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|Dr|Mr|Mrs|Ms|Prof|St|No|Inc|Ltd|approx|Cllr|para|fig)|\b[A-Z]|"
    r"(?:^|\s)\d{1,2})\.$"
)
LONGEST_ROW_WORDS = 130
FEWEST_WORDS = 4
FEWEST_HEADING_WORDS = 6


@dataclass(frozen=True, slots=True)
class Stated:
    """A statement of a document: its range, what kind of text it is, and what surrounds it."""

    document_id: str
    system: str
    start: int
    end: int
    text: str
    form: str
    heading: tuple[str, ...]
    cells: tuple[tuple[str, str], ...] = ()
    lead: str = ""

    @property
    def around(self) -> str:
        """The words that a reader sees with it: headings, the list's lead, the rest of the row."""
        return "\n".join([*self.heading, self.lead, *(text for _, text in self.cells)])


def statements(passage: Passage, reading: Reading) -> list[Stated]:
    """The statements that start in a passage, in order."""
    out: list[Stated] = []
    lead = ""
    for section in sections_in(reading, passage.start, passage.end):
        text = reading.text[section.start : section.end]
        if section.form != "list_item":
            lead = text if text.endswith(":") else ""
        if section.form == "table_row" and section.cells:
            out.extend(_row(passage, reading, section))
            continue
        least = FEWEST_HEADING_WORDS if section.form == "heading" else FEWEST_WORDS
        for start, end in sentences(text):
            words = text[start:end]
            if len(words.split()) < least:
                continue
            out.append(
                Stated(
                    document_id=passage.document_id,
                    system=passage.system,
                    start=section.start + start,
                    end=section.start + end,
                    text=words,
                    form=section.form,
                    heading=section.heading,
                    lead=lead if section.form == "list_item" else "",
                )
            )
    return out


def sections_in(reading: Reading, start: int, end: int) -> Iterator[Section]:
    """The sections that start in a range."""
    sections = reading.sections
    first = bisect_left(sections, start, key=lambda section: section.start)
    for section in itertools.islice(sections, first, None):
        if section.start >= end:
            return
        if not (section.form == "heading" and section.level == 0):
            yield section


def _row(passage: Passage, reading: Reading, section: Section) -> Iterator[Stated]:
    """A row whole; one too long to read at once by its cells, each with the others beside it."""
    text = reading.text[section.start : section.end]
    cells = tuple((c.header, reading.text[c.start : c.end]) for c in section.cells)

    def stated(start: int, end: int) -> Stated:
        return Stated(
            document_id=passage.document_id,
            system=passage.system,
            start=start,
            end=end,
            text=reading.text[start:end],
            form="table_row",
            heading=section.heading,
            cells=cells,
        )

    if len(text.split()) <= LONGEST_ROW_WORDS:
        yield stated(section.start, section.end)
        return
    for cell in section.cells:
        if len(reading.text[cell.start : cell.end].split()) >= FEWEST_WORDS:
            yield stated(*_cell_range(cell))


def _cell_range(cell: Cell) -> tuple[int, int]:
    return cell.start, cell.end


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each sentence of a text; a line break always ends one."""
    for line in re.finditer(r"[^\n]+", text):
        start = line.start()
        for match in SENTENCE_END.finditer(line[0]):
            end = line.start() + match.end()
            if not ABBREVIATION.search(text[start : line.start() + match.start() + 1]):
                yield _trimmed(text, start, end)
                start = end
        if text[start : line.end()].strip():
            yield _trimmed(text, start, line.end())


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
