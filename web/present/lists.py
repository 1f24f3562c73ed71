"""Lists of what is indexed: the home page, the documents, the systems."""

from collections import Counter
from dataclasses import dataclass

from corpus.model import Document, Lineage, System
from indexer.store import Store
from search_api.cite import packed
from search_api.dates import british_date
from web.address import Address
from web.evidence import level_in_words
from web.format import capital, period
from web.parts import Form, Link, form_of


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
        in_pack=document.id in packed(store),
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
class Held:
    """How much is held of a system."""

    id: str
    name: str
    level: str
    documents: int


@dataclass(frozen=True, slots=True)
class HomePage:
    """The front door: one box, examples, and what is in the corpus."""

    form: Form
    examples: tuple[Link, ...]
    counts: Counts
    systems: tuple[Held, ...]

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
        held = Counter(d.system for d in store.documents.values())
        return cls(
            form=form_of(store, address, home),
            examples=examples,
            counts=counts_of(store),
            systems=tuple(
                Held(s.id, s.name, level_in_words(s.level), held[s.id])
                for s in store.systems.values()
            ),
        )


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
