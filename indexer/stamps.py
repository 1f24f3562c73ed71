"""Pages of a council's pack from the numbers stamped on it, where the file has no pages itself.

A stamp ("Page 79") stands somewhere in the text of its page: before it, after it, inside a table
row. Some pages have none. The page of every block is found as the cheapest assignment of
non-decreasing page numbers that agrees with every stamp (dynamic programming, Viterbi 1967), where
breaking is cheap before a slide's heading or a repeated table header and dear inside running text.
Blocks keep every page that some assignment almost as cheap would give them, so a place that the
stamps leave open is reported as open.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from corpus.errors import DocumentError
from indexer.blocks import Block

STAMP_LINE = re.compile(r"Page (\d{1,4})")
STAMP_LEADING = re.compile(r"Page (\d{1,4}) (?=\S)")
AGENDA = re.compile(r"Agenda Item \d+[a-z]?", re.IGNORECASE)
BLANK_PAGE = re.compile(r"this page is intentionally left blank\.?", re.IGNORECASE)
CONTENTS_ENTRY = re.compile(r"(.+?)[\s.]+(\d{1,4})")
FEWEST_STAMPS = 3
FEWEST_AGREEING = 3

STRONG, LIKELY, WEAK = 2, 1, 0
BREAK_COST = {STRONG: 0.0, LIKELY: 1.0, WEAK: 2.0}
STAY_COST = {STRONG: 3.0, LIKELY: 0.4, WEAK: 0.0}
EMPTY_PAGE_COST = 3.0
MOST_EMPTY_PAGES = 6
CONTINUED_WORDS = 8
CONTENTS_COST = 2.0
TOLERANCE = 0.9
UNREACHABLE = float("inf")


@dataclass(frozen=True, slots=True)
class Placed:
    """A block and the pages it may stand on, from `first` to `last`."""

    block: Block
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Stamped:
    """The blocks of a pack with their pages, the page numbers that were stamped, and its frame."""

    placed: tuple[Placed, ...]
    stamped: frozenset[int]
    last_page: int
    chrome: dict[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Part:
    """What a catalogue says of one document of a pack: its pages and the line it starts with."""

    first_page: int
    last_page: int
    first_line: str | None


def place(blocks: Sequence[Block], parts: Sequence[Part] = ()) -> Stamped | None:
    """Pages for every block, or None if the text bears no stamps of a pack.

    Args:
        blocks: the whole pack in reading order.
        parts: its documents in order; the first lines that are given are held to their pages.
    """
    pulled = [_pull(block) for block in blocks]
    if sum(block.kind == "chrome" and bool(block.stamps) for block in pulled) < FEWEST_STAMPS:
        return None
    kept = _increasing([n for block in pulled for n in block.stamps])
    if len(kept) < FEWEST_STAMPS:
        return None
    pulled = [
        block if set(block.stamps) <= kept else original
        for block, original in zip(pulled, blocks, strict=True)
    ]
    content, loose, frame = _sort_out(pulled, kept)
    strengths = _strengths(content)
    fixed = {i: block.stamps[-1] for i, block in enumerate(content) if block.stamps}
    for start, part in zip(part_starts(content, parts), parts, strict=True):
        if start is not None:
            fixed[start] = part.first_page
            strengths[start] = STRONG
    last_page = max([part.last_page for part in parts], default=0) or (
        max(kept) + _trailing(content, strengths, loose)
    )
    ranges = _assign(content, strengths, loose, fixed, last_page, {})
    if expected := _by_contents(content, ranges):
        ranges = _assign(content, strengths, loose, fixed, last_page, expected)
    placed = []
    chrome: dict[int, list[str]] = {}
    for block, (first, last) in zip(content, ranges, strict=True):
        if block.kind == "chrome":
            chrome.setdefault(first, []).append(block.text)
        else:
            placed.append(Placed(block, first, last))
    for position, text in frame:
        page = ranges[min(position, len(ranges) - 1)][0]
        chrome.setdefault(page, []).append(text)
    for number in kept:
        chrome.setdefault(number, []).append(f"Page {number}")
    return Stamped(
        tuple(placed), frozenset(kept), last_page, {n: tuple(t) for n, t in chrome.items()}
    )


def part_starts(blocks: Sequence[Block], parts: Sequence[Part]) -> list[int | None]:
    """For each part the block that its first line names, after the part before; None if unnamed.

    Raises:
        DocumentError: a first line is nowhere in what is left of the pack.
    """
    starts: list[int | None] = []
    after = 0
    for part in parts:
        if part.first_line is None:
            starts.append(None)
            continue
        found = next(
            (i for i in range(after, len(blocks)) if blocks[i].text == part.first_line), None
        )
        if found is None:
            raise DocumentError(
                f"The line {part.first_line!r}, with which pages {part.first_page}-"
                f"{part.last_page} should start, is not in the pack."
            )
        starts.append(found)
        after = found + 1
    return starts


def _pull(block: Block) -> Block:
    """The block with its stamps taken out of its words."""
    if block.cells:
        cells, numbers = [], []
        for cell in block.cells:
            lines = cell.split("\n")
            numbers += [int(m[1]) for line in lines if (m := STAMP_LINE.fullmatch(line))]
            cells.append("\n".join(s for s in lines if not STAMP_LINE.fullmatch(s)))
        return replace(block, cells=tuple(cells), stamps=tuple(numbers)) if numbers else block
    if match := STAMP_LINE.fullmatch(block.text):
        return replace(block, kind="chrome", stamps=(int(match[1]),))
    if match := STAMP_LEADING.match(block.text):
        return replace(block, text=block.text[match.end() :], stamps=(int(match[1]),))
    if AGENDA.fullmatch(block.text) or BLANK_PAGE.fullmatch(block.text):
        return replace(block, kind="chrome")
    return block


def _increasing(numbers: Sequence[int]) -> set[int]:
    """The longest strictly increasing run through the numbers: the stamps, without mentions."""
    best: list[list[int]] = []
    for number in numbers:
        runs = [b for b in best if b[-1] < number]
        longest: list[int] = sorted(runs, key=len)[-1] if runs else []
        best.append([*longest, number])
    return set(sorted(best, key=len)[-1]) if best else set()


def _sort_out(
    blocks: Iterable[Block], kept: set[int]
) -> tuple[list[Block], list[tuple[int, int]], list[tuple[int, str]]]:
    """Content blocks, stamps as (content blocks before it, number), frame texts likewise.

    A blank page's notice and an agenda mark that was read as a heading stay among the content:
    they stand at the top of a page. Gaps of what is taken out pass to the next block.
    """
    content: list[Block] = []
    loose: list[tuple[int, int]] = []
    frame: list[tuple[int, str]] = []
    gap = 0
    for block in blocks:
        stamps = [n for n in block.stamps if n in kept]
        gap = max(gap, block.gap)
        if block.kind == "chrome" and stamps:
            loose.append((len(content), stamps[0]))
        elif block.kind == "chrome" and AGENDA.fullmatch(block.text) and block.level == 0:
            frame.append((len(content), block.text))
        else:
            content.append(replace(block, gap=gap))
            gap = 0
    return content, loose, frame


def _strengths(content: Sequence[Block]) -> list[int]:
    """How likely a page ends before each block."""
    out = []
    header: tuple[str, ...] = ()
    before: Block | None = None
    running = ""
    for block in content:
        strength = WEAK
        title = block.kind == "heading" and block.level <= 2
        if block.kind == "chrome" or (before is not None and before.kind == "chrome"):
            marks_top = before is not None and AGENDA.fullmatch(before.text)
            strength = WEAK if block.kind != "chrome" and marks_top else STRONG
        elif block.kind == "table_header":
            after_row = before is not None and before.kind == "table_row"
            strength = STRONG if after_row and block.cells == header else WEAK
        elif title and (block.gap >= 2 or _running_part(block.text) == running):
            strength = STRONG
        elif before is not None and continues(before, block):
            strength = STRONG
        elif title or block.gap >= 2:
            strength = LIKELY
        if block.kind == "table_header":
            header = block.cells
        if title:
            running = _running_part(block.text)
        out.append(strength)
        before = block
    return out


def _running_part(heading: str) -> str:
    """What the headings of successive slides share: all before a dash, case aside."""
    return re.split(r"\s[–—-]\s", heading)[0].casefold()


def continues(before: Block, block: Block) -> bool:
    """Whether a block only goes on with the sentence that the one before broke off."""
    told = ("prose", "list_item")
    return (
        before.kind in told
        and block.kind == "prose"
        and block.gap <= 1
        and block.text[:1].islower()
        and before.text[-1:].isalnum()
        and len(before.text.split()) >= CONTINUED_WORDS
        and len(block.text.split()) > 1
    )


def _trailing(
    content: Sequence[Block], strengths: Sequence[int], loose: Sequence[tuple[int, int]]
) -> int:
    """How many pages the text after the last stamp may fill: its strong breaks."""
    inside = [i for i, block in enumerate(content) if block.stamps]
    last = max([position for position, _ in loose] + inside, default=0)
    return sum(strength == STRONG for strength in strengths[last + 1 :])


def _assign(
    content: Sequence[Block],
    strengths: Sequence[int],
    loose: Sequence[tuple[int, int]],
    fixed: dict[int, int],
    last_page: int,
    expected: dict[int, int],
) -> list[tuple[int, int]]:
    """For each block the first and last page it may stand on."""
    between: dict[int, list[int]] = {}
    for position, number in loose:
        between.setdefault(position, []).append(number)
    bounds = _bounds(len(content), fixed, loose, last_page)
    forward = _sweep(content, strengths, fixed, between, bounds, expected)
    best = min(forward[-1].values())
    backward: list[dict[int, float]] = [{} for _ in content]
    backward[-1] = dict.fromkeys(forward[-1], 0.0)
    for i in range(len(content) - 2, -1, -1):
        for page in forward[i]:
            steps = (
                _step(page, later, strengths[i + 1], between.get(i + 1, ()))
                + _surprise(expected, i + 1, later)
                + cost
                for later, cost in backward[i + 1].items()
            )
            backward[i][page] = min(steps, default=UNREACHABLE)
    ranges = []
    for i in range(len(content)):
        near = [
            page
            for page, cost in forward[i].items()
            if cost + backward[i].get(page, UNREACHABLE) <= best + TOLERANCE
        ]
        ranges.append((min(near), max(near)))
    return ranges


def _bounds(
    count: int, fixed: dict[int, int], loose: Sequence[tuple[int, int]], last_page: int
) -> list[tuple[int, int]]:
    """The lowest and highest page each block could have, from the stamps before and after it."""
    anchors = sorted([*fixed.items(), *loose])
    low, high = [1] * count, [last_page] * count
    for position, number in anchors:
        for i in range(position + 1, count):
            low[i] = max(low[i], number)
        for i in range(min(position, count)):
            high[i] = min(high[i], number)
    for i, number in fixed.items():
        low[i] = high[i] = number
    return list(zip(low, high, strict=True))


def _sweep(
    content: Sequence[Block],
    strengths: Sequence[int],
    fixed: dict[int, int],
    between: dict[int, list[int]],
    bounds: Sequence[tuple[int, int]],
    expected: dict[int, int],
) -> list[dict[int, float]]:
    """The cheapest way to each page of each block."""
    start = {1: 0.0} if 0 not in fixed else {fixed[0]: 0.0}
    if 0 in between:
        start = {between[0][-1]: 0.0}
    table = [start]
    for i in range(1, len(content)):
        low, high = bounds[i]
        row: dict[int, float] = {}
        for page in range(low, high + 1):
            cost = min(
                (
                    held + _step(earlier, page, strengths[i], between.get(i, ()))
                    for earlier, held in table[-1].items()
                ),
                default=UNREACHABLE,
            )
            if cost < UNREACHABLE:
                row[page] = cost + _surprise(expected, i, page)
        if not row:  # stamps that contradict each other: go on from what the bounds allow
            row = dict.fromkeys(range(low, high + 1), min(table[-1].values()) + EMPTY_PAGE_COST)
        table.append(row)
    return table


def _surprise(expected: dict[int, int], i: int, page: int) -> float:
    """What it costs that a heading is not on the page that the contents page says."""
    return CONTENTS_COST if expected.get(i, page) != page else 0.0


def _by_contents(content: Sequence[Block], ranges: Sequence[tuple[int, int]]) -> dict[int, int]:
    """For headings named on a contents page, the page it says, in the pack's numbers.

    A contents page counts from its own document's start. The difference is learned from headings
    whose page the stamps settle, and used only if at least three agree on it.
    """
    expected: dict[int, int] = {}
    i = 0
    while i < len(content):
        if content[i].kind != "contents":
            i += 1
            continue
        entries = []
        while i < len(content) and content[i].kind in ("contents", "table_header"):
            if match := CONTENTS_ENTRY.fullmatch(content[i].text):
                entries.append((_plain(match[1]), int(match[2])))
            i += 1
        named = _named(content, entries, i)
        sure = [ranges[b][0] - n for b, n in named.items() if ranges[b][0] == ranges[b][1]]
        shift, agreeing = Counter(sure).most_common(1)[0] if sure else (0, 0)
        if agreeing >= FEWEST_AGREEING:
            expected |= {b: n + shift for b, n in named.items()}
    return expected


def _named(
    content: Sequence[Block], entries: Sequence[tuple[str, int]], after: int
) -> dict[int, int]:
    """Headings that the entries of a contents page name, in order, with the page named."""
    named = {}
    for title, number in entries:
        for b in range(after, len(content)):
            plain = _plain(content[b].text)
            if content[b].kind in ("heading", "prose") and plain and plain == title:
                named[b] = number
                after = b + 1
                break
    return named


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _step(page: int, later: int, strength: int, stamps: Sequence[int]) -> float:
    """What it costs that a block on `later` follows one on `page` with `stamps` between them."""
    turned = later - page
    if turned < 0 or turned > MOST_EMPTY_PAGES + 1:
        return UNREACHABLE
    if any(not page <= number <= later for number in stamps):
        return UNREACHABLE
    if turned == 0:
        return STAY_COST[strength]
    bare = sum(page < n < later for n in stamps)  # a page that holds its stamp and nothing else
    return BREAK_COST[strength] + EMPTY_PAGE_COST * (turned - 1) - bare
