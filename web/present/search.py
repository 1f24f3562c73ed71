"""The page of a search."""

from collections.abc import Iterable
from dataclasses import dataclass

from indexer.store import Store
from search_api.model import FacetValue, SearchResult
from web.address import Address
from web.evidence import Quote, Quoter
from web.format import capital
from web.parts import (
    Form,
    Link,
    Problem,
    Read,
    TakeAway,
    form_of,
    take_away,
    understood_as,
    wanted_words,
)


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
    def empty(
        cls, store: Store, address: Address, home: str | None, problem: Problem | None = None
    ) -> "SearchPage":
        """The form, with what is wrong about it."""
        return cls(form_of(store, address, home, problem), "")

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
