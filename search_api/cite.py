"""Citations: made by code from ranges of the canonical text, never written by hand."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote as url_quote

from corpus.errors import UnknownId
from corpus.model import Document, Page, Reading, pages_within
from indexer.statements import Stated
from indexer.store import Store
from search_api.derived import once_a_store
from search_api.model import Citation

CITATION_ID = re.compile(r"(?P<document>[a-z0-9-]+)\.(?P<start>\d+)-(?P<end>\d+)")


@once_a_store
def packed(store: Store) -> frozenset[str]:
    """The documents that are one of several in a file, so that their pages are the pack's."""
    held = Counter(d.sha256 for d in store.documents.values())
    return frozenset(
        d.id for d in store.documents.values() if d.pages is not None and held[d.sha256] > 1
    )


def citation_id(document_id: str, start: int, end: int) -> str:
    """The id of a citation, from which its place can be told."""
    return f"{document_id}.{start}-{end}"


def sha256(text: str) -> str:
    """SHA-256 of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=256)
def text_sha256(text: str) -> str:
    """SHA-256 of a canonical text, remembered."""
    return sha256(text)


def cite(store: Store, document_id: str, start: int, end: int) -> Citation:
    """The citation of a range of a document's canonical text.

    Raises:
        UnknownId: there is no such document, or no such range in it.
    """
    if document_id not in store.documents:
        raise UnknownId(f"There is no document {document_id} in this index.", field="document")
    document = store.documents[document_id]
    reading = store.reading(document_id)
    if not 0 <= start < end <= len(reading.text):
        raise UnknownId(
            f"{document_id} has no characters {start} to {end}; it has {len(reading.text)}."
        )
    return _citation(
        store.manifest.index_id,
        document,
        text_sha256(reading.text),
        (start, end),
        reading.text[start:end],
        heading_at(reading, start),
        pages_within(reading.pages, start, end),
    )


def cite_stated(store: Store, stated: Stated) -> Citation:
    """The citation of a statement that the store gave: the same as that of its range.

    The document need not be read for it, only its pages.
    """
    start, end = stated.start, stated.end
    return _citation(
        store.manifest.index_id,
        store.documents[stated.document_id],
        store.reports[stated.document_id].text_sha256,
        (start, end),
        stated.text,
        tuple(dict.fromkeys(stated.heading)),
        pages_within(store.pages(stated.document_id), start, end),
    )


def _citation(
    index_id: str,
    document: Document,
    sha256_of_text: str,
    place: tuple[int, int],
    quote: str,
    heading: tuple[str, ...],
    pages: Sequence[Page],
) -> Citation:
    start, end = place
    labels = [page.label for page in pages if page.label]
    files = [page.file_page for page in pages if page.file_page is not None]
    identity = citation_id(document.id, start, end)
    numbers = tuple(page.number for page in pages)
    at = f"?page={numbers[0]}" if numbers else ""
    mark = f"{'&' if at else '?'}cite={url_quote(identity)}"
    return Citation(
        id=identity,
        quote=quote,
        system=document.system,
        document_id=document.id,
        document_title=document.title,
        document_sha256=document.sha256,
        text_sha256=sha256_of_text,
        heading=heading,
        pages=numbers,
        page_label="–".join(dict.fromkeys((labels[0], labels[-1]))) if labels else None,
        page_inferred=any(page.inferred for page in pages),
        file_page=files[0] if files else None,
        start=start,
        end=end,
        quote_sha256=sha256(quote),
        index_id=index_id,
        url=f"/documents/{document.id}{at}{mark}#{identity}",
        source_url=document.url,
    )


def heading_at(reading: Reading, start: int) -> tuple[str, ...]:
    """The headings above a place of the text, the highest first."""
    found: tuple[str, ...] = ()
    for section in reading.sections:
        if section.start > start:
            break
        found = section.heading
    return tuple(dict.fromkeys(found))


def resolve(store: Store, identity: str) -> Citation:
    """The citation that an id names.

    Raises:
        UnknownId: it is not the id of a citation, or nothing stands there.
    """
    match = CITATION_ID.fullmatch(identity)
    if match is None:
        raise UnknownId(f"{identity!r} is not the id of a citation.", field="cite")
    return cite(store, match["document"], int(match["start"]), int(match["end"]))
