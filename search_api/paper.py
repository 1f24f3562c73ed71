"""A Word paper with cited evidence: its page and styles, its tables, its numbered evidence.

An export says what stands in a cell (`Line`, `Box`); how Word holds it is known here alone.
`search_api.verify` reads the evidence back.
"""

import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from corpus.model import LEVEL_NAMES
from search_api.model import Citation
from search_api.sheets import CHECKED_BY, EPOCH, LIST_JOIN, office_text, same_bytes

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from docx.table import Table, _Cell
    from docx.text.paragraph import Paragraph
    from docx.text.run import Run

HEAD_FILL = "D8DDE0"


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph of a table's cell: words, bold ones before them.

    Args:
        before: points of space above it.
        indent: millimetres.
    """

    text: str = ""
    bold: str = ""
    before: float | None = None
    indent: float | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """A cell of a table: its lines, and the colour behind them (RRGGBB)."""

    lines: tuple[Line, ...] = ()
    fill: str = ""


class Paper:
    """A Word document in the making: a title, what is added to it, then evidence and notes."""

    def __init__(
        self,
        title: str,
        opening: str,
        summary: Iterable[str],
        citations: Sequence[Citation],
        names: Mapping[str, str],
        packs: Collection[str],
    ) -> None:
        """A paper that opens with its title, what it is, and its summary.

        Args:
            citations: the evidence, in the order in which it is numbered from 1.
            names: of systems, by id.
            packs: the documents whose pages are those of a pack, by id.
        """
        from docx import Document

        self._word = Document()
        self._citations, self._names, self._packs = citations, names, packs
        self._numbers = {c.id: n for n, c in enumerate(citations, 1)}
        _set_up(self._word, title)
        _paragraph(self._word, "Title").add_run(title)
        self._word.add_paragraph(opening)
        self._bullets(summary)

    def marks(self, citations: Iterable[str]) -> str:
        """The numbers of citations, by id: "[3] [4]"."""
        return " ".join(f"[{self._numbers[c]}]" for c in citations)

    def heading(self, text: str) -> None:
        """Begin a part."""
        _paragraph(self._word, "Heading1").add_run(text)

    def table(
        self, heads: Sequence[Box], rows: Sequence[Sequence[Box]], most: int, labelled: bool = True
    ) -> None:
        """A table, as several below each other where it is wider than a page.

        Args:
            rows: each as long as `heads`.
            most: columns beside each other, the one of labels aside.
            labelled: the first column holds labels: each table repeats it, and no row of a
                labelled table is torn apart by the end of a page.
        """
        labels = 1 if labelled else 0
        for first in range(labels, len(heads), most):
            part = slice(first, first + most)
            self._one_table(
                [*heads[:labels], *heads[part]],
                [[*row[:labels], *row[part]] for row in rows],
                whole=labelled,
            )

    def _one_table(self, heads: Sequence[Box], rows: Sequence[Sequence[Box]], whole: bool) -> None:
        table = self._word.add_table(1, len(heads), style="Table Grid")
        _repeat_header(table)
        _pad(table)
        _write_row(table.rows[0], heads, whole)
        for boxes in rows:
            _write_row(table.add_row(), boxes, whole)
        self._word.add_paragraph()

    def finish(self, notes: Iterable[str], index_id: str) -> bytes:
        """The file: what was added, then the numbered evidence, then the notes."""
        self.heading("Evidence")
        for number, citation in enumerate(self._citations, 1):
            _evidence(self._word, citation, number, self._names, self._packs)
        self.heading("Notes")
        self._bullets((*notes, CHECKED_BY, f"Index {index_id}."))
        out = io.BytesIO()
        self._word.save(out)
        return same_bytes(out.getvalue())

    def _bullets(self, lines: Iterable[str]) -> None:
        for line in lines:
            _paragraph(self._word, "ListBullet").add_run(office_text(line))


def head(name: str, home: bool = False, *below: Line) -> Box:
    """The head of a column."""
    return Box((Line(bold=name + (" (home)" if home else "")), *below), HEAD_FILL)


def level_line(level: str, superseded: bool) -> Line:
    """What a system is, for the head of its column."""
    return Line(LEVEL_NAMES[level] + (", superseded" if superseded else ""))


def _set_up(paper: "WordDocument", title: str) -> None:
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
    properties.title, properties.author = title, "icsearch"
    properties.comments, properties.language = "", "en-GB"
    properties.created = properties.modified = EPOCH


def _paragraph(paper: "WordDocument", style: str) -> "Paragraph":
    """A new paragraph with a style by its id: python-docx searches all styles for a name."""
    made = paper.add_paragraph()
    made._p.style = style
    return made


def _run(paragraph: "Paragraph", text: str) -> "Run":
    """A new run of a paragraph. python-docx looks at each character for tabs and ends of lines."""
    if not text.isprintable():
        return paragraph.add_run(text)
    run = paragraph.add_run()
    run._r.add_t(text)
    return run


def _evidence(
    paper: "WordDocument",
    citation: Citation,
    number: int,
    names: Mapping[str, str],
    packs: Collection[str],
) -> None:
    """One numbered piece of evidence: where it stands, the words, the hashes.

    `search_api.verify` reads it back by these three parts, whatever their styles are called.

    Args:
        names: of systems, by id.
        packs: the documents whose pages are those of a pack, by id.
    """
    entry = _paragraph(paper, "Evidence")
    _run(entry, f"[{number}] ").bold = True
    where = [names.get(citation.system, citation.system), citation.document_title]
    where += [page_words(citation, packs)] if citation.pages else []
    where += citation.heading[-1:]
    _run(entry, office_text(", ".join(" ".join(w.split()) for w in where)))
    quote = _paragraph(paper, "Quote")
    _run(quote, office_text(citation.quote))
    small = _paragraph(paper, "Evidencehash")
    _run(
        small,
        f"citation_id {citation.id} · document_sha256 {citation.document_sha256} · text_sha256 "
        f"{citation.text_sha256} · quote_sha256 {citation.quote_sha256} · "
        f"index_id {citation.index_id}"
        + (f" · pages {LIST_JOIN.join(map(str, citation.pages))}" if citation.pages else "")
        + f" · url {citation.url}"
        + (f" · source_url {citation.source_url}" if citation.source_url else ""),
    )


def page_words(citation: Citation, packs: Collection[str]) -> str:
    """The pages of a citation in words: "page 79 of the pack", "pages 79 to 80 (inferred)"."""
    first, last = citation.pages[0], citation.pages[-1]
    words = f"page {first}" if first == last else f"pages {first} to {last}"
    words += " of the pack" if citation.document_id in packs else ""
    return f"{words} (inferred)" if citation.page_inferred else words


def _write_row(row: Any, boxes: Sequence[Box], whole: bool) -> None:
    for cell, box in zip(row.cells, boxes, strict=True):
        _write_cell(cell, box)
    if whole:
        _keep_whole(row._tr)


def _write_cell(cell: "_Cell", box: Box) -> None:
    from docx.shared import Mm, Pt

    for number, line in enumerate(box.lines or (Line(),)):
        paragraph = cell.add_paragraph() if number else cell.paragraphs[0]
        if line.bold:
            _run(paragraph, office_text(line.bold)).bold = True
        if line.text:
            _run(paragraph, office_text(line.text))
        if line.before is not None:
            paragraph.paragraph_format.space_before = Pt(line.before)
        if line.indent is not None:
            paragraph.paragraph_format.left_indent = Mm(line.indent)
        paragraph.paragraph_format.space_after = 0
    if box.fill:
        _fill(cell, box.fill)


def _fill(cell: "_Cell", colour: str) -> None:
    """Colour a cell (RRGGBB)."""
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
