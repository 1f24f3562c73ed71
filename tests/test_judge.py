"""Is the subject there? Figures asked for, statements weighed, questions refused with a reason."""

from dataclasses import replace

import pytest

from indexer.statements import Stated
from search_api import medical
from search_api.amounts import AMOUNTS, amount_asked
from search_api.answer import BARE_HEADING, Weighed, found_in
from search_api.judge import (
    ANSWERABLE,
    Features,
    Logistic,
    ThemeWords,
    answerable,
    ask_for,
    probability,
    support,
    theme_of,
)
from search_api.model import Query
from search_api.searcher import Searcher

KINDS = {a.name: a for a in AMOUNTS}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("What percentage of pupils are obese?", "share"),
        ("what dementia diagnosis rate is aimed for", "share"),
        ("What rating did the home get?", "rating"),
        ("How much money was awarded?", "money"),
        ("How much does it cost to run?", "money"),
        ("How long do people wait?", "time"),
        ("At what ages can a child get help?", "age"),
        ("How many carers are registered?", "count"),
        ("How much did referrals grow?", "size"),
    ],
)
def test_the_kind_of_figure_asked_for(text: str, kind: str) -> None:
    amount = amount_asked(text)
    assert amount is not None and amount.name == kind


@pytest.mark.parametrize("text", ["dementia", "What do other ICSs say about carers?", "Who leads?"])
def test_most_questions_ask_for_no_figure(text: str) -> None:
    assert amount_asked(text) is None


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("share", "recover to 66.7%", True),
        ("share", "two thirds of people", True),
        ("share", "by March 2024", False),
        ("money", "a £6.9m improvement plan", True),
        ("money", "75% of people", False),
        ("count", "eight localities", True),
        ("count", "Priority 4, by Q3 2024, for ages 0-25 and 75% of £3m", False),
        ("count", "an extra 14 beds by March 2024", True),
        ("time", "seen within 18 weeks", True),
        ("age", "young people aged 5 to 17", True),
        ("rating", "was rated good", True),
    ],
)
def test_whether_a_text_holds_that_kind_of_figure(kind: str, text: str, said: bool) -> None:
    assert KINDS[kind].in_text(text) is said


# The models


def test_a_logistic_model_by_hand() -> None:
    assert Logistic(0.0, (1.0,))((0.0,)) == 0.5
    assert Logistic(-1.0, (2.0,))((0.5,)) == 0.5


GOOD = Features(inside=0.9, around=1.0, cosine=0.7, passage=0.6, number_missing=False)
POOR = Features(inside=0.0, around=0.1, cosine=0.15, passage=0.2, number_missing=False)


def test_more_evidence_is_more_likely() -> None:
    assert probability(GOOD) > 0.5 > 0.01 > probability(POOR)
    without = Features(GOOD.inside, GOOD.around, GOOD.cosine, GOOD.passage, True)
    assert probability(without) < probability(GOOD)


def test_where_a_figure_is_asked_for_a_statement_without_one_tells_less(
    searcher: Searcher,
) -> None:
    understood = searcher._understander.understand("How many beds are there?", None)
    asked = ask_for(understood, searcher.store)
    without = Features(GOOD.inside, GOOD.around, GOOD.cosine, GOOD.passage, True)
    assert answerable(support(asked, [GOOD])) > ANSWERABLE
    assert answerable(support(asked, [GOOD])) > answerable(support(asked, [without]))
    # One that holds a figure counts before a better match that holds none.
    weak = Features(0.2, 0.2, 0.3, 0.3, False)
    assert support(asked, [weak, without]).cosine == 0.3


def test_nothing_found_is_no_answer(searcher: Searcher) -> None:
    asked = ask_for(searcher._understander.understand("dementia care", None), searcher.store)
    assert answerable(support(asked, [])) < ANSWERABLE


def test_a_theme_is_known_by_its_words_and_nothing_more(searcher: Searcher) -> None:
    themes = searcher.store.themes.values()
    known = theme_of("dementia", themes)
    assert known is not None and known.id == "dementia"
    assert theme_of("dementia diagnosis rate in 2023", themes) is None


def test_a_word_of_a_theme_is_a_topic_of_its_own(searcher: Searcher) -> None:
    themes = searcher.store.themes.values()
    assert theme_of("menopause", themes) is None
    asked = ask_for(searcher._understander.understand("menopause", None), searcher.store)
    assert asked.theme is not None and asked.theme.id == "menopause"
    assert asked.theme.spoken_in("support through the menopause")
    assert not asked.theme.spoken_in("endometriosis services")
    compared = searcher.compare(["menopause", "womens-health"])
    assert [theme.id for theme in compared.themes] == ["menopause", "womens-health"]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("support for patients and carers", False),
        ("children, their families and carers", False),
        ("families and carers are told; carers get a break", True),
        ("a register of unpaid carers", True),
    ],
)
def test_those_whom_something_is_for_are_not_its_subject(
    searcher: Searcher, text: str, spoken: bool
) -> None:
    assert ThemeWords.of(searcher.store.themes["carers"]).spoken_in(text) is spoken


def weighed(probability: float) -> Weighed:
    place = round(probability * 100)
    stated = Stated("d", "s", place, place + 5, "words", "prose", ())
    return Weighed(stated, probability, False, GOOD)


def test_statements_far_below_the_best_are_not_given() -> None:
    found = found_in([weighed(p) for p in (0.8, 0.6, 0.5, 0.1)], best=0.9)
    assert [w.probability for w in found] == [0.8, 0.6]
    narrow = ThemeWords("menopause", "menopause", (("menopaus",),), (), narrow=True)
    assert found_in([weighed(0.3)], best=0.9, theme=narrow) == []
    assert found_in([weighed(0.3)], best=0.9, theme=replace(narrow, narrow=False)) != []
    # A system whose best is far below that of another is silent.
    assert found_in([weighed(0.3)], best=0.9) == []


@pytest.mark.parametrize(
    ("heading", "bare"),
    [
        ("How we will work with our residents", True),
        ("The big root causes of poor health", True),
        ("Our achievements so far and what we learned", True),
        ("Our residents will be asked first", False),
        ("Priority 4: enable our residents to age well", False),
        ("Reduce waiting times for children", False),
    ],
)
def test_a_heading_that_only_names_what_follows_states_nothing(heading: str, bare: bool) -> None:
    assert bool(BARE_HEADING.match(heading)) is bare


# Whole questions


@pytest.mark.parametrize(
    "text",
    [
        "What do other ICSs say about dementia?",
        "unpaid carers",
        "By when should the dementia diagnosis rate recover?",
        "What is planned for people at the end of life?",
    ],
)
def test_what_the_documents_hold_is_answered(searcher: Searcher, text: str) -> None:
    assert searcher.ask(Query(text, home="lancashire-south-cumbria")).status == "answered"


@pytest.mark.parametrize(
    "text",
    [
        "qwerty uiop asdf",
        "What is the capital of Mongolia?",
        "snake bite antivenom stocks",
        "How many defibrillators are there in Formby?",
        "How much was spent on agency nurses in South East London?",
    ],
)
def test_what_nobody_says_is_not_found_and_the_nearest_is_shown(
    searcher: Searcher, text: str
) -> None:
    answer = searcher.ask(Query(text))
    assert answer.status == "not_found" and answer.reason
    assert not any(system.statements for system in answer.systems)
    assert any(system.nearest for system in answer.systems)


def test_a_body_outside_the_corpus_is_said_to_be_outside(searcher: Searcher) -> None:
    answer = searcher.ask(Query("What does Greater Manchester plan for dementia?"))
    assert answer.status == "not_found"
    assert "Greater Manchester" in (answer.reason or "")


def test_medical_advice_is_refused_and_pointed_elsewhere(searcher: Searcher) -> None:
    answer = searcher.ask(Query("Can I take ibuprofen with my blood pressure tablets?"))
    assert answer.status == "not_found"
    assert answer.reason == medical.REASON and "111" in medical.REASON
    assert not answer.citations
    found = searcher.search(Query("Can I take ibuprofen with my blood pressure tablets?"))
    assert medical.REASON in found.notes
