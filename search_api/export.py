"""Comparisons and commitments as files that go into a paper: CSV, XLSX, DOCX, JSON.

Every row carries its whole citation, hashes and all, so that `icsearch verify` can check the file
against the documents years later. The same result always gives the same bytes.

Cells that a spreadsheet would take for a formula are made harmless as OWASP's page on CSV injection
advises: in CSV by an apostrophe before them, in XLSX by storing them as text.
"""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from corpus.errors import QueryError
from corpus.model import LEVEL_NAMES
from search_api.model import (
    Cell,
    Citation,
    Commitment,
    Commitments,
    Comparison,
    Statement,
)
from search_api.serialise import dumps

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from docx.table import Table, _Cell
    from docx.text.paragraph import Paragraph
    from openpyxl import Workbook

Value = str | int | float | None
Rows = list[list[Value]]

CITATION_ID = "citation_id"
CITED = tuple(CITATION_ID if f.name == "id" else f.name for f in fields(Citation))
HEADING_JOIN, LIST_JOIN = " > ", "; "
RISKY = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
EPOCH = datetime(2000, 1, 1)
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
WIDEST = 60
COLUMNS_A_TABLE = 6
CHECKED_BY = "Every row can be checked against the documents with: icsearch verify FILE"
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
ABOUT_PLACE = (
    "start and end count Unicode code points of the document's canonical text; its SHA-256 is "
    "text_sha256, that of the source file document_sha256, that of the quoted words quote_sha256."
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
        "json": _json,
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
        "csv": lambda found: _csv(*_commitment_table(found.commitments)),
        "xlsx": _commitments_xlsx,
        "json": _json,
    }
    return _writer(writers, format)(commitments)


def _writer(writers: Mapping[str, Callable[[Any], bytes]], form: str) -> Callable[[Any], bytes]:
    if form not in writers:
        known = ", ".join(writers)
        raise QueryError(f"There is no export as {form!r}; there are {known}.", field="format")
    return writers[form]


def _json(value: object) -> bytes:
    return (dumps(value, indent=1) + "\n").encode()


def citation_values(citation: Citation | None) -> list[Value]:
    """The fields of a citation in the order of `CITED`; empty for none."""
    if citation is None:
        return [None] * len(CITED)
    out: list[Value] = []
    for field in fields(Citation):
        value = getattr(citation, field.name)
        if field.name == "heading":
            value = HEADING_JOIN.join(value)
        elif isinstance(value, tuple):
            value = LIST_JOIN.join(str(v) for v in value)
        elif isinstance(value, bool):
            value = "yes" if value else "no"
        out.append(value)
    return out


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
    return _csv(*_comparison_table(comparison, strongest=False))


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


# CSV


def _csv(header: Sequence[str], rows: Rows) -> bytes:
    """A table as CSV in UTF-8 with the mark by which Excel knows it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([[harmless(v) if isinstance(v, str) else v for v in row] for row in rows])
    return out.getvalue().encode("utf-8-sig")


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula; `restored` undoes it."""
    return f"'{text}" if RISKY.match(text) else text


def restored(text: str) -> str:
    """A text as it was before `harmless`."""
    return text[1:] if text.startswith("'") and RISKY.match(text[1:]) else text


# What both Office formats need


def office_text(text: str) -> str:
    """A text with characters that XML cannot hold written as _xHHHH_, as Office does.

    ISO/IEC 29500 part 1, 22.9.2.19 (ST_Xstring).
    """
    text = ESCAPED.sub(lambda m: f"_x005F_x{m[1]}_", text)
    return CONTROL.sub(lambda m: f"_x{ord(m[0]):04X}_", text)


def plain_text(text: str) -> str:
    """A text as it was before `office_text`."""
    return ESCAPED.sub(lambda m: chr(int(m[1], 16)), text)


def _same_bytes(content: bytes) -> bytes:
    """A zipped Office file without the time at which it was made."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as target:
        for name in sorted(source.namelist()):
            part = source.read(name)
            if name == "docProps/core.xml":
                part = re.sub(
                    rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*",
                    rb"\g<1>" + EPOCH.isoformat().encode() + b"Z",
                    part,
                )
            info = zipfile.ZipInfo(name, ZIP_EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            target.writestr(info, part)
    return out.getvalue()


# XLSX


def _comparison_xlsx(comparison: Comparison) -> bytes:
    notes = [*comparison.summary, *comparison.notes, ABOUT_STATUS, ABOUT_ROLE, ABOUT_PLACE]
    return _xlsx(
        {
            "Cells": _comparison_table(comparison, strongest=True),
            "Evidence": _comparison_table(comparison, strongest=False),
            "Notes": _notes(notes, comparison.index_id),
        },
        "Comparison",
    )


def _commitments_xlsx(commitments: Commitments) -> bytes:
    notes = [f"{len(commitments.commitments)} of {commitments.total} commitments."]
    return _xlsx(
        {
            "Commitments": _commitment_table(commitments.commitments),
            "Notes": _notes([*notes, *commitments.notes, ABOUT_PLACE], commitments.index_id),
        },
        "Commitments",
    )


def _notes(notes: Iterable[str], index_id: str) -> tuple[tuple[str, ...], Rows]:
    return ("note",), [[n] for n in (*notes, CHECKED_BY, f"Index {index_id}.")]


def _xlsx(sheets: Mapping[str, tuple[tuple[str, ...], Rows]], title: str) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    del book["Sheet"]
    book.properties.title = title
    book.properties.creator = "icsearch"
    book.properties.created = EPOCH
    for name, (header, rows) in sheets.items():
        _sheet(book, name, header, rows)
    out = io.BytesIO()
    book.save(out)
    return _same_bytes(out.getvalue())


def _sheet(book: "Workbook", name: str, header: Sequence[str], rows: Rows) -> None:
    """A sheet with a frozen header, a filter, and every text stored as text."""
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(name)
    for across, title in enumerate(header, 1):
        cell = sheet.cell(1, across, title)
        cell.font = Font(name="Arial", bold=True)
        longest = max((len(str(r[across - 1] or "")) for r in rows), default=0)
        width = min(WIDEST if len(header) > 1 else 2 * WIDEST, max(len(title), longest) + 2)
        sheet.column_dimensions[get_column_letter(across)].width = width
    for down, row in enumerate(rows, 2):
        for across, value in enumerate(row, 1):
            if value is None:
                continue
            cell = sheet.cell(down, across)
            cell.font = Font(name="Arial", size=10)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if isinstance(value, str):
                cell.value = office_text(value)
                cell.data_type = "s"
                cell.quotePrefix = bool(RISKY.match(value))
            else:
                cell.value = value
    sheet.freeze_panes = "A2"
    if len(header) > 1:
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(header))}{len(rows) + 1}"


# DOCX


def _comparison_docx(comparison: Comparison) -> bytes:
    """A paper: the table of themes by systems, then the evidence as a numbered list."""
    from docx import Document

    paper = Document()
    _set_up(paper)
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
    for first in range(0, len(comparison.systems), COLUMNS_A_TABLE):
        _matrix(paper, comparison, numbers, first)
    paper.add_heading("Evidence", 1)
    for citation in comparison.citations:
        _evidence(paper, citation, numbers[citation.id], comparison)
    paper.add_heading("Notes", 1)
    for line in (*comparison.notes, CHECKED_BY, f"Index {comparison.index_id}."):
        paper.add_paragraph(office_text(line), style="List Bullet")
    out = io.BytesIO()
    paper.save(out)
    return _same_bytes(out.getvalue())


def _set_up(paper: "WordDocument") -> None:
    """Landscape A4, Arial, and styles of our own for evidence and for its hashes."""
    from docx.enum.section import WD_ORIENT
    from docx.enum.style import WD_STYLE_TYPE
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt, RGBColor

    section = paper.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(297), Mm(210)
    section.left_margin = section.right_margin = Mm(18)
    section.top_margin = section.bottom_margin = Mm(16)
    for name in ("Normal", "Title", "Heading 1", "Quote"):
        style = paper.styles[name]
        style.font.name = "Arial"
        style.font.color.rgb = RGBColor(0x21, 0x2B, 0x32)
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "Arial")
        for theme_font in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            style.element.rPr.rFonts.attrib.pop(qn(f"w:{theme_font}"), None)
    paper.styles["Normal"].font.size = Pt(10)
    paper.styles["Title"].font.size = Pt(22)
    paper.styles["Quote"].font.italic = False
    paper.styles["Quote"].paragraph_format.left_indent = Mm(8)
    paper.styles["Quote"].paragraph_format.space_after = Pt(2)
    paper.styles["Quote"].paragraph_format.keep_with_next = True
    entry = paper.styles.add_style("Evidence", WD_STYLE_TYPE.PARAGRAPH)
    entry.base_style = paper.styles["Normal"]
    entry.paragraph_format.space_before = Pt(8)
    entry.paragraph_format.space_after = Pt(2)
    entry.paragraph_format.keep_with_next = True
    small = paper.styles.add_style("Evidence hash", WD_STYLE_TYPE.PARAGRAPH)
    small.base_style = paper.styles["Normal"]
    small.font.size = Pt(6.5)
    small.font.color.rgb = RGBColor(0x4C, 0x62, 0x72)
    small.paragraph_format.left_indent = Mm(8)
    small.paragraph_format.space_after = Pt(0)
    properties = paper.core_properties
    properties.title, properties.author = "Comparison of strategies", "icsearch"
    properties.comments, properties.language = "", "en-GB"
    properties.created = properties.modified = EPOCH


def _matrix(
    paper: "WordDocument", comparison: Comparison, numbers: Mapping[str, int], first: int
) -> None:
    """A table of themes by some of the systems."""
    systems = comparison.systems[first : first + COLUMNS_A_TABLE]
    cells = {(c.theme, c.system): c for c in comparison.cells}
    table = paper.add_table(1, len(systems) + 1, style="Table Grid")
    _repeat_header(table)
    _pad(table)
    heads = ["Theme", *(f"{s.name}{' (home)' if s.home else ''}" for s in systems)]
    for cell, text in zip(table.rows[0].cells, heads, strict=True):
        cell.text = office_text(text)
        cell.paragraphs[0].runs[0].bold = True
        _fill(cell, "D8DDE0")
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
        _keep_whole(table_row._tr)
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
    _fill(cell, STATUS_FILL[said.status])
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


def _evidence(
    paper: "WordDocument", citation: Citation, number: int, comparison: Comparison
) -> None:
    """One numbered piece of evidence: where it stands, the words, the hashes.

    `search_api.verify` reads it back by these three parts, whatever their styles are called.
    """
    names = {s.id: s.name for s in comparison.systems}
    entry = paper.add_paragraph(style="Evidence")
    entry.add_run(f"[{number}] ").bold = True
    where = [names.get(citation.system, citation.system), citation.document_title]
    where += [page_words(citation)] if citation.pages else []
    where += citation.heading[-1:]
    entry.add_run(office_text(", ".join(" ".join(w.split()) for w in where)))
    quote = paper.add_paragraph(style="Quote")
    _exact(quote, citation.quote)
    small = paper.add_paragraph(style="Evidence hash")
    small.add_run(
        f"citation_id {citation.id} · document_sha256 {citation.document_sha256} · text_sha256 "
        f"{citation.text_sha256} · quote_sha256 {citation.quote_sha256} · "
        f"index_id {citation.index_id}"
        + (f" · pages {LIST_JOIN.join(map(str, citation.pages))}" if citation.pages else "")
        + f" · url {citation.url}"
        + (f" · source_url {citation.source_url}" if citation.source_url else "")
    )


def page_words(citation: Citation) -> str:
    """The pages of a citation in words: "page 79", "pages 79 to 80 (inferred)"."""
    first, last = citation.pages[0], citation.pages[-1]
    words = f"page {first}" if first == last else f"pages {first} to {last}"
    return f"{words} (inferred)" if citation.page_inferred else words


def _exact(paragraph: "Paragraph", text: str) -> None:
    """Put a text in a paragraph so that it can be read back to the letter."""
    paragraph.add_run(office_text(text))


def _fill(cell: "_Cell", colour: str) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    shade = OxmlElement("w:shd")
    shade.set(qn("w:val"), "clear")
    shade.set(qn("w:color"), "auto")
    shade.set(qn("w:fill"), colour)
    cell._tc.get_or_add_tcPr().append(shade)


def _repeat_header(table: "Table") -> None:
    """Mark the first row as the header, so that it is repeated on each page and read aloud."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    mark = OxmlElement("w:tblHeader")
    mark.set(qn("w:val"), "true")
    table.rows[0]._tr.get_or_add_trPr().append(mark)


def _pad(table: "Table") -> None:
    """Leave a little room between the words of a table and its lines (twentieths of a point)."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    margins = OxmlElement("w:tblCellMar")
    for side, width in (("top", "40"), ("left", "90"), ("bottom", "40"), ("right", "90")):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), width)
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    look = table._tbl.tblPr.find(qn("w:tblLook"))
    if look is None:
        table._tbl.tblPr.append(margins)
    else:
        look.addprevious(margins)


def _keep_whole(row: Any) -> None:
    """Keep a table row on one page."""
    from docx.oxml import OxmlElement

    row.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
