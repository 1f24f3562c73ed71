"""A generation in PostgreSQL, open for reading.

Vectors are searched by pgvector and scored again here, words by BM25 over the postings: both give
the numbers that the embedded store gives. A generation never changes, so what was fetched is kept.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

import faiss
import numpy as np
from psycopg import sql

from corpus.errors import IndexDamaged
from corpus.model import Document, Page, Passage, Reading
from indexer.analyse import stem
from indexer.embed import Encoder, Vectors
from indexer.gist import Gist, gist_of
from indexer.manifest import DocumentReport, Manifest
from indexer.settings import DatabaseSettings
from indexer.statements import Stated, statements
from indexer.store import spelling
from indexer.store.base import Found, Planted, Rows, rounded, top
from indexer.store.nouns import by_id, facts_of, passage_of, reading_of
from indexer.store.postgres.bm25 import RECORD, Bm25, Records, Titles, Totals
from indexer.store.postgres.database import Database, table
from indexer.store.writer import stems

KEPT_PASSAGES = 20_000
KEPT_WORDS = 2_000
# Beyond what is asked, so that a rounding of the database's own sums pushes none out.
SPARE = 16
OVERFETCH = 8

K = TypeVar("K")
V = TypeVar("V")


class Kept(Generic[K, V]):
    """Values that were fetched, the latest used ones."""

    def __init__(self, most: int, fetch: Callable[[list[K]], Iterable[tuple[K, V]]]) -> None:
        """Keep so many of what `fetch` brings for keys; a key that it leaves out has no value."""
        self._most = most
        self._fetch = fetch
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, keys: Iterable[K]) -> dict[K, V]:
        """The values of keys; those not kept are fetched in one go."""
        out: dict[K, V] = {}
        missing: list[K] = []
        with self._lock:
            for key in keys:
                if key in self._values:
                    self._values.move_to_end(key)
                    out[key] = self._values[key]
                else:
                    missing.append(key)
        if missing:
            found = dict(self._fetch(missing))
            out |= found
            self.put(found)
        return out

    def put(self, found: Mapping[K, V]) -> None:
        """Keep values that came along with something else."""
        with self._lock:
            self._values.update(found)
            while len(self._values) > self._most:
                self._values.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Held:
    """A passage with the vectors of its statements."""

    passage: Passage
    statements: Vectors


class PostgresStore:
    """A generation in PostgreSQL."""

    planted: Sequence[Planted] = ()  # pgvector keeps its graph to itself

    def __init__(
        self, database: Database, index_id: str, encoder: Encoder, settings: DatabaseSettings
    ) -> None:
        """Open a generation that is there.

        Raises:
            IndexDamaged: its facts cannot be understood.
            IndexUnreachable: the database does not answer.
        """
        self._database = database
        self._id = index_id
        self._settings = settings
        self.encoder = encoder
        ((manifest, facts),) = database.rows(
            "SELECT manifest, facts FROM icsearch.generations WHERE index_id = %s", (index_id,)
        )
        listed = self._rows_of_table(
            "SELECT document, first_row, end_row, unsearched FROM {documents} "
            "ORDER BY first_row, end_row"
        )
        try:
            self.manifest = Manifest.parse(manifest, f"the generation {index_id}")
            known = json.loads(facts)
            held = facts_of(known)
            self.systems, self.themes = held.systems, held.themes
            self.acronyms, self._definitions = held.acronyms, held.definitions
            documents = [Document(**json.loads(row[0])) for row in listed]
            self._totals = Totals(**known["totals"])
            self._dimensions = int(known["dimensions"])
            self._hnsw, self._ranked = bool(known["hnsw"]), bool(known["pg_textsearch"])
            plan = self.manifest.made.get("nearest") or {}
            self._exact_up_to = int(plan.get("exact_up_to", 0))
        except (ValueError, KeyError, TypeError) as error:
            raise IndexDamaged(
                f"The generation {index_id} cannot be opened ({error}); run: icsearch index"
            ) from error
        self.documents: Mapping[str, Document] = by_id(documents)
        self.reports: Mapping[str, DocumentReport] = by_id(self.manifest.documents)
        self._ranges = {d.id: (row[1], row[2]) for d, row in zip(documents, listed, strict=True)}
        self._ordered = documents
        self._ends = np.array([row[2] for row in listed], dtype=np.int64)
        sizes = [row[2] - row[1] for row in listed]
        of_row = np.repeat(np.arange(len(documents)), sizes)
        searched = np.ones(len(of_row), dtype=np.bool_)
        searched[[r for row in listed for r in row[3]]] = False
        titles = Titles([stems(d.title).split() for d in documents], of_row, searched)
        self._bm25 = Bm25(self._totals, titles)
        self.nearest_word = lru_cache(maxsize=10_000)(self._nearest_word)
        self._held: Kept[int, Held] = Kept(KEPT_PASSAGES, self._fetch_passages)
        self._vectors: Kept[int, Vectors] = Kept(KEPT_PASSAGES, self._fetch_vectors)
        self._frequencies: Kept[str, tuple[int, int]] = Kept(50_000, self._fetch_frequencies)
        self._postings: Kept[str, Records] = Kept(KEPT_WORDS, self._fetch_postings)
        self._reading = lru_cache(maxsize=64)(self._read)
        self._beside = ThreadPoolExecutor(
            settings.database_connections, thread_name_prefix="vectors"
        )

    def _rows_of_table(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Rows of a query that names this generation's tables in braces."""
        names = ("documents", "passages", "vectors", "postings")
        tables = {name: table(name, self._id) for name in names}
        return self._database.rows(sql.SQL(query).format(**tables), values)

    def rows_of(self, document_id: str) -> tuple[int, int]:
        """The first row of a document and the one after its last."""
        return self._ranges[document_id]

    def documents_of(self, rows: Rows) -> list[Document]:
        """The document of each row, in the order asked."""
        places = np.searchsorted(self._ends, rows, side="right")
        return [self._ordered[place] for place in places.tolist()]

    def _ids_of(self, rows: Rows) -> list[str]:
        """The ids of the documents that rows are of, each once."""
        return list(dict.fromkeys(document.id for document in self.documents_of(rows)))

    def candidates_each(
        self,
        vector: Vectors,
        words: Mapping[str, float],
        k: int,
        groups: Sequence[Sequence[str] | None],
    ) -> list[tuple[Found, Found]]:
        """What `nearest` and `matching` find in each of several groups, both asked at once."""
        out = []
        for group in groups:
            near = self._beside.submit(self.nearest, vector, k, group)
            matched = self.matching(words, k, group)
            out.append((near.result(), matched))
        return out

    def nearest(self, vector: Vectors, k: int, documents: Sequence[str] | None) -> Found:
        """The k passages most like a vector, by cosine, best first; among documents if given."""
        asked = f"[{','.join(map(repr, vector.tolist()))}]"
        size = f"{self._dimensions}"
        # Of the same form as the index; the sum with 0 keeps the planner from using it.
        order = f"(embedding::vector({size}) <#> %s::vector({size}))"
        rows = sum(b - a for a, b in map(self.rows_of, documents or ()))
        if not self._hnsw or (documents is not None and rows <= self._exact_up_to):
            order += " + 0"
        where = "" if documents is None else "WHERE document_id = ANY(%s)"
        values = [asked, k + SPARE] if documents is None else [list(documents), asked, k + SPARE]
        found = self._rows_of_table(
            f"SELECT row, vector_send(embedding) FROM {{vectors}} {where} "  # noqa: S608 - no input
            f"ORDER BY {order} LIMIT %s",
            values,
        )
        if not found:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        near = {row: _vector(sent) for row, sent in found}
        self._vectors.put(near)
        rows_found = np.array(sorted(near), dtype=np.int64)
        table_of = np.stack([near[row] for row in rows_found.tolist()])
        scores, places = faiss.knn(
            vector[np.newaxis, :], table_of, len(near), metric=faiss.METRIC_INNER_PRODUCT
        )
        return top(rows_found[places[0]], scores[0], k)

    def matching(
        self, words: Mapping[str, float], k: int, documents: Sequence[str] | None
    ) -> Found:
        """The k passages that match weighted stems best by BM25F, among documents if given."""
        if not words:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        among = None
        if documents is not None:
            among = np.zeros(self.manifest.passages, dtype=np.bool_)
            for first, end in map(self.rows_of, documents):
                among[first:end] = True
        if self.manifest.passages <= self._settings.postings_up_to:
            records: Mapping[str, Records] = self._postings.get(words)
        else:
            if documents is None and self._ranked:
                documents = self._likely(words, k)
            records = dict(self._fetch_postings(list(words), documents))
        rows, scores = self._bm25.best(words, k, records, self._frequencies.get(records), among)
        return rows, rounded(scores)

    def _likely(self, words: Mapping[str, float], k: int) -> list[str]:
        """The documents of the passages that pg_textsearch ranks first, many times k."""
        found = self._rows_of_table(
            "SELECT document_id FROM {passages} ORDER BY stems <@> to_bm25query(%s, %s) LIMIT %s",
            (" ".join(words), f"icsearch.stems_{self._id}", OVERFETCH * k),
        )
        return sorted({document for (document,) in found})

    def _fetch_postings(
        self, words: list[str], documents: Sequence[str] | None = None
    ) -> list[tuple[str, Records]]:
        where = "" if documents is None else " AND document_id = ANY(%s)"
        found = self._rows_of_table(
            f"SELECT word, records FROM {{postings}} WHERE word = ANY(%s){where}",  # noqa: S608
            [words] if documents is None else [words, list(documents)],
        )
        parts: dict[str, list[bytes]] = {word: [] for word in words}
        for word, records in found:
            parts[word].append(records)
        return [(w, np.frombuffer(b"".join(held), dtype=RECORD)) for w, held in parts.items()]

    def _fetch_frequencies(self, words: list[str]) -> list[tuple[str, tuple[int, int]]]:
        found = self._database.rows(
            "SELECT word, text, heading FROM icsearch.words WHERE index_id = %s AND word = ANY(%s)",
            (self._id, words),
        )
        known = {word: (text, heading) for word, text, heading in found}
        return [(word, known.get(word, (0, 0))) for word in words]

    def vectors(self, rows: Rows) -> Vectors:
        """The passages' vectors, shape (rows, dimensions)."""
        found = self._vectors.get(rows.tolist())
        if not found:
            return np.empty((0, self._dimensions), dtype=np.float32)
        return np.stack([found[row] for row in rows.tolist()])

    def _fetch_vectors(self, rows: list[int]) -> list[tuple[int, Vectors]]:
        found = self._rows_of_table(
            "SELECT row, vector_send(embedding) FROM {vectors} "
            "WHERE document_id = ANY(%s) AND row = ANY(%s)",
            (self._ids_of(np.array(rows)), rows),
        )
        return [(row, _vector(sent)) for row, sent in found]

    def rows_with(
        self, phrases: Collection[Sequence[str]], k: int, groups: Sequence[Sequence[str]]
    ) -> list[Rows]:
        """The rows of each group that may hold every stem of some phrase, and others."""
        words = dict.fromkeys((word for phrase in phrases for word in phrase), 1.0)
        return [self.matching(words, k, group)[0] for group in groups]

    def vectors_of_statements(self, rows: Rows) -> tuple[Vectors, Rows]:
        """Vectors of the statements of rows, each row's in order, and how many each has."""
        held = self._held.get(rows.tolist())
        found = [held[row].statements for row in rows.tolist()]
        none = np.empty((0, self._dimensions), dtype=np.float32)
        return np.concatenate([none, *found]), np.array([len(f) for f in found], dtype=np.int64)

    def document_frequency(self, word: str) -> int:
        """In how many passages a stem stands."""
        return self._frequencies.get([word])[word][0]

    def _nearest_word(self, word: str) -> str | None:
        """The word of the documents that a word nowhere in them most likely is, or None."""
        written = self._database.rows(
            "SELECT 1 FROM icsearch.spellings WHERE index_id = %s AND word = %s", (self._id, word)
        )
        if written or self.document_frequency(stem(word)) or self.encoder.knows(word):
            return None
        if spelling.is_english(word):
            return None
        alike = self._database.rows(
            "SELECT word, passages FROM icsearch.spellings WHERE index_id = %s "
            "AND word >= %s AND word < %s AND length(word) BETWEEN %s AND %s",
            (self._id, *spelling.bounds(word)),
        )
        return spelling.likeliest(word, dict(alike))

    def passages(self, rows: Sequence[int]) -> list[Passage]:
        """The passages of rows, in the order asked."""
        wanted = [int(row) for row in rows]
        found = self._held.get(wanted)
        return [found[row].passage for row in wanted]

    def gists(self, rows: Sequence[int]) -> list[Gist]:
        """What ranking needs to know of the passages of rows, in the order asked."""
        return [gist_of(passage) for passage in self.passages(rows)]

    def statements(self, rows: Sequence[int]) -> list[Sequence[Stated]]:
        """The statements of rows, in the order asked; each row's in the order of their vectors."""
        passages = self.passages(rows)
        return [statements(p, self.reading(p.document_id)) for p in passages]

    def pages(self, document_id: str) -> Sequence[Page]:
        """The pages of a document, without the rest of its reading."""
        return self.reading(document_id).pages

    def _fetch_passages(self, rows: list[int]) -> list[tuple[int, Held]]:
        found = self._rows_of_table(
            "SELECT row, passage, statements FROM {passages} "
            "WHERE document_id = ANY(%s) AND row = ANY(%s)",
            (self._ids_of(np.array(rows)), rows),
        )
        return [(row, Held(passage_of(json.loads(p)), self._halves(s))) for row, p, s in found]

    def _halves(self, content: bytes) -> Vectors:
        halves = np.frombuffer(content, dtype="<f2").reshape(-1, self._dimensions)
        return halves.astype(np.float32)

    def reading(self, document_id: str) -> Reading:
        """The canonical text, sections and pages of a document."""
        return self._reading(document_id)

    def _read(self, document_id: str) -> Reading:
        (found,) = self._rows_of_table(
            "SELECT text, sections, pages, warnings, reader FROM {documents} "
            "WHERE document_id = %s",
            (document_id,),
        )
        return reading_of(*found)

    def embedding_keys(self, document_id: str) -> list[str]:
        """What the vectors of each of a document's rows were made of, in order."""
        found = self._rows_of_table(
            "SELECT embedding_key FROM {passages} WHERE document_id = %s ORDER BY row",
            (document_id,),
        )
        return [key for (key,) in found]

    def definitions(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        """By document the acronyms that it defines, as (short, long); none of what is not known."""
        return self._definitions


def _vector(sent: bytes) -> Vectors:
    """A vector as pgvector sends it: two numbers of 16 bits, then big-endian floats."""
    return np.frombuffer(sent, dtype=">f4", offset=4).astype(np.float32)
