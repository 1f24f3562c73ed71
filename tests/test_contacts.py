"""Contact details of people left out of answers by a setting, every quote still exact."""

import doctest
from dataclasses import replace
from pathlib import Path

import pytest

import search_api.contacts
from indexer.build import build_index
from indexer.settings import IndexSettings
from search_api.contacts import clear_priorities, clear_range, details
from search_api.model import Query
from search_api.searcher import Searcher, open_searcher
from search_api.serialise import dumps
from search_api.settings import SearchSettings
from tests.conftest import share_models

OFFICER = """# Wend plan

## Dementia

We will open two dementia clinics by March 2027. Write to jo.bell@wend.example about the clinics.

## What and when

Objective\tImpact\tTimeframe\tOwner
Raise the dementia diagnosis rate to 70%\tTimely\tDecember 2026\tJo Bell<br>jo.bell@wend.example
Train dementia nurses in all six towns\tFewer crises\tMarch 2027\tChief Nurse

Contact Officer: Amira Khan

0151 496 0000
"""


@pytest.mark.parametrize(
    "text",
    [
        "a.b@nhs.net",
        "o'hara+x@wend.gov.uk",
        "0151 496 0000",
        "(0151) 496 0000",
        "01632-960-123",
        "+44 (0)20 7946 0000",
        "07700 900123",
        "Contact Officer: Amira Khan",
        "Contact:\nDr Jo Bell",
    ],
)
def test_details_are_known(text: str) -> None:
    assert details(f"Before, {text}, after.") == [(8, 8 + len(text))]


@pytest.mark.parametrize(
    "text",
    [
        "In 2023/24 we spent £01,234,567 on 0.5% of 1,200,000 people.",
        "Call 111 or 999.",
        "From 01/04/2023 to 31/03/2024",
        "ISBN 978-0-11-843026-4, reference 2023-0151-496-0000",
        "We contact: people who wait",
        "meet @ 10",
    ],
)
def test_figures_and_dates_are_no_details(text: str) -> None:
    assert details(text) == []


def test_a_range_ends_at_sentences_and_takes_no_name_beside_a_detail() -> None:
    text = "One thing we will do. Jo Bell\nTel: 0151 496 0000\nAnother thing that we will do."
    kept = clear_range(text)
    assert kept is not None
    assert text[slice(*kept)] == "Another thing that we will do."


@pytest.fixture(scope="module")
def officers(tmp_path_factory: pytest.TempPathFactory, index_dir: Path) -> Path:
    root = tmp_path_factory.mktemp("officers")
    (root / "corpus" / "wend").mkdir(parents=True)
    (root / "corpus" / "wend" / "plan.md").write_text(OFFICER)
    share_models(root / "index", index_dir / "models")
    build_index(IndexSettings(corpus=root / "corpus", index=str(root / "index")))
    return root / "index"


def opened(index: Path, mask: bool) -> Searcher:
    return open_searcher(SearchSettings(index=str(index), mask_contacts=mask))


def every_reply(searcher: Searcher) -> dict[str, object]:
    return {
        "ask": searcher.ask(Query("what will be done about dementia")),
        "officer": searcher.ask(Query("who is the contact officer to write to about clinics")),
        "search": searcher.search(Query("dementia clinics contact officer", limit=50)),
        "compare": searcher.compare(["dementia"]),
        "commitments": searcher.commitments(),
        "priorities": searcher.priorities(),
    }


def test_with_the_setting_no_reply_holds_a_detail_and_every_quote_is_exact(officers: Path) -> None:
    searcher = opened(officers, mask=True)
    replies = every_reply(searcher)
    for name, reply in replies.items():
        written = dumps(reply)
        assert "@" not in written, name
        assert "496 0000" not in written, name
        assert "Khan" not in written, name
    (document,) = searcher.store.documents
    text = searcher.document(document)[1].text
    answer, found = replies["ask"], replies["search"]
    assert answer.citations  # type: ignore[attr-defined]
    for citation in answer.citations:  # type: ignore[attr-defined]
        assert text[citation.start : citation.end] == citation.quote
    for hit in found.hits:  # type: ignore[attr-defined]
        assert text[hit.passage.start : hit.passage.end] == hit.passage.text
    quotes = [c.quote for c in answer.citations]  # type: ignore[attr-defined]
    assert "We will open two dementia clinics by March 2027." in quotes
    assert any("diagnosis rate to 70%" in quote for quote in quotes)
    assert search_api.contacts.NOTE in answer.notes  # type: ignore[attr-defined]
    assert "jo.bell@wend.example" in text


def test_without_it_they_are_quoted_as_published(officers: Path) -> None:
    replies = every_reply(opened(officers, mask=False))
    assert "jo.bell@wend.example" in dumps(replies["search"])
    assert "jo.bell@wend.example" in dumps(replies["commitments"])
    assert search_api.contacts.NOTE not in dumps(replies["ask"])


def test_the_shipped_papers_officers_are_left_out(index_dir: Path) -> None:
    words = Query("Contact Officer telephone number email address", limit=50)
    open_, masked = (opened(index_dir, mask).search(words) for mask in (False, True))
    assert "Moulton" in dumps(open_)
    assert "934 2068" in dumps(open_)
    written = dumps(masked.hits)
    assert not details(written)
    assert "Moulton" not in written
    assert masked.hits


def test_areas_go_with_the_priority_that_they_are_of(searcher: Searcher) -> None:
    found = searcher.priorities()
    whole = [p for s in found.systems for of in s.lists for p in of.priorities]
    above = {p.under for p in whole if p.under} - {None}
    assert above
    told = tuple(
        replace(c, quote=f"{c.quote} a.b@wend.example") if c.id in above else c
        for c in found.citations
    )
    cleared = clear_priorities(replace(found, citations=told))
    left = [p for s in cleared.systems for of in s.lists for p in of.priorities]
    assert left and {p.under for p in left if p.under} <= {p.id for p in left}
    whose = {p.id: s.system for s in cleared.systems for of in s.lists for p in of.priorities}
    for theme in cleared.themes:
        assert theme.priorities and set(theme.systems) == {whose[p] for p in theme.priorities}


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(search_api.contacts).failed == 0
