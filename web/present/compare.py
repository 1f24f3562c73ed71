"""The page of a comparison: the matrix, and the evidence beneath it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from indexer.store import Store
from search_api.answer import MOST_STATEMENTS
from search_api.headline import plural
from search_api.model import ComparedSystem, Comparison
from web.address import Address
from web.evidence import (
    DOUBT,
    Quoter,
    Rung,
    Status,
    SystemPart,
    level_in_words,
    status_of,
    strongest,
    system_part,
)
from web.highlight import Wanted
from web.parts import Form, Link, Option, Problem, TakeAway, files_of, form_of, take_away

MOST_IN_A_CELL = 3
MANY_THEMES = 12
"""With more themes than these, a page shows one statement for each cell."""


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
class ComparePage:
    """Themes to choose and, once chosen, the matrix of themes by systems with its evidence."""

    form: Form
    groups: tuple[ThemeGroup, ...]
    own_theme: str
    columns: tuple[ComparedSystem, ...] = ()
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
            columns=tuple(replace(s, level=level_in_words(s.level)) for s in comparison.systems),
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
            status = status_of(cell.status, cell.statements)
            rung = None if status is DOUBT else strongest(cell.ladder)
            shown = cell.statements[:most]
            row.append(
                MatrixCell(
                    system.name,
                    status,
                    rung,
                    statements_in_words(len(cell.statements)) if cell.statements else "",
                    f"#{anchor}",
                )
            )
            more = _more(address, theme.label, system.id, len(cell.statements), len(shown))
            parts.append(
                system_part(store, quoter, system.id, anchor, shown, cell.nearest, status,
                      cell.searched, home, system.superseded, more, len(cell.statements))
            )  # fmt: skip
        out.append(MatrixRow(theme.label, f"theme-{number}", tuple(row), tuple(parts)))
    return tuple(out)


def statements_in_words(count: int) -> str:
    """How many statements there are; of as many as are ever given there may be more.

    >>> statements_in_words(1), statements_in_words(6)
    ('1 statement', '6 statements or more')
    """
    return plural(count, "statement") + (" or more" if count == MOST_STATEMENTS else "")


def wanted_words_of_theme(label: str, words: Sequence[str]) -> Wanted:
    """The words to mark for a theme: those that count as speaking of it, else its own."""
    return Wanted(phrases=words) if words else Wanted([label])


def _more(address: Address, theme: str, system: str, total: int, shown: int) -> Link | None:
    if total <= shown:
        return None
    kept = address.drop("theme", "system", "home", "format").at("/ask")
    asked = kept.set("q", theme).set("system", system)
    return Link(f"See {statements_in_words(total)}", str(asked))
