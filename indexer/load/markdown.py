"""Markdown, also as converters make it from PDF: rows of tab-parted HTML cells, page stamps.

Inline marks and entities are resolved by markdown-it; a run of lines with tabs is a table, whose
cells are HTML fragments read by selectolax.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from markdown_it import MarkdownIt
from markdown_it.token import Token
from selectolax.lexbor import LexborHTMLParser, LexborNode

from indexer.blocks import Block, Loaded
from indexer.cautions import Watch
from indexer.load.unseen import hidden, parsed
from indexer.normalise import normalise, one_line, without_bullet

PARSER = MarkdownIt("commonmark", {"html": True}).enable("table")
TAG = re.compile(r"<(/?)([A-Za-z][\w-]*)")
VOID = frozenset(("br", "img", "hr", "input", "wbr"))
SILENT = frozenset(("script", "style", "template", "noscript"))
BREAKING = frozenset({"p", "li", "ul", "ol", "br", "tr", "td", "th", "table", "div", "tbody"})
HEADER_WORDS = 10
CONTENTS = re.compile(r"(?:table of )?contents(?: page)?", re.IGNORECASE)
ENTRY = re.compile(r"(.+?)[\s.]+\d{1,4}")
LEADER = re.compile(r"\.{4,}\s*\d+$")
MARKS = re.compile(r"(?m)^(?:#{1,6} \S|\|.*\|\s*$|\*\*\S)")


def claims(head: bytes, text: str) -> bool:
    """Whether a text is Markdown: three marks that plain text does not have."""
    return len(MARKS.findall(text[:20_000])) >= 3


def load(text: str) -> Loaded:
    """Blocks of a Markdown text; `gap` counts the blank lines before each."""
    watch = Watch()
    watch.see(text)
    # A lone carriage return ends a line to the parser, too.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    blocks: list[Block] = []
    for start, stop, table in _regions(lines):
        part = lines[start:stop]
        gap = _blank_before(lines, start)
        if table:
            blocks.extend(_tab_table(part, gap, watch))
        else:
            blocks.extend(_markdown(part, lines, start, watch))
    return Loaded(tuple(_contents(blocks)), warnings=tuple(watch.warnings()))


def fragment_lines(fragment: str, watch: Watch) -> list[str]:
    """The text of an HTML fragment, a line for each block element or list item.

    What the fragment hides is left out, and told to `watch`.
    """
    if "<" not in fragment and "&" not in fragment:
        return [line for line in (one_line(fragment),) if line]
    tree = LexborHTMLParser(f"<body>{fragment}</body>")
    out = [""]
    if tree.body is not None:
        _walk(tree.body, out, watch)
    lines = (without_bullet(one_line(line)) for line in out)
    return [line for line in lines if line]


def _walk(node: LexborNode, out: list[str], watch: Watch) -> None:
    for child in node.iter(include_text=True):
        if child.tag == "-text":
            out[-1] += child.text_content or ""
        elif child.tag in SILENT:
            continue
        elif _hides(child.attributes):
            watch.hide(child.text(separator=" "))
        elif child.tag in BREAKING:
            out.append("")
            _walk(child, out, watch)
            out.append("")
        else:
            _walk(child, out, watch)


def _hides(told: "dict[str, str | None]") -> bool:
    """Whether an element's own attributes hide what is in it."""
    return bool(told) and hidden(told, parsed(told.get("style")))


def _regions(lines: list[str]) -> Iterator[tuple[int, int, bool]]:
    """(start, stop, is a tab-parted table) for each run of lines of one sort."""
    start, inside = 0, False
    for i, line in enumerate(lines):
        # A leading tab alone is an indent, unless the line before was a row already.
        row = bool(line.strip()) and "\t" in (line if inside else line.strip())
        if row != inside:
            if i > start:
                yield start, i, inside
            start, inside = i, row
    yield start, len(lines), inside


def _blank_before(lines: list[str], start: int) -> int:
    count = 0
    while start - count - 1 >= 0 and not lines[start - count - 1].strip():
        count += 1
    return count


def _tab_table(rows: list[str], gap: int, watch: Watch) -> Iterator[Block]:
    table = [[fragment_lines(cell, watch) for cell in row.split("\t")] for row in rows]
    header: tuple[str, ...] = ()
    if len(rows) > 1 and _is_header(rows[0], table[0]):
        header = tuple(_header_name(cell) for cell in rows[0].split("\t"))
        cells = tuple("\n".join(cell) for cell in table[0])
        yield Block("table_header", cells=cells, header=header, gap=gap)
        table, gap = table[1:], 0
    for row in table:
        filled = [cell for cell in row if cell]
        if len(filled) == 1 and not header:
            for line in filled[0]:
                yield Block("prose", text=line, gap=gap)
                gap = 0
        elif filled:
            cells = tuple("\n".join(cell) for cell in row)
            names = header if len(header) == len(cells) else ()
            yield Block("table_row", cells=cells, header=names, gap=gap)
        gap = 0


def _is_header(raw: str, cells: list[list[str]]) -> bool:
    """Short, labelled, no block mark-up, no values: the names of columns."""
    if re.search(r"<(?:p|ul|table)\b", raw) or len(cells) < 2 or not all(cells[:-1]):
        return False
    texts = [" ".join(cell) for cell in cells if cell]
    return all(
        len(t.split()) <= HEADER_WORDS
        and not t.endswith(":")
        and not t[0].isdigit()
        and t[0] != "£"
        for t in texts
    )


def _header_name(cell: str) -> str:
    """A column's name: its bold part if it has one ("Objective"), else all of it."""
    bold = re.search(r"<b>(.*?)</b>", cell)
    return one_line(" ".join(fragment_lines(bold.group(1) if bold else cell, Watch())))


def _markdown(part: list[str], lines: list[str], offset: int, watch: Watch) -> Iterator[Block]:
    tokens = PARSER.parse("\n".join(part))
    depth = 0
    kind, level, first = "prose", 0, True
    prefix = ""
    row: list[str] = []
    header: tuple[str, ...] = ()
    in_head = False
    for token in tokens:
        gap = _blank_before(lines, offset + token.map[0]) if token.map else 0
        match token.type:
            case "heading_open":
                kind, level = "heading", int(token.tag[1])
            case "heading_close":
                kind, level = "prose", 0
            case "bullet_list_open" | "ordered_list_open":
                depth += 1
            case "bullet_list_close" | "ordered_list_close":
                depth -= 1
            case "list_item_open":
                # The number as it is written, not as a renderer would count.
                first, prefix = True, f"{token.info}{token.markup} " if token.info else ""
            case "thead_open":
                in_head = True
            case "thead_close":
                in_head = False
            case "tr_open":
                row = []
            case "tr_close":
                yield from _pipe_row(row, header, in_head)
                header = tuple(one_line(c) for c in row) if in_head else header
            case "table_close":
                header = ()
            case "th_open" | "td_open":
                kind = "cell"
            case "th_close" | "td_close":
                kind = "prose"
            case "inline":
                text = _inline(token, watch)
                if kind == "cell":
                    row.append(text)
                elif kind == "heading":
                    if text:
                        yield Block("heading", text=one_line(text), level=level, gap=gap)
                else:
                    for line in _joined(text):
                        listed = bool(depth) and first
                        clean = prefix + without_bullet(line) if listed else line
                        yield Block("list_item" if depth else "prose", text=clean, gap=gap)
                        first, gap = False, 0
            case "html_block" | "code_block" | "fence":
                for line in fragment_lines(token.content, watch):
                    yield Block("prose", text=line, gap=gap)
                    gap = 0


def _pipe_row(row: list[str], header: tuple[str, ...], in_head: bool) -> Iterator[Block]:
    cells = tuple("\n".join(filter(None, map(without_bullet, c.split("\n")))) for c in row)
    if not any(cells):
        return
    if in_head:
        yield Block("table_header", cells=cells, header=cells)
    else:
        yield Block("table_row", cells=cells, header=header if any(header) else ())


def _inline(token: Token, watch: Watch) -> str:
    """The words of an inline token: marks gone, soft breaks as spaces, hard breaks as newlines.

    What stands between an HTML tag that hides and its end is left out.
    """
    parts: list[str] = []
    unseen: list[str] = []
    within: list[str] = []  # tags open since the one that hides
    for child in token.children or ():
        if child.type == "html_inline" and (tag := TAG.match(child.content)):
            closing, name = bool(tag[1]), tag[2].lower()
            if within and closing and name in within:
                del within[len(within) - 1 - within[::-1].index(name) :]
            elif not closing and name not in VOID and (within or _hidden_tag(child.content)):
                within.append(name)
        if within:
            unseen.append(child.content if child.type in ("text", "code_inline", "image") else " ")
            continue
        match child.type:
            case "text" | "code_inline":
                parts.append(child.content)
            case "softbreak":
                parts.append("\n")
            case "hardbreak":
                parts.append("\n")
            case "html_inline" if re.match(r"<br\b", child.content):
                parts.append("\n")
            case "image":
                parts.append(child.content)
    watch.hide("".join(unseen))
    return normalise("".join(parts))


def _hidden_tag(tag: str) -> bool:
    """Whether an opening tag hides what follows it."""
    found = LexborHTMLParser(f"<body>{tag}</body>").css_first("body > *")
    return found is not None and (found.tag in SILENT or _hides(found.attributes))


def _joined(text: str) -> Iterator[str]:
    """Lines of a paragraph; a line that only continues its sentence is joined to the one before."""
    held = ""
    for line in text.split("\n"):
        if not line:
            continue
        if held and not held.endswith((".", ":", "?", "!")) and line[0].islower():
            held += " " + line
        else:
            if held:
                yield held
            held = line
    if held:
        yield held


def _contents(blocks: list[Block]) -> Iterator[Block]:
    """The same blocks, those of a contents page marked, and lines that it names as headings."""
    inside = False
    titles: set[str] = set()
    for block in blocks:
        if block.kind == "heading":
            inside = bool(CONTENTS.fullmatch(block.text))
            listed = inside
        else:
            listed = inside or bool(LEADER.search(block.words.replace("\n", " ")))
        if listed:
            text = block.words.replace("\n", " ")
            if entry := ENTRY.fullmatch(text):
                titles.add(_plain(entry[1]))
            yield Block("contents", text=text, gap=block.gap, stamps=block.stamps)
        elif block.kind == "prose" and _plain(block.text) in titles:
            yield replace(block, kind="heading", level=2)
        else:
            yield block


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
