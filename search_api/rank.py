"""Candidates in order: a few features of each, weighed by a linear model.

The features say nothing of any one collection: how well words and meaning match, how much of the
question is covered, and whether a row with a date is what was asked for. The weights were fitted by
`python -m eval.fit` with a softmax over each question's candidates (Cao and others, "Learning to
Rank: From Pairwise Approach to Listwise Approach", ICML 2007), on our questions and on three
public collections together, never on the fresh questions. That of the concepts was set afterwards
on our questions, the others left as they were.
"""

import math
import re
from collections.abc import Mapping, Sequence, Set

import numpy as np
from numpy.typing import NDArray

from indexer.embed import Vectors
from indexer.gist import Standing, standing
from indexer.store import Rows, Store
from search_api.concepts import About, concepts_of
from search_api.cover import Weight, shares, weights_of
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
    "concepts",  # terms of what such questions are about, in the passage or around it
)
WEIGHTS = np.array([0.17, 0.58, 0.42, 0.09, 0.20, 1.43, 0.18, 0.23, 0.03, 0.20, 2.26])
HEAD = 100
"""How many of the best fused candidates are weighed again."""
FEEDBACK = 5
WHEN = re.compile(
    r"\bwhen\b|\bby what\b|\bdeadlines?\b|\bdates?\b|\bdue\b|\btargets?\b|\bhow (?:many|much)\b"
    r"|\bpromis|\bexpect(?:s|ed)\b|\bcommit|\bby (?:the )?(?:end|spring|summer|autumn|winter)\b",
    re.IGNORECASE,
)


def scaled(values: Numbers) -> Numbers:
    """Values in standard deviations from their mean; zeros where all are the same."""
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 1e-9 else np.zeros_like(values)


def features(
    store: Store,
    understood: Understood,
    vector: Vectors,
    about: Sequence[About],
    rows: Rows,
    lexical: Numbers,
    dense: Numbers,
) -> Numbers:
    """The features of the best candidates, shape (rows, features).

    Args:
        vector: to look for passages with.
        about: the concepts that the question is about.
        rows: the candidates, those with the best fused score first.
        lexical: their BM25, in standard deviations.
        dense: their cosines, in standard deviations.
    """
    known = store.gists(rows.tolist())
    concepts = concepts_of(store)
    weights = weights_of(understood, store)
    words = stems_in(weights)
    held = standing(words | concepts.stems(about), known)
    covered = coverage(weights, words, held)
    when = WHEN.search(understood.text) is not None
    row = np.array([gist.form == "table_row" for gist in known], dtype=np.float64)
    dated = np.array([gist.dated for gist in known], dtype=np.float64)
    return np.column_stack(
        [
            lexical,
            dense,
            scaled(best_statements(store, vector, rows)),
            scaled(feedback(store, rows)),
            [inside for inside, _ in covered],
            [around for _, around in covered],
            [math.log1p(gist.words) for gist in known],
            row,
            row * when,
            dated * when,
            concepts.held(about, held),
        ]
    )


def stems_in(weights: Mapping[str, Weight]) -> frozenset[str]:
    """The words asked for, and all that count in place of one."""
    instead = (words for weight in weights.values() for words, _ in weight.instead)
    return frozenset(weights).union(*instead)


def coverage(
    weights: Mapping[str, Weight], words: Set[str], held: Sequence[Standing]
) -> list[tuple[float, float]]:
    """For each passage the share of the words asked for in it, and with what is around it.

    Most passages hold the same few of the words, or none, so each such case is worked out once.
    """
    told: dict[tuple[Set[str], Set[str]], tuple[float, float]] = {}
    out = []
    for own, around in held:
        asked = own & words, around & words
        if asked not in told:
            told[asked] = shares(weights, *asked)
        out.append(told[asked])
    return out


def best_statements(store: Store, vector: Vectors, rows: Rows) -> Numbers:
    """The best cosine of the question and a statement of each passage; the mean if it has none."""
    found, counts = store.vectors_of_statements(rows)
    if not len(found):
        return np.zeros(len(rows))
    cosines = (found @ vector).astype(np.float64)
    some = counts > 0
    best = np.maximum.reduceat(cosines, (np.cumsum(counts) - counts)[some])
    out = np.full(len(rows), best.mean())
    out[some] = best
    return out


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


def order(scores: Numbers, rows: Rows) -> Rows:
    """Places from the best score to the worst; ties go to the lower row."""
    return np.lexsort((rows, -np.round(scores, 5)))
