"""The stored nouns: what the catalogue declares and what reading and splitting produce.

All offsets count Unicode code points in a document's canonical text, half open: `text[start:end]`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["system", "place", "provider", "national", "predecessor"]
Status = Literal["current", "superseded", "draft"]
Form = Literal["prose", "list_item", "table_row", "heading", "contents"]

CAUTION = "take care: "
"""How a reading's warning starts that tells of text made to hide or to mislead."""

LEVEL_NAMES: dict[str, str] = {
    "system": "integrated care system",
    "place": "place",
    "provider": "provider",
    "national": "national body",
    "predecessor": "predecessor body",
}


@dataclass(frozen=True, slots=True)
class Lineage:
    """A change of body: what was or will be done with a system, and when."""

    event: str
    date: str | None
    status: Literal["announced", "done"]
    bodies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class System:
    """A body whose documents are compared: an integrated care system or one of its places.

    `places` are the boroughs, districts and towns in it that a question may name instead.
    """

    id: str
    name: str
    level: Level = "system"
    aliases: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    part_of: str | None = None
    region: str | None = None
    website: str | None = None
    note: str | None = None
    lineage: tuple[Lineage, ...] = ()


@dataclass(frozen=True, slots=True)
class Theme:
    """A subject that planners compare by, with the words that count as speaking of it.

    A word inside one of the phrases in `passing` does not count: "patients and their families and
    carers" is not about carers. Whoever asks for one of `names` asks for the whole theme, not for
    one word of it.
    """

    id: str
    label: str
    group: str
    words: tuple[str, ...]
    passing: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """One published thing. The documents of a pack share a file and differ in their part of it."""

    id: str
    system: str
    title: str
    file: str
    sha256: str
    kind: str = "strategy"
    publisher: str | None = None
    rights: str | None = None
    url: str | None = None
    published: str | None = None
    period_from: int | None = None
    period_to: int | None = None
    status: Status = "current"
    level: Level | None = None
    note: str | None = None
    pages: str | None = None
    first_line: str | None = None

    def overlaps(self, first: int | None, last: int | None) -> bool:
        """Whether the document's period meets the years asked for; an undated one always does."""
        if first is not None and self.period_to is not None and self.period_to < first:
            return False
        return not (last is not None and self.period_from is not None and self.period_from > last)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page of the file: points from the top left corner, page counted from 1."""

    page: int
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table row: its column's header and its own range of the canonical text."""

    header: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Section:
    """The smallest thing reading tells apart: a paragraph, list item, heading or table row."""

    start: int
    end: int
    form: Form
    heading: tuple[str, ...] = ()
    level: int = 0
    cells: tuple[Cell, ...] = ()
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page: the number to cite, where it is in the file, and the text that may stand on it.

    Where the source leaves the place of a page break open, the ranges of neighbouring pages
    overlap: words inside both may be on either, and both numbers are cited.
    """

    number: int
    start: int
    end: int
    label: str | None = None
    inferred: bool = False
    file_page: int | None = None
    unreadable: bool = False
    chrome: tuple[str, ...] = ()


def pages_within(pages: Iterable[Page], start: int, end: int) -> tuple[Page, ...]:
    """The pages on which a range of the text stands, or may stand, in order."""
    return tuple(p for p in pages if p.start < end and start < p.end)


@dataclass(frozen=True, slots=True)
class Reading:
    """A document as read: canonical text, its sections and pages, and what to know about both."""

    text: str
    sections: tuple[Section, ...]
    pages: tuple[Page, ...] = ()
    warnings: tuple[str, ...] = ()
    reader: str = ""

    @property
    def unreadable_pages(self) -> int:
        """How many pages could not be read."""
        return sum(page.unreadable for page in self.pages)

    @property
    def cautions(self) -> tuple[str, ...]:
        """The warnings that tell of text made to hide or to mislead."""
        return tuple(w for w in self.warnings if w.startswith(CAUTION))

    def pages_of(self, start: int, end: int) -> tuple[Page, ...]:
        """The pages on which the range stands, or may stand, in order."""
        return pages_within(self.pages, start, end)


@dataclass(frozen=True, slots=True)
class Passage:
    """What is indexed and shown: a range of one document that speaks about one thing."""

    id: str
    text: str
    system: str
    document_id: str
    document_title: str
    form: Form
    heading: tuple[str, ...]
    pages: tuple[int, ...]
    page_label: str | None
    page_inferred: bool
    file_page: int | None
    start: int
    end: int
    cells: tuple[Cell, ...] = ()
