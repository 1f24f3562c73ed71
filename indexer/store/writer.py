"""The files of a generation: SQLite, vectors and a tantivy index, written once."""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import tantivy
from numpy.typing import NDArray

from corpus.model import Document, Passage
from indexer.analyse import terms
from indexer.store import ann, gists
from indexer.store.base import Contents, Parts
from indexer.store.nouns import as_json

SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE documents (
    id TEXT PRIMARY KEY, first_row INTEGER NOT NULL, last_row INTEGER NOT NULL,
    document TEXT NOT NULL, text TEXT NOT NULL, sections TEXT NOT NULL, pages TEXT NOT NULL,
    warnings TEXT NOT NULL, reader TEXT NOT NULL
);
CREATE TABLE words (word TEXT PRIMARY KEY, passages INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE passages (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document_id TEXT NOT NULL,
    passage TEXT NOT NULL, embedding_key TEXT NOT NULL
);
"""
FIELDS = {"text": 1.0, "heading": 0.6, "title": 0.25}
WORD = re.compile(r"[^\W\d_]{4,}")
WRITER_HEAP = 64 * 2**20


def lexical_schema() -> tantivy.Schema:
    """Fields of the lexical index: stems parted by spaces, and what filters need."""
    builder = tantivy.SchemaBuilder()
    for field in FIELDS:
        builder.add_text_field(field, stored=False, tokenizer_name="whitespace")
    builder.add_text_field("document", stored=False, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("row", stored=False, indexed=True, fast=True)
    return builder.build()


def stems(text: str) -> str:
    """Stems of a text without stop words, parted by spaces."""
    return " ".join(terms(text))


def vocabulary(documents: Iterable[Parts]) -> Counter[str]:
    """Lower-case words of letters alone, and in how many passages each stands."""
    counts: Counter[str] = Counter()
    for _, _, passages in documents:
        for passage in passages:
            counts.update(set(WORD.findall(passage.text.lower())))
    return counts


def write(folder: Path, contents: Contents) -> None:
    """Write the files of a generation, all but its manifest. Documents are gone through once."""
    facts = {
        "systems": [asdict(s) for s in contents.systems],
        "themes": [asdict(t) for t in contents.themes],
        "acronyms": [asdict(a) for a in contents.acronyms],
    }
    lexical = folder / "lexical"
    lexical.mkdir()
    # One thread, so that the same passages always give the same segments.
    writer = tantivy.Index(lexical_schema(), path=str(lexical)).writer(WRITER_HEAP, 1)
    connection = sqlite3.connect(folder / "passages.sqlite")
    words: Counter[str] = Counter()
    try:
        connection.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=FULL;" + SCHEMA + gists.SCHEMA
        )
        connection.executemany(
            "INSERT INTO facts VALUES (?, ?)", [(k, as_json(v)) for k, v in facts.items()]
        )
        row = 0
        for parts in contents.documents:
            document, _, passages = parts
            keys = contents.embedding_keys[row : row + len(passages)]
            _insert(connection, row, parts, keys)
            gists.insert(connection, row, *parts[1:])
            for place, passage in enumerate(passages, start=row):
                if passage.form != "contents":
                    writer.add_document(_entry(place, document, passage))
            words.update(vocabulary([parts]))
            row += len(passages)
        connection.executemany("INSERT INTO words VALUES (?, ?)", sorted(words.items()))
        connection.commit()
    finally:
        connection.close()
    writer.commit()
    writer.wait_merging_threads()
    _save(folder / "vectors.npy", contents.vectors)
    _save(folder / "statements.npy", contents.statement_vectors.astype(np.float16, copy=False))
    _save(folder / "statement_ends.npy", contents.statement_ends)
    if contents.nearest is not None:
        ann.build(folder, contents.vectors, contents.nearest)


def _save(path: Path, array: NDArray[Any]) -> None:
    """Write an array as .npy. numpy's own way does not notice a last write that failed."""
    with path.open("wb") as file:
        np.lib.format.write_array(SimpleNamespace(write=file.write), array, allow_pickle=False)


def _entry(row: int, document: Document, passage: Passage) -> tantivy.Document:
    """What the lexical index knows of a passage."""
    entry = tantivy.Document(
        text=stems(passage.text),
        heading=stems(" ".join(passage.heading)),
        title=stems(document.title),
        document=document.id,
    )
    entry.add_integer("row", row)
    return entry


def _insert(connection: sqlite3.Connection, row: int, parts: Parts, keys: Sequence[str]) -> None:
    """A document and its passages, the first of them with number `row`."""
    document, reading, passages = parts
    connection.execute(
        "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            document.id,
            row,
            row + len(passages),
            as_json(asdict(document)),
            reading.text,
            as_json([asdict(s) for s in reading.sections]),
            as_json([asdict(p) for p in reading.pages]),
            as_json(reading.warnings),
            reading.reader,
        ),
    )
    connection.executemany(
        "INSERT INTO passages VALUES (?, ?, ?, ?, ?)",
        [
            (place, passage.id, document.id, as_json(asdict(passage)), key)
            for place, (passage, key) in enumerate(zip(passages, keys, strict=True), start=row)
        ],
    )
