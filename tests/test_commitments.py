"""The register of commitments against the hand count, and its filters, order and pages."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest

from corpus.errors import QueryError
from eval.answers import commitments as counted
from eval.labels import read_labels
from indexer.build import build_index
from indexer.settings import IndexSettings
from search_api.commitments import DUE, is_due_before, register, select
from search_api.headline import _promise
from search_api.ladder import grade
from search_api.model import Commitment, Filters, Query
from search_api.params import CommitmentParams
from search_api.promised import measure_of
from search_api.searcher import Searcher, open_searcher
from search_api.settings import SearchSettings


def test_every_row_of_the_hand_count_is_found_with_its_date(searcher: Searcher) -> None:
    score = counted(searcher)
    assert score.disagreements == ()
    assert score.found == score.rows == score.due_right
    assert score.milestones_right == score.rows
    assert score.owner_right == score.rows


def test_numeric_targets_of_the_hand_count_are_found(searcher: Searcher) -> None:
    entries = register(searcher.store)
    missing = []
    for label in read_labels("targets.jsonl"):
        if label.get("weak") or label.get("standing"):
            continue
        quote = " ".join(label["quote"].split())
        holding = [
            c
            for c in entries
            if c.document_id == label["document"] and quote in " ".join(c.text.split())
        ]
        if not any(c.value is not None for c in holding):
            missing.append((label["quote"], label["value"]))
    assert missing == []


def test_an_entry_is_its_own_slice_of_the_document(searcher: Searcher) -> None:
    for entry in register(searcher.store):
        text = searcher.store.reading(entry.document_id).text
        assert entry.id == entry.citation.id
        assert entry.text == entry.citation.quote
        assert entry.text == text[entry.citation.start : entry.citation.end]
        assert entry.action in entry.text
        assert entry.due_text is None or entry.due_text in entry.text
        assert entry.target is None or entry.target in entry.text


def test_ids_are_distinct_and_rows_with_one_objective_stay_apart(searcher: Searcher) -> None:
    entries = register(searcher.store)
    assert len({e.id for e in entries}) == len(entries)
    actions = [e.action for e in entries]
    assert len(set(actions)) < len(actions)


def test_the_soonest_is_first_and_the_undated_last(searcher: Searcher) -> None:
    found = searcher.commitments(limit=0).commitments
    dues = [c.due or "9999" for c in found]
    assert dues == sorted(dues)
    assert found[-1].due is None


def test_pages_of_the_register(searcher: Searcher) -> None:
    everything = searcher.commitments(limit=0)
    assert everything.total == len(everything.commitments)
    second = searcher.commitments(limit=10, offset=10)
    assert second.commitments == everything.commitments[10:20]
    assert second.total == everything.total


def test_the_register_in_other_orders(searcher: Searcher) -> None:
    by_date = searcher.commitments(limit=0).commitments
    by_owner = searcher.commitments(limit=0, sort="owner").commitments
    in_place = searcher.commitments(limit=0, sort="document").commitments
    assert by_date != by_owner != in_place
    assert {c.id for c in by_date} == {c.id for c in by_owner} == {c.id for c in in_place}
    named = [c.owner.casefold() for c in by_owner if c.owner]
    assert named == sorted(named)
    assert all(c.owner is None for c in by_owner[len(named) :])
    assert not any(c.owner is None for c in by_owner[: len(named)])
    for _, rows in groupby(in_place, key=lambda c: c.document_id):
        places = [c.citation.start for c in rows]
        assert places == sorted(places)
    one = [c.id for c in by_owner if c.owner == named_twice(by_owner)]
    assert one == [c.id for c in by_date if c.id in one]
    with pytest.raises(QueryError, match="There is no order 'size'; there are due, owner, docu"):
        searcher.commitments(sort="size")  # type: ignore[arg-type]


def named_twice(entries: Sequence[Commitment]) -> str:
    """An owner of several commitments."""
    owners = Counter(c.owner for c in entries if c.owner)
    ((owner, times),) = owners.most_common(1)
    assert times > 1
    return owner


def test_filter_by_theme_system_and_date(searcher: Searcher) -> None:
    dementia = searcher.commitments(theme="dementia", limit=0).commitments
    assert dementia
    assert all("dementia" in c.themes for c in dementia)
    sefton = searcher.commitments(filters=Filters(system=("sefton",)), limit=0)
    assert {c.system for c in sefton.commitments} == {"sefton"}
    early = searcher.commitments(due_before="2023-07", limit=0)
    assert early.commitments
    assert all(c.due is not None and c.due < "2023-07" for c in early.commitments)
    assert any("left out" in note for note in early.notes)


def test_free_text_needs_all_its_words(searcher: Searcher) -> None:
    found = searcher.commitments(theme="crisis cafes").commitments
    assert found
    assert all("Crisis Caf" in c.text for c in found)
    assert searcher.commitments(theme="moon landing").total == 0


def test_overdue_at_a_date(searcher: Searcher) -> None:
    entries = register(searcher.store)
    overdue = select(entries, overdue_at="2023-09-30")
    assert all(c.due is not None and c.due <= "2023-09" for c in overdue)
    assert not any(c.due == "2023-09" for c in overdue)
    assert any(c.due == "2023-09" for c in select(entries, overdue_at="2023-10-01"))
    assert not any(is_due_before(c, "2099-01-01") for c in entries if c.due is None)


@pytest.mark.parametrize(
    "due", ["2024", "2024-12", "2024-02-29", "2024-01-32", "2024-01-00", "202"]
)
def test_the_api_describes_the_dates_that_are_taken(due: str) -> None:
    described = CommitmentParams.model_json_schema()["properties"]["due_before"]["anyOf"][0]
    assert bool(re.search(described["pattern"], due)) == bool(DUE.fullmatch(due))


@pytest.mark.parametrize("due", ["soon", "2024-13", "2024-1", "2024-01-67"])
def test_a_date_that_is_none_is_refused(searcher: Searcher, due: str) -> None:
    with pytest.raises(QueryError, match="month"):
        searcher.commitments(due_before=due)


@pytest.mark.parametrize(
    ("figure", "sentence", "value", "unit"),
    [
        ("66.7%", "Recover the rate to 66.7%", 66.7, "%"),
        ("0.6 %", "a minimum of 0.6 % of people", 0.6, "%"),
        ("within two hours", "respond within two hours", 2.0, "hours"),
        ("28 day", "the 28 day standard", 28.0, "days"),
        ("£6.9m", "a £6.9m plan", 6.9, "£m"),
        ("£3 million", "save £3 million", 3.0, "£m"),
        ("16", "Achieve all 16 competencies", 16.0, "competencies"),
        ("50,000", "Deliver 50,000 more appointments", 50000.0, None),
        ("six", "reduce to six by March", 6.0, None),
        ("24/7", "24/7 advice", None, "24/7"),
        ("seven day", "a seven day service", None, "7 days a week"),
        ("7 day", "a 7 day standard for results", 7.0, "days"),
        ("within 7 days", "respond within 7 days", 7.0, "days"),
        ("net zero", "become net zero", 0.0, "net zero"),
        ("All", "All staff will be trained", None, None),
    ],
)
def test_value_and_unit(figure: str, sentence: str, value: float | None, unit: str | None) -> None:
    measure = measure_of(figure, sentence)
    assert (measure.text, measure.value, measure.unit) == (sentence, value, unit)


def test_the_register_of_a_corpus_of_ones_own(tiny_settings: IndexSettings) -> None:
    build_index(tiny_settings)
    small = open_searcher(SearchSettings(index=tiny_settings.index))
    found = {c.action: c for c in small.commitments(limit=0).commitments}
    row = found["Recover the dementia diagnosis rate to 70%"]
    assert (row.due, row.value, row.unit, row.ladder) == ("2026-12", 70.0, "%", "commitment")
    assert found["Train all care home staff"].due == "2026-12"
    sentence = next(c for a, c in found.items() if "dental sessions" in a)
    assert (sentence.due, sentence.value) == ("2026-09", 40.0)
    assert Path(tiny_settings.index).is_dir()


@pytest.mark.parametrize(
    ("timeframe", "triggers", "told"),
    [
        (
            "March 2025\nTo achieve 75% faster diagnosis by March 2024.\nAnd 80% by 2028.",
            ("75%", "March 2024"),
            "Sefton commits to a target by March 2024",
        ),
        (
            "September 2023\nReach 66.7%",
            ("66.7%", "September 2023"),
            "Sefton commits to a target by September 2023",
        ),
        ("June 2023", ("June 2023",), "Sefton commits to action by June 2023"),
    ],
)
def test_a_figure_has_its_own_date(
    searcher: Searcher, timeframe: str, triggers: tuple[str, ...], told: str
) -> None:
    text = f"Open a hub\n{timeframe}"
    cells = (("Objective", "Open a hub"), ("Timeframe", timeframe))
    assert grade(text, cells) == ("commitment", triggers)
    said = next(s for s in searcher.ask(Query("dementia")).systems if s.system == "sefton")
    first = replace(said.statements[0], text=text, triggers=triggers)
    assert _promise(replace(said, statements=(first,))) == told


def test_what_only_ticks_off_a_column_is_no_action(searcher: Searcher) -> None:
    entries = register(searcher.store)
    ticked = [c for c in entries if re.search(r"^X$", c.text, re.MULTILINE)]
    assert ticked
    for commitment in ticked:
        assert not re.search(r"^X$", commitment.action, re.MULTILINE)
        assert set(commitment.action.split("\n")) < set(commitment.text.split("\n"))


def test_a_headline_of_one_system_speaks_of_that_one(searcher: Searcher) -> None:
    alone = searcher.ask(Query("what does SEL say about smoking")).headline
    assert alone == "South East London was not found to address smoking."
    one = searcher.ask(Query("IAPT")).headline
    assert one.startswith("1 of 4 systems addresses IAPT;")
