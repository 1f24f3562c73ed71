"""Candidates for a question: BM25 and embeddings, fused by a convex combination of their scores.

Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval" (TOIS 2023): scores
brought to one scale and added by weight beat reciprocal rank fusion once the weight is set on a few
judged questions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from corpus.model import Document
from indexer.analyse import terms
from indexer.embed import Vectors
from indexer.store import Rows, Store
from search_api.model import Understood
from search_api.settings import SearchSettings
from search_api.understand import FRAME_STEMS


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that may answer: its row, fused score, BM25 and cosine."""

    row: int
    score: float
    lexical: float
    dense: float


@dataclass(frozen=True, slots=True)
class Scope:
    """The documents that are searched, in row order, and their rows."""

    documents: tuple[Document, ...]
    rows: Rows

    @property
    def document_ids(self) -> list[str]:
        """Their ids."""
        return [d.id for d in self.documents]


def scope_of(store: Store, documents: Sequence[Document]) -> Scope:
    """The rows of documents."""
    ranges = [np.arange(*store.rows_of(d.id), dtype=np.int64) for d in documents]
    rows = np.concatenate(ranges) if ranges else np.empty(0, dtype=np.int64)
    return Scope(tuple(documents), rows)


def words_of(understood: Understood, expansion_weight: float) -> dict[str, float]:
    """Stems to search for, with weights: those asked for whole, those added less."""
    asked = [w for w in terms(understood.subject) if w not in FRAME_STEMS]
    words = dict.fromkeys(asked or terms(understood.subject), 1.0)
    for expansion in understood.expansions:
        for word in terms(expansion.to):
            words.setdefault(word, expansion_weight)
    return words


def text_to_embed(understood: Understood) -> str:
    """The subject with its acronyms spelled out, for the embedding model."""
    return understood.subject + "".join(f" ({e.to})" for e in understood.expansions)


def retrieve(
    store: Store,
    understood: Understood,
    vector: Vectors,
    scope: Scope,
    settings: SearchSettings,
) -> list[Candidate]:
    """Candidates in a scope, best first; ties go to the lower row."""
    if not len(scope.rows):
        return []
    whole = len(scope.rows) == store.manifest.passages
    k = settings.candidates
    dense_rows, dense = store.nearest(vector, k, None if whole else scope.rows)
    words = words_of(understood, settings.expansion_weight)
    lexical_rows, lexical = store.matching(words, k, None if whole else scope.document_ids)
    bm25 = dict(zip(lexical_rows.tolist(), lexical.tolist(), strict=True))
    cosine = dict(zip(dense_rows.tolist(), dense.tolist(), strict=True))
    missing = [row for row in bm25 if row not in cosine]
    if missing:
        found = store.vectors(np.asarray(missing)) @ vector
        cosine |= dict(zip(missing, found.tolist(), strict=True))
    top = max(bm25.values(), default=0.0) or 1.0
    low = min(cosine.values())
    span = (max(cosine.values()) - low) or 1.0
    share = settings.lexical_share
    out = [
        Candidate(
            row=row,
            score=share * bm25.get(row, 0.0) / top + (1 - share) * (similarity - low) / span,
            lexical=bm25.get(row, 0.0),
            dense=similarity,
        )
        for row, similarity in cosine.items()
    ]
    return sorted(out, key=lambda c: (-round(c.score, 5), c.row))
