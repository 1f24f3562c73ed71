"""Counts of what was found, by system, kind and document."""

from collections import Counter
from collections.abc import Mapping, Sequence

from corpus.model import Document
from indexer.store import Store
from search_api.model import Facets, FacetValue


def facets_of(store: Store, found: Sequence[Document]) -> Facets:
    """How many passages were found of each system, kind and document.

    Args:
        found: the document of each passage found.
    """
    kinds = Counter(document.kind for document in found)
    systems = Counter(document.system for document in found)
    documents = Counter(document.id for document in found)
    return Facets(
        system=_values(systems, {s.id: s.name for s in store.systems.values()}),
        kind=_values(kinds, {}),
        document=_values(documents, {document.id: document.title for document in found}),
    )


def _values(counts: Counter[str], labels: Mapping[str, str]) -> tuple[FacetValue, ...]:
    """The most frequent first; what has no label is its own."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(FacetValue(value, labels.get(value, value), count) for value, count in ordered)
