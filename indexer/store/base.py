"""What a store of one generation can be asked. Rows are passages, numbered from 0 in order."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.model import Document, Page, Passage, Reading, System, Theme
from indexer.embed import Encoder, Vectors
from indexer.gist import Gist
from indexer.manifest import DocumentReport, FileFacts, Manifest
from indexer.statements import Stated

Rows = NDArray[np.int64]
Scores = NDArray[np.float32]
BM25_DECIMALS = 2
Parts = tuple[Document, Reading, Sequence[Passage]]
"""A document, how it was read, and its passages."""


@dataclass(frozen=True, slots=True)
class Acronym:
    """A short form and what it stands for, as a document defines it or a curated list says."""

    short: str
    long: str
    documents: tuple[str, ...] = ()


def rounded(bm25: Scores) -> Scores:
    """BM25 with two decimals: stores add up the same 32-bit numbers in different orders."""
    return np.asarray(np.round(bm25, BM25_DECIMALS), dtype=np.float32)


class Store(Protocol):
    """One generation of an index, open for reading. Safe to use from many threads."""

    manifest: Manifest
    encoder: Encoder
    systems: Mapping[str, System]
    themes: Mapping[str, Theme]
    documents: Mapping[str, Document]
    acronyms: Sequence[Acronym]
    reports: Mapping[str, DocumentReport]

    def rows_of(self, document_id: str) -> tuple[int, int]:
        """The first row of a document and the one after its last."""
        ...

    def nearest(
        self, vector: Vectors, k: int, documents: Sequence[str] | None
    ) -> tuple[Rows, Scores]:
        """The k passages most like a vector, by cosine, best first; among documents if given."""
        ...

    def matching(
        self, words: Mapping[str, float], k: int, documents: Sequence[str] | None
    ) -> tuple[Rows, Scores]:
        """The k passages that match weighted stems best by BM25F, among documents if given."""
        ...

    def candidates(
        self,
        vector: Vectors,
        words: Mapping[str, float],
        k: int,
        documents: Sequence[str] | None,
    ) -> tuple[tuple[Rows, Scores], tuple[Rows, Scores]]:
        """What `nearest` and `matching` find; a database is asked for both at once."""
        ...

    def candidates_each(
        self,
        vector: Vectors,
        words: Mapping[str, float],
        k: int,
        groups: Sequence[Sequence[str] | None],
    ) -> list[tuple[tuple[Rows, Scores], tuple[Rows, Scores]]]:
        """What `candidates` finds in each of several groups of documents."""
        ...

    def rows_with(
        self, phrases: Collection[Sequence[str]], k: int, groups: Sequence[Sequence[str]]
    ) -> list[Rows]:
        """The rows of each group that may hold every stem of some phrase, and perhaps others.

        At least the best k of each group are looked for; more may be given.
        """
        ...

    def vectors(self, rows: Rows) -> Vectors:
        """The passages' vectors, shape (rows, dimensions)."""
        ...

    def statement_vectors(self, row: int) -> Vectors:
        """Vectors of a passage's statements in order, shape (statements, dimensions)."""
        ...

    def vectors_of_statements(self, rows: Rows) -> tuple[Vectors, Rows]:
        """Statement vectors of many rows, one row's after the other's, and how many each has."""
        ...

    def document_frequency(self, word: str) -> int:
        """In how many passages a stem stands."""
        ...

    def nearest_word(self, word: str) -> str | None:
        """The word of the documents that a word nowhere in them most likely is, or None."""
        ...

    def passages(self, rows: Sequence[int]) -> list[Passage]:
        """The passages of rows, in the order asked."""
        ...

    def gists(self, rows: Sequence[int]) -> list[Gist]:
        """What ranking needs to know of the passages of rows, in the order asked."""
        ...

    def statements(self, rows: Sequence[int]) -> list[Sequence[Stated]]:
        """The statements of rows, in the order asked; each row's in the order of their vectors."""
        ...

    def pages(self, document_id: str) -> Sequence[Page]:
        """The pages of a document, without the rest of its reading."""
        ...

    def reading(self, document_id: str) -> Reading:
        """The canonical text, sections and pages of a document."""
        ...

    def embedding_keys(self) -> list[str]:
        """What each row's vectors were made of, in the order of rows."""
        ...


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a generation holds, in the order of its rows.

    `vectors` has the shape (passages, dimensions), `statement_vectors` (statements, dimensions);
    `statement_ends` says for each passage how many statements there are up to its last, and
    `embedding_keys` what its vectors were made of. `nearest` is how a folder finds vectors where
    they are too many to compare all (see `ann.plan`).
    """

    systems: Collection[System]
    themes: Collection[Theme]
    documents: Collection[Parts]
    vectors: Vectors
    statement_vectors: Vectors
    statement_ends: Rows
    embedding_keys: Sequence[str]
    acronyms: Sequence[Acronym]
    nearest: Mapping[str, Any] | None = None


class Place(Protocol):
    """Where generations are kept, for writing. What was served before is served until `switch`."""

    models: Path
    """Folder of the exported models."""
    progress: Path
    """Folder of what an unfinished build has embedded so far, of no other place."""

    def writing(self) -> AbstractContextManager[None]:
        """Hold it for writing; everything below is called within.

        Raises:
            IndexBusy: another process is writing.
            IndexWriteError: it cannot be written.
        """
        ...

    def former(self, encoder: Encoder) -> Store | None:
        """The generation served until now, if it can be opened."""
        ...

    def holds(self, index_id: str) -> bool:
        """Whether a generation is there, whole."""
        ...

    def write(
        self, contents: Contents, manifest: Callable[[Mapping[str, FileFacts]], Manifest]
    ) -> None:
        """Keep a generation, all or nothing. `manifest` is given the facts of its files, if any."""
        ...

    def switch(self, index_id: str, keep: int) -> Manifest:
        """Serve a generation, and delete all but the newest `keep`."""
        ...


def top(rows: Rows, scores: Scores, k: int) -> tuple[Rows, Scores]:
    """The k best of rows with their scores, best first; ties go to the lower row."""
    if len(rows) > k:
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        kept = scores >= least
        rows, scores = rows[kept], scores[kept]
    order = np.lexsort((rows, -scores))[:k]
    return rows[order], scores[order]
