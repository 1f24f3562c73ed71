"""Candidates in order: a few features of each, weighed by a linear model.

The features say nothing of any one collection: how well words and meaning match, how much of the
question is covered, and whether a row with a date is what was asked for. The weights were fitted by
`python -m eval.fit` with a softmax over each question's candidates (Cao and others, "Learning to
Rank: From Pairwise Approach to Listwise Approach", ICML 2007), on our questions and on three
public collections together, never on the fresh questions.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from indexer.analyse import distinct
from indexer.embed import Vectors
from indexer.store import Rows, Store
from search_api.cover import shares, weights_of
from search_api.model import Understood

Numbers = NDArray[np.float64]

FEATURES = (
    "lexical",  # BM25, in standard deviations over the candidates
    "dense",  # cosine of question and passage, likewise
    "statement",  # the best cosine of question and one statement of the passage, likewise
    "feedback",  # cosine of the passage and what the first candidates have in common, likewise
    "inside",  # share of the question's words in the passage, by rarity
    "around",  # the same, with headings and title
    "length",  # logarithm of the number of words
    "row",  # a table row
    "asked row",  # a table row, where a date, a number or a promise is asked for
    "asked date",  # a date, where one is asked for
)
WEIGHTS = np.array([0.32, 0.40, 0.23, 0.09, 0.29, 2.43, 0.11, 0.13, 0.24, 0.54])
HEAD = 100
"""How many of the best fused candidates are weighed again."""
FEEDBACK = 5
WHEN = re.compile(
    r"\bwhen\b|\bby what\b|\bdeadlines?\b|\bdates?\b|\bdue\b|\btargets?\b|\bhow (?:many|much)\b"
    r"|\bpromis|\bexpect(?:s|ed)\b|\bcommit|\bby (?:the )?(?:end|spring|summer|autumn|winter)\b",
    re.IGNORECASE,
)
DATE = re.compile(r"\b20\d\d\b|\bQ[1-4]\b")


@dataclass(frozen=True, slots=True)
class Analysed:
    """What ranking needs to know of a passage's words."""

    own: frozenset[str]
    around: frozenset[str]
    words: int
    dated: bool


@lru_cache(maxsize=20_000)
def analysed(text: str, heading: tuple[str, ...], title: str) -> Analysed:
    """The words of a passage, worked out once."""
    return Analysed(
        own=distinct(text),
        around=distinct(" ".join((*heading, title))),
        words=len(text.split()),
        dated=DATE.search(text) is not None,
    )


def scaled(values: Numbers) -> Numbers:
    """Values in standard deviations from their mean; zeros where all are the same."""
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 1e-9 else np.zeros_like(values)


def features(
    store: Store,
    understood: Understood,
    vector: Vectors,
    rows: Rows,
    lexical: Numbers,
    dense: Numbers,
) -> Numbers:
    """The features of the best candidates, shape (rows, features).

    Args:
        rows: the candidates, those with the best fused score first.
        lexical: their BM25, in standard deviations.
        dense: their cosines, in standard deviations.
    """
    passages = store.passages(rows.tolist())
    known = [analysed(p.text, p.heading, p.document_title) for p in passages]
    weights = weights_of(understood, store)
    covered = [shares(weights, a.own, a.around) for a in known]
    when = WHEN.search(understood.text) is not None
    row = np.array([p.form == "table_row" for p in passages], dtype=np.float64)
    dated = np.array([a.dated for a in known], dtype=np.float64)
    return np.column_stack(
        [
            lexical,
            dense,
            scaled(best_statements(store, vector, rows)),
            scaled(feedback(store, rows)),
            [inside for inside, _ in covered],
            [around for _, around in covered],
            [math.log1p(a.words) for a in known],
            row,
            row * when,
            dated * when,
        ]
    )


def best_statements(store: Store, vector: Vectors, rows: Rows) -> Numbers:
    """The best cosine of the question and a statement of each passage; the mean if it has none."""
    found = [store.statement_vectors(row) for row in rows.tolist()]
    counts = np.array([len(f) for f in found])
    if not counts.sum():
        return np.zeros(len(rows))
    cosines = np.concatenate(found) @ vector
    ends = np.cumsum(counts)
    best = [
        float(cosines[end - count : end].max()) if count else np.nan
        for end, count in zip(ends, counts, strict=True)
    ]
    out = np.array(best)
    return np.where(np.isnan(out), np.nanmean(out), out)


def feedback(store: Store, rows: Rows) -> Numbers:
    """How like the first few candidates each candidate is.

    Relevance feedback without a judge, as Rocchio (1971) with the first few taken for relevant.
    """
    vectors = store.vectors(rows)
    middle = vectors[:FEEDBACK].mean(axis=0)
    similar: Numbers = (vectors @ middle).astype(np.float64)
    return similar


def weighed(found: Numbers) -> Numbers:
    """Scores of candidates from their features."""
    scores: Numbers = found @ WEIGHTS
    return scores


def order(scores: Sequence[float], rows: Sequence[int]) -> list[int]:
    """Places from the best score to the worst; ties go to the lower row."""
    return sorted(range(len(rows)), key=lambda i: (-round(scores[i], 5), rows[i]))
