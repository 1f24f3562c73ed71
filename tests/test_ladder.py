"""The rung of statements: every example here was made up for the purpose."""

import pytest

from corpus.model import Document
from eval.answers import ladder
from indexer.statements import statements
from search_api.aims import aims_in
from search_api.ladder import grade
from search_api.model import LADDER, Ladder
from search_api.rows import column_of
from search_api.searcher import Searcher

EXAMPLES: list[tuple[Ladder, str]] = [
    ("commitment", "We will reduce smoking prevalence to 5% by 2030."),
    ("commitment", "By 2028, 75% of cancers will be diagnosed at stage 1 or 2."),
    ("commitment", "All providers will publish a plan by March 2024."),
    ("commitment", "Chief Nurse to lead a review of maternity services by Q2 2024/25"),
    ("commitment", "Halve the number of stillbirths by 2025"),
    ("commitment", "No one should wait more than 65 weeks by March 2024"),
    ("commitment", "The programme will be evaluated in spring 2025."),
    ("commitment", "The system must deliver £45m of efficiency savings in 2024/25."),
    ("commitment", "A new hub will open in Barking in September 2024."),
    ("commitment", "Waiting lists will be cleared by the end of June 2024."),
    ("commitment", "Recruit 20 additional midwives by December 2024."),
    ("target", "We will increase the number of people receiving talking therapies by 10%."),
    ("target", "Deliver 50,000 more GP appointments"),
    ("target", "People will be able to access a GP appointment within two weeks."),
    ("target", "Increase dementia diagnosis rates to the national ambition of 66.7%"),
    ("target", "Ensure that at least 70% of two hour UCR referrals are seen."),
    ("target", "We have a target of 95% vaccine coverage."),
    ("target", "Our ambition is that 80% of people with a learning disability have a check."),
    ("target", "Recruit 20 additional midwives."),
    ("target", "Reduce stillbirths by half."),
    ("target", "Provide seven-day services in all hospitals."),
    ("action", "We are developing a digital strategy."),
    ("action", "Continue to roll out social prescribing"),
    ("action", "Establish three new women's health hubs"),
    ("action", "Work is underway to develop a new hub."),
    ("action", "We will pilot a lung health check in three towns."),
    ("action", "The Board will oversee delivery and publish a report each quarter."),
    ("action", "We are working with local authorities to develop a joint housing plan."),
    ("action", "Co-design a new pathway with carers."),
    ("action", "The plan will be refreshed each year."),
    ("action", "Improve access to advice through the creation of a helpline."),
    ("action", "Further joint development of the community offer."),
    ("aspiration", "Reduce inequalities in healthy life expectancy."),
    ("aspiration", "Our vision is for everyone to live well."),
    ("aspiration", "Children should have the best start in life"),
    ("aspiration", "We will work towards net zero."),
    ("aspiration", "Improving outcomes in population health and health care"),
    ("aspiration", "We are committed to reducing our carbon footprint."),
    ("aspiration", "We want to be the best place to grow up."),
    ("aspiration", "Fewer people die early from heart disease."),
    ("aspiration", "Services will be more joined up."),
    ("aspiration", "Supporting carers as well as those whom they are looking after"),
    ("aspiration", "It is important that everyone has access to good housing."),
    ("mention", "Smoking prevalence in our area is 15%, higher than the England average."),
    ("mention", "The ICB has established a health inequalities board."),
    ("mention", "One in four people experience a mental health problem each year."),
    ("mention", "Patients wait on average 12 weeks."),
    ("mention", "More people are working longer than their parents did."),
    ("mention", "Many parents are looking after a grandparent as well."),
    ("mention", "Stakeholders told us they want better access."),
    ("mention", "This chapter describes how we will improve mental health."),
    ("mention", "In 2022/23 we opened two community diagnostic centres."),
    ("mention", "£2.3m was invested in 2021/22."),
    ("mention", "Tackling health inequalities is at the heart of our strategy."),
    ("mention", "We recognise that transport is a barrier."),
    ("mention", "The target of 95% was missed."),
    ("mention", "25% of the population is projected to be over 65 by 2040."),
    ("mention", "Around 20% of people in our most deprived areas smoke."),
    ("mention", "Our staff work hard every day to support patients."),
    ("mention", "Funding secured for the community team."),
    ("mention", "Reducing health inequalities"),
    ("mention", "Start Well – Children and Young People"),
    ("mention", "Our priorities are:"),
]
ROW = (
    ("Objective", "Recover the diagnosis rate to 66.7%, in line with resources."),
    ("Impact", "People have a timely diagnosis.\nAt least 0.6% of people are on a register."),
    ("Timeframe", "September 2023"),
)


@pytest.mark.parametrize(("rung", "text"), EXAMPLES)
def test_the_rung_of_a_sentence(rung: Ladder, text: str) -> None:
    given, triggers = grade(text)
    assert given == rung
    assert all(t in text for t in triggers)
    assert triggers or rung == "mention"


def test_a_dated_row_is_a_commitment_and_shows_number_and_date() -> None:
    whole = "\n".join(text for _, text in ROW)
    assert grade(whole, ROW) == ("commitment", ("66.7%", "September 2023"))
    assert grade(ROW[0][1], ROW) == ("commitment", ("66.7%", "September 2023"))


def test_the_same_words_without_the_row_are_a_target() -> None:
    assert grade(ROW[0][1]) == ("target", ("66.7%",))


def test_an_outcome_in_a_dated_row_takes_its_date_only_with_a_number() -> None:
    assert grade("People have a timely diagnosis.", ROW)[0] == "aspiration"
    assert grade("At least 0.6% of people are on a register.", ROW)[0] == "commitment"


def test_soft_words_in_a_dated_row_are_a_commitment() -> None:
    row = (("Action", "Explore new ways of working"), ("By when", "Q3 2024/25"))
    assert grade("Explore new ways of working", row) == ("commitment", ("Q3 2024/25",))


def test_an_owner_raises_a_target_but_not_an_action() -> None:
    target = (("Action", "Increase uptake to 80%"), ("Lead", "Director of Nursing"))
    assert grade("Increase uptake to 80%", target) == (
        "commitment",
        ("80%", "Director of Nursing"),
    )
    action = (("Action", "Review the offer to carers"), ("Lead", "Director of Nursing"))
    assert grade("Review the offer to carers", action)[0] == "action"


def test_an_undated_timeframe_leaves_the_words_to_decide() -> None:
    row = (("Objective", "Reduce waits for carers"), ("Timeframe", "To be confirmed"))
    assert grade("Reduce waits for carers", row)[0] == "aspiration"


def test_what_stands_under_actions_is_an_action() -> None:
    row = (("Outcomes & Actions", "Better access to early help"), ("Priority 1", "X"))
    assert grade("Better access to early help", row)[0] == "action"


def test_names_of_leads_are_no_statement() -> None:
    row = (("Action", "Open a hub"), ("Lead", "Commissioning Lead for Children"))
    assert grade("Commissioning Lead for Children", row) == ("mention", ())


def test_a_sum_under_a_heading_of_savings_is_a_target() -> None:
    row = (("", "£1.2m"), ("", "Prescribing"))
    assert grade("£1.2m\nPrescribing", row, ("Savings",)) == ("target", ("£1.2m",))
    assert grade("£1.2m\nPrescribing", row, ("Spending",)) == ("mention", ())


@pytest.mark.parametrize(
    ("header", "about"),
    [
        ("Responsible lead", "owner"),
        ("Date to be achieved by", "time"),
        ("Timeframe Our target date?", "time"),
        ("By when", "time"),
        ("The Actions we are taking", "act"),
        ("Objective What are we trying to achieve?", "aim"),
        ("Impact What difference will it make?", "impact"),
        ("Why we are doing it", "why"),
        ("Priority 1", "other"),
        ("", "other"),
    ],
)
def test_columns_are_known_by_their_header(header: str, about: str) -> None:
    assert column_of(header) == about


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("a target of 90% of patients being treated within 6 weeks", ("90%", "within 6 weeks")),
        ("Beds should reduce to six and one by March 2024.", ("six", "one")),
        ("Become net zero", ("net zero",)),
        ("Support the 20% most deprived communities", ()),
        ("Performance has been above the target of 92%.", ()),
        ("Invest £2m in community services", ()),
    ],
)
def test_figures_to_be_reached(text: str, figures: tuple[str, ...]) -> None:
    assert aims_in(text) == figures


def test_triggers_stand_in_every_statement_or_its_row(searcher: Searcher) -> None:
    for document in searcher.store.documents.values():
        for text, around, triggers in _graded(searcher, document):
            for trigger in triggers:
                assert trigger in text or any(trigger in a for a in around), (text, trigger)


def _graded(searcher: Searcher, document: Document) -> list[tuple[str, list[str], tuple[str, ...]]]:
    store, out = searcher.store, []
    for passage in store.passages(range(*store.rows_of(document.id))):
        for s in statements(passage, store.reading(document.id)):
            triggers = grade(s.text, s.cells, s.heading)[1]
            out.append((s.text, [text for _, text in s.cells], triggers))
    return out


def test_the_ladder_keeps_what_it_reached_on_the_tune_labels(searcher: Searcher) -> None:
    score = ladder(searcher, "tune")
    assert score.statements >= 100
    assert score.exact >= 0.9
    assert score.within_one >= 0.97
    assert len(score.confusion) == len(LADDER)
