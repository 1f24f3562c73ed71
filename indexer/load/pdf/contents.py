"""Contents pages: lines of a name and a page number, kept in the text but never an answer."""

import re
from collections.abc import Sequence

from indexer.load.pdf.layout import Solid, Span, rows_of
from indexer.load.pdf.paragraphs import LED, Paragraph

TITLE = re.compile(r"(?:table of )?contents(?: page)?:?", re.IGNORECASE)
NUMBER = re.compile(
    r"(?:page )?(?:\d{1,3}(?:\s?[-–]\s?\d{1,3})?|[ivx]{1,5}(?:, [ivx]{1,5})?)", re.IGNORECASE
)
NUMBERED = re.compile(rf"(?:^|.*[\s.…]){NUMBER.pattern}$", re.IGNORECASE)
CHAPTER = re.compile(r"\d{1,2}(?:\.\d{1,2}){0,3}\.?")
FEWEST = 3


def is_contents(spans: Sequence[Span]) -> bool:
    """Whether a page lists contents: by its title and page numbers, or by leaders alone."""
    led = sum(bool(LED.search(span.text)) for span in spans)
    if led >= FEWEST:
        return True
    if not any(TITLE.fullmatch(span.text) for span in spans):
        return False
    return sum(bool(NUMBERED.fullmatch(span.text)) for span in spans) >= FEWEST


def with_numbers(spans: Sequence[Span]) -> list[Span]:
    """The spans of a contents page, page numbers put to the names on their left."""
    out: list[Span] = []
    for row in rows_of(spans):
        held = row[0]
        for span in row[1:]:
            number = NUMBER.fullmatch(span.text) and not NUMBERED.fullmatch(held.text)
            if number or CHAPTER.fullmatch(held.text):
                held = Span(held.words + span.words, held.base, held.size, held.box.with_(span.box))
                continue
            out.append(held)
            held = span
        out.append(held)
    return out


def no_table(spans: Sequence[Span], gutters: Sequence[float]) -> Solid | None:
    """No table, whatever the alignment: names and page numbers are none."""
    return None


def mark(parts: Sequence[Paragraph]) -> None:
    """Marks the contents lines among a page's paragraphs, and their title."""
    led = [bool(LED.search(p.text)) for p in parts]
    title = next((i for i, p in enumerate(parts) if TITLE.fullmatch(p.text)), None)
    for paragraph, leads in zip(parts, led, strict=True):
        paragraph.contents = leads
    if title is None:
        return
    after = title + 1
    listed = [bool(NUMBERED.fullmatch(p.text)) for p in parts]
    last = max((i for i, line in enumerate(listed) if line and i >= after), default=None)
    if last is None or sum(listed[after : last + 1]) * 2 < last + 1 - after:
        return
    parts[title].contents = True
    for i in range(after, last + 1):
        # A name may take two lines, the number standing on the second.
        wrapped = listed[min(i + 1, last)] and parts[i].style == parts[min(i + 1, last)].style
        parts[i].contents = listed[i] or wrapped
