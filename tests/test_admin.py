"""Administration: who may, what it does to corpus and index, and what it refuses."""

import asyncio
import fcntl
import io
import json
import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from httpx import Response
from selectolax.lexbor import LexborHTMLParser as Tree
from starlette.exceptions import HTTPException
from starlette.requests import Request

import indexer.jobs
import web.admin.session
import web.admin.upload
from corpus.errors import AdminError, ServeError, UnknownId
from indexer.build import build_index
from indexer.jobs import STOPPED, Jobs, Task
from indexer.journal import Journal
from indexer.settings import IndexSettings
from search_api.serving import Serving
from search_api.settings import SearchSettings
from tests.conftest import write_tiny_corpus, write_tiny_index
from tests.markup import check_html, check_policy
from web.admin.form import Typed, suffix_of
from web.admin.routes import COOKIE
from web.admin.session import Attempts, Sessions, hashed, tokens_of
from web.app import create_app
from web.cli import token
from web.settings import WebSettings

TOKEN = "k3y-for-the-tests-of-amira-and-nobody-else"
KEY = "signs cookies in the tests, and nowhere else"
MOST_MB = 1
PAGES = (
    "/admin",
    "/admin/add",
    "/admin/rebuild",
    "/admin/jobs",
    "/admin/log",
    "/admin/documents/northvale-plan/remove",
)
PLAN = b"""# Northvale dental plan

## Dental care

We will open three dental training clinics by June 2027.
"""
GIVEN = {"title": "Northvale dental plan", "system": "northvale", "kind": "topic strategy"}


def site_of(folder: Path, settings: IndexSettings, **more: Any) -> TestClient:
    """A site over an index, with Amira's token, whose work is kept in a folder."""
    search = SearchSettings(index=settings.index)
    web = {
        "corpus": settings.corpus,
        "admin_tokens": f"amira:{hashed(TOKEN)}",
        "admin_key": KEY,
        "admin_folder": folder / "admin",
        "admin_upload_mb": MOST_MB,
    }
    app = create_app(Serving(search), search, WebSettings(**(web | more)))
    return TestClient(app, base_url="https://testserver")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, index_dir: Path) -> tuple[Path, IndexSettings]:
    """A folder with an index of the tiny corpus, which the tests of this file share."""
    folder = tmp_path_factory.mktemp("admin")
    corpus = write_tiny_corpus(folder / "corpus")
    settings = write_tiny_index(corpus, folder / "index", index_dir / "models")
    build_index(settings)
    return folder, settings


@pytest.fixture(scope="module")
def open_site(tiny: tuple[Path, IndexSettings]) -> Iterator[TestClient]:
    """The site, opened once."""
    with site_of(*tiny) as client:
        yield client


@pytest.fixture()
def outsider(open_site: TestClient) -> TestClient:
    """Somebody who is not signed in."""
    open_site.cookies.clear()
    open_site.app.state.desk.attempts.forget("testclient")
    return open_site


@pytest.fixture()
def admin(outsider: TestClient) -> TestClient:
    """Amira, signed in."""
    assert sign_in(outsider).status_code == 303
    return outsider


def form_token(client: TestClient, path: str = "/admin/rebuild") -> str:
    found = Tree(client.get(path).text).css_first("input[name=form_token]")
    assert found is not None
    return str(found.attributes["value"])


def sign_in(client: TestClient, given: str = TOKEN, **more: str) -> Response:
    fields = {"form_token": form_token(client, "/admin/sign-in"), "token": given, **more}
    return client.post("/admin/sign-in", data=fields, follow_redirects=False)


def upload(
    client: TestClient, content: bytes = PLAN, name: str = "plan.md", **fields: str
) -> Response:
    return client.post(
        "/admin/add",
        data={"form_token": form_token(client), **GIVEN, **fields},
        files={"file": (name, io.BytesIO(content))},
        follow_redirects=False,
    )


def over(client: TestClient, reply: Response, seconds: float = 60) -> Tree:
    """The page of a job once it is over."""
    assert reply.status_code == 303, text_of(Tree(reply.text))
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        tree = Tree(client.get(reply.headers["location"]).text)
        if tree.css_first("[data-refresh]") is None:
            return tree
        time.sleep(0.1)
    raise AssertionError(f"{reply.headers['location']} is not over")


def text_of(tree: Tree, selector: str = "main") -> str:
    found = tree.css_first(selector)
    return " ".join(found.text().split()) if found else ""


def logged(folder: Path) -> list[tuple[str, ...]]:
    lines = (folder / "admin" / "log.jsonl").read_text().splitlines()
    return [
        tuple(e[k] for k in ("who", "what", "subject", "result")) for e in map(json.loads, lines)
    ]


# Who may.


def test_without_a_token_configured_there_is_no_administration(client: TestClient) -> None:
    for path in (*PAGES, "/admin/sign-in"):
        assert client.get(path).status_code == 404
    assert client.post("/admin/rebuild").status_code in (404, 405)
    assert "/admin" not in client.get("/").text


def test_the_command_makes_a_token_that_settings_keep_as_a_hash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = CliRunner().invoke(token, ["amira"]).output
    made = re.search(r"shown only now: (\S+)", said)
    kept = re.search(r'ICSEARCH_ADMIN_TOKENS="(.*)"', said)
    key = re.search(r'ICSEARCH_ADMIN_KEY="(.*)"', said)
    assert made and kept and key and len(made[1]) > 40
    assert made[1] not in kept[1] + key[1]
    assert Sessions(tokens_of(kept[1]), key[1], Path("nowhere")).name_of(made[1]) == "amira"
    monkeypatch.setenv("ICSEARCH_ADMIN_TOKENS", f"tom:{'0' * 64},amira:{'1' * 64}")
    monkeypatch.setenv("ICSEARCH_ADMIN_KEY", key[1])
    again = CliRunner().invoke(token, ["amira"]).output
    kept = re.search(r'ICSEARCH_ADMIN_TOKENS="(.*)"', again)
    assert kept and set(tokens_of(kept[1])) == {"tom", "amira"} and "1" * 64 not in kept[1]
    assert "ADMIN_KEY" not in again
    refused = CliRunner().invoke(token, ["Amira & Co"])
    assert isinstance(refused.exception, ServeError)


@pytest.mark.parametrize(
    ("tokens", "key", "told"),
    [
        (TOKEN, KEY, "name:hash"),
        (f"amira:{hashed(TOKEN)} amira:{hashed(KEY)}", KEY, "each name once"),
        (f"amira:{hashed(TOKEN)}", "short", "32 characters"),
        (f"amira:{hashed(TOKEN)}", None, "32 characters"),
    ],
)
def test_settings_that_would_keep_nobody_out_are_refused(
    tiny: tuple[Path, IndexSettings], tokens: str, key: str | None, told: str
) -> None:
    with pytest.raises(ServeError, match=told):
        site_of(*tiny, admin_tokens=tokens, admin_key=key)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_sends_a_stranger_to_sign_in(outsider: TestClient, path: str) -> None:
    for reply in (
        outsider.get(path, follow_redirects=False),
        outsider.post(path, follow_redirects=False),
    ):
        assert reply.status_code in (303, 405)
        if reply.status_code == 303:
            assert reply.headers["location"].startswith("/admin/sign-in")
    asked = outsider.get(path)
    assert "Sign in to administer" in asked.text and "Plan of northvale" not in asked.text


def test_signing_in_leads_on_and_only_within(outsider: TestClient) -> None:
    page = outsider.get("/admin/log")
    then = Tree(page.text).css_first("input[name=then]").attributes["value"]
    assert then == "/admin/log"
    assert sign_in(outsider, then=then).headers["location"] == "/admin/log"
    for elsewhere in ("https://evil.example/", "//evil.example", "/admin/../x", "/admin/sign-out"):
        outsider.cookies.clear()
        assert sign_in(outsider, then=elsewhere).headers["location"] == "/admin"


def test_the_cookie_is_kept_from_scripts_other_sites_and_plain_http(
    outsider: TestClient, tiny: tuple[Path, IndexSettings]
) -> None:
    told = sign_in(outsider).headers["set-cookie"]
    for flag in ("HttpOnly", "SameSite=strict", "Path=/admin", "Secure"):
        assert flag in told
    plain = TestClient(outsider.app, base_url="http://testserver")
    assert "Secure" not in plain.get("/admin/sign-in").headers["set-cookie"]


def test_a_wrong_token_is_refused_without_saying_why(
    outsider: TestClient, tiny: tuple[Path, IndexSettings]
) -> None:
    for wrong in ("", "amira", hashed(TOKEN), f"amira:{hashed(TOKEN)}", TOKEN.upper()):
        outsider.app.state.desk.attempts.forget("testclient")
        reply = sign_in(outsider, wrong)
        assert reply.status_code == 403
        assert "That token is not right" in reply.text
        assert not wrong or wrong not in text_of(Tree(reply.text))
        check_html(reply.text)
    assert outsider.get("/admin", follow_redirects=False).status_code == 303
    assert ("", "sign in", "testclient", "refused") in logged(tiny[0])


def test_after_some_attempts_one_must_wait(
    outsider: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        assert sign_in(outsider, "wrong").status_code == 403
    reply = sign_in(outsider)
    assert reply.status_code == 429 and 800 < int(reply.headers["retry-after"]) <= 901
    assert "Too many attempts. Try again in" in reply.text
    later = time.monotonic() + 901
    monkeypatch.setattr(web.admin.session.time, "monotonic", lambda: later)
    assert sign_in(outsider).status_code == 303


def test_attempts_are_counted_by_address_and_not_without_end() -> None:
    attempts = Attempts()
    for _ in range(5):
        attempts.failed("192.0.2.1")
    assert attempts.wait("192.0.2.1") > 0 and attempts.wait("192.0.2.2") == 0
    for number in range(web.admin.session.MOST_ADDRESSES):
        attempts.failed(f"198.51.100.{number}")
    assert attempts.wait("192.0.2.1") == 0


def test_only_our_own_cookies_are_sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def sessions(tokens: dict[str, str], key: str = KEY) -> Sessions:
        return Sessions(tokens, key, tmp_path / "ended")

    known = {"amira": hashed(TOKEN)}
    ours = sessions(known)
    cookie = ours.issue("amira")
    session = ours.read(cookie)
    assert session is not None and session.who == "amira"
    who, until, identity, signature = cookie.split(".")
    for forged in (
        None,
        "",
        "amira",
        f"tom.{until}.{identity}.{signature}",
        f"amira.{int(until) + 9999}.{identity}.{signature}",
        f"amira.{until}.{'0' * 32}.{signature}",
        f"amira.{until}.{identity}.{ours.form_token(session)}",
        f"amira.{until}.{identity}.",
        f"amira.{until}.{identity}.é",
        f"amira.²{until}.{identity}.{signature}",
    ):
        assert ours.read(forged) is None
    assert sessions(known, KEY[::-1]).read(cookie) is None
    assert sessions({"tom": hashed(TOKEN)}).read(cookie) is None
    assert sessions({"amira": hashed("a new one")}).read(cookie) is None
    assert not ours.own_form(session, "é")
    form = ours.issue()
    nobody = ours.read(form)
    assert nobody is not None and nobody.who == ""
    ours.end(session)
    assert ours.read(cookie) is None and sessions(known).read(cookie) is None
    fresh = ours.issue("amira")
    now = time.time()
    monkeypatch.setattr(web.admin.session.time, "time", lambda: now + 3600 + 1)
    assert ours.read(form) is None and ours.read(fresh) is not None
    monkeypatch.setattr(web.admin.session.time, "time", lambda: now + 8 * 3600 + 1)
    assert ours.read(fresh) is None


def test_a_link_from_elsewhere_does_not_sign_anybody_out(admin: TestClient) -> None:
    # A browser sends no same-site cookie with it, but keeps the cookies of the answer.
    mine = admin.cookies[COOKIE]
    stranger = TestClient(admin.app, base_url="https://testserver")
    for reply in (stranger.get("/admin"), stranger.post("/admin/sign-in", data={"token": TOKEN})):
        assert not [c for c in reply.headers.get_list("set-cookie") if c.startswith(f"{COOKIE}=")]
    assert mine == admin.cookies[COOKIE] and admin.get("/admin").status_code == 200


def test_signing_out_ends_the_session_wherever_its_cookie_is(admin: TestClient) -> None:
    stolen = admin.cookies[COOKIE]
    reply = admin.post(
        "/admin/sign-out", data={"form_token": form_token(admin)}, follow_redirects=False
    )
    assert reply.headers["location"] == "/admin/sign-in"
    admin.cookies.set(COOKIE, stolen, domain="testserver.local", path="/admin")
    assert admin.get("/admin", follow_redirects=False).status_code == 303


def test_nothing_changes_without_the_sessions_own_form(
    admin: TestClient, tiny: tuple[Path, IndexSettings]
) -> None:
    other = TestClient(admin.app, base_url="https://testserver")
    sign_in(other)
    theirs = form_token(other)
    jobs = set((tiny[0] / "admin" / "jobs").glob("2*"))
    listing = (tiny[1].corpus / "documents.toml").read_bytes()
    for given in ({}, {"form_token": ""}, {"form_token": "é"}, {"form_token": theirs}):
        for path in ("/admin/rebuild", "/admin/sign-out", PAGES[-1]):
            assert admin.post(path, data=given).status_code == 403
        files = {"file": ("plan.md", io.BytesIO(PLAN))}
        assert admin.post("/admin/add", data=given | GIVEN, files=files).status_code == 403
        reply = admin.post("/admin/sign-in", data=given | {"token": TOKEN})
        assert reply.status_code == 403 and "set-cookie" not in reply.headers
    assert admin.get("/admin", follow_redirects=False).status_code == 200
    assert set((tiny[0] / "admin" / "jobs").glob("2*")) == jobs
    assert (tiny[1].corpus / "documents.toml").read_bytes() == listing


# What every page is.


@pytest.mark.parametrize("path", [*PAGES, "/admin/nowhere", "/admin/jobs/nothing"])
def test_pages_are_valid_and_neither_kept_nor_found(admin: TestClient, path: str) -> None:
    reply = admin.get(path)
    assert reply.status_code == (404 if "no" in path.rsplit("/", 1)[1][:2] else 200)
    check_html(reply.text)
    check_policy(reply.text, reply.headers)
    assert reply.headers["cache-control"] == "no-store"
    assert "noindex" in reply.headers["x-robots-tag"]
    if reply.status_code == 200:
        assert Tree(reply.text).css_first("meta[name=robots]").attributes["content"] == "noindex"


def test_the_public_pages_may_be_kept_and_found(admin: TestClient) -> None:
    headers = admin.get("/").headers
    assert "x-robots-tag" not in headers and "no-store" not in headers.get("cache-control", "")


def test_the_run_report_stands_beside_every_document(admin: TestClient) -> None:
    tree = Tree(admin.get("/admin").text)
    rows = {row.css_first("a").text(): text_of(row, "tr") for row in tree.css("tbody tr")}
    assert set(rows) == {"Plan of northvale", "Plan of southmere"}
    passages = admin.get("/api/v1/documents/southmere-plan").json()
    assert f"Words {passages['words']}" in rows["Plan of southmere"]
    assert "Tables 1" in rows["Plan of southmere"]
    assert f"Passages {passages['passages']}" in rows["Plan of southmere"]


# What it does.


def test_a_document_is_added_served_and_removed_without_a_restart(
    admin: TestClient, tiny: tuple[Path, IndexSettings]
) -> None:
    folder, settings = tiny
    before = admin.get("/api/v1/health").json()["index"]["id"]
    question = {"q": "dental training clinics"}
    said = "We will open three dental training clinics by June 2027."
    assert said not in admin.get("/api/v1/search", params=question).text
    reply = upload(
        admin,
        name="../../etc/passwd.md",
        day="7",
        month="6",
        year="2026",
        first="2026",
        last="2028",
        url="https://example.org/plan?x=<b>",
    )
    tree = over(admin, reply)
    assert "Done" in text_of(tree, "#state")
    facts = dict(
        zip(
            [node.text() for node in tree.css("dt")],
            [node.text() for node in tree.css("dd")],
            strict=True,
        )
    )
    now = admin.get("/api/v1/health").json()["index"]["id"]
    assert facts["Index"] == now != before
    assert (facts["Documents in the index"], facts["Tables"]) == ("3", "0")
    # It is served, described as it was typed, and stored under a name of our own.
    identity = "northvale-northvale-dental-plan"
    assert said in admin.get("/api/v1/search", params=question).text
    entry = admin.get(f"/api/v1/documents/{identity}").json()
    assert (entry["kind"], entry["published"]) == ("topic strategy", "2026-06-07")
    assert (entry["period_from"], entry["period_to"]) == (2026, 2028)
    assert entry["url"] == "https://example.org/plan?x=<b>"
    assert (settings.corpus / "documents" / f"{identity}.md").read_bytes() == PLAN
    assert admin.get(f"/documents/{identity}/file").content == PLAN
    assert not (folder / "admin").parent.joinpath("etc").exists()
    assert not list((folder / "admin" / "jobs").rglob("document.*"))
    # What was served before still is, by its name.
    kept = admin.get("/api/v1/search", params=question | {"index_id": before})
    assert kept.status_code == 200 and said not in kept.text
    # The same file again is refused in a sentence, and nothing is left of it.
    tree = over(admin, upload(admin, title="Another name"))
    assert f"“plan.md” is in the corpus already, as {identity}." in text_of(tree)
    # And out again.
    path = f"/admin/documents/{identity}/remove"
    sure = Tree(admin.get(path).text)
    assert "Are you sure you want to remove “Northvale dental plan”?" in text_of(sure, "h1")
    fields = {"form_token": sure.css_first("main input[name=form_token]").attributes["value"]}
    tree = over(admin, admin.post(path, data=fields, follow_redirects=False))
    assert "Done" in text_of(tree, "#state")
    assert said not in admin.get("/api/v1/search", params=question).text
    assert admin.get("/api/v1/health").json()["index"]["id"] == before
    assert not (settings.corpus / "documents" / f"{identity}.md").exists()
    viewer = admin.get(f"/documents/{identity}", params={"index_id": now})
    assert viewer.status_code == 200 and said in viewer.text
    # Everything was written down.
    acts = [entry[:3] for entry in logged(folder)]
    for act in ("add", "add ended", "remove", "remove ended"):
        assert ("amira", act, "Northvale dental plan") in acts
    log = text_of(Tree(admin.get("/admin/log").text))
    assert "Remove ended" in log and "amira" in log


def test_rebuilding_takes_in_what_changed(
    admin: TestClient, tiny: tuple[Path, IndexSettings]
) -> None:
    listing = tiny[1].corpus / "documents.toml"
    before = listing.read_text()
    try:
        listing.write_text(before.replace("Plan of northvale", "Plan of all Northvale"))
        reply = admin.post(
            "/admin/rebuild", data={"form_token": form_token(admin)}, follow_redirects=False
        )
        assert "Documents in the index" in text_of(over(admin, reply))
        assert "Plan of all Northvale" in admin.get("/documents").text
        assert admin.get("/api/v1/documents/northvale-plan").json()["title"].startswith("Plan of a")
    finally:
        listing.write_text(before)
        build_index(tiny[1])


def test_a_file_that_cannot_be_read_fails_in_a_sentence_and_changes_nothing(
    admin: TestClient, tiny: tuple[Path, IndexSettings]
) -> None:
    listing = (tiny[1].corpus / "documents.toml").read_bytes()
    files = sorted(p.name for p in (tiny[1].corpus / "documents").iterdir())
    tree = over(admin, upload(admin, b"%PDF-1.7 and no more", name="<b>broken</b>.pdf"))
    assert "Failed" in text_of(tree, "#state")
    told = text_of(tree, ".app-desk__failed")
    assert "was not added" in told and "“<b>broken</b>.pdf”" in told
    assert (tiny[1].corpus / "documents.toml").read_bytes() == listing
    assert sorted(p.name for p in (tiny[1].corpus / "documents").iterdir()) == files
    assert any(entry[1] == "add ended" and "failed: " in entry[3] for entry in logged(tiny[0]))


# What is refused before anything is started.


def test_what_is_too_large_is_refused_by_what_arrived(
    admin: TestClient, tiny: tuple[Path, IndexSettings]
) -> None:
    jobs = set((tiny[0] / "admin" / "jobs").glob("2*"))
    reply = upload(admin, b"x" * (MOST_MB * 1_000_000 + 1), title="Kept as typed")
    assert reply.status_code == 413
    check_html(reply.text)
    tree = Tree(reply.text)
    assert text_of(tree, ".nhsuk-error-summary li") == f"The file must be {MOST_MB} MB or smaller"
    assert tree.css_first("#title").attributes["value"] == "Kept as typed"
    # No header says how long this is: it comes in pieces.
    edge = "end-of-part"
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="x.md"\r\n\r\n'

    def pieces() -> Iterator[bytes]:
        yield head.encode()
        for _ in range(MOST_MB * 100):
            yield b"x" * 100_000
        yield f"\r\n--{edge}--\r\n".encode()

    kind = {"Content-Type": f"multipart/form-data; boundary={edge}"}
    reply = admin.post("/admin/add", content=pieces(), headers=kind)
    assert reply.status_code == 413 and "far too large" in text_of(Tree(reply.text))
    assert set((tiny[0] / "admin" / "jobs").glob("2*")) == jobs
    at_most = upload(admin, b"x" * (MOST_MB * 1_000_000), system="")
    assert "MB or smaller" not in text_of(Tree(at_most.text), ".nhsuk-error-summary")


MULTIPART = "multipart/form-data; boundary=x"
PART = b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n"
MANY = b"".join(PART.replace(b"=a", b"=a%d" % n) + b"y\r\n" for n in range(41)) + b"--x--\r\n"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"title=x", "application/x-www-form-urlencoded"),
        (b"", "multipart/form-data"),
        (b"no parts", MULTIPART),
        (PART + b"unfinished", MULTIPART),
        (PART.replace(b"; name=a", b"") + b"no name\r\n--x--\r\n", MULTIPART),
        (PART + b"y" * 70_000 + b"\r\n--x--\r\n", MULTIPART),
        (MANY, MULTIPART),
    ],
)
def test_what_no_browser_sends_is_refused(admin: TestClient, body: bytes, kind: str) -> None:
    reply = admin.post("/admin/add", content=body, headers={"Content-Type": kind})
    assert reply.status_code == 400
    assert "could not be understood" in text_of(Tree(reply.text), "h1")


def test_an_upload_that_does_not_go_on_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        headers = [(b"content-type", MULTIPART.encode())]
        stalled = Request({"type": "http", "headers": headers}, asyncio.Event().wait)
        await web.admin.upload.receive(stalled, tmp_path / "upload", 1)

    assert web.admin.upload.UPLOAD_SECONDS == 900
    monkeypatch.setattr(web.admin.upload, "UPLOAD_SECONDS", 0.05)
    with ThreadPoolExecutor(1) as pool:  # the browser's tests leave a loop running in this thread
        with pytest.raises(HTTPException) as refused:
            pool.submit(lambda: asyncio.run(asyncio.wait_for(story(), 20))).result()
    assert refused.value.status_code == 408


def test_forms_longer_than_ours_are_refused(admin: TestClient) -> None:
    assert admin.post("/admin/rebuild", content=b"a=" + b"x" * 70_000).status_code == 413
    assert admin.post("/admin/rebuild", content=b"&".join([b"a=b"] * 100)).status_code == 400


@pytest.mark.parametrize(
    ("fields", "at", "told"),
    [
        ({"title": "  "}, "title", "Enter the title of the document"),
        ({"title": "x" * 201}, "title", "200 characters or fewer"),
        ({"system": ""}, "system", "Choose whose document it is"),
        ({"system": "nowhere"}, "system", "Choose whose document it is"),
        ({"kind": "x" * 61}, "kind", "60 characters or fewer"),
        ({"day": "7"}, "year", "must have a year"),
        ({"day": "7", "year": "2024"}, "month", "must have a month"),
        ({"month": "13", "year": "2024"}, "month", "from 1 to 12"),
        ({"day": "30", "month": "2", "year": "2024"}, "day", "from 1 to 29"),
        ({"year": "24"}, "year", "from 1900 to 2200"),
        ({"year": "²024"}, "year", "from 1900 to 2200"),
        ({"first": "soon"}, "first", "first year must be"),
        ({"last": "2025"}, "first", "Enter the first year too"),
        ({"first": "2025", "last": "2023"}, "last", "must not be before the first"),
        ({"url": "example.org/plan.pdf"}, "url", "must be whole"),
        ({"url": "javascript:alert(1)"}, "url", "must be whole"),
        ({"url": "http://[broken"}, "url", "must be whole"),
        ({"url": f"https://example.org/{'x' * 2_000}"}, "url", "2,000 characters or fewer"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_is_kept(
    admin: TestClient, fields: dict[str, str], at: str, told: str
) -> None:
    reply = upload(admin, **fields)
    assert reply.status_code == 422
    check_html(reply.text)
    tree = Tree(reply.text)
    assert text_of(tree, "title").startswith("Error: ")
    link = tree.css_first(f".nhsuk-error-summary a[href='#{at}']")
    assert link is not None and told in link.text()
    assert told in " ".join(node.text() for node in tree.css(".nhsuk-error-message"))
    for name, value in (GIVEN | fields).items():
        if name == "system":
            chosen = tree.css_first("#system option[selected]")
            known = value in ("northvale", "southmere")
            assert (chosen is not None and chosen.attributes["value"] == value) == known
        else:
            assert tree.css_first(f"#{name}").attributes.get("value", "") == value.strip()


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"", "", "Choose a file"),
        (b"", "plan.pdf", "The file is empty"),
        (PLAN, "plan.exe", "must be a PDF"),
        (PLAN, "plan", "must be a PDF"),
    ],
)
def test_a_file_that_is_none_is_refused(
    admin: TestClient, content: bytes, name: str, told: str
) -> None:
    reply = upload(admin, content, name)
    assert reply.status_code == 422
    assert told in text_of(Tree(reply.text), ".nhsuk-error-summary a[href='#file']")


def test_suffixes_are_ours() -> None:
    assert suffix_of("Plan 2026.PDF") == "pdf"
    assert suffix_of("a/../b.docx") == "docx"
    for name in ("plan.pdf/..", "x.exe", "plan.pdf\x00", ".", ""):
        assert suffix_of(name) is None


def test_partial_dates_and_periods_are_kept_as_what_they_are() -> None:
    assert Typed(title="x", month="4", year="2024").addition()["published"] == "2024-04"
    assert Typed(title="x", year="2024").addition()["published"] == "2024"
    assert Typed(title="x", first="2024").addition()["period"] == "2024-2024"
    assert Typed(title="x").addition()["kind"] == "document"


def test_a_corpus_that_cannot_be_changed_says_so_first(
    admin: TestClient, tiny: tuple[Path, IndexSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {"form_token": form_token(admin)}
    monkeypatch.setattr(os, "access", lambda path, how: "documents.toml" not in str(path))
    for path in ("/admin", "/admin/add", PAGES[-1]):
        assert "documents.toml cannot be written" in text_of(Tree(admin.get(path).text))
    assert "cannot be written" in upload(admin).text
    assert admin.post(PAGES[-1], data=fields).status_code == 503


def test_a_bare_folder_of_documents_says_how_to_change_it(
    tiny: tuple[Path, IndexSettings], tmp_path: Path
) -> None:
    (tmp_path / "plan.txt").write_text("We will open a clinic.")
    with site_of(tiny[0], IndexSettings(corpus=tmp_path, index=tiny[1].index)) as client:
        sign_in(client)
        assert "has no documents.toml" in text_of(Tree(client.get("/admin").text))


def test_nothing_is_done_that_cannot_be_written_down(
    tiny: tuple[Path, IndexSettings], tmp_path: Path
) -> None:
    with site_of(*tiny, admin_log=tmp_path) as client:
        reply = sign_in(client)
        assert reply.status_code == 503 and "Nothing was done: the log" in reply.text
        assert "set-cookie" not in reply.headers


# Jobs.


def task(folder: Path, settings: IndexSettings, **more: Any) -> Task:
    given = {
        "act": "rebuild",
        "who": "amira",
        "subject": "",
        "settings": {"corpus": str(settings.corpus), "index": settings.index},
        "journal": str(folder / "log.jsonl"),
    }
    return Task(**(given | more))


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_jobs_wait_for_their_turn_and_one_that_dies_is_told(
    tiny: tuple[Path, IndexSettings], tmp_path: Path
) -> None:
    jobs = Jobs(tmp_path / "jobs")
    first, home = jobs.room()
    (home / "document.md").write_bytes(PLAN)
    with (tmp_path / "jobs" / "turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        jobs.start(first, task(tmp_path, tiny[1], act="add", subject="x", stored="document.md"))
        second, _ = jobs.room()
        jobs.start(second, task(tmp_path, tiny[1]))
        time.sleep(0.3)
        assert {jobs.get(i).progress.state for i in (first, second)} == {"waiting"}
        child = next(
            int(p.parent.name)
            for p in Path("/proc").glob("[0-9]*/cmdline")
            if str(home).encode() in _cmdline(p)
        )
        os.kill(child, signal.SIGKILL)
        until(lambda: jobs.get(first).over)
        assert jobs.get(first).progress.message == STOPPED
        assert jobs.get(second).progress.state == "waiting"
        assert not (home / "document.md").exists()
    until(lambda: jobs.get(second).over)
    assert jobs.get(second).progress.state == "done"
    until(lambda: len(Journal(tmp_path / "log.jsonl").last(9)) == 2)
    ended = Journal(tmp_path / "log.jsonl").last(9)
    assert [entry.result for entry in ended] == ["done", f"failed: {STOPPED}"]
    assert {job.id for job in jobs.last(9)} == {first, second}


def test_what_came_of_a_job_is_told_whole(
    admin: TestClient, tiny: tuple[Path, IndexSettings]
) -> None:
    home = tiny[0] / "admin" / "jobs" / "20260101t120000-0a0b0c0d"
    home.mkdir(parents=True)
    counts = dict.fromkeys(("pages", "words", "passages", "tables", "unreadable_pages"), 1_234)
    outcome = {
        "index_id": "abc",
        "documents": 3,
        "passages": 9,
        "failures": {"southmere-plan": "south.md is <not> readable."},
        "document_id": "northvale-plan",
        "report": {**counts, "seconds": 2.5, "warnings": ["3 pages need OCR"]},
        "proposals": [{"title": "Sefton Plan", "pages": "3-130"}],
    }
    done = {"state": "done", "began": 1.0, "ended": 3.5, "outcome": outcome}
    given = asdict(task(tiny[0], tiny[1], act="add", subject="A <b>pack</b>"))
    (home / "task.json").write_text(json.dumps(given))
    (home / "progress.json").write_text(json.dumps(done))
    reply = admin.get(f"/admin/jobs/{home.name}")
    check_html(reply.text)
    told = text_of(Tree(reply.text))
    for words in (
        "Asked for on 1 January 2026, 12:00 UTC by amira",
        "Add “A <b>pack</b>”",
        "in 2.5 seconds",
        "Pages not readable1,234",
        "3 pages need OCR",
        "southmere-plan: south.md is <not> readable.",
        "looks like a pack of 1 documents",
        "Sefton Plan, pages 3-130",
    ):
        assert words in told, told
    shutil.rmtree(home)


def _cmdline(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_not_without_end_are_jobs_put_in_line(
    tiny: tuple[Path, IndexSettings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = Jobs(tmp_path / "jobs")
    monkeypatch.setattr(indexer.jobs, "MOST_WAITING", 0)
    identity, home = jobs.room()
    with pytest.raises(AdminError, match="waiting already"):
        jobs.start(identity, task(tmp_path, tiny[1]))
    assert not home.exists()


@pytest.mark.parametrize("identity", ["", "..", "20261122t000000-00000000", "../x", "x" * 300])
def test_there_are_no_jobs_but_ours(tmp_path: Path, identity: str) -> None:
    with pytest.raises(UnknownId):
        Jobs(tmp_path).get(identity)


def test_the_log_is_only_added_to_and_bears_what_is_no_line_of_ours(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "deep" / "log.jsonl")
    assert journal.last(5) == []
    journal.note("amira", "add", "A\nB “x”", "done")
    with journal.path.open("ab") as file:
        file.write(b"[]\nnot JSON\n{}\n\xff\n")
    journal.note("tom", "remove")
    assert [(e.who, e.subject) for e in journal.last(9)] == [("tom", ""), ("amira", "A\nB “x”")]
    assert [e.who for e in journal.last(1)] == ["tom"]
