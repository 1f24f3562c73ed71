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
from indexer.normalise import normalise
from indexer.statements import sentences

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


@dataclass(frozen=True, slots=True)
class Twins:
    """How many sentences of a plain document stand in its designed twin, and which do not."""

    sentences: int
    found: int
    found_by_plain_pypdfium2: int
    missing: tuple[str, ...]


def twins(plain: Path, designed: Path) -> Twins:
    """Look for the prose sentences of eight words or more of one document in another.

    Spacing, hyphens, punctuation and case are put aside. Contents pages and running heads are not
    prose. The yardstick is the text of the designed file's pages by pypdfium2, one after the other.

    Raises:
        DocumentError: a file cannot be read.
    """
    import pypdfium2

    ours, theirs = (_read(path) for path in (plain, designed))
    found_in = _letters(theirs.text)
    with pypdfium2.PdfDocument(designed) as pages:
        drawn = _letters(" ".join(page.get_textpage().get_text_range() for page in pages))
    asked = []
    for section in ours.sections:
        text = ours.text[section.start : section.end]
        if section.form in ("prose", "list_item"):
            asked += [text[a:b] for a, b in sentences(text) if len(text[a:b].split()) >= 8]
    missing = tuple(" ".join(a.split()) for a in asked if _letters(a) not in found_in)
    return Twins(
        len(asked), len(asked) - len(missing), sum(_letters(a) in drawn for a in asked), missing
    )


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--twins",
    "pair",
    nargs=2,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="PLAIN DESIGNED",
    help="Instead, which sentences of a plain PDF are missing from its designed twin.",
)
def reading(as_json: bool, pair: tuple[Path, Path] | None) -> None:
    """Measure how faithfully documents are read."""
    if pair:
        agreed = twins(*pair)
        if as_json:
            click.echo(json.dumps(asdict(agreed), indent=1, ensure_ascii=False))
            return
        click.echo(
            f"{agreed.found} of {agreed.sentences} sentences found "
            f"({agreed.found / max(agreed.sentences, 1):.1%}); "
            f"{agreed.found_by_plain_pypdfium2} by plain pypdfium2."
        )
        for sentence in agreed.missing:
            click.echo(f"Missing: {sentence}")
        return
    scores = measure()
    if as_json:
        click.echo(json.dumps([asdict(s) for s in scores], indent=1))
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Layout")
    for column in ("Paragraphs", "Order", "Pages", "Cells", "Words", "Pages/s"):
        table.add_column(column, justify="right", no_wrap=True)
    for s in scores:
        values = [getattr(s, name) for name in MEASURES]
        name = s.layout if s.reader == "icsearch" else f"  {s.reader}"
        table.add_row(name, *["" if v is None else f"{v:g}" for v in values])
    Console(highlight=False).print("Shares of 1; pages per CPU second", table)


def _flat(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _share(hits: Sequence[bool]) -> float | None:
    return round(sum(hits) / len(hits), 4) if hits else None


def _letters(text: str) -> str:
    return "".join(c for c in normalise(text).casefold() if c.isalnum())


def _read(path: Path) -> Reading:
    document = Document(id="made", system="made", title="Made", file=path.name, sha256="0")
    return read_isolated(path, [document])[0]


def _ours(layout: str, made: Made) -> Score:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.pdf"
        path.write_bytes(made.content)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        reading = _read(path)
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
