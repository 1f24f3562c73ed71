"""Parts of a generation in a folder: some thousands of passages each, of whole documents.

Where one part ends and the next begins depends on the documents near there alone. So a change of
one document changes one part, now and then two, and the generation after it shares the files of
all others with the one before. Rows within a part count from 0; it is told where its first stands.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import faiss
import numpy as np

from indexer.embed import Vectors
from indexer.manifest import digest
from indexer.store import gists
from indexer.store.base import Entry, Rows
from indexer.store.mapped import MOST_HELD, Mapped

FOLDER = "parts"
LEXICAL = "lexical"
LEAST, TYPICAL, MOST = 4_000, 8_000, 32_000
"""Passages of a part: at least, usually beyond that, and at most but for one larger document."""
LARGE = 128_000
"""An index of so many passages has parts of twice the size, and so on with each four times more.

A question looks into each part, a change writes one anew: so both grow with the square root.
"""
ROWS_A_QUERY = 512
NAME_DIGITS = 31
"""One fewer than a tantivy segment's name has: its last counts the segments of a part."""

T = TypeVar("T")


def cut(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Documents by part, in order. A part ends where its last document's own id says so by chance.

    The chance is the higher the more passages a document has; so parts are of like size however
    large documents are.
    """
    passages, scale = sum(entry.passages for entry in entries), 1
    while passages >= LARGE * scale**2:
        scale *= 2
    run: list[Entry] = []
    size = 0
    for entry in entries:
        if run and size + entry.passages > scale * MOST:
            yield run
            run, size = [], 0
        run.append(entry)
        size += entry.passages
        drawn = int.from_bytes(sha256(entry.document.id.encode()).digest()[:8]) / 2**64
        if size >= scale * LEAST and drawn < entry.passages / (scale * TYPICAL):
            yield run
            run, size = [], 0
    if run:
        yield run


def name_of(run: Sequence[Entry]) -> str:
    """The name of a part with these documents: what has the same name is the same."""
    return digest([entry.key for entry in run])[:NAME_DIGITS]


@dataclass(frozen=True, slots=True)
class Listed:
    """A document of a part: its JSON, its first row there and the one after its last."""

    document: str
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Rendered:
    """A document as it lies in a part, but for the numbers of its rows.

    `document` has the columns of `documents` from `document` on, `passages` those of `passages`
    but `row` and `document_id`; `vectors`, `statements` and `ends` are as in `Made`; `gists` and
    `said` are the columns of theirs but `row`.
    """

    document: tuple[str, ...]
    passages: Sequence[tuple[str, str, str, str | None, str]]
    vectors: Vectors
    statements: Vectors
    ends: Rows
    gists: Sequence[tuple[Any, ...]]
    said: Sequence[tuple[Any, ...]]


class Part:
    """A part, open for reading. Safe to use from many threads."""

    def __init__(self, folder: Path, first: int, of: int) -> None:
        """Open a part whose rows start at `first` of the generation's.

        Args:
            of: how many parts there are: they share what may be held of their files.

        Raises:
            OSError, ValueError, sqlite3.Error: a file of it cannot be read.
        """
        self.first = first
        self._vectors = Mapped(folder / "vectors.npy", MOST_HELD // of)
        self._statements = Mapped(folder / "statements.npy", MOST_HELD // of)
        self._ends: Rows = np.load(folder / "statement_ends.npy")
        half = faiss.ScalarQuantizer.QT_fp16
        self._halves = faiss.ScalarQuantizer(self._statements.array.shape[1], half)
        self.vectors: Vectors = self._vectors.array
        """All of them, where they lie: tell `gone_through` of what is read."""
        self.gone_through = self._vectors.gone_through
        self.end = first + len(self.vectors)
        path = (folder / "passages.sqlite").absolute()
        self._lock = threading.Lock()
        # One connection, open as long as the part is: a part that is deleted meanwhile stays whole.
        self._connection = sqlite3.connect(
            f"file:{path}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )
        self.documents = [
            Listed(*found)
            for found in self.rows(
                "SELECT document, first_row, last_row FROM documents ORDER BY first_row, last_row"
            )
        ]

    def close(self) -> None:
        """Give back what only this process holds."""
        self._connection.close()

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows that a query of its SQLite file gives."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def among(self, query: str, rows: Sequence[int]) -> Iterator[tuple[Any, ...]]:
        """What a query without conditions gives for these rows, as they are numbered here."""
        for at in range(0, len(rows), ROWS_A_QUERY):
            some = rows[at : at + ROWS_A_QUERY]
            # As many marks as the next power of two: few queries, so each is prepared once.
            marks = 1 << (len(some) - 1).bit_length()
            padded = [*some, *[some[-1]] * (marks - len(some))]
            yield from self.rows(f"{query} WHERE row IN ({','.join('?' * marks)})", padded)

    def rendered(self, document_id: str, first: int, end: int) -> Rendered:
        """One of its documents, with rows from `first` to before `end`."""
        (document,) = self.rows(
            "SELECT document, text, sections, pages, warnings, reader, words FROM documents "
            "WHERE id = ?",
            (document_id,),
        )
        passages = self.rows(
            "SELECT id, passage, embedding_key, stems, heading FROM passages "
            "WHERE row >= ? AND row < ? ORDER BY row",
            (first, end),
        )
        before = int(self._ends[first - 1]) if first else 0
        ends = self._ends[first:end] - before
        after = before + (int(ends[-1]) if len(ends) else 0)
        own = self._statements.array[before:after]
        kept = gists.kept(self.rows, first, end)
        return Rendered(document, passages, self.vectors[first:end], own, ends, *kept)

    def vectors_of(self, rows: Rows) -> Vectors:
        """Vectors of the passages of rows, in the order asked."""
        return self._vectors.rows(rows)

    def vectors_of_statements(self, rows: Rows) -> tuple[Vectors, Rows]:
        """Vectors of the statements of rows, each row's in order, and how many each has."""
        ends = self._ends[rows]
        counts = ends - np.where(rows > 0, self._ends[rows - 1], 0)
        found = self._statements.runs(ends - counts, counts)
        # Faster than numpy's own conversion, and the same numbers; on this thread alone.
        faiss.omp_set_num_threads(1)
        content = np.ascontiguousarray(found).view(np.uint8)
        return (self._halves.decode(content) if len(found) else found.astype(np.float32)), counts


def facts_within(folder: Path) -> dict[str, Any]:
    """The facts of a generation that was made before there were parts, from its SQLite file."""
    connection = sqlite3.connect(
        f"file:{(folder / 'passages.sqlite').absolute()}?mode=ro", uri=True
    )
    try:
        found = connection.execute("SELECT name, value FROM facts").fetchall()
    finally:
        connection.close()
    return {name: json.loads(value) for name, value in found}
