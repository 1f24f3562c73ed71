"""The page of declared priorities: systems side by side, themes by systems, every one quoted."""

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.store import Store
from search_api.headline import plural
from search_api.model import DeclaredList, Priorities, Priority, SystemPriorities
from web.address import Address
from web.evidence import Quote, Quoter, level_in_words, searched_in_words
from web.highlight import Wanted
from web.parts import Form, Link, Problem, TakeAway, files_of, form_of, take_away

BASES = {
    "heading": "Named by its heading",
    "sentence": "Announced by a sentence",
    "numbered": "Its lines are numbered",
    "table": "A column of a table",
    "opening": "A guess: the text has lost its headings. Check it in the document",
}


@dataclass(frozen=True, slots=True)
class DeclaredPriority:
    """A priority with its themes, each a link to their comparison, and the areas under it."""

    anchor: str
    quote: Quote
    where: str
    themes: tuple[Link, ...]
    areas: tuple["DeclaredPriority", ...] = ()


@dataclass(frozen=True, slots=True)
class ListPart:
    """A list that a document declares, under the words that declare it."""

    called: str
    supporting: bool
    basis: str
    declared_by: Quote
    page: str
    again: int
    priorities: tuple[DeclaredPriority, ...]


@dataclass(frozen=True, slots=True)
class SystemColumn:
    """What one system declares, or how it was established that it declares nothing."""

    id: str
    name: str
    level: str
    home: bool
    superseded: bool
    unreadable: bool
    lists: tuple[ListPart, ...]
    searched: str


@dataclass(frozen=True, slots=True)
class ThemeCell:
    """Whether a system's headline priorities speak to a theme, and where the first of them is."""

    system: str
    detail: str
    href: str | None


@dataclass(frozen=True, slots=True)
class ThemeRow:
    """A theme by systems. `href` compares what they say on it."""

    label: str
    href: str
    shared: str
    cells: tuple[ThemeCell, ...]


@dataclass(frozen=True, slots=True)
class PrioritiesPage:
    """Declared priorities of systems side by side."""

    form: Form
    columns: tuple[SystemColumn, ...] = ()
    rows: tuple[ThemeRow, ...] = ()
    summary: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    take: TakeAway | None = None

    @classmethod
    def empty(
        cls, store: Store, address: Address, home: str | None, problem: Problem | None = None
    ) -> "PrioritiesPage":
        """The form, with what is wrong about it."""
        return cls(form_of(store, address, home, problem))

    @classmethod
    def of(
        cls, store: Store, address: Address, found: Priorities, formats: Sequence[str]
    ) -> "PrioritiesPage":
        """The page of declared priorities."""
        quoter = Quoter(store, found.citations, Wanted([]), address)
        return cls(
            form=form_of(store, address),
            columns=tuple(_column(store, quoter, s, address) for s in found.systems),
            rows=_rows(found, address),
            summary=found.summary,
            notes=found.notes,
            take=take_away(address, found.index_id, files_of(address, formats)),
        )


def _column(
    store: Store, quoter: Quoter, system: SystemPriorities, address: Address
) -> SystemColumn:
    return SystemColumn(
        id=system.system,
        name=system.name,
        level=level_in_words(system.level),
        home=system.home,
        superseded=system.superseded,
        unreadable=system.status == "unreadable",
        lists=tuple(_list(store, quoter, of, address) for of in system.lists),
        searched=searched_in_words(system.searched),
    )


def _list(store: Store, quoter: Quoter, of: DeclaredList, address: Address) -> ListPart:
    areas: dict[str, list[DeclaredPriority]] = {}
    for priority in of.priorities:
        if priority.under:
            shown = _priority(store, quoter, priority, address, ())
            areas.setdefault(priority.under, []).append(shown)
    declared = quoter.cited(of.declared_by)
    return ListPart(
        called=of.called,
        supporting=of.rank == "supporting",
        basis=BASES[of.basis],
        declared_by=declared,
        page=page_in_words(declared),
        again=len(of.also),
        priorities=tuple(
            _priority(store, quoter, p, address, areas.get(p.id, ()))
            for p in of.priorities
            if p.under is None
        ),
    )


def _priority(
    store: Store,
    quoter: Quoter,
    priority: Priority,
    address: Address,
    areas: Sequence[DeclaredPriority],
) -> DeclaredPriority:
    themes = priority.themes if areas else (*priority.themes, *priority.themes_beneath)
    quote = quoter.cited(priority.citation)
    return DeclaredPriority(
        anchor=priority.id,
        quote=quote,
        where=page_in_words(quote) or "see it in the document",
        themes=tuple(
            Link(store.themes[t].label, _compared(address, t)) for t in themes if t in store.themes
        ),
        areas=tuple(areas),
    )


def page_in_words(quote: Quote) -> str:
    """The page of a quote; empty in a source without pages."""
    return quote.page if any(c.isdigit() for c in quote.page) else ""


def _compared(address: Address, theme: str) -> str:
    return str(address.drop("theme", "format").at("/compare").set("theme", theme))


def _rows(found: Priorities, address: Address) -> tuple[ThemeRow, ...]:
    whose = {p.id: s.system for s in found.systems for of in s.lists for p in of.priorities}
    declaring = sum(s.status == "declares" for s in found.systems)
    out = []
    for theme in found.themes:
        cells = []
        for system in found.systems:
            own = [i for i in theme.priorities if whose[i] == system.system]
            count = plural(len(own), "priority", "priorities") if own else ""
            cells.append(ThemeCell(system.name, count, f"#{own[0]}" if own else None))
        shared = "one system’s own" if len(theme.systems) == 1 else f"{len(theme.systems)} share it"
        shared = "all share it" if len(theme.systems) == declaring > 1 else shared
        out.append(ThemeRow(theme.label, _compared(address, theme.theme), shared, tuple(cells)))
    return tuple(out)
