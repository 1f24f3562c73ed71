"""Tables: by the lines ruled around their cells, by level rules alone, or by aligned figures.

The ruled grid follows the lattice method (Nurminen 2013, as in Tabula and Camelot): rules that meet
are one grid, its cells lie between neighbouring rules, and cells without a rule between them are
one cell. A merged cell's words are given once, in its first row and column.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from indexer.load.pdf.layout import Solid, Span, rows_of, spans_of, union
from indexer.load.pdf.words import Fill, PageInk, Rect, Rule, Word

NEAR = 3.0
MEETING = 4.0
MOST_RULES = 1500
SHORTEST_RULE = 8.0
WORDIEST_CELL = 170
HEADER_WORDS = 12
VALUE = re.compile(
    r"[£$€<>~≈±(+–-]?\s*\d[\d,.:/–-]*\s*(?:%|k|m|bn|million|th|st|nd|rd|\))*|[-–—*✓✔✗xX]|n/?a",
    re.IGNORECASE,
)
YEAR = re.compile(r"(?:19|20)\d\d(?:\s*[/–-]\s*(?:\d\d)?\d\d)?")


@dataclass(slots=True)
class Table:
    """A table's cells as spans of words, and how many of its rows are names of columns.

    Args:
        edges: where its columns begin, to know a table that goes on over a page.
        across: rows of one cell that goes across all columns.
    """

    rows: list[list[list[Span]]]
    header_rows: int
    edges: tuple[float, ...]
    box: Rect
    across: frozenset[int] = frozenset()


@dataclass(slots=True)
class _Grid:
    xs: list[float]
    ys: list[float]
    rules: list[Rule] = field(default_factory=list)


def ruled_tables(ink: PageInk, spans: Sequence[Span]) -> tuple[list[Solid], list[Span]]:
    """The tables that are ruled on a page, and the spans that stand in none."""
    rules = _merged([*ink.rules, *_cell_edges(ink.fills)])
    if len(rules) > MOST_RULES:
        return [], list(spans)
    tables: list[Solid] = []
    left = list(spans)
    components = _components(rules)
    # The outermost first: what is ruled within a cell is no table of its own.
    for component in sorted(components, key=_extent, reverse=True):
        grid = _grid(component)
        table = _lattice(grid, left, ink.fills) if grid else None
        if table is not None:
            tables.append(Solid(table, table.box))
            left = _outside(left, table)
    level = [r for c in components if len({rule.level for rule in c}) == 1 for r in c if r.level]
    for stack in _stacks(level):
        for table in _striped(stack, left, ink.fills):
            tables.append(Solid(table, table.box))
            left = _outside(left, table)
    return tables, left


def _outside(spans: Sequence[Span], table: Table) -> list[Span]:
    """The spans that are not in a table; one that is partly in it loses those words."""
    used = {id(word) for row in table.rows for cell in row for s in cell for word in s.words}
    out: list[Span] = []
    for span in spans:
        rest = [word for word in span.words if id(word) not in used]
        if len(rest) == len(span.words):
            out.append(span)
        elif rest:
            out.extend(spans_of(rest))
    return out


# Rules.


def _merged(rules: Iterable[Rule]) -> list[Rule]:
    """Rules along one line made one where they touch; the shortest are dropped."""
    out: list[Rule] = []
    for level in (True, False):
        ordered = sorted((r for r in rules if r.level == level), key=lambda r: r.at)
        for cluster in _clusters(ordered):
            at = sum(rule.at for rule in cluster) / len(cluster)
            held: Rule | None = None
            for rule in sorted(cluster, key=lambda r: r.start):
                if held is not None and rule.start <= held.end + NEAR:
                    held = held._replace(end=max(held.end, rule.end))
                    continue
                if held is not None:
                    out.append(held)
                held = Rule(level, at, rule.start, rule.end)
            if held is not None:
                out.append(held)
    return [rule for rule in out if rule.end - rule.start >= SHORTEST_RULE]


def _clusters(rules: Sequence[Rule]) -> Iterator[list[Rule]]:
    held: list[Rule] = []
    for rule in rules:
        if held and rule.at - held[0].at > NEAR:
            yield held
            held = []
        held.append(rule)
    if held:
        yield held


def _cell_edges(fills: Sequence[Fill]) -> Iterator[Rule]:
    """The edges of filled boxes that stand side by side like cells."""
    boxes = [f.box for f in fills if f.colour and 7 <= f.box.height <= 400 and f.box.width >= 15]
    if len(boxes) > 600:
        return
    by_row: dict[tuple[int, int], list[Rect]] = defaultdict(list)
    for box in boxes:
        by_row[round(box.top / 3), round(box.bottom / 3)].append(box)
    for row in by_row.values():
        ordered = sorted(set(row), key=lambda b: b.left)
        for i, box in enumerate(ordered):
            beside = ordered[i - 1 : i] + ordered[i + 1 : i + 2]
            if any(_abut(box, other) for other in beside):
                yield Rule(True, box.top, box.left, box.right)
                yield Rule(True, box.bottom, box.left, box.right)
                yield Rule(False, box.left, box.top, box.bottom)
                yield Rule(False, box.right, box.top, box.bottom)


def _abut(one: Rect, other: Rect) -> bool:
    return min(abs(one.right - other.left), abs(other.right - one.left)) <= NEAR


def _components(rules: Sequence[Rule]) -> list[list[Rule]]:
    """Rules that meet, directly or by others."""
    parent = list(range(len(rules)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    level = [i for i, rule in enumerate(rules) if rule.level]
    upright = [i for i, rule in enumerate(rules) if not rule.level]
    for i in level:
        for j in upright:
            a, b = rules[i], rules[j]
            if (
                a.start - MEETING <= b.at <= a.end + MEETING
                and b.start - MEETING <= a.at <= b.end + MEETING
            ):
                parent[root(i)] = root(j)
    groups: dict[int, list[Rule]] = defaultdict(list)
    for i, rule in enumerate(rules):
        groups[root(i)].append(rule)
    return list(groups.values())


def _extent(rules: Sequence[Rule]) -> float:
    level = [r.end - r.start for r in rules if r.level]
    upright = [r.end - r.start for r in rules if not r.level]
    return max(level, default=0.0) * max(upright, default=0.0)


def _grid(rules: Sequence[Rule]) -> _Grid | None:
    """The lines of a grid, an open side closed where the rules across it end."""
    level = [rule for rule in rules if rule.level]
    upright = [rule for rule in rules if not rule.level]
    if len(level) < 2 or not upright:
        return None
    xs = _places([rule.at for rule in upright])
    ys = _places([rule.at for rule in level])
    xs = _closed(xs, [r.start for r in level], [r.end for r in level])
    ys = _closed(ys, [r.start for r in upright], [r.end for r in upright])
    if len(xs) < 3 or len(ys) < 2 or len(xs) > 60 or len(ys) > 400:
        return None
    return _Grid(xs, ys, list(rules))


def _places(values: Iterable[float]) -> list[float]:
    out: list[list[float]] = []
    for value in sorted(values):
        if out and value - out[-1][-1] <= MEETING:
            out[-1].append(value)
        else:
            out.append([value])
    return [sum(group) / len(group) for group in out]


def _closed(places: list[float], starts: Sequence[float], ends: Sequence[float]) -> list[float]:
    first, last = min(starts), max(ends)
    if places[0] - first > SHORTEST_RULE:
        places = [first, *places]
    if last - places[-1] > SHORTEST_RULE:
        places = [*places, last]
    return places


# A grid with its words.


def _lattice(grid: _Grid, spans: Sequence[Span], fills: Sequence[Fill]) -> Table | None:
    columns, rows = len(grid.xs) - 1, len(grid.ys) - 1
    owner = _owners(grid, columns, rows)
    found: dict[tuple[int, int], list[Word]] = defaultdict(list)
    for span in spans:
        for word in span.words:
            row = _slot(grid.ys, word.base - 0.3 * word.style.size)
            column = _slot(grid.xs, (word.box.left + word.box.right) / 2)
            if row is not None and column is not None:
                found[owner[row][column]].append(word)
    if not _plausible(found, owner, columns):
        return None
    _part_labels(found, owner)
    cells: list[list[list[Span]]] = []
    across: set[int] = set()
    for r in range(rows):
        given = [
            spans_of(found.get((r, c), ())) if owner[r][c] == (r, c) else [] for c in range(columns)
        ]
        if any(given):
            if set(owner[r]) == {(r, 0)}:
                across.add(len(cells))
            cells.extend(_split_rows(given))
    kept = [c for c in range(columns) if any(row[c] for row in cells)]
    if len(kept) < 2 or len(cells) < 2:
        return None
    cells = [[row[c] for c in kept] for row in cells]
    edges = tuple(grid.xs[c] for c in kept)
    box = Rect(grid.xs[0], grid.ys[0], grid.xs[-1], grid.ys[-1])
    # A title that goes across the first row names no column, so the names come after it.
    title = next((i for i in range(len(cells)) if i not in across), 0)
    if title and (names := _header_rows(cells[title:], fills)):
        cells = cells[title : title + names] + cells[:title] + cells[title + names :]
        across = {i + names if i < title else i for i in across}
        return Table(cells, names, edges, box, frozenset(across))
    return Table(cells, _header_rows(cells, fills), edges, box, frozenset(across))


def _part_labels(
    found: dict[tuple[int, int], list[Word]], owner: list[list[tuple[int, int]]]
) -> None:
    """Gives each row its label where no rule parts the labels, but there are as many as rows."""
    for column in range(len(owner[0])):
        for place in {row[column] for row in owner}:
            rows = [r for r, row in enumerate(owner) if row[column] == place]
            if place[1] != column or len(rows) < 3:
                continue
            labels = _labels(spans_of(found.get(place, ())))
            if len(labels) != len(rows):
                continue
            for row, label in zip(rows, labels, strict=True):
                owner[row][column] = (row, column)
                found[row, column] = [w for line in label for span in line for w in span.words]


def _labels(spans: Sequence[Span]) -> list[list[list[Span]]]:
    """The lines of a column of labels, a line that starts in small letters put to the one above."""
    labels: list[list[list[Span]]] = []
    for line in rows_of(spans):
        if labels and line[0].text[:1] in "(abcdefghijklmnopqrstuvwxyz":
            labels[-1].append(line)
        else:
            labels.append([line])
    return labels


def _slot(places: Sequence[float], at: float) -> int | None:
    for i, (low, high) in enumerate(zip(places, places[1:], strict=False)):
        if low <= at < high:
            return i
    return None


def _owners(grid: _Grid, columns: int, rows: int) -> list[list[tuple[int, int]]]:
    """For each place of the grid the first place of the cell that it belongs to."""
    owner = [[(r, c) for c in range(columns)] for r in range(rows)]
    upright = [rule for rule in grid.rules if not rule.level]
    level = [rule for rule in grid.rules if rule.level]
    for r in range(rows):
        low, high = grid.ys[r], grid.ys[r + 1]
        for c in range(1, columns):
            if not _ruled(upright, grid.xs[c], low, high):
                owner[r][c] = owner[r][c - 1]
    for r in range(1, rows):
        for c in range(columns):
            alone = owner[r][c] == (r, c)
            if alone and not _ruled(level, grid.ys[r], grid.xs[c], grid.xs[c + 1]):
                above = owner[r - 1][c]
                same_width = [owner[r][k] == (r, c) for k in range(columns)] == [
                    owner[r - 1][k] == above for k in range(columns)
                ]
                if same_width:
                    for k in range(columns):
                        if owner[r][k] == (r, c):
                            owner[r][k] = above
    return owner


def _ruled(rules: Sequence[Rule], at: float, low: float, high: float) -> bool:
    """Whether rules along a line cover more than half of a stretch of it."""
    covered = sum(
        max(0.0, min(rule.end, high) - max(rule.start, low))
        for rule in rules
        if abs(rule.at - at) <= MEETING
    )
    return covered > 0.5 * (high - low)


def _plausible(
    found: dict[tuple[int, int], list[Word]], owner: list[list[tuple[int, int]]], columns: int
) -> bool:
    """Whether a grid with these words is a table and not a chart or a page set in boxes."""
    filled = [words for words in found.values() if words]
    used = {r for r, _ in found}
    cells = {place for r, row in enumerate(owner) if r in used for place in row}
    if len(filled) < 3 or len(filled) < 0.3 * len(cells):
        return False
    if len({c for _, c in found}) < 2 or columns < 2:
        return False
    return sum(map(len, filled)) / len(filled) <= WORDIEST_CELL


def _split_rows(row: list[list[Span]]) -> list[list[list[Span]]]:
    """A row that holds several lines of figures, parted into them; any other row alone."""
    beside = [list(rows_of(cell)) for cell in row[1:] if cell]
    if not row[0] or not beside:
        return [row]
    most = max(beside, key=len)
    full = sum(len(lines) == len(most) for lines in beside)
    if len(most) < 3 or full * 2 < len(beside) or len(list(rows_of(row[0]))) < len(most):
        return [row]
    bases = [line[0].base for line in most]
    lines = [line for cell in beside for line in cell]
    valued = sum(_is_value(_words(line)) for line in lines)
    level = sum(min(abs(line[0].base - base) for base in bases) < 3 for line in lines)
    if valued < 0.8 * len(lines) or level < len(lines):
        return [row]
    return _body_rows(row, bases)


def _words(spans: Sequence[Span]) -> str:
    return " ".join(span.text for span in spans)


def _is_value(text: str) -> bool:
    return bool(VALUE.fullmatch(text.strip()))


# Names of columns.


def _header_rows(rows: Sequence[Sequence[Sequence[Span]]], fills: Sequence[Fill]) -> int:
    """How many first rows hold names of columns: none, one, or two with names over names."""
    if len(rows) < 2 or not _names(rows[0], rows[1:]):
        return 0
    first = rows[0]
    if not (_stands_out(first, rows[1:], fills) or _labels_over_values(first, rows[1:])):
        return 0
    gaps = [c for c, cell in enumerate(first) if not cell]
    second = rows[1]
    under = gaps and len(rows) > 2 and all(second[c] for c in gaps if c > 0)
    if under and _names(second, rows[2:]) and _stands_out(second, rows[2:], fills):
        return 2
    return 1


def _names(row: Sequence[Sequence[Span]], below: Sequence[Sequence[Sequence[Span]]]) -> bool:
    """Short, and not figures unless they are years."""
    texts = [_words(cell) for cell in row]
    filled = [text for text in texts if text]
    if len(filled) < max(1, (len(texts) + 1) // 2) or any(
        len(text.split()) > HEADER_WORDS for text in filled
    ):
        return False
    return not any(_is_value(text) and not YEAR.fullmatch(text) for text in filled)


def _stands_out(
    row: Sequence[Sequence[Span]],
    below: Sequence[Sequence[Sequence[Span]]],
    fills: Sequence[Fill],
) -> bool:
    """Bold where what is below is not, or in another colour, or on another ground."""
    words = [word for cell in row for span in cell for word in span.words]
    others = [w for cells in below for cell in cells[1:] for span in cell for w in span.words]
    if not others:
        return False
    if all(w.style.bold for w in words) and sum(w.style.bold for w in others) * 2 < len(others):
        return True
    colours = {w.style.colour for w in words}
    if len(colours) == 1 and not colours & {w.style.colour for w in others}:
        return True
    grounds = [_ground(word, fills) for word in words[:1] + words[-1:]]
    other = _ground(others[0], fills), _ground(others[-1], fills)
    return None not in grounds and grounds[0] == grounds[1] and grounds[0] not in other


def _ground(word: Word, fills: Sequence[Fill]) -> tuple[int, int, int] | None:
    x, y = (word.box.left + word.box.right) / 2, (word.box.top + word.box.bottom) / 2
    last = None
    for box, colour in fills:
        if colour and box.holds(x, y):
            last = colour
    return last if last and min(last) < 250 else None


def _labels_over_values(
    row: Sequence[Sequence[Span]], below: Sequence[Sequence[Sequence[Span]]]
) -> bool:
    """Words or years over columns of figures, or short labels over long texts."""
    texts = [_words(cell) for cells in below for cell in cells[1:] if cell]
    if not texts:
        return False
    for c in range(1, len(row)):
        column = [_is_value(_words(cells[c])) for cells in below if cells[c]]
        if row[c] and len(column) > 1 and sum(column) >= 0.8 * len(column):
            return True
    names = [_words(cell) for cell in row if cell]
    longest = max(len(name.split()) for name in names)
    filled = sum(bool(cell) for cell in row) == len(row)
    return filled and longest <= 4 and sum(len(t.split()) for t in texts) >= 8 * len(texts)


# Tables with level rules alone.


def _stacks(rules: Sequence[Rule]) -> Iterator[list[Rule]]:
    """Two or more level rules of one extent, one under the other."""
    groups: dict[tuple[int, int], list[Rule]] = defaultdict(list)
    for rule in rules:
        key = next(
            (k for k in groups if abs(k[0] - rule.start) <= 8 and abs(k[1] - rule.end) <= 8),
            (round(rule.start), round(rule.end)),
        )
        groups[key].append(rule)
    for group in groups.values():
        if len(group) >= 2 and group[0].end - group[0].start > 100:
            yield sorted(group, key=lambda r: r.at)


def _striped(
    stack: Sequence[Rule], spans: Sequence[Span], fills: Sequence[Fill]
) -> Iterator[Table]:
    """Tables whose rows are parted by level rules and their columns by white.

    Text that goes across between two rules ends one table; another may start under it.
    """
    left, right = stack[0].start - NEAR, stack[0].end + NEAR
    within = [s for s in spans if left <= (s.box.left + s.box.right) / 2 <= right]
    rows: list[list[Span]] = []
    top = stack[0].at
    for low, high in _pairs([rule.at for rule in stack]):
        row = [s for s in within if low <= s.base - 0.3 * s.size < high]
        if row and _goes_across(row, right - left):
            yield from _stripes(rows, top, within, stack, fills)
            rows, top = [], high
        elif row:
            rows.append(row)
    yield from _stripes(rows, top, within, stack, fills)


def _goes_across(row: Sequence[Span], width: float) -> bool:
    """Whether most lines between two rules are running text as wide as the rules."""
    lines = list(rows_of(row))
    wide = sum(len(line) == 1 and line[0].box.width > 0.6 * width for line in lines)
    return wide * 2 > len(lines)


def _stripes(
    rows: list[list[Span]],
    top: float,
    within: Sequence[Span],
    stack: Sequence[Rule],
    fills: Sequence[Fill],
) -> Iterator[Table]:
    above = _row_above(within, top)
    filled = [row for row in [above, *rows] if row]
    inside = [span for row in filled for span in row]
    if _figure_columns(inside):
        table = aligned_table(inside, ())
        if table is not None and isinstance(table.content, Table):
            yield table.content
        return
    lines = list(rows_of(inside))
    gutters = max(_gutters(filled), _gutters(lines), key=len)
    if not gutters or len(filled) < 2:
        return
    filled = [part for row in filled for part in _lines_as_rows(row, gutters)]
    cells = [_in_columns(row, gutters) for row in filled]
    if above and sum(bool(cell) for cell in cells[0]) < 2:
        cells, filled = cells[1:], filled[1:]
    wide = sum(sum(bool(cell) for cell in row) >= 2 for row in cells)
    words = [len(_words(cell).split()) for row in cells for cell in row if cell]
    if len(cells) < 2 or wide < 0.6 * len(cells) or sum(words) / len(words) > WORDIEST_CELL / 2:
        return
    cells = [row for given in cells for row in _split_rows(given)]
    box = union(span.box for row in filled for span in row)
    yield Table(cells, _header_rows(cells, fills), (stack[0].start, *gutters), box)


def _lines_as_rows(row: Sequence[Span], starts: Sequence[float]) -> list[list[Span]]:
    """What stands between two rules as a row for each line, if each line fills its columns."""
    lines = list(rows_of(row))
    full = sum(all(_in_columns(line, starts)) for line in lines)
    return lines if len(lines) >= 2 and full >= 0.8 * len(lines) else [list(row)]


def _pairs(places: Sequence[float]) -> Iterator[tuple[float, float]]:
    return zip(places, places[1:], strict=False)


def _row_above(spans: Sequence[Span], top: float) -> list[Span]:
    """The line of names that stands right above the first rule, if it has two parts or more."""
    near = [s for s in spans if s.box.bottom <= top + 2 and top - s.base < 2.2 * s.size]
    lines = list(rows_of(near))
    return [span for line in lines for span in line] if lines and len(lines[-1]) >= 2 else []


def _gutters(rows: Sequence[Sequence[Span]]) -> list[float]:
    """Where columns begin: places at which spans of most rows start and that hardly any crosses."""
    several = [row for row in rows if len({round(s.box.left / 5) for s in row}) > 1]
    if len(several) < 2:
        return []
    out: list[float] = []
    for edge in sorted({span.box.left for row in several for span in row})[1:]:
        crossing = sum(any(_crosses(span, edge - 4) for span in row) for row in several)
        starting = sum(any(abs(s.box.left - edge) < 6 for s in row) for row in several)
        before = any(s.box.right <= edge - 4 for row in several for s in row)
        apart = not out or edge - out[-1] > 20
        if crossing <= 0.1 * len(several) and starting >= 0.6 * len(several) and before and apart:
            out.append(edge - 4)
    return out


def _crosses(span: Span, at: float) -> bool:
    return span.box.left < at < span.box.right


def _in_columns(row: Sequence[Span], starts: Sequence[float]) -> list[list[Span]]:
    cells: list[list[Span]] = [[] for _ in range(len(starts) + 1)]
    for span in row:
        cells[sum(span.box.left + 1 >= start for start in starts)].append(span)
    return cells


# Tables of figures, with or without rules.


def aligned_table(spans: Sequence[Span], gutters: Sequence[float]) -> Solid | None:
    """Spans in columns as a table, if most of what stands beside the first column are figures."""
    starts = _figure_columns(spans)
    if not starts:
        return _worded_table(spans, gutters)
    columns: list[list[Span]] = [[] for _ in range(len(starts) + 1)]
    for span in spans:
        for part in _parted(span, starts):
            middle = (part.box.left + part.box.right) / 2
            columns[sum(middle >= start for start in starts)].append(part)
    figures = [span for column in columns[1:] for span in column if _is_value(span.text)]
    figured = [row[0].base for row in rows_of(figures)]
    head = _head(columns, figured)
    body = [[span for span in column if id(span) not in head] for column in columns]
    rows = _body_rows(body, figured)
    names = _over_centres(columns, head)
    if any(len(_words(cell).split()) > HEADER_WORDS for cell in names) or len(rows) < 2:
        return None
    cells = ([names] if any(names) else []) + rows
    kept = [c for c in range(len(columns)) if any(row[c] for row in cells)]
    if len(kept) < 2:
        return None
    cells = [[row[c] for c in kept] for row in cells]
    box = union(span.box for span in spans)
    return Solid(Table(cells, 1 if any(names) else 0, (box.left, *starts), box), box)


def _worded_table(spans: Sequence[Span], gutters: Sequence[float]) -> Solid | None:
    """Three columns or more of short texts, of which every line fills all and none goes on."""
    if len(gutters) < 2:
        return None
    rows = [_by_middle(row, gutters) for row in rows_of(spans)]
    cells = [_words(cell) for row in rows for cell in row if cell]
    full = sum(all(row) for row in rows)
    if len(rows) < 3 or full < 0.8 * len(rows):
        return None
    going_on = sum(_words(cell)[:1].islower() for row in rows[1:] for cell in row if cell)
    if going_on > 0.15 * len(cells) or sum(len(c.split()) for c in cells) > 5 * len(cells):
        return None
    box = union(span.box for span in spans)
    edges = (box.left, *gutters)
    return Solid(Table(rows, _header_rows(rows, ()), edges, box), box)


def _by_middle(row: Sequence[Span], gutters: Sequence[float]) -> list[list[Span]]:
    cells: list[list[Span]] = [[] for _ in range(len(gutters) + 1)]
    for span in row:
        middle = (span.box.left + span.box.right) / 2
        cells[sum(middle >= gutter for gutter in gutters)].append(span)
    return cells


def _over_centres(columns: Sequence[Sequence[Span]], head: set[int]) -> list[list[Span]]:
    """The names over each column: those over figures go to the figures whose middle is nearest."""
    names: list[list[Span]] = [[s for s in columns[0] if id(s) in head]]
    names.extend([] for _ in columns[1:])
    centres = []
    for column in columns[1:]:
        box = union(s.box for s in column if id(s) not in head or len(column) == 1)
        centres.append((box.left + box.right) / 2)
    for span in (s for column in columns[1:] for s in column if id(s) in head):
        names[1 + _nearest(centres, (span.box.left + span.box.right) / 2)].append(span)
    return names


def _figure_columns(spans: Sequence[Span]) -> list[float]:
    """Where columns of figures begin, from left to right; none if most spans beside are words."""
    values = [span for span in spans if _is_value(span.text)]
    columns: list[list[Span]] = []
    for span in sorted(values, key=lambda s: s.box.left):
        if columns and span.box.left < max(s.box.right for s in columns[-1]):
            columns[-1].append(span)
        else:
            columns.append([span])
    columns = [column for column in columns if len(column) >= 2]
    fewest = 2 if len(columns) >= 3 else 3
    columns = [column for column in columns if len(column) >= fewest]
    if not columns:
        return []
    bases = sorted(span.base for column in columns for span in column)
    labels = [s for s in spans if not _is_value(s.text) and bases[0] - 3 <= s.base <= bases[-1] + 3]
    starts = []
    for column in columns:
        left = min(span.box.left for span in column)
        before = [s.box.right for s in (*labels, *values) if s.box.right <= left]
        if not before:
            continue  # figures at the very left are the rows' labels
        starts.append((max(before) + left) / 2)
    beside = [s for s in labels if starts and (s.box.left + s.box.right) / 2 > starts[0]]
    return starts if len(beside) <= 0.35 * sum(map(len, columns)) else []


def _parted(span: Span, starts: Sequence[float]) -> list[Span]:
    """A span cut where a column starts in the white between two of its words."""
    parts: list[list[Word]] = [[]]
    for before, word in zip(span.words[:1] + span.words, span.words, strict=False):
        wide = word.box.left - before.box.right >= 0.4 * span.size
        cut = wide and any(before.box.right - 3 <= s <= word.box.left + 3 for s in starts)
        if cut:
            parts.append([])
        parts[-1].append(word)
    return [span] if len(parts) == 1 else [s for part in parts for s in spans_of(part)]


def _head(columns: Sequence[Sequence[Span]], figured: Sequence[float]) -> set[int]:
    """The spans over the figures that name the columns, and the label column's beside them."""
    over = [
        span
        for column in columns[1:]
        for span in column
        if span.base < figured[0] - 0.3 * span.size
    ]
    first = [s for column in columns[1:] for s in column if abs(s.base - figured[0]) < 3]
    years = sum(bool(YEAR.fullmatch(span.text)) for span in first)
    figures = sum(_is_value(span.text) for span in first)
    if years == figures and years > 1 and len(figured) > 1:
        over = [s for column in columns[1:] for s in column if s.base < figured[1] - 0.3 * s.size]
    if not over:
        return set()
    lowest = max(span.base for span in over)
    beside = [span for span in columns[0] if span.base <= lowest + 1]
    return {id(span) for span in (*over, *beside)}


def _body_rows(
    columns: Sequence[Sequence[Span]], figured: Sequence[float]
) -> list[list[list[Span]]]:
    """A row for each line of figures, the label's lines put to the row that they belong to."""
    places = [base for base in figured if any(_stands(s, base) for c in columns[1:] for s in c)]
    if not places:
        return []
    rows: list[list[list[Span]]] = [[[] for _ in columns] for _ in places]
    for c, column in enumerate(columns[1:], 1):
        for span in column:
            rows[_nearest(places, span.base)][c].append(span)
    lines = list(rows_of(columns[0]))
    labels = _labels(columns[0])
    if len(labels) == len(places):
        # As many labels as rows: they belong together in order, wherever the figures are set.
        for row, label in zip(rows, labels, strict=True):
            row[0] = [span for line in label for span in line]
        return rows
    for line in lines:
        rows[_nearest(places, line[0].base)][0].extend(line)
    return rows


def _stands(span: Span, base: float) -> bool:
    return abs(span.base - base) <= 0.5 * span.size


def _nearest(places: Sequence[float], at: float) -> int:
    return min(range(len(places)), key=lambda i: abs(places[i] - at))
