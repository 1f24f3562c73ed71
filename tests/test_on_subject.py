"""Statements on subject: hand-worked figures, and labels that follow their words."""

import doctest
from typing import Any

import pytest

import eval.statements as measured
from eval.labels import LabelError, read_labels
from eval.statements import (
    Label,
    ManyLabels,
    is_same,
    place_of,
    score,
    silence,
    statements,
    wilson,
)
from search_api.searcher import Searcher


def test_examples_in_documentation_hold() -> None:
    tried = doctest.testmod(measured)
    assert tried.attempted and not tried.failed


def label(asked: str, start: int, end: int, good: bool) -> Label:
    return Label(asked, ("plan", start, end), good)


def test_shares_by_hand() -> None:
    labels = [
        label("falls", 0, 100, True),
        label("falls", 200, 300, False),
        label("falls", 400, 500, True),
        label("homes", 0, 100, False),
    ]
    given = {
        "falls": [("plan", 0, 95), ("plan", 200, 300), ("plan", 600, 700)],
        "homes": [("plan", 0, 100), ("other", 0, 100)],
    }
    found = score(labels, given)
    assert (found.asked, found.given, found.labelled, found.unlabelled) == (2, 5, 3, 2)
    assert found.on_subject == 1
    assert found.share == pytest.approx(1 / 3, abs=1e-4)
    assert found.judged == 0.6
    assert found.kept == 0.5
    assert found.dropped == 0.0


def test_a_statement_is_judged_for_what_was_asked() -> None:
    labels = [label("falls", 0, 100, True), label("homes", 0, 100, False)]
    assert score(labels, {"falls": [("plan", 0, 100)]}).share == 1.0
    assert score(labels, {"homes": [("plan", 0, 100)]}).share == 0.0
    assert score(labels, {"jobs": [("plan", 0, 100)]}).unlabelled == 1


def test_dropping_everything_is_no_cure() -> None:
    labels = [label("falls", 0, 100, True), label("falls", 200, 300, False)]
    found = score(labels, {"falls": []})
    assert (found.kept, found.dropped, found.low, found.high) == (0.0, 1.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("good", "of", "low", "high"),
    # Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)],
)
def test_wilson_intervals_as_published(good: int, of: int, low: float, high: float) -> None:
    assert wilson(good, of) == pytest.approx((low, high), abs=5e-5)


def test_most_of_the_longer_must_be_shared() -> None:
    assert is_same(("plan", 0, 100), ("plan", 10, 100))
    assert not is_same(("plan", 0, 100), ("plan", 0, 10))
    assert not is_same(("plan", 0, 100), ("other", 0, 100))


def test_a_label_follows_its_words() -> None:
    row = {"document_id": "plan", "start": 3, "end": 7, "quote": "Homes for all"}
    assert place_of({"plan": "Before. Homes for all."}, row) == ("plan", 8, 21)
    with pytest.raises(LabelError, match="statements.jsonl"):
        place_of({"plan": "Nothing of the kind."}, row)


def test_every_label_stands_in_the_shipped_documents(searcher: Searcher) -> None:
    texts = {d: searcher.store.reading(d).text for d in searcher.store.documents}
    rows = [row for file in measured.FILES for row in read_labels(file)]
    assert len(rows) >= 400
    for row in rows:
        document, start, end = place_of(texts, row)
        assert " ".join(texts[document][start:end].split()) == " ".join(row["quote"].split())


def test_questions_and_themes_are_asked_again(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[dict[str, Any]] = []
    asked = set()
    for row in read_labels("statements.jsonl"):
        what = row.get("query", row.get("theme"))
        if what in ("suicide prevention", "housing", "care leavers and children in care"):
            rows.append(row)
            asked.add(what)
    original = measured.read_labels
    monkeypatch.setattr(
        measured,
        "read_labels",
        lambda name: (
            rows if name == measured.FILES[0] else [] if name in measured.FILES else original(name)
        ),
    )
    found = statements(searcher)
    assert len(asked) == 3
    assert [found[way].asked for way in ("all", "ask", "compare", "compare_free_text")] == [
        3,
        1,
        1,
        1,
    ]
    assert found["all"].given == sum(
        found[way].given for way in ("ask", "compare", "compare_free_text")
    )
    assert found["all"].labelled > 0
    assert 0 < found["sure"].given <= found["all"].given


def test_who_speaks_is_told_by_labelled_statements(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    sefton, hwe = "sefton-plan-2023-25", "hwe-integrated-care-strategy"
    lsc, old = "lsc-integrated-care-strategy", "sefton-ccg-five-year-strategy"
    labelled = [
        # Sefton and Hertfordshire speak of dementia; of Lancashire two statements were off it.
        ManyLabels("dementia", False, "topic", {(sefton, 0, 9): 2, (hwe, 0, 9): 1, (hwe, 20, 29): 2,
                                                (lsc, 0, 9): 0, (lsc, 20, 29): 0}),
        # Whatever was labelled: nobody is said to speak of this, so Sefton is falsely silent.
        ManyLabels("asteroid mining rights", True, "unwritten", {(sefton, 0, 9): 2}),
        # Too little to tell: something partly on it, one statement off it, a superseded document.
        ManyLabels("dementia", False, "topic", {(sefton, 0, 9): 1, (lsc, 0, 9): 0, (old, 0, 9): 2}),
    ]  # fmt: skip
    monkeypatch.setattr(measured, "many_labels", lambda file: labelled)
    found = silence(searcher, "any")
    assert (found.spoken, found.silent) == (3, 1)
    assert found.falsely_silent == pytest.approx(1 / 3, abs=1e-4)
    assert found.falsely_spoken == 0.0
