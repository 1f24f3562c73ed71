"""Stories of those who administer, told in a real browser, with and without JavaScript."""

import fcntl
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from indexer.build import build_index
from indexer.settings import IndexSettings
from search_api.serving import Serving
from search_api.settings import SearchSettings
from tests.browser import IN_A_BROWSER, PHONE, Opens, Reader, Server, playwright
from tests.conftest import write_tiny_corpus, write_tiny_index
from tests.test_admin import KEY, MOST_MB, PAGES, PLAN, TOKEN
from web.admin.session import hashed
from web.settings import WebSettings

pytestmark = IN_A_BROWSER

SAID = "We will open three dental training clinics by June 2027."
SLOW_BYTES_A_SECOND = 150_000


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, index_dir: Path) -> Iterator[Server]:
    """A site over the tiny corpus that can be administered; its folder is `server.folder`."""
    folder = tmp_path_factory.mktemp("desk")
    corpus = write_tiny_corpus(folder / "corpus")
    settings: IndexSettings = write_tiny_index(corpus, folder / "index", index_dir / "models")
    build_index(settings)
    web = WebSettings(
        corpus=corpus,
        admin_tokens=f"amira:{hashed(TOKEN)}",
        admin_key=KEY,
        admin_folder=folder / "admin",
        admin_upload_mb=MOST_MB,
    )
    with Server(Serving(SearchSettings(index=settings.index)), web) as server:
        yield server


@pytest.fixture()
def turn(desk: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The lock that jobs wait for; whoever holds it keeps them waiting."""
    folder = next(tmp_path_factory.getbasetemp().glob("desk*")) / "admin" / "jobs"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "turn").open("w") as lock:
        yield lock


@pytest.fixture()
def plan(tmp_path: Path) -> Path:
    """A plan to add."""
    path = tmp_path / "northvale dental plan.md"
    path.write_bytes(PLAN)
    return path


def signed_in(reader: Opens, desk: Server, **more: Any) -> Reader:
    """Somebody who has signed in."""
    one = reader(origin=desk.origin, **more)
    one.opens("/admin")
    one.page.fill("#token", TOKEN)
    one.page.keyboard.press("Enter")
    one.sees("what reading found")
    return one


def fills(one: Reader, plan: Path | None, title: str = "Dental plan") -> None:
    """Fills in the form to add a document."""
    one.opens("/admin/add")
    if plan:
        one.page.set_input_files("#file", plan)
    one.page.fill("#title", title)
    one.page.select_option("#system", "northvale")


def sends(one: Reader) -> None:
    one.page.get_by_role("button", name="Add this document").click()


def is_over(one: Reader, scripts: bool) -> str:
    """Waits for a job to be over, by its own page or by asking again; how it ended."""
    job = one.page.locator("#job")
    for _ in range(120):
        if scripts:
            playwright.expect(job).not_to_have_attribute("data-refresh", "", timeout=60_000)
        if job.get_attribute("data-refresh") is None:
            break
        one.page.wait_for_timeout(250)
        one.page.get_by_role("link", name="Check again").click()
    return str(job.get_attribute("data-state"))


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_document_comes_and_goes(reader: Opens, desk: Server, plan: Path, scripts: bool) -> None:
    """Given a plan, when she adds it, then it answers questions; when she removes it, no more."""
    one = signed_in(reader, desk, scripts=scripts)
    one.page.get_by_role("button", name="Add a document").click()
    one.page.set_input_files("#file", plan)
    one.page.fill("#title", "Dental plan")
    one.page.select_option("#system", "northvale")
    one.page.fill("#month", "6")
    one.page.fill("#year", "2026")
    sends(one)
    one.sees("Add “Dental plan”", "h1")
    assert is_over(one, scripts) == "Done"
    one.sees("Passages", "dl")
    one.page.get_by_role("link", name="Read the document as it was indexed").click()
    one.sees("published June 2026")
    one.sees(SAID)
    one.opens("/ask?q=dental+training+clinics")
    one.sees(SAID)
    one.opens("/admin")
    one.page.get_by_role("link", name="Remove Dental plan").click()
    one.sees("Are you sure", "h1")
    one.page.get_by_role("button", name="Remove this document").click()
    one.sees("Remove “Dental plan”", "h1")
    assert is_over(one, scripts) == "Done"
    one.opens("/search?q=dental+training+clinics")
    assert SAID not in one.page.inner_text("main")
    one.page.goto(f"{desk.origin}/admin/log")
    one.sees("Remove ended")
    one.page.get_by_role("button", name="Sign out").click()
    one.sees("Sign in to administer", "h1")


def test_the_whole_way_by_keyboard(reader: Opens, desk: Server, plan: Path) -> None:
    """Given only a keyboard, when she signs in and adds a plan, then she gets there."""
    one = reader(origin=desk.origin)
    one.opens("/admin")
    one.tabs_to("token")
    one.page.keyboard.type(TOKEN)
    one.page.keyboard.press("Enter")
    one.sees("what reading found")
    one.tabs_to("Add a document")
    one.page.keyboard.press("Enter")
    one.sees("Add a document", "h1")
    one.tabs_to("file")
    with one.page.expect_file_chooser() as chooser:
        one.page.keyboard.press("Space")
    chooser.value.set_files(plan)
    one.tabs_to("title")
    one.page.keyboard.type("Keyboard plan")
    one.tabs_to("system")
    one.page.keyboard.type("Northvale")
    one.tabs_to("Add this document")
    one.page.keyboard.press("Enter")
    one.sees("Add “Keyboard plan”", "h1")
    assert is_over(one, True) == "Done"
    one.tabs_to("See every document")
    one.page.keyboard.press("Enter")
    one.sees("what reading found")
    one.tabs_to("Keyboard plan")
    one.page.keyboard.press("Tab")
    one.page.keyboard.press("Enter")
    one.sees("Are you sure", "h1")
    one.tabs_to("Remove this document")
    one.page.keyboard.press("Enter")
    one.sees("Remove “Keyboard plan”", "h1")
    assert is_over(one, True) == "Done"


def test_an_upload_says_how_far_it_is(reader: Opens, desk: Server, tmp_path: Path) -> None:
    """Given a slow line, when she uploads, then she sees how much has gone."""
    big = tmp_path / "big.md"
    big.write_bytes(PLAN + b"More of the plan. " * 30_000)
    one = signed_in(reader, desk)
    fills(one, big, "")
    slow = one.context.new_cdp_session(one.page)
    slow.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": 0,
            "downloadThroughput": -1,
            "uploadThroughput": SLOW_BYTES_A_SECOND,
        },
    )
    sends(one)
    playwright.expect(one.page.locator("#sent-text")).to_have_text(
        re.compile(r"\d\.\d of 0\.5 MB"), timeout=20_000
    )
    playwright.expect(one.page.locator("#sent")).to_be_visible()
    playwright.expect(one.page.locator(".nhsuk-error-summary")).to_be_focused(timeout=30_000)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    reader: Opens, desk: Server, plan: Path, scripts: bool
) -> None:
    """Given a form without a title, when she sends it, then she is led to what is missing."""
    one = signed_in(reader, desk, scripts=scripts)
    fills(one, plan, "")
    one.page.fill("#url", "example.org")
    sends(one)
    one.page.get_by_role("link", name="Enter the title of the document").click()
    assert one.focused() == "title"
    assert one.page.input_value("#url") == "example.org"
    assert one.page.input_value("#system") == "northvale"
    assert one.title().startswith("Error: ")
    chosen = one.page.evaluate("() => document.getElementById('file').files.length")
    assert chosen == (1 if scripts else 0)  # without a script a browser lets go of the file
    assert one.page.locator("[data-again]").count() == (0 if scripts else 1)
    wrong, undecided = one.judge() if scripts else ([], [])
    assert wrong == [] and undecided == []


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_file_that_is_too_large_is_refused_in_a_sentence(
    reader: Opens, desk: Server, tmp_path: Path, scripts: bool
) -> None:
    """Given too large a file, when she sends it, then she reads why it is not taken."""
    huge = tmp_path / "huge.pdf"
    huge.write_bytes(b"%PDF-1.7 " + b"x" * (MOST_MB * 3_000_000))
    one = signed_in(reader, desk, scripts=scripts)
    fills(one, huge)
    sends(one)
    one.sees(f"must be {MOST_MB} MB or smaller")
    assert one.page.input_value("#title") == "Dental plan"


def test_a_job_outlives_its_page(reader: Opens, desk: Server, plan: Path, turn: Any) -> None:
    """Given a job in line, when she reloads or leaves, then it is still there and goes on."""
    one = signed_in(reader, desk)
    fcntl.flock(turn, fcntl.LOCK_EX)
    fills(one, plan, "Patient plan")
    sends(one)
    one.sees("Waiting for its turn", "#job")
    wrong, undecided = one.judge()
    assert wrong == [] and undecided == []
    address = one.page.url
    one.page.reload()
    one.sees("Waiting for its turn", "#job")
    one.opens("/admin")
    one.sees("Add “Patient plan”", "section")
    one.page.goto(address)
    fcntl.flock(turn, fcntl.LOCK_UN)
    assert is_over(one, True) == "Done"
    playwright.expect(one.page.locator("#announcement")).to_contain_text("Done")
    one.page.goto(f"{desk.origin}/admin/documents/northvale-patient-plan/remove")
    one.page.get_by_role("button", name="Remove this document").click()
    one.sees("Remove “Patient plan”", "h1")
    assert is_over(one, True) == "Done"


def test_a_document_that_cannot_be_read_is_told_so(
    reader: Opens, desk: Server, tmp_path: Path
) -> None:
    """Given a damaged file, when she adds it, then she reads why it was not added."""
    damaged = tmp_path / "damaged.pdf"
    damaged.write_bytes(b"%PDF-1.7 and no more")
    one = signed_in(reader, desk)
    fills(one, damaged)
    sends(one)
    one.sees("Add “Dental plan”", "h1")
    assert is_over(one, True) == "Failed"
    one.sees("“damaged.pdf” was not added", ".app-desk__failed")
    wrong, undecided = one.judge()
    assert wrong == [] and undecided == []


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_accessible_and_fits_a_small_phone(
    reader: Opens, desk: Server, path: str
) -> None:
    """Given any page of the administration, then nothing is found wrong or off its side."""
    one = signed_in(reader, desk)
    one.opens(path)
    wrong, undecided = one.judge()
    assert wrong == [] and undecided == []
    for scripts in (True, False):
        small = signed_in(reader, desk, scripts=scripts, window=PHONE)
        small.opens(path)
        assert small.overflow() <= 0
        playwright.expect(small.page.locator("h1")).to_have_count(1)


def test_the_way_in_is_accessible_too(reader: Opens, desk: Server) -> None:
    """Given a wrong token, when she signs in, then she is told where, and can try again."""
    one = reader(origin=desk.origin, window=PHONE)
    one.opens("/admin/add")
    assert one.judge() == ([], [])
    one.page.fill("#token", "wrong")
    one.page.keyboard.press("Enter")
    one.page.get_by_role("link", name="That token is not right").click()
    assert one.focused() == "token"
    assert one.judge() == ([], []) and one.overflow() <= 0
    one.page.keyboard.type(TOKEN)
    one.page.keyboard.press("Enter")
    one.sees("Add a document", "h1")
