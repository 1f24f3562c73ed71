"""Dates as plans write them, and which of them something is due by."""

import pytest

from search_api.dates import dates_in, deadlines_in
from search_api.model import Query
from search_api.searcher import Searcher

WRITTEN = [
    ("March 2025", "2025-03"),
    ("Sept 2023", "2023-09"),
    ("may 2024", "2024-05"),
    ("by the end of June 2023", "2023-06"),
    ("30 June 2023", "2023-06-30"),
    ("31st of March 2024", "2024-03-31"),
    ("31 February 2024", "2024-02"),
    ("31/03/2024", "2024-03-31"),
    ("2024-03-31", "2024-03-31"),
    ("Mar-24", "2024-03"),
    ("Sept '23", "2023-09"),
    ("Q1 2023/24", "2023-06"),
    ("Q2 23/24", "2023-09"),
    ("Q3 2023/24", "2023-12"),
    ("Q4 2023–2024", "2024-03"),
    ("2023-24 Q4", "2024-03"),
    ("Quarter 2 of 2024/25", "2024-09"),
    ("Q1 2024", "2024-03"),
    ("Q4 2024", "2024-12"),
    ("spring 2024", "2024-05"),
    ("Autumn 2024", "2024-11"),
    ("winter 2023/24", "2024-02"),
    ("by the end of 2024", "2024-12"),
    ("by the end of 2023/24", "2024-03"),
    ("by 2045", "2045"),
    ("by 2023/24", "2023"),
    ("in 2024/25", "2024"),
]
NOT_DATES = [
    "our 5 year plan",
    "the 2023/24 plan",
    "the 2023-25 plan",
    "we may work with 2000 people",
    "Q1 24",
    "a 12-month review",
    "ages 18-25",
    "in 2023",
]


@pytest.mark.parametrize(("text", "due"), WRITTEN)
def test_a_date_is_read(text: str, due: str) -> None:
    found = dates_in(text)
    assert [d.due for d in found] == [due]
    assert found[0].text in text
    assert found[0].dated == (len(due) > 4)


@pytest.mark.parametrize("text", NOT_DATES)
def test_what_is_no_date(text: str) -> None:
    assert dates_in(text) == []


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("2025", ["2025"]),
        ("2023/24", ["2023"]),
        ("Action Plan developed June 2023 Implementation 2025", ["2023-06", "2025"]),
        ("June and September 2023", ["2023-06", "2023-09"]),
        ("April to June 2023", ["2023-04", "2023-06"]),
        ("April 2023 – March 2025", ["2023-04", "2025-03"]),
        ("between April 2020-June 2021", ["2020-04", "2021-06"]),
        ("December 2024: a programme that started in December 2022.", ["2024-12"]),
        ("Launched in May 2022; complete by May 2024", ["2024-05"]),
    ],
)
def test_what_is_due_in_a_column_of_dates(text: str, due: list[str]) -> None:
    assert [d.due for d in deadlines_in(text, bare_years=True)] == due


def test_words_of_a_date_stand_in_the_text() -> None:
    text = "From June and September 2023, by 2045 and in Q3 2023/24."
    for date in dates_in(text):
        assert date.text in text
        assert text[date.start :].startswith(date.text)


def test_notes_write_dates_as_the_british_do(searcher: Searcher) -> None:
    notes = searcher.ask(Query("what do other ICSs say about dementia", home="sefton")).notes
    told = next(note for note in notes if "announced" in note)
    assert told.startswith("Hertfordshire and West Essex (announced, 1 April 2026): ")
