"""The embedded store: a generation is a folder with SQLite, vectors and a tantivy index.

Nothing in a generation is changed once it is published. Readers open files read-only.
"""

import json
import math
import sqlite3
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import faiss
import numpy as np
import tantivy
from numpy.typing import NDArray

from corpus.errors import IndexDamaged, IndexGone
from corpus.model import Document, Passage, Reading, System, Theme
from indexer.analyse import stem
from indexer.embed import Encoder, Vectors
from indexer.manifest import WHAT_TO_DO, DocumentReport, Manifest
from indexer.store import spelling
from indexer.store.ann import Nearest
from indexer.store.base import Acronym, Rows, Scores, rounded, top
from indexer.store.nouns import by_id, passage_of, reading_of, system_of, theme_of
from indexer.store.writer import FIELDS, lexical_schema

LOCK = ".lock"
MOST_HASHED = 64 * 2**20
ROWS_A_QUERY = 500
PASSAGES_KEPT = 20_000
WIDE = 0.2
"""A filter that lets so much through is applied to what was found rather than while searching."""


class FolderStore:
    """A published generation in a folder."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        """Open a generation and compare its files with its manifest.

        Raises:
            IndexDamaged: a file is missing or is not what was written.
        """
        self.folder = folder
        self.manifest = Manifest.read(folder)
        self.manifest.check_files(folder, MOST_HASHED)
        self.encoder = encoder
        self._local = threading.local()
        self._lock = threading.Lock()
        try:
            self._vectors: Vectors = np.load(folder / "vectors.npy", mmap_mode="r")
            self._statements = np.load(folder / "statements.npy", mmap_mode="r")
            self._statement_ends: Rows = np.load(folder / "statement_ends.npy", mmap_mode="r")
            how = self.manifest.made.get("nearest")
            self._nearest = Nearest(folder, how) if how else None
            self._exact_up_to = int(how["exact_up_to"]) if how else 0
            self._searcher = _lexical(folder / "lexical")
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
        except (OSError, RuntimeError, ValueError, KeyError, TypeError, sqlite3.Error) as error:
            raise IndexDamaged(
                f"The index in {folder} cannot be opened ({error}); {WHAT_TO_DO}"
            ) from error
        self.documents: Mapping[str, Document] = by_id(d for d, _, _ in documents)
        self._rows = {d.id: (first, last) for d, first, last in documents}
        self.reports: Mapping[str, DocumentReport] = by_id(self.manifest.documents)
        self._frequency = lru_cache(maxsize=50_000)(self._count)
        self._reading = lru_cache(maxsize=64)(self._read)
        self._passages: dict[int, Passage] = {}  # emptied when full, never one by one
        self.nearest_word = lru_cache(maxsize=10_000)(self._nearest_word)

    def _database(self) -> sqlite3.Connection:
        """This thread's read-only connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            path = (self.folder / "passages.sqlite").absolute()
            try:
                connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
            except sqlite3.OperationalError:
                if self.folder.exists():
                    raise
                # Pruned while a server still had it open: what threads hold open stays readable.
                raise IndexGone(
                    f"The generation {self.manifest.index_id} is no longer kept.", field="index_id"
                ) from None
            self._local.connection = connection
        return connection

    def rows_of(self, document_id: str) -> tuple[int, int]:
        """The first row of a document and the one after its last."""
        return self._rows[document_id]

    def nearest(
        self, vector: Vectors, k: int, documents: Sequence[str] | None
    ) -> tuple[Rows, Scores]:
        """The k passages most like a vector, by cosine, best first; among documents if given."""
        ranges = self._ranges(documents)
        among = sum(end - first for first, end in ranges)
        if self._nearest is not None and among > self._exact_up_to:
            rows = self._nearest.rows(vector, k, among / len(self._vectors))
            if rows is not None:
                if documents is not None:
                    rows = rows[_within(rows, ranges)]
                if len(rows) >= k:
                    rows = rows[: 2 * k]
                    return top(rows, self._vectors[rows] @ vector, k)
        return self._scanned(vector, k, ranges)

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
        # More threads wait for one another longer than one takes, above all when all are busy.
        faiss.omp_set_num_threads(1)
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
        return top(np.concatenate(rows), np.concatenate(scores), k)

    def matching(
        self, words: Mapping[str, float], k: int, documents: Sequence[str] | None
    ) -> tuple[Rows, Scores]:
        """The k passages that match weighted stems best by BM25F, among documents if given."""
        # One flat union of terms: only that lets tantivy pass over blocks that cannot be best.
        clauses = [
            tantivy.Query.boost_query(
                tantivy.Query.term_query(SCHEMA_OF_LEXICAL, field, word), weight * boost
            )
            for word, weight in words.items()
            for field, boost in FIELDS.items()
        ]
        query = tantivy.Query.boolean_query([(tantivy.Occur.Should, c) for c in clauses])
        if not clauses or documents is None:
            return self._hits(query, k)
        ranges = self._ranges(documents)
        share = sum(end - first for first, end in ranges) / max(1, len(self._vectors))
        if share >= WIDE:
            # Nearly everything passes: fetch some more and filter, unless too few are left.
            fetched = math.ceil(2 * k / share)
            rows, scores = self._hits(query, fetched)
            passed = _within(rows, ranges)
            if int(passed.sum()) >= k or len(rows) < fetched:
                return rows[passed][:k], scores[passed][:k]
        among = tantivy.Query.term_set_query(SCHEMA_OF_LEXICAL, "document", list(documents))
        among = tantivy.Query.const_score_query(among, 0.0)
        both = [(tantivy.Occur.Must, query), (tantivy.Occur.Must, among)]
        return self._hits(tantivy.Query.boolean_query(both), k)

    def _hits(self, query: tantivy.Query, k: int) -> tuple[Rows, Scores]:
        hits = self._searcher.search(query, k, count=False).hits
        found = self._searcher.fast_field_values("row", [address for _, address in hits])
        return (
            np.asarray(found, dtype=np.int64),
            rounded(np.asarray([score for score, _ in hits], dtype=np.float32)),
        )

    def candidates(
        self,
        vector: Vectors,
        words: Mapping[str, float],
        k: int,
        documents: Sequence[str] | None,
    ) -> tuple[tuple[Rows, Scores], tuple[Rows, Scores]]:
        """What `nearest` and `matching` find."""
        return self.nearest(vector, k, documents), self.matching(words, k, documents)

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

    def _nearest_word(self, word: str) -> str | None:
        """The word of the documents that a word nowhere in them most likely is, or None."""
        database = self._database()
        written = database.execute("SELECT 1 FROM words WHERE word = ?", (word,)).fetchone()
        if written or self.document_frequency(stem(word)) or self.encoder.knows(word):
            return None
        alike = database.execute(
            "SELECT word, passages FROM words WHERE word >= ? AND word < ? "
            "AND length(word) BETWEEN ? AND ?",
            spelling.bounds(word),
        )
        return spelling.likeliest(word, dict(alike.fetchall()))

    def passages(self, rows: Sequence[int]) -> list[Passage]:
        """The passages of rows, in the order asked."""
        wanted = [int(row) for row in rows]
        kept = self._passages
        found = {row: kept[row] for row in wanted if row in kept}
        missing = [row for row in wanted if row not in found]
        for at in range(0, len(missing), ROWS_A_QUERY):
            some = missing[at : at + ROWS_A_QUERY]
            marks = ",".join("?" * len(some))
            sql = f"SELECT row, passage FROM passages WHERE row IN ({marks})"  # noqa: S608
            for row, text in self._database().execute(sql, some):
                found[row] = passage_of(json.loads(text))
        if missing:
            with self._lock:
                if len(self._passages) > PASSAGES_KEPT:
                    self._passages = {}
                self._passages.update({row: found[row] for row in missing})
        return [found[row] for row in wanted]

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

    def embedding_keys(self) -> list[str]:
        """What each row's vectors were made of, in the order of rows."""
        found = self._database().execute("SELECT embedding_key FROM passages ORDER BY row")
        return [key for (key,) in found]


SCHEMA_OF_LEXICAL = lexical_schema()


def _within(rows: Rows, ranges: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    """Which rows lie in one of the ranges, that are in order and apart."""
    firsts, ends = np.array(ranges, dtype=np.int64).T
    held = np.searchsorted(firsts, rows, side="right") - 1
    inside: NDArray[np.bool_] = (held >= 0) & (rows < ends[held])
    return inside


def _lexical(folder: Path) -> tantivy.Searcher:
    """A searcher of a lexical index, also where nothing can be written.

    tantivy makes a lock file to open an index. On a read-only or full disk it makes it beside links
    to the index's files; they can go once the searcher has the files open.
    """
    try:
        return tantivy.Index.open(str(folder)).searcher()
    except ValueError:
        with tempfile.TemporaryDirectory(prefix="icsearch-") as links:
            for file in folder.iterdir():
                if file.suffix != LOCK:
                    (Path(links) / file.name).symlink_to(file.absolute())
            return tantivy.Index.open(links).searcher()
