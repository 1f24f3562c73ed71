"""Nouns as JSON: one form for the command line, the HTTP API and the pages' twins."""

import json
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from corpus.model import CAUTION, Document, Reading, System
from indexer.store import Store
from search_api.cite import text_sha256

# Python keeps `from` for itself; in JSON it is free.
RENAMED = {"from_": "from"}


PLAIN = frozenset({type(None), str, int, float, bool})


@cache
def _names(kind: type) -> tuple[tuple[str, str], ...] | None:
    """The names of a noun's fields, in Python and in JSON; None for what is no noun."""
    if not is_dataclass(kind):
        return None
    return tuple((f.name, RENAMED.get(f.name, f.name)) for f in fields(kind))


def to_json(value: Any) -> Any:
    """A noun, or anything made of nouns, as what `json.dumps` takes."""
    kind = value.__class__
    if kind in PLAIN:
        return value
    names = _names(kind)
    if names is not None:
        return {to: to_json(getattr(value, name)) for name, to in names}
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    return [to_json(item) for item in value]


def dumps(value: Any, indent: int | None = None) -> str:
    """A noun as JSON text, accents and quotation marks left as they are."""
    separators = (",", ": ") if indent else (",", ":")
    return json.dumps(to_json(value), ensure_ascii=False, indent=indent, separators=separators)


def system_entry(store: Store, system: System) -> dict[str, Any]:
    """A system with counts of what is indexed of it."""
    documents = [d for d in store.documents.values() if d.system == system.id]
    return to_json(system) | {  # type: ignore[no-any-return]
        "documents": len(documents),
        "passages": sum(_passages(store, d) for d in documents),
        "pages": sum(store.reports[d.id].pages for d in documents),
    }


def document_entry(store: Store, document: Document) -> dict[str, Any]:
    """A document as the catalogue has it, with what reading found."""
    report = store.reports[document.id]
    return to_json(document) | {  # type: ignore[no-any-return]
        "system_name": store.systems[document.system].name,
        "level": document.level or store.systems[document.system].level,
        "text_sha256": report.text_sha256,
        "reader_version": report.reader,
        "page_range": document.pages,
        "pages": report.pages,
        "passages": report.passages,
        "words": report.words,
        "unreadable_pages": report.unreadable_pages,
        "warnings": list(report.warnings),
        "cautions": [w.removeprefix(CAUTION) for w in report.warnings if w.startswith(CAUTION)],
    }


def _passages(store: Store, document: Document) -> int:
    first, end = store.rows_of(document.id)
    return end - first


def text_entry(document: Document, reading: Reading) -> dict[str, Any]:
    """The canonical text of a document with its pages."""
    return {
        "document_id": document.id,
        "document_sha256": document.sha256,
        "text_sha256": text_sha256(reading.text),
        "reader_version": reading.reader,
        "text": reading.text,
        "pages": [
            {
                "index": page.number,
                "label": page.label,
                "start": page.start,
                "end": page.end,
                "inferred": page.inferred,
                "file_page": page.file_page,
                "unreadable": page.unreadable,
            }
            for page in reading.pages
        ],
    }
