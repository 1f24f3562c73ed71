"""What several pages show: links, tags, quotes with their source, forms, what was understood."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from corpus.model import LEVEL_NAMES, Cell, Document, Reading
from indexer.store import Store
from search_api.cite import cite
from search_api.headline import listed, plural
from search_api.model import (
    LADDER,
    CellStatus,
    Citation,
    Hit,
    Ladder,
    Searched,
    Statement,
    Understood,
)
from web.address import Address
from web.format import british_date, page_reference
from web.highlight import Piece, Wanted

SHORT_CELL = 60
"""Cells of a row with up to as many characters stand side by side, longer ones beneath."""


@dataclass(frozen=True, slots=True)
class Link:
    """A text to follow. `count` says how many are behind it, `current` that we are there."""

    text: str
    href: str
    current: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class TakeAway:
    """How to keep a page: a link that stays, the same as JSON, and files."""

    permalink: str
    json: str
    index_id: str
    files: tuple[Link, ...] = ()


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
STATUSES: Mapping[str, Status] = {
    status.id: status
    for status in (
        Status("commits", "Commits", "green", "a target, or an action with a date or an owner"),
        Status("says", "Says", "blue", "an action or an aspiration"),
        Status("mentions", "Mentions", "grey", "the subject is named, and no more"),
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
    """Words of a document with where they stand. `cells` is set for table rows, else `lines`."""

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
            lines=() if cells else self._lines(citation.quote),
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
        in_pack(store, store.documents[citation.document_id]),
        citation.file_page,
    )


def in_pack(store: Store, document: Document) -> bool:
    """Whether a document is one of several in a file, so that its pages are the pack's."""
    return document.pages is not None and any(
        other.sha256 == document.sha256 and other.id != document.id
        for other in store.documents.values()
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
    """The cells of the table row at a range, as far as they stand in it; none for prose."""
    at = bisect_right(reading.sections, start, key=lambda s: s.start) - 1
    if at < 0 or reading.sections[at].end < end:
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
    rung: Rung | None
    quotes: tuple[Quote, ...]
    total: int
    more: Link | None
    nearest: Quote | None
    searched: str


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


def status_of(status: CellStatus) -> Status:
    """The status of a name."""
    return STATUSES[status]


@dataclass(frozen=True, slots=True)
class Read:
    """One thing that a question was taken to mean, and how to undo it."""

    text: str
    undo: Link | None = None


def understood_as(store: Store, understood: Understood, address: Address) -> tuple[Read, ...]:
    """What a question was taken to mean, each with the link that undoes it."""
    names = {s.id: s.name for s in store.systems.values()}
    filtered = any(name == "system" for name, _ in address.pairs)
    out = []
    if understood.systems and not filtered:
        every = Link("Ask every system", str(address.set("system", *names)))
        out.append(Read(f"Only {_names(understood.systems, names)}, as the question says", every))
    if understood.excluded_systems:
        out.append(_left_out(understood, names, address))
    for found in understood.expansions:
        where = f" (from {found.source})" if found.source else ""
        out.append(
            Read(
                f"“{found.from_}” was also searched for as “{found.to}”{where}",
                Link(
                    f"Only “{found.from_}” as typed",
                    str(address.set("q", f'"{found.from_}"')),
                ),
            )
        )
    for phrase in understood.phrases:
        out.append(Read(f"Every passage must hold “{phrase}” word for word"))
    for word in understood.without:
        out.append(Read(f"Passages with “{word}” were left out"))
    return tuple(out)


def _left_out(understood: Understood, names: Mapping[str, str], address: Address) -> Read:
    home = dict(address.pairs).get("home")
    left_out = _names(understood.excluded_systems, names)
    if understood.excluded_systems == (home,):
        undo = Link(f"Include {left_out}", str(address.drop("home")))
        return Read(f"{left_out} was left out: it is your own system and you asked of others", undo)
    undo = Link(
        f"Ask every system about {understood.subject}", str(address.set("q", understood.subject))
    )
    return Read(f"{left_out} left out, as the question says", undo)


def _names(ids: Sequence[str], names: Mapping[str, str]) -> str:
    return listed([names.get(i, i) for i in ids])


def wanted_words(understood: Understood, themes: Iterable[Sequence[str]] = ()) -> Wanted:
    """The words to mark in what was found."""
    words = [understood.subject]
    phrases = [e.to for e in understood.expansions]
    phrases += [*understood.phrases, *(word for theme in themes for word in theme)]
    return Wanted(words, phrases)


@dataclass(frozen=True, slots=True)
class Option:
    """A choice of a form."""

    value: str
    text: str
    chosen: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a form, and the field it is about."""

    message: str
    field: str | None


@dataclass(frozen=True, slots=True)
class Form:
    """A question with its filters as it was typed, and what can be chosen."""

    q: str
    home: tuple[Option, ...]
    systems: tuple[Option, ...]
    kinds: tuple[Option, ...]
    from_year: str
    to_year: str
    include_superseded: bool
    filters_set: int
    suggestions: tuple[str, ...]
    hidden: tuple[tuple[str, str], ...]
    problem: Problem | None = None


NO_FILTER = frozenset({"q", "home", "theme", "limit", "index_id", "offset", "due_before"})
SHOWN_BY_THE_FORM = frozenset(
    {"q", "home", "system", "kind", "from", "to", "include_superseded", "theme", "limit", "offset"}
    | {"due_before"}
)


def form_of(
    store: Store, address: Address, home: str | None = None, problem: Problem | None = None
) -> Form:
    """The form as an address fills it in.

    Args:
        home: the home system remembered, chosen where the address names none.
    """
    given: dict[str, list[str]] = {}
    for name, value in address.pairs:
        given.setdefault(name, []).append(value)
    first = {name: values[-1] for name, values in given.items()}
    chosen_home = first.get("home", "" if address.pairs else home or "")
    kinds = sorted({d.kind for d in store.documents.values()})
    return Form(
        q=first.get("q", ""),
        home=tuple(Option(s.id, s.name, s.id == chosen_home) for s in store.systems.values()),
        systems=tuple(
            Option(s.id, s.name, s.id in given.get("system", ())) for s in store.systems.values()
        ),
        kinds=tuple(Option(k, k.capitalize(), k in given.get("kind", ())) for k in kinds),
        from_year=first.get("from", ""),
        to_year=first.get("to", ""),
        include_superseded=first.get("include_superseded", "").lower() in ("true", "1", "on"),
        filters_set=sum(len(values) for name, values in given.items() if name not in NO_FILTER),
        suggestions=suggestions(store),
        hidden=tuple(p for p in address.pairs if p[0] not in SHOWN_BY_THE_FORM),
        problem=problem,
    )


def suggestions(store: Store) -> tuple[str, ...]:
    """What a question may be about: themes, systems, and acronyms with their meaning."""
    themes = [theme.label for theme in store.themes.values()]
    acronyms = [f"{a.short} ({a.long})" for a in store.acronyms if len(a.short) > 1]
    return tuple(dict.fromkeys([*themes, *acronyms]))
