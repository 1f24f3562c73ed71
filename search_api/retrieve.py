"""Candidates for a question: BM25 and embeddings, fused, and the best of them ranked again.

Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval" (TOIS 2023): scores
brought to one scale and added by weight beat reciprocal rank fusion once the weight is set on a few
judged questions. The scale here is standard deviations over the candidates.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from corpus.model import Document
from indexer.analyse import terms
from indexer.embed import Vectors
from indexer.store import Rows, Scores, Store
from search_api import rank
from search_api.concepts import About, concepts_of
from search_api.cover import asked_words
from search_api.model import Understood
from search_api.rank import Numbers, scaled
from search_api.settings import SearchSettings
from search_api.thesaurus import SOURCE


class Candidate(NamedTuple):
    """A passage that may answer: its row, score and BM25 (0 if no word was found in it)."""

    row: int
    score: float
    lexical: float


@dataclass(frozen=True, slots=True)
class Scope:
    """The documents that are searched, in row order, and how many passages they have."""

    documents: tuple[Document, ...]
    passages: int

    @property
    def document_ids(self) -> list[str]:
        """Their ids."""
        return [d.id for d in self.documents]


@dataclass(frozen=True, slots=True)
class Pool:
    """Everything that either retriever found: rows, BM25 (0 if not found by it) and cosines."""

    rows: Rows
    lexical: Numbers
    dense: Numbers


def scope_of(store: Store, documents: Sequence[Document]) -> Scope:
    """What searching documents means: their passages counted."""
    return Scope(tuple(documents), sum(store.reports[d.id].passages for d in documents))


def words_of(understood: Understood, settings: SearchSettings) -> dict[str, float]:
    """Stems to search for, with weights: those asked for whole, those added less."""
    words = dict.fromkeys(asked_words(understood), 1.0)
    for expansion in understood.expansions:
        alike = expansion.source == SOURCE
        weight = settings.alike_weight if alike else settings.expansion_weight
        for word in terms(expansion.to):
            words[word] = max(weight, words.get(word, 0.0))
    return words


def text_to_embed(understood: Understood) -> str:
    """The subject for the embedding model: acronyms spelled out, one other word for each phrase.

    An acronym and its long form are both written "long form (ACRONYM)", so that either way of
    asking gives nearly the same vector.
    """
    text = understood.subject
    others: dict[str, str] = {}
    for e in understood.expansions:
        if e.source == SOURCE:
            others.setdefault(e.from_, e.to)
            continue
        long, short = (e.to, e.from_) if len(e.to) > len(e.from_) else (e.from_, e.to)
        typed = re.compile(rf"(?<!\w){re.escape(e.from_)}(?!\w)", re.IGNORECASE)
        both = f"{long} ({short})"
        found = typed.search(text)
        if found is None:
            others[both] = e.to
        else:
            text = text[: found.start()] + both + text[found.end() :]
    return text + "".join(f" ({to})" for to in others.values())


@dataclass(frozen=True, slots=True)
class Ordered:
    """A pool in its first order, and the features of its head, those to be weighed again."""

    pool: Pool
    head: Rows
    tail: Rows
    fused: Numbers
    features: Numbers


def retrieve(
    store: Store,
    understood: Understood,
    vector: Vectors,
    scope: Scope,
    settings: SearchSettings,
) -> list[Candidate]:
    """Candidates in a scope, best first; ties go to the lower row.

    Args:
        vector: of the question.
    """
    (found,) = retrieve_each(store, understood, vector, [scope], settings)
    return found


def retrieve_each(
    store: Store,
    understood: Understood,
    vector: Vectors,
    scopes: Sequence[Scope],
    settings: SearchSettings,
) -> list[list[Candidate]]:
    """The same for each of several scopes: each has candidates of its own."""
    found = ordered_each(store, understood, vector, scopes, settings)
    return [[] if first is None else _candidates(first) for first in found]


def _candidates(first: Ordered) -> list[Candidate]:
    pool, fused = first.pool, first.fused
    scores = rank.weighed(first.features)
    # The rest stay in their first order, below the last of those weighed.
    below = float(scores.min()) + fused[first.tail] - float(fused[first.head].min())
    places, scores = np.concatenate([first.head, first.tail]), np.concatenate([scores, below])
    rows, lexical = pool.rows[places], pool.lexical[places]
    best = rank.order(scores, rows)
    return [*map(Candidate, rows[best].tolist(), scores[best].tolist(), lexical[best].tolist())]


def ordered_each(
    store: Store,
    understood: Understood,
    vector: Vectors,
    scopes: Sequence[Scope],
    settings: SearchSettings,
) -> list[Ordered | None]:
    """The candidates of each scope by fused score, or None where there are none."""
    about = concepts_of(store).about(vector)
    pools = pools_of(store, understood, vector, scopes, settings)
    return [in_order(store, understood, vector, about, pool, settings) for pool in pools]


def in_order(
    store: Store,
    understood: Understood,
    vector: Vectors,
    about: Sequence[About],
    pool: Pool,
    settings: SearchSettings,
) -> Ordered | None:
    """A pool by fused score, or None where nothing is in it."""
    if not len(pool.rows):
        return None
    lexical, dense = scaled(pool.lexical), scaled(pool.dense)
    fused = settings.lexical_share * lexical + (1 - settings.lexical_share) * dense
    places = rank.order(fused, pool.rows)
    head, tail = places[: rank.HEAD], places[rank.HEAD :]
    rows = pool.rows[head]
    found = rank.features(store, understood, vector, about, rows, lexical[head], dense[head])
    return Ordered(pool, head, tail, fused, found)


def pools_of(
    store: Store,
    understood: Understood,
    vector: Vectors,
    scopes: Sequence[Scope],
    settings: SearchSettings,
) -> list[Pool]:
    """What each retriever finds in each scope, with the cosines of what only BM25 found."""
    whole = store.manifest.passages
    groups = [None if scope.passages == whole else scope.document_ids for scope in scopes]
    words = words_of(understood, settings)
    each = store.candidates_each(vector, words, settings.candidates, groups)
    return [_pool(store, vector, near, matched) for near, matched in each]


def _pool(
    store: Store, vector: Vectors, near: tuple[Rows, Scores], matched: tuple[Rows, Scores]
) -> Pool:
    lexical = dict(zip(matched[0].tolist(), matched[1].tolist(), strict=True))
    missing = sorted(lexical.keys() - set(near[0].tolist()))
    rows = np.concatenate([near[0], np.array(missing, dtype=np.int64)])
    dense = np.concatenate([near[1], store.vectors(rows[len(near[0]) :]) @ vector])
    return Pool(
        rows,
        np.array([lexical.get(row, 0.0) for row in rows.tolist()]),
        dense.astype(np.float64),
    )
