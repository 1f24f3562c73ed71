"""Declared priorities side by side as CSV, Excel and Word."""

from collections.abc import Collection, Iterator, Sequence

from search_api.model import Citation, DeclaredList, Priorities, Priority, SystemPriorities
from search_api.paper import Box, Line, Paper, head, level_line
from search_api.sheets import ABOUT_PLACE, LIST_JOIN, Rows, Value, as_csv, as_xlsx, cited

TITLE = "Declared priorities"
COLUMNS_A_TABLE = 5
NONE_FOUND = "No declared list of priorities was found"
SPEAKS_FILL = "C7E5CF"
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
    return as_csv(*cited(COLUMNS, _rows(priorities)))


def xlsx_of(priorities: Priorities) -> bytes:
    """A sheet of priorities, one of themes by systems, one of notes."""
    sheets = {"Priorities": cited(COLUMNS, _rows(priorities)), "Themes": _themes(priorities)}
    about = [ABOUT_RANK, ABOUT_BASIS, ABOUT_THEMES, ABOUT_PLACE]
    notes = [*priorities.summary, *priorities.notes, *about]
    return as_xlsx(TITLE, sheets, notes, priorities.index_id)


def _rows(priorities: Priorities) -> Iterator[tuple[Sequence[Value], Citation | None]]:
    citations = {c.id: c for c in priorities.citations}
    for system in priorities.systems:
        whose = (system.name, system.level, "yes" if system.home else "no", system.status)
        if not system.lists:
            yield whose, None
        for of in system.lists:
            texts = {p.id: p.text for p in of.priorities}
            for p in of.priorities:
                values = (
                    *whose,
                    "yes" if of.superseded else "no",
                    of.rank,
                    of.called,
                    of.basis,
                    citations[of.declared_by].quote,
                    p.number,
                    texts[p.under] if p.under else None,
                    LIST_JOIN.join(p.themes),
                    LIST_JOIN.join(p.themes_beneath),
                )
                yield values, citations[p.citation]


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


def docx_of(priorities: Priorities, packs: Collection[str]) -> bytes:
    """A paper: the systems side by side, themes by systems, then the evidence, numbered."""
    systems = priorities.systems
    paper = Paper(
        TITLE,
        "What each system itself declares as its priorities, quoted word for word. Numbers in "
        "square brackets point to the evidence below.",
        priorities.summary,
        priorities.citations,
        {s.system: s.name for s in systems},
        packs,
    )
    paper.heading("Side by side")
    heads = [head(s.name, s.home, level_line(s.level, s.superseded)) for s in systems]
    paper.table(heads, [[_box(paper, s) for s in systems]], COLUMNS_A_TABLE, labelled=False)
    if priorities.themes:
        paper.heading("Themes they speak to")
        whose = {p.id: s.system for s in systems for p in _all(s)}
        rows = []
        for theme in priorities.themes:
            marks = [
                paper.marks(i for i in theme.priorities if whose.get(i) == s.system)
                for s in systems
            ]
            boxes = [Box((Line(m or "–"),), SPEAKS_FILL if m else "") for m in marks]
            rows.append([Box((Line(theme.label),)), *boxes])
        paper.table([head("Theme"), *(head(s.name) for s in systems)], rows, COLUMNS_A_TABLE)
    return paper.finish((*priorities.notes, ABOUT_THEMES), priorities.index_id)


def _box(paper: Paper, system: SystemPriorities) -> Box:
    """The lists of a system, each priority on a line of its own."""
    if not system.lists:
        return Box((Line(UNREADABLE if system.status == "unreadable" else NONE_FOUND),))
    return Box(tuple(line for of in system.lists for line in _lines(paper, of)))


def _lines(paper: Paper, of: DeclaredList) -> Iterator[Line]:
    """The words that declare a list, then its priorities; areas are indented."""
    beside = "" if of.rank == "headline" else "Beside them: "
    old = " (superseded)" if of.superseded else ""
    yield Line(f"{old} {paper.marks([of.declared_by])}", bold=f"{beside}{of.called}", before=4)
    for priority in of.priorities:
        words = f"{' '.join(priority.text.split())} {paper.marks([priority.citation])}"
        yield Line(words, before=2, indent=4 if priority.under else None)
