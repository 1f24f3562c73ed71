"""Blocks into a Reading: canonical text, sections with heading paths, and pages.

The canonical text is our rendering of a document in reading order: a line for each cell or list
item, a blank line between paragraphs; no word added, none lost. Stamps, running heads and repeated
table headers are kept with their page instead. A table row or sentence that goes on over a page is
joined before offsets are given.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from corpus.errors import DocumentError
from corpus.model import Cell, Document, Form, Page, Reading, Section
from indexer import stamps
from indexer.blocks import Block, FilePage, Loaded
from indexer.cautions import wide_table

READER_VERSION = "3"
"""Raised with every change that can alter a canonical text, a section or a page."""


@dataclass(frozen=True, slots=True)
class Run:
    """A block with the first and last page that it may stand on (None: no pages)."""

    block: Block
    first: int | None = None
    last: int | None = None


def assemble(loaded: Loaded, parts: Sequence[Document]) -> list[Reading]:
    """One reading for each document of a file, in the order given.

    Args:
        loaded: the file's blocks and pages.
        parts: the documents in the file: one, or several with `pages` and perhaps `first_line`.

    Raises:
        DocumentError: the parts do not fit the file.
    """
    ranges = [_page_range(part) for part in parts]
    if loaded.pages:
        cited = {p.number: p.stamp or p.number for p in loaded.pages}
        runs = [_run(block, cited) for block in loaded.blocks]
        book = _file_pages(loaded.pages)
        return [
            _read(_within(runs, first, last), book.within(first, last), loaded)
            for first, last in _found(ranges, loaded.pages, parts)
        ]
    if len(parts) == 1 and parts[0].pages is None:
        stamped = stamps.place(loaded.blocks)
        if stamped is None:
            return [_read([Run(block) for block in loaded.blocks], Book(), loaded)]
        runs = [Run(p.block, p.first, p.last) for p in stamped.placed]
        return [_read(_slide_levels(runs), _stamped_pages(stamped), loaded)]
    return _stamped_parts(loaded, parts, ranges)


@dataclass(frozen=True, slots=True)
class Book:
    """What is known of each page number before offsets exist."""

    pages: dict[int, Page] = field(default_factory=dict)

    def within(self, first: int, last: int) -> "Book":
        """The pages from first to last."""
        return Book({n: page for n, page in self.pages.items() if first <= n <= last})


def _page_range(part: Document) -> tuple[int, int] | None:
    if part.pages is None:
        return None
    first, _, last = part.pages.partition("-")
    try:
        pages = int(first), int(last or first)
    except ValueError:
        pages = (1, 0)
    if not 1 <= pages[0] <= pages[1]:
        raise DocumentError(
            f'The pages of {part.id} are {part.pages!r}; write them as "3" or "3-130".'
        )
    return pages


def _found(
    ranges: Sequence[tuple[int, int] | None], pages: Sequence[FilePage], parts: Sequence[Document]
) -> list[tuple[int, int]]:
    whole = (1, max(page.stamp or page.number for page in pages))
    found = [r or whole for r in ranges]
    for (first, _), part in zip(found, parts, strict=True):
        if first > whole[1]:
            raise DocumentError(
                f"{part.id} should be pages {part.pages}, but {part.file} has {whole[1]} pages."
            )
    return found


def _file_pages(pages: Sequence[FilePage]) -> Book:
    return Book(
        {
            (p.stamp or p.number): Page(
                number=p.stamp or p.number,
                start=0,
                end=0,
                label=p.label,
                file_page=p.number,
                inferred=p.inferred,
                unreadable=p.unreadable,
                chrome=p.chrome,
            )
            for p in pages
        }
    )


def _stamped_pages(stamped: stamps.Stamped) -> Book:
    return Book(
        {
            n: Page(
                number=n,
                start=0,
                end=0,
                label=str(n) if n in stamped.stamped else None,
                inferred=n not in stamped.stamped,
                chrome=stamped.chrome.get(n, ()),
            )
            for n in range(1, stamped.last_page + 1)
        }
    )


def _stamped_parts(
    loaded: Loaded, parts: Sequence[Document], ranges: Sequence[tuple[int, int] | None]
) -> list[Reading]:
    known = []
    for part, pages in zip(parts, ranges, strict=True):
        if pages is None:
            raise DocumentError(f"{part.file} is several documents, but {part.id} has no pages.")
        known.append(stamps.Part(*pages, part.first_line))
    stamped = stamps.place(loaded.blocks, known)
    if stamped is None:
        raise DocumentError(
            f"{parts[0].file} has neither pages nor stamps, so {parts[0].id} cannot be cut out."
        )
    book = _stamped_pages(stamped)
    readings = []
    for first, last, begin, end in _cuts(stamped, known):
        runs = [
            Run(p.block, max(p.first, first), min(p.last, last)) for p in stamped.placed[begin:end]
        ]
        readings.append(_read(_slide_levels(runs), book.within(first, last), loaded))
    return readings


def _cuts(
    stamped: stamps.Stamped, parts: Sequence[stamps.Part]
) -> Iterable[tuple[int, int, int, int]]:
    """For each part its first and last page, its first block and the one after its last."""
    placed = stamped.placed
    begins = []
    for part in parts:
        named = (
            i
            for i, p in enumerate(placed)
            if p.block.text == part.first_line and p.first <= part.first_page <= p.last
        )
        paged = (i for i, p in enumerate(placed) if p.last >= part.first_page)
        begins.append(next(named, next(paged, len(placed))))
    ends = [*begins[1:], len(placed)]
    for part, begin, end in zip(parts, begins, ends, strict=True):
        yield part.first_page, part.last_page, begin, end


def _slide_levels(runs: Sequence[Run]) -> list[Run]:
    """The same runs with heading levels that nest.

    A converter gives the title of one slide level 1 and of the next level 2. The heading that
    starts a page is level 1; others hang beneath it only if they were marked lower than it.
    """
    out: list[Run] = []
    title = 1
    for run in runs:
        block = run.block
        if block.kind == "heading":
            starts = not out or run.first != out[-1].first or run.last != out[-1].last
            if starts and block.level <= 2:
                title = block.level
            lower = block.level - title
            run = replace(run, block=replace(block, level=1 + max(0, lower)))
        out.append(run)
    return out


def _run(block: Block, cited: dict[int, int]) -> Run:
    """A block of a file with pages, under the numbers that are cited."""
    last = block.boxes[-1].page if block.boxes else block.page
    if block.page is None or last is None:
        return Run(block)
    return Run(block, cited[block.page], cited[last])


def _within(runs: Sequence[Run], first: int, last: int) -> list[Run]:
    return [r for r in runs if r.first is not None and first <= r.first <= last]


def _read(runs: Sequence[Run], book: Book, loaded: Loaded) -> Reading:
    chrome: dict[int, list[str]] = {}
    kept = _without_repeated_headers(_joined(_without_chrome(runs, chrome)), chrome)
    text, spans = _lay_out(kept)
    sections = tuple(_sections(kept, spans))
    pages = _pages(book, kept, spans, chrome)
    widest = max((len(run.block.cells) for run in kept), default=0)
    warnings = [*loaded.warnings, *wide_table(widest)]
    if not text:
        warnings.append("no text")
    if unreadable := sum(page.unreadable for page in pages):
        warnings.append(f"{unreadable} of {len(pages)} pages could not be read")
    return Reading(text, sections, pages, tuple(warnings), f"{loaded.loader}/{READER_VERSION}")


def _without_chrome(runs: Iterable[Run], chrome: dict[int, list[str]]) -> Iterable[Run]:
    for run in runs:
        if run.block.kind == "chrome":
            if run.first is not None:
                chrome.setdefault(run.first, []).append(run.block.text)
        elif run.block.words:
            yield run


def _joined(runs: Iterable[Run]) -> list[Run]:
    """Rows and sentences that go on over a page made whole; repeated headers between go along."""
    out: list[Run] = []
    for run in runs:
        block = run.block
        previous = next((i for i in range(len(out) - 1, -1, -1) if not _header(out[i])), None)
        before = out[previous].block if previous is not None else None
        if before is not None and _continued_row(before, block, out[-1]):
            assert previous is not None
            out[previous] = _merge(out[previous], run, _join_cells(before.cells, block.cells))
        elif before is not None and previous == len(out) - 1 and stamps.continues(before, block):
            out[-1] = _merge(out[-1], run, f"{before.text} {block.text}")
        else:
            out.append(run)
    return out


def _header(run: Run) -> bool:
    return run.block.kind == "table_header"


def _continued_row(before: Block, block: Block, last: Run) -> bool:
    """Whether a row is the rest of the row before the repeated header that stands between them."""
    if not (block.kind == before.kind == "table_row" and _header(last)):
        return False
    if not block.header or block.header != before.header or last.block.header != block.header:
        return False
    first, final = block.cells[0], block.cells[-1]
    if len(block.cells) > 2 and final:
        return False
    return not first or (len(block.cells) > 2 and first[:1].islower())


def _join_cells(above: Sequence[str], below: Sequence[str]) -> tuple[str, ...]:
    out = []
    for upper, lower in zip(above, below, strict=True):
        broken = upper and lower and upper[-1] not in ".:;!?" and "\n" not in lower[:1]
        out.append(f"{upper} {lower}" if broken else "\n".join(c for c in (upper, lower) if c))
    return tuple(out)


def _merge(above: Run, below: Run, words: str | tuple[str, ...]) -> Run:
    boxes = above.block.boxes + below.block.boxes
    if isinstance(words, tuple):
        block = replace(above.block, cells=words, boxes=boxes)
    else:
        block = replace(above.block, text=words, boxes=boxes)
    return Run(block, above.first, below.last)


def _without_repeated_headers(runs: Sequence[Run], chrome: dict[int, list[str]]) -> list[Run]:
    """The first header of each wording stays in the text; its repeats go to their page."""
    seen: set[tuple[str, ...]] = set()
    out = []
    for run in runs:
        if _header(run):
            if run.block.cells in seen:
                if run.first is not None:
                    chrome.setdefault(run.first, []).append(" | ".join(run.block.header))
                continue
            seen.add(run.block.cells)
        out.append(run)
    return out


def _lay_out(runs: Sequence[Run]) -> tuple[str, list[tuple[int, int]]]:
    """The canonical text and each block's range of it."""
    parts: list[str] = []
    spans = []
    at = 0
    tight = ("list_item", "contents")
    for i, run in enumerate(runs):
        if i:
            together = run.block.kind in tight and runs[i - 1].block.kind == run.block.kind
            gap = "\n" if together else "\n\n"
            parts.append(gap)
            at += len(gap)
        words = run.block.words
        parts.append(words)
        spans.append((at, at + len(words)))
        at += len(words)
    return "".join(parts), spans


def _sections(runs: Sequence[Run], spans: Sequence[tuple[int, int]]) -> Iterable[Section]:
    path: list[tuple[int, str]] = []
    for run, (start, end) in zip(runs, spans, strict=True):
        block = run.block
        if block.kind == "heading":
            level = block.level or 2
            path = [entry for entry in path if entry[0] < level]
            heading = tuple(text for _, text in path)
            yield Section(start, end, "heading", heading, level, boxes=block.boxes)
            path.append((level, block.text.replace("\n", " ")))
            continue
        heading = tuple(text for _, text in path)
        if block.kind == "table_row":
            yield Section(start, end, "table_row", heading, 0, _cells(block, start), block.boxes)
        elif block.kind == "table_header":
            # Level 0: the names of columns, kept in the text but no heading of anything.
            yield Section(start, end, "heading", heading, 0, _cells(block, start), block.boxes)
        else:
            yield Section(start, end, _form(block), heading, 0, (), block.boxes)


def _form(block: Block) -> Form:
    if block.kind in ("list_item", "contents"):
        return "list_item" if block.kind == "list_item" else "contents"
    return "prose"


def _cells(block: Block, start: int) -> tuple[Cell, ...]:
    out = []
    at = start
    for i, text in enumerate(block.cells):
        if text:
            name = block.header[i] if i < len(block.header) else ""
            out.append(Cell(name, at, at + len(text)))
            at += len(text) + 1
    return tuple(out)


def _pages(
    book: Book,
    runs: Sequence[Run],
    spans: Sequence[tuple[int, int]],
    chrome: dict[int, list[str]],
) -> tuple[Page, ...]:
    found: dict[int, tuple[int, int]] = {}
    for run, (start, end) in zip(runs, spans, strict=True):
        if run.first is None or run.last is None:
            continue
        for number in range(run.first, run.last + 1):
            begun = found.get(number, (start, end))[0]
            found[number] = (begun, end)
    out = []
    at = 0
    for number in sorted(book.pages):
        page = book.pages[number]
        start, end = found.get(number, (at, at))
        at = end
        frame = page.chrome + tuple(t for t in chrome.get(number, ()) if t not in page.chrome)
        out.append(replace(page, start=start, end=end, chrome=frame))
    return tuple(out)
