"""What a question is taken to mean: whose documents, what about, and which other words."""

import pytest

from corpus.errors import QueryError
from indexer.store import spelling
from search_api.medical import is_personal_medical
from search_api.model import Query
from search_api.searcher import Searcher
from search_api.thesaurus import SOURCE, open_thesaurus
from search_api.understand import ABOUT_DUE, ABOUT_PRIORITIES, Understander
from search_api.whom import asks_across

HOME = "lancashire-south-cumbria"


@pytest.fixture(scope="module")
def reader(searcher: Searcher) -> Understander:
    return Understander(searcher.store)


def test_others_leaves_the_home_system_out(reader: Understander) -> None:
    understood = reader.understand("What do other ICSs say about dementia?", HOME)
    assert understood.excluded_systems == (HOME,)
    assert understood.subject == "dementia?"


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("what do others plan for unpaid carers", "unpaid carers"),
        ("What is being done about obesity?", "obesity?"),
        ("what does Sefton plan to do about housing", "housing"),
        ("planning for adulthood", "planning for adulthood"),
        ("At what school year does planning for adult life begin?", None),
        ("do not resuscitate plan for care homes", None),
    ],
)
def test_what_is_planned_or_done_is_asked_for_by_its_subject(
    reader: Understander, text: str, subject: str | None
) -> None:
    assert reader.understand(text, HOME).subject == (subject or text)


@pytest.mark.parametrize(
    ("text", "left_out", "subject"),
    [
        ("other than Sefton and Lancashire, who talks about carers", 2, "carers"),
        ("carers excluding Sefton, Lancs and Herts", 3, "carers"),
        ("carers but not Sefton or Hertfordshire", 2, "carers"),
        ("neither Sefton nor H&WE on carers", 2, "carers"),
        ("other than Sefton, what does Lancashire say about carers", 1, "carers"),
    ],
)
def test_all_that_are_named_together_are_left_out(
    reader: Understander, text: str, left_out: int, subject: str
) -> None:
    understood = reader.understand(text, None)
    assert understood.excluded_systems[0] == "sefton"
    assert len(understood.excluded_systems) == left_out
    assert len(understood.systems) == (1 if left_out == 1 else 0)
    assert understood.subject == subject


@pytest.mark.parametrize("home", [None, HOME])
def test_one_compared_with_the_others_is_a_question_to_all(
    reader: Understander, home: str | None
) -> None:
    for text in (
        "compare Sefton with the others on prevention",
        "Sefton versus the rest on cancer",
    ):
        understood = reader.understand(text, home)
        assert understood.systems == understood.excluded_systems == ()
        assert understood.subject in ("prevention", "cancer")
        assert "Sefton is compared with all systems: all are searched." in understood.notes
    two = reader.understand("compare Sefton with South East London on cancer", home)
    assert len(two.systems) == 2
    alone = reader.understand("how does Sefton share records with others", None)
    assert alone.systems == ("sefton",) and "with others" in alone.subject


def test_who_else_leaves_the_home_system_out(reader: Understander) -> None:
    assert reader.understand("who else has a plan for autism?", HOME).excluded_systems == (HOME,)


def test_others_without_a_home_leaves_none_out_and_says_so(reader: Understander) -> None:
    understood = reader.understand("What do other ICSs say about dementia?", None)
    assert understood.excluded_systems == ()
    assert any("no home system" in note for note in understood.notes)


@pytest.mark.parametrize(
    "text",
    [
        "Some places get a better service than others",
        "What do the strategies say about other long term conditions?",
    ],
)
def test_a_comparison_is_not_a_wish_to_leave_anyone_out(reader: Understander, text: str) -> None:
    assert reader.understand(text, HOME).excluded_systems == ()


@pytest.mark.parametrize(
    ("text", "system"),
    [
        ("dementia in Sefton", "sefton"),
        ("What does SEL plan for carers?", "south-east-london"),
        ("Hertfordshire and West Essex on ageing", "hertfordshire-west-essex"),
        ("Herts & West Essex on ageing", "hertfordshire-west-essex"),
        ("south east lonodn prevention", "south-east-london"),
        ("Seften dementia", "sefton"),
        ("Lewisham childcare", "south-east-london"),
        ("what is London doing about obesity", "south-east-london"),
        ("east of england cancer", "hertfordshire-west-essex"),
        ("What does Cheshire and Merseyside say about dementia?", "sefton"),
    ],
)
def test_systems_are_known_by_name_alias_and_misspelling(
    reader: Understander, text: str, system: str
) -> None:
    assert reader.understand(text, None).systems == (system,)


@pytest.mark.parametrize(
    "text", ["carers, not Sefton", "carers except in Sefton", "carers -Sefton", "carers not sefton"]
)
def test_systems_are_left_out_by_name(reader: Understander, text: str) -> None:
    understood = reader.understand(text, None)
    assert understood.excluded_systems == ("sefton",)
    assert understood.systems == ()


def test_phrases_and_words_ruled_out(reader: Understander) -> None:
    understood = reader.understand('"one stop shop" memory -carers', None)
    assert understood.phrases == ("one stop shop",)
    assert understood.without == ("carers",)


def test_quotation_marks_in_a_long_sentence_only_stress(reader: Understander) -> None:
    text = 'I would like to know everything that is said about what people call "care" these days'
    assert reader.understand(text, None).phrases == ()


def test_acronyms_are_spelled_out_and_long_forms_shortened(reader: Understander) -> None:
    short = reader.understand("PEoLC objectives", None).expansions
    assert any("palliative" in e.to.lower() for e in short if e.source != SOURCE)
    long = reader.understand("integrated care team in each locality", None).expansions
    assert any(e.to == "ICT" for e in long)


def test_an_acronym_that_is_also_a_word_counts_only_in_capitals(reader: Understander) -> None:
    assert not reader.understand("please send the plan", None).expansions
    respect = reader.understand("treated with respect", None).expansions
    assert not any(e.source != SOURCE for e in respect)


def test_other_words_come_from_the_thesaurus_and_stand_in_the_documents(
    reader: Understander, searcher: Searcher
) -> None:
    found = reader.understand("help for pensioners", None).expansions
    assert found and all(e.source == SOURCE for e in found)
    assert "older people" in {e.to for e in found}
    assert all(searcher.search(Query(e.to)).hits for e in found)


def test_words_inside_a_spelled_out_acronym_are_left_alone(reader: Understander) -> None:
    expansions = reader.understand("Targeted Lung Health Checks", None).expansions
    assert not any(e.source == SOURCE and "lung" in e.from_.lower() for e in expansions)


def test_misspelt_words_are_put_right_and_told(reader: Understander) -> None:
    understood = reader.understand("demenita diagnosis", None)
    assert understood.spelling == "dementia diagnosis"
    assert any("demenita" in note for note in understood.notes)
    # Letters left out before others in their place, however common the other word is.
    known = {"palliative": 1, "positive": 40}
    assert spelling.likeliest("palitive", known) == "palliative"


def test_a_region_names_the_systems_in_it_and_leaves_them_out(reader: Understander) -> None:
    asked = reader.understand("What does the North West say about carers?", None)
    assert asked.systems == ("sefton", "lancashire-south-cumbria")
    assert any("that region" in note for note in asked.notes)
    left_out = reader.understand("all areas except London on carers", None)
    assert left_out.excluded_systems == ("south-east-london",)
    assert reader.understand("Sefton in the North West", None).systems == ("sefton",)
    for text in ("London Living Wage", "the north west of the borough"):
        assert reader.understand(text, None).systems == ()


def test_a_whole_that_the_corpus_has_a_part_of_stays_among_the_words(reader: Understander) -> None:
    asked = reader.understand("places in Cheshire and Merseyside ICB", None)
    assert asked.systems == ("sefton",)
    assert "Cheshire" in asked.subject
    assert any("as a whole is not in the corpus" in note for note in asked.notes)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Greater Manchester digital plans", "Greater Manchester"),
        ("What does Cornwall say?", "Cornwall"),
        ("what does kent say about carers", "Kent"),
        ("dementia in Surrey", "Surrey"),
        ("north west london carers", "North West London"),
        ("people who sleep rough in Bath", "Bath"),
    ],
)
def test_bodies_outside_the_corpus_are_named(reader: Understander, text: str, name: str) -> None:
    understood = reader.understand(text, None)
    assert understood.outside == (name,)
    assert name.split()[0].casefold() not in understood.subject.casefold()


def test_what_joined_a_name_to_the_subject_goes_with_it(reader: Understander) -> None:
    assert reader.understand("plans in the Midlands for cancer", None).subject == "plans for cancer"
    assert reader.understand("everyone but Leeds on dementia", None).subject == "dementia"


@pytest.mark.parametrize("text", ["help with a bath", "Bath lifts", "Liverpool hospitals"])
def test_everyday_words_and_what_documents_speak_of_are_no_bodies(
    reader: Understander, text: str
) -> None:
    assert not reader.understand(text, None).outside


def test_a_body_outside_beside_one_of_the_corpus_is_told(
    reader: Understander, searcher: Searcher
) -> None:
    asked = reader.understand("compare Sefton and Leeds on carers", None)
    assert (asked.systems, asked.outside, asked.subject) == (("sefton",), ("Leeds",), "carers")
    assert searcher.ask(Query(asked.text)).headline.endswith("; Leeds is not in the corpus.")
    silent = searcher.ask(Query("compare South East London and Leeds on dementia"))
    assert silent.headline.endswith("; Leeds is not in the corpus.")
    assert silent.reason is not None and silent.reason.endswith("Leeds is not in the corpus.")


@pytest.mark.parametrize(
    "text",
    [
        "which areas do not mention carers?",
        "who is silent on carers",
        "which systems address carers",
        "who says nothing about carers?",
    ],
)
def test_who_speaks_and_who_does_not_is_asked_for_by_its_subject(
    reader: Understander, text: str
) -> None:
    assert reader.understand(text, None).subject.rstrip("?") == "carers"


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("Which systems commit to reduce smoking and by when?", "reduce smoking"),
        ("which other ICSs plan to improve dental care", "improve dental care"),
        ("Who is trying to cut waiting lists, and how?", "cut waiting lists"),
        ("What does Sefton want to achieve for carers", "achieve for carers"),
        ("referral to a dietitian, by what year?", "referral to a dietitian"),
        ("Which ICS has the most ambitious target for early diagnosis?", "early diagnosis"),
        ("which systems have an action on suicide", "suicide"),
        ("What targets are there for obesity", "obesity"),
        ("which commitments have other systems made on housing?", "housing"),
        ("Which cancer commitments have been made, and by when?", "cancer"),
        ("Does Sefton have a plan for dental care", "dental care"),
        ("Which systems have set a target for recovery", "recovery"),
    ],
)
def test_who_aims_and_by_when_is_no_part_of_the_subject(
    reader: Understander, text: str, subject: str
) -> None:
    assert reader.understand(text, None).subject.rstrip("?") == subject


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("I need a paragraph on net zero for a board paper", "net zero"),
        ("give me a summary of what each system says about workforce", "workforce"),
        ("quotes about loneliness", "loneliness"),
        ("page number for the diagnosis target", "the diagnosis target"),
        ("good practice on frailty for tomorrow's meeting", "frailty"),
        ("a report for the board", "a report for the board"),
    ],
)
def test_what_is_made_of_the_answer_is_no_part_of_the_subject(
    reader: Understander, text: str, subject: str
) -> None:
    assert reader.understand(text, None).subject == subject


@pytest.mark.parametrize(
    "text",
    [
        "is Sefton ahead of others on dementia",
        "is Sefton further ahead than the rest on dementia",
        "does Sefton do more than others on dementia",
        "Is Sefton doing better than other areas on dementia?",
    ],
)
def test_who_is_ahead_of_others_is_a_question_to_all(reader: Understander, text: str) -> None:
    asked = reader.understand(text, None)
    assert (asked.systems, asked.subject.rstrip("?")) == ((), "dementia")
    assert any("is compared with all systems" in note for note in asked.notes)


@pytest.mark.parametrize(
    "text",
    [
        "by when",
        "care plans to be signed",
        "people who want to die",
        "which targets are due in 2024",
        "what plans",
    ],
)
def test_a_subject_that_looks_like_a_frame_stays(reader: Understander, text: str) -> None:
    assert reader.understand(text, None).subject == text


@pytest.mark.parametrize(
    ("text", "outside"),
    [
        ("what does NHS England say about dementia", ("NHS England",)),
        ("What has the Department of Health and Social Care promised on dental care?",
         ("Department of Health and Social Care",)),
        ("which areas mention NHS England", ()),
        ("Does the NHS England target for dementia apply?", ()),
        ("NICE guidance on falls", ()),
    ],
)  # fmt: skip
def test_a_national_body_is_outside_where_it_is_asked_itself(
    reader: Understander, text: str, outside: tuple[str, ...]
) -> None:
    assert reader.understand(text, None).outside == outside


def test_a_longer_name_is_not_a_shorter_one(reader: Understander) -> None:
    assert reader.understand("Greater Manchester", None).outside == ("Greater Manchester",)


@pytest.mark.parametrize("text", ["", "   ", "x" * 1_001])
def test_empty_and_long_questions_are_refused(reader: Understander, text: str) -> None:
    with pytest.raises(QueryError):
        reader.understand(text, None)


@pytest.mark.parametrize(
    ("text", "across"),
    [
        ("What do other ICSs say about carers?", True),
        ("Which systems plan more prevention?", True),
        ("loneliness: who talks about it?", True),
        ("Keeping people independent: whose aims mention it?", True),
        ("who looks after people who care for a relative", False),
        ("help for children whose parents drink", False),
        ("staff who plan discharge", False),
        ("dementia diagnosis rate", False),
    ],
)
def test_questions_put_to_all_systems(text: str, across: bool) -> None:
    assert asks_across(text) is across


# The thesaurus


def test_the_longest_phrase_counts() -> None:
    found = {a.typed for a in open_thesaurus().alike("support for young carers")}
    assert "young carers" in found and "carers" not in found


def test_lay_words_bring_in_words_but_not_the_reverse() -> None:
    thesaurus = open_thesaurus()
    assert "older people" in next(iter(thesaurus.alike("pensioner"))).others
    assert all("pensioner" not in a.others for a in thesaurus.alike("older people"))


def test_an_acronym_of_the_thesaurus_needs_capitals() -> None:
    thesaurus = open_thesaurus()
    assert next(iter(thesaurus.alike("OT for children"))).typed == "OT"
    assert not any(a.typed == "ot" for a in thesaurus.alike("ot for children"))


def test_groups_are_worth_having() -> None:
    thesaurus = open_thesaurus()
    held = [e.group for entries in thesaurus.entries.values() for e in entries]
    assert all(held.count(group) >= 2 for group in range(len(thesaurus.groups)))
    assert all(short == short.upper() for short in thesaurus.short)


# Personal medical questions


@pytest.mark.parametrize(
    "text",
    [
        "Can I take paracetamol while breastfeeding?",
        "Should I go to A&E with chest pain?",
        "My son has a rash, what should I do?",
        "How many ibuprofen can I take in a day?",
        "Am I having a heart attack?",
        "how do I get rid of a cold sore",
        "What dose of calpol for a two year old?",
        "My knee hurts when I climb stairs",
        "why do I keep getting headaches",
        "Should I give my baby naproxen?",
        "can we give our mum her tablets with milk",
    ],
)
def test_personal_medical_questions_are_told(text: str) -> None:
    assert is_personal_medical(text)


@pytest.mark.parametrize(
    "text",
    [
        "are we the only one with a dementia target",
        "Can my mum get help at home after hospital?",
        "Where can I get support for my autistic son?",
        "Do I have to pay for a carers assessment?",
        "What is being done about blood pressure checks?",
        "How many of us have diabetes?",
        "Should we expect more GPs?",
        "how can I see a doctor online",
        "What do other ICSs say about chronic pain?",
        "How can we give our children the best start?",
    ],
)
def test_questions_about_services_are_not_medical(text: str) -> None:
    assert not is_personal_medical(text)


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("When was the Sefton Partnership set up?", "When was the Partnership set up?"),
        ("Compare what south east London and Sefton offer new mothers", "offer new mothers"),
        ("care nearer home: compare south east London with Sefton", "care nearer home"),
        ("dementia in Sefton and South East London", "dementia"),
        ("list of hospices in Sefton", "hospices"),
        ("Compare", "Compare"),
    ],
)
def test_the_subject_is_what_is_left_without_names_and_orders(
    reader: Understander, text: str, subject: str
) -> None:
    assert reader.understand(text, None).subject == subject


def test_a_system_both_asked_for_and_left_out_is_searched(reader: Understander) -> None:
    text = "Do any strategies besides Sefton's mention cancer, and what does Sefton promise?"
    understood = reader.understand(text, None)
    assert understood.systems == () and understood.excluded_systems == ()
    assert any("both asked for and left out" in note for note in understood.notes)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Which commitments are overdue?", True),
        ("what is due before April 2024 on cancer", True),
        ("what happens in 2024/25?", True),
        ("what is planned by March 2025", True),
        ("deaths due to cancer", False),
        ("dementia", False),
    ],
)
def test_who_asks_what_is_due_is_told_of_the_register(
    reader: Understander, text: str, told: bool
) -> None:
    assert (ABOUT_DUE in reader.understand(text, None).notes) is told


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("anything on AI", "AI"),
        ("Is there anything about allotments?", "allotments?"),
        ("compare HWE and LSC on housing", "housing"),
        ("on-site childcare", "on-site childcare"),
        ("about time to act", "time to act"),
    ],
)
def test_what_leads_up_to_the_subject_is_no_part_of_it(
    reader: Understander, text: str, subject: str
) -> None:
    assert reader.understand(text, None).subject == subject


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("What are Sefton's main priorities?", True),
        ("compare priorities", True),
        ("What are the priorities for carers?", False),
        ("common themes across all four", True),
        ("what priorities do all systems share", True),
        ("shared care records", False),
    ],
)
def test_who_asks_for_priorities_is_told_where_they_stand(
    reader: Understander, text: str, told: bool
) -> None:
    assert (ABOUT_PRIORITIES in reader.understand(text, None).notes) == told


@pytest.mark.parametrize(
    ("text", "systems", "subject"),
    [
        ("what is our target for dementia?", ("sefton",), "what is our target for dementia?"),
        ("what have we promised on dentistry", ("sefton",), "dentistry"),
        ("compare us with SEL on dementia", ("sefton", "south-east-london"), "dementia"),
        ("how do we compare with SEL on housing", ("sefton", "south-east-london"), "housing"),
        ("are we the only one with a dementia target", (), None),
        ("do we do more than others on carers?", (), None),
        ("how will our residents be involved", (), None),
        ("what do other ICSs say about our plan", (), None),
    ],
)
def test_we_is_the_home_system_unless_others_are_asked_about(
    reader: Understander, text: str, systems: tuple[str, ...], subject: str | None
) -> None:
    asked = reader.understand(text, "sefton")
    assert asked.systems == systems
    assert subject is None or asked.subject == subject
    assert any("your own system" in note for note in asked.notes) == bool(systems)
    alone = reader.understand(text, None)
    assert "sefton" not in alone.systems


def test_not_only_one_system_is_a_question_to_all(reader: Understander) -> None:
    asked = reader.understand("dementia, not only in Sefton", None)
    assert (asked.systems, asked.excluded_systems, asked.subject) == ((), (), "dementia")
