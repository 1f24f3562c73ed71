"""Sections of a reading into passages: what is indexed, found and shown.

A table row is a passage of its own. Paragraphs and list items under one heading are put together
up to a comfortable length, with the heading above them; what is longer is parted at sentences.
Every passage is one range of the canonical text.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from langchain_text_splitters import RecursiveCharacterTextSplitter

from corpus.model import Document, Form, Passage, Reading, Section

TARGET_WORDS = 110
MOST_WORDS = 170
MOST_CHARACTERS = 8_000
TINY_WORDS = 30
STATING_WORDS = 5
CONTEXT_PIECES = 56


@dataclass(frozen=True, slots=True)
class Span:
    """A range that becomes a passage, with the sections in it."""

    sections: tuple[Section, ...]
    form: Form
    heading: tuple[str, ...]

    @property
    def start(self) -> int:
        """Where it starts."""
        return self.sections[0].start

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.sections[-1].end


def split(
    document: Document,
    reading: Reading,
    count_pieces: Callable[[str], int],
    most_pieces: int,
) -> list[Passage]:
    """The passages of a document, in order, covering its text apart from contents and blank lines.

    Args:
        count_pieces: how many word pieces the embedding model makes of a text.
        most_pieces: the most that the model reads; room for context is kept.
    """
    budget = max(32, most_pieces - CONTEXT_PIECES)
    passages = []
    for span in _spans(reading):
        for start, end in _parted(reading.text, span, count_pieces, budget):
            # A word without an end is one piece to the model, but too much to show as a passage.
            for first in range(start, end, MOST_CHARACTERS):
                last = min(first + MOST_CHARACTERS, end)
                passages.append(_passage(document, reading, span, first, last))
    return passages


def _words(text: str) -> int:
    return len(text.split())


def _spans(reading: Reading) -> Iterator[Span]:
    held: list[Section] = []
    heading: tuple[str, ...] = ()

    def size(sections: Sequence[Section]) -> int:
        return sum(_words(reading.text[s.start : s.end]) for s in sections)

    def close() -> Iterator[Span]:
        nonlocal held
        if held:
            yield _span(held, heading)
            held = []

    for section in reading.sections:
        if section.form == "heading" and section.level == 0:
            continue
        if section.form == "contents":
            yield from close()
            yield Span((section,), "contents", section.heading)
            continue
        path = section.heading
        if section.form == "heading":
            path = (*section.heading, reading.text[section.start : section.end])
            bare = all(s.form == "heading" for s in held)
            headed = bool(held) and held[0].form == "heading"
            small = headed and size(held) < TINY_WORDS and section.level > 1
            if held and not bare and not small:
                yield from close()
            elif bare and held and section.level <= held[-1].level and size(held) >= STATING_WORDS:
                yield from close()
            if not held:
                heading = path
            held.append(section)
            continue
        if section.form == "table_row" and section.cells and any(c.header for c in section.cells):
            lead = held if all(s.form == "heading" for s in held) else []
            if not lead:
                yield from close()
            yield Span((*lead, section), "table_row", section.heading)
            held = []
            continue
        if held and not all(s.form == "heading" for s in held):
            more = _words(reading.text[section.start : section.end])
            grown = size(held) + more
            leads_list = reading.text[held[-1].start : held[-1].end].endswith(":")
            full = size(held) >= TARGET_WORDS and not leads_list and more > TINY_WORDS
            if grown > MOST_WORDS or full or path[: len(heading)] != heading[: len(path)]:
                yield from close()
        if not held or all(s.form == "heading" for s in held):
            heading = path
        held.append(section)
    yield from close()


def _span(sections: Sequence[Section], heading: tuple[str, ...]) -> Span:
    bodies = [s for s in sections if s.form != "heading"]
    if not bodies:
        return Span(tuple(sections), "heading", heading)
    forms = {s.form for s in bodies}
    form: Form = "prose" if len(forms) > 1 else bodies[0].form
    return Span(tuple(sections), form, heading)


def _parted(
    text: str, span: Span, count_pieces: Callable[[str], int], budget: int
) -> Iterator[tuple[int, int]]:
    """The span's range, or several where it is too long for the model."""
    whole = text[span.start : span.end]
    if count_pieces(whole) <= budget:
        yield span.start, span.end
        return
    splitter = RecursiveCharacterTextSplitter(
        chunk_size=budget,
        chunk_overlap=0,
        length_function=count_pieces,
        separators=["\n\n", "\n", ". ", "; ", ", ", " ", ""],
        keep_separator="end",
        add_start_index=True,
        strip_whitespace=True,
    )
    for piece in splitter.create_documents([whole]):
        start = span.start + int(piece.metadata["start_index"])
        yield start, start + len(piece.page_content)


def _passage(document: Document, reading: Reading, span: Span, start: int, end: int) -> Passage:
    pages = reading.pages_of(start, end)
    labels = [page.label for page in pages if page.label]
    files = [page.file_page for page in pages if page.file_page is not None]
    row = span.sections[-1] if span.form == "table_row" else None
    cells = tuple(c for c in row.cells if start <= c.start and c.end <= end) if row else ()
    passage = Passage(
        id=f"{document.id}.{start}-{end}",
        text=reading.text[start:end],
        system=document.system,
        document_id=document.id,
        document_title=document.title,
        form=span.form,
        heading=span.heading,
        pages=tuple(page.number for page in pages),
        page_label="–".join(dict.fromkeys((labels[0], labels[-1]))) if labels else None,
        page_inferred=any(page.inferred for page in pages),
        file_page=files[0] if files else None,
        start=start,
        end=end,
        cells=cells,
    )
    return replace(passage, heading=tuple(dict.fromkeys(passage.heading)))


def embedded_text(passage: Passage, base: int) -> str:
    """What is embedded of a passage: a row as "Objective: … Impact: …", all else as it stands.

    Args:
        base: where the passage's text starts in the canonical text, to place its cells.
    """
    if not passage.cells:
        return passage.text
    parts = []
    lead = passage.text[: passage.cells[0].start - base].strip()
    if lead:
        parts.append(lead)
    for cell in passage.cells:
        words = passage.text[cell.start - base : cell.end - base]
        parts.append(f"{cell.header}: {words}" if cell.header else words)
    return "\n".join(parts)


def context(passage: Passage, system_name: str) -> str:
    """The line of context embedded before a passage: whose, from what, under which headings."""
    return " – ".join([system_name, passage.document_title, *passage.heading])
