"""Word documents, in the order of the document: paragraphs, tables, text boxes and footnotes.

Tracked deletions are left out and insertions taken in. Word keeps no pages in its files (the breaks
it notes are those of the last printer), so there are none to cite. Numbers that Word makes itself
are not in the text; they are no words of the source.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import docx
from docx.opc.exceptions import OpcError
from lxml import etree  # type: ignore[import-untyped]

from corpus.errors import DocumentError
from indexer.blocks import Block, Loaded
from indexer.cautions import Watch
from indexer.load.limits import Limits
from indexer.load.office import DAMAGE, check_package, diagram_texts
from indexer.load.unseen_word import WordSight, off_paper
from indexer.normalise import normalise, one_line, without_bullet

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MATHS = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
DIAGRAM_FRAME = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds"
GONE = frozenset((f"{W}del", f"{W}moveFrom", FALLBACK, f"{W}pPr", f"{W}instrText", f"{W}delText"))
CONTENTS_TITLE = re.compile(r"(?:table of )?contents(?: page)?:?", re.IGNORECASE)
CONTENTS_LINE = re.compile(r"\S.*(?:\t|\.{4,}|\s{3,})\s*\d{1,3}$", re.DOTALL)
LETTERED = re.compile(r"\(?(?:[a-z]{1,2}|[ivx]{1,5})[.)]\s")
HEADING_WORDS = 14
DEEPEST = 6
MOST_SPAN = 60


@dataclass(slots=True)
class _Style:
    """What a paragraph style says that matters here, its ancestors' word included."""

    level: int = 0
    listed: bool = False
    contents: bool = False
    bold: bool = False


@dataclass(slots=True)
class _Reader:
    """The state of reading one document."""

    name: str
    part: Any
    styles: dict[str, _Style]
    notes: dict[str, Any]
    most: int
    sight: WordSight
    watch: Watch = field(default_factory=Watch)
    default: _Style = field(default_factory=_Style)
    in_contents: bool = False
    count: int = 0


def load(content: bytes, name: str, limits: Limits) -> Loaded:
    """The blocks of a Word document.

    Raises:
        DocumentError: it is damaged, under a password, or holds more than may be read.
    """
    check_package(content, name, limits)
    try:
        document = docx.Document(io.BytesIO(content))
        reader = _Reader(
            name,
            document.part,
            _styles(document),
            _notes(document),
            limits.pages * 100,
            WordSight(document),
        )
        blocks = tuple(_blocks(document.element.body, reader))
        title = one_line(document.core_properties.title or "")
    except (*DAMAGE, OpcError) as error:
        raise DocumentError(f"{name} is damaged and cannot be read as a Word document.") from error
    return Loaded(blocks, warnings=tuple(reader.watch.warnings()), title=title or None)


# Styles and notes.


def _styles(document: Any) -> dict[str, _Style]:
    """Every paragraph style by its id."""
    found: dict[str, Any] = {s.get(f"{W}styleId"): s for s in document.styles.element}
    return {key: _style(key, found) for key in found if key}


def _style(key: str, found: dict[str, Any]) -> _Style:
    out = _Style()
    seen: set[str] = set()
    while key and key in found and key not in seen:
        seen.add(key)
        element = found[key]
        name = (_value(element, "name") or "").casefold()
        if match := re.fullmatch(r"heading (\d)", name):
            out.level = out.level or min(int(match[1]), DEEPEST)
        elif name == "title":
            out.level = out.level or 1
        out.contents = out.contents or bool(re.match(r"toc \d|table of figures", name))
        properties = element.find(f"{W}pPr")
        if properties is not None:
            outline = _value(properties, "outlineLvl")
            if outline is not None and outline.isdecimal() and int(outline) < DEEPEST:
                out.level = out.level or int(outline) + 1
            out.listed = out.listed or _numbered(properties)
        runs = element.find(f"{W}rPr")
        if runs is not None:
            out.bold = out.bold or _on(runs, "b")
        key = _value(element, "basedOn") or ""
    return out


def _value(element: Any, tag: str) -> str | None:
    child = element.find(f"{W}{tag}")
    return child.get(f"{W}val") if child is not None else None


def _on(properties: Any, tag: str) -> bool:
    child = properties.find(f"{W}{tag}")
    return child is not None and child.get(f"{W}val", "true") not in ("0", "false", "off")


def _numbered(properties: Any) -> bool:
    numbering = properties.find(f"{W}numPr")
    return numbering is not None and _value(numbering, "numId") not in (None, "0")


def _notes(document: Any) -> dict[str, Any]:
    """Footnotes and endnotes by the kind and number that refers to them."""
    out: dict[str, Any] = {}
    for relation in document.part.rels.values():
        for kind in ("footnote", "endnote"):
            if relation.reltype.endswith(f"/{kind}s") and not relation.is_external:
                parser = etree.XMLParser(resolve_entities=False, no_network=True)
                root = etree.fromstring(relation.target_part.blob, parser)
                for note in root.iter(f"{W}{kind}"):
                    if note.get(f"{W}type") in (None, "normal"):
                        out[f"{kind}{note.get(f'{W}id')}"] = note
    return out


# Blocks.


def _blocks(container: Any, reader: _Reader) -> Iterator[Block]:
    """The blocks of a body, cell, note or text box."""
    for element in container:
        reader.count += 1
        if reader.count > reader.most:
            raise DocumentError(
                f"{reader.name} holds more than {reader.most} paragraphs and cells."
            )
        if element.tag == f"{W}p":
            yield from _paragraph(element, reader)
        elif element.tag == f"{W}tbl":
            yield from _table(element, reader)
        elif element.tag == f"{W}sdt":
            inside = element.find(f"{W}sdtContent")
            yield from _blocks(inside if inside is not None else (), reader)
        elif element.tag in (f"{W}ins", f"{W}moveTo", f"{W}customXml", f"{W}smartTag"):
            yield from _blocks(element, reader)


def _paragraph(element: Any, reader: _Reader) -> Iterator[Block]:
    properties = element.find(f"{W}pPr")
    key = _value(properties, "pStyle") if properties is not None else None
    style = reader.styles.get(key or "", reader.default)
    raw = "".join(_words(element, reader, key))
    reader.watch.see(raw)
    text = normalise(raw)
    if text:
        yield from _as_block(raw, text, element, style, reader)
    for box in _boxes(element):
        if off_paper(box):
            reader.watch.hide(" ".join(t.text or "" for t in box.iter(f"{W}t")))
        else:
            yield from _blocks(box, reader)
    for frame in element.iter(DIAGRAM_FRAME):
        for line in diagram_texts(reader.part, frame.getparent()):
            yield Block("list_item", line)
    for reference in element.iter(f"{W}footnoteReference", f"{W}endnoteReference"):
        kind = reference.tag.removeprefix(W).removesuffix("Reference")
        note = reader.notes.get(f"{kind}{reference.get(f'{W}id')}")
        if note is not None:
            yield from _blocks(note, reader)


def _as_block(raw: str, text: str, element: Any, style: _Style, reader: _Reader) -> Iterator[Block]:
    """What a paragraph with words in it is."""
    properties = element.find(f"{W}pPr")
    own = _value(properties, "outlineLvl") if properties is not None else None
    level = int(own) + 1 if own and own.isdecimal() and int(own) < DEEPEST else style.level
    titled = bool(CONTENTS_TITLE.fullmatch(text))
    line = bool(CONTENTS_LINE.search(raw.strip()))
    if titled or style.contents or (reader.in_contents and line):
        reader.in_contents = reader.in_contents or titled or line
        yield Block("contents", one_line(text))
        return
    reader.in_contents = False
    if level:
        yield Block("heading", one_line(text), level=level)
        return
    listed = style.listed or (properties is not None and _numbered(properties))
    if listed or LETTERED.match(text):
        yield Block("list_item", without_bullet(one_line(text)))
        return
    if _is_bold_heading(element, text, style):
        yield Block("heading", one_line(text), level=4)
        return
    for part in text.split("\n"):
        if part:
            yield Block("prose", part)


def _is_bold_heading(element: Any, text: str, style: _Style) -> bool:
    """Whether a paragraph looks like a heading that was given no heading style."""
    if len(text.split()) > HEADING_WORDS or text[-1] in ".,;:" or not text[0].isalnum():
        return False
    parent = element.getparent()
    if parent is not None and parent.tag == f"{W}tc":
        return False
    return _is_bold(element, style)


def _is_bold(element: Any, style: _Style) -> bool:
    runs = [run for run in element.iter(f"{W}r") if _run_text(run).strip()]
    marks = [run.find(f"{W}rPr") for run in runs]
    told = [mark is not None and mark.find(f"{W}b") is not None for mark in marks]
    bold = [
        _on(mark, "b") if has and mark is not None else style.bold
        for mark, has in zip(marks, told, strict=True)
    ]
    return bool(bold) and all(bold)


def _run_text(run: Any) -> str:
    return "".join(t.text or "" for t in run.iter(f"{W}t"))


def _words(element: Any, reader: _Reader, style: str | None) -> Iterator[str]:
    """The words of a paragraph: what is deleted, hidden or in a text box left out."""
    for child in element:
        tag = child.tag
        if tag in GONE or tag == f"{W}txbxContent":
            continue
        if tag == f"{W}r":
            sight = reader.sight.of(child, style)
            if sight == "unseen":
                reader.watch.hide(_run_text(child))
                continue
            if sight == "doubtful":
                reader.watch.doubt(_run_text(child))
        if tag in (f"{W}t", f"{MATHS}t"):
            yield child.text or ""
        elif tag in (f"{W}tab", f"{W}ptab"):
            yield "\t"
        elif tag == f"{W}cr" or (tag == f"{W}br" and child.get(f"{W}type") is None):
            yield "\n"
        elif tag == f"{W}br":
            yield " "
        elif tag == f"{W}noBreakHyphen":
            yield "-"
        elif isinstance(tag, str):
            yield from _words(child, reader, style)


def _boxes(element: Any) -> Iterator[Any]:
    """The text boxes anchored in a paragraph, each once: Word saves them in two ways."""
    for box in element.iter(f"{W}txbxContent"):
        above = box.getparent()
        while (
            above is not None
            and above is not element
            and above.tag
            not in (
                FALLBACK,
                f"{W}txbxContent",
            )
        ):
            above = above.getparent()
        if above is element:
            yield box


# Tables.


@dataclass(slots=True)
class _Cell:
    text: str
    bold: bool
    shaded: bool
    goes_on: bool


def _table(table: Any, reader: _Reader) -> Iterator[Block]:
    """The rows of a table; one with a single column, or with headings in it, is only layout."""
    rows = [row for row in table.iter(f"{W}tr") if _nearest_table(row) is table]
    widest = max((sum(1 for _ in _row_cells(row)) for row in rows), default=0)
    if widest < 2 or _holds_headings(rows, reader):
        for row in rows:
            for cell in _row_cells(row):
                yield from _blocks(cell, reader)
        return
    grid = [(_marked(row), list(_cells(row, reader))) for row in rows]
    width = max(len(cells) for _, cells in grid)
    for _, cells in grid:
        cells.extend(_Cell("", False, False, False) for _ in range(width - len(cells)))
    depth = _header_rows(grid)
    names = _names([cells for _, cells in grid[:depth]], width)
    if depth:
        head = tuple(
            "\n".join(dict.fromkeys(cells[c].text for _, cells in grid[:depth] if cells[c].text))
            for c in range(width)
        )
        yield Block("table_header", cells=head, header=names)
    for _, cells in grid[depth:]:
        texts = tuple(cell.text for cell in cells)
        if any(texts):
            yield Block("table_row", cells=texts, header=names)


def _nearest_table(row: Any) -> Any:
    above = row.getparent()
    while above is not None and above.tag != f"{W}tbl":
        above = above.getparent()
    return above


def _row_cells(row: Any) -> Iterator[Any]:
    """The cells of a row, content controls and tracked insertions around them opened."""
    for child in row:
        if child.tag == f"{W}tc":
            yield child
        elif child.tag in (f"{W}sdt", f"{W}sdtContent", f"{W}customXml", f"{W}ins"):
            yield from _row_cells(child)


def _holds_headings(rows: list[Any], reader: _Reader) -> bool:
    for row in rows:
        for paragraph in row.iter(f"{W}p"):
            properties = paragraph.find(f"{W}pPr")
            style = _value(properties, "pStyle") if properties is not None else None
            if style and reader.styles.get(style, reader.default).level:
                return len(rows) < 3
    return False


def _cells(row: Any, reader: _Reader) -> Iterator[_Cell]:
    """A row's cells by column; what a cell covers beside or below it is empty."""
    properties = row.find(f"{W}trPr")
    before = _value(properties, "gridBefore") if properties is not None else None
    for _ in range(_number(before, 0)):
        yield _Cell("", False, False, False)
    if properties is not None and properties.find(f"{W}del") is not None:
        return
    for cell in _row_cells(row):
        told = cell.find(f"{W}tcPr")
        merge = told.find(f"{W}vMerge") if told is not None else None
        goes_on = merge is not None and merge.get(f"{W}val", "continue") == "continue"
        lines = [] if goes_on else [line for b in _blocks(cell, reader) for line in _lines(b)]
        paragraphs = [p for p in cell.iter(f"{W}p") if _run_text(p).strip()]
        bold = bool(paragraphs) and all(_is_bold(p, _of(p, reader)) for p in paragraphs)
        yield _Cell("\n".join(lines), bold, _shaded(told), goes_on)
        across = _number(_value(told, "gridSpan") if told is not None else None, 1)
        for _ in range(min(across, MOST_SPAN) - 1):
            yield _Cell("", False, False, False)


def _of(paragraph: Any, reader: _Reader) -> _Style:
    properties = paragraph.find(f"{W}pPr")
    key = _value(properties, "pStyle") if properties is not None else None
    return reader.styles.get(key or "", reader.default)


def _number(text: str | None, otherwise: int) -> int:
    return min(int(text), MOST_SPAN) if text and text.isdecimal() else otherwise


def _lines(block: Block) -> Iterator[str]:
    """The lines of a block in a cell; a table within one is flattened."""
    for part in block.cells or (block.text,):
        yield from (line for line in part.split("\n") if line)


def _shaded(told: Any) -> bool:
    shading = told.find(f"{W}shd") if told is not None else None
    if shading is None:
        return False
    return (shading.get(f"{W}fill") or "auto").upper() not in ("AUTO", "FFFFFF")


def _marked(row: Any) -> bool:
    properties = row.find(f"{W}trPr")
    return properties is not None and _on(properties, "tblHeader")


def _header_rows(grid: list[tuple[bool, list[_Cell]]]) -> int:
    """How many first rows hold names: those marked so, or a first one that is bold or shaded."""
    marked = 0
    while marked < len(grid) - 1 and grid[marked][0]:
        marked += 1
    if marked or len(grid) < 2:
        return marked
    first = [cell for cell in grid[0][1] if cell.text]
    below = [cell for _, cells in grid[1:] for cell in cells if cell.text]
    if len(first) < 2 or any(len(cell.text.split()) > HEADING_WORDS for cell in first):
        return 0
    if all(cell.bold for cell in first) and sum(cell.bold for cell in below) * 2 < len(below):
        return 1
    return int(
        all(cell.shaded for cell in first) and sum(cell.shaded for cell in below) * 2 < len(below)
    )


def _names(rows: list[list[_Cell]], width: int) -> tuple[str, ...]:
    if not rows:
        return ()
    parts: list[list[str]] = [[] for _ in range(width)]
    for depth, row in enumerate(rows):
        over = ""
        for i, cell in enumerate(row):
            over = cell.text or (over if depth < len(rows) - 1 and i else "")
            if over:
                parts[i].append(over.replace("\n", " "))
    return tuple(" ".join(part) for part in parts)
