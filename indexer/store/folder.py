"""The embedded store: a generation is a folder with SQLite, vectors and a tantivy index.

Nothing in a generation is changed once it is published. Readers open files read-only.
"""

import json
import re
import sqlite3
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import faiss
import numpy as np
import tantivy
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from corpus.errors import IndexDamaged
from corpus.model import Document, Passage, Reading, System, Theme
from indexer.analyse import STOP_STEMS, stem, tokens
from indexer.embed import Encoder, Vectors
from indexer.manifest import DocumentReport, Manifest
from indexer.store.base import Acronym, Parts, Rows, Scores
from indexer.store.nouns import as_json, by_id, passage_of, reading_of, system_of, theme_of

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
HASHED_UP_TO = 64 * 2**20
FIELDS = {"text": 1.0, "heading": 0.6, "title": 0.25}
WRITER_HEAP = 64 * 2**20
LONG_WORD = 8


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
    return " ".join(word for word, _, _ in tokens(text) if word not in STOP_STEMS)


def write(
    folder: Path,
    *,
    systems: Iterable[System],
    themes: Iterable[Theme],
    documents: Collection[Parts],
    vectors: Vectors,
    statement_vectors: Vectors,
    statement_ends: Rows,
    embedding_keys: Sequence[str],
    acronyms: Sequence[Acronym],
) -> None:
    """Write the files of a generation, all but its manifest.

    Args:
        vectors: of passages, shape (passages, dimensions).
        statement_vectors: of all passages' statements in order, shape (statements, dimensions).
        statement_ends: for each passage, how many statements there are up to its last.
        embedding_keys: what each passage's vectors were made of.
    """
    _write_sqlite(folder, systems, themes, documents, embedding_keys, acronyms)
    np.save(folder / "vectors.npy", vectors)
    np.save(folder / "statements.npy", statement_vectors.astype(np.float16))
    np.save(folder / "statement_ends.npy", statement_ends)
    lexical = folder / "lexical"
    lexical.mkdir()
    index = tantivy.Index(lexical_schema(), path=str(lexical))
    # One thread, so that the same passages always give the same segments.
    writer = index.writer(WRITER_HEAP, 1)
    row = 0
    for document, _, passages in documents:
        for passage in passages:
            if passage.form != "contents":
                entry = tantivy.Document(
                    text=stems(passage.text),
                    heading=stems(" ".join(passage.heading)),
                    title=stems(document.title),
                    document=document.id,
                )
                entry.add_integer("row", row)
                writer.add_document(entry)
            row += 1
    writer.commit()
    writer.wait_merging_threads()


def _write_sqlite(
    folder: Path,
    systems: Iterable[System],
    themes: Iterable[Theme],
    documents: Collection[Parts],
    embedding_keys: Sequence[str],
    acronyms: Sequence[Acronym],
) -> None:
    connection = sqlite3.connect(folder / "passages.sqlite")
    try:
        connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=FULL;" + SCHEMA)
        facts = {
            "systems": [asdict(s) for s in systems],
            "themes": [asdict(t) for t in themes],
            "acronyms": [asdict(a) for a in acronyms],
        }
        connection.executemany(
            "INSERT INTO facts VALUES (?, ?)", [(k, as_json(v)) for k, v in facts.items()]
        )
        row = 0
        for document, reading, passages in documents:
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
                    (row + i, p.id, document.id, as_json(asdict(p)), embedding_keys[row + i])
                    for i, p in enumerate(passages)
                ],
            )
            row += len(passages)
        connection.executemany(
            "INSERT INTO words VALUES (?, ?)", sorted(vocabulary(documents).items())
        )
        connection.commit()
    finally:
        connection.close()


def vocabulary(documents: Collection[Parts]) -> Counter[str]:
    """Lower-case words of letters alone, and in how many passages each stands."""
    counts: Counter[str] = Counter()
    for _, _, passages in documents:
        for passage in passages:
            counts.update(set(re.findall(r"[^\W\d_]{4,}", passage.text.lower())))
    return counts


class FolderStore:
    """A published generation in a folder."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        """Open a generation and compare its files with its manifest.

        Raises:
            IndexDamaged: a file is missing or is not what was written.
        """
        self.folder = folder
        self.manifest = Manifest.read(folder)
        self.manifest.check_files(folder, HASHED_UP_TO)
        self.encoder = encoder
        self._local = threading.local()
        self._vocabulary: dict[str, int] | None = None
        self._stems: set[str] = set()
        try:
            self._vectors: Vectors = np.load(folder / "vectors.npy", mmap_mode="r")
            self._statements = np.load(folder / "statements.npy", mmap_mode="r")
            self._statement_ends: Rows = np.load(folder / "statement_ends.npy", mmap_mode="r")
            self._searcher = tantivy.Index.open(str(folder / "lexical")).searcher()
            facts = {
                name: json.loads(value)
                for name, value in self._database().execute("SELECT name, value FROM facts")
            }
            self.systems: Mapping[str, System] = by_id(map(system_of, facts["systems"]))
            self.themes: Mapping[str, Theme] = by_id(map(theme_of, facts["themes"]))
            self.acronyms: Sequence[Acronym] = tuple(
                Acronym(**a | {"documents": tuple(a["documents"])}) for a in facts["acronyms"]
            )
            rows = self._database().execute(
                "SELECT document, first_row, last_row FROM documents ORDER BY first_row"
            )
            documents = [(Document(**json.loads(d)), a, b) for d, a, b in rows]
        except (OSError, ValueError, KeyError, TypeError, sqlite3.Error) as error:
            raise IndexDamaged(
                f"The index in {folder} cannot be opened ({error}); run: icsearch index."
            ) from error
        self.documents: Mapping[str, Document] = by_id(d for d, _, _ in documents)
        self._rows = {d.id: (first, last) for d, first, last in documents}
        self.reports: Mapping[str, DocumentReport] = by_id(self.manifest.documents)
        self._frequency = lru_cache(maxsize=50_000)(self._count)
        self._reading = lru_cache(maxsize=64)(self._read)
        self._passage = lru_cache(maxsize=20_000)(self._fetch)

    def _database(self) -> sqlite3.Connection:
        """This thread's read-only connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            path = (self.folder / "passages.sqlite").absolute()
            connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
            self._local.connection = connection
        return connection

    def rows_of(self, document_id: str) -> tuple[int, int]:
        """The first row of a document and the one after its last."""
        return self._rows[document_id]

    def nearest(
        self, vector: Vectors, k: int, documents: Sequence[str] | None
    ) -> tuple[Rows, Scores]:
        """The k passages most like a vector, by cosine, best first; among documents if given."""
        return self._scanned(vector, k, self._ranges(documents))

    def _ranges(self, documents: Sequence[str] | None) -> list[tuple[int, int]]:
        """The rows of documents as ranges, neighbours joined."""
        if documents is None:
            return [(0, len(self._vectors))]
        joined: list[tuple[int, int]] = []
        for first, end in sorted(self._rows[d] for d in documents):
            if joined and joined[-1][1] == first:
                joined[-1] = joined[-1][0], end
            elif end > first:
                joined.append((first, end))
        return joined

    def _scanned(
        self, vector: Vectors, k: int, ranges: Sequence[tuple[int, int]]
    ) -> tuple[Rows, Scores]:
        """The k best rows of ranges, every one compared; nothing is copied."""
        rows, scores = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.float32)]
        for first, end in ranges:
            if end > first:
                best, places = faiss.knn(
                    vector[np.newaxis, :],
                    self._vectors[first:end],
                    min(k, end - first),
                    metric=faiss.METRIC_INNER_PRODUCT,
                )
                rows.append(places[0] + first)
                scores.append(best[0])
        return _best(np.concatenate(rows), np.concatenate(scores), k)

    def matching(
        self, words: Mapping[str, float], k: int, documents: Sequence[str] | None
    ) -> tuple[Rows, Scores]:
        """The k passages that match weighted stems best by BM25F, among documents if given."""
        schema = self._index_schema
        clauses = []
        for word, weight in words.items():
            fields = [
                tantivy.Query.boost_query(
                    tantivy.Query.term_query(schema, field, word), weight * boost
                )
                for field, boost in FIELDS.items()
            ]
            clauses.append(
                (
                    tantivy.Occur.Should,
                    tantivy.Query.boolean_query([(tantivy.Occur.Should, f) for f in fields]),
                )
            )
        if not clauses:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        query = tantivy.Query.boolean_query(clauses)
        if documents is not None:
            among = tantivy.Query.term_set_query(schema, "document", list(documents))
            query = tantivy.Query.boolean_query(
                [
                    (tantivy.Occur.Must, query),
                    (tantivy.Occur.Must, tantivy.Query.const_score_query(among, 0.0)),
                ]
            )
        hits = self._searcher.search(query, k, count=False).hits
        if not hits:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        found = self._searcher.fast_field_values("row", [address for _, address in hits])
        return (
            np.asarray(found, dtype=np.int64),
            np.asarray([score for score, _ in hits], dtype=np.float32),
        )

    @property
    def _index_schema(self) -> tantivy.Schema:
        return SCHEMA_OF_LEXICAL

    def vectors(self, rows: Rows) -> Vectors:
        """The passages' vectors, shape (rows, dimensions)."""
        return np.asarray(self._vectors[rows])

    def statement_vectors(self, row: int) -> Vectors:
        """Vectors of a passage's statements in order, shape (statements, dimensions)."""
        start = int(self._statement_ends[row - 1]) if row else 0
        return np.asarray(self._statements[start : int(self._statement_ends[row])], np.float32)

    def document_frequency(self, word: str) -> int:
        """In how many passages a stem stands."""
        return self._frequency(word)

    def _count(self, word: str) -> int:
        return int(self._searcher.doc_freq("text", word))

    def nearest_word(self, word: str) -> str | None:
        """The word of the documents that a word nowhere in them most likely is, or None."""
        if self._vocabulary is None:
            self._vocabulary = dict(self._database().execute("SELECT word, passages FROM words"))
            self._stems = {stem(w) for w in self._vocabulary}
        known = self._vocabulary
        if word in known or stem(word) in self._stems or self.encoder.knows(word):
            return None
        most = 1 if len(word) < LONG_WORD else 2
        near = process.extract(
            word,
            known.keys(),
            scorer=DamerauLevenshtein.distance,
            score_cutoff=most,
            limit=8,
        )
        ranked = [(away, -known[w], w) for w, away, _ in near if w[0] == word[0]]
        return min(ranked)[2] if ranked else None

    def passages(self, rows: Sequence[int]) -> list[Passage]:
        """The passages of rows, in the order asked."""
        return [self._passage(int(row)) for row in rows]

    def _fetch(self, row: int) -> Passage:
        found = (
            self._database()
            .execute("SELECT passage FROM passages WHERE row = ?", (row,))
            .fetchone()
        )
        return passage_of(json.loads(found[0]))

    def reading(self, document_id: str) -> Reading:
        """The canonical text, sections and pages of a document."""
        return self._reading(document_id)

    def _read(self, document_id: str) -> Reading:
        text, sections, pages, warnings, reader = (
            self._database()
            .execute(
                "SELECT text, sections, pages, warnings, reader FROM documents WHERE id = ?",
                (document_id,),
            )
            .fetchone()
        )
        return reading_of(text, sections, pages, warnings, reader)

    def embedding_keys(self) -> dict[str, int]:
        """The row of each embedding key: what can be taken over by the next generation."""
        return dict(self._database().execute("SELECT embedding_key, row FROM passages"))


SCHEMA_OF_LEXICAL = lexical_schema()


def _best(rows: Rows, scores: Scores, k: int) -> tuple[Rows, Scores]:
    """The k best of rows with their scores; ties go to the lower row."""
    order = np.lexsort((rows, -scores))[:k]
    return rows[order], scores[order]
