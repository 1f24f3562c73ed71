"""Who is let in and what every answer carries, each limit and each header by itself."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from search_api.app import refused
from search_api.gate import Gate, Rate, whose
from search_api.serving import Serving
from web.app import create_app

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
EVERYWHERE = ["/", "/ask?q=dementia", "/api/v1/health", "/static/app.css", "/nowhere", "/api/v1/x"]


def site(serving: Serving, **told: object) -> TestClient:
    settings = serving.settings.model_copy(update=told)
    return TestClient(create_app(serving, settings), raise_server_exceptions=False)


@pytest.mark.parametrize("address", EVERYWHERE)
@pytest.mark.parametrize("header", HEADERS)
def test_every_answer_carries_every_header(client: TestClient, address: str, header: str) -> None:
    assert client.get(address).headers[header] == HEADERS[header]


@pytest.mark.parametrize("address", ["/ask?q=x", "/api/v1/ask?q=x"])
def test_so_do_those_who_are_turned_away_and_bugs(
    serving: Serving, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret path /etc/icsearch")

    with site(serving, rate_limit=1) as client:
        client.get(address)
        assert (turned := client.get(address)).status_code == 429
        monkeypatch.setattr(Serving, "searcher", broken)
    with site(serving) as client:
        assert (bug := client.get(address)).status_code == 500
        assert "secret" not in bug.text
        assert "Traceback" not in bug.text
    for reply in (turned, bug):
        assert {name: reply.headers[name] for name in HEADERS} == HEADERS


# Requests a minute.


def test_a_bucket_fills_again_at_an_even_pace() -> None:
    now = [0.0]
    rate = Rate(2, lambda: now[0])
    assert [rate.wait("a"), rate.wait("a")] == [0.0, 0.0]
    assert rate.wait("a") == pytest.approx(30.0)
    assert rate.wait("b") == 0.0
    now[0] = 30.0
    assert rate.wait("a") == 0.0
    assert rate.wait("a") == pytest.approx(30.0)


def test_addresses_are_forgotten_so_that_memory_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("search_api.gate.MOST_ADDRESSES", 2)
    rate = Rate(1, lambda: 0.0)
    assert [rate.wait(address) for address in "abc"] == [0.0] * 3
    assert rate.wait("c") > 0
    assert rate.wait("a") == 0.0  # seen longest ago


def test_asking_too_often_is_429_with_the_time_to_come_back(serving: Serving) -> None:
    with site(serving, rate_limit=2) as client:
        replies = [client.get("/api/v1/systems") for _ in range(3)]
        page = client.get("/systems")
        unlimited = [client.get("/api/v1/health").status_code for _ in range(3)]
        style = client.get("/static/app.css")
    assert [r.status_code for r in replies] == [200, 200, 429]
    assert 1 <= int(replies[2].headers["retry-after"]) <= 31
    assert replies[2].json()["error"]["code"] == "too_often"
    assert page.status_code == 429
    assert 1 <= int(page.headers["retry-after"]) <= 31
    assert "Too many requests" in page.text
    assert page.headers["content-type"].startswith("text/html")
    assert unlimited == [200, 200, 200]
    assert style.status_code == 200


def test_there_is_no_limit_unless_set(client: TestClient) -> None:
    assert {client.get("/api/v1/systems").status_code for _ in range(30)} == {200}


def forwarded(client: TestClient, address: str) -> int:
    return client.get("/api/v1/systems", headers={"X-Forwarded-For": address}).status_code


def test_what_a_stranger_says_of_its_address_is_not_believed(serving: Serving) -> None:
    with site(serving, rate_limit=1) as client:
        assert [forwarded(client, f"192.0.2.{n}") for n in range(2)] == [200, 429]


def test_what_a_trusted_proxy_says_is(serving: Serving) -> None:
    with site(serving, rate_limit=1, trusted_proxies="testclient 10.0.0.0/8") as client:
        assert [forwarded(client, f"192.0.2.{n}") for n in range(2)] == [200, 200]
        # What a visitor claims stands before what the proxies add, and counts for nothing.
        assert forwarded(client, "203.0.113.9, 192.0.2.1, 10.1.2.3") == 429


def test_an_ipv6_household_is_one_address() -> None:
    assert whose("2001:db8::1") == whose("2001:db8::ffff:2") != whose("2001:db8:0:1::1")
    assert whose("::ffff:192.0.2.1") == "192.0.2.1"


# Hosts.


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("search.example", 200),
        ("SEARCH.example:8000", 200),
        ("a.nhs.example", 200),
        ("evil.test", 421),
        ("search.example.evil.test", 421),
        ("", 421),
    ],
)
def test_only_names_that_are_set_are_answered_to(serving: Serving, host: str, status: int) -> None:
    with site(serving, allowed_hosts="search.example, *.nhs.example") as client:
        reply = client.get("/api/v1/health", headers={"Host": host})
    assert reply.status_code == status
    if status != 200:
        assert reply.json()["error"]["code"] == "host"


# Bodies.


def chunks(size: int) -> Iterator[bytes]:
    yield b'{"citations": ['
    for _ in range(size >> 16):
        yield b" " * (1 << 16)
    yield b"]}"


@pytest.mark.parametrize("told", [True, False])
def test_a_body_is_read_no_further_than_may_be(serving: Serving, told: bool) -> None:
    body = b"".join(chunks(3 << 20))
    with site(serving, most_body_mb=2) as client:
        sent = {"content": body if told else chunks(3 << 20)}
        reply = client.post("/api/v1/verify", headers={"Content-Type": "application/json"}, **sent)
    assert reply.status_code == 413
    assert reply.json()["error"]["code"] == "too_large"
    assert "2 MB" in reply.json()["error"]["message"]


def test_a_body_that_is_told_to_be_too_long_is_not_begun() -> None:
    async def story() -> list[int]:
        async def unread(*_: object) -> None:
            raise AssertionError("it was read")

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        statuses: list[int] = []
        headers = [(b"content-length", b"3000000")]
        scope = {"type": "http", "method": "POST", "path": "/x", "headers": headers}
        await Gate(unread, refused, 0, "", 2 << 20)(scope, unread, send)
        return statuses

    with ThreadPoolExecutor(1) as pool:  # the browser's tests leave a loop running in this thread
        assert pool.submit(lambda: asyncio.run(story())).result() == [413]


def test_a_body_that_fits_is_read(serving: Serving) -> None:
    with site(serving, most_body_mb=4) as client:
        reply = client.post(
            "/api/v1/verify",
            headers={"Content-Type": "application/json"},
            content=chunks(3 << 20),
        )
    assert reply.json() == {"results": []}


# Paths.


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/documents/..%2f..%2fetc%2fpasswd",
        "/documents/..%2f..%2fetc%2fpasswd/file",
        "/documents/%2fetc%2fpasswd/pages/1.png",
        "/api/v1/documents/..%2f..%2fcorpus%2fdocuments.toml/text",
        "/api/v1/search?q=x&index_id=../../etc",
        "/api/v1/search?q=x&index_id=%2fetc%2fpasswd",
        "/api/v1/search?q=x&document=../../etc/passwd",
    ],
)
def test_no_path_comes_from_a_request(client: TestClient, path: str) -> None:
    reply = client.get(path)
    assert reply.status_code in (404, 410, 422)
    assert "root:" not in reply.text
    assert "[[document]]" not in reply.text
