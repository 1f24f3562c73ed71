"""Measures: numbers worked out by hand, and agreement with ir-measures."""

import math

import ir_measures
import numpy as np
import pytest

from eval.labels import Span
from eval.metrics import (
    Asked,
    abstention,
    difference,
    diversity,
    filled,
    interval,
    judged,
    mean,
    measure,
    randomised,
    risk_coverage,
    scored,
)
from eval.run import spans_read

QRELS = {"q1": {"a": 2, "b": 1, "c": 0}, "q2": {"d": 1}, "q3": {"e": 2}}
RUN = {"q1": ["b", "x", "a"], "q2": ["y", "d"]}


def test_ndcg_takes_the_grade_as_gain() -> None:
    gained = 1 / math.log2(2) + 2 / math.log2(4)
    best = 2 / math.log2(2) + 1 / math.log2(3)
    assert measure(QRELS, RUN)["nDCG@10"]["q1"] == pytest.approx(gained / best)


def test_recall_and_reciprocal_rank_by_hand() -> None:
    values = measure(QRELS, RUN)
    assert values["R@10"] == {"q1": 1.0, "q2": 1.0, "q3": 0.0}
    assert values["RR@10"] == {"q1": 1.0, "q2": 0.5, "q3": 0.0}


def test_a_question_without_results_counts_as_zero() -> None:
    values = measure(QRELS, RUN)
    assert all(values[name]["q3"] == 0 for name in values)


def test_a_run_that_found_nothing_at_all() -> None:
    assert set(measure(QRELS, {})["nDCG@10"].values()) == {0.0}


def test_measures_agree_with_ir_measures() -> None:
    chance = np.random.default_rng(7)
    passages = [f"p{i}" for i in range(40)]
    qrels = {
        f"q{q}": {p: int(chance.integers(0, 3)) for p in chance.choice(passages, 12, replace=False)}
        for q in range(20)
    }
    run = {q: [str(p) for p in chance.permutation(passages)[:25]] for q in qrels}
    ours = measure(qrels, run)
    for name in ("nDCG@10", "R@10", "R@20", "RR@10"):
        parsed = ir_measures.parse_measure(name)
        theirs = ir_measures.calc_aggregate([parsed], qrels, scored(run))[parsed]
        assert mean(ours[name].values()) == pytest.approx(theirs)


def test_scores_keep_the_order_and_differ() -> None:
    assert scored({"q": ["a", "b", "c"]}) == {"q": {"a": 3.0, "b": 2.0, "c": 1.0}}


def test_filled_reaches_one_where_there_are_more_relevant_than_places() -> None:
    relevance = {f"p{i}": 1 for i in range(30)}
    assert filled(relevance, [f"p{i}" for i in range(10)], 10) == 1.0
    assert filled(relevance, ["p1", "x"], 2) == 0.5


def test_judged_counts_what_anybody_looked_at() -> None:
    assert judged({"a": 0, "b": 2}, ["a", "b", "x", "y"], 10) == 0.5
    assert judged({"a": 0}, [], 10) == 0.0


def test_subtopic_recall_over_systems_by_hand() -> None:
    qrels = {"q": {"s1": 1, "s2": 1, "t1": 1}, "one": {"s1": 1}}
    system = {"s1": "s", "s2": "s", "t1": "t"}
    values = diversity(qrels, {"q": ["s1", "s2"], "one": ["s1"]}, system)
    assert values["StRecall@10"] == {"q": 0.5}, "a question of one system has nothing to share out"
    both = diversity(qrels, {"q": ["s1", "t1"]}, system)
    assert both["StRecall@10"]["q"] == 1.0
    assert both["alpha_nDCG@10"]["q"] > values["alpha_nDCG@10"]["q"]


def test_interval_holds_the_mean_and_narrows_with_more_questions() -> None:
    few, many = interval([0.0, 1.0] * 10), interval([0.0, 1.0] * 200)
    assert few.low < few.mean == 0.5 < few.high
    assert many.high - many.low < few.high - few.low
    assert interval([]).count == 0


def test_difference_of_the_same_run_is_nothing() -> None:
    values = {f"q{i}": i / 10 for i in range(10)}
    same = difference(values, values)
    assert (same.mean, same.low, same.high, same.p) == (0.0, 0.0, 0.0, 1.0)


def test_a_steady_gain_is_told_from_chance() -> None:
    one = {f"q{i}": 0.5 + 0.1 * (i % 3) for i in range(60)}
    other = {q: v - 0.05 - 0.01 * (i % 2) for i, (q, v) in enumerate(one.items())}
    found = difference(one, other, {q: f"t{i % 6}" for i, q in enumerate(one)})
    assert found.low > 0.04 and found.p < 0.001 and found.better == 60
    assert found.by_topic is not None and found.by_topic[0] > 0.04
    assert found.detectable < 0.01


def test_differences_without_shared_questions() -> None:
    assert difference({"a": 1.0}, {"b": 1.0}).count == 0


def test_randomisation_counts_every_assignment_of_signs() -> None:
    # Of the eight ways to sign three equal gaps, two are as extreme: p is near one quarter.
    assert randomised(np.array([1.0, 1.0, 1.0])) == pytest.approx(0.25, abs=0.02)


ASKED = [
    Asked("a", answerable=True, answered=True, confidence=0.9, right=True),
    Asked("b", answerable=True, answered=False, confidence=0.2, right=False),
    Asked("c", answerable=False, answered=False, confidence=0.1, right=False),
    Asked("d", answerable=False, answered=True, confidence=0.6, right=False),
]


def test_abstention_by_hand() -> None:
    found = abstention(ASKED)
    assert (found.precision, found.recall, found.refused) == (0.5, 0.5, 0.5)
    assert (found.answerable, found.unanswerable) == (2, 2)


def test_risk_grows_as_less_sure_answers_are_let_through() -> None:
    assert risk_coverage(ASKED) == [(0.25, 0.0), (0.5, 0.5), (0.75, 2 / 3), (1.0, 0.75)]


def test_nothing_refused_is_precise_and_recalls_nothing() -> None:
    found = abstention([ASKED[0], ASKED[3]])
    assert (found.precision, found.recall) == (1.0, 0.0)


def test_spans_read_stops_where_the_reader_does() -> None:
    spans = [Span("d", 0, 100, 2), Span("d", 500, 600, 1)]
    ranges = [("p1", "d", 0, 400), ("p2", "d", 400, 800)]
    assert spans_read(spans, ranges, most=1_000) == 1.0
    assert spans_read(spans, ranges, most=450) == pytest.approx(2 / 3)


def test_spans_read_counts_a_character_once_however_often_it_is_shown() -> None:
    half = [("p1", "d", 0, 40), ("p2", "d", 0, 40)]
    assert spans_read([Span("d", 0, 100, 2)], half) == 0.0
