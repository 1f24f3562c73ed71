"""The HTTP API against its contract: shapes, round trips, errors."""

import hashlib
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from eval.labels import read_labels
from search_api.cli import main

API = "/api/v1"
UNDERSTOOD = {"text", "systems", "excluded_systems", "expansions", "notes"}
PASSAGE = set(
    """id text system document_id document_title form heading pages page_label page_inferred
    file_page start end""".split()
)
CITATION = set(
    """id quote system document_id document_title document_sha256 text_sha256 heading pages
    page_label page_inferred file_page start end quote_sha256 index_id url source_url""".split()
)


def get(client: TestClient, path: str, status: int = 200, **params: Any) -> Any:
    reply = client.get(f"{API}{path}", params=params)
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/json"
    return reply.json()


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(scope="module")
def texts(client: TestClient) -> dict[str, Any]:
    documents = get(client, "/documents")["documents"]
    return {d["id"]: get(client, f"/documents/{d['id']}/text") for d in documents}


def check(citation: dict[str, Any], texts: dict[str, Any], sources: dict[str, str]) -> None:
    """A citation round-trips: quote, hashes and pages are those of the canonical text."""
    text = texts[citation["document_id"]]
    start, end = citation["start"], citation["end"]
    assert set(citation) >= CITATION
    assert text["text"][start:end] == citation["quote"]
    assert citation["quote_sha256"] == sha256(citation["quote"])
    assert citation["text_sha256"] == text["text_sha256"] == sha256(text["text"])
    assert (
        citation["document_sha256"] == text["document_sha256"] == sources[citation["document_id"]]
    )
    pages = [p for p in text["pages"] if p["start"] < end and start < p["end"]]
    assert citation["pages"] == [p["index"] for p in pages]
    assert citation["page_inferred"] == any(p["inferred"] for p in pages)
    assert citation["url"].startswith(f"/documents/{citation['document_id']}")
    assert citation["url"].endswith(f"#{citation['id']}")


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    from corpus import open_catalogue
    from corpus.catalogue import sha256_of

    catalogue = open_catalogue()
    return {d.id: sha256_of(catalogue.path(d)) for d in catalogue.documents.values()}


def test_health(client: TestClient) -> None:
    health = get(client, "/health")
    assert health["status"] == "ok"
    assert set(health["index"]) >= {"id", "documents", "passages", "systems", "built_at"}
    assert (health["index"]["documents"], health["index"]["systems"]) == (9, 4)


def test_systems_and_documents(client: TestClient) -> None:
    systems = get(client, "/systems")["systems"]
    assert [s["id"] for s in systems][0] == "sefton"
    assert {s["level"] for s in systems} == {"place", "system"}
    documents = get(client, "/documents")["documents"]
    assert sum(d["passages"] for d in documents) == get(client, "/health")["index"]["passages"]
    one = get(client, "/documents/sefton-plan-2023-25")
    assert one["pages"] == 124
    assert one["status"] == "current"


def test_canonical_text_and_pages(texts: dict[str, Any]) -> None:
    text = texts["sefton-plan-2023-25"]
    assert set(text) >= {"document_id", "document_sha256", "text_sha256", "reader_version", "pages"}
    assert [p["index"] for p in text["pages"]] == list(range(7, 131))
    page = next(p for p in text["pages"] if p["index"] == 80)
    assert page["inferred"]
    assert page["label"] is None
    assert "early onset dementia" in text["text"][page["start"] : page["end"]]


def test_search_has_the_shape_of_the_contract(client: TestClient, texts: dict[str, Any]) -> None:
    found = get(client, "/search", q="dementia diagnosis", limit=5)
    assert set(found) >= {"query", "understood", "hits", "facets", "notes", "index_id", "took_ms"}
    assert set(found["understood"]) >= UNDERSTOOD
    assert set(found["facets"]) == {"system", "kind", "document"}
    assert [h["rank"] for h in found["hits"]] == [1, 2, 3, 4, 5]
    for hit in found["hits"]:
        assert set(hit) >= {"rank", "score", "matched_by", "passage"}
        assert set(hit["matched_by"]) <= {"lexical", "dense"}
        passage = hit["passage"]
        assert set(passage) >= PASSAGE
        text = texts[passage["document_id"]]["text"]
        assert text[passage["start"] : passage["end"]] == passage["text"]
        assert round(hit["score"], 5) == hit["score"]


def test_expansions_are_named_from_and_to(client: TestClient) -> None:
    expansions = get(client, "/search", q="UEC")["understood"]["expansions"]
    assert {"from", "to"} <= set(expansions[0])
    assert "Urgent" in expansions[0]["to"]
    schema = client.get(f"{API}/openapi.json").json()["components"]["schemas"]["Expansion"]
    assert "from" in schema["properties"]


def test_ask_has_the_shape_of_the_contract(
    client: TestClient, texts: dict[str, Any], sources: dict[str, str]
) -> None:
    answer = get(
        client, "/ask", q="what do other ICSs say about dementia", home="lancashire-south-cumbria"
    )
    assert answer["status"] == "answered"
    assert set(answer["searched"]) >= {"systems", "documents", "passages", "unreadable_pages"}
    said = {s["system"]: s for s in answer["systems"]}
    assert set(said) == {"sefton", "hertfordshire-west-essex", "south-east-london"}
    assert said["sefton"]["status"] == "commits"
    assert said["south-east-london"]["status"] == "silent"
    assert not said["south-east-london"]["statements"]
    assert said["south-east-london"]["nearest"]
    citations = {c["id"]: c for c in answer["citations"]}
    named = [x for s in answer["systems"] for x in [*s["statements"], s["nearest"]] if x]
    for statement in named:
        assert statement["text"] == citations[statement["citation"]]["quote"]
    for citation in citations.values():
        check(citation, texts, sources)
    pages = {
        tuple(citations[s["citation"]]["pages"])
        for s in said["sefton"]["statements"]
        if "diagnosis rate to 66.7%" in s["text"] or "early onset" in s["text"]
    }
    assert pages == {(79,), (80,)}


def test_every_citation_of_every_question_round_trips(
    client: TestClient, texts: dict[str, Any], sources: dict[str, str]
) -> None:
    checked = 0
    for question in read_labels("questions.jsonl"):
        params = {"q": question["text"]}
        if question.get("home"):
            params["home"] = question["home"]
        answer = get(client, "/ask", **params)
        ids = {c["id"] for c in answer["citations"]}
        for citation in answer["citations"]:
            check(citation, texts, sources)
            checked += 1
        for said in answer["systems"]:
            for statement in [*said["statements"], said["nearest"]]:
                assert statement is None or statement["citation"] in ids
            if said["status"] in ("silent", "unreadable"):
                assert not said["statements"]
        if answer["status"] == "not_found":
            assert answer["reason"]
            assert not any(s["statements"] for s in answer["systems"])
    assert checked > 1_000


def test_compare_keeps_and_marks_home(
    client: TestClient, texts: dict[str, Any], sources: dict[str, str]
) -> None:
    found = get(client, "/compare", theme=["dementia", "net-zero", "tree planting"], home="sefton")
    assert [t["id"] for t in found["themes"]] == ["dementia", "net-zero", "tree planting"]
    assert [s["id"] for s in found["systems"] if s["home"]] == ["sefton"]
    assert len(found["cells"]) == 3 * 4
    for citation in found["citations"]:
        check(citation, texts, sources)
    cells = {(c["theme"], c["system"]): c for c in found["cells"]}
    assert cells["dementia", "sefton"]["status"] == "commits"
    assert cells["dementia", "south-east-london"]["status"] == "silent"
    assert cells["net-zero", "south-east-london"]["status"] == "commits"


def test_comparing_systems_that_filters_leave_none_of_is_empty(client: TestClient) -> None:
    filters = {"theme": "dementia", "system": "sefton", "exclude_system": "sefton"}
    found = get(client, "/compare", **filters)
    assert (found["systems"], found["cells"]) == ([], [])
    assert client.get("/compare", params=filters).status_code == 200


def test_priorities_are_cited_and_the_same_from_the_command_line(
    client: TestClient, texts: dict[str, Any], sources: dict[str, str], index_dir: Path
) -> None:
    reply = client.get(f"{API}/priorities", params={"home": "sefton"})
    found = reply.json()
    for citation in found["citations"]:
        check(citation, texts, sources)
    ids = {c["id"] for c in found["citations"]}
    for system in found["systems"]:
        assert (system["status"] == "declares") == bool(system["lists"])
        for of in system["lists"]:
            assert {
                of["declared_by"],
                *of["also"],
                *(p["citation"] for p in of["priorities"]),
            } <= ids
    given = ["compare", "--priorities", "--home", "sefton", "--format", "json"]
    printed = CliRunner().invoke(main, [*given, "--index", str(index_dir)]).output
    assert json.loads(printed) == found


def test_superseded_documents_are_left_out_and_noted(client: TestClient) -> None:
    usual = get(client, "/ask", q="care for our older and vulnerable residents")
    assert any("superseded" in note for note in usual["notes"])
    assert "sefton-ccg-five-year-strategy" not in {c["document_id"] for c in usual["citations"]}
    all_of_it = get(
        client, "/ask", q="care for our older and vulnerable residents", include_superseded=True
    )
    assert "sefton-ccg-five-year-strategy" in {c["document_id"] for c in all_of_it["citations"]}


def test_years_select_by_overlap_and_undated_documents_stay(client: TestClient) -> None:
    found = get(client, "/search", q="health", **{"from": 2026, "limit": 100})
    ids = {h["passage"]["document_id"] for h in found["hits"]}
    assert "sefton-plan-2023-25" not in ids
    assert "sefton-send-joint-commissioning-2023-26" in ids
    assert "hwe-integrated-care-strategy" in ids
    assert any("undated" in note for note in found["notes"])


def test_a_body_outside_the_corpus_is_not_found(client: TestClient) -> None:
    answer = get(client, "/ask", q="What does Greater Manchester say about dementia?")
    assert answer["status"] == "not_found"
    assert "Greater Manchester" in answer["reason"]
    assert "not in the corpus" in answer["reason"]


def test_the_same_question_gives_the_same_bytes(client: TestClient) -> None:
    path = f"{API}/ask?q=what+do+other+ICSs+say+about+housing&home=sefton"
    replies = {client.get(path).content for _ in range(3)}
    assert len(replies) == 1


def test_answers_do_not_mix_when_asked_at_once(client: TestClient) -> None:
    questions = ["dementia", "housing", "workforce", "net zero", "carers", "cancer"]
    alone = {q: client.get(f"{API}/ask", params={"q": q}).content for q in questions}
    wrong: list[str] = []

    def ask(question: str) -> None:
        for _ in range(3):
            if client.get(f"{API}/ask", params={"q": question}).content != alone[question]:
                wrong.append(question)

    threads = [threading.Thread(target=ask, args=(q,)) for q in questions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_no_more_citations_are_checked_at_once_than_may_be(client: TestClient) -> None:
    reply = client.post(f"{API}/verify", json={"citations": [{}] * 5_001})
    assert reply.status_code == 422
    assert reply.json()["error"]["field"] == "citations"
    assert client.post(f"{API}/verify", json={"citations": [{}] * 20}).status_code == 200


@pytest.mark.parametrize(
    ("path", "params", "status", "field", "told"),
    [
        ("/ask", {}, 422, "q", "q is missing"),
        ("/ask", {"q": "  "}, 422, "q", "Type a question"),
        ("/ask", {"q": "\x11"}, 422, "q", "Type a question"),
        ("/search", {"q": "\u200b \u2066"}, 422, "q", "Type a question"),
        ("/compare", {"theme": "\x11"}, 422, "theme", "A theme must have"),
        ("/commitments", {"theme": "\u200b"}, 422, "theme", "A theme must have"),
        ("/ask", {"q": ["care", "homes"]}, 422, "q", "q was given 2 times"),
        ("/commitments", {"theme": ["a", "b", "c"]}, 422, "theme", "given 3 times"),
        ("/search", {"q": "x", "from": [2020, 2021]}, 422, "from", "given 2 times"),
        ("/ask", {"q": "x" * 1001}, 422, "q", "1,001 characters"),
        ("/search", {"q": "x", "limit": 0}, 422, "limit", "limit"),
        ("/search", {"q": "x", "limit": 101}, 422, "limit", "limit"),
        ("/search", {"q": "x", "colour": "red"}, 422, "colour", "no parameter colour"),
        ("/search", {"q": "x", "from": "soon"}, 422, "from", "from"),
        ("/search", {"q": "x", "from": 1899}, 422, "from", "1900"),
        ("/search", {"q": "x", "to": 2201}, 422, "to", "2200"),
        ("/commitments", {"offset": -1}, 422, "offset", "offset"),
        ("/commitments", {"limit": 101}, 422, "limit", "limit"),
        ("/search", {"q": "x", "from": 2025, "to": 2020}, 422, "from", "must not be after"),
        ("/search", {"q": "x", "system": "atlantis"}, 404, "system", "no system 'atlantis'"),
        ("/search", {"q": "x", "home": "atlantis"}, 404, "home", "no system 'atlantis'"),
        ("/search", {"q": "x", "document": "nope"}, 404, "document", "no document nope"),
        ("/search", {"q": "x", "index_id": "feedfacefeedface"}, 410, "index_id", "no longer kept"),
        ("/ask", {"q": "x", "limit": 5}, 422, "limit", "no parameter limit"),
        ("/compare", {}, 422, "theme", "theme is missing"),
        ("/compare", {"theme": ["t"] * 51}, 422, "theme", "theme"),
        ("/compare", {"theme": " "}, 422, "theme", "1 to 1,000 characters"),
        ("/priorities", {"theme": "dementia"}, 422, "theme", "no parameter theme"),
        ("/priorities", {"system": "atlantis"}, 404, "system", "no system 'atlantis'"),
        ("/documents/nope", {}, 404, "document", "no document nope"),
        ("/documents/nope/text", {"index_id": ["a", "b"]}, 422, "index_id", "given 2 times"),
        ("/documents/nope/text", {}, 404, "document", "no document nope"),
        ("/nowhere", {}, 404, None, "nothing at /api/v1/nowhere"),
    ],
)
def test_errors_have_one_shape(
    client: TestClient, path: str, params: Any, status: int, field: str | None, told: str
) -> None:
    error = get(client, path, status, **params)["error"]
    assert set(error) == {"code", "message", "field"}
    assert error["field"] == field
    assert told in error["message"]


def test_a_wrong_method_has_the_same_shape(client: TestClient) -> None:
    reply = client.post(f"{API}/ask")
    assert reply.status_code == 405
    assert "does not take POST" in reply.json()["error"]["message"]


def test_no_index_is_503(tmp_path: Any) -> None:
    from search_api.app import create_api
    from search_api.serving import Serving
    from search_api.settings import SearchSettings

    settings = SearchSettings(index=str(tmp_path))
    bare = TestClient(create_api(Serving(settings), settings))
    reply = bare.get(f"{API}/health")
    assert reply.status_code == 503
    message = reply.json()["error"]["message"]
    assert message.startswith("There is no index") and message.endswith(".")


def test_api_page_for_people(client: TestClient) -> None:
    reply = client.get(f"{API}/docs")
    assert reply.status_code == 200
    assert "/api/v1/openapi.json" in reply.text
