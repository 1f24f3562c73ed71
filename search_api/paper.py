"""What every Word export is made of: its page, its styles, its tables, and cited evidence.

`search_api.verify` reads the evidence back.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from search_api.model import Citation
from search_api.sheets import EPOCH, LIST_JOIN, office_text

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from docx.table import Table, _Cell
    from docx.text.paragraph import Paragraph


def set_up(paper: "WordDocument", title: str) -> None:
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


def evidence(
    paper: "WordDocument", citation: Citation, number: int, names: Mapping[str, str]
) -> None:
    """One numbered piece of evidence: where it stands, the words, the hashes.

    `search_api.verify` reads it back by these three parts, whatever their styles are called.

    Args:
        names: of systems, by id.
    """
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


def fill(cell: "_Cell", colour: str) -> None:
    """Colour a cell (RRGGBB)."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    shade = OxmlElement("w:shd")
    shade.set(qn("w:val"), "clear")
    shade.set(qn("w:color"), "auto")
    shade.set(qn("w:fill"), colour)
    cell._tc.get_or_add_tcPr().append(shade)


def repeat_header(table: "Table") -> None:
    """Mark the first row as the header, so that it is repeated on each page and read aloud."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    mark = OxmlElement("w:tblHeader")
    mark.set(qn("w:val"), "true")
    table.rows[0]._tr.get_or_add_trPr().append(mark)


def pad(table: "Table") -> None:
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


def keep_whole(row: Any) -> None:
    """Keep a table row on one page."""
    from docx.oxml import OxmlElement

    row.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
