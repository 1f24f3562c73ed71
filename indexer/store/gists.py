"""Gists and statements of passages in SQLite, beside the passages that they are of.

A statement is kept as its range of the canonical text. What its passage says of it already, its
words and its headings, is kept only where it is not the same.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from corpus.model import Passage, Reading
from indexer.gist import Gist, gist_of
from indexer.statements import Stated, statements
from indexer.store.nouns import as_json

SCHEMA = """
CREATE TABLE gists (
    row INTEGER PRIMARY KEY, own TEXT NOT NULL, around TEXT NOT NULL, words INTEGER NOT NULL,
    dated INTEGER NOT NULL, form TEXT NOT NULL
);
CREATE TABLE statements (row INTEGER PRIMARY KEY, statements TEXT NOT NULL);
"""

Columns = Sequence[tuple[Any, ...]]
Ask = Callable[[str, Sequence[object]], Columns]
"""Gives all rows of a query of the database."""
Among = Callable[[str, Sequence[int]], Iterator[tuple[Any, ...]]]
"""Gives of a query what has one of the numbers as its row."""


def made(reading: Reading, passages: Sequence[Passage]) -> tuple[Columns, Columns]:
    """Columns of the gists and of the statements of a document's passages, but for the rows."""
    gists, said = [], []
    for passage in passages:
        gist = gist_of(passage)
        gists.append((gist.own, gist.around, gist.words, gist.dated, gist.form))
        said.append((as_json([_kept(passage, s) for s in statements(passage, reading)]),))
    return gists, said


def kept(ask: Ask, first: int, end: int) -> tuple[Columns, Columns]:
    """What `made` gave for the rows from `first` to before `end`."""
    within = "WHERE row >= ? AND row < ? ORDER BY row"
    return (
        ask(f"SELECT own, around, words, dated, form FROM gists {within}", (first, end)),  # noqa: S608
        ask(f"SELECT statements FROM statements {within}", (first, end)),  # noqa: S608
    )


def insert(connection: sqlite3.Connection, first: int, gists: Columns, said: Columns) -> None:
    """Write those of a document's passages, the first of which has the row `first`."""
    for table, columns, count in (("gists", gists, 6), ("statements", said, 2)):
        marks = ",".join("?" * count)
        connection.executemany(
            f"INSERT INTO {table} VALUES ({marks})",  # noqa: S608 - names of ours
            [(row, *rest) for row, rest in enumerate(columns, start=first)],
        )


def there(ask: Ask) -> bool:
    """Whether a database has them: those made by former versions do not."""
    found = "SELECT count(*) FROM sqlite_master WHERE name IN ('gists', 'statements')"
    return bool(ask(found, ())[0][0] == 2)


def gists(among: Among, rows: Sequence[int]) -> dict[int, Gist]:
    """The gists of rows."""
    sql = "SELECT row, own, around, words, dated, form FROM gists"
    return {
        row: Gist(own, around, words, bool(dated), form)
        for row, own, around, words, dated, form in among(sql, rows)
    }


def said(among: Among, passages: Mapping[int, Passage]) -> dict[int, tuple[Stated, ...]]:
    """The statements of passages by row."""
    sql = "SELECT row, statements FROM statements"
    return {
        row: tuple(_stated(passages[row], kept) for kept in json.loads(text))
        for row, text in among(sql, list(passages))
    }


def _kept(passage: Passage, stated: Stated) -> list[object]:
    start, end = stated.start - passage.start, stated.end - passage.start
    inside = 0 <= start and passage.text[start:end] == stated.text
    return [
        stated.start,
        stated.end,
        stated.form,
        None if inside else stated.text,
        None if stated.heading == passage.heading else stated.heading,
        stated.cells,
        stated.lead,
    ]


def _stated(passage: Passage, kept: Sequence[Any]) -> Stated:
    start, end, form, text, heading, cells, lead = kept
    return Stated(
        passage.document_id,
        passage.system,
        start,
        end,
        passage.text[start - passage.start : end - passage.start] if text is None else text,
        form,
        passage.heading if heading is None else tuple(heading),
        tuple((header, cell) for header, cell in cells),
        lead,
    )
