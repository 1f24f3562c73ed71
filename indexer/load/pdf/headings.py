"""Which paragraphs are headings, and of what level: by the outline, or by how they are set."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice

import pypdfium2

from indexer.load.pdf.layout import ENUMERATOR
from indexer.load.pdf.paragraphs import CLOSING, Paragraph

BIGGER = 1.12
LONGEST_HEADING = 24
LONGEST_BOLD = 16
MOST_LINES = 4
DEEPEST = 6
MOST_ENTRIES = 5000
Outline = Mapping[tuple[int, str], int]
"""Level by page and words in small letters."""


def outline_of(document: "pypdfium2.PdfDocument") -> dict[tuple[int, str], int]:
    """The entries of a document's outline that lead to a page, with their level."""
    out: dict[tuple[int, str], int] = {}
    for entry in islice(document.get_toc(max_depth=DEEPEST), MOST_ENTRIES):
        target = entry.get_dest()
        index = target.get_index() if target is not None else None
        if index is not None:
            out.setdefault((index + 1, key_of(entry.get_title())), entry.level + 1)
    return out


def mark_headings(parts: Sequence[Paragraph], outline: Outline) -> None:
    """Gives every heading among a document's paragraphs its level, 1 the highest."""
    body = body_size(parts)
    found = [p for p in parts if _looks_like_heading(p, body) or _outlined(p, outline)]
    ranks = _ranks(found)
    for paragraph in found:
        told = _outlined(paragraph, outline)
        paragraph.heading = told or ranks[_rank_key(paragraph)]
        paragraph.item = False


def body_size(parts: Sequence[Paragraph]) -> float:
    """The size that most characters are set in."""
    sizes: Counter[float] = Counter()
    for paragraph in parts:
        for line in paragraph.lines:
            sizes[round(line.size * 2) / 2] += sum(len(word.text) for word in line.words)
    return sizes.most_common(1)[0][0] if sizes else 10.0


def _outlined(paragraph: Paragraph, outline: Outline) -> int:
    if not outline:
        return 0
    return outline.get((paragraph.page, key_of(paragraph.text)), 0)


def key_of(text: str) -> str:
    """Letters and digits of a text alone, to compare it by."""
    return "".join(c for c in text.casefold() if c.isalnum())


def _looks_like_heading(paragraph: Paragraph, body: float) -> bool:
    if len(paragraph.lines) > MOST_LINES:
        return False
    text = paragraph.text
    words = text.split()
    if not any(c.isalpha() for c in text):
        return False
    ends = text.rstrip(CLOSING)[-1:]
    size = max(line.size for line in paragraph.lines)
    if paragraph.item and not _numbered(paragraph):
        return False
    starts = words[0].lstrip("“\"'‘(*")[:1]
    if starts.islower():
        return False
    if size >= BIGGER * body:
        return len(words) <= LONGEST_HEADING and (ends not in ".;," or size >= 1.5 * body)
    if not paragraph.bold or ends in ".;,":
        return False
    return len(words) <= LONGEST_BOLD and size >= 0.9 * body


def _numbered(paragraph: Paragraph) -> bool:
    """Whether a list item's mark is the number of a heading: all of it bold or large."""
    return bool(ENUMERATOR.fullmatch(paragraph.lines[0].words[0].text)) and paragraph.bold


def _rank_key(paragraph: Paragraph) -> tuple[float, bool, bool]:
    size = max(line.size for line in paragraph.lines)
    letters = [c for c in paragraph.text if c.isalpha()]
    capitals = sum(c.isupper() for c in letters) > 0.8 * len(letters)
    return (round(size), paragraph.bold, capitals)


def _ranks(found: Sequence[Paragraph]) -> dict[tuple[float, bool, bool], int]:
    """Levels for ways of setting: the bigger, bolder and more capital the higher.

    Sizes less than a tenth apart are one level, so that a chance size shifts no other.
    """
    keys = sorted({_rank_key(p) for p in found}, reverse=True)
    ranks: dict[tuple[float, bool, bool], int] = {}
    level, before = 0, None
    for key in keys:
        if before is None or before[0] > 1.1 * key[0] or before[1:] != key[1:]:
            level += 1
            before = key
        ranks[key] = level
    if level > DEEPEST:
        # More ways of setting than levels: the biggest, which are covers and slogans, share one.
        ranks = {key: max(1, rank - (level - DEEPEST)) for key, rank in ranks.items()}
    return ranks
