"""What is fuzzed: each target takes any bytes and must end in a result or in one of our errors.

Whatever else it raises is a finding. What a finding was made of is kept in `corpus`, by target, and
tried again by tests/test_fuzz.py.
"""

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from corpus.errors import DocumentError, QueryError
from corpus.model import Document, Passage, Reading
from eval import making
from indexer.assemble import assemble
from indexer.blocks import Loaded
from indexer.load import decoded, docx, html, markdown, pdf, pptx, text
from indexer.load.limits import Limits
from indexer.split import split

LIMITS = Limits(pages=50, unpacked_mb=20, ocr_seconds=0)
NAME = Path("made.bin")
SLOW = 10.0
"""Seconds of processor time from which on an input is a finding, too."""
REFUSALS = (DocumentError, RecursionError, MemoryError)
"""What the isolated child turns into one sentence."""

Target = Callable[[bytes], None]


def check_reading(reading: Reading) -> list[Passage]:
    """The passages of a reading, each range and order of it checked."""
    before = 0
    for section in reading.sections:
        assert before <= section.start <= section.end <= len(reading.text)
        assert all(section.start <= c.start <= c.end <= section.end for c in section.cells)
        before = section.end
    for page in reading.pages:
        assert 0 <= page.start <= page.end <= len(reading.text)
    document = Document(id="made", system="s", title="Made", file=NAME.name, sha256="")
    passages = split(document, reading, lambda words: len(words.split()), 200)
    for passage in passages:
        assert reading.text[passage.start : passage.end] == passage.text
    return passages


def _loader(load: Callable[[bytes], Loaded]) -> Target:
    def target(data: bytes) -> None:
        try:
            loaded = load(data)
            document = Document(id="made", system="s", title="Made", file=NAME.name, sha256="")
            (reading,) = assemble(loaded.named("made"), [document])
        except REFUSALS:
            return
        check_reading(reading)

    return target


PARTS = {"docx": "word/document.xml", "pptx": "ppt/slides/slide1.xml"}


@cache
def package(kind: str) -> bytes:
    """A plain file of a zipped format."""
    if kind == "docx":
        return making.docx_table(making.table_rows(2)).content
    return making.pptx_shapes().content


def packed(kind: str, data: bytes) -> bytes:
    """A whole package as it is; anything else as the one part of it that holds the words."""
    whole = data.startswith(b"PK")
    return data if whole else making.with_part(package(kind), PARTS[kind], data)


def question(data: bytes) -> None:
    """Any text as a question: understood, or refused in a sentence."""
    words = data.decode(errors="replace")
    reader = understander()
    try:
        understood = reader.understand(words, "sefton")
    except QueryError:
        return
    known = set(reader.systems)
    assert understood.subject.strip()
    assert set(understood.systems) | set(understood.excluded_systems) <= known


@cache
def understander() -> "Reader":
    """The reader of questions of the test index."""
    from indexer.settings import CHECKOUT
    from search_api.searcher import open_searcher
    from search_api.settings import SearchSettings

    return Reader(open_searcher(SearchSettings(index=str(CHECKOUT / ".index-test"))).store)


class Reader:
    """An Understander, and the systems it may name."""

    def __init__(self, store: object) -> None:
        from search_api.understand import Understander

        self.systems = tuple(store.systems)  # type: ignore[attr-defined]
        self.understand = Understander(store).understand  # type: ignore[arg-type]


TARGETS: dict[str, Target] = {
    "question": question,
    "text": _loader(lambda data: text.load(decoded(data, NAME)[0])),
    "markdown": _loader(lambda data: markdown.load(decoded(data, NAME)[0])),
    "html": _loader(lambda data: html.load(data, NAME.name, LIMITS)),
    "docx": _loader(lambda data: docx.load(packed("docx", data), NAME.name, LIMITS)),
    "pptx": _loader(lambda data: pptx.load(packed("pptx", data), NAME.name, LIMITS)),
    "pdf": _loader(lambda data: pdf.load(data, NAME.name, LIMITS)),
}


def tried(name: str, data: bytes) -> None:
    """One input on one target; slow is as bad as wrong."""
    began = time.process_time()
    TARGETS[name](data)
    spent = time.process_time() - began
    assert spent < SLOW, f"{len(data)} bytes took {spent:.0f} seconds"
