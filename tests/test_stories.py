"""Stories told in a real browser: given, when, then, for every page, with and without JavaScript.

axe-core judges every page against WCAG 2.2 AA, and nothing needs scrolling sideways.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corpus.catalogue import sha256_of
from eval.making import pdf_headings
from indexer.build import build_index
from indexer.settings import IndexSettings
from search_api.serving import Serving
from search_api.settings import SearchSettings
from tests.browser import IN_A_BROWSER, PHONE, ZOOMED, Opens, Server, playwright
from tests.conftest import share_models
from web.settings import WebSettings

pytestmark = IN_A_BROWSER

DEMENTIA = "/ask?q=what+do+other+ICSs+say+about+dementia&home=lancashire-south-cumbria"
TARGET = "sefton-plan-2023-25.43882-44323"
EARLY_ONSET = "sefton-plan-2023-25.44895-45269"
VIEWER = f"/documents/sefton-plan-2023-25?page=79&cite={TARGET}&cite={EARLY_ONSET}#{TARGET}"
PAGES = {
    "home": "/",
    "ask, nothing asked": "/ask",
    "ask": DEMENTIA,
    "ask, not found": "/ask?q=what+does+Devon+say+about+dementia",
    "ask, empty": "/ask?q=",
    "search": "/search?q=IAPT+for+carers",
    "search, wrong": "/search?q=carers&from=then",
    "compare, nothing chosen": "/compare",
    "compare": "/compare?theme=dementia&theme=housing&theme=cancer&home=sefton",
    "priorities": "/priorities?home=sefton&include_superseded=true",
    "documents": "/documents",
    "document": VIEWER,
    "document, found": "/documents/sefton-send-joint-commissioning-2023-26?find=carers",
    "document without pages": "/documents/hwe-integrated-care-strategy",
    "superseded document": "/documents/sefton-ccg-five-year-strategy",
    "commitments": "/commitments?theme=dementia",
    "systems": "/systems",
    "quality": "/quality",
    "about": "/about",
    "accessibility": "/accessibility",
    "not found": "/nowhere",
}
MOST_PAINT_MS = 1_000


# Every page.


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_every_page_is_accessible(reader: Opens, path: str) -> None:
    """Given any page, when it is judged with everything unfolded, then nothing is found."""
    one = reader()
    one.opens(path)
    one.page.evaluate("() => document.querySelectorAll('details').forEach(d => d.open = true)")
    wrong, undecided = one.judge()
    assert wrong == []
    assert undecided == []


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_every_page_fits_a_small_phone(reader: Opens, path: str, scripts: bool) -> None:
    """Given a window of 320 pixels, when any page is opened, then nothing goes off its side."""
    one = reader(scripts=scripts, window=PHONE)
    one.opens(path)
    one.page.evaluate("() => document.querySelectorAll('details').forEach(d => d.open = true)")
    assert one.overflow() <= 0
    playwright.expect(one.page.locator("h1")).to_have_count(1)


def test_zoom_of_400_per_cent_keeps_everything_in_reach(reader: Opens) -> None:
    """Given a window zoomed to 400%, when an answer is opened, then its parts can be reached."""
    one = reader(window=ZOOMED)
    one.opens(DEMENTIA)
    one.page.get_by_role("link", name="South East London").first.click()
    one.sees("Silent", "#system-south-east-london")
    assert one.overflow() <= 0


@pytest.mark.parametrize("width", [640, 768, 1024, 1100, 1184, 1600])
def test_words_keep_away_from_the_sides_of_a_window(reader: Opens, width: int) -> None:
    """Given a window of any width, when an answer is opened, then there is room at both sides."""
    one = reader(window={"width": width, "height": 800})
    one.opens(DEMENTIA)
    for place in (".nhsuk-header__service-logo", "h1"):
        box = one.page.locator(place).first.bounding_box()
        assert box is not None and 16 <= box["x"] and box["x"] + box["width"] <= width - 16


@pytest.mark.parametrize("path", ["/", DEMENTIA, PAGES["compare"], VIEWER])
def test_the_largest_thing_is_there_within_a_second(reader: Opens, path: str) -> None:
    """Given a server that is up, when a page is opened, then its largest part is there in a second.

    Other work on the machine only ever adds: the best of several loads is what the page takes.
    """
    one = reader()
    painted = []
    for _ in range(4):
        one.opens("/accessibility")
        one.opens(path)
        painted.append(
            one.page.evaluate(
                """() => new Promise(done => new PerformanceObserver(list => {
                     const all = list.getEntries(); done(all[all.length - 1].startTime);
                   }).observe({type: 'largest-contentful-paint', buffered: true}))"""
            )
        )
    assert min(painted) < MOST_PAINT_MS, painted


# Home to source.


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_from_the_home_page_to_a_checked_citation(reader: Opens, scripts: bool) -> None:
    """Three clicks from nothing to the words on their page."""
    # Given a first-time visitor
    one = reader(scripts=scripts)
    one.opens("/")
    # When she asks, with her own system chosen
    one.page.select_option("#home", "lancashire-south-cumbria")
    one.page.fill("#q", "what do other ICSs say about dementia")
    one.page.get_by_role("button", name="Ask", exact=True).click()
    # Then the answer says who says what
    one.sees("2 of 3 other systems address dementia", "h1")
    one.sees("Recover the dementia diagnosis rate to 66.7%")
    # When she follows the source of a quote
    one.page.locator(".app-quote__link", has_text="page 79 of the pack").first.click()
    # Then she is at the marked words on their page
    mark = one.page.locator("mark[data-cited]").first
    playwright.expect(mark).to_be_in_viewport()
    assert "page=79" in one.page.url and "#" in one.page.url
    one.sees("page 79 of the pack", "#cited")


def test_the_same_way_by_keyboard_alone(reader: Opens) -> None:
    """Given no mouse, when Tab and Enter are all there is, then the marked words are reached."""
    one = reader()
    one.opens("/")
    one.page.keyboard.press("Tab")
    assert one.focused() == "Skip to main content"
    one.page.keyboard.press("Enter")
    assert one.focused() == "maincontent"
    one.page.keyboard.press("Tab")
    assert one.focused() == "q"
    one.page.keyboard.type("what do other systems say about dementia")
    one.tabs_to("home ", 3)
    one.page.keyboard.type("Lanc")
    one.page.keyboard.press("Shift+Tab")
    one.page.keyboard.press("Enter")
    one.sees("2 of 3 other systems", "h1")
    one.tabs_to("page 79 of the pack")
    one.page.keyboard.press("Enter")
    one.page.wait_for_url("**/documents/**")
    playwright.expect(one.page.locator("mark[data-cited]").first).to_be_focused()
    # And what has the focus can be seen
    assert (
        one.page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") != "none"
    )


def test_examples_answer_for_the_home_system_remembered(reader: Opens) -> None:
    """Given a home system chosen once, when she comes back, then it is still chosen."""
    one = reader()
    one.opens("/ask?q=dementia&home=sefton")
    one.opens("/")
    assert one.page.input_value("#home") == "sefton"
    one.page.get_by_role("link", name="What do other systems say about dementia?").click()
    one.sees("Sefton was left out", ".app-understood")


def test_recent_questions_stay_in_the_browser(reader: Opens) -> None:
    """Given a question asked, when she is back home, then it is offered, until she forgets it."""
    one = reader()
    one.opens("/ask?q=dental+care")
    one.opens("/")
    link = one.page.locator(".app-recent a", has_text="dental care")
    playwright.expect(link).to_be_visible()
    one.page.get_by_role("button", name="Forget them").click()
    playwright.expect(one.page.locator(".app-recent")).to_be_hidden()
    one.opens("/")
    playwright.expect(one.page.locator(".app-recent")).to_be_hidden()
    cookies = {cookie["name"] for cookie in one.context.cookies()}
    assert cookies <= {"icsearch_home"}


def test_suggestions_come_with_the_box(reader: Opens) -> None:
    """Given the question box, when she starts to type, then themes and acronyms are on offer."""
    one = reader()
    one.opens("/")
    offered = one.page.eval_on_selector_all("#suggestions option", "all => all.map(o => o.value)")
    assert "Dementia" in offered and any(x.startswith("PHM (") for x in offered)


# Answers.


def test_asking_again_brings_the_answer_without_a_new_page(reader: Opens) -> None:
    """Given an answer, when she asks something else, then the results change in place."""
    one = reader()
    one.opens(DEMENTIA)
    one.page.evaluate("() => { window.stillHere = true; }")
    one.page.fill("#q", "what is planned for dental care")
    one.page.keyboard.press("Enter")
    one.sees("what is planned for dental care", "h1")
    assert one.page.evaluate("() => window.stillHere") is True
    # Then the address, the title and the focus are those of the new answer
    assert "dental" in one.page.url and "from=" not in one.page.url
    assert "dental care" in one.title()
    assert one.focused() == "headline"
    # And going back brings the first answer back
    one.page.go_back()
    one.sees("what do other ICSs say about dementia", "h1")


def test_a_mistake_is_said_where_it_was_made(reader: Opens) -> None:
    """Given an empty box, when she asks, then the mistake is said, linked and focused."""
    one = reader()
    one.opens("/ask?q=")
    assert one.title().startswith("Error: ")
    summary = one.page.locator(".nhsuk-error-summary")
    playwright.expect(summary).to_be_focused()
    summary.get_by_role("link").click()
    assert one.focused() == "q"


def test_silence_can_be_judged(reader: Opens) -> None:
    """Given a silent system, when she unfolds the nearest passage, then it says what it is not."""
    one = reader(scripts=False)
    one.opens(DEMENTIA)
    part = one.page.locator("#system-south-east-london")
    playwright.expect(part).to_contain_text("Searched: 1 document")
    part.locator("summary").click()
    playwright.expect(part.get_by_text("This is not an answer.")).to_be_visible()


def test_what_was_understood_is_undone_by_a_link(reader: Opens) -> None:
    """Given that her own system was left out, when she undoes it, then it answers too."""
    one = reader(scripts=False)
    one.opens(DEMENTIA)
    one.page.get_by_role("link", name="Include Lancashire and South Cumbria").click()
    playwright.expect(one.page.locator("#system-lancashire-south-cumbria")).to_be_visible()


def test_a_quote_is_copied_with_its_reference(reader: Opens) -> None:
    """Given a quote, when she copies it, then words, source and link are on the clipboard."""
    one = reader(permissions=["clipboard-read", "clipboard-write"])
    one.opens(DEMENTIA)
    button = one.page.get_by_role("button", name="Copy quote with reference").first
    button.click()
    playwright.expect(one.page.locator("#announcement")).to_contain_text("Quote copied")
    copied = one.page.evaluate("() => navigator.clipboard.readText()")
    assert "dementia" in copied and "The Sefton Plan 2023-25" in copied
    assert "of the pack" in copied and f"{one.origin}/documents/sefton-plan-2023-25" in copied


# Results.


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_results_are_narrowed_by_a_count(reader: Opens, scripts: bool) -> None:
    """Given results, when she follows a count, then only that system is left."""
    one = reader(scripts=scripts)
    one.opens("/")
    one.page.fill("#q", "housing")
    one.page.get_by_role("button", name="Search passages instead").click()
    one.sees("passages that fit best", "h1")
    one.page.locator(".app-facets a", has_text="Hertfordshire and West Essex").first.click()
    systems = one.page.locator(".app-hits__system").all_inner_texts()
    assert set(systems) == {"Hertfordshire and West Essex"}
    assert one.page.locator("mark.app-hit").count() > 0
    one.page.get_by_role("link", name="Clear these filters").click()
    assert "system=" not in one.page.url


# Comparison.


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_comparison_in_word_within_four_clicks(reader: Opens, scripts: bool) -> None:
    """Home, compare, a whole group of themes, download: four clicks."""
    one = reader(scripts=scripts)
    one.opens("/")
    one.page.get_by_role("link", name="Compare themes side by side").click()
    one.page.get_by_role("link", name="compare all of Life course").click()
    one.sees("What each system says on 4 themes", "h1")
    with one.page.expect_download() as download:
        one.page.get_by_role("link", name="Download as Word").click()
    assert download.value.suggested_filename == "comparison.docx"
    assert Path(download.value.path()).read_bytes().startswith(b"PK")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_cell_leads_to_its_evidence(reader: Opens, scripts: bool) -> None:
    """Given themes she ticked, when she follows a cell, then its evidence is in view."""
    one = reader(scripts=scripts)
    one.opens("/compare")
    one.page.check("#theme-dementia")
    one.page.check("#theme-housing")
    one.page.fill("#own", "neighbourhood teams")
    one.page.get_by_role("button", name="Compare", exact=True).click()
    assert one.page.locator(".app-matrix tbody tr").count() == 3
    one.page.locator(".app-heat--commits a").first.click()
    fragment = one.page.url.partition("#")[2]
    part = one.page.locator(f"#{fragment}")
    playwright.expect(part).to_be_in_viewport()
    playwright.expect(part.locator(".app-quote").first).to_be_visible()


def test_the_heat_map_is_told_in_words_too(reader: Opens) -> None:
    """Given a screen reader, when a cell is read, then status, system and theme are in its link."""
    one = reader()
    one.opens("/compare?theme=dementia")
    name = one.page.locator(".app-heat a").first.text_content()
    said = " ".join(str(name).split())
    assert said.startswith("Sefton Commits") and said.endswith("on Dementia")


# Documents.


def test_citations_are_stepped_through(reader: Opens) -> None:
    """Given two citations, when she goes to the next, then it is in view and has the focus."""
    one = reader()
    one.opens(VIEWER)
    playwright.expect(one.page.locator(f"[id='{TARGET}']")).to_be_focused()
    one.page.get_by_role("link", name="Next citation").click()
    target = one.page.locator(f"[id='{EARLY_ONSET}']")
    playwright.expect(target).to_be_focused()
    playwright.expect(target).to_be_in_viewport()
    one.sees("Citation 2 of 2", "#cited")
    one.page.get_by_role("link", name="Previous citation").click()
    playwright.expect(one.page.locator(f"[id='{TARGET}']")).to_be_focused()


def test_a_fragment_alone_finds_its_words(reader: Opens) -> None:
    """Given a link with nothing but a fragment in mid-row, when opened, then it is marked."""
    one = reader()
    one.opens("/documents/sefton-plan-2023-25#sefton-plan-2023-25.43900-43940")
    one.page.wait_for_url("**cite=**")
    mark = one.page.locator("mark[data-cited]").first
    playwright.expect(mark).to_be_in_viewport()


def test_a_fragment_works_without_scripts(reader: Opens) -> None:
    """Given no scripts, when a citation's address is opened, then its words are in view."""
    one = reader(scripts=False)
    one.opens(VIEWER)
    playwright.expect(one.page.locator(f"[id='{TARGET}']")).to_be_in_viewport()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_words_are_found_in_a_document(reader: Opens, scripts: bool) -> None:
    """Given a document, when she searches it, then each place is listed and marked."""
    one = reader(scripts=scripts)
    one.opens("/documents")
    one.page.get_by_role("link", name="The Sefton Plan 2023-25", exact=True).click()
    one.page.fill("#find", "wellbeing hubs")
    one.page.get_by_role("button", name="Find").click()
    one.sees("with “wellbeing hubs”", "#found")
    one.page.locator(".app-found a").first.click()
    playwright.expect(one.page.locator("#find-1")).to_be_in_viewport()


def test_the_original_file_is_downloaded(reader: Opens) -> None:
    """Given a document, when she wants its source, then the file comes down."""
    one = reader()
    one.opens("/documents/hwe-integrated-care-strategy")
    one.page.get_by_text("About this document").click()
    with one.page.expect_download() as download:
        one.page.get_by_role("link", name="Download the original file").click()
    assert download.value.suggested_filename == "hwe-integrated-care-strategy.txt"


@pytest.fixture(scope="session")
def pdf_site(
    index_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, str]]:
    """The site over a corpus that is one PDF made here."""
    folder = tmp_path_factory.mktemp("pdf")
    corpus, index = folder / "corpus", folder / "index"
    (corpus / "documents").mkdir(parents=True)
    plan = corpus / "documents" / "plan.pdf"
    said = "We will open two memory clinics by March 2027 for people living with dementia."
    filler = "The partnership meets every month in public and publishes its papers a week before. "
    plan.write_bytes(
        pdf_headings(
            [
                (1, "Northvale plan", filler * 6),
                (2, "How we work", filler * 60),
                (2, "Dementia", said),
            ]
        ).content
    )
    (corpus / "systems.toml").write_text('[[system]]\nid = "northvale"\nname = "Northvale"\n')
    (corpus / "documents.toml").write_text(
        '[[document]]\nid = "northvale-plan"\nsystem = "northvale"\ntitle = "Northvale plan"\n'
        f'file = "plan.pdf"\nsha256 = "{sha256_of(plan)}"\n'
    )
    share_models(index, index_dir / "models")
    build_index(IndexSettings(corpus=corpus, index=str(index)))
    serving = Serving(SearchSettings(index=str(index)))
    with Server(serving, WebSettings(corpus=corpus)) as server:
        yield server, said


def test_a_page_of_a_pdf_is_shown_as_it_was_published(
    reader: Opens, pdf_site: tuple[Server, str]
) -> None:
    """Given a quote from a PDF, when she follows it, then picture and words are both there."""
    server, said = pdf_site
    one = reader(origin=server.origin)
    one.opens("/ask?q=what+will+be+done+about+dementia")
    one.sees(said)
    one.page.locator(".app-quote__link").first.click()
    picture = one.page.locator(".app-image__page")
    playwright.expect(picture).to_have_js_property("complete", True, timeout=20_000)
    assert picture.evaluate("image => image.naturalWidth") > 600
    playwright.expect(one.page.locator("mark[data-cited]").first).to_be_visible()
    wrong, undecided = one.judge()
    assert wrong == [] and undecided == []


# Register, systems, print, failure.


def test_the_register_is_filtered(reader: Opens) -> None:
    """Given the register, when a theme and a month are chosen, then only those rows are left."""
    one = reader(scripts=False)
    one.opens("/commitments")
    before = one.page.locator(".app-register tbody tr").count()
    one.page.select_option("#theme", "dementia")
    one.page.fill("#due_before", "2024-01")
    one.page.get_by_role("button", name="Show").click()
    assert 0 < one.page.locator(".app-register tbody tr").count() < before
    one.page.locator(".app-register a").first.click()
    playwright.expect(one.page.locator("mark[data-cited]").first).to_be_in_viewport()


def test_systems_lead_to_their_documents(reader: Opens) -> None:
    """Given the systems, when she follows a document, then it opens with its level told."""
    one = reader(scripts=False)
    one.opens("/")
    one.page.locator(".app-held a", has_text="Sefton").click()
    one.sees("not an integrated care system", "#sefton")
    one.page.get_by_role("link", name="The Sefton Plan 2023-25", exact=True).click()
    one.sees("Sefton, place", "h1")


def test_paper_has_the_content_and_nothing_to_press(reader: Opens) -> None:
    """Given an answer, when it is printed, then forms and menus are left out and folds are open."""
    one = reader()
    one.opens(DEMENTIA)
    one.page.emulate_media(media="print")
    one.page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    for hidden in (".app-form", ".nhsuk-header__navigation", ".app-copy >> nth=0"):
        playwright.expect(one.page.locator(hidden)).to_be_hidden()
    playwright.expect(one.page.locator(".app-nearest__warning")).to_be_visible()
    playwright.expect(one.page.locator(".app-quote").first).to_be_visible()
    assert len(one.page.pdf(format="A4")) > 10_000


def test_a_lost_server_is_said_and_the_page_stays(reader: Opens) -> None:
    """Given an answer, when the server cannot be reached, then she is told and loses nothing."""
    one = reader()
    one.opens(DEMENTIA)
    one.page.route("**/ask?*", lambda route: route.abort())
    one.page.fill("#q", "dental care")
    one.page.keyboard.press("Enter")
    playwright.expect(one.page.locator("#announcement")).to_contain_text("could not be fetched")
    one.sees("2 of 3 other systems", "h1")
    one.complaints.clear()


def test_a_slow_answer_says_that_it_is_coming(reader: Opens) -> None:
    """Given a slow answer, when she waits, then the page says what it is doing."""
    one = reader()
    one.opens(DEMENTIA)
    held = threading.Event()

    def wait(route: Any) -> None:
        held.set()
        one.page.wait_for_timeout(700)
        route.continue_()

    one.page.route("**/ask?*", wait)
    one.page.fill("#q", "dental care")
    one.page.get_by_role("button", name="Ask", exact=True).click(no_wait_after=True)
    playwright.expect(one.page.locator(".app-waiting__text")).to_be_visible()
    one.sees("dental care", "h1")
    assert held.is_set()
    playwright.expect(one.page.locator(".app-waiting__text")).to_be_hidden()


def test_a_wrong_address_helps_on(reader: Opens) -> None:
    """Given a wrong address, when she opens it, then she is shown a way on."""
    one = reader(scripts=False)
    one.opens("/nowhere")
    one.sees("Page not found", "h1")
    one.page.get_by_role("link", name="Ask a question").click()
    playwright.expect(one.page.locator("#q")).to_be_visible()
