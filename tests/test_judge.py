"""Is the subject there? Figures asked for, statements weighed, questions refused with a reason."""

from dataclasses import replace

import numpy as np
import pytest

from indexer.statements import Stated
from search_api import medical
from search_api.amounts import AMOUNTS, amount_asked
from search_api.answer import (
    BARE_HEADING,
    LIKELY,
    SURE,
    Weighed,
    firmly,
    found_in,
    states_nothing,
    strongest,
    surely,
)
from search_api.cover import Weight
from search_api.judge import (
    ANSWERABLE,
    Asked,
    Background,
    Features,
    Logistic,
    answerable,
    ask_for,
    features,
    probability,
    support,
)
from search_api.model import Query
from search_api.searcher import Searcher
from search_api.topics import ThemeWords, joined_of, theme_of

KINDS = {a.name: a for a in AMOUNTS}


def asked_about(searcher: Searcher, text: str) -> Asked:
    understood = searcher._understander.understand(text, None)
    return ask_for(understood, searcher.store, searcher._vector_of(understood))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("What percentage of pupils are obese?", "share"),
        ("what dementia diagnosis rate is aimed for", "share"),
        ("What CQC rating did the home get?", "rating"),
        ("How much money was awarded?", "money"),
        ("How much does it cost to run?", "money"),
        ("How long do people wait?", "time"),
        ("At what ages can a child get help?", "age"),
        ("How many carers are registered?", "count"),
        ("How much did referrals grow?", "size"),
        ("What does a night there cost?", "money"),
        ("What is the budget for transport?", "money"),
        ("Respite given, in hours", "time"),
        ("Which year does the strategy run out?", "year"),
        ("How often does the board meet?", "frequency"),
        ("Number of libraries", "count"),
        ("What is the population of Sefton?", "count"),
    ],
)
def test_the_kind_of_figure_asked_for(text: str, kind: str) -> None:
    amount = amount_asked(text)
    assert amount is not None and amount.name == kind


@pytest.mark.parametrize(
    "text",
    [
        "dementia",
        "What do other ICSs say about carers?",
        "Who leads?",
        "What do the plans say about the cost of living?",
        "What is the personal health budget offer?",
        "how long-term conditions are managed",
        "reduce the number of falls",
        "How many systems mention dementia?",
        "How many of the strategies have a target for smoking?",
        "How many priorities does each system have?",
    ],
)
def test_most_questions_ask_for_no_figure(text: str) -> None:
    assert amount_asked(text) is None


def test_a_figure_answers_alone_unless_something_else_is_asked_too() -> None:
    alone, beside = (
        amount_asked("How many beds are there?"),
        amount_asked("Who leads it and how many beds has it?"),
    )
    both, soft = (
        amount_asked("How many schools are there and how many pupils?"),
        amount_asked("How far have they got?"),
    )
    assert alone and alone.strict and both and both.strict
    assert beside and not beside.strict and soft and not soft.strict


@pytest.mark.parametrize(
    ("question", "text", "said"),
    [
        ("How many podiatrists are employed?", "Podiatrists see 300 feet of those aged 5.", True),
        (
            "How many podiatrists are employed?",
            "Podiatrists see feet. Ages 0-19, since 2022.",
            False,
        ),
        ("How many books were lent?", "Books are lent to all who live here, in 6 libraries.", True),
        (
            "How many books were lent?",
            "Books are lent to all who live here and would like to come: 6 sites",
            False,
        ),
        ("How many branches are there?", "There are 6 libraries.", True),
        ("How many nights are given?", "29 nights a year", True),
        ("How many sites are there?", "open for 12 weeks, with 1:1 support", False),
        ("What number of libraries are there?", "There are 6 libraries.", True),
        ("How many people came?", "approximately fifty attendees", True),
        ("How many pupils get help?", "5,403 young people, 12.7 % of them", True),
        (
            "How many staff are there?",
            "Staff work hard, every one of them, day and night, in all of 44 sites",
            False,
        ),
        ("How many are seen in time?", "38% of referrals", True),
        ("How often does it meet?", "Meetings are monthly.", True),
        ("How often does it meet?", "It met on 14 May 2023.", False),
        ("What Ofsted rating did it get?", "It was rated good.", True),
        ("What Ofsted rating did it get?", "Good care for all.", False),
    ],
)
def test_a_number_is_of_what_stands_beside_it(question: str, text: str, said: bool) -> None:
    amount = amount_asked(question)
    assert amount is not None and amount.in_text(text) is said


def test_another_word_for_what_is_counted_counts() -> None:
    instead = Weight(3.0, ((frozenset(("integr", "team")), 1.0),))
    amount = amount_asked("How many ICTs are there?", {"ict": instead})
    assert amount is not None
    apart = "integrated teams in which nurses and social workers sit beside GPs: eight of them"
    assert amount.in_text("eight integrated teams") and not amount.in_text(apart)


def test_who_asks_in_words_that_no_passage_has_is_told_so(searcher: Searcher) -> None:
    answer = searcher.ask(Query("What do other ICSs say about menopause?", home="sefton"))
    told = "No indexed passage has “menopause”."
    assert answer.notes[0] == answer.understood.notes[-1] == told
    crime = searcher.ask(Query("knife crime in Bootle"))
    assert "No indexed passage has “knife” or “crime”." in crime.notes
    # Not where something is surely said, nor in a long question that is answered.
    for text in (
        "dementia",
        "wifi that works and decent laptops for people on the wards and in the community",
        "Should I give my baby naproxen?",
    ):
        assert not any("No indexed passage" in note for note in searcher.ask(Query(text)).notes)


def test_where_no_statement_gives_the_figure_asked_for_nothing_is_said(searcher: Searcher) -> None:
    answer = searcher.ask(Query("How many podiatrists are employed in Sefton?"))
    assert answer.status == "not_found" and answer.systems[0].nearest is not None
    assert "was not found to give the number asked for" in answer.headline
    assert answer.reason and "was found to give the number asked for" in answer.reason
    given = searcher.ask(Query("What number of public libraries are there in Sefton?"))
    assert "6 libraries" in given.systems[0].statements[0].text
    # Who also asks something else gets what speaks of it.
    both = searcher.ask(Query("How many podiatrists are there, and who do they help?"))
    assert both.status == "answered"


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("share", "recover to 66.7%", True),
        ("share", "two thirds of people", True),
        ("share", "by March 2024", False),
        ("money", "a £6.9m improvement plan", True),
        ("money", "75% of people", False),
        ("count", "eight localities", True),
        ("count", "Priority 4, by Q3 2024, for ages 0-25 and £3m", False),
        ("count", "an extra 14 beds by March 2024", True),
        ("count", "75% of people", True),
        ("count", "by March 2024, for 3 years", False),
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


GOOD = Features(0.9, 1.0, 9.0, 0.5, 0.9, 0.5, 0.7, 5.0, 4.0, 20, number_missing=False)
POOR = Features(0.0, 0.1, 0.0, 5.0, 0.0, 0.0, 0.15, 0.2, 0.1, 20, number_missing=False)


def test_more_evidence_is_more_likely() -> None:
    assert probability(GOOD) > 0.5 > 0.01 > probability(POOR)
    without = replace(GOOD, number_missing=True)
    assert probability(without) < probability(GOOD)


def test_where_a_figure_is_asked_for_a_statement_without_one_tells_less(
    searcher: Searcher,
) -> None:
    asked = asked_about(searcher, "How many beds are there?")
    without = replace(GOOD, number_missing=True)
    assert answerable(support(asked, [GOOD], 0.9)) > ANSWERABLE
    # One that holds a figure counts before a better match that holds none.
    weak = replace(POOR, inside=0.2, around=0.2, cosine=0.3)
    assert support(asked, [weak, without], 0.3).cosine == 0.3


def test_nothing_found_is_no_answer(searcher: Searcher) -> None:
    asked = asked_about(searcher, "dementia care")
    assert answerable(support(asked, [], 0.0)) < ANSWERABLE


def test_what_the_documents_use_no_term_of_is_less_likely_answered(searcher: Searcher) -> None:
    asked = asked_about(searcher, "carers")
    assert asked.foreign < 0.5
    unknown = replace(asked, foreign=1.0)
    assert answerable(support(unknown, [GOOD], 0.9)) < answerable(support(asked, [GOOD], 0.9))
    assert asked_about(searcher, "hepatitis C treatment").foreign > 0.5


def test_a_theme_is_known_by_its_words_and_nothing_more(searcher: Searcher) -> None:
    themes = searcher.store.themes.values()
    known = theme_of("dementia", themes)
    assert known is not None and known.id == "dementia"
    assert theme_of("dementia diagnosis rate in 2023", themes) is None
    for name, theme in (("older people", "ageing-well"), ("UEC", "urgent-emergency-care")):
        known = theme_of(name, themes)
        assert known is not None and known.id == theme


def test_what_is_to_be_done_about_a_theme_makes_it_no_other_one(searcher: Searcher) -> None:
    themes = searcher.store.themes.values()
    for text, theme in (
        ("improve dental care", "dental"),
        ("who is responsible for carers", "carers"),
        ("support people to work", None),
        ("deal with housing", "housing"),
        ("personalised care being taken forward", "personalised-care"),
        ("targeted inequalities", "health-inequalities"),
        ("what is different about mental health", "mental-health"),
        ("commitments due in March 2024 on mental health", "mental-health"),
        ("net zero by 2045", "net-zero"),
        ("health", None),
        ("the health board", None),
        ("prevention and self-care", None),
    ):
        known = theme_of(text, themes)
        assert (known.id if known else None) == theme
    told = searcher.ask(Query("Which systems commit to reduce smoking and by when?")).headline
    assert told.startswith("1 of 4 systems addresses smoking; ")
    assert "Sefton commits to action by March 2025" in told


@pytest.mark.parametrize(
    ("subject", "joined"),
    [
        ("children's mental health", {"children-young-people", "mental-health"}),
        ("support for carers of people with dementia", {"carers", "dementia"}),
        ("smoking in pregnancy", {"smoking", "pregnancy"}),
        ("mental health", set()),
        ("cancer and horses", set()),
        ("", set()),
    ],
)
def test_a_subject_may_be_made_of_several_themes(
    searcher: Searcher, subject: str, joined: set[str]
) -> None:
    found = joined_of(subject, searcher.store.themes.values())
    assert {theme.id for theme in found} == joined


def test_what_speaks_of_all_themes_asked_for_is_sure(searcher: Searcher) -> None:
    said = {a.system: a.statements for a in searcher.ask(Query("children's mental health")).systems}
    (london,) = [s for s in said["south-east-london"] if "children and young people" in s.text]
    assert london.sure and "mental health" in london.text
    assert not any(s.sure for s in said["hertfordshire-west-essex"])  # of mental health alone


def test_a_word_of_a_theme_is_a_topic_of_its_own(searcher: Searcher) -> None:
    themes = searcher.store.themes.values()
    assert theme_of("menopause", themes) is None
    asked = asked_about(searcher, "menopause")
    assert asked.theme is not None and asked.theme.id == "menopause"
    assert asked.theme.spoken_in("support through the menopause")
    assert not asked.theme.spoken_in("endometriosis services")
    told = searcher.ask(Query("what do others say about young carers?")).headline
    assert " addresses young carers; " in told
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


@pytest.mark.parametrize(
    ("theme", "text", "spoken"),
    [
        ("estates", "Continue to build on what works", False),
        ("estates", "Our buildings are old", True),
        ("medicines", "General medical practice", False),
        ("medicines", "Review of medication", True),
        ("medicines", "Social prescribing link workers", False),
        ("finance", "attention deficit hyperactivity disorder", False),
        ("finance", "The system has a deficit", True),
        ("planned-care", "non-elective admissions", False),
        ("planned-care", "elective recovery", True),
        ("mental-health", "a psychologically safe culture", False),
        ("mental-health", "inequalities across mental and physical health", True),
        ("net-zero", "including housing, employment and the environment", True),
    ],
)
def test_a_word_of_another_meaning_is_not_the_themes(
    searcher: Searcher, theme: str, text: str, spoken: bool
) -> None:
    assert ThemeWords.of(searcher.store.themes[theme]).spoken_in(text) is spoken


def weighed(probability: float, *, spoken: bool = False, firm: bool = False) -> Weighed:
    place = round(probability * 100)
    stated = Stated("d", "s", place, place + 5, "words", "prose", ())
    return Weighed(stated, probability, spoken, firm or probability >= SURE, GOOD)


def test_of_what_is_not_likely_one_statement_is_given() -> None:
    found = found_in([weighed(p) for p in (0.9, 0.6, 0.35, 0.3)], best=0.9)
    assert [(w.probability, w.sure) for w in found] == [(0.9, True), (0.6, False)]
    assert [w.probability for w in found_in([weighed(0.35), weighed(0.3)], best=0.9)] == [0.35]


def test_the_best_of_all_counts_where_the_same_beside_a_better_one_does_not() -> None:
    little = [weighed(0.05)]
    assert found_in(little, best=0.05) == little
    assert found_in(little, best=0.9) == []


@pytest.mark.parametrize(
    ("subject", "label"),
    [
        ("autism and ADHD support", "autism or ADHD"),
        ("hospices and bereavement", "hospice or bereavement"),
        ("staff retention", None),  # narrower than either word
        ("falls prevention for older people", None),
        ("hospices and housing", None),  # of two themes: both are asked for
    ],
)
def test_several_words_of_one_theme_are_a_topic_too(
    searcher: Searcher, subject: str, label: str | None
) -> None:
    found = asked_about(searcher, subject).theme
    assert (found.label if found else None) == label
    if found:
        assert all(found.spoken_in(word) for word in found.label.split(" or "))


def test_a_theme_is_spoken_of_by_its_words_firmly_if_anywhere() -> None:
    theme = ThemeWords("menopause", "menopause", (("menopaus",),), ())
    firm, passing = weighed(0.2, spoken=True, firm=True), weighed(0.6, spoken=True)
    assert found_in([passing, firm, weighed(0.9)], best=0.9, theme=theme) == [firm]
    assert found_in([passing, weighed(0.1)], best=0.9, theme=theme) == [passing]
    assert [w.probability for w in found_in([weighed(0.3)], best=0.9, theme=theme)] == [0.3]
    narrow = replace(theme, narrow=True)
    assert found_in([weighed(0.19)], best=0.9, theme=narrow) == []
    near, further = weighed(0.65), weighed(0.5)
    assert found_in([near, further, firm, passing], best=0.9, theme=narrow) == [near, firm, passing]
    assert found_in([near, further, firm, passing], best=0.9, theme=theme) == [firm]


@pytest.mark.parametrize(
    ("text", "firm"),
    [
        ("Menopause clinics in every town", True),
        ("Menopause clinics " + "and so on " * 40, False),
        ("Clinics in every town", False),
    ],
)
def test_a_word_of_the_theme_in_passing_is_not_firm(text: str, firm: bool) -> None:
    theme = ThemeWords("menopause", "menopause", (("menopaus",),), ())
    asked = Asked({}, theme)
    stated = Stated("d", "s", 0, len(text), text, "prose", ("Menopause",))
    evidence = replace(GOOD, words=len(text.split()))
    assert firmly(asked, stated, evidence, 0.1) is firm
    narrow = replace(asked, theme=replace(theme, narrow=True))
    assert not firmly(narrow, stated, evidence, 0.1)
    assert firmly(narrow, stated, evidence, 0.39) is firm
    # What stands under the word is about it where that is likely; what names it in passing is not.
    assert firmly(narrow, stated, evidence, 0.4) is (firm or "Menopause" not in text)


def test_a_cosine_counts_by_how_far_it_stands_above_the_others() -> None:
    sample = np.array([[0.1], [0.2], [0.3]], dtype=np.float32)
    background = Background.of(sample, np.ones(1, dtype=np.float32))
    assert background.mean == pytest.approx(0.2)
    assert background.apart(0.2 + 2 * background.spread) == pytest.approx(2.0)
    assert Background.of(sample[:0], np.ones(1, dtype=np.float32)).apart(0.5) == 0.5


def test_the_evidence_of_a_statement_by_hand() -> None:
    night, shelter = Weight(2.0), Weight(6.0, ((frozenset({"refug"}), 0.5),))
    asked = Asked({"night": night, "shelter": shelter}, pairs=frozenset({("night", "shelter")}))

    def seen(text: str, heading: str = "") -> Features:
        stated = Stated("d", "s", 0, len(text), text, "prose", (heading,))
        return features(asked, stated, 0.6, 0.4, Background(0.1, 0.1))

    both = seen("A night shelter in town")
    assert (both.inside, both.near, both.pairs, both.held, both.lacking) == (1, 1, 1, 8, 0)
    assert (both.cosine, both.words) == (0.6, 5)
    assert (both.apart, both.passage_apart) == (5, pytest.approx(3))
    far = seen("At night " + "parks and roads " * 5 + "a shelter")
    assert (far.inside, far.near, far.pairs) == (1, 0.75, 0)
    other = seen("A refuge", "At night")
    assert (other.inside, other.around, other.lacking, other.near) == (0.375, 0.625, 3, 0.375)
    nothing = seen("Parks")
    assert (nothing.inside, nothing.near, nothing.pairs, nothing.lacking) == (0, 0, 0, 6)


@pytest.mark.parametrize(
    ("text", "form", "nothing"),
    [
        ("Mental Health Support Teams (MHST).", "list_item", True),
        ("All Age – Palliative & End of Life Care", "heading", True),
        ("4. Mental health support teams in every school", "list_item", False),
        ("Improve Access To Primary Care", "heading", False),
        ("£18m\nPrimary Care Services", "table_row", False),
    ],
)
def test_a_title_states_nothing(text: str, form: str, nothing: bool) -> None:
    assert states_nothing(Stated("d", "s", 0, len(text), text, form, ())) is nothing


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


def test_what_is_likely_and_in_those_words_is_sure() -> None:
    words = replace(GOOD, inside=1.0, pairs=1.0)
    assert surely(words, SURE - 0.3) and not surely(words, LIKELY - 0.1)
    for less in (replace(words, inside=0.9), replace(words, pairs=0.5), replace(words, words=200)):
        assert not surely(less, SURE - 0.3)
        assert surely(less, SURE)


def test_of_one_rung_what_is_likely_comes_before_a_figure() -> None:
    def said(text: str, likely: float, start: int) -> Weighed:
        stated = Stated("d", "s", start, start + len(text), text, "prose", ())
        return Weighed(stated, likely, spoken=True, sure=True, evidence=GOOD)

    near = said("We will open 75% of hubs by March 2025.", 0.1, 0)
    asked_for = said("We will open a dementia café by June 2024.", 0.9, 100)
    figure = said("We will open cafés for 40% of carers by May 2024.", 0.5, 200)
    hoped = said("We want dementia to be understood.", 0.95, 300)
    assert {w.rung[0] for w in (near, asked_for, figure)} == {"commitment"}
    assert strongest([near, asked_for, figure, hoped]) == [figure, asked_for, near, hoped]
