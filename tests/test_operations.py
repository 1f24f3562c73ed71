"""Request ids, logs, metrics, and whether the service lives and is ready."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from search_api.operations import JsonLines
from search_api.searcher import Searcher
from search_api.serving import Serving
from search_api.settings import SearchSettings
from web.app import create_app


@pytest.fixture(scope="module")
def watched(index_dir: Path) -> Iterator[TestClient]:
    """A site that counts and logs."""
    settings = SearchSettings(index=str(index_dir), metrics=True, log="json")
    app = create_app(Serving(settings), settings)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What was logged of requests, as a log reader gets it."""
    found = [r for r in caplog.records if r.name == "icsearch.requests"]
    return [json.loads(JsonLines().format(r)) for r in found]


def test_a_request_keeps_its_id_or_is_given_one(client: TestClient) -> None:
    kept = client.get("/api/v1/health", headers={"X-Request-ID": "trace-7.a_B"})
    assert kept.headers["X-Request-ID"] == "trace-7.a_B"
    one, other = (client.get("/about").headers["X-Request-ID"] for _ in range(2))
    assert re.fullmatch("[0-9a-f]{32}", one) and one != other
    for unusable in ("a b", "x" * 65, "<script>"):
        given = client.get("/about", headers={"X-Request-ID": unusable}).headers["X-Request-ID"]
        assert re.fullmatch("[0-9a-f]{32}", given)


def test_a_line_for_each_request_without_what_was_asked(
    watched: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "icsearch.requests"):
        watched.get("/api/v1/search?q=my+private+matter", headers={"X-Request-ID": "r1"})
        watched.get("/documents/sefton-plan-2023-25")
    search, page = lines(caplog)
    assert search["request_id"] == "r1" and search["event"] == "request"
    assert (search["method"], search["route"], search["status"]) == ("GET", "/api/v1/search", 200)
    assert search["ms"] > 0 and search["level"] == "info"
    assert page["route"] == "/documents/{document_id}"
    assert page["path"] == "/documents/sefton-plan-2023-25"
    assert "private" not in json.dumps([search, page])


def test_what_was_asked_is_logged_where_that_is_wanted(
    index_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = SearchSettings(index=str(index_dir), log="json", log_queries=True)
    with (
        TestClient(create_app(Serving(settings), settings)) as client,
        caplog.at_level(logging.INFO, "icsearch.requests"),
    ):
        client.get("/api/v1/search?q=housing")
    assert lines(caplog)[0]["query"] == {"q": "housing"}


def test_a_fault_is_logged_under_the_id_that_is_shown(
    watched: TestClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(Searcher, "search", fail)
    reply = watched.get("/api/v1/search?q=anything+new")
    assert reply.status_code == 500
    (line,) = lines(caplog)
    assert line["request_id"] == reply.headers["X-Request-ID"]
    assert line["level"] == "error" and "ZeroDivisionError: a bug" in line["error"]


def test_nothing_is_logged_or_counted_unless_asked_for(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "icsearch.requests"):
        assert client.get("/metrics").status_code == 404
    assert not lines(caplog)


def test_metrics(watched: TestClient, searcher: Searcher) -> None:
    def value(name: str) -> float:
        found = re.search(rf"^{re.escape(name)} (\S+)$", watched.get("/metrics").text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    asked = 'icsearch_requests_total{method="GET",route="/api/v1/ask",status="422"}'
    timed = 'icsearch_request_seconds_count{route="/api/v1/ask"}'
    before = value(asked), value(timed)
    watched.get("/api/v1/ask")
    assert (value(asked), value(timed)) == (before[0] + 1, before[1] + 1)
    assert value(f'icsearch_index{{index_id="{searcher.index_id}"}}') == 1
    assert value("icsearch_passages") == searcher.store.manifest.passages
    assert value("icsearch_ready") == 1
    # Any word may be sent for a method: those that are none are counted as one.
    watched.request("BREW", "/api/v1/ask")
    assert "BREW" not in watched.get("/metrics").text
    assert 'method="other"' in watched.get("/metrics").text
    assert watched.get("/metrics").headers["content-type"].startswith("text/plain")


def test_alive_and_ready(client: TestClient, searcher: Searcher) -> None:
    assert client.get("/live").json() == {"status": "ok"}
    ready = client.get("/ready")
    assert ready.status_code == 200
    assert ready.json() == {"status": "ready", "index_id": searcher.index_id}


def test_alive_but_not_ready(tmp_path: Path) -> None:
    settings = SearchSettings(index=str(tmp_path), metrics=True)
    with TestClient(create_app(Serving(settings), settings)) as client:
        assert client.get("/live").status_code == 200
        reply = client.get("/ready")
        assert "icsearch_ready 0.0" in client.get("/metrics").text
    assert reply.status_code == 503
    assert "There is no index" in reply.json()["reason"]


def test_probes_are_answered_when_no_more_questions_are(index_dir: Path) -> None:
    settings = SearchSettings(index=str(index_dir), most_at_once=1, longest_wait=0.1, at_work=1)
    app = create_app(Serving(settings), settings)
    with TestClient(app) as client:
        turns = next(m for m in app.user_middleware if "turns" in m.kwargs).kwargs["turns"]
        assert turns.enter()
        assert client.get("/api/v1/search?q=housing").status_code == 503
        assert client.get("/live").status_code == client.get("/ready").status_code == 200
        turns.leave()
