"""Comparisons, priorities and commitments as files that go into a paper: CSV, XLSX, DOCX, JSON.

Every row carries its whole citation, hashes and all, so that `icsearch verify` can check the file
against the documents years later. The same result always gives the same bytes.
"""

import io
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from corpus.errors import QueryError
from corpus.model import LEVEL_NAMES
from search_api.model import (
    Cell,
    Commitment,
    Commitments,
    Comparison,
    Priorities,
    Statement,
)
from search_api.paper import evidence, fill, keep_whole, pad, repeat_header, set_up
from search_api.sheets import (
    ABOUT_PLACE,
    CHECKED_BY,
    CITED,
    LIST_JOIN,
    Rows,
    as_csv,
    as_json,
    as_xlsx,
    citation_values,
    notes_sheet,
    office_text,
    same_bytes,
)

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from docx.table import _Cell

COLUMNS_A_TABLE = 6
STATUS_WORDS = {
    "commits": "Commits",
    "says": "Says",
    "mentions": "Mentions",
    "silent": "Silent",
    "unreadable": "Unreadable",
}
STATUS_FILL = {
    "commits": "C7E5CF",
    "says": "DCEBF7",
    "mentions": "F3F0E0",
    "silent": "F5F5F5",
    "unreadable": "F7DFDC",
}
ABOUT_STATUS = (
    "status: commits (a target or commitment), says (an action or aspiration), mentions, silent, "
    "or unreadable (nothing found, and a page could not be read)."
)
ABOUT_ROLE = (
    "role: a statement speaks to the theme; a nearest miss is shown where a system is silent."
)


def export(comparison: Comparison, format: str) -> bytes:  # noqa: A002 - as the option is called
    """A comparison as a file.

    Args:
        format: csv, xlsx, docx or json.

    Raises:
        QueryError: there is no such format.
    """
    writers: dict[str, Callable[[Comparison], bytes]] = {
        "csv": _comparison_csv,
        "xlsx": _comparison_xlsx,
        "docx": _comparison_docx,
        "json": as_json,
    }
    return _writer(writers, format)(comparison)


def export_commitments(commitments: Commitments, format: str) -> bytes:  # noqa: A002
    """Commitments as a file.

    Args:
        format: csv, xlsx or json.

    Raises:
        QueryError: there is no such format.
    """
    writers: dict[str, Callable[[Commitments], bytes]] = {
        "csv": lambda found: as_csv(*_commitment_table(found.commitments)),
        "xlsx": _commitments_xlsx,
        "json": as_json,
    }
    return _writer(writers, format)(commitments)


def export_priorities(priorities: Priorities, format: str) -> bytes:  # noqa: A002
    """Declared priorities as a file.

    Args:
        format: csv, xlsx, docx or json.

    Raises:
        QueryError: there is no such format.
    """
    from search_api import export_priorities as made

    writers: dict[str, Callable[[Priorities], bytes]] = {
        "csv": made.csv_of,
        "xlsx": made.xlsx_of,
        "docx": made.docx_of,
        "json": as_json,
    }
    return _writer(writers, format)(priorities)


def _writer(writers: Mapping[str, Callable[[Any], bytes]], form: str) -> Callable[[Any], bytes]:
    if form not in writers:
        known = ", ".join(writers)
        raise QueryError(f"There is no export as {form!r}; there are {known}.", field="format")
    return writers[form]


# The table of a comparison

ROW_COLUMNS = (
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


def _comparison_table(comparison: Comparison, strongest: bool) -> tuple[tuple[str, ...], Rows]:
    """A row for each statement of each cell, or for each cell with its strongest alone."""
    cited = {c.id: c for c in comparison.citations}
    labels = {t.id: t.label for t in comparison.themes}
    systems = {s.id: s for s in comparison.systems}
    rows: Rows = []
    for cell in comparison.cells:
        said: list[tuple[str, Statement | None]] = [("statement", s) for s in cell.statements]
        if not said:
            said = [("nearest miss" if cell.nearest else "", cell.nearest)]
        for role, statement in said[:1] if strongest else said:
            system = systems[cell.system]
            rows.append(
                [
                    cell.theme,
                    labels[cell.theme],
                    system.name,
                    system.level,
                    "yes" if system.home else "no",
                    cell.status,
                    role,
                    statement.ladder if statement else None,
                    LIST_JOIN.join(statement.triggers) if statement else None,
                    statement.context if statement else None,
                    cell.searched.documents,
                    cell.searched.passages,
                    cell.searched.pages,
                    cell.searched.unreadable_pages,
                    *citation_values(cited[statement.citation] if statement else None),
                ]
            )
    return (*ROW_COLUMNS, *CITED), rows


def _comparison_csv(comparison: Comparison) -> bytes:
    return as_csv(*_comparison_table(comparison, strongest=False))


COMMITMENT_COLUMNS = (
    "due",
    "due_text",
    "action",
    "target",
    "value",
    "unit",
    "milestones",
    "owner",
    "ladder",
    "themes",
)


def _commitment_table(commitments: Iterable[Commitment]) -> tuple[tuple[str, ...], Rows]:
    rows: Rows = [
        [
            c.due,
            c.due_text,
            c.action,
            c.target,
            c.value,
            c.unit,
            LIST_JOIN.join(f"{m.due}: {m.text}" for m in c.milestones),
            c.owner,
            c.ladder,
            LIST_JOIN.join(c.themes),
            *citation_values(c.citation),
        ]
        for c in commitments
    ]
    return (*COMMITMENT_COLUMNS, *CITED), rows


# XLSX


def _comparison_xlsx(comparison: Comparison) -> bytes:
    notes = [*comparison.summary, *comparison.notes, ABOUT_STATUS, ABOUT_ROLE, ABOUT_PLACE]
    return as_xlsx(
        {
            "Cells": _comparison_table(comparison, strongest=True),
            "Evidence": _comparison_table(comparison, strongest=False),
            "Notes": notes_sheet(notes, comparison.index_id),
        },
        "Comparison",
    )


def _commitments_xlsx(commitments: Commitments) -> bytes:
    notes = [f"{len(commitments.commitments)} of {commitments.total} commitments."]
    return as_xlsx(
        {
            "Commitments": _commitment_table(commitments.commitments),
            "Notes": notes_sheet([*notes, *commitments.notes, ABOUT_PLACE], commitments.index_id),
        },
        "Commitments",
    )


# DOCX


def _comparison_docx(comparison: Comparison) -> bytes:
    """A paper: the table of themes by systems, then the evidence as a numbered list."""
    from docx import Document

    paper = Document()
    set_up(paper, "Comparison of strategies")
    themes, systems = len(comparison.themes), len(comparison.systems)
    paper.add_heading("Comparison of strategies", 0)
    paper.add_paragraph(
        f"{themes} {'theme' if themes == 1 else 'themes'} by "
        f"{systems} {'system' if systems == 1 else 'systems'}. Numbers in square brackets point to "
        "the evidence below, which is quoted word for word."
    )
    for line in comparison.summary:
        paper.add_paragraph(office_text(line), style="List Bullet")
    paper.add_heading("What each system says", 1)
    numbers = {c.id: n for n, c in enumerate(comparison.citations, 1)}
    names = {s.id: s.name for s in comparison.systems}
    for first in range(0, len(comparison.systems), COLUMNS_A_TABLE):
        _matrix(paper, comparison, numbers, first)
    paper.add_heading("Evidence", 1)
    for citation in comparison.citations:
        evidence(paper, citation, numbers[citation.id], names)
    paper.add_heading("Notes", 1)
    for line in (*comparison.notes, CHECKED_BY, f"Index {comparison.index_id}."):
        paper.add_paragraph(office_text(line), style="List Bullet")
    out = io.BytesIO()
    paper.save(out)
    return same_bytes(out.getvalue())


def _matrix(
    paper: "WordDocument", comparison: Comparison, numbers: Mapping[str, int], first: int
) -> None:
    """A table of themes by some of the systems."""
    systems = comparison.systems[first : first + COLUMNS_A_TABLE]
    cells = {(c.theme, c.system): c for c in comparison.cells}
    table = paper.add_table(1, len(systems) + 1, style="Table Grid")
    repeat_header(table)
    pad(table)
    heads = ["Theme", *(f"{s.name}{' (home)' if s.home else ''}" for s in systems)]
    for cell, text in zip(table.rows[0].cells, heads, strict=True):
        cell.text = office_text(text)
        cell.paragraphs[0].runs[0].bold = True
        fill(cell, "D8DDE0")
    for system, cell in zip(systems, table.rows[0].cells[1:], strict=True):
        level = LEVEL_NAMES[system.level]
        cell.add_paragraph(level + (", superseded" if system.superseded else ""))
    for theme in comparison.themes:
        row = table.add_row().cells
        row[0].text = office_text(theme.label)
        row[0].paragraphs[0].runs[0].bold = True
        for system, cell in zip(systems, row[1:], strict=True):
            if (theme.id, system.id) in cells:
                _write_cell(cell, cells[theme.id, system.id], numbers)
    for table_row in table.rows:
        keep_whole(table_row._tr)
        for cell in table_row.cells:
            for paragraph in cell.paragraphs:
                paragraph.paragraph_format.space_after = 0
    paper.add_paragraph()


def _write_cell(cell: "_Cell", said: Cell, numbers: Mapping[str, int]) -> None:
    """Status and rung, what decided it, and where the evidence is."""
    paragraph = cell.paragraphs[0]
    paragraph.add_run(STATUS_WORDS[said.status]).bold = True
    if said.ladder:
        paragraph.add_run(f" ({said.ladder})")
    fill(cell, STATUS_FILL[said.status])
    if said.statements:
        triggers = said.statements[0].triggers
        if triggers:
            words = LIST_JOIN.join(" ".join(t.split()) for t in triggers)
            cell.add_paragraph(office_text(words))
        cell.add_paragraph(" ".join(f"[{numbers[s.citation]}]" for s in said.statements))
        return
    searched = said.searched
    cell.add_paragraph(f"{searched.passages:,} passages searched")
    if searched.unreadable_pages:
        cell.add_paragraph(f"{searched.unreadable_pages:,} pages could not be read")
    if said.nearest:
        cell.add_paragraph(f"Nearest miss [{numbers[said.nearest.citation]}]")
