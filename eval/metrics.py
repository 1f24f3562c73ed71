"""Measures of runs against judgements, and what a difference between two runs is worth.

The measures come from ir-measures (MacAvaney, Macdonald and Ounis, ECIR 2022); what it lacks is
worked out here. A run or qrels file in TREC format can be checked with any other tool.

nDCG uses the graded relevance as its gain. alpha-nDCG (Clarke and others, SIGIR 2008) and subtopic
recall (Zhai, Cohen and Lafferty, SIGIR 2003) take the system that a passage belongs to as its
subtopic: plain nDCG cannot see one document crowding out the rest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ranked = Mapping[str, Sequence[str]]
"""A run: the passages found for each question, best first."""
Qrels = Mapping[str, Mapping[str, int]]
"""Relevance of passages for each question; what is not there was not judged."""
Values = Mapping[str, float]
"""A measure's value for each question."""
Numbers = NDArray[np.float64]

MEASURES = ("nDCG@10", "R@10", "R@20", "RR@10")
DIVERSITY = ("alpha_nDCG@10", "StRecall@10")
RESAMPLES = 10_000
SEED = 20230701
# Two-sided 5 % and power 80 %: the quantiles .975 and .8 of the normal distribution, added.
DETECTABLE = 1.959964 + 0.841621


def scored(run: Ranked) -> dict[str, dict[str, float]]:
    """A run with scores that only keep its order, as evaluation tools take it."""
    return {
        query: {passage: float(len(found) - rank) for rank, passage in enumerate(found)}
        for query, found in run.items()
    }


def measure(qrels: Qrels, run: Ranked) -> dict[str, dict[str, float]]:
    """Each measure's value for each judged question; 0 where the run found nothing."""
    import ir_measures

    wanted = [ir_measures.parse_measure(name) for name in MEASURES]
    out: dict[str, dict[str, float]] = {name: dict.fromkeys(qrels, 0.0) for name in MEASURES}
    found = {query: passages for query, passages in scored(run).items() if query in qrels}
    for value in ir_measures.iter_calc(wanted, {q: dict(r) for q, r in qrels.items()}, found):
        out[MEASURES[wanted.index(value.measure)]][value.query_id] = float(value.value)
    out["places@10"] = {q: filled(r, run.get(q, ()), 10) for q, r in qrels.items()}
    out["judged@10"] = {q: judged(r, run.get(q, ()), 10) for q, r in qrels.items()}
    return out


def filled(relevance: Mapping[str, int], found: Sequence[str], places: int) -> float:
    """Share of the first places that could hold a relevant passage and do.

    Recall that can reach 1 where there are more relevant passages than places.
    """
    relevant = {passage for passage, grade in relevance.items() if grade > 0}
    return len(relevant & set(found[:places])) / max(1, min(places, len(relevant)))


def judged(relevance: Mapping[str, int], found: Sequence[str], places: int) -> float:
    """Share of what stands in the first places that anybody judged."""
    first = found[:places]
    return sum(passage in relevance for passage in first) / max(1, len(first))


def diversity(
    qrels: Qrels, run: Ranked, subtopic: Mapping[str, str]
) -> dict[str, dict[str, float]]:
    """alpha-nDCG and subtopic recall for the questions that more than one subtopic answers.

    Args:
        subtopic: of each judged passage.
    """
    import ir_measures

    of = {q: {subtopic[p] for p, grade in r.items() if grade > 0} for q, r in qrels.items()}
    several = [q for q, subtopics in of.items() if len(subtopics) > 1]
    out: dict[str, dict[str, float]] = {name: dict.fromkeys(several, 0.0) for name in DIVERSITY}
    if not several:
        return out
    wanted = [ir_measures.parse_measure(name) for name in DIVERSITY]
    judged = [
        ir_measures.Qrel(query, passage, grade, subtopic[passage])
        for query in several
        for passage, grade in qrels[query].items()
    ]
    found = {
        query: passages for query, passages in scored(run).items() if query in out[DIVERSITY[0]]
    }
    for value in ir_measures.iter_calc(wanted, judged, found):
        out[DIVERSITY[wanted.index(value.measure)]][value.query_id] = float(value.value)
    return out


def mean(values: Iterable[float]) -> float:
    """The mean; 0 of nothing."""
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its 95 % bootstrap interval, over so many questions."""

    mean: float
    low: float
    high: float
    count: int


def interval(values: Sequence[float]) -> Interval:
    """The mean and its percentile bootstrap interval, questions drawn with replacement."""
    if not values:
        return Interval(0.0, 0.0, 0.0, 0)
    drawn = _resampled(np.asarray(values, dtype=np.float64))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(mean(values), float(low), float(high), len(values))


def _resampled(values: Numbers) -> Numbers:
    """Means of as many values drawn with replacement, `RESAMPLES` times."""
    chance = np.random.default_rng(SEED)
    picks = chance.integers(0, len(values), (RESAMPLES, len(values)))
    means: Numbers = values[picks].mean(axis=1)
    return means


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better one run is than another over the same questions.

    `by_topic` is the interval when whole topics are drawn, since questions of one topic rise and
    fall together. `detectable` is the smallest true difference that so many questions show four
    times out of five.
    """

    mean: float
    low: float
    high: float
    p: float
    detectable: float
    count: int
    better: int
    worse: int
    by_topic: tuple[float, float] | None = None


def difference(one: Values, other: Values, topics: Mapping[str, str] | None = None) -> Difference:
    """The paired difference `one - other`: bootstrap interval and randomisation test.

    Smucker, Allan and Carterette, "A Comparison of Statistical Significance Tests for Information
    Retrieval Evaluation" (CIKM 2007): under the null hypothesis the two values of a question could
    as well be swapped, so signs are flipped at random.

    Args:
        topics: of each question, for the second interval.
    """
    shared = sorted(one.keys() & other.keys())
    if not shared:
        return Difference(0.0, 0.0, 0.0, 1.0, 0.0, 0, 0, 0)
    gaps = np.asarray([one[q] - other[q] for q in shared])
    low, high = np.percentile(_resampled(gaps), [2.5, 97.5])
    spread = float(gaps.std(ddof=1)) if len(gaps) > 1 else 0.0
    return Difference(
        mean=float(gaps.mean()),
        low=float(low),
        high=float(high),
        p=randomised(gaps),
        detectable=DETECTABLE * spread / len(gaps) ** 0.5,
        count=len(gaps),
        better=int((gaps > 0).sum()),
        worse=int((gaps < 0).sum()),
        by_topic=_by_topic(gaps, [topics[q] for q in shared]) if topics else None,
    )


def randomised(gaps: Numbers) -> float:
    """The two-sided p-value of paired differences: how often random signs give as large a mean."""
    chance = np.random.default_rng(SEED)
    signs = chance.choice([-1.0, 1.0], (RESAMPLES, len(gaps)))
    reached = np.abs((signs * gaps).mean(axis=1)) >= abs(gaps.mean()) - 1e-12
    return float((reached.sum() + 1) / (RESAMPLES + 1))


def _by_topic(gaps: Numbers, topics: Sequence[str]) -> tuple[float, float]:
    """The bootstrap interval of the mean when topics, not questions, are drawn."""
    chance = np.random.default_rng(SEED)
    names = sorted(set(topics))
    place = np.asarray([names.index(t) for t in topics])
    sums = np.bincount(place, gaps, len(names))
    counts = np.bincount(place, minlength=len(names))
    picks = chance.integers(0, len(names), (RESAMPLES, len(names)))
    means = sums[picks].sum(axis=1) / counts[picks].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class Asked:
    """How one question was answered: whether at all, how surely, and whether rightly."""

    query_id: str
    answerable: bool
    answered: bool
    confidence: float
    right: bool


@dataclass(frozen=True, slots=True)
class Abstention:
    """How well "not found" is told: its precision and recall, and the answerable ones refused.

    `area` is that under the curve of risk by coverage (Geifman and El-Yaniv, NeurIPS 2017): less is
    better.
    """

    precision: float
    recall: float
    refused: float
    unanswerable: int
    answerable: int
    area: float


def abstention(asked: Sequence[Asked]) -> Abstention:
    """How well the questions that cannot be answered are told from those that can."""
    refused = [a for a in asked if not a.answered]
    rightly = sum(not a.answerable for a in refused)
    hopeless = sum(not a.answerable for a in asked)
    answerable = len(asked) - hopeless
    return Abstention(
        precision=rightly / len(refused) if refused else 1.0,
        recall=rightly / hopeless if hopeless else 1.0,
        refused=(len(refused) - rightly) / answerable if answerable else 0.0,
        unanswerable=hopeless,
        answerable=answerable,
        area=mean(risk for _, risk in risk_coverage(asked)),
    )


def risk_coverage(asked: Sequence[Asked]) -> list[tuple[float, float]]:
    """(coverage, risk) as less and less sure answers are let through, the surest first.

    Risk is the share of what is let through that is wrong: a question that has no answer, or one
    whose first statement is not among the judged ones.
    """
    ordered = sorted(asked, key=lambda a: (-a.confidence, a.query_id))
    out = []
    wrong = 0
    for count, a in enumerate(ordered, start=1):
        wrong += not (a.answerable and a.right)
        out.append((count / len(ordered), wrong / count))
    return out
