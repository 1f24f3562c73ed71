"""Tables as blocks: a row for each row, its cells' texts with the names of their columns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from corpus.model import Box
from indexer.blocks import Block
from indexer.load.pdf.layout import Leaf, Span, union
from indexer.load.pdf.paragraphs import Hyphens, paragraphs, shown_box
from indexer.load.pdf.tables import Table
from indexer.normalise import normalise

SAME_EDGE = 8.0


@dataclass(slots=True)
class Rows:
    """The blocks of a table on one page, and what tells whether the next page goes on with it."""

    page: int
    blocks: list[Block]
    edges: tuple[float, ...]
    names: tuple[str, ...]

    def fits(self, below: "Rows") -> bool:
        """Whether the columns of a table on the next page start where they start here."""
        return len(self.edges) == len(below.edges) and all(
            abs(a - b) <= SAME_EDGE for a, b in zip(self.edges, below.edges, strict=True)
        )

    def continued_by(self, below: "Rows") -> "Rows":
        """The rows of the next page with this table's names, if they are the rest of it.

        A first row that goes on with the last one here is moved into it.
        """
        if not self.fits(below) or below.names or not below.blocks:
            return below
        blocks = [
            replace(block, header=self.names) if block.kind == "table_row" else block
            for block in below.blocks
        ]
        if blocks and self.blocks and _goes_on(self.blocks[-1], blocks[0]):
            self.blocks[-1] = _merged(self.blocks[-1], blocks[0])
            blocks = blocks[1:]
        return Rows(below.page, blocks, below.edges, self.names)


def _goes_on(above: Block, below: Block) -> bool:
    """Whether a row has no first cell, or one that starts inside a sentence."""
    if not above.kind == below.kind == "table_row" or len(above.cells) != len(below.cells):
        return False
    return not below.cells[0] or (below.cells[0][0].islower() and bool(above.cells[0]))


def _merged(above: Block, below: Block) -> Block:
    cells = []
    for upper, lower in zip(above.cells, below.cells, strict=True):
        broken = upper and lower and upper[-1] not in ".:;!?" and lower[0].islower()
        cells.append(f"{upper} {lower}" if broken else "\n".join(c for c in (upper, lower) if c))
    return replace(above, cells=tuple(cells), boxes=above.boxes + below.boxes)


def table_rows(table: Table, page: int, hyphens: Hyphens) -> Rows:
    """The blocks of a table."""
    texts = [[_cell(cell, page, hyphens) for cell in row] for row in table.rows]
    boxes = [_box(row, page) for row in table.rows]
    names = _names(texts[: table.header_rows])
    blocks = []
    if table.header_rows:
        head = tuple(
            "\n".join(dict.fromkeys(row[c] for row in texts[: table.header_rows] if row[c]))
            for c in range(len(names))
        )
        spread = tuple(box for found in boxes[: table.header_rows] for box in found)
        blocks.append(Block("table_header", cells=head, header=names, page=page, boxes=spread))
    for i in range(table.header_rows, len(texts)):
        cells = tuple(texts[i])
        if i in table.across:
            text = " ".join(cell for cell in cells if cell)
            blocks.append(Block("prose", text.replace("\n", " "), page=page, boxes=boxes[i]))
        elif any(cells):
            blocks.append(Block("table_row", cells=cells, header=names, page=page, boxes=boxes[i]))
    return Rows(page, blocks, table.edges, names)


def _cell(spans: Sequence[Span], page: int, hyphens: Hyphens) -> str:
    if not spans:
        return ""
    leaf = Leaf(list(spans), union(span.box for span in spans))
    return normalise("\n".join(p.text for p in paragraphs(leaf, page, hyphens)))


def _box(row: Sequence[Sequence[Span]], page: int) -> tuple[Box, ...]:
    words = [word.shown for cell in row for span in cell for word in span.words]
    return (shown_box(page, union(words)),) if words else ()


def _names(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """One name for each column; a name over several columns stands before each of theirs."""
    if not rows:
        return ()
    parts: list[list[str]] = [[] for _ in rows[0]]
    for depth, row in enumerate(rows):
        over = ""
        for i, text in enumerate(row):
            over = text or (over if depth < len(rows) - 1 and i else "")
            if over:
                parts[i].append(over.replace("\n", " "))
    return tuple(" ".join(part) for part in parts)
