"""Evidence as pages show it: quotes with their source, how firm they are, what a system says."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from corpus.model import LEVEL_NAMES, Cell, Document, Reading
from indexer.store import Store
from search_api.cite import cite, packed
from search_api.dates import british_date
from search_api.headline import DOUBTFUL, plural
from search_api.model import (
    LADDER,
    CellStatus,
    Citation,
    Hit,
    Ladder,
    Searched,
    Statement,
    in_doubt,
)
from web.address import Address
from web.format import page_reference
from web.highlight import Piece, Wanted
from web.parts import Link

SHORT_CELL = 60
"""Cells of a row with up to as many characters stand side by side, longer ones beneath."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A step of the ladder: its name, how high it is (1 to 5), its tag's colour, what it means."""

    id: str
    label: str
    height: int
    colour: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Status:
    """What a system does about a theme: its name and its tag's colour."""

    id: str
    label: str
    colour: str
    meaning: str


RUNGS: Mapping[str, Rung] = {
    rung.id: rung
    for rung in (
        Rung("mention", "Mention", 1, "grey", "the subject is named, and no more"),
        Rung("aspiration", "Aspiration", 2, "purple", "something is wanted"),
        Rung("action", "Action", 3, "blue", "something will be or is being done"),
        Rung("target", "Target", 4, "aqua-green", "a number is to be reached"),
        Rung("commitment", "Commitment", 5, "green", "an action or target with a date or an owner"),
    )
}
DOUBT = Status(
    "doubt", "In doubt", "yellow", "what was found may be about something near: read and judge"
)
STATUSES: Mapping[str, Status] = {
    status.id: status
    for status in (
        Status("commits", "Commits", "green", "a target, or an action with a date or an owner"),
        Status("says", "Says", "blue", "an action or an aspiration"),
        Status("mentions", "Mentions", "grey", "the subject is named, and no more"),
        DOUBT,
        Status("silent", "Silent", "white", "every page was searched and nothing was found"),
        Status(
            "unreadable",
            "Not readable",
            "orange",
            "nothing was found, but some pages could not be read",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class QuotedCell:
    """A cell of a table row, with the header of its column."""

    header: str
    lines: tuple[tuple[Piece, ...], ...]
    wide: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of a document with where they stand.

    Of a table row `cells` are set, and `lines` are the headings quoted with it.
    """

    citation: str
    form: str
    lines: tuple[tuple[Piece, ...], ...]
    cells: tuple[QuotedCell, ...]
    context: str
    rung: Rung | None
    triggers: tuple[str, ...]
    system: str
    title: str
    page: str
    heading: tuple[str, ...]
    superseded: bool
    doubtful: bool
    href: str
    source_url: str | None
    reference: str


class Quoter:
    """Makes quotes of one generation's statements and hits."""

    def __init__(
        self,
        store: Store,
        citations: Iterable[Citation],
        wanted: Wanted,
        address: Address | None = None,
    ) -> None:
        """Quote with the citations of a reply, marking the words wanted.

        Args:
            address: what was asked; if it names a generation, links stay in that generation.
        """
        self._pinned = dict(address.pairs).get("index_id") if address else None
        self._store = store
        self._citations = {c.id: c for c in citations}
        self._wanted = wanted
        by_document: dict[str, list[str]] = {}
        for citation in self._citations.values():
            by_document.setdefault(citation.document_id, []).append(citation.id)
        self._beside = by_document

    def statement(self, statement: Statement) -> Quote:
        """A statement as a quote."""
        citation = self._citations[statement.citation]
        return self._quote(citation, statement.form, statement.context, statement)

    def hit(self, hit: Hit) -> Quote:
        """A passage found as a quote."""
        passage = hit.passage
        citation = cite(self._store, passage.document_id, passage.start, passage.end)
        return self._quote(citation, passage.form, "", None)

    def cited(self, identity: str) -> Quote:
        """The words of a citation of the reply as a quote."""
        return self._quote(self._citations[identity], "prose", "", None)

    def _quote(
        self, citation: Citation, form: str, context: str, statement: Statement | None
    ) -> Quote:
        document = self._store.documents[citation.document_id]
        reading = self._store.reading(citation.document_id)
        cells = cells_within(reading, citation.start, citation.end)
        page = page_of(self._store, citation)
        return Quote(
            citation=citation.id,
            form=form,
            lines=self._lines(citation.quote[: cells[0].start - citation.start])
            if cells
            else self._lines(citation.quote),
            cells=tuple(
                QuotedCell(
                    c.header,
                    self._lines(reading.text[c.start : c.end]),
                    c.end - c.start > SHORT_CELL,
                )
                for c in cells
            ),
            context=context,
            rung=RUNGS[statement.ladder] if statement else None,
            triggers=statement.triggers if statement else (),
            system=self._store.systems[citation.system].name,
            title=citation.document_title,
            page=page,
            heading=citation.heading if form != "heading" else citation.heading[:-1],
            superseded=document.status == "superseded",
            doubtful=statement is not None and not statement.sure,
            href=self._href(citation),
            source_url=citation.source_url,
            reference=reference(self._store, citation, document, page),
        )

    def _lines(self, text: str) -> tuple[tuple[Piece, ...], ...]:
        return tuple(self._wanted.pieces(line) for line in text.split("\n") if line.strip())

    def _href(self, citation: Citation) -> str:
        """The viewer at a citation, with the reply's other citations of the document to step to."""
        others = [i for i in self._beside.get(citation.document_id, ()) if i != citation.id]
        page, _, fragment = citation.url.partition("#")
        more = "".join(f"&cite={identity}" for identity in others[:20])
        if self._pinned:
            more += f"&index_id={quote(self._pinned)}"
        return f"{page}{more}#{fragment}"


def page_of(store: Store, citation: Citation) -> str:
    """Where a reader finds a citation, in words."""
    return page_reference(
        citation.pages,
        citation.page_label,
        citation.page_inferred,
        citation.document_id in packed(store),
        citation.file_page,
    )


def reference(store: Store, citation: Citation, document: Document, page: str) -> str:
    """A quote with its source, as it is pasted into a paper."""
    source = [citation.document_title]
    if document.publisher:
        source.append(document.publisher)
    if document.published:
        source.append(british_date(document.published))
    if citation.pages:
        source.append(page)
    if citation.heading:
        source.append(f"under “{citation.heading[-1]}”")
    words = " / ".join(line.strip() for line in citation.quote.split("\n") if line.strip())
    name = store.systems[citation.system].name
    return f"“{words}” {name}: {', '.join(source)}."


def cells_within(reading: Reading, start: int, end: int) -> tuple[Cell, ...]:
    """The cells of the table row at a range, as far as they stand in it; none for prose.

    Headings may stand before the row in the range.
    """
    at = bisect_right(reading.sections, start, key=lambda s: s.start) - 1
    if at < 0:
        return ()
    while reading.sections[at].form == "heading" and reading.sections[at].end < end:
        at += 1
    if reading.sections[at].end < end:
        return ()
    return tuple(c for c in reading.sections[at].cells if start <= c.start and c.end <= end)


@dataclass(frozen=True, slots=True)
class SystemPart:
    """What one system says: quotes with the strongest first, or how silence was established."""

    id: str
    anchor: str
    name: str
    level: str
    home: bool
    superseded: bool
    status: Status
    quotes: tuple[Quote, ...]
    total: int
    more: Link | None
    nearest: Quote | None
    searched: str
    doubtful: str


def searched_in_words(searched: Searched) -> str:
    """How much was searched: "1 document, 6 passages".

    >>> searched_in_words(Searched(documents=1, passages=6, unreadable_pages=0))
    '1 document, 6 passages'
    """
    parts = [plural(searched.documents, "document")]
    if searched.pages:
        parts.append(plural(searched.pages, "page"))
    parts.append(plural(searched.passages, "passage"))
    text = ", ".join(parts)
    if searched.unreadable_pages:
        text += f"; {plural(searched.unreadable_pages, 'page')} could not be read"
    return text


def level_in_words(level: str) -> str:
    """What kind of body it is."""
    return LEVEL_NAMES.get(level, level)


def strongest(ladder: Ladder | None) -> Rung | None:
    """The rung of a ladder's name."""
    return RUNGS[ladder] if ladder in LADDER else None


def status_of(status: CellStatus, statements: Sequence[Statement]) -> Status:
    """What a system does, as it is shown."""
    return DOUBT if in_doubt(statements) else STATUSES[status]


def system_part(
    store: Store,
    quoter: Quoter,
    system_id: str,
    anchor: str,
    statements: Sequence[Statement],
    nearest: Statement | None,
    status: Status,
    searched: Searched,
    home: str | None,
    superseded: bool = False,
    more: Link | None = None,
    total: int | None = None,
) -> SystemPart:
    """What one system says, as a part of a page."""
    system = store.systems[system_id]
    return SystemPart(
        id=system_id,
        anchor=anchor,
        name=system.name,
        level=level_in_words(system.level),
        home=system_id == home,
        superseded=superseded,
        status=status,
        quotes=tuple(quoter.statement(s) for s in statements),
        total=total if total is not None else len(statements),
        more=more,
        nearest=quoter.statement(nearest) if nearest else None,
        searched=searched_in_words(searched),
        doubtful=DOUBTFUL if status is DOUBT else "",
    )
