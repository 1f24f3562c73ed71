"""The pages as a browser gets them: what they show, that they hold together, and hostile input."""

import doctest
import gzip
import hashlib
import html
import io
import json
import re
import socket
import threading
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest
from fastapi.testclient import TestClient
from jinja2 import UndefinedError
from PIL import Image
from selectolax.lexbor import LexborHTMLParser as Tree
from starlette.datastructures import QueryParams

import search_api.dates
import search_api.gate
import web.address
import web.evidence
import web.format
import web.highlight
import web.present.compare
import web.present.quality
import web.signin
from corpus.errors import QueryError, ServeError
from corpus.model import Box, Cell, Page, Reading, Section
from search_api.cite import packed
from search_api.export import export_priorities
from search_api.params import AskParams, SearchParams
from search_api.searcher import Searcher
from search_api.serving import Serving
from search_api.settings import SearchSettings
from tests.markup import check_html, check_policy
from web.address import Address, asked, read
from web.app import create_app
from web.cli import listen
from web.evidence import STATUSES
from web.files import SourceFiles, boxed
from web.headers import HEADERS
from web.highlight import Wanted
from web.present.document import Asked, Behind, document_page
from web.present.quality import QualityPage, read_report
from web.settings import WebSettings
from web.site import MENU
from web.templating import environment
from web.viewer import Block, Layout, Mark, find, outline, part_at, parts_of

DEMENTIA = "/ask?q=what do other ICSs say about dementia&home=lancashire-south-cumbria"
TARGET = "sefton-plan-2023-25.43882-44323"
VIEWER = f"/documents/sefton-plan-2023-25?page=79&cite={TARGET}"
PAGES = {
    "home": "/",
    "ask, nothing asked": "/ask",
    "ask": DEMENTIA,
    "ask, not found": "/ask?q=what does Devon say about dementia",
    "ask, empty": "/ask?q=",
    "search, nothing asked": "/search",
    "search": "/search?q=IAPT for carers&limit=20",
    "search, narrowed": "/search?q=carers&system=sefton&kind=place plan&from=2023",
    "search, wrong": "/search?q=carers&from=then",
    "compare, nothing chosen": "/compare",
    "compare": "/compare?theme=dementia&theme=housing&theme=falling in rivers&home=sefton",
    "compare, wrong": "/compare?theme=",
    "priorities": "/priorities?home=sefton&include_superseded=true",
    "documents": "/documents",
    "document": VIEWER,
    "document, found": "/documents/sefton-send-joint-commissioning-2023-26?find=carers",
    "document without pages": "/documents/hwe-integrated-care-strategy",
    "superseded document": "/documents/sefton-ccg-five-year-strategy",
    "commitments": "/commitments?theme=dementia",
    "priorities, wrong": "/priorities?from=then",
    "commitments, wrong": "/commitments?due_before=soon",
    "systems": "/systems",
    "quality": "/quality",
    "about": "/about",
    "accessibility": "/accessibility",
    "not found": "/nowhere",
}
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}'
MOST_BYTES = 150_000


def page(client: TestClient, address: str, status: int | None = 200) -> Tree:
    reply = client.get(address)
    assert status is None or reply.status_code == status, reply.text[:500]
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    return Tree(reply.text)


def text_of(tree: Tree, selector: str) -> str:
    found = tree.css_first(selector)
    assert found is not None, selector
    return " ".join(found.text().split())


@pytest.fixture()
def broken(tmp_path: Path) -> Iterator[TestClient]:
    """A site with no index to serve."""
    settings = SearchSettings(index=str(tmp_path / "nothing"))
    with TestClient(create_app(Serving(settings), settings)) as client:
        yield client


# Every page.


@pytest.mark.parametrize("address", PAGES.values(), ids=PAGES)
def test_every_page_is_valid_html(client: TestClient, address: str) -> None:
    check_html(client.get(address).text)


@pytest.mark.parametrize("address", PAGES.values(), ids=PAGES)
def test_no_page_needs_what_the_policy_forbids(client: TestClient, address: str) -> None:
    reply = client.get(address)
    check_policy(reply.text, reply.headers)


@pytest.mark.parametrize("address", PAGES.values(), ids=PAGES)
def test_no_first_load_is_heavy(client: TestClient, address: str) -> None:
    reply = client.get(address)
    wanted = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', reply.text))
    wanted.add("/static/vendor/nhsuk-frontend/nhsuk-frontend.min.js")
    files = [client.get(html.unescape(w)) for w in wanted]
    assert all(f.status_code == 200 for f in files)
    weight = sum(len(gzip.compress(r.content, 5)) for r in (reply, *files))
    assert weight < MOST_BYTES


def test_every_theme_at_once_is_not_heavy_either(client: TestClient, searcher: Searcher) -> None:
    query = "&".join(f"theme={theme}" for theme in searcher.store.themes)
    reply = client.get(f"/compare?{query}")
    assert reply.status_code == 200
    assert len(gzip.compress(reply.content, 5)) < MOST_BYTES - 70_000


def test_pages_come_compressed_and_static_files_are_kept(client: TestClient) -> None:
    reply = client.get("/")
    assert reply.headers["content-encoding"] == "gzip"
    styles = Tree(reply.text).css("link[rel=stylesheet]")
    for node in styles:
        kept = client.get(html.unescape(node.attributes["href"])).headers["cache-control"]
        assert "immutable" in kept
    assert "cache-control" not in client.get("/static/app.css").headers


def test_every_page_of_the_menu_is_there_and_marked(client: TestClient) -> None:
    for tab in MENU:
        tree = page(client, tab.href)
        current = tree.css_first(".nhsuk-header__navigation-link[aria-current='page']")
        assert current is not None and current.attributes["href"] == tab.href


def test_nothing_pretends_to_be_the_nhs(client: TestClient) -> None:
    source = client.get("/").text
    assert "This is not an NHS website" in source
    assert "nhsuk-header__logo" not in source and "Frutiger" not in source
    styles = client.get("/static/vendor/nhsuk-frontend/nhsuk-frontend.min.css").text
    assert "Frutiger" not in styles and "font-face" not in styles and "https://" not in styles


def test_heads_are_answered(client: TestClient) -> None:
    for address in ("/", "/ask", "/documents", VIEWER, "/static/app.css"):
        assert client.head(address).status_code == 200


# Home.


def test_home_says_what_is_in_the_corpus(client: TestClient, searcher: Searcher) -> None:
    tree = page(client, "/")
    form = tree.css_first("form")
    assert form.attributes["action"] == "/ask"
    assert tree.css_first("button[formaction='/search']") is not None
    counts = text_of(tree, ".app-counts")
    assert str(len(searcher.store.documents)) in counts
    for system in searcher.store.systems.values():
        assert system.name in text_of(tree, ".app-held")
    for example in tree.css(".app-examples a"):
        assert client.get(html.unescape(example.attributes["href"])).status_code == 200


def test_the_home_system_is_remembered_and_forgotten(client: TestClient) -> None:
    client.cookies.clear()
    reply = client.get("/ask", params={"q": "dementia", "home": "sefton"})
    cookie = reply.headers["set-cookie"]
    assert "icsearch_home=sefton" in cookie
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Max-Age=31536000;" in cookie
    assert "Secure" not in cookie
    chosen = page(client, "/").css_first("#home option[selected]")
    assert chosen is not None and chosen.attributes["value"] == "sefton"
    # An address that names no home is answered without one, whatever the browser remembers.
    tree = page(client, "/ask?q=dementia")
    assert tree.css_first("#home option[selected]") is None
    client.get("/ask", params={"q": "dementia", "home": ""})
    assert "icsearch_home" not in client.cookies
    safely = client.get("https://testserver/ask", params={"q": "dementia", "home": "sefton"})
    assert "Secure" in safely.headers["set-cookie"]
    client.cookies.clear()


@pytest.mark.parametrize("path", ["/compare?theme=dementia", "/priorities", "/commitments"])
def test_every_page_with_a_form_remembers_the_home_chosen(client: TestClient, path: str) -> None:
    client.cookies.clear()
    reply = client.get(f"{path}{'&' if '?' in path else '?'}home=sefton")
    assert "icsearch_home=sefton" in reply.headers["set-cookie"]
    client.cookies.clear()


def test_an_unknown_home_in_the_cookie_is_ignored(client: TestClient) -> None:
    reply = client.get("/", headers={"Cookie": "icsearch_home=atlantis"})
    assert reply.status_code == 200


# Answers.


def test_the_first_question_is_answered_by_system(client: TestClient) -> None:
    tree = page(client, DEMENTIA)
    said = client.get("/api/v1" + DEMENTIA).json()
    assert said["headline"] in text_of(tree, "h1")
    names = [" ".join(n.text().split()) for n in tree.css(".app-system__name")]
    assert names == [s["name"] for s in said["systems"]]
    assert "Lancashire and South Cumbria" not in names
    sefton = text_of(tree, "#system-sefton")
    assert "page 79 of the pack" in sefton and "66.7%" in sefton
    assert "Objective" in sefton and "Timeframe" in sefton
    assert "page 80 of the pack, number inferred" in sefton
    assert "because of" in sefton


def test_silence_is_shown_with_its_proof(client: TestClient) -> None:
    tree = page(client, DEMENTIA)
    silent = text_of(tree, "#system-south-east-london")
    assert "Silent" in silent and "Searched: 1 document" in silent and "passages" in silent
    assert "This is not an answer" in silent
    assert tree.css_first("#system-south-east-london > .app-quote") is None


def test_every_quote_is_word_for_word(client: TestClient) -> None:
    """Quotes of the page, the JSON twin and the document say the same."""
    said = client.get("/api/v1" + DEMENTIA).json()
    quotes = {c["url"].partition("#")[2]: c["quote"] for c in said["citations"]}
    tree = page(client, DEMENTIA)
    figures = tree.css(".app-quote")
    assert len(figures) == len(quotes)
    for figure in figures:
        link = html.unescape(figure.css_first(".app-quote__link").attributes["href"])
        words = figure.css_first(".app-quote__words")
        for header in words.css("dt"):
            header.decompose()
        shown = "".join(words.text().split())
        assert shown == "".join(quotes[urlsplit(link).fragment].split())


def test_every_quote_leads_to_its_marked_words(client: TestClient) -> None:
    tree = page(client, DEMENTIA)
    quotes = {c["id"]: c["quote"] for c in client.get("/api/v1" + DEMENTIA).json()["citations"]}
    for link in tree.css(".app-quote__link"):
        address = html.unescape(link.attributes["href"])
        fragment = urlsplit(address).fragment
        viewer = page(client, address)
        target = viewer.css_first(f"mark[id='{fragment}']")
        assert target is not None and target.attributes["tabindex"] == "-1"
        marked = "".join(n.text() for n in viewer.css("mark[data-cited]"))
        assert "".join(marked.split()) == "".join(quotes[fragment].split())


def test_what_was_understood_can_be_undone(client: TestClient) -> None:
    tree = page(client, DEMENTIA)
    undo = tree.css_first(".app-understood a")
    assert "Include Lancashire and South Cumbria" in undo.text()
    after = page(client, html.unescape(undo.attributes["href"]))
    assert after.css_first("#system-lancashire-south-cumbria") is not None
    named = page(client, "/ask?q=what does Sefton say about dementia")
    undo = named.css_first(".app-understood a")
    assert "Ask every system" in undo.text()
    every = page(client, html.unescape(undo.attributes["href"]))
    assert len(every.css(".app-system")) == 4


def test_words_that_no_passage_has_stand_with_what_was_understood_and_only_there(
    client: TestClient,
) -> None:
    tree = page(client, "/ask?q=ambulance handover&home=sefton")
    told = "No indexed passage has “ambulance” or “handover”"
    assert told in text_of(tree, ".app-understood")
    assert told not in text_of(tree, ".app-notes")


def test_an_acronym_says_what_it_was_read_as(client: TestClient) -> None:
    said = text_of(page(client, "/ask?q=what is done about PHM"), ".app-understood")
    assert "“PHM” was also searched for as" in said


def test_what_is_outside_the_corpus_is_said_to_be(client: TestClient) -> None:
    tree = page(client, PAGES["ask, not found"])
    assert "not in the corpus" in text_of(tree, "h1")
    # Nobody who was not asked is called silent.
    assert tree.css(".app-system") == []
    link = next(n for n in tree.css("main a") if "Ask the systems that are in here" in n.text())
    inside = page(client, html.unescape(link.attributes["href"]))
    assert inside.css_first("#system-sefton .app-quote") is not None


@pytest.mark.parametrize("path", ["/ask", "/search"])
@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("q=", 422, "#q"),
        ("q=%20%20", 422, "#q"),
        (f"q={'x' * 1001}", 422, "#q"),
        ("q=dementia&home=atlantis", 404, "#home"),
        ("q=dementia&system=atlantis", 404, "#filters"),
        ("q=dementia&from=2030&to=2020", 422, "#from"),
        ("q=dementia&from=soon", 422, "#from"),
    ],
)
def test_what_is_wrong_is_said_on_the_form(
    client: TestClient, path: str, query: str, status: int, field: str
) -> None:
    tree = page(client, f"{path}?{query}", status)
    link = tree.css_first(".nhsuk-error-summary a")
    assert link.attributes["href"] == field
    assert tree.css_first(field) is not None
    assert text_of(tree, "title").startswith("Error: ")
    assert len(link.text().strip()) > 10


# Results.


def test_matched_words_are_marked_in_all_their_forms(client: TestClient) -> None:
    tree = page(client, "/search?q=carer")
    marked = {node.text().casefold() for node in tree.css("mark.app-hit")}
    assert {"carers"} <= marked <= {"carer", "carers", "carer’s", "carer's", "carers'", "unpaid carers", "unpaid carer", "family carers"}  # fmt: skip # noqa: E501


def test_facets_narrow_and_widen(client: TestClient) -> None:
    tree = page(client, "/search?q=housing")
    facets = {n.text(): html.unescape(n.attributes["href"]) for n in tree.css(".app-facets a")}
    narrowed = page(client, facets["Sefton"])
    assert {n.text() for n in narrowed.css(".app-hits__system")} == {"Sefton"}
    current = narrowed.css_first(".app-facets a[aria-current]")
    back = html.unescape(current.attributes["href"])
    assert "system=" not in back
    assert narrowed.css_first("input[name=system][value=sefton]").attributes.get("checked", 0) != 0
    assert "Clear these filters" in narrowed.html


def test_more_passages_can_be_had(client: TestClient) -> None:
    tree = page(client, "/search?q=care")
    assert len(tree.css(".app-hits__hit")) == 10
    more = next(n for n in tree.css("a.nhsuk-button") if "more" in n.text())
    assert len(page(client, html.unescape(more.attributes["href"])).css(".app-hits__hit")) == 20


def test_spelling_is_offered(client: TestClient) -> None:
    tree = page(client, "/search?q=demenita")
    assert text_of(tree, ".app-spelling a") == "dementia"


# Comparison.


def test_priorities_stand_side_by_side_with_their_citations(client: TestClient) -> None:
    tree = page(client, "/priorities?home=sefton")
    found = client.get("/api/v1/priorities?home=sefton").json()
    given = [p for s in found["systems"] for of in s["lists"] for p in of["priorities"]]
    shown = [" ".join(n.text().split()) for n in tree.css(".app-declared__priority > blockquote")]
    assert Counter(shown) == Counter(" ".join(p["text"].split()) for p in given)
    for node in tree.css(".app-declared__priority"):
        link = node.css_first(".app-declared__facts a").attributes["href"]
        assert link.split("#")[1] == node.attributes["id"]
    assert page(client, link).css_first(f"[id='{link.split('#')[1]}']") is not None
    assert "your own system" in text_of(tree, "#system-sefton")
    assert "A guess" in text_of(tree, "#system-south-east-london")
    row = next(
        r for r in tree.css(".app-matrix tbody tr") if "Dementia" in r.css_first("th").text()
    )
    said = [" ".join(cell.text().split()) for cell in row.css("td")]
    assert ["Declared" in s for s in said] == [True, False, False, True]


def test_a_system_without_declared_priorities_is_told_plainly(client: TestClient) -> None:
    tree = page(client, "/priorities?document=sefton-hwb-2023-06-item-5-report")
    said = text_of(tree, "#system-sefton")
    assert "No declared list of priorities was found" in said
    assert "1 document" in said


@pytest.mark.parametrize("form", ["csv", "xlsx", "docx"])
def test_priorities_can_be_taken_away(client: TestClient, searcher: Searcher, form: str) -> None:
    reply = client.get(f"/priorities?home=sefton&format={form}")
    assert reply.headers["content-disposition"] == f'attachment; filename="priorities.{form}"'
    found, packs = searcher.priorities("sefton"), packed(searcher.store)
    assert reply.content == export_priorities(found, form, packs)
    assert page(client, "/priorities?home=sefton").css_first(f"a[href*='format={form}']")


@pytest.mark.parametrize("start", ["/compare", "/systems"])
def test_priorities_are_reached_from(client: TestClient, start: str) -> None:
    assert page(client, start).css_first("main a[href='/priorities']")


def test_every_cell_leads_to_its_evidence(client: TestClient) -> None:
    tree = page(client, "/compare?theme=dementia&theme=housing&home=sefton")
    assert len(tree.css(".app-matrix tbody tr")) == 2
    cells = tree.css(".app-heat")
    assert len(cells) == 8
    said = client.get("/api/v1/compare?theme=dementia&theme=housing&home=sefton").json()
    for cell, truth in zip(cells, said["cells"], strict=True):
        assert f"app-heat--{truth['status']}" in cell.attributes["class"]
        part = tree.css_first(cell.css_first("a").attributes["href"])
        assert f"app-system--{truth['status']}" in part.attributes["class"]
        assert bool(truth["statements"]) == bool(part.css(".app-quote:not(.app-quote--nearest)"))
    assert "your own" in text_of(tree, ".app-matrix thead")


@pytest.mark.parametrize("form", ["csv", "xlsx", "docx"])
def test_a_comparison_can_be_taken_away(client: TestClient, form: str) -> None:
    tree = page(client, "/compare?theme=dementia")
    links = [html.unescape(n.attributes["href"]) for n in tree.css(".app-take a[download]")]
    link = next(x for x in links if f"format={form}" in x)
    reply = client.get(link)
    assert reply.status_code == 200
    assert reply.headers["content-disposition"] == f'attachment; filename="comparison.{form}"'
    assert reply.content.startswith(b"PK") == (form != "csv")


def test_each_statement_in_doubt_says_so(client: TestClient) -> None:
    asked = {"q": "Which systems talk about loneliness among older people?"}
    systems = client.get("/api/v1/ask", params=asked).json()["systems"]
    sure = [s["sure"] for system in systems for s in system["statements"]]
    assert not all(sure)
    doubtful = [_in_doubt(system) for system in systems]
    tree = page(client, "/ask?" + urlencode(asked))
    tags = [tag.text().strip() for tag in tree.css(".app-columns__main .nhsuk-tag")]
    assert tags.count("In doubt") == sure.count(False) + doubtful.count(True)


def test_a_system_of_which_nothing_is_sure_is_not_said_to_commit(client: TestClient) -> None:
    asked = "how do we get patients out of hospital faster"
    systems = client.get("/api/v1/ask", params={"q": asked}).json()["systems"]
    assert any(_in_doubt(system) and system["status"] == "commits" for system in systems)
    tree = page(client, "/ask?" + urlencode({"q": asked}))
    compared = page(client, "/compare?" + urlencode({"theme": asked}))
    for at, system in enumerate(systems):
        said = "In doubt" if _in_doubt(system) else STATUSES[system["status"]].label
        assert text_of(tree, f"#system-{system['system']} .app-system__facts .nhsuk-tag") == said
        assert text_of(tree, f".app-jump li:nth-child({at + 1}) .app-quiet") == said.lower()
        assert (
            text_of(
                compared, f".app-heat__link[href='#theme-1-{system['system']}'] .app-heat__status"
            )
            == said
        )


def test_what_is_sure_stands_before_what_is_in_doubt(client: TestClient) -> None:
    for question in ("loneliness among older people", "waiting lists", "hospital discharge"):
        systems = client.get("/api/v1/ask", params={"q": question}).json()["systems"]
        doubtful = [_in_doubt(s) for s in systems if s["statements"]]
        assert doubtful == sorted(doubtful)


def _in_doubt(system: dict[str, Any]) -> bool:
    return bool(system["statements"]) and not any(s["sure"] for s in system["statements"])


def test_comparing_nothing_asks_for_a_theme(client: TestClient) -> None:
    tree = page(client, "/compare?theme=", status=422)
    assert "Choose a theme" in text_of(tree, ".nhsuk-error-summary")


def test_the_register_tells_the_time_that_a_plan_gives_without_a_month(
    client: TestClient, searcher: Searcher
) -> None:
    rows = page(client, "/commitments?limit=100&offset=100").css(".app-register tbody tr")
    register = searcher.commitments(limit=0).commitments
    bare = [c for c in register if c.due is None and c.due_text == "2025"]
    due = {row.attributes["id"]: text_of(row, "td:nth-child(4)") for row in rows}
    assert bare and all(due[c.id].startswith("Due2025") for c in bare)
    assert any(due[c.id] == "DueNo date" for c in register if c.due_text is None and c.id in due)


def test_past_the_last_commitment_the_way_back_is_told(client: TestClient) -> None:
    tree = page(client, "/commitments?theme=dementia&offset=900")
    assert re.fullmatch(r"There are no more: \d+ commitments in all", text_of(tree, "#headline"))
    assert tree.css_first("#headline ~ p a").attributes["href"] == "/commitments?theme=dementia"


def test_a_date_that_is_none_is_told_without_a_pattern(client: TestClient) -> None:
    for given in ("March 2024", "soon"):
        reply = client.get("/api/v1/commitments", params={"due_before": given})
        assert reply.status_code == 422
        told = {"code", "message", "field"}
        assert reply.json()["error"].keys() == told
        assert reply.json()["error"]["message"] == "due_before must be a month such as 2024-03."
        tree = page(client, f"/commitments?due_before={quote(given)}", status=422)
        assert "must be a month such as 2024-03" in text_of(tree, ".nhsuk-error-summary")


def test_as_many_statements_as_are_ever_given_may_not_be_all() -> None:
    assert doctest.testmod(web.present.compare).failed == 0


def test_the_register_says_what_theme_it_was_asked_for(client: TestClient) -> None:
    tree = page(client, "/commitments?theme=zebra+crossings&due_before=2020-01")
    chosen = [o.text() for o in tree.css("#theme option") if "selected" in o.attributes]
    assert chosen == ["“zebra crossings”"]
    link = tree.css_first("#headline ~ p a")
    assert link is not None and link.attributes["href"] == "/commitments"


def test_the_register_can_be_sorted(client: TestClient) -> None:
    tree = page(client, "/commitments?sort=owner")
    chosen = [o.text() for o in tree.css("#sort option") if "selected" in o.attributes]
    assert chosen == ["Owner"]
    assert "open" not in tree.css_first("#filters").attributes
    assert not tree.css("#form input[name=sort]")
    owners = [td.text().removeprefix("Owner") for td in tree.css(".app-register td:nth-child(5)")]
    named = [owner for owner in owners if owner != "–"]
    assert len(named) > 5 and named == owners[: len(named)] == sorted(named, key=str.casefold)
    kept = [a.attributes["href"] for a in tree.css(".app-take a, .app-steps a")]
    assert kept and all("sort=owner" in href for href in kept)
    whole = client.get("/commitments?format=csv&sort=owner").text.split("\r\n")
    assert whole[0].lstrip("\ufeff").startswith("system_name,due,")
    assert whole[1].startswith("Sefton")
    page(client, "/commitments?sort=size", status=422)


def test_a_row_found_with_its_heading_keeps_its_columns(client: TestClient) -> None:
    tree = page(client, "/search?q=support+for+early+onset+dementia&limit=3")
    hit = next(q for q in tree.css(".app-quote__words") if q.css("p") and q.css("dl"))
    assert [p.text() for p in hit.css("p")] == ["Age Well – Dementia"]
    assert [t.text() for t in hit.css("dt")] == ["Objective", "Impact", "Timeframe"]
    assert hit.css("dd")[0].text().startswith("Improve support for early onset dementia")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_register_can_be_taken_away_whole(client: TestClient, form: str) -> None:
    reply = client.get(f"/commitments?format={form}&limit=1")
    assert reply.headers["content-disposition"] == f'attachment; filename="commitments.{form}"'
    total = client.get("/api/v1/commitments?limit=1").json()["total"]
    assert form != "csv" or reply.text.count("\n") > total


def test_an_unknown_format_is_refused(client: TestClient) -> None:
    assert "no format" in text_of(page(client, "/compare?theme=dementia&format=exe", 422), "main")


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("sefton-plan-2023-25", "has no page 999; its pages are 7 to 130."),
        ("sel-strategic-priorities", "has no page 999: its pages have no numbers."),
    ],
)
def test_a_page_that_a_document_lacks_is_said(client: TestClient, document: str, told: str) -> None:
    tree = page(client, f"/documents/{document}?page=999")
    assert f"This document {told}" in text_of(tree, "main")


def test_a_page_asked_for_shows_the_picture_of_its_own_page_of_the_file(searcher: Searcher) -> None:
    store, name = searcher.store, "sefton-plan-2023-25"
    document, reading = store.documents[name], store.reading(name)
    reading = replace(
        reading, pages=tuple(replace(p, file_page=p.number - 6) for p in reading.pages)
    )

    def picture(page: int) -> str | None:
        asked = Asked(Address(f"/documents/{name}"), (), page, "", None)
        return document_page(
            store, document, reading, asked, Behind(file=True, pictures=True)
        ).image

    assert picture(79) == f"/documents/{name}/pages/73.png"
    assert picture(999) is None


# Keeping and sharing.


@pytest.mark.parametrize(
    "address", [DEMENTIA, PAGES["search"], PAGES["compare"], PAGES["commitments"], VIEWER]
)
def test_pages_can_be_kept_and_had_as_json(client: TestClient, address: str) -> None:
    tree = page(client, address)
    kept = html.unescape(tree.css_first(".app-take a[rel=bookmark]").attributes["href"])
    assert "index_id=" in kept
    again = page(client, kept)
    assert text_of(again, "h1") == text_of(tree, "h1")
    twin = html.unescape(tree.css_first(".app-take a[rel=alternate]").attributes["href"])
    reply = client.get(twin)
    assert reply.status_code == 200 and reply.headers["content-type"] == "application/json"


def test_htmx_gets_the_results_alone(client: TestClient) -> None:
    whole = client.get(DEMENTIA)
    part = client.get(DEMENTIA + "&from=&to=", headers={"HX-Request": "true"})
    assert "HX-Request" in whole.headers["vary"] and "HX-Request" in part.headers["vary"]
    assert "<html" not in part.text and "<form" not in part.text and "<title>" in part.text
    shown = Tree(whole.text).css_first("#results").text()
    alone = Tree(part.text).body.text()
    assert "".join(shown.split()) in "".join(alone.split())
    pushed = dict(parse_qsl(urlsplit(part.headers["HX-Push-Url"]).query))
    assert set(pushed) == {"q", "home"}
    restored = client.get(
        DEMENTIA, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"}
    )
    assert "<html" in restored.text


def test_what_is_wrong_reaches_htmx_too(client: TestClient) -> None:
    part = client.get("/ask?q=", headers={"HX-Request": "true"})
    assert part.status_code == 422 and "Type a question" in part.text


# The viewer.


def test_the_reading_view_loses_no_word(searcher: Searcher) -> None:
    for identity in searcher.store.documents:
        _, reading = searcher.document(identity)
        parts = parts_of(reading)
        layout = Layout(identity, reading)
        shown = "".join(_words(b) for p in parts for b in layout.blocks(*p))
        assert "".join(shown.split()) == "".join(reading.text.split()), identity


def _words(block: Block) -> str:
    lines = [piece.text for line in block.lines for piece in line.pieces]
    cells = [piece.text for row in block.rows for cell in row.cells for piece in cell.pieces]
    return " ".join(lines + cells)


def test_tables_have_their_headers_and_pages_their_places(client: TestClient) -> None:
    tree = page(client, VIEWER)
    table = tree.css_first(f"mark[id='{TARGET}']").parent.parent.parent.parent
    assert [n.text() for n in table.css("thead th")] == ["Objective", "Impact", "Timeframe"]
    labels = {n.attributes["id"]: n.text().strip() for n in tree.css(".app-page")}
    assert labels["page-79"] == "Page 79 of the pack"
    assert labels["page-80"] == "Page 80 of the pack, number inferred"
    assert len(labels) == 124


def test_citations_can_be_stepped_through(client: TestClient) -> None:
    other = "sefton-plan-2023-25.44895-45269"
    tree = page(client, f"{VIEWER}&cite={other}")
    assert "Citation 1 of 2" in text_of(tree, "#cited")
    following = html.unescape(tree.css_first("a[rel=next]").attributes["href"])
    assert urlsplit(following).fragment == other
    after = page(client, following)
    assert "Citation 2 of 2" in text_of(after, "#cited")
    assert after.css_first("a[rel=prev]") is not None


def test_a_fragment_alone_names_whole_paragraphs_and_rows(client: TestClient) -> None:
    tree = page(client, "/documents/sefton-plan-2023-25")
    assert tree.css_first(f"tr[id='{TARGET}']") is not None


@pytest.mark.parametrize(
    "query",
    ["cite=rubbish", "cite=sefton-plan-2023-25.1-999999999", "cite=sel-strategic-priorities.0-10"],
)
def test_citations_of_nothing_are_told(client: TestClient, query: str) -> None:
    page(client, f"/documents/sefton-plan-2023-25?{query}", 404)


def test_words_are_found_in_a_document(client: TestClient) -> None:
    tree = page(client, "/documents/sefton-plan-2023-25?find=Early  ONSET dementia")
    marks = tree.css("mark.app-mark--find")
    assert [m.text() for m in marks] == ["early onset dementia"]
    link = tree.css_first(".app-found a")
    assert link.attributes["href"] == "#find-1" and "page 80" in text_of(tree, ".app-found")
    assert "Nowhere" in text_of(page(client, "/documents/sefton-plan-2023-25?find=zzz"), "#found")


def test_the_viewer_looks_for_no_more_than_may_be(client: TestClient) -> None:
    viewer = "/documents/sefton-plan-2023-25"
    long = client.get(viewer, params={"find": "z" * 300}).text
    assert "z" * 200 in long and f'value="{"z" * 201}' not in long
    many = [TARGET] * 50
    assert client.get(viewer, params={"cite": [*many, "rubbish"]}).status_code == 200
    assert client.get(viewer, params={"cite": [*many[:49], "rubbish"]}).status_code == 404


def test_finding_and_citing_may_overlap(client: TestClient) -> None:
    tree = page(client, f"{VIEWER}&find=diagnosis rate")
    assert tree.css_first(f"[id='{TARGET}']") is not None
    assert tree.css_first("#find-1") is not None
    marked = "".join(n.text() for n in tree.css("mark[data-cited]"))
    assert "dementia diagnosis rate to 66.7%" in marked


def test_odd_numbers_are_not_errors(client: TestClient) -> None:
    for query in ("page=x", "page=-1", "page=99999999999999", "part=0", "part=7", "page=²"):
        page(client, f"/documents/sefton-plan-2023-25?{query}")


def test_the_original_file_is_given_out_as_it_was(client: TestClient, searcher: Searcher) -> None:
    reply = client.get("/documents/sefton-plan-2023-25/file")
    document = searcher.store.documents["sefton-plan-2023-25"]
    assert hashlib.sha256(reply.content).hexdigest() == document.sha256
    assert reply.headers["content-type"].startswith("text/plain")
    assert reply.headers["content-disposition"].startswith("attachment")


def test_a_changed_file_is_not_given_out(
    serving: Serving, tmp_path: Path, searcher: Searcher
) -> None:
    corpus = tmp_path / "corpus"
    (corpus / "documents").mkdir(parents=True)
    source = SourceFiles(WebSettings().corpus)
    document = searcher.store.documents["sel-strategic-priorities"]
    path = source.path(document)
    assert path is not None
    shipped = path.parent.parent
    for name in ("systems.toml", "documents.toml"):
        (corpus / name).write_bytes((shipped / name).read_bytes())
    entries = tomllib.loads((corpus / "documents.toml").read_text())["document"]
    for name in {entry["file"] for entry in entries}:
        (corpus / "documents" / name).write_text("changed")
    app = create_app(serving, serving.settings, WebSettings(corpus=corpus))
    with TestClient(app) as client:
        page(client, "/documents/sel-strategic-priorities/file", 404)
        page(client, "/documents/sel-strategic-priorities/pages/1.png", 404)


def test_long_documents_come_in_parts() -> None:
    text = "\n\n".join(f"Paragraph {n} " + "words " * 400 for n in range(120))
    sections, at = [], 0
    for paragraph in text.split("\n\n"):
        sections.append(Section(at, at + len(paragraph), "prose"))
        at += len(paragraph) + 2
    reading = Reading(text, tuple(sections))
    parts = parts_of(reading)
    assert len(parts) > 1 and parts[0][0] == 0 and parts[-1][1] == len(sections)
    assert all(a[1] == b[0] for a, b in zip(parts, parts[1:], strict=False))
    for number, (first, last) in enumerate(parts):
        for section in (sections[first], sections[last - 1]):
            assert part_at(reading, parts, section.start) == number


def test_columns_that_share_a_name_stay_apart() -> None:
    text = "a\nb\nc\nd"
    cells = (Cell("Date", 0, 1), Cell("Date", 2, 3))
    more = (Cell("Date", 4, 5), Cell("Date", 6, 7))
    reading = Reading(
        text,
        (Section(0, 3, "table_row", cells=cells), Section(4, 7, "table_row", cells=more)),
    )
    (block,) = Layout("doc", reading).blocks(0, 2)
    assert block.headers == ("Date", "Date")
    assert [[c.pieces[0].text for c in row.cells] for row in block.rows] == [["a", "b"], ["c", "d"]]


def test_pages_without_text_are_shown_as_such() -> None:
    reading = Reading(
        "One.\n\nTwo.",
        (Section(0, 4, "prose"), Section(6, 10, "prose")),
        (Page(1, 0, 4), Page(2, 5, 5, unreadable=True), Page(3, 6, 10), Page(4, 10, 10)),
    )
    blocks = Layout("doc", reading).blocks(0, 2)
    kinds = [(b.kind, b.page.number if b.page else None, b.empty) for b in blocks]
    assert kinds == [
        ("page", 1, False),
        ("prose", None, False),
        ("page", 2, True),
        ("page", 3, False),
        ("prose", None, False),
        ("page", 4, True),
    ]


def test_headings_repeat_once_in_the_outline() -> None:
    text = "Plan\n\nPlan\n\nNext"
    sections = tuple(Section(at, at + 4, "heading", level=1) for at in (0, 6, 12))
    assert [e.text for e in outline("doc", Reading(text, sections))] == ["Plan", "Next"]


# Hostile input.


@pytest.mark.parametrize(
    "address",
    [
        "/ask?q={}",
        "/search?q={}",
        "/compare?theme={}",
        "/commitments?theme={}",
        "/priorities?home={}",
        "/priorities?format={}",
        "/documents/sefton-plan-2023-25?find={}",
        "/documents/sefton-plan-2023-25?cite={}",
        "/documents/{}",
        "/ask?q=x&home={}",
        "/ask?q=x&system={}",
        "/ask?q=x&index_id={}",
        "/search?q=x&kind={}",
        "/{}",
    ],
)
def test_nothing_typed_becomes_markup(client: TestClient, address: str) -> None:
    reply = client.get(address.format(quote(HOSTILE, safe="")))
    assert reply.status_code < 500
    tree = Tree(reply.text)
    assert "alert(1)" not in "".join(n.text() for n in tree.css("script"))
    assert tree.css("img[src=x]") == []
    assert "49" not in text_of(tree, "h1")


def test_nothing_in_a_document_becomes_markup() -> None:
    text = f"{HOSTILE}\n\n{HOSTILE}\n\n{HOSTILE}"
    size = len(HOSTILE)
    reading = Reading(
        text,
        (
            Section(0, size, "heading", level=1),
            Section(size + 2, 2 * size + 2, "prose"),
            Section(
                2 * size + 4,
                3 * size + 4,
                "table_row",
                cells=(Cell(HOSTILE, 2 * size + 4, 3 * size + 4),),
            ),
        ),
    )
    marks = [Mark(size + 5, size + 20, '"><b>', "cite", True)]
    blocks = Layout("doc", reading, marks).blocks(0, 3)
    template = environment().from_string(
        '{% from "components/reading.jinja" import blocks %}{{ blocks(all, true) }}'
    )
    made = template.render(all=blocks)
    assert "<script" not in made and "<img" not in made and "<b>" not in made
    tree = Tree(made)
    assert text_of(tree, "h2") == HOSTILE
    assert text_of(tree, ".app-doc__p") == HOSTILE
    assert text_of(tree, "th") == HOSTILE


def test_words_are_marked_without_trusting_them() -> None:
    wanted = Wanted(["script alert"], ["img src"])
    pieces = wanted.pieces(HOSTILE)
    assert "".join(p.text for p in pieces) == HOSTILE
    assert {p.text for p in pieces if p.marked} == {"script", "alert", "img src"}
    made = (
        environment()
        .from_string('{% from "components/parts.jinja" import pieces %}{{ pieces(all) }}')
        .render(all=pieces)
    )
    assert "<script" not in made and "<img" not in made
    assert Tree(made).body.text() == HOSTILE


@pytest.mark.parametrize(
    ("words", "phrases", "text", "marked"),
    [
        (["dementia"], [], "Dementia and DEMENTIA", ["Dementia", "DEMENTIA"]),
        (["what do they say about the carers"], [], "Every carer says so", ["carer", "says"]),
        ([], ["end of life"], "End of life care; life", ["End of life"]),
        ([], ["end of life", "end"], "the end, end of life", ["end", "end of life"]),
        ([], ["of the"], "of the", []),
        ([], [], "nothing", []),
        (["a & b"], [], "", []),
    ],
)
def test_marking_words(words: list[str], phrases: list[str], text: str, marked: list[str]) -> None:
    pieces = Wanted(words, phrases).pieces(text)
    assert "".join(p.text for p in pieces) == text
    assert [p.text for p in pieces if p.marked] == marked


def test_finding_knows_no_patterns() -> None:
    assert find("a.b (c) a*b", ".*") == ()
    assert [f.text for f in find("a.b\n a.B", "A.b")] == ["a.b", "a.B"]
    assert len(find("x " * 1000, "x")) == 200
    assert find("x", "  ") == ()


# When things go wrong.


def test_unknown_addresses_help(client: TestClient) -> None:
    tree = page(client, "/nowhere", 404)
    assert "There is nothing at /nowhere" in text_of(tree, "main")
    assert len(tree.css("main a")) >= 2
    page(client, "/documents/nothing", 404)
    page(client, "/documents/sefton-plan-2023-25/pages/x.png", 404)
    assert client.get("/api/v1/nowhere").json()["error"]["code"] == "not_found"


def test_other_verbs_are_refused(client: TestClient) -> None:
    assert client.post("/ask").status_code == 405
    assert client.post("/ask").headers["content-type"].startswith("text/html")


def test_generations_no_longer_kept_are_told(client: TestClient) -> None:
    tree = page(client, "/ask?q=dementia&index_id=0000000000000000", 410)
    now = html.unescape(tree.css_first("main a").attributes["href"])
    assert now == "/ask?q=dementia"


def test_without_an_index_every_page_says_so(broken: TestClient) -> None:
    for address in ("/", "/ask?q=x", "/compare", "/documents", "/documents/x", "/systems"):
        tree = page(broken, address, 503)
        assert "There is no index" in text_of(tree, "main")
    for address in ("/about", "/accessibility", "/quality"):
        page(broken, address)
    assert broken.get("/api/v1/health").status_code == 503


def test_when_too_many_ask_at_once_a_page_says_so(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(serving, SearchSettings(most_at_once=1))
    began, done = threading.Event(), threading.Event()

    def slow(*_: object) -> None:
        began.set()
        done.wait(10)
        raise QueryError("done", field="q")

    monkeypatch.setattr(Searcher, "ask", slow)
    with TestClient(app) as client:
        first = threading.Thread(target=client.get, args=("/ask?q=x",))
        first.start()
        began.wait(10)
        reply = client.get("/about")
        twin = client.get("/api/v1/systems")
        health = client.get("/api/v1/health")
        done.set()
        first.join(10)
    assert reply.status_code == 503 and reply.headers["Retry-After"] == "2"
    assert "Too many people" in text_of(Tree(reply.text), "main")
    assert twin.json()["error"]["code"] == "busy"
    assert health.json()["status"] == "ok"


def test_links_stay_in_the_generation_named(client: TestClient, searcher: Searcher) -> None:
    tree = page(client, f"{DEMENTIA}&index_id={searcher.index_id}")
    for link in tree.css(".app-quote__link"):
        assert f"index_id={searcher.index_id}" in link.attributes["href"]


def test_bugs_are_told_without_detail(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(serving, serving.settings)

    def fail(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(Searcher, "ask", fail)
    with TestClient(app, raise_server_exceptions=False) as client:
        reply = client.get("/ask?q=x")
        assert reply.status_code == 500 and "secret" not in reply.text
        assert "Sorry" in reply.text
        assert reply.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]
        reply = client.get("/api/v1/ask?q=x")
        assert reply.json()["error"]["code"] and "secret" not in reply.text


def test_a_port_in_use_is_told_in_a_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServeError, match=rf"Port {port} of 127.0.0.1 is in use; .*--port"):
            listen("127.0.0.1", port)
    with pytest.raises(ServeError, match="Cannot listen on 203.0.113.7"):
        listen("203.0.113.7", 8000)
    with listen("127.0.0.1", 0) as listening:
        # asyncio turns Nagle's algorithm off only where the socket says that it is TCP's.
        assert listening.proto == socket.IPPROTO_TCP


# The report.


def test_without_a_report_the_page_says_how_to_make_one(serving: Serving, tmp_path: Path) -> None:
    app = create_app(serving, serving.settings, WebSettings(report=tmp_path / "none.json"))
    with TestClient(app) as client:
        assert "icsearch eval report" in text_of(page(client, "/quality"), "main")


def test_a_report_is_laid_out_as_what_it_holds(serving: Serving, tmp_path: Path) -> None:
    report = {
        "made_at": "2026-11-21T10:00:00",
        "questions": 64,
        "summary": "A sentence long enough to be shown as a paragraph of its own.",
        "measures": {"nDCG@10": {"value": 0.71234, "interval": [0.6, 0.8]}},
        "cells": {"right": 0.9, "false_silence_rate": 0.0125},
        "nested": {"inner": {"a": 1}, "other": 2},
        "runs": [{"name": "ours", "ok": True}, {"name": "<b>yardstick</b>", "value": None}],
        "seeds": [1, 2, 3],
    }
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))
    app = create_app(serving, serving.settings, WebSettings(report=path))
    with TestClient(app) as client:
        tree = page(client, "/quality")
    shown = text_of(tree, "main")
    for expected in (
        "0.712",
        "0.600 to 0.800",
        "False silence rate",
        "0.013",
        "64",
        "21 November 2026",
        "a sentence long enough",
        "<b>yardstick</b>",
        "yes",
        "–",
    ):
        assert expected.casefold() in shown.casefold(), expected
    assert "<b>" not in (tree.css_first("main").html or "")


def test_wide_tables_of_a_report_are_turned_and_unlike_things_kept_apart() -> None:
    fields = {f"measure {n}": n / 10 for n in range(9)}
    view = QualityPage.of(
        {
            "runs": {"ours": fields, "theirs": fields},
            "parts": {"cells": {"right": 1}, "dates": {"due": 2, "owner": 3}},
        }
    )
    runs, cells, dates = view.tables
    assert runs.headers == ("", "Ours", "Theirs") and len(runs.rows) == 9
    assert (cells.title, dates.title) == ("Parts: cells", "Parts: dates")


def test_names_of_a_report_are_words_that_a_planner_knows() -> None:
    figures = {"nDCG@10": 0.5, "StRecall@10": 0.4}
    report = {"measures": {"icsearch": figures, "bm25-chunks": figures}}
    by_kind = {"by_kind": {"cross-system": {"icsearch": 1, "bm25-chunks": 0}}}
    measures, kinds = QualityPage.of(report | by_kind).tables
    assert measures.rows[0][0] == "icsearch" and measures.rows[1][0] == "Words alone"
    assert measures.headers == ("", "nDCG@10", "Systems@10")
    assert kinds.headers == ("", "icsearch", "Words alone") and kinds.rows[0][0] == "Cross-system"


def test_a_damaged_report_is_no_report(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    for content in ("{", "[1]", '"x"'):
        path.write_text(content)
        assert read_report(path) is None
    assert QualityPage.of({}).found


# Small things.


def test_examples_in_docstrings() -> None:
    for module in (
        search_api.dates,
        web.format,
        web.highlight,
        web.evidence,
        web.present.quality,
        web.signin,
        search_api.gate,
    ):
        outcome = doctest.testmod(module)
        assert outcome.failed == 0


def test_addresses_are_changed_without_string_surgery() -> None:
    address = asked("/ask", QueryParams("q= a%26b &q=&system=x&system=x&utm=1&from="), AskParams)
    assert str(address) == "/ask?q=a%26b&system=x"
    assert str(address.toggle("system", "x")) == "/ask?q=a%26b"
    assert str(address.toggle("system", "y").drop("q")) == "/ask?system=x&system=y"
    assert str(address.set("q", "é").to("a b")) == "/ask?system=x&q=%C3%A9#a%20b"
    assert str(address.twin()) == "/api/v1/ask?q=a%26b&system=x"
    assert read(address, AskParams).system == ["x"]
    with pytest.raises(QueryError):
        read(Address("/search", (("q", "x"), ("limit", "1000"))), SearchParams)


def test_templates_cannot_name_fields_that_do_not_exist() -> None:
    template = environment().from_string("{{ page.nonsense }}")
    with pytest.raises(UndefinedError, match="Address has no field 'nonsense'"):
        template.render(page=Address("/"))


def test_boxes_are_drawn_where_the_words_stand() -> None:
    out = io.BytesIO()
    Image.new("RGB", (300, 400), "white").save(out, "PNG", dpi=(144, 144))
    plain = out.getvalue()
    drawn = Image.open(io.BytesIO(boxed(plain, [Box(1, 20, 30, 60, 40)])))
    assert drawn.getpixel((80, 70)) != (255, 255, 255)
    assert drawn.getpixel((200, 200)) == (255, 255, 255)
    assert boxed(plain, []) == plain
    blank = io.BytesIO()
    Image.new("RGB", (30, 40), "white").save(blank, "PNG")
    assert boxed(blank.getvalue(), [Box(1, 2, 3, 6, 4)]) == blank.getvalue()


def test_who_asks_for_priorities_is_led_to_their_page(client: TestClient) -> None:
    page = client.get("/ask", params={"q": "what are the main priorities", "home": "sefton"}).text
    assert 'href="/priorities?home=sefton"' in page
    assert "/compare?theme=" not in page


@pytest.mark.parametrize(
    ("question", "register"),
    [
        ("Show commitments due by March 2024", "/commitments?due_before=2024-04"),
        (
            "what is due before March 2024 in Sefton?",
            "/commitments?system=sefton&amp;due_before=2024-03",
        ),
        ("targets for 2025", "/commitments?due_before=2026-01"),
        ("which objectives are overdue", "/commitments"),
        ("dementia", None),
    ],
)  # fmt: skip
def test_who_asks_what_is_due_is_led_to_the_register(
    client: TestClient, question: str, register: str | None
) -> None:
    page = client.get("/ask", params={"q": question}).text
    wanted = f'<li><a href="{register}">See what is due, and when, in the register</a></li>'
    assert ("See what is due" in page) == (register is not None)
    assert register is None or wanted in page
    if register is not None:
        assert client.get(register.replace("&amp;", "&")).status_code == 200
