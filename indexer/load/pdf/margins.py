"""What frames the pages: running heads and feet, page numbers and the stamps of a council's pack.

Recognised by repetition and place: the same words, numbers aside, at the same height of at least
three pages, near an edge, and apart from the running text. A number counts as the page's own if it
goes up with the pages.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from indexer.load.pdf.layout import Span
from indexer.normalise import one_line
from indexer.stamps import AGENDA, STAMP_LINE

TOP, BOTTOM = 0.125, 0.875
OUTERMOST = 0.07
NUMBERS = 0.2
"""How far from the edge a page number may stand that nothing else stands beside."""
SAME_HEIGHT = 4.0
FEWEST = 3
DIGITS = re.compile(r"\d+")
ROMAN = re.compile(r"[ivxl]{1,7}", re.IGNORECASE)
LONGEST = 25
CLOSE_LINES = 1.5
"""How many type sizes one line of running text is below the last, at most."""
TITLE_SIZE = 1.25
MOSTLY = 0.8


@dataclass(slots=True)
class Framed:
    """A page's spans and how it is framed.

    Args:
        chrome: texts of the spans that were taken out.
        label: the number printed on the page.
        stamp: the number that a pack stamped on it; `inferred` from the pages around it.
    """

    number: int
    height: float
    spans: list[Span]
    chrome: list[str] = field(default_factory=list)
    label: str | None = None
    stamp: int | None = None
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class _Mark:
    """A span near an edge."""

    page: int
    span: Span
    text: str
    top: bool
    outermost: bool


def take_out(pages: Sequence[Framed], body_size: float) -> None:
    """Moves the frame of every page from its spans to its chrome, label and stamp."""
    marks = [mark for page in pages for mark in _marks(page)]
    by_page = {page.number: page for page in pages}
    taken: dict[int, set[int]] = defaultdict(set)
    _stamps(marks, by_page, taken)
    groups = [group for group in _repeated(marks, len(pages)) if group]
    framing = {id(mark.span) for group in groups for mark in group}
    for group in groups:
        offset = _offset(group)
        if offset is None and _runs_on(group, by_page, framing):
            continue
        kept = _kept_titles(group, len(pages), body_size) if offset is None else set()
        for mark in group:
            if id(mark.span) in taken[mark.page] or mark.page in kept:
                continue
            page = by_page[mark.page]
            number = _number(mark.text, offset, mark.page) if offset is not None else None
            if number is not None:
                page.label = page.label or number
            taken[mark.page].add(id(mark.span))
            page.chrome.append(mark.text)
    for page in pages:
        gone = taken[page.number]
        page.spans = [span for span in page.spans if id(span) not in gone]


def _marks(page: Framed) -> list[_Mark]:
    out = []
    for span in page.spans:
        middle = (span.box.top + span.box.bottom) / 2 / page.height
        number = len(span.words) == 1 and len(span.words[0].text) <= 5 and _shape(span.text) == "#"
        top, bottom = (NUMBERS, 1 - NUMBERS) if number else (TOP, BOTTOM)
        if (middle < top or middle > bottom) and len(span.words) <= LONGEST:
            edge = middle < OUTERMOST or middle > 1 - OUTERMOST
            out.append(_Mark(page.number, span, one_line(span.text), middle < 0.5, edge))
    return [mark for mark in out if mark.text]


def _repeated(marks: Sequence[_Mark], pages: int) -> list[list[_Mark]]:
    """Groups of marks that say the same at the same height of enough pages."""
    by_text: dict[tuple[bool, str], list[_Mark]] = defaultdict(list)
    for mark in marks:
        by_text[mark.top, _shape(mark.text)].append(mark)
    out = [_numbers(by_text.pop((top, "#"), []), pages) for top in (True, False)]
    for (_, shape), found in by_text.items():
        for group in _by_height(found):
            if "#" in shape and _offset(group) is None:
                # Numbers that do not go with the pages are part of what is said: "Priority 3".
                exact: dict[str, list[_Mark]] = defaultdict(list)
                for mark in group:
                    exact[mark.text].append(mark)
                wordy = [same for text, same in exact.items() if not DIGITS.fullmatch(text)]
                out.extend(same for same in wordy if _enough(same, pages))
            elif _enough(group, pages):
                out.append(group)
    return out


def _runs_on(group: Sequence[_Mark], pages: dict[int, Framed], framing: set[int]) -> bool:
    """Whether what repeats is mostly a line of running text: no frame, then.

    The text beside it is of its size and style and a line's height away, where a frame stands off.
    """

    def next_line(mark: _Mark) -> bool:
        span = mark.span
        for other in pages[mark.page].spans:
            away = abs(other.base - span.base)
            if (
                0.5 * span.size < away <= CLOSE_LINES * span.size
                and abs(other.box.left - span.box.left) < 1.0
                and other.words[0].style == span.words[0].style
                and id(other) not in framing
            ):
                return True
        return False

    return sum(map(next_line, group)) * 2 > len(group)


def _shape(text: str) -> str:
    return "#" if ROMAN.fullmatch(text) else DIGITS.sub("#", text.casefold())


def _numbers(marks: Sequence[_Mark], pages: int) -> list[_Mark]:
    """The page numbers among bare numbers at any height: those that go up with the pages."""
    offsets = Counter(value - mark.page for mark in marks for value in _values(mark))
    if not offsets:
        return []
    offset, count = offsets.most_common(1)[0]
    found = [mark for mark in marks if offset in {value - mark.page for value in _values(mark)}]
    enough = count * 10 >= 4 * pages or count * 10 >= 6 * len(marks)
    romans = [m for m in marks if ROMAN.fullmatch(m.text) and m not in found]
    steady = {_values(m)[0] - m.page for m in romans}
    found += romans if len(steady) == 1 and len(romans) > 1 else []
    return found if _enough(found, pages) and enough else []


def _by_height(marks: Sequence[_Mark]) -> list[list[_Mark]]:
    out: list[list[_Mark]] = []
    for mark in sorted(marks, key=lambda m: m.span.base):
        if out and mark.span.base - out[-1][-1].span.base <= SAME_HEIGHT:
            out[-1].append(mark)
        else:
            out.append([mark])
    return out


def _enough(group: Sequence[_Mark], pages: int) -> bool:
    found = len({mark.page for mark in group})
    if pages >= FEWEST:
        return found >= FEWEST
    return pages == 2 and found == 2 and all(mark.outermost for mark in group)


def _values(mark: _Mark) -> list[int]:
    if ROMAN.fullmatch(mark.text):
        return [_roman(mark.text)]
    return [int(digits) for digits in DIGITS.findall(mark.text) if len(digits) < 5]


def _offset(group: Sequence[_Mark]) -> int | None:
    """By how much the numbers in a group's marks exceed their page's place, if they go along."""
    offsets: Counter[int] = Counter()
    for mark in group:
        offsets.update({value - mark.page for value in _values(mark)})
    if not offsets:
        return None
    offset, count = offsets.most_common(1)[0]
    return offset if count >= 2 and count * 10 >= 6 * len(group) else None


def _number(text: str, offset: int, page: int) -> str | None:
    if ROMAN.fullmatch(text):
        return text
    found = (digits for digits in DIGITS.findall(text) if int(digits) == page + offset)
    return next(found, None)


def _roman(text: str) -> int:
    values = [{"i": 1, "v": 5, "x": 10, "l": 50}[letter] for letter in text.lower()]
    following = [*values[1:], 0]
    return sum(-a if a < b else a for a, b in zip(values, following, strict=True))


def _kept_titles(group: Sequence[_Mark], pages: int, body_size: float) -> set[int]:
    """The first page of a title that stands over a run of pages: there it is a heading."""
    span = group[0].span
    big = span.size >= TITLE_SIZE * body_size or all(word.style.bold for word in span.words)
    found = sorted({mark.page for mark in group})
    if not big or not group[0].top or len(found) * 2 > pages:
        return set()
    return {page for page, before in zip(found, [-1, *found], strict=False) if page - before > 2}


def _fill_stamps(pages: Sequence[Framed], offset: int) -> None:
    """Numbers pages that bear no stamp by those that do: between them, or all if few are bare."""
    stamped = [page.number for page in pages if page.stamp is not None]
    first, last = stamped[0], stamped[-1]
    if len(stamped) >= MOSTLY * len(pages):
        first, last = pages[0].number, pages[-1].number
    for page in pages:
        if page.stamp is None and first <= page.number <= last:
            page.stamp = page.number + offset
            page.inferred = True


def _stamps(marks: Sequence[_Mark], pages: dict[int, Framed], taken: dict[int, set[int]]) -> None:
    """Takes out "Page 79" and "Agenda Item 5" where they are a pack's and not the paper's own."""
    agenda = [mark for mark in marks if AGENDA.fullmatch(mark.text)]
    numbered = [(m, int(f[1])) for m in marks if (f := STAMP_LINE.fullmatch(m.text))]
    offsets = Counter(number - mark.page for mark, number in numbered)
    if not offsets:
        return
    offset, count = offsets.most_common(1)[0]
    if count < min(FEWEST, len(pages)) or offset < 0 or (offset == 0 and not agenda):
        return
    for mark, number in numbered:
        if number - mark.page == offset:
            pages[mark.page].stamp = number
            pages[mark.page].chrome.append(mark.text)
            taken[mark.page].add(id(mark.span))
    _fill_stamps(list(pages.values()), offset)
    for mark in agenda:
        pages[mark.page].chrome.append(mark.text)
        taken[mark.page].add(id(mark.span))
