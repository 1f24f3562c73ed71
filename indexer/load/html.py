"""A saved web page: its main part by selectolax, or by trafilatura where no part is marked as such.

Navigation, banners, forms and scripts are left out, and so is what the page itself hides; the
latter is reported. A page of HTML has no pages to cite.
"""

import re
from collections.abc import Iterator, Sequence

from selectolax.lexbor import LexborHTMLParser, LexborNode

from corpus.errors import DocumentError
from indexer.blocks import Block, Loaded
from indexer.cautions import Watch
from indexer.load.limits import Limits
from indexer.load.unseen import Styles
from indexer.normalise import normalise, one_line, without_bullet

CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?\s*([\w-]+)", re.IGNORECASE)
FRAME = (
    "script,style,noscript,template,nav,aside,footer,form,button,select,textarea,dialog,iframe,"
    "object,svg,canvas,video,audio,[role=navigation],[role=banner],[role=contentinfo],"
    "[role=complementary],[role=search],[role=dialog],[role=alertdialog]"
)
MAIN = ("main", "[role=main]", "article")
BANNER = re.compile(r"cookie|consent|breadcrumb|skip-?link|skiplink", re.IGNORECASE)
HEADINGS = {f"h{level}": level for level in range(1, 7)}
BLOCKS = frozenset(
    "address article blockquote body center dd details div dl dt fieldset figcaption figure header"
    " hgroup html li main ol p pre section summary table tbody tfoot thead tr td th ul hr"
    " h1 h2 h3 h4 h5 h6 caption".split()
)
FEWEST_WORDS = 30
MOST_SPAN = 60
KEPT = ("html", "head", "title", "body", "main", "article")


def load(content: bytes, name: str, limits: Limits) -> Loaded:
    """The blocks of a web page.

    Raises:
        DocumentError: it holds more than may be read.
    """
    tree = LexborHTMLParser(_text(content))
    title = one_line(title_node.text()) if (title_node := tree.css_first("title")) else None
    watch = Watch()
    _strip(tree, watch)
    root = _main(tree)
    warnings: list[str] = []
    if root is None or len(root.text(separator=" ").split()) < FEWEST_WORDS:
        root, warning = _unmarked(tree, root)
        warnings.extend(warning)
    warnings.extend(watch.warnings())
    blocks = []
    for block in _blocks(root) if root else ():
        blocks.append(block)
        if len(blocks) > limits.pages * 100:
            raise DocumentError(f"{name} holds more than {limits.pages * 100} paragraphs.")
    return Loaded(tuple(blocks), warnings=tuple(warnings), title=title or None)


def _text(content: bytes) -> str:
    """The page's characters, by its byte order mark, its own word, or the usual encodings."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    named = CHARSET.search(content[:4096])
    for encoding in (named[1].decode() if named else "utf-8", "utf-8"):
        try:
            return content.decode("utf-8-sig" if encoding.lower() == "utf-8" else encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return content.decode("cp1252", errors="replace")


def _strip(tree: LexborHTMLParser, watch: Watch) -> None:
    """Takes the frame of the page and what it hides out of the tree; the latter is told of."""
    styles = Styles(tree)
    _take_out(tree.css(FRAME))
    watch.see(tree.body.text(separator=" ") if tree.body is not None else "")
    gone = []
    hidden: set[int] = set()
    for node in tree.css("*"):
        if node.tag in KEPT:
            continue
        told = node.attributes
        sight = styles.sight(node)
        if sight == "unseen":
            gone.append(node)
            hidden.add(node.mem_id)
        elif sight == "doubtful":
            watch.doubt(node.text(separator=" "))
        elif told and BANNER.search(f"{told.get('class') or ''} {told.get('id') or ''}"):
            gone.append(node)
        elif told.get("aria-hidden") == "true":
            watch.unspoken(node.text(separator=" "))
    for node in _outermost(gone):
        if node.mem_id in hidden:
            watch.hide(node.text(separator=" "))
    _take_out(gone)


def _take_out(nodes: Sequence[LexborNode]) -> None:
    for node in _outermost(nodes):
        node.decompose()


def _outermost(nodes: Sequence[LexborNode]) -> list[LexborNode]:
    """Those of the nodes, in the order of the page, that are inside no other of them."""
    chosen = {node.mem_id for node in nodes}
    out = []
    for node in nodes:
        above = node.parent
        while above is not None and above.mem_id not in chosen:
            above = above.parent
        if above is None:
            out.append(node)
    return out


def _main(tree: LexborHTMLParser) -> LexborNode | None:
    """The part marked as the main one; of several, that with the most text."""
    for selector in MAIN:
        found = tree.css(selector)
        if found:
            return max(found, key=lambda node: len(node.text()))
    return None


def _unmarked(
    tree: LexborHTMLParser, marked: LexborNode | None
) -> tuple[LexborNode | None, tuple[str, ...]]:
    """The main part of a page that does not mark it, and a warning if it had to be found."""
    whole = _words(tree.body)
    if _words(marked) * 2 > whole:
        return marked, ()
    found = _by_trafilatura(tree)
    parts = "p,li,h1,h2,h3,td"
    kept = found is not None and _words(found) * 2 > whole
    if found is not None and kept and tree.body is not None:
        kept = len(found.css(parts)) * 2 > len(tree.body.css(parts))
    if kept:
        return found, ("no part of the page is marked as its main one: found by its look",)
    return tree.body, ("no part of the page is marked as its main one: all of it is taken",)


def _words(node: LexborNode | None) -> int:
    return len(node.text(separator=" ").split()) if node is not None else 0


def _by_trafilatura(tree: LexborHTMLParser) -> LexborNode | None:
    import trafilatura  # slow to import, and seldom needed

    html = tree.html
    if not html:
        return None
    found = trafilatura.extract(
        html, output_format="html", include_tables=True, include_comments=False
    )
    return LexborHTMLParser(found).body if found else None


# Blocks.


def _blocks(root: LexborNode) -> Iterator[Block]:
    """The blocks under a node in the order of the page, walked without recursion."""
    stack: list[Iterator[LexborNode]] = [iter(list(root.iter(include_text=True)))]
    kinds: list[str] = ["prose"]
    held: list[str] = []
    while stack:
        node = next(stack[-1], None)
        if node is None:
            yield from _paragraph(held, kinds[-1])
            held = []
            stack.pop()
            kinds.pop()
            continue
        tag = node.tag or ""
        if tag == "-text":
            held.append(node.text_content or "")
        elif tag == "br":
            held.append("\n")
        elif tag not in BLOCKS and not _holds_blocks(node):
            held.append(_inline(node))
        else:
            yield from _paragraph(held, kinds[-1])
            held = []
            if tag in HEADINGS:
                if text := one_line(_inline(node)):
                    yield Block("heading", text, level=HEADINGS[tag])
            elif tag == "table" and _is_data(node):
                yield from _table(node)
            else:
                stack.append(iter(list(node.iter(include_text=True))))
                kinds.append(_kind(tag, kinds[-1]))


def _kind(tag: str, around: str) -> str:
    """What the text right in an element is: an item of a list, or of what is around it."""
    if tag in ("li", "dd", "dt"):
        return "list_item"
    return around if tag in ("p", "div", "span") else "prose"


def _holds_blocks(node: LexborNode) -> bool:
    return any(child.tag in BLOCKS for child in node.traverse() if child is not node)


def _inline(node: LexborNode) -> str:
    """The text of a node, its line breaks as newlines and its source's as spaces."""
    parts = []
    for child in node.traverse(include_text=True):
        if child.tag == "-text":
            parts.append(" ".join((child.text_content or " ").split("\n")))
        elif child.tag == "br":
            parts.append("\n")
        elif child.tag in BLOCKS and child is not node:
            parts.append("\n")
    return "".join(parts)


def _paragraph(held: list[str], kind: str) -> Iterator[Block]:
    text = "".join(part if part == "\n" else _one_spaced(part) for part in held)
    for i, line in enumerate(part for part in normalise(text).split("\n") if part.strip()):
        # A line broken by hand inside an item stays one of its paragraph's lines.
        clean = without_bullet(line) if kind == "list_item" and i == 0 else line
        if clean:
            yield Block(kind, clean)  # type: ignore[arg-type]


def _one_spaced(text: str) -> str:
    return re.sub(r"[ \t\r\f\v]*\n[ \t\r\f\v]*", " ", text) if text.strip("\n") else " "


# Tables.


def _is_data(table: LexborNode) -> bool:
    """Whether a table holds data and is not there to lay out the page."""
    role = table.attributes.get("role")
    if role in ("presentation", "none"):
        return False
    rows = list(_rows(table))
    widest = max((len(cells) for _, cells in rows), default=0)
    headings = any(table.css(tag) for tag in ("h1", "h2"))
    return widest >= 2 and not headings


def _rows(table: LexborNode) -> Iterator[tuple[bool, list[LexborNode]]]:
    """(in the head, cells) of each row that is the table's own and not a nested one's."""
    for child in table.iter():
        if child.tag == "tr":
            yield False, _cells(child)
        elif child.tag in ("thead", "tbody", "tfoot"):
            for row in child.iter():
                if row.tag == "tr":
                    yield child.tag == "thead", _cells(row)


def _cells(row: LexborNode) -> list[LexborNode]:
    return [cell for cell in row.iter() if cell.tag in ("td", "th")]


def _table(table: LexborNode) -> Iterator[Block]:
    for caption in table.css("caption"):
        if text := one_line(_inline(caption)):
            yield Block("prose", text)
    head: list[list[str]] = []
    names: tuple[str, ...] = ()
    body_seen = False
    spans: dict[int, int] = {}  # columns still taken by a cell of a row above, and for how long
    for in_head, cells in _rows(table):
        texts: list[str] = []
        for cell in cells:
            while spans.get(len(texts), 0) > 0:
                spans[len(texts)] -= 1
                texts.append("")
            down, across = _span(cell, "rowspan"), _span(cell, "colspan")
            for column in range(len(texts), len(texts) + across):
                spans[column] = down - 1
            texts.extend([_cell_text(cell)] + [""] * (across - 1))
        while spans.get(len(texts), 0) > 0:
            spans[len(texts)] -= 1
            texts.append("")
        if not any(texts):
            continue
        heads = bool(cells) and all(cell.tag == "th" for cell in cells) and len(cells) > 1
        if (in_head or heads) and not body_seen:
            head.append(texts)
            names = _joined_names(names, texts)
            continue
        if head and not body_seen:
            yield _header(head, names)
        body_seen = True
        yield Block("table_row", cells=tuple(texts), header=_fitted(names, len(texts)))
    if head and not body_seen:
        yield _header(head, names)


def _header(head: list[list[str]], names: tuple[str, ...]) -> Block:
    """The rows of names as one block: in each column what stands there from the top down."""
    width = max(len(row) for row in head)
    columns = [[row[c] for row in head if c < len(row) and row[c]] for c in range(width)]
    cells = tuple("\n".join(column) for column in columns)
    return Block("table_header", cells=cells, header=_fitted(names, width))


def _joined_names(above: tuple[str, ...], row: list[str]) -> tuple[str, ...]:
    """Names of columns, a second row of them put after the first."""
    flat = [text.replace("\n", " ") for text in row]
    if not above:
        return tuple(flat)
    over = ""
    out = []
    for i, name in enumerate(flat):
        over = above[i] if i < len(above) and above[i] else over if name else ""
        out.append(" ".join(part for part in (over, name) if part))
    return tuple(out)


def _fitted(names: tuple[str, ...], width: int) -> tuple[str, ...]:
    return (names + ("",) * width)[:width] if any(names) else ()


def _span(cell: LexborNode, name: str) -> int:
    value = cell.attributes.get(name) or "1"
    return min(max(int(value), 1), MOST_SPAN) if value.isdecimal() else 1


def _cell_text(cell: LexborNode) -> str:
    lines = (without_bullet(one_line(line)) for line in _inline(cell).split("\n"))
    return "\n".join(line for line in lines if line)
