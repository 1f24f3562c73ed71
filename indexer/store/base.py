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
Found = tuple[Rows, Scores]
"""Rows and their scores, best first."""
BM25_DECIMALS = 2


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
    planted: "Sequence[Planted]"
    """What its graph holds, in order, if it has one that can be gone on from."""

    def rows_of(self, document_id: str) -> tuple[int, int]:
        """The first row of a document and the one after its last."""
        ...

    def documents_of(self, rows: Rows) -> list[Document]:
        """The document of each row, in the order asked."""
        ...

    def nearest(self, vector: Vectors, k: int, documents: Sequence[str] | None) -> Found:
        """The k passages most like a vector, by cosine, best first; among documents if given."""
        ...

    def matching(
        self, words: Mapping[str, float], k: int, documents: Sequence[str] | None
    ) -> Found:
        """The k passages that match weighted stems best by BM25F, among documents if given."""
        ...

    def candidates_each(
        self,
        vector: Vectors,
        words: Mapping[str, float],
        k: int,
        groups: Sequence[Sequence[str] | None],
    ) -> list[tuple[Found, Found]]:
        """What `nearest` and `matching` find in each of several groups of documents."""
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

    def vectors_of_statements(self, rows: Rows) -> tuple[Vectors, Rows]:
        """Vectors of the statements of rows, each row's in order, and how many each has."""
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

    def embedding_keys(self, document_id: str) -> list[str]:
        """What the vectors of each of a document's rows were made of, in order."""
        ...

    def definitions(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        """By document the acronyms that it defines, as (short, long); none of what is not known."""
        ...


@dataclass(frozen=True, slots=True)
class Made:
    """What a document was made into.

    `vectors` has the shape (passages, dimensions), `statements` (statements, dimensions); `ends`
    says for each passage how many statements there are up to its last, and `embedding_keys` what
    its vectors were made of.
    """

    reading: Reading
    passages: Sequence[Passage]
    vectors: Vectors
    statements: Vectors
    ends: Rows
    embedding_keys: Sequence[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A document of a generation: how many passages it has, and what gives the rest of it.

    `key` is a hash of all that it is made of and how: what has the same key is the same, so a store
    may take over what the generation before it holds of it instead of asking for it.
    """

    document: Document
    passages: int
    key: str
    make: Callable[[], Made]


@dataclass(frozen=True, slots=True)
class Planted:
    """A document in a graph of vectors: its key and how many nodes it has there."""

    document: str
    key: str
    nodes: int


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a generation holds, its documents in the order of their rows.

    `nearest` is how a folder finds vectors where they are too many to compare all (see `ann.plan`),
    `planted` the order in which a graph takes documents. `before` is an open generation that may
    hold some of the documents already.
    """

    systems: Collection[System]
    themes: Collection[Theme]
    documents: Sequence[Entry]
    dimensions: int
    acronyms: Sequence[Acronym]
    definitions: Mapping[str, Sequence[tuple[str, str]]]
    nearest: Mapping[str, Any] | None = None
    planted: Sequence[Planted] = ()
    before: Store | None = None


def as_planted(documents: Sequence[Entry]) -> list[Planted]:
    """Documents in the order of their rows, as a graph made of them at once holds them."""
    return [Planted(entry.document.id, entry.key, entry.passages) for entry in documents]


def made_of(store: Store, document_id: str) -> Made:
    """What a store holds of a document."""
    rows = np.arange(*store.rows_of(document_id), dtype=np.int64)
    statements, counts = store.vectors_of_statements(rows)
    return Made(
        reading=store.reading(document_id),
        passages=store.passages(rows.tolist()),
        vectors=store.vectors(rows),
        statements=statements,
        ends=np.cumsum(counts, dtype=np.int64),
        embedding_keys=store.embedding_keys(document_id),
    )


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
        self,
        contents: Contents,
        encoder: Encoder,
        manifest: Callable[[Mapping[str, FileFacts]], Manifest],
    ) -> None:
        """Keep a generation, all or nothing. `manifest` is given the facts of its files, if any."""
        ...

    def switch(self, index_id: str, keep: int) -> Manifest:
        """Serve a generation, and delete all but the newest `keep`."""
        ...


def top(rows: Rows, scores: Scores, k: int) -> Found:
    """The k best of rows with their scores, best first; ties go to the lower row."""
    if len(rows) > k:
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        kept = scores >= least
        rows, scores = rows[kept], scores[kept]
    order = np.lexsort((rows, -scores))[:k]
    return rows[order], scores[order]


def within(rows: Rows, ranges: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    """Which rows lie in one of the ranges, that are in order and apart."""
    firsts, ends = np.array(ranges, dtype=np.int64).reshape(-1, 2).T
    if not len(firsts):
        return np.zeros(len(rows), dtype=np.bool_)
    held = np.searchsorted(firsts, rows, side="right") - 1
    inside: NDArray[np.bool_] = (held >= 0) & (rows < ends[held])
    return inside
