"""Which documents a question is put to, and what to know of them: filters, and notes on care."""

from collections.abc import Iterable, Sequence

from corpus.errors import QueryError, UnknownId
from corpus.model import CAUTION, LEVEL_NAMES, Document, Lineage, System
from indexer.store import Store
from search_api.dates import british_date
from search_api.headline import plural
from search_api.model import Filters
from search_api.retrieve import Scope, scope_of

MOST_TITLES = 5


def known_document(store: Store, document_id: str) -> Document:
    """A document by its id.

    Raises:
        UnknownId: it is not in the index.
    """
    if document_id not in store.documents:
        raise UnknownId(f"There is no document {document_id} in this index.", field="document")
    return store.documents[document_id]


def known_system(store: Store, system: str, name: str) -> None:
    """Refuse a system that is not there; `name` is that of the filter that asked for it.

    Raises:
        UnknownId: it is not in the index.
    """
    if system not in store.systems:
        known = ", ".join(store.systems)
        raise UnknownId(f"There is no system {system!r}; there are {known}.", field=name)


def filtered(
    store: Store, filters: Filters, home: str | None
) -> tuple[list[Document], tuple[str, ...]]:
    """The documents that filters leave, and notes on what was left out and why.

    Raises:
        QueryError: the years are the wrong way round.
        UnknownId: a system or document is not in the index.
    """
    for system in (*filters.system, *filters.exclude_system):
        known_system(store, system, "system")
    if home is not None:
        known_system(store, home, "home")
    for document_id in filters.document:
        known_document(store, document_id)
    years = filters.from_year, filters.to_year
    if years[0] is not None and years[1] is not None and years[0] > years[1]:
        raise QueryError(f"from ({years[0]}) must not be after to ({years[1]}).", field="from")
    kept = [
        d
        for d in store.documents.values()
        if (not filters.system or d.system in filters.system)
        and d.system not in filters.exclude_system
        and (not filters.document or d.id in filters.document)
        and (not filters.kind or d.kind in filters.kind)
        and d.overlaps(*years)
    ]
    notes = []
    if any(y is not None for y in years):
        undated = [d for d in kept if d.period_from is None and d.period_to is None]
        if undated:
            notes.append(
                f"{plural(len(undated), 'undated document')} cannot be told by year: kept in."
            )
    old = [d for d in kept if d.status == "superseded" and d.id not in filters.document]
    if old and not filters.include_superseded:
        left = {d.id for d in old}
        kept = [d for d in kept if d.id not in left]
        titles = "; ".join(d.title for d in old[:MOST_TITLES])
        if len(old) > MOST_TITLES:
            titles += f" and {len(old) - MOST_TITLES:,} more"
        notes.append(
            f"{plural(len(old), 'superseded document')} left out ({titles}): "
            "include superseded documents to search there too."
        )
    return kept, tuple(notes)


def by_system(store: Store, documents: Sequence[Document]) -> dict[str, Scope]:
    """The documents of each system that has any, systems in the order of the catalogue."""
    own: dict[str, list[Document]] = {}
    for document in documents:
        own.setdefault(document.system, []).append(document)
    return {s: scope_of(store, own[s]) for s in store.systems if s in own}


def cautions(store: Store, documents: Iterable[str]) -> tuple[str, ...]:
    """A note for each document shown in which something hides or may mislead."""
    return tuple(
        f"Take care with “{store.documents[d].title}”: it holds text that hides or may "
        "mislead. What a reader cannot see is not quoted; the document’s own page "
        "says what was found."
        for d in dict.fromkeys(documents)
        if any(w.startswith(CAUTION) for w in store.reports[d].warnings)
    )


def level_notes(store: Store, systems: Iterable[str]) -> tuple[str, ...]:
    """What to know when bodies of unlike level, or bodies that are ending, stand together."""
    notes = []
    bodies: list[System] = [store.systems[s] for s in systems]
    if len({b.level for b in bodies}) > 1:
        for body in bodies:
            if body.level != "system":
                whole = f" in {body.part_of}" if body.part_of else ""
                notes.append(
                    f"{body.name} is a {LEVEL_NAMES[body.level]}{whole}, "
                    "not an integrated care system: its plan is for a smaller area."
                )
    for body in bodies:
        notes.extend(
            f"{body.name} ({_when(step)}): {step.event}"
            for step in body.lineage
            if step.status == "announced"
        )
    return tuple(notes)


def _when(step: Lineage) -> str:
    return ", ".join(filter(None, (step.status, british_date(step.date))))
