"""What every loader hands over: blocks in reading order, before offsets exist.

A loader knows one format and nothing else. Page stamps, running heads, joined rows, heading paths
and canonical text are made from its blocks by `indexer.stamps` and `indexer.assemble`.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

from corpus.model import Box

Kind = Literal["heading", "prose", "list_item", "table_row", "table_header", "contents", "chrome"]


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph, list item, heading or table row as a loader found it.

    Args:
        kind: `chrome` is text of the page's frame (a stamp, a running head, "this page is blank"):
            it is kept out of the canonical text and recorded with its page.
        text: words of the block; empty for a table row or header.
        level: of a heading, 1 the highest; 0 leaves it to the assembler.
        cells: of a row or header, one text per column, lines of a cell parted by newlines.
        header: of a row, the names of its columns, as many as `cells` or none.
        page: where the block starts in the file, counted from 1; None if the format has no pages.
        stamps: page numbers stamped inside the block's text or just before it.
        gap: blank lines before it (text formats), a hint of a page's end.
    """

    kind: Kind
    text: str = ""
    level: int = 0
    cells: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    page: int | None = None
    boxes: tuple[Box, ...] = ()
    stamps: tuple[int, ...] = ()
    gap: int = 0

    @property
    def words(self) -> str:
        """All words of the block, cells parted by newlines."""
        return "\n".join(c for c in self.cells if c) if self.cells else self.text


@dataclass(frozen=True, slots=True)
class FilePage:
    """A page of the file as its format numbers it, from 1.

    Args:
        label: the number printed on it or given by the file's own labels.
        stamp: the number a council's pack stamped on it.
        inferred: its stamp is not printed on it but known from the pages around it.
        unreadable: it shows something, but no text could be had from it.
    """

    number: int
    label: str | None = None
    stamp: int | None = None
    unreadable: bool = False
    chrome: tuple[str, ...] = ()
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file's blocks and pages. `pages` is empty where the format has none."""

    blocks: tuple[Block, ...]
    pages: tuple[FilePage, ...] = ()
    warnings: tuple[str, ...] = ()
    title: str | None = None
    loader: str = field(default="")

    def named(self, loader: str) -> "Loaded":
        """The same, marked with the loader that made it."""
        return replace(self, loader=loader)
