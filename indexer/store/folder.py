"""The embedded store: a generation is a folder with SQLite, vectors and a tantivy index.

Nothing in a generation is changed once it is published. Readers open files read-only. Generations
share the files of parts that are alike in both.
"""

import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import faiss
import numpy as np

from corpus.errors import IndexDamaged
from corpus.model import Document, Page, Passage, Reading
from indexer.analyse import stem
from indexer.embed import Encoder, Vectors
from indexer.gist import Gist, gist_of
from indexer.manifest import WHAT_TO_DO, DocumentReport, Manifest
from indexer.statements import Stated, statements
from indexer.store import ann, gists, parts, spelling
from indexer.store.base import Found, Planted, Rows, top, within
from indexer.store.lexical import Lexical, any_of, any_whole
from indexer.store.nouns import by_id, facts_of, pages_of, passage_of, reading_of
from indexer.store.parts import Part, Rendered
from indexer.store.writer import FACTS

T = TypeVar("T")
MOST_HASHED = 64 * 2**20
PASSAGES_KEPT = 20_000
LETTERS_KEPT = 50
MOST_FETCHED = 20_000
"""So many hits are fetched at once for several groups; a group that has too few is asked alone."""


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
        self._lock = threading.Lock()
        try:
            known, folders = self._known()
            self._parts: list[Part] = []
            for part in folders:
                first = self._parts[-1].end if self._parts else 0
                self._parts.append(Part(part, first, len(folders)))
            self._prepared = gists.there(self._parts[0].rows)
            self._firsts = np.array([part.first for part in self._parts], dtype=np.int64)
            self._size = self._parts[-1].end
            firsts = {part.name: p.first for part, p in zip(folders, self._parts, strict=True)}
            self._lexical = Lexical(folder, firsts, self._ranges)
            facts = facts_of(known)
            documents = [
                (Document(**json.loads(d.document)), part, d)
                for part in self._parts
                for d in part.documents
            ]
            self._rows = {d.id: (p.first + at.first, p.first + at.end) for d, p, at in documents}
            self._part_of = {d.id: part for d, part, _ in documents}
            self._ordered = [d for d, _, _ in documents]
            self._ends = np.array([end for _, end in self._rows.values()], dtype=np.int64)
            how = self.manifest.made.get("nearest")
            self.planted: Sequence[Planted] = (
                ann.planted(folder) if how and how["kind"] == "hnsw" else ()
            )
            self._nearest = ann.Nearest(folder, how, self._rows_of_nodes()) if how else None
            self._exact_up_to = int(how["exact_up_to"]) if how else 0
        except (OSError, RuntimeError, LookupError, ValueError, TypeError, sqlite3.Error) as error:
            raise IndexDamaged(
                f"The index in {folder} cannot be opened ({error}); {WHAT_TO_DO}"
            ) from error
        self.systems, self.themes = facts.systems, facts.themes
        self.acronyms, self._definitions = facts.acronyms, facts.definitions
        self.documents: Mapping[str, Document] = by_id(d for d, _, _ in documents)
        self.reports: Mapping[str, DocumentReport] = by_id(self.manifest.documents)
        self._frequency = lru_cache(maxsize=50_000)(self._count)
        self._reading = lru_cache(maxsize=64)(self._read)
        self._pages = lru_cache(maxsize=1_000)(self._read_pages)
        # Emptied when full, never one by one.
        self._passages: dict[int, Passage] = {}
        self._gists: dict[int, Gist] = {}
        self._said: dict[int, Sequence[Stated]] = {}
        self.nearest_word = lru_cache(maxsize=10_000)(self._nearest_word)
        self._words = lru_cache(maxsize=LETTERS_KEPT)(self._read_words)

    def _known(self) -> tuple[dict[str, Any], list[Path]]:
        """The facts, and the folders of the parts in the order of rows."""
        if self.manifest.format == 2:  # all in one part, which is the folder itself
            return parts.facts_within(self.folder), [self.folder]
        known = json.loads((self.folder / FACTS).read_text(encoding="utf-8"))
        return known, [self.folder / parts.FOLDER / name for name in known["parts"]]

    def _rows_of_nodes(self) -> Rows | None:
        """For each node of the graph its row, or -1 if its document went; None if alike."""
        key_of = {report.id: report.key for report in self.manifest.documents}
        rows = [
            np.arange(*self._rows[d.document])
            if key_of.get(d.document) == d.key
            else np.full(d.nodes, -1)
            for d in self.planted
        ]
        placed = np.concatenate(rows) if rows else np.arange(self._size)
        return None if np.array_equal(placed, np.arange(self._size)) else placed

    def close(self) -> None:
        """Give back what only this process holds; ask nothing of it afterwards."""
        for part in self._parts:
            part.close()

    def _holding(self, rows: Rows) -> Iterator[tuple[Part, Rows]]:
        """The parts that hold rows, each with the places in `rows` of those it holds."""
        held = np.searchsorted(self._firsts, rows, side="right") - 1
        for number in np.unique(held).tolist():
            yield self._parts[number], np.flatnonzero(held == number)

    def _part(self, row: int) -> Part:
        """The part that holds a row."""
        return self._parts[int(np.searchsorted(self._firsts, row, side="right")) - 1]

    def rows_of(self, document_id: str) -> tuple[int, int]:
        """The first row of a document and the one after its last."""
        return self._rows[document_id]

    def documents_of(self, rows: Rows) -> list[Document]:
        """The document of each row, in the order asked."""
        places = np.searchsorted(self._ends, rows, side="right")
        return [self._ordered[place] for place in places.tolist()]

    def nearest(self, vector: Vectors, k: int, documents: Sequence[str] | None) -> Found:
        """The k passages most like a vector, by cosine, best first; among documents if given."""
        ranges = self._ranges(documents)
        among = sum(end - first for first, end in ranges)
        if self._nearest is not None and among > self._exact_up_to:
            rows = self._nearest.rows(vector, k, among / self._size)
            if rows is not None:
                if documents is not None:
                    rows = rows[within(rows, ranges)]
                if len(rows) >= k:
                    rows = rows[: 2 * k]
                    return top(rows, self.vectors(rows) @ vector, k)
        return self._scanned(vector, k, ranges)

    def exact(self, vector: Vectors, k: int, documents: Sequence[str] | None) -> Found:
        """What `nearest` would find by comparing every vector: a yardstick."""
        return self._scanned(vector, k, self._ranges(documents))

    def _ranges(self, documents: Sequence[str] | None) -> list[tuple[int, int]]:
        """The rows of documents as ranges, neighbours joined."""
        if documents is None:
            return [(0, self._size)]
        joined: list[tuple[int, int]] = []
        for first, end in sorted(self._rows[d] for d in documents):
            if joined and joined[-1][1] == first:
                joined[-1] = joined[-1][0], end
            elif end > first:
                joined.append((first, end))
        return joined

    def _scanned(self, vector: Vectors, k: int, ranges: Sequence[tuple[int, int]]) -> Found:
        """The k best rows of ranges, every one compared; nothing is copied."""
        # More threads wait for one another longer than one takes, above all when all are busy.
        faiss.omp_set_num_threads(1)
        rows, scores = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.float32)]
        for part, first, end in self._overlapping(ranges):
            best, places = faiss.knn(
                vector[np.newaxis, :],
                part.vectors[first - part.first : end - part.first],
                min(k, end - first),
                metric=faiss.METRIC_INNER_PRODUCT,
            )
            rows.append(places[0] + first)
            scores.append(best[0])
            part.gone_through(end - first)
        return top(np.concatenate(rows), np.concatenate(scores), k)

    def _overlapping(self, ranges: Sequence[tuple[int, int]]) -> Iterator[tuple[Part, int, int]]:
        """Ranges of rows parted where parts end."""
        for first, end in ranges:
            while first < end:
                part = self._part(first)
                yield part, first, min(end, part.end)
                first = part.end

    def matching(
        self, words: Mapping[str, float], k: int, documents: Sequence[str] | None
    ) -> Found:
        """The k passages that match weighted stems best by BM25F, among documents if given."""
        return self._lexical.best(any_of(words), k, documents if words else None)

    def candidates_each(
        self,
        vector: Vectors,
        words: Mapping[str, float],
        k: int,
        groups: Sequence[Sequence[str] | None],
    ) -> list[tuple[Found, Found]]:
        """What `nearest` and `matching` find in each of several groups of documents."""
        near = [self.nearest(vector, k, group) for group in groups]
        if len(groups) < 2 or not words:
            return [(n, self.matching(words, k, g)) for n, g in zip(near, groups, strict=True)]
        fetched = min(MOST_FETCHED, 2 * k * len(groups))
        hits = self._lexical.best_each(any_of(words), k, groups, fetched)
        return [(n, (rows[:k], scores[:k])) for n, (rows, scores) in zip(near, hits, strict=True)]

    def rows_with(
        self, phrases: Collection[Sequence[str]], k: int, groups: Sequence[Sequence[str]]
    ) -> list[Rows]:
        """The rows of each group whose text or headings hold every stem of some phrase."""
        if not phrases or not groups:
            return [np.empty(0, dtype=np.int64) for _ in groups]
        hits = self._lexical.best_each(any_whole(phrases), k, groups, k * len(groups))
        return [rows for rows, _ in hits]

    def vectors(self, rows: Rows) -> Vectors:
        """The passages' vectors, shape (rows, dimensions)."""
        if len(self._parts) == 1:
            return self._parts[0].vectors_of(rows)
        out = np.empty((len(rows), self._parts[0].vectors.shape[1]), dtype=np.float32)
        for part, places in self._holding(rows):
            out[places] = part.vectors_of(rows[places] - part.first)
        return out

    def vectors_of_statements(self, rows: Rows) -> tuple[Vectors, Rows]:
        """Vectors of the statements of rows, each row's in order, and how many each has."""
        if len(self._parts) == 1:
            return self._parts[0].vectors_of_statements(rows)
        counts = np.zeros(len(rows), dtype=np.int64)
        found = []
        for part, places in self._holding(rows):
            vectors, counts[places] = part.vectors_of_statements(rows[places] - part.first)
            found.append((places, vectors))
        starts = np.cumsum(counts) - counts
        out = np.empty((counts.sum(), self._parts[0].vectors.shape[1]), dtype=np.float32)
        for places, vectors in found:
            each = counts[places]
            out[
                np.arange(each.sum()) + np.repeat(starts[places] - np.cumsum(each) + each, each)
            ] = vectors
        return out, counts

    def document_frequency(self, word: str) -> int:
        """In how many passages a stem stands."""
        return self._frequency(word)

    def _count(self, word: str) -> int:
        return self._lexical.frequency(word)

    def _nearest_word(self, word: str) -> str | None:
        """The word of the documents that a word nowhere in them most likely is, or None."""
        if self.document_frequency(stem(word)) or self.encoder.knows(word):
            return None
        if spelling.is_english(word):
            return None
        known = self._words(*spelling.bounds(word)[:2])
        return None if word in known else spelling.likeliest(word, known)

    def _read_words(self, first: str, before: str) -> Mapping[str, int]:
        """The words from one to before another, in how many passages each is.

        Each part has words of its own, so they are put together once for a letter.
        """
        found: Counter[str] = Counter()
        sql = "SELECT word, passages FROM words WHERE word >= ? AND word < ?"
        for part in self._parts:
            found.update(dict(part.rows(sql, (first, before))))
        return found

    def passages(self, rows: Sequence[int]) -> list[Passage]:
        """The passages of rows, in the order asked."""
        return self._remembered(self._passages, rows, self._read_passages)

    def _read_passages(self, rows: Sequence[int]) -> dict[int, Passage]:
        found = {}
        for part, own in self._by_part(rows):
            for row, text in part.among("SELECT row, passage FROM passages", own):
                found[row + part.first] = passage_of(json.loads(text))
        return found

    def _by_part(self, rows: Sequence[int]) -> Iterator[tuple[Part, list[int]]]:
        """Rows by the part that holds them, as numbered there."""
        for part, places in self._holding(np.asarray(rows, dtype=np.int64)):
            yield part, [rows[place] - part.first for place in places.tolist()]

    def _remembered(
        self,
        kept: dict[int, T],
        rows: Sequence[int],
        read: Callable[[Sequence[int]], Mapping[int, T]],
    ) -> list[T]:
        """What belongs to rows, in the order asked: kept, or read and kept from now on."""
        try:
            return [kept[row] for row in rows]
        except KeyError:
            pass  # Another thread may empty what is kept at any moment.
        wanted = [int(row) for row in rows]
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
        return self._remembered(self._gists, rows, self._read_gists)

    def _read_gists(self, rows: Sequence[int]) -> dict[int, Gist]:
        return {
            row + part.first: gist
            for part, own in self._by_part(rows)
            for row, gist in gists.gists(part.among, own).items()
        }

    def statements(self, rows: Sequence[int]) -> list[Sequence[Stated]]:
        """The statements of rows, in the order asked; each row's in the order of their vectors."""
        return self._remembered(self._said, rows, self._read_statements)

    def _read_statements(self, rows: Sequence[int]) -> Mapping[int, Sequence[Stated]]:
        passages = dict(zip(rows, self.passages(rows), strict=True))
        if not self._prepared:
            return {r: statements(p, self.reading(p.document_id)) for r, p in passages.items()}
        found: dict[int, Sequence[Stated]] = {}
        for part, own in self._by_part(rows):
            held = gists.said(part.among, {row: passages[row + part.first] for row in own})
            found.update({row + part.first: said for row, said in held.items()})
        return found

    def pages(self, document_id: str) -> Sequence[Page]:
        """The pages of a document, without the rest of its reading."""
        return self._pages(document_id)

    def _read_pages(self, document_id: str) -> tuple[Page, ...]:
        sql = "SELECT pages FROM documents WHERE id = ?"
        ((pages,),) = self._part_of[document_id].rows(sql, (document_id,))
        return pages_of(pages)

    def reading(self, document_id: str) -> Reading:
        """The canonical text, sections and pages of a document."""
        return self._reading(document_id)

    def _read(self, document_id: str) -> Reading:
        (found,) = self._part_of[document_id].rows(
            "SELECT text, sections, pages, warnings, reader FROM documents WHERE id = ?",
            (document_id,),
        )
        return reading_of(*found)

    def embedding_keys(self, document_id: str) -> list[str]:
        """What the vectors of each of a document's rows were made of, in order."""
        first, end = self._rows[document_id]
        part = self._part_of[document_id]
        found = part.rows(
            "SELECT embedding_key FROM passages WHERE row >= ? AND row < ? ORDER BY row",
            (first - part.first, end - part.first),
        )
        return [key for (key,) in found]

    def rendered(self, document_id: str, key: str) -> Rendered | None:
        """A document as it lies in its part, if it is the one of that key."""
        report = self.reports.get(document_id)
        if report is None or not key or report.key != key:
            return None
        part, (first, end) = self._part_of[document_id], self._rows[document_id]
        return part.rendered(document_id, first - part.first, end - part.first)

    def definitions(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        """By document the acronyms that it defines, as (short, long); none of what is not known."""
        return self._definitions
