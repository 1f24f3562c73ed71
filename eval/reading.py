"""`icsearch eval reading`: how faithfully documents are read, against plain pypdf as yardstick.

The documents are made here from known words, so the truth is exact. A paragraph counts as found if
its words stand together, spacing aside; in order, if it starts after the one before; on its page,
if the canonical text puts it on the page it was drawn on. A cell counts with its column's header.
"""

import io
import json
import re
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from corpus.model import Document, Reading
from eval import making
from eval.making import Made
from indexer.isolate import read_isolated

PARAGRAPHS = 400
TABLE_ROWS = 120


@dataclass(frozen=True, slots=True)
class Score:
    """Shares from 0 to 1, None where a layout has no such thing; and pages per CPU second."""

    layout: str
    reader: str
    paragraphs: float | None
    order: float | None
    pages: float | None
    cells: float | None
    words: float | None
    pages_per_second: float


MEASURES = ("paragraphs", "order", "pages", "cells", "words", "pages_per_second")
LAYOUTS: dict[str, Callable[[list[str]], Made]] = {
    "single column": lambda t: making.pdf_single_column(t, hyphenated=True),
    "two columns": lambda t: making.pdf_columns(t, hyphenated=True),
    "columns drawn row by row": lambda t: making.pdf_columns(t, row_drawn=True),
    "three columns row by row": lambda t: making.pdf_columns(t, 3, row_drawn=True),
    "two-page spread": making.pdf_spread,
    "broken over pages": making.pdf_broken_over_pages,
    "pack with stamps": making.pdf_with_stamps,
    "table, ruled": lambda t: making.pdf_table(making.table_rows(TABLE_ROWS), ruled="grid"),
    "table, split rows": lambda t: making.pdf_table(
        making.table_rows(TABLE_ROWS), repeat_header=True, split_rows=True
    ),
    "scan": lambda t: making.pdf_scan(t[:6]),
}


def measure() -> list[Score]:
    """Scores of our reader and of plain pypdf on every layout."""
    texts = making.paragraphs(PARAGRAPHS)
    out = []
    for layout, make in LAYOUTS.items():
        made = make(texts)
        out.append(_ours(layout, made))
        out.append(_plain(layout, made))
    return out


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def reading(as_json: bool) -> None:
    """Measure how faithfully documents are read."""
    scores = measure()
    if as_json:
        click.echo(json.dumps([asdict(s) for s in scores], indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Reading, shares of 1; pages per CPU second")
    for column in ("Layout", "Reader", *MEASURES):
        table.add_column(
            column.replace("_", " "), justify="left" if column == "Layout" else "right"
        )
    for s in scores:
        values = [getattr(s, name) for name in MEASURES]
        table.add_row(s.layout, s.reader, *["" if v is None else f"{v:g}" for v in values])
    Console(highlight=False).print(table)


def _flat(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _share(hits: Sequence[bool]) -> float | None:
    return round(sum(hits) / len(hits), 4) if hits else None


def _ours(layout: str, made: Made) -> Score:
    document = Document(id="made", system="made", title="Made", file="made.pdf", sha256="0")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.pdf"
        path.write_bytes(made.content)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        (reading,) = read_isolated(path, [document])
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    flat, places = _places(reading)
    starts = [flat.find(_flat(text)) for _, text in made.paragraphs]
    on_page = []
    for (page, text), start in zip(made.paragraphs, starts, strict=True):
        if start >= 0:
            first, last = places[start], places[start + len(_flat(text)) - 1] + 1
            on_page.append(page in [p.file_page for p in reading.pages_of(first, last)])
    cells = {
        (c.header, _flat(reading.text[c.start : c.end])) for s in reading.sections for c in s.cells
    }
    wanted = [
        (header, _flat(cell))
        for row in made.rows
        for header, cell in zip(made.header, row, strict=True)
    ]
    return Score(
        layout,
        "icsearch",
        paragraphs=_share([s >= 0 for s in starts]),
        order=_order(starts),
        pages=_share(on_page),
        cells=_share([w in cells for w in wanted]),
        words=_words(made, reading.text),
        pages_per_second=round(len(reading.pages) / max(seconds, 1e-6), 1),
    )


def _places(reading: Reading) -> tuple[str, list[int]]:
    """The text without spaces, and where each of its characters stood."""
    places = [i for i, c in enumerate(reading.text) if not c.isspace()]
    return "".join(reading.text[i] for i in places), places


def _order(starts: Sequence[int]) -> float | None:
    found = [s for s in starts if s >= 0]
    return _share([a < b for a, b in zip(found, found[1:], strict=False)])


def _words(made: Made, text: str) -> float | None:
    """Share of the made paragraphs' words that were read."""
    wanted = Counter(w for _, t in made.paragraphs for w in re.findall(r"\w+", t))
    missed = wanted - Counter(re.findall(r"\w+", text))
    return round(1 - missed.total() / wanted.total(), 4) if wanted else None


def _plain(layout: str, made: Made) -> Score:
    from pypdf import PdfReader

    started = time.process_time()
    reader = PdfReader(io.BytesIO(made.content))
    texts = [_flat(page.extract_text()) for page in reader.pages]
    seconds = time.process_time() - started
    whole = "".join(texts)
    starts = [whole.find(_flat(text)) for _, text in made.paragraphs]
    on_page = [
        _flat(text) in texts[page - 1]
        for (page, text), start in zip(made.paragraphs, starts, strict=True)
        if start >= 0
    ]
    return Score(
        layout,
        "plain pypdf",
        paragraphs=_share([s >= 0 for s in starts]),
        order=_order(starts),
        pages=_share(on_page),
        cells=0.0 if made.rows else None,
        words=_words(made, " ".join(page.extract_text() for page in reader.pages)),
        pages_per_second=round(len(texts) / max(seconds, 1e-6), 1),
    )
