"""The embedded store: a generation is a folder with SQLite, vectors and a tantivy index.

Nothing in a generation is changed once it is published. Readers open files read-only.
"""

import json
import math
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import faiss
import numpy as np
import tantivy
from numpy.typing import NDArray

from corpus.errors import IndexDamaged, IndexGone
from corpus.model import Document, Page, Passage, Reading, System, Theme
from indexer.analyse import stem
from indexer.embed import Encoder, Vectors
from indexer.gist import Gist, gist_of
from indexer.manifest import WHAT_TO_DO, DocumentReport, Manifest
from indexer.statements import Stated, statements
from indexer.store import gists, spelling
from indexer.store.ann import Nearest
from indexer.store.base import Acronym, Rows, Scores, rounded, top
from indexer.store.mapped import Mapped
from indexer.store.nouns import by_id, pages_of, passage_of, reading_of, system_of, theme_of
from indexer.store.writer import FIELDS, lexical_schema

T = TypeVar("T")
LOCK = ".lock"
MOST_HASHED = 64 * 2**20
ROWS_A_QUERY = 500
PASSAGES_KEPT = 20_000
MOST_FETCHED = 20_000
"""So many hits are fetched at once for several groups; a group that has too few is asked alone."""
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
            vectors = Mapped(folder / "vectors.npy")
            self._map_of_vectors, self._vectors = vectors, vectors.array
            said = Mapped(folder / "statements.npy")
            self._map_of_statements, self._statements = said, said.array
            self._statement_ends: Rows = Mapped(folder / "statement_ends.npy").array
            self._prepared = gists.there(self._database())
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
        self._pages = lru_cache(maxsize=1_000)(self._read_pages)
        # Emptied when full, never one by one.
        self._passages: dict[int, Passage] = {}
        self._gists: dict[int, Gist] = {}
        self._said: dict[int, Sequence[Stated]] = {}
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
                self._map_of_vectors.touched(end - first, whole=True)
        return top(np.concatenate(rows), np.concatenate(scores), k)

    def matching(
        self, words: Mapping[str, float], k: int, documents: Sequence[str] | None
    ) -> tuple[Rows, Scores]:
        """The k passages that match weighted stems best by BM25F, among documents if given."""
        query = _any_of(words)
        if not words or documents is None:
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

    def candidates_each(
        self,
        vector: Vectors,
        words: Mapping[str, float],
        k: int,
        groups: Sequence[Sequence[str] | None],
    ) -> list[tuple[tuple[Rows, Scores], tuple[Rows, Scores]]]:
        """What `candidates` finds in each of several groups of documents.

        Words are looked for once in all of them; a group that got too few of the hits is asked for
        alone, so that each has its own best.
        """
        if len(groups) == 1 or not words:
            return [self.candidates(vector, words, k, group) for group in groups]
        fetched = min(MOST_FETCHED, 2 * k * len(groups))
        rows, scores = self._hits(_any_of(words), fetched)
        out = []
        for group in groups:
            passed = np.flatnonzero(_within(rows, self._ranges(group)))
            if len(passed) >= k or len(rows) < fetched:
                hits = rows[passed[:k]], scores[passed[:k]]
            else:
                hits = self.matching(words, k, group)
            out.append((self.nearest(vector, k, group), hits))
        return out

    def rows_with(
        self, phrases: Collection[Sequence[str]], k: int, groups: Sequence[Sequence[str]]
    ) -> list[Rows]:
        """The rows of each group whose text or headings hold every stem of some phrase."""
        among = [self._ranges(group) for group in groups]
        if not phrases or not groups:
            return [np.empty(0, dtype=np.int64) for _ in groups]
        whole = [(tantivy.Occur.Should, _all_of(phrase)) for phrase in phrases]
        rows, _ = self._hits(tantivy.Query.boolean_query(whole), k * len(groups))
        return [rows[_within(rows, ranges)] for ranges in among]

    def vectors(self, rows: Rows) -> Vectors:
        """The passages' vectors, shape (rows, dimensions)."""
        found = np.asarray(self._vectors[rows])
        self._map_of_vectors.touched(len(rows))
        return found

    def statement_vectors(self, row: int) -> Vectors:
        """Vectors of a passage's statements in order, shape (statements, dimensions)."""
        start = int(self._statement_ends[row - 1]) if row else 0
        return np.asarray(self._statements[start : int(self._statement_ends[row])], np.float32)

    def vectors_of_statements(self, rows: Rows) -> tuple[Vectors, Rows]:
        """Statement vectors of many rows, one row's after the other's, and how many each has."""
        ends = self._statement_ends[rows]
        counts = ends - np.where(rows > 0, self._statement_ends[rows - 1], 0)
        # Where each vector stands: from its row's first one on.
        places = np.arange(counts.sum()) + np.repeat(ends - np.cumsum(counts), counts)
        found = np.asarray(self._statements[places], np.float32)
        self._map_of_statements.touched(len(rows))
        return found, counts

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
        return self._remembered(self._passages, rows, self._read_passages)

    def _read_passages(self, rows: Sequence[int]) -> dict[int, Passage]:
        found = {}
        for at in range(0, len(rows), ROWS_A_QUERY):
            some = rows[at : at + ROWS_A_QUERY]
            marks = ",".join("?" * len(some))
            sql = f"SELECT row, passage FROM passages WHERE row IN ({marks})"  # noqa: S608
            for row, text in self._database().execute(sql, some):
                found[row] = passage_of(json.loads(text))
        return found

    def _remembered(
        self,
        kept: dict[int, T],
        rows: Sequence[int],
        read: Callable[[Sequence[int]], Mapping[int, T]],
    ) -> list[T]:
        """What belongs to rows, in the order asked: kept, or read and kept from now on."""
        wanted = [int(row) for row in rows]
        # Another thread may empty what is kept at any moment.
        found = {row: held for row in wanted if (held := kept.get(row)) is not None}
        missing = [row for row in dict.fromkeys(wanted) if row not in found]
        if missing:
            new = read(missing)
            found.update(new)
            with self._lock:
                if len(kept) > PASSAGES_KEPT:
                    kept.clear()
                kept.update(new)
        return [found[row] for row in wanted]

    def gists(self, rows: Sequence[int]) -> list[Gist]:
        """What ranking needs to know of the passages of rows, in the order asked."""
        if not self._prepared:
            return [gist_of(passage) for passage in self.passages(rows)]
        return self._remembered(
            self._gists, rows, lambda missing: gists.gists(self._database(), missing)
        )

    def statements(self, rows: Sequence[int]) -> list[Sequence[Stated]]:
        """The statements of rows, in the order asked; each row's in the order of their vectors."""
        return self._remembered(self._said, rows, self._read_statements)

    def _read_statements(self, rows: Sequence[int]) -> Mapping[int, Sequence[Stated]]:
        passages = dict(zip(rows, self.passages(rows), strict=True))
        if self._prepared:
            return gists.said(self._database(), passages)
        return {r: statements(p, self.reading(p.document_id)) for r, p in passages.items()}

    def pages(self, document_id: str) -> Sequence[Page]:
        """The pages of a document, without the rest of its reading."""
        return self._pages(document_id)

    def _read_pages(self, document_id: str) -> tuple[Page, ...]:
        sql = "SELECT pages FROM documents WHERE id = ?"
        (pages,) = self._database().execute(sql, (document_id,)).fetchone()
        return pages_of(pages)

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


def _any_of(words: Mapping[str, float]) -> tantivy.Query:
    """Weighted stems in any field."""
    # One flat union of terms: only that lets tantivy pass over blocks that cannot be best.
    clauses = [
        tantivy.Query.boost_query(
            tantivy.Query.term_query(SCHEMA_OF_LEXICAL, field, word), weight * boost
        )
        for word, weight in words.items()
        for field, boost in FIELDS.items()
    ]
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, c) for c in clauses])


def _all_of(phrase: Sequence[str]) -> tantivy.Query:
    """Every stem of a phrase, each in the text or in a heading."""
    parts = []
    for word in phrase:
        fields = [
            (tantivy.Occur.Should, tantivy.Query.term_query(SCHEMA_OF_LEXICAL, field, word))
            for field in ("text", "heading")
        ]
        parts.append((tantivy.Occur.Must, tantivy.Query.boolean_query(fields)))
    return tantivy.Query.boolean_query(parts)


def _within(rows: Rows, ranges: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    """Which rows lie in one of the ranges, that are in order and apart."""
    firsts, ends = np.array(ranges, dtype=np.int64).reshape(-1, 2).T
    if not len(firsts):
        return np.zeros(len(rows), dtype=np.bool_)
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
