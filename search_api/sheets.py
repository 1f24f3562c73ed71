"""Tables as CSV and Excel files: cells that are harmless, texts that come back to the letter.

The same table always gives the same bytes. Cells that a spreadsheet would take for a formula are
made harmless as OWASP's page on CSV injection advises: in CSV by an apostrophe before them, in XLSX
by storing them as text.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from search_api.model import Citation
from search_api.serialise import dumps

if TYPE_CHECKING:
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
CHECKED_BY = (
    "Every quote and its place can be checked against the documents with: icsearch verify FILE. "
    "What was worked out from the quotes is not checked."
)
ABOUT_PLACE = (
    "start and end count Unicode code points of the document's canonical text; its SHA-256 is "
    "text_sha256, that of the source file document_sha256, that of the quoted words quote_sha256."
)


def as_json(value: object) -> bytes:
    """A reply as the API's JSON, to read."""
    return (dumps(value, indent=1) + "\n").encode()


def cited(
    columns: Sequence[str], rows: Iterable[tuple[Sequence[Value], Citation | None]]
) -> tuple[tuple[str, ...], Rows]:
    """A table whose every row ends in its whole citation, so that it can be checked.

    Args:
        rows: values, which may stop before the last of the columns, and what they rest on.
    """
    return (*columns, *CITED), [
        [*values, *[None] * (len(columns) - len(values)), *_citation_values(citation)]
        for values, citation in rows
    ]


def _citation_values(citation: Citation | None) -> list[Value]:
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


def as_csv(header: Sequence[str], rows: Rows) -> bytes:
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


def office_text(text: str) -> str:
    """A text with characters that XML cannot hold written as _xHHHH_, as Office does.

    ISO/IEC 29500 part 1, 22.9.2.19 (ST_Xstring).
    """
    text = ESCAPED.sub(lambda m: f"_x005F_x{m[1]}_", text)
    return CONTROL.sub(lambda m: f"_x{ord(m[0]):04X}_", text)


def plain_text(text: str) -> str:
    """A text as it was before `office_text`."""
    return ESCAPED.sub(lambda m: chr(int(m[1], 16)), text)


def same_bytes(content: bytes) -> bytes:
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


def as_xlsx(
    title: str,
    sheets: Mapping[str, tuple[tuple[str, ...], Rows]],
    notes: Iterable[str],
    index_id: str,
) -> bytes:
    """Sheets of (header, rows) by name as an Excel workbook.

    Args:
        notes: what a reader must know: a last sheet, which also says how to check the file.
    """
    from openpyxl import Workbook

    book = Workbook()
    del book["Sheet"]
    book.properties.title = title
    book.properties.creator = "icsearch"
    book.properties.created = EPOCH
    for name, (header, rows) in sheets.items():
        _sheet(book, name, header, rows)
    _sheet(book, "Notes", ("note",), [[n] for n in (*notes, CHECKED_BY, f"Index {index_id}.")])
    out = io.BytesIO()
    book.save(out)
    return same_bytes(out.getvalue())


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
    # Looked up once: openpyxl would compare every font with all others for every cell.
    looks: dict[bool, Any] = {}
    for down, row in enumerate(rows, 2):
        for across, value in enumerate(row, 1):
            if value is None:
                continue
            cell = sheet.cell(down, across)
            risky = False
            if isinstance(value, str):
                cell.value = office_text(value)
                cell.data_type = "s"
                risky = bool(RISKY.match(value))
            else:
                cell.value = value
            if risky not in looks:
                cell.font = Font(name="Arial", size=10)
                cell.alignment = Alignment(wrap_text=True, vertical="top")
                cell.quotePrefix = risky
                looks[risky] = cell._style
            cell._style = looks[risky]
    sheet.freeze_panes = "A2"
    if len(header) > 1:
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(header))}{len(rows) + 1}"
