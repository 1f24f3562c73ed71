"""The document viewer's page: what is cited, what was searched for, and the text around both."""

from collections.abc import Sequence
from dataclasses import dataclass

from corpus.errors import UnknownId
from corpus.model import CAUTION, Box, Document, Page, Reading
from indexer.store import Store
from search_api.cite import resolve
from search_api.model import Citation
from web.address import Address
from web.evidence import page_of, reference
from web.parts import Link, TakeAway
from web.present.lists import DocumentEntry, SystemEntry, document_entry, system_entry
from web.viewer import (
    Block,
    Entry,
    Found,
    Layout,
    Mark,
    find,
    outline,
    part_at,
    parts_of,
)

MOST_CITED = 50


@dataclass(frozen=True, slots=True)
class Cited:
    """The citation in view, with its neighbours to step to."""

    number: int
    total: int
    id: str
    page: str
    quote: str
    heading: tuple[str, ...]
    reference: str
    previous: str | None
    next: str | None


@dataclass(frozen=True, slots=True)
class Match:
    """A place where the words to find stand, as a link."""

    href: str
    before: str
    text: str
    after: str
    page: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A line of the outline, as a link."""

    href: str
    text: str
    level: int
    page: int | None


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """A document to read, with the cited words marked and what was searched for found."""

    entry: DocumentEntry
    system: SystemEntry
    sha256: str
    source_url: str | None
    rights: str | None
    warnings: tuple[str, ...]
    cautions: tuple[str, ...]
    blocks: tuple[Block, ...]
    outline: tuple[Heading, ...]
    parts: tuple[Link, ...]
    cited: Cited | None
    find: str
    found: tuple[Match, ...]
    kept: tuple[tuple[str, str], ...]
    image: str | None
    image_at: int | None
    page_link: str | None
    no_page: str | None
    file: str | None
    take: TakeAway


@dataclass(frozen=True, slots=True)
class Asked:
    """What the viewer was asked to show of a document."""

    address: Address
    cite: tuple[str, ...]
    page: int | None
    find: str
    part: int | None


@dataclass(frozen=True, slots=True)
class Behind:
    """What there is of a document's source: the file itself, pictures of its pages."""

    file: bool
    pictures: bool


def document_page(
    store: Store, document: Document, reading: Reading, asked: Asked, behind: Behind
) -> DocumentPage:
    """The viewer's page of a document.

    Raises:
        UnknownId: a citation asked for is not one of this document.
    """
    citations = cited_in(store, document, asked.cite)
    found = find(reading.text, asked.find)
    parts = parts_of(reading)
    part = _part(reading, parts, asked, citations)
    places = _Places(asked.address, reading, parts)
    marks = [Mark(c.start, c.end, c.id, "cite", i == 0) for i, c in enumerate(citations)]
    marks += [Mark(f.start, f.start + len(f.text), f.id, "find") for f in found]
    return DocumentPage(
        entry=document_entry(store, document),
        system=system_entry(store, store.systems[document.system]),
        sha256=document.sha256,
        source_url=document.url,
        rights=document.rights,
        warnings=tuple(w for w in reading.warnings if w not in reading.cautions),
        cautions=tuple(w.removeprefix(CAUTION) for w in reading.cautions),
        blocks=Layout(document.id, reading, marks).blocks(*parts[part]),
        outline=tuple(_heading(places, e) for e in outline(document.id, reading)),
        parts=tuple(
            Link(f"Part {n + 1}", str(asked.address.set("part", str(n + 1))), n == part)
            for n in range(len(parts))
        )
        if len(parts) > 1
        else (),
        cited=_cited(store, document, asked, citations),
        find=asked.find,
        found=tuple(_match(places, reading, f) for f in found),
        kept=tuple(p for p in asked.address.pairs if p[0] in ("cite", "page", "index_id")),
        image=_image(reading, document, asked, citations, behind),
        image_at=citations[0].pages[0] if citations and citations[0].pages else asked.page,
        page_link=_page_link(reading, asked),
        no_page=_no_page(reading, asked, citations),
        file=f"/documents/{document.id}/file" if behind.file else None,
        take=TakeAway(
            str(asked.address.set("index_id", store.manifest.index_id)),
            f"/api/v1/documents/{document.id}/text",
            store.manifest.index_id,
        ),
    )


def cited_in(store: Store, document: Document, identities: Sequence[str]) -> list[Citation]:
    """The citations that ids name, each once, in the order given.

    Raises:
        UnknownId: one is not a citation of this document.
    """
    out = []
    for identity in dict.fromkeys(identities[:MOST_CITED]):
        citation = resolve(store, identity)
        if citation.document_id != document.id:
            raise UnknownId(f"{identity} is not a citation of {document.title}.", field="cite")
        out.append(citation)
    return out


def boxes_of(reading: Reading, citations: Sequence[Citation]) -> list[Box]:
    """Where cited words stand on the pages of a file."""
    return [
        box
        for citation in citations
        for section in reading.sections
        if section.start < citation.end and citation.start < section.end
        for box in section.boxes
    ]


@dataclass(frozen=True, slots=True)
class _Places:
    """Addresses of places in a document: on this page, or on the part that holds them."""

    address: Address
    reading: Reading
    parts: Sequence[tuple[int, int]]

    def at(self, identity: str, offset: int) -> str:
        if len(self.parts) == 1:
            return f"#{identity}"
        part = part_at(self.reading, self.parts, offset)
        return str(self.address.set("part", str(part + 1)).to(identity))


def _part(
    reading: Reading, parts: Sequence[tuple[int, int]], asked: Asked, citations: Sequence[Citation]
) -> int:
    """Which part to show: the one asked for, else that of the citation, else that of the page."""
    if asked.part is not None:
        return min(max(asked.part, 1), len(parts)) - 1
    if citations:
        return part_at(reading, parts, citations[0].start)
    page = _page_asked(reading, asked)
    return part_at(reading, parts, page.start) if page else 0


def _heading(places: _Places, entry: Entry) -> Heading:
    return Heading(places.at(entry.id, entry.start), entry.text, entry.level, entry.page)


def _match(places: _Places, reading: Reading, found: Found) -> Match:
    pages = reading.pages_of(found.start, found.start + 1)
    page = f"page {pages[0].number}" if pages else ""
    return Match(places.at(found.id, found.start), found.before, found.text, found.after, page)


def _cited(
    store: Store, document: Document, asked: Asked, citations: Sequence[Citation]
) -> Cited | None:
    if not citations:
        return None
    now = citations[0]
    ordered = sorted(citations, key=lambda c: (c.start, c.end))
    at = ordered.index(now)

    def link(other: Citation) -> str:
        rest = [c.id for c in ordered if c.id != other.id]
        page = str(other.pages[0]) if other.pages else None
        address = asked.address.drop("part").set("cite", other.id, *rest).set("page", page)
        return str(address.to(other.id))

    page = page_of(store, now)
    return Cited(
        number=at + 1,
        total=len(ordered),
        id=now.id,
        page=page,
        quote=now.quote,
        heading=now.heading,
        reference=reference(store, now, document, page),
        previous=link(ordered[at - 1]) if at else None,
        next=link(ordered[at + 1]) if at + 1 < len(ordered) else None,
    )


def _image(
    reading: Reading,
    document: Document,
    asked: Asked,
    citations: Sequence[Citation],
    behind: Behind,
) -> str | None:
    """The address of the picture of the page in view."""
    wanted = _page_asked(reading, asked)
    page = citations[0].file_page if citations else wanted and wanted.file_page
    if not behind.pictures or page is None:
        return None
    address = Address(f"/documents/{document.id}/pages/{page}.png")
    index = dict(asked.address.pairs).get("index_id")
    return str(address.set("cite", *(c.id for c in citations)).set("index_id", index))


def _page_link(reading: Reading, asked: Asked) -> str | None:
    """Where on the page the page asked for begins, if there is such a page."""
    return f"#page-{asked.page}" if _page_asked(reading, asked) else None


def _no_page(reading: Reading, asked: Asked, citations: Sequence[Citation]) -> str | None:
    """What to say where a page is asked for that the document does not have."""
    if asked.page is None or citations or _page_asked(reading, asked):
        return None
    numbers = [page.number for page in reading.pages]
    if not numbers:
        return f"This document has no page {asked.page}: its pages have no numbers."
    return (
        f"This document has no page {asked.page}; its pages are {min(numbers)} to {max(numbers)}."
    )


def _page_asked(reading: Reading, asked: Asked) -> Page | None:
    return next((page for page in reading.pages if page.number == asked.page), None)
