"""What each page shows, as one dataclass a page: routes make them, templates lay them out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from corpus.model import Document, Lineage, System
from indexer.store import Store
from search_api.headline import plural
from search_api.model import (
    Answer,
    Citation,
    Commitment,
    Commitments,
    Comparison,
    FacetValue,
    Searched,
    SearchResult,
    Statement,
)
from web.address import Address
from web.format import british_date, capital, period
from web.highlight import Wanted
from web.parts import (
    RUNGS,
    Form,
    Link,
    Option,
    Problem,
    Quote,
    Quoter,
    Read,
    Rung,
    Status,
    SystemPart,
    TakeAway,
    form_of,
    in_pack,
    level_in_words,
    page_of,
    reference,
    searched_in_words,
    status_of,
    strongest,
    understood_as,
    wanted_words,
)

MOST_IN_A_CELL = 3
MANY_THEMES = 12
"""With more themes than these, a page shows one statement for each cell."""
FORMAT_NAMES = {"csv": "CSV (spreadsheet)", "xlsx": "Excel", "docx": "Word"}


@dataclass(frozen=True, slots=True)
class Counts:
    """How much is in the corpus."""

    systems: int
    documents: int
    pages: int
    passages: int
    built_on: str


def counts_of(store: Store) -> Counts:
    """How much an index holds."""
    manifest = store.manifest
    return Counts(
        systems=len({d.system for d in store.documents.values()}),
        documents=len(store.documents),
        pages=sum(report.pages for report in manifest.documents),
        passages=manifest.passages,
        built_on=british_date(manifest.built_at),
    )


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """A document in a list."""

    id: str
    title: str
    kind: str
    system: str
    level: str | None
    publisher: str | None
    published: str
    period: str
    superseded: bool
    draft: bool
    pages: int
    in_pack: bool
    words: int
    passages: int
    unreadable_pages: int
    note: str | None
    href: str


def document_entry(store: Store, document: Document) -> DocumentEntry:
    """A document in a list, with what reading found."""
    report = store.reports[document.id]
    system = store.systems[document.system]
    differs = document.level is not None and document.level != system.level
    return DocumentEntry(
        id=document.id,
        title=document.title,
        kind=capital(document.kind),
        system=system.name,
        level=level_in_words(document.level or "") if differs else None,
        publisher=document.publisher,
        published=british_date(document.published),
        period=capital(period(document.period_from, document.period_to)),
        superseded=document.status == "superseded",
        draft=document.status == "draft",
        pages=report.pages,
        in_pack=in_pack(store, document),
        words=report.words,
        passages=report.passages,
        unreadable_pages=report.unreadable_pages,
        note=document.note,
        href=f"/documents/{document.id}",
    )


@dataclass(frozen=True, slots=True)
class SystemEntry:
    """A system with what is held of it."""

    id: str
    name: str
    level: str
    part_of: str | None
    region: str | None
    website: str | None
    note: str | None
    lineage: tuple[Lineage, ...]
    documents: tuple[DocumentEntry, ...]


def system_entry(store: Store, system: System) -> SystemEntry:
    """A system with its documents."""
    own = [d for d in store.documents.values() if d.system == system.id]
    return SystemEntry(
        id=system.id,
        name=system.name,
        level=level_in_words(system.level),
        part_of=system.part_of,
        region=system.region,
        website=system.website,
        note=system.note,
        lineage=system.lineage,
        documents=tuple(document_entry(store, d) for d in own),
    )


@dataclass(frozen=True, slots=True)
class HomePage:
    """The front door: one box, examples, and what is in the corpus."""

    form: Form
    examples: tuple[Link, ...]
    counts: Counts
    systems: tuple[SystemEntry, ...]

    @classmethod
    def of(cls, store: Store, home: str | None) -> "HomePage":
        """The home page of an index, with the home system remembered."""
        address = Address("/ask")
        asked = address.set("home", home)
        examples = (
            Link("What do other systems say about dementia?", str(
                asked.set("q", "what do other ICSs say about dementia"))),
            Link("Who has a target for housing, and by when?", str(
                asked.set("q", "who has a target for housing, and by when?"))),
            Link("How will services be joined up around neighbourhoods?", str(
                asked.set("q", "how will services be joined up around neighbourhoods?"))),
        )  # fmt: skip
        return cls(
            form=form_of(store, address, home),
            examples=examples,
            counts=counts_of(store),
            systems=tuple(system_entry(store, s) for s in store.systems.values()),
        )


@dataclass(frozen=True, slots=True)
class AskPage:
    """A question and, once it was asked, what each system says to it."""

    form: Form
    question: str
    headline: str = ""
    reason: str | None = None
    answered: bool = False
    outside: bool = False
    inside: Link | None = None
    parts: tuple[SystemPart, ...] = ()
    searched: str = ""
    understood: tuple[Read, ...] = ()
    subject: str = ""
    notes: tuple[str, ...] = ()
    compare: Link | None = None
    search: Link | None = None
    take: TakeAway | None = None

    @classmethod
    def of(cls, store: Store, address: Address, answer: Answer) -> "AskPage":
        """The page of an answer."""
        themes = [t.words for t in store.themes.values() if _is_theme(t.label, answer)]
        quoter = Quoter(store, answer.citations, wanted_words(answer.understood, themes), address)
        home = dict(address.pairs).get("home")
        total = Searched(
            answer.searched.documents,
            answer.searched.passages,
            answer.searched.unreadable_pages,
            answer.searched.pages,
        )
        subject = answer.understood.subject
        # Nothing was searched where only bodies outside the corpus are named: nobody is silent.
        outside = bool(answer.understood.outside) and answer.status == "not_found"
        plain = address.set("q", subject)
        return cls(
            form=form_of(store, address),
            question=answer.query,
            headline=answer.headline,
            reason=answer.reason,
            answered=answer.status == "answered",
            outside=outside,
            inside=Link(f"Ask the systems that are in here about {subject}", str(plain)),
            parts=tuple(
                _part(
                    store,
                    quoter,
                    s.system,
                    f"system-{s.system}",
                    s.statements,
                    s.nearest,
                    status_of(s.status),
                    strongest(s.ladder),
                    s.searched,
                    home,
                )
                for s in answer.systems
            ),  # fmt: skip
            searched=f"{plural(answer.searched.systems, 'system')}, {searched_in_words(total)}",
            understood=understood_as(store, answer.understood, address),
            subject=subject if subject.casefold() != answer.query.casefold() else "",
            notes=answer.notes,
            compare=Link(
                "Compare the systems side by side",
                str(Address("/compare").set("theme", subject).set("home", home)),
            ),
            search=Link("See every passage about this", str(address.at("/search"))),
            take=take_away(address, answer.index_id),
        )


def _is_theme(label: str, answer: Answer) -> bool:
    subject = " ".join(answer.understood.subject.casefold().strip(" ?.").split())
    return bool(subject) and (subject == label.casefold() or subject in label.casefold())


def _part(
    store: Store,
    quoter: Quoter,
    system_id: str,
    anchor: str,
    statements: Sequence[Statement],
    nearest: Statement | None,
    status: Status,
    rung: Rung | None,
    searched: Searched,
    home: str | None,
    superseded: bool = False,
    more: Link | None = None,
    total: int | None = None,
) -> SystemPart:
    system = store.systems[system_id]
    return SystemPart(
        id=system_id,
        anchor=anchor,
        name=system.name,
        level=level_in_words(system.level),
        home=system_id == home,
        superseded=superseded,
        status=status,
        rung=rung,
        quotes=tuple(quoter.statement(s) for s in statements),
        total=total if total is not None else len(statements),
        more=more,
        nearest=quoter.statement(nearest) if nearest else None,
        searched=searched_in_words(searched),
    )


def files_of(address: Address, formats: Sequence[str]) -> list[Link]:
    """The same as files to keep."""
    return [Link(FORMAT_NAMES[f], str(address.set("format", f))) for f in formats]


def take_away(address: Address, index_id: str, files: Sequence[Link] = ()) -> TakeAway:
    """How to keep what an address shows."""
    kept = address.set("index_id", index_id)
    return TakeAway(str(kept), str(kept.twin()), index_id, tuple(files))


@dataclass(frozen=True, slots=True)
class Facet:
    """One way of narrowing a search down: values with counts, each a link."""

    name: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A search and the passages found."""

    form: Form
    question: str
    asked: bool = False
    hits: tuple[Quote, ...] = ()
    facets: tuple[Facet, ...] = ()
    clear: Link | None = None
    understood: tuple[Read, ...] = ()
    subject: str = ""
    spelling: Link | None = None
    notes: tuple[str, ...] = ()
    more: Link | None = None
    ask: Link | None = None
    take: TakeAway | None = None

    @classmethod
    def of(cls, store: Store, address: Address, result: SearchResult, limit: int) -> "SearchPage":
        """The page of a search result."""
        quoter = Quoter(store, (), wanted_words(result.understood), address)
        subject, spelling = result.understood.subject, result.understood.spelling
        narrowed = any(name in ("system", "kind", "document") for name, _ in address.pairs)
        found = sum(value.count for value in result.facets.document)
        more = min(limit + 10, 100) if limit < min(found, 100) else 0
        return cls(
            form=form_of(store, address),
            question=result.query,
            asked=True,
            hits=tuple(quoter.hit(hit) for hit in result.hits),
            facets=_facets(result, address),
            clear=Link("Clear these filters", str(address.drop("system", "kind", "document")))
            if narrowed
            else None,
            understood=understood_as(store, result.understood, address),
            subject=subject if subject.casefold() != result.query.casefold() else "",
            spelling=Link(spelling, str(address.set("q", spelling))) if spelling else None,
            notes=result.notes,
            more=Link("Show more passages", str(address.set("limit", str(more)))) if more else None,
            ask=Link("See the answer by system", str(address.drop("limit").at("/ask"))),
            take=take_away(address, result.index_id),
        )


def _facets(result: SearchResult, address: Address) -> tuple[Facet, ...]:
    plain = address.drop("limit")
    named: tuple[tuple[str, str, Iterable[FacetValue]], ...] = (
        ("System", "system", result.facets.system),
        ("Kind of document", "kind", result.facets.kind),
        ("Document", "document", result.facets.document),
    )
    return tuple(
        Facet(
            title,
            tuple(
                Link(
                    text=capital(value.label),
                    href=str(plain.toggle(name, value.value)),
                    current=(name, value.value) in address.pairs,
                    count=value.count,
                )
                for value in values
            ),
        )
        for title, name, values in named
    )


@dataclass(frozen=True, slots=True)
class ThemeGroup:
    """Themes to choose from that belong together."""

    name: str
    themes: tuple[Option, ...]
    all: str


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """A cell of the matrix: what the system does about the theme, and where the evidence is."""

    system: str
    status: Status
    rung: Rung | None
    detail: str
    href: str


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """A theme of the matrix with the evidence of each system beneath."""

    label: str
    anchor: str
    cells: tuple[MatrixCell, ...]
    parts: tuple[SystemPart, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A system of the matrix."""

    id: str
    name: str
    level: str
    home: bool
    superseded: bool


@dataclass(frozen=True, slots=True)
class ComparePage:
    """Themes to choose and, once chosen, the matrix of themes by systems with its evidence."""

    form: Form
    groups: tuple[ThemeGroup, ...]
    own_theme: str
    columns: tuple[Column, ...] = ()
    rows: tuple[MatrixRow, ...] = ()
    summary: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    take: TakeAway | None = None

    @classmethod
    def empty(
        cls, store: Store, address: Address, home: str | None, problem: Problem | None = None
    ) -> "ComparePage":
        """The page before a comparison, or with what is wrong about it."""
        chosen = [value for name, value in address.pairs if name == "theme"]
        return cls(
            form=form_of(store, address, home, problem),
            groups=_groups(store, chosen, address),
            own_theme=next((t for t in chosen if t not in store.themes), ""),
        )

    @classmethod
    def of(
        cls, store: Store, address: Address, comparison: Comparison, formats: Sequence[str]
    ) -> "ComparePage":
        """The page of a comparison."""
        chosen = [theme.id for theme in comparison.themes]
        files = files_of(address, formats)
        return cls(
            form=form_of(store, address),
            groups=_groups(store, chosen, address),
            own_theme=next((t for t in chosen if t not in store.themes), ""),
            columns=tuple(
                Column(s.id, s.name, level_in_words(s.level), s.home, s.superseded)
                for s in comparison.systems
            ),
            rows=_rows(store, address, comparison),
            summary=comparison.summary,
            notes=comparison.notes,
            take=take_away(address, comparison.index_id, files),
        )


def _groups(store: Store, chosen: Sequence[str], address: Address) -> tuple[ThemeGroup, ...]:
    groups: dict[str, list[Option]] = {}
    for theme in store.themes.values():
        groups.setdefault(theme.group, []).append(Option(theme.id, theme.label, theme.id in chosen))
    plain = Address("/compare", address.drop("theme", "index_id", "format").pairs)
    return tuple(
        ThemeGroup(name, tuple(themes), str(plain.set("theme", *(t.value for t in themes))))
        for name, themes in groups.items()
    )


def _rows(store: Store, address: Address, comparison: Comparison) -> tuple[MatrixRow, ...]:
    cells = {(cell.theme, cell.system): cell for cell in comparison.cells}
    home = next((s.id for s in comparison.systems if s.home), None)
    most = MOST_IN_A_CELL if len(comparison.themes) <= MANY_THEMES else 1
    out = []
    for number, theme in enumerate(comparison.themes, 1):
        known = store.themes.get(theme.id)
        wanted = wanted_words_of_theme(theme.label, known.words if known else ())
        quoter = Quoter(store, comparison.citations, wanted, address)
        row, parts = [], []
        for system in comparison.systems:
            cell = cells[theme.id, system.id]
            anchor = f"theme-{number}-{system.id}"
            status, rung = status_of(cell.status), strongest(cell.ladder)
            shown = cell.statements[:most]
            row.append(
                MatrixCell(
                    system.name,
                    status,
                    rung,
                    plural(len(cell.statements), "statement") if cell.statements else "",
                    f"#{anchor}",
                )
            )
            more = _more(address, theme.label, system.id, len(cell.statements), len(shown))
            parts.append(
                _part(store, quoter, system.id, anchor, shown, cell.nearest, status, rung,
                      cell.searched, home, system.superseded, more, len(cell.statements))
            )  # fmt: skip
        out.append(MatrixRow(theme.label, f"theme-{number}", tuple(row), tuple(parts)))
    return tuple(out)


def wanted_words_of_theme(label: str, words: Sequence[str]) -> Wanted:
    """The words to mark for a theme: those that count as speaking of it, else its own."""
    return Wanted(phrases=words) if words else Wanted([label])


def _more(address: Address, theme: str, system: str, total: int, shown: int) -> Link | None:
    if total <= shown:
        return None
    kept = address.drop("theme", "system", "home", "format").at("/ask")
    asked = kept.set("q", theme).set("system", system)
    return Link(f"See all {plural(total, 'statement')}", str(asked))


@dataclass(frozen=True, slots=True)
class DocumentsPage:
    """Every document by system."""

    systems: tuple[SystemEntry, ...]
    counts: Counts
    json: str = "/api/v1/documents"

    @classmethod
    def of(cls, store: Store) -> "DocumentsPage":
        """The documents of an index."""
        entries = tuple(system_entry(store, s) for s in store.systems.values())
        return cls(tuple(e for e in entries if e.documents), counts_of(store))


@dataclass(frozen=True, slots=True)
class SystemsPage:
    """Every system with its level, its lineage and its documents."""

    systems: tuple[SystemEntry, ...]
    json: str = "/api/v1/systems"

    @classmethod
    def of(cls, store: Store) -> "SystemsPage":
        """The systems of an index."""
        return cls(tuple(system_entry(store, s) for s in store.systems.values()))


@dataclass(frozen=True, slots=True)
class CommitmentRow:
    """A row of the register."""

    id: str
    text: str
    system: str
    action: str
    target: str | None
    due: str
    due_text: str | None
    owner: str | None
    themes: tuple[str, ...]
    milestones: tuple[tuple[str, str], ...]
    rung: Rung
    title: str
    page: str
    href: str
    reference: str


@dataclass(frozen=True, slots=True)
class CommitmentsPage:
    """The register of commitments: what was promised, how much, by when and by whom."""

    form: Form
    themes: tuple[Option, ...]
    due_before: str
    total: int = 0
    first: int = 0
    rows: tuple[CommitmentRow, ...] = ()
    notes: tuple[str, ...] = ()
    previous: Link | None = None
    next: Link | None = None
    take: TakeAway | None = None

    @classmethod
    def empty(
        cls, store: Store, address: Address, home: str | None, problem: Problem | None = None
    ) -> "CommitmentsPage":
        """The register's form, with what is wrong about it."""
        given = dict(address.pairs)
        return cls(
            form=form_of(store, address, home, problem),
            themes=tuple(
                Option(t.id, t.label, t.id == given.get("theme")) for t in store.themes.values()
            ),
            due_before=given.get("due_before", ""),
        )

    @classmethod
    def of(
        cls, store: Store, address: Address, found: Commitments, formats: Sequence[str]
    ) -> "CommitmentsPage":
        """A page of the register."""
        blank = cls.empty(store, address, None)
        given = dict(address.pairs)
        offset, limit = int(given.get("offset", 0)), int(given.get("limit", 50))
        last = offset + len(found.commitments)
        before = str(max(0, offset - limit)) if offset else None
        return cls(
            form=blank.form,
            themes=blank.themes,
            due_before=blank.due_before,
            total=found.total,
            first=offset + 1 if found.commitments else 0,
            rows=tuple(_commitment(store, c) for c in found.commitments),
            notes=found.notes,
            previous=Link("Previous", str(address.set("offset", before))) if before else None,
            next=Link("Next", str(address.set("offset", str(last))))
            if last < found.total
            else None,
            take=take_away(
                address, found.index_id, files_of(address.drop("offset", "limit"), formats)
            ),
        )


def _commitment(store: Store, commitment: Commitment) -> CommitmentRow:
    citation: Citation = commitment.citation
    page = page_of(store, citation)
    labels = [store.themes[t].label for t in commitment.themes if t in store.themes]
    return CommitmentRow(
        id=commitment.id,
        text=commitment.text,
        system=store.systems[commitment.system].name,
        action=commitment.action,
        target=commitment.target,
        due=british_date(commitment.due) or "No date",
        due_text=commitment.due_text,
        owner=commitment.owner,
        themes=tuple(labels),
        milestones=tuple((british_date(m.due), m.text) for m in commitment.milestones),
        rung=RUNGS[commitment.ladder],
        title=citation.document_title,
        page=page,
        href=citation.url,
        reference=reference(store, citation, store.documents[citation.document_id], page),
    )


@dataclass(frozen=True, slots=True)
class AboutPage:
    """What this is, how it works and what its words mean."""

    counts: Counts | None
    rungs: tuple[Rung, ...]
    statuses: tuple[Status, ...]


@dataclass(frozen=True, slots=True)
class AccessibilityPage:
    """The accessibility statement."""

    feedback: str | None


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What went wrong, in a sentence, and where to go on."""

    status: int
    title: str
    message: str
    links: tuple[Link, ...]
