"""The asked nouns: what a question is made of and what comes back.

In JSON each is exactly its fields, as docs/api.md lists them; the command line, the HTTP API and
the pages show the same objects. Offsets count Unicode code points of a document's canonical text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from corpus.model import Passage

Ladder = Literal["mention", "aspiration", "action", "target", "commitment"]
Order = Literal["due", "owner", "document"]
CellStatus = Literal["commits", "says", "mentions", "silent", "unreadable"]

LADDER: tuple[Ladder, ...] = ("mention", "aspiration", "action", "target", "commitment")
STATUS_OF: dict[Ladder, CellStatus] = {
    "commitment": "commits",
    "target": "commits",
    "action": "says",
    "aspiration": "says",
    "mention": "mentions",
}
MOST_CHARACTERS = 1_000
SEEN = re.compile(r"[^\s\x00-\x20\x7f-\xa0\u2000-\u200f\u2028-\u202e\u2060-\u206f]")
"""A character that can be seen: what has none asks nothing."""
MOST_RESULTS = 100
MOST_THEMES = 50


@dataclass(frozen=True, slots=True)
class Filters:
    """What to search in. Empty means everything; `from_year` and `to_year` select by period."""

    system: tuple[str, ...] = ()
    exclude_system: tuple[str, ...] = ()
    document: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    from_year: int | None = None
    to_year: int | None = None
    include_superseded: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A question with its filters. `home` is the asker's own system, which "other" leaves out."""

    text: str
    home: str | None = None
    filters: Filters = field(default_factory=Filters)
    limit: int = 10


@dataclass(frozen=True, slots=True)
class Expansion:
    """A word of the question and what was searched beside it, with where that was learned."""

    from_: str
    to: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Understood:
    """What the question was taken to mean."""

    text: str
    systems: tuple[str, ...] = ()
    excluded_systems: tuple[str, ...] = ()
    expansions: tuple[Expansion, ...] = ()
    notes: tuple[str, ...] = ()
    subject: str = ""
    outside: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    spelling: str | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found: its rank from 1, its score, and which retrievers found it."""

    rank: int
    score: float
    matched_by: tuple[Literal["lexical", "dense"], ...]
    passage: Passage


@dataclass(frozen=True, slots=True)
class FacetValue:
    """How many of the passages found have one value."""

    value: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """Counts by system, by kind of document and by document."""

    system: tuple[FacetValue, ...]
    kind: tuple[FacetValue, ...]
    document: tuple[FacetValue, ...]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Passages for a question, best first."""

    query: str
    understood: Understood
    hits: tuple[Hit, ...]
    facets: Facets
    notes: tuple[str, ...]
    index_id: str
    took_ms: float


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a quote stands, complete enough to be checked without this product."""

    id: str
    quote: str
    system: str
    document_id: str
    document_title: str
    document_sha256: str
    text_sha256: str
    heading: tuple[str, ...]
    pages: tuple[int, ...]
    page_label: str | None
    page_inferred: bool
    file_page: int | None
    start: int
    end: int
    quote_sha256: str
    index_id: str
    url: str
    source_url: str | None


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence, list item or table row that speaks to the subject, word for word.

    `triggers` are the words that gave it its place on the ladder. `context` says what a row or a
    pronoun needs to be understood (the row's columns, the heading above): it is not quoted.
    `sure` says whether it is taken to be about the subject; what is not sure may be about
    something near it, and no count rests on it.
    """

    text: str
    ladder: Ladder
    triggers: tuple[str, ...]
    citation: str
    score: float = 0.0
    form: str = "prose"
    context: str = ""
    sure: bool = True


def in_doubt(statements: Sequence[Statement]) -> bool:
    """Whether there are statements, none of which is sure."""
    return bool(statements) and not any(s.sure for s in statements)


@dataclass(frozen=True, slots=True)
class Searched:
    """How much of one system was searched: the proof of silence."""

    documents: int
    passages: int
    unreadable_pages: int
    pages: int = 0


@dataclass(frozen=True, slots=True)
class SearchedAll:
    """How much was searched in all."""

    systems: int
    documents: int
    passages: int
    unreadable_pages: int
    pages: int = 0


@dataclass(frozen=True, slots=True)
class SystemAnswer:
    """What one system says: its statements, strongest first, or the nearest miss."""

    system: str
    name: str
    level: str
    status: CellStatus
    statements: tuple[Statement, ...]
    nearest: Statement | None
    searched: Searched
    ladder: Ladder | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A cited answer by system, or "not found" with the reason and the nearest miss."""

    query: str
    understood: Understood
    status: Literal["answered", "not_found"]
    reason: str | None
    headline: str
    systems: tuple[SystemAnswer, ...]
    citations: tuple[Citation, ...]
    searched: SearchedAll
    notes: tuple[str, ...]
    index_id: str


@dataclass(frozen=True, slots=True)
class ComparedTheme:
    """A row of a comparison: a catalogue theme, or free text with an id made of it."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class ComparedSystem:
    """A column of a comparison. `superseded`: only superseded documents speak for it."""

    id: str
    name: str
    level: str
    home: bool
    superseded: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """What one system says on one theme."""

    theme: str
    system: str
    status: CellStatus
    ladder: Ladder | None
    statements: tuple[Statement, ...]
    nearest: Statement | None
    searched: Searched
    emphasis: float = 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Themes by systems, with every citation that the cells name."""

    themes: tuple[ComparedTheme, ...]
    systems: tuple[ComparedSystem, ...]
    cells: tuple[Cell, ...]
    citations: tuple[Citation, ...]
    notes: tuple[str, ...]
    index_id: str
    summary: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Milestone:
    """A further date of a commitment."""

    due: str
    text: str


@dataclass(frozen=True, slots=True)
class Commitment:
    """An objective as it was promised: what, how much, by when, by whom."""

    id: str
    text: str
    system: str
    document_id: str
    themes: tuple[str, ...]
    action: str
    target: str | None
    value: float | None
    unit: str | None
    due: str | None
    due_text: str | None
    milestones: tuple[Milestone, ...]
    owner: str | None
    ladder: Ladder
    citation: Citation


@dataclass(frozen=True, slots=True)
class Commitments:
    """A page of the register of commitments."""

    total: int
    commitments: tuple[Commitment, ...]
    notes: tuple[str, ...]
    index_id: str


@dataclass(frozen=True, slots=True)
class Priority:
    """One declared priority, word for word; `under` is the priority whose area it is.

    `themes` are the catalogue themes of which its own words speak, `themes_beneath` those of the
    text right under it and of the areas it names.
    """

    id: str
    text: str
    number: int | None
    under: str | None
    themes: tuple[str, ...]
    themes_beneath: tuple[str, ...]
    citation: str


@dataclass(frozen=True, slots=True)
class DeclaredList:
    """A list that a document declares: what it calls it, and the words that declare it.

    `basis` says how it was found: by a heading, a sentence, numbered lines, a table's column, or
    guessed from the opening of a text without headings. `also` are the places that give the list
    again; `missing` the numbers that a numbered list lacks.
    """

    called: str
    rank: Literal["headline", "supporting"]
    basis: Literal["heading", "sentence", "numbered", "table", "opening"]
    document_id: str
    superseded: bool
    declared_by: str
    priorities: tuple[Priority, ...]
    also: tuple[str, ...]
    missing: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SystemPriorities:
    """What one system declares; *none* where no list was found, *unreadable* where pages were."""

    system: str
    name: str
    level: str
    home: bool
    superseded: bool
    status: Literal["declares", "none", "unreadable"]
    lists: tuple[DeclaredList, ...]
    searched: Searched


@dataclass(frozen=True, slots=True)
class SharedTheme:
    """A theme with the systems whose headline priorities speak to it, and which those are."""

    theme: str
    label: str
    systems: tuple[str, ...]
    priorities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Priorities:
    """The declared priorities of systems side by side, with every citation that they name."""

    systems: tuple[SystemPriorities, ...]
    themes: tuple[SharedTheme, ...]
    citations: tuple[Citation, ...]
    summary: tuple[str, ...]
    notes: tuple[str, ...]
    index_id: str


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether a citation still stands. `reason` of a failure: moved, changed or missing."""

    valid: bool
    reason: str | None
    citation: str
    detail: str = ""
