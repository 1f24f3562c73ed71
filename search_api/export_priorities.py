"""Declared priorities side by side as CSV, Excel and Word."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from corpus.model import LEVEL_NAMES
from search_api.model import DeclaredList, Priorities, Priority, SystemPriorities
from search_api.paper import evidence, fill, keep_whole, pad, repeat_header, set_up
from search_api.sheets import (
    ABOUT_PLACE,
    CHECKED_BY,
    CITED,
    LIST_JOIN,
    Rows,
    as_csv,
    as_xlsx,
    citation_values,
    notes_sheet,
    office_text,
    same_bytes,
)

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from docx.table import _Cell

TITLE = "Declared priorities"
COLUMNS_A_TABLE = 5
NONE_FOUND = "No declared list of priorities was found"
UNREADABLE = "None found; some pages could not be read"
COLUMNS = (
    "system_name",
    "level",
    "home",
    "status",
    "superseded",
    "rank",
    "called",
    "basis",
    "declared_by",
    "number",
    "under",
    "themes",
    "themes_beneath",
)
ABOUT_RANK = (
    "rank: headline priorities; supporting lists are what a document calls principles, enablers or "
    "themes that help."
)
ABOUT_BASIS = (
    "basis: how the list was found. A heading names it, a sentence announces it, its lines are "
    "numbered as priorities, it is a column of a table, or (opening) it was guessed because the "
    "text lost its headings."
)
ABOUT_THEMES = (
    "themes: those whose words a priority uses; themes_beneath: those of the text right under it "
    "and of the areas that it names."
)


def csv_of(priorities: Priorities) -> bytes:
    """A row for each priority; a system without any has one that says so."""
    return as_csv(*_table(priorities))


def xlsx_of(priorities: Priorities) -> bytes:
    """A sheet of priorities, one of themes by systems, one of notes."""
    about = [ABOUT_RANK, ABOUT_BASIS, ABOUT_THEMES, ABOUT_PLACE]
    notes = [*priorities.summary, *priorities.notes, *about]
    return as_xlsx(
        {
            "Priorities": _table(priorities),
            "Themes": _themes(priorities),
            "Notes": notes_sheet(notes, priorities.index_id),
        },
        TITLE,
    )


def _table(priorities: Priorities) -> tuple[tuple[str, ...], Rows]:
    cited = {c.id: c for c in priorities.citations}
    rows: Rows = []
    for system in priorities.systems:
        body = [system.name, system.level, "yes" if system.home else "no", system.status]
        if not system.lists:
            rows.append([*body, *[None] * (len(COLUMNS) - len(body)), *citation_values(None)])
        for of in system.lists:
            texts = {p.id: p.text for p in of.priorities}
            rows.extend(
                [
                    *body,
                    "yes" if of.superseded else "no",
                    of.rank,
                    of.called,
                    of.basis,
                    cited[of.declared_by].quote,
                    p.number,
                    texts[p.under] if p.under else None,
                    LIST_JOIN.join(p.themes),
                    LIST_JOIN.join(p.themes_beneath),
                    *citation_values(cited[p.citation]),
                ]
                for p in of.priorities
            )
    return (*COLUMNS, *CITED), rows


def _themes(priorities: Priorities) -> tuple[tuple[str, ...], Rows]:
    """Themes by systems: the priorities that speak to each, word for word."""
    texts = {p.id: (s.system, p.text) for s in priorities.systems for p in _all(s)}
    rows: Rows = []
    for theme in priorities.themes:
        said = [texts[i] for i in theme.priorities]
        cells = [
            LIST_JOIN.join(text for system, text in said if system == s.system) or None
            for s in priorities.systems
        ]
        rows.append([theme.label, len(theme.systems), *cells])
    return ("theme", "systems", *(s.name for s in priorities.systems)), rows


def _all(system: SystemPriorities) -> list[Priority]:
    return [p for of in system.lists for p in of.priorities]


def docx_of(priorities: Priorities) -> bytes:
    """A paper: the systems side by side, themes by systems, then the evidence, numbered."""
    from docx import Document

    paper = Document()
    set_up(paper, TITLE)
    paper.add_heading(TITLE, 0)
    paper.add_paragraph(
        "What each system itself declares as its priorities, quoted word for word. Numbers in "
        "square brackets point to the evidence below."
    )
    for line in priorities.summary:
        paper.add_paragraph(office_text(line), style="List Bullet")
    numbers = {c.id: n for n, c in enumerate(priorities.citations, 1)}
    paper.add_heading("Side by side", 1)
    for first in range(0, len(priorities.systems), COLUMNS_A_TABLE):
        _columns(paper, priorities.systems[first : first + COLUMNS_A_TABLE], numbers)
    if priorities.themes:
        paper.add_heading("Themes they speak to", 1)
        for first in range(0, len(priorities.systems), COLUMNS_A_TABLE):
            _matrix(paper, priorities, numbers, first)
    paper.add_heading("Evidence", 1)
    names = {s.system: s.name for s in priorities.systems}
    for citation in priorities.citations:
        evidence(paper, citation, numbers[citation.id], names)
    paper.add_heading("Notes", 1)
    for line in (*priorities.notes, ABOUT_THEMES, CHECKED_BY, f"Index {priorities.index_id}."):
        paper.add_paragraph(office_text(line), style="List Bullet")
    out = io.BytesIO()
    paper.save(out)
    return same_bytes(out.getvalue())


def _columns(
    paper: "WordDocument", systems: Sequence[SystemPriorities], numbers: Mapping[str, int]
) -> None:
    """A table with a column for each system: its lists, each priority on a line of its own."""
    table = paper.add_table(1, len(systems), style="Table Grid")
    repeat_header(table)
    pad(table)
    for system, cell in zip(systems, table.rows[0].cells, strict=True):
        _head(cell, system)
    row = table.add_row().cells
    for system, cell in zip(systems, row, strict=True):
        if not system.lists:
            cell.text = UNREADABLE if system.status == "unreadable" else NONE_FOUND
        for of in system.lists:
            _list(cell, of, numbers)
    _tighten(table)
    paper.add_paragraph()


def _head(cell: "_Cell", system: SystemPriorities) -> None:
    cell.text = office_text(system.name + (" (home)" if system.home else ""))
    cell.paragraphs[0].runs[0].bold = True
    level = LEVEL_NAMES[system.level]
    cell.add_paragraph(level + (", superseded" if system.superseded else ""))
    fill(cell, "D8DDE0")


def _list(cell: "_Cell", of: DeclaredList, numbers: Mapping[str, int]) -> None:
    """The words that declare a list, then its priorities; areas are indented."""
    from docx.shared import Mm, Pt

    title = cell.paragraphs[0] if not cell.paragraphs[0].text else cell.add_paragraph()
    kind = "" if of.rank == "headline" else "Beside them: "
    title.add_run(office_text(f"{kind}{of.called}")).bold = True
    title.add_run((" (superseded)" if of.superseded else "") + f" [{numbers[of.declared_by]}]")
    title.paragraph_format.space_before = Pt(4)
    for priority in of.priorities:
        line = cell.add_paragraph()
        line.paragraph_format.space_before = Pt(2)
        words = " ".join(priority.text.split())
        line.add_run(office_text(f"{words} [{numbers[priority.citation]}]"))
        if priority.under:
            line.paragraph_format.left_indent = Mm(4)


def _matrix(
    paper: "WordDocument", priorities: Priorities, numbers: Mapping[str, int], first: int
) -> None:
    """A table of themes by some of the systems, with where each speaks to the theme."""
    systems = priorities.systems[first : first + COLUMNS_A_TABLE]
    whose = {p.id: s.system for s in systems for p in _all(s)}
    table = paper.add_table(1, len(systems) + 1, style="Table Grid")
    repeat_header(table)
    pad(table)
    heads = ["Theme", *(s.name for s in systems)]
    for cell, text in zip(table.rows[0].cells, heads, strict=True):
        cell.text = office_text(text)
        cell.paragraphs[0].runs[0].bold = True
        fill(cell, "D8DDE0")
    for theme in priorities.themes:
        row = table.add_row().cells
        row[0].text = office_text(theme.label)
        for system, cell in zip(systems, row[1:], strict=True):
            own = [i for i in theme.priorities if whose.get(i) == system.system]
            cell.text = " ".join(f"[{numbers[i]}]" for i in own) or "–"
            if own:
                fill(cell, "C7E5CF")
    _tighten(table)
    for table_row in table.rows:
        keep_whole(table_row._tr)
    paper.add_paragraph()


def _tighten(table: object) -> None:
    for row in table.rows:  # type: ignore[attr-defined]
        for cell in row.cells:
            for paragraph in cell.paragraphs:
                paragraph.paragraph_format.space_after = 0
