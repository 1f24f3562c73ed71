"""Declared priorities: found by every rule, not where they are another's, and cited exactly."""

import doctest
from types import ModuleType

import pytest

import eval.priorities
import search_api.declaring
import search_api.priorities
from corpus.model import Cell, Reading, Section
from eval.priorities import Found, priorities, priority_score
from indexer.build import build_index
from indexer.settings import IndexSettings
from search_api.cite import resolve
from search_api.declared import Declared, declared_in
from search_api.declaring import announced_in, called_in_heading
from search_api.model import Filters, Query
from search_api.priorities import breaks_off
from search_api.searcher import Searcher, open_searcher
from search_api.settings import SearchSettings


@pytest.mark.parametrize("module", [search_api.declaring, search_api.priorities, eval.priorities])
def test_examples_in_documentation_hold(module: ModuleType) -> None:
    tried = doctest.testmod(module)
    assert tried.attempted and not tried.failed


def read(text: str) -> Reading:
    """A reading of lines: `# heading`, `- item`, `1. item`, `a | b` table row, else a paragraph."""
    sections, out, path = [], "", ()
    header: tuple[str, ...] = ()
    for line in filter(None, map(str.strip, text.split("\n"))):
        level = len(line) - len(line.lstrip("#"))
        words = line.lstrip("# ").removeprefix("- ")
        start = len(out)
        cells: tuple[Cell, ...] = ()
        if " | " in line:
            parts = words.split(" | ")
            words = "\n".join(parts)
            at = start
            cut = []
            for name, part in zip(header or parts, parts, strict=True):
                cut.append(Cell(name, at, at + len(part)))
                at += len(part) + 1
            form = "table_row" if header else "heading"
            cells, header = (tuple(cut) if header else ()), header or tuple(parts)
        elif level:
            form = "heading"
            path = (*path[: level - 1], words)
        elif line.startswith("- ") or line.split(".")[0].isdigit():
            form = "list_item"
        else:
            form = "prose"
        out += words + "\n"
        sections.append(
            Section(start, start + len(words), form, path, level, cells)  # type: ignore[arg-type]
        )
    return Reading(out, tuple(sections))


def found_in(text: str) -> list[tuple[str, str, list[str]]]:
    """(rank, basis, members) of each list that a text declares."""
    reading = read(text)
    return [
        (d.rank, d.basis, [reading.text[i.start : i.end] for i in d.items])
        for d in declared_in(reading)
    ]


def test_numbered_headings_under_a_heading() -> None:
    text = """
    # Our strategic priorities
    ## Priority 1: give every child the best start
    We will help families.
    ## Priority 2: age well
    We will help older people.
    # How we will measure success
    Each year.
    """
    expected = ["Priority 1: give every child the best start", "Priority 2: age well"]
    assert found_in(text) == [("headline", "heading", expected)]


def test_numbered_lines_wherever_they_stand() -> None:
    text = """
    # A plan
    Priority 2: Homes
    Words about homes, and why they matter to health.
    Priority 1: Work
    Words about work.
    """
    assert found_in(text) == [("headline", "numbered", ["Priority 1: Work", "Priority 2: Homes"])]


def test_a_label_alone_takes_the_line_beneath_it() -> None:
    text = """
    # Priority 1
    Homes for all
    # Priority 2
    Work for all
    """
    (only,) = found_in(text)
    assert only[2] == ["Priority 1\nHomes for all", "Priority 2\nWork for all"]


def test_a_gap_in_the_numbers_is_said() -> None:
    reading = read("Priority 1: Homes\nPriority 2: Work\nPriority 4: Food")
    (only,) = declared_in(reading)
    assert only.missing == (3,)


def test_a_sentence_that_announces_a_list() -> None:
    text = """
    # Our strategy
    We have identified three main strategic priority areas as the focus for all of our work:
    - Care for older residents
    - Unplanned care
    - Primary care
    To improve all of these we will organise services around practices.
    """
    expected = ["Care for older residents", "Unplanned care", "Primary care"]
    assert found_in(text) == [("headline", "sentence", expected)]


@pytest.mark.parametrize(
    ("before", "lead"),
    [
        ("We have a plan.", "Our Strategic Objectives (what we will do about it) are:"),
        ("Our strategy consists of two strategic priorities for us.", "These priorities are:"),
    ],
)
def test_other_ways_to_announce_a_list(before: str, lead: str) -> None:
    text = f"# Plan\n{before}\n{lead}\n- Homes\n- Work\n"
    assert found_in(text) == [("headline", "sentence", ["Homes", "Work"])]


def test_these_priorities_may_be_somebody_elses() -> None:
    text = "The Government has two priorities.\nThese priorities are:\n- Homes\n- Work\n"
    assert found_in(text) == []


def test_as_many_lines_as_are_counted() -> None:
    text = """
    # Our priorities
    Our strategy focuses on two areas of people's lives.
    Starting Well: give children the best start
    Dying Well: talk about dying
    Something else that is said afterwards, in a sentence with a full stop.
    """
    expected = ["Starting Well: give children the best start", "Dying Well: talk about dying"]
    assert found_in(text) == [("headline", "heading", expected)]


def test_a_count_without_a_colon_needs_just_as_many() -> None:
    lead = "This section is about the two priority areas that this strategy will focus on."
    assert found_in(f"{lead}\n1. Homes\n2. Work") == [("headline", "sentence", ["Homes", "Work"])]
    assert found_in(f"{lead}\n1. Homes\n2. Work\n3. Food") == []


def test_areas_named_under_a_priority_are_its_parts() -> None:
    reading = read("""
    # 2. Life-course priorities
    - Start well
    - Age well
    # Start well
    1. Early Help
    2. Maternity
    # Age well
    1. Dementia
    2. Community Services
    """)
    (only,) = declared_in(reading)
    parts = [[reading.text[p.start : p.end] for p in item.parts] for item in only.items]
    assert parts == [["Early Help", "Maternity"], ["Dementia", "Community Services"]]


def test_principles_stand_beside_priorities_and_not_alone() -> None:
    principles = "# Our core principles\n1. Prevention first\n2. Equity in everything\n"
    own = "# Our priorities\n- Homes\n- Work\n"
    assert [rank for rank, _, _ in found_in(own + principles)] == ["headline", "supporting"]
    assert found_in(principles) == []


def test_a_list_given_twice_is_one_list() -> None:
    text = """
    # Our Strategic Priorities
    - High aspirations for all our children
    - Support at the earliest opportunity.
    # Our Priorities 2023-2026
    1. High aspirations for all our children
    2. Support at the earliest opportunity.
    3. Choice and control.
    """
    reading = read(text)
    (only,) = declared_in(reading)
    assert [i.number for i in only.items] == [1, 2, 3]
    assert [reading.text[a:b] for a, b in only.also] == ["Our Strategic Priorities"]


def test_a_list_of_lists_is_not_one() -> None:
    text = "# Our strategic objectives\n1. Cross cutting themes\n2. Life-course priorities\n"
    assert found_in(text) == []


def test_a_column_of_priorities_where_nothing_else_declares_them() -> None:
    text = """
    # Action plan
    Priority area | Action | Lead
    1. Falls | Train staff | Council
    2. Homes | Build | Council
    2. Homes | Repair | Council
    """
    assert found_in(text) == [("headline", "table", ["Falls", "Homes"])]


def test_lines_of_one_form_in_a_text_that_lost_its_headings() -> None:
    text = """
    With local people we have developed our vision and priorities for health.
    We want to become a system that protects health as well as treating illness.
    Become better at preventing ill health.
    Ensuring that children receive early support.
    Ensuring that adults receive early support.
    Download the strategic priorities
    """
    (only,) = found_in(text)
    assert only[:2] == ("headline", "opening")
    assert len(only[2]) == 3


@pytest.mark.parametrize(
    "lead",
    [
        "The national strategy highlighted two priority areas for action:",
        "The NHS Long Term Plan sets out our priorities:",
        "Residents told us their priorities are:",
        "To deliver our priorities we will:",
        "We will monitor progress against our priorities using these measures:",
        "Our priorities were drawn from the following:",
        "It is based around the two themes of:",
        "We will report on these priorities:",
    ],
)
def test_lists_that_are_not_its_own_priorities(lead: str) -> None:
    assert announced_in(lead) is None
    assert found_in(f"# Background\n{lead}\n- Cancer\n- Mental health\n") == []


@pytest.mark.parametrize(
    "heading",
    [
        "Monitoring progress on our priorities",
        "How we will deliver our priorities",
        "NHS England priorities",
        "National priorities",
        "District and borough partnerships and priorities",
        "Risks to our priorities",
        "Prioritising prevention",
        "Our commitment",
    ],
)
def test_headings_about_priorities_declare_none(heading: str) -> None:
    assert called_in_heading(heading) is None
    assert found_in(f"# {heading}\n- Cancer\n- Mental health\n") == []


def test_how_priorities_came_about_is_not_what_they_are() -> None:
    text = """
    # Our strategic priorities
    Our priorities have evolved with those we serve, and are drawn from:
    - the needs identified locally
    - guidance about the design of systems
    """
    assert found_in(text) == []


def test_priorities_of_the_shipped_corpus(searcher: Searcher) -> None:
    score = priorities(searcher)
    assert score.headline_labelled == 30
    assert score.headline_recall == score.headline_precision == score.headline_exact == 1.0
    assert score.wrong == ()
    assert score.recall >= 0.95


def test_every_priority_is_its_own_slice_and_resolves(searcher: Searcher) -> None:
    found = searcher.priorities(filters=Filters(include_superseded=True))
    citations = {c.id: c for c in found.citations}
    for system in found.systems:
        for of in system.lists:
            assert {of.declared_by, *of.also} <= set(citations)
            for priority in of.priorities:
                citation = citations[priority.citation]
                text = searcher.store.reading(citation.document_id).text
                assert priority.text == citation.quote == text[citation.start : citation.end]
                assert resolve(searcher.store, priority.id) == citation
                assert priority.under is None or priority.under in {p.id for p in of.priorities}
    assert all(r.valid for r in searcher.verify([_as_json(c) for c in found.citations]))


def _as_json(citation: object) -> dict[str, object]:
    from dataclasses import asdict

    return asdict(citation)  # type: ignore[call-overload, no-any-return]


def test_themes_say_what_is_shared_and_what_is_ones_own(searcher: Searcher) -> None:
    found = searcher.priorities(home="sefton")
    themes = {t.theme: t for t in found.themes}
    assert set(themes["dementia"].systems) == {"sefton", "hertfordshire-west-essex"}
    assert themes["housing"].systems == ("hertfordshire-west-essex",)
    # Of a life stage and the areas under it, the area that names the theme is shown.
    texts = {c.id: c.quote for c in found.citations}
    assert "Dementia" in {texts[i] for i in themes["dementia"].priorities}
    assert "Age well" not in {texts[i] for i in themes["dementia"].priorities}
    assert any(
        line.startswith("Only Hertfordshire") and "Housing" in line for line in found.summary
    )
    assert [s.home for s in found.systems].count(True) == 1


def test_superseded_priorities_only_when_asked_for(searcher: Searcher) -> None:
    def superseded(filters: Filters) -> dict[str, bool]:
        found = searcher.priorities(filters=filters)
        return {of.document_id: of.superseded for s in found.systems for of in s.lists}

    old = "sefton-ccg-five-year-strategy"
    assert old not in superseded(Filters())
    marked = superseded(Filters(include_superseded=True))
    assert [document for document, is_old in marked.items() if is_old] == [old]


def test_a_guess_is_said_to_be_one(searcher: Searcher) -> None:
    found = searcher.priorities(filters=Filters(system=("south-east-london",)))
    assert [of.basis for of in found.systems[0].lists] == ["opening"]
    assert any("lost its headings" in note for note in found.notes)


@pytest.mark.parametrize(
    ("text", "home", "headline"),
    [
        (
            "What are the main priorities of other systems?",
            "sefton",
            (
                "3 of 3 systems declare headline priorities: Lancashire and South Cumbria (5), "
                "South East London (5) and Hertfordshire and West Essex (6)."
            ),
        ),
        ("sefton priorities", None, "Sefton declares 11 headline priorities."),
    ],
)
def test_who_asks_for_priorities_is_given_those_declared(
    searcher: Searcher, text: str, home: str | None, headline: str
) -> None:
    answer = searcher.ask(Query(text, home=home))
    assert (answer.status, answer.headline) == ("answered", headline)
    declared = searcher.priorities(home)
    for said in answer.systems:
        own = next(s for s in declared.systems if s.system == said.system)
        rows = [p for of in own.lists if of.rank == "headline" for p in of.priorities]
        assert [s.text for s in said.statements] == [p.text for p in rows if p.under is None]
    cited = {c.id: c for c in answer.citations}
    assert {s.citation for said in answer.systems for s in said.statements} == cited.keys()
    assert all(resolve(searcher.store, c) == cited[c] for c in cited)


def test_what_all_share_is_told_with_what_each_declares(searcher: Searcher) -> None:
    answer = searcher.ask(Query("What priorities do all systems have in common?"))
    assert answer.headline.startswith("4 of 4 systems declare headline priorities: ")
    assert any(note.startswith("Shared by all 4: ") for note in answer.notes)


def test_priorities_for_something_are_searched_for(searcher: Searcher) -> None:
    answer = searcher.ask(Query("What are the priorities for carers?"))
    assert "headline priorities" not in answer.headline


def test_areas_under_a_priority_stand_beside_it(searcher: Searcher) -> None:
    (sefton,) = searcher.ask(Query("What are Sefton's priorities?")).systems
    beside = {s.text: s.context for s in sefton.statements}
    assert beside["Age well"] == ("Community Services · Dementia · Urgent & Emergency Care (UEC)")


def test_beside_systems_that_declare_some_the_others_are_searched(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Searcher(searcher.store, searcher.settings)
    known = dict(search_api.priorities.declared_of(searcher.store))
    known["lsc-integrated-care-strategy"] = ()
    monkeypatch.setattr("search_api.priorities.declared_of", lambda _: known)
    answer = own.ask(Query("priorities"))
    assert answer.headline == (
        "3 of 4 systems declare headline priorities: Sefton (11), South East London (5) and "
        "Hertfordshire and West Essex (6). No declared list of priorities was found for Lancashire "
        "and South Cumbria. It may state them in another form: ask about a subject to see what "
        "it says."
    )
    lancashire = next(a for a in answer.systems if a.system == "lancashire-south-cumbria")
    assert any("priorities" in s.text for s in lancashire.statements)
    cited = {c.id for c in answer.citations}
    assert all(s.citation in cited for a in answer.systems for s in a.statements)


def test_where_none_are_declared_the_documents_are_searched(tiny_settings: IndexSettings) -> None:
    build_index(tiny_settings)
    answer = open_searcher(SearchSettings(index=tiny_settings.index)).ask(Query("priorities"))
    assert "declare" not in answer.headline
    assert answer.searched.passages > 0


def test_a_system_that_declares_none_is_said_to(tiny_settings: IndexSettings) -> None:
    build_index(tiny_settings)
    small = open_searcher(SearchSettings(index=tiny_settings.index))
    found = small.priorities()
    status = {s.system: s.status for s in found.systems}
    assert status["southmere"] == "none"
    assert any("No declared list" in line and "Southmere" in line for line in found.summary)


def test_a_line_that_breaks_off() -> None:
    assert breaks_off("Priority 2: Strong, engaged and")
    assert not breaks_off("Priority 2: Homes")


def test_the_score_counts_wrong_ones_and_inexact_ones() -> None:
    labels = [
        {"document": "plan", "quote": "Age well", "headline": True},
        {"document": "plan", "quote": "Start well", "headline": True},
    ]
    found = [
        Found("plan", "Age well", True),
        Found("plan", "Start well for every child", True),
        Found("plan", "Car parking", True),
        Found("other", "Start well", True),
    ]
    score = priority_score(labels, found)
    assert (score.headline_recall, score.headline_exact) == (1.0, 0.5)
    assert score.headline_precision == 0.5
    assert score.wrong == ("plan: Car parking", "other: Start well")


def test_declared_lists_say_where_they_are_declared() -> None:
    reading = read("# Our priorities\n- Homes\n- Work\n")
    (only,) = declared_in(reading)
    assert isinstance(only, Declared)
    assert reading.text[only.start : only.end] == only.called == "Our priorities"
