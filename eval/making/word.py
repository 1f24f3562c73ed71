"""Word documents."""

import io
import zipfile
from collections.abc import Callable, Sequence

import docx
from docx.enum.text import WD_COLOR_INDEX
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn

from eval.making.tables import HEADER
from eval.making.words import Made


def docx_plain(parts: Sequence[tuple[str, str]]) -> Made:
    """(style, text) in order; "" is a normal paragraph."""
    document = docx.Document()
    for style, text in parts:
        document.add_paragraph(text, style=style or None)
    return Made(_saved(document), tuple((0, text) for _, text in parts))


def docx_with(add: "Callable[[docx.document.Document], None]") -> bytes:
    """A Word document to which `add` has put what it likes."""
    document = docx.Document()
    add(document)
    return _saved(document)


def docx_table(
    rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER, marked: str = "bold"
) -> Made:
    """A table whose first row is marked as names: "bold", "shaded", "header" or "" for not."""
    document = docx.Document()
    document.add_paragraph("Before the table.")
    table = document.add_table(rows=0, cols=len(header))
    for n, row in enumerate([header, *rows]):
        cells = table.add_row().cells
        for cell, text in zip(cells, row, strict=True):
            run = cell.paragraphs[0].add_run(text)
            run.bold = True if n == 0 and marked == "bold" else None
            if n == 0 and marked == "shaded":
                fill = parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:fill="003087"/>')
                cell._tc.get_or_add_tcPr().append(fill)
    if marked == "header":
        mark = parse_xml(f"<w:tblHeader {nsdecls('w')}/>")
        table.rows[0]._tr.get_or_add_trPr().append(mark)
    document.add_paragraph("After the table.")
    told = tuple(tuple(row) for row in rows)
    return Made(_saved(document), header=tuple(header), rows=told)


def docx_tracked(kept: str, deleted: str, inserted: str) -> bytes:
    """A paragraph with a tracked deletion and a tracked insertion."""

    def add(document: "docx.document.Document") -> None:
        paragraph = document.add_paragraph(kept)
        who = 'w:id="1" w:author="x" w:date="2025-01-01T00:00:00Z"'
        for tag, words, text in (("del", "delText", deleted), ("ins", "t", inserted)):
            paragraph._p.append(
                parse_xml(
                    f'<w:{tag} {nsdecls("w")} {who}><w:r><w:{words} xml:space="preserve">'
                    f" {text}</w:{words}></w:r></w:{tag}>"
                )
            )

    return docx_with(add)


def docx_hidden(shown: str, hidden: str) -> bytes:
    """A paragraph of which a part is marked as hidden, and one that is only highlighted."""

    def add(document: "docx.document.Document") -> None:
        paragraph = document.add_paragraph(shown)
        paragraph.add_run(f" {hidden}").font.hidden = True
        document.add_paragraph().add_run(
            "Marked but seen."
        ).font.highlight_color = WD_COLOR_INDEX.YELLOW

    return docx_with(add)


def docx_text_box(anchor: str, inside: str) -> bytes:
    """A paragraph with a text box, saved in two ways as Word does."""
    box = f"<w:txbxContent><w:p><w:r><w:t>{inside}</w:t></w:r></w:p></w:txbxContent>"
    markup = (
        f'<w:r {nsdecls("w")} xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
        ' xmlns:v="urn:schemas-microsoft-com:vml"'
        ' xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape">'
        f'<mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wps:txbx>{box}</wps:txbx>'
        f"</w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox>{box}</v:textbox></w:pict>"
        "</mc:Fallback></mc:AlternateContent></w:r>"
    )

    def add(document: "docx.document.Document") -> None:
        document.add_paragraph(anchor)._p.append(parse_xml(markup))

    return docx_with(add)


def docx_merged() -> Made:
    """A table with a cell over two rows, a cell over two columns, and a table within a cell."""
    document = docx.Document()
    table = document.add_table(rows=4, cols=3)
    for row, texts in zip(
        table.rows,
        (("Aim", "What", "When"), ("Falls", "a", "b"), ("", "c", "d"), ("Both", "", "e")),
        strict=True,
    ):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.paragraphs[0].add_run(text).bold = texts[0] == "Aim" or None
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(3, 0).merge(table.cell(3, 1))
    inner = table.cell(1, 1).add_table(1, 2)
    inner.cell(0, 0).text, inner.cell(0, 1).text = "inner one", "inner two"
    rows = (("Falls", "a\ninner one\ninner two", "b"), ("", "c", "d"), ("Both", "", "e"))
    return Made(_saved(document), header=("Aim", "What", "When"), rows=rows)


def docx_footnote(text: str, note: str) -> bytes:
    """A paragraph with a footnote."""
    plain = docx_with(lambda document: _refer(document, text))
    notes = (
        f'<w:footnotes {nsdecls("w")}><w:footnote w:id="2"><w:p><w:r><w:t>{note}</w:t></w:r></w:p>'
        "</w:footnote></w:footnotes>"
    )
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
    relation = f'<Relationship Id="rIdF" Type="{kind}" Target="footnotes.xml"/></Relationships>'
    content = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    override = f'<Override PartName="/word/footnotes.xml" ContentType="{content}"/></Types>'
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(out, "w") as new:
        for item in old.namelist():
            data = old.read(item).decode("latin-1")
            if item == "word/_rels/document.xml.rels":
                data = data.replace("</Relationships>", relation)
            if item == "[Content_Types].xml":
                data = data.replace("</Types>", override)
            new.writestr(item, data.encode("latin-1"))
        new.writestr("word/footnotes.xml", notes)
    return out.getvalue()


def _refer(document: "docx.document.Document", text: str) -> None:
    paragraph = document.add_paragraph(text)
    reference = parse_xml(f'<w:r {nsdecls("w")}><w:footnoteReference w:id="2"/></w:r>')
    paragraph._p.append(reference)
    assert paragraph._p.findall(qn("w:r"))


def _saved(document: "docx.document.Document") -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
