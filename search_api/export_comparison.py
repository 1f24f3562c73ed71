"""Themes by systems as CSV, Excel and Word."""

from collections.abc import Collection, Iterator, Sequence

from search_api.headline import DOUBTFUL, IN_DOUBT, standing
from search_api.model import Cell, Citation, Comparison, Statement
from search_api.paper import Box, Line, Paper, head, level_line
from search_api.sheets import ABOUT_PLACE, LIST_JOIN, Rows, Value, as_csv, as_xlsx, cited

TITLE = "Comparison of strategies"
COLUMNS_A_TABLE = 6
COLUMNS = (
    "theme",
    "theme_label",
    "system_name",
    "level",
    "home",
    "status",
    "role",
    "ladder",
    "triggers",
    "context",
    "documents_searched",
    "passages_searched",
    "pages_searched",
    "unreadable_pages",
)
STATUS_FILL = {
    "commits": "C7E5CF",
    "says": "DCEBF7",
    "mentions": "F3F0E0",
    IN_DOUBT: "FFF4C2",
    "silent": "F5F5F5",
    "unreadable": "F7DFDC",
}
ABOUT_STATUS = (
    "status: commits (a target or commitment), says (an action or aspiration), mentions, silent, "
    "or unreadable (nothing found, and a page could not be read). Where the first "
    "statement is in doubt, so is the status."
)
ABOUT_ROLE = (
    "role: a statement speaks to the theme; one in doubt may be about something near it, read and "
    "judge; a nearest miss is shown where a system is silent."
)


def csv_of(comparison: Comparison) -> bytes:
    """A row for each statement of each cell; a silent one has its nearest miss."""
    return as_csv(*_table(comparison, strongest=False))


def xlsx_of(comparison: Comparison) -> bytes:
    """A sheet with the strongest statement of each cell, one of all, one of notes."""
    sheets = {
        "Cells": _table(comparison, strongest=True),
        "Evidence": _table(comparison, strongest=False),
    }
    notes = [*comparison.summary, *comparison.notes, ABOUT_STATUS, ABOUT_ROLE, ABOUT_PLACE]
    return as_xlsx("Comparison", sheets, notes, comparison.index_id)


def _table(comparison: Comparison, strongest: bool) -> tuple[tuple[str, ...], Rows]:
    """A row for each statement of each cell, or for each cell with its strongest alone."""
    return cited(COLUMNS, _rows(comparison, strongest))


def _rows(
    comparison: Comparison, strongest: bool
) -> Iterator[tuple[Sequence[Value], Citation | None]]:
    citations = {c.id: c for c in comparison.citations}
    labels = {t.id: t.label for t in comparison.themes}
    systems = {s.id: s for s in comparison.systems}
    for cell in comparison.cells:
        system, searched = systems[cell.system], cell.searched
        said: list[tuple[str, Statement | None]] = [
            ("statement" if s.sure else "in doubt", s) for s in cell.statements
        ]
        if not said:
            said = [("nearest miss" if cell.nearest else "", cell.nearest)]
        for role, statement in said[:1] if strongest else said:
            values = (
                cell.theme,
                labels[cell.theme],
                system.name,
                system.level,
                "yes" if system.home else "no",
                standing(cell.status, cell.statements),
                role,
                statement.ladder if statement else None,
                LIST_JOIN.join(statement.triggers) if statement else None,
                statement.context if statement else None,
                searched.documents,
                searched.passages,
                searched.pages,
                searched.unreadable_pages,
            )
            yield values, citations[statement.citation] if statement else None


def docx_of(comparison: Comparison, packs: Collection[str]) -> bytes:
    """A paper: the table of themes by systems, then the evidence as a numbered list."""
    themes, systems = len(comparison.themes), len(comparison.systems)
    paper = Paper(
        TITLE,
        f"{themes} {'theme' if themes == 1 else 'themes'} by "
        f"{systems} {'system' if systems == 1 else 'systems'}. Numbers in square brackets point to "
        "the evidence below, which is quoted word for word.",
        comparison.summary,
        comparison.citations,
        {s.id: s.name for s in comparison.systems},
        packs,
    )
    paper.heading("What each system says")
    heads = [head(s.name, s.home, level_line(s.level, s.superseded)) for s in comparison.systems]
    cells = {(c.theme, c.system): c for c in comparison.cells}
    rows = [
        [
            Box((Line(bold=theme.label),)),
            *(_box(paper, cells.get((theme.id, s.id))) for s in comparison.systems),
        ]
        for theme in comparison.themes
    ]
    paper.table([head("Theme"), *heads], rows, COLUMNS_A_TABLE)
    return paper.finish(comparison.notes, comparison.index_id)


def _box(paper: Paper, said: Cell | None) -> Box:
    """Status and rung, what decided it, and where the evidence is."""
    if said is None:
        return Box()
    does = standing(said.status, said.statements)
    rung = f" ({said.ladder})" if said.ladder and does != IN_DOUBT else ""
    status = Line(rung, bold=does.capitalize())
    below: list[str] = []
    if said.statements:
        triggers = said.statements[0].triggers
        if triggers and does != IN_DOUBT:
            below.append(LIST_JOIN.join(" ".join(t.split()) for t in triggers))
        below.append(paper.marks(s.citation for s in said.statements))
        if does == IN_DOUBT:
            below.append(DOUBTFUL)
    else:
        below.append(f"{said.searched.passages:,} passages searched")
        if said.searched.unreadable_pages:
            below.append(f"{said.searched.unreadable_pages:,} pages could not be read")
        if said.nearest:
            below.append(f"Nearest miss {paper.marks([said.nearest.citation])}")
    return Box((status, *map(Line, below)), STATUS_FILL[does])
