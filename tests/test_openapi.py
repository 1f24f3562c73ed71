"""The API against its own description: requests made up by schemathesis, replies checked by it.

`make soak` asks many more.
"""

from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, assume, given, settings
from schemathesis import BaseSchema, Case, GenerationMode
from schemathesis.config import SchemathesisConfig

from search_api.serving import Serving
from web.app import create_app

# A generation, system or document made up is not there, and that is no fault of the request.
NOT_THERE = ["2xx", "404", "410"]
# Of several things that are wrong the generation is told first.
REFUSED = ["404", "410", "413", "415", "422", "429", "503"]
CONFIG = SchemathesisConfig.from_dict(
    {
        "checks": {
            "positive_data_acceptance": {"expected-statuses": NOT_THERE},
            "negative_data_rejection": {"expected-statuses": REFUSED},
        }
    }
)


OPERATIONS = [
    ("GET", "/commitments"),
    ("GET", "/compare"),
    ("GET", "/ask"),
    ("GET", "/documents"),
    ("GET", "/documents/{document_id}"),
    ("GET", "/documents/{document_id}/text"),
    ("GET", "/health"),
    ("GET", "/priorities"),
    ("GET", "/search"),
    ("GET", "/systems"),
    ("POST", "/verify"),
]

NOTHING_TO_GET_WRONG = ("/documents", "/documents/{document_id}", "/health", "/systems")


@pytest.fixture(scope="module")
def described(serving: Serving) -> BaseSchema:
    app = create_app(serving, serving.settings)
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", app, config=CONFIG)


def test_every_operation_is_tried(described: BaseSchema) -> None:
    found = {(o.ok().method, o.ok().path) for o in described.get_all_operations()}
    assert found == {(method.lower(), f"/api/v1{path}") for method, path in OPERATIONS}


def years_crossed(query: Mapping[str, Any]) -> bool:
    """Whether `from` is after `to`, which OpenAPI has no words for."""
    first, last = query.get("from"), query.get("to")
    return isinstance(first, int) and isinstance(last, int) and first > last


def is_right_as_it_is_sent(query: Mapping[str, Any], parameters: list[dict[str, Any]]) -> bool:
    """Whether what is wrong is lost in an address: `kind=false` is a list of one text there."""
    texts = {p["name"] for p in parameters if p["schema"].get("items", {}).get("type") == "string"}
    sent = {
        name: [str(value)] if name in texts and isinstance(value, bool | int | float) else value
        for name, value in query.items()
    }
    described = {
        "properties": {p["name"]: p["schema"] for p in parameters},
        "required": [p["name"] for p in parameters if p["required"]],
        "additionalProperties": False,
    }
    return sent != query and jsonschema_rs.is_valid(described, sent)


def test_one_value_for_a_list_of_texts_is_right_in_an_address(client: TestClient) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    parameters = paths["/api/v1/search"]["get"]["parameters"]
    assert is_right_as_it_is_sent({"q": "falls", "kind": False}, parameters)
    assert not is_right_as_it_is_sent({"q": "falls", "kind": {"a": "b"}}, parameters)
    assert not is_right_as_it_is_sent({"q": "falls", "limit": False}, parameters)
    assert not is_right_as_it_is_sent({"kind": False}, parameters)
    assert not is_right_as_it_is_sent({"q": "falls", "kind": False, "colour": "red"}, parameters)


CASES = [
    (mode, *operation)
    for operation in OPERATIONS
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if mode == GenerationMode.POSITIVE or operation[1] not in NOTHING_TO_GET_WRONG
]


@pytest.mark.parametrize(("mode", "method", "path"), CASES)
def test_requests_made_up_from_the_description_get_what_it_promises(
    described: BaseSchema, mode: GenerationMode, method: str, path: str
) -> None:
    operation = described[f"/api/v1{path}"][method]
    parameters = [p.definition for p in operation.query]

    @settings(suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        query = case.query or {}
        if mode == GenerationMode.POSITIVE:
            assume(not years_crossed(query))
        else:
            assume(not is_right_as_it_is_sent(query, parameters))
        case.call_and_validate()

    ask()


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_parameters_that_are_not_there_are_refused(
    client: TestClient, method: str, path: str
) -> None:
    path = path.replace("{document_id}", "sefton-plan-2023-25")
    body = {"citations": []} if method == "POST" else None
    reply = client.request(method, f"/api/v1{path}", params={"colour": "red"}, json=body)
    assert reply.status_code == 422
    if path not in ("/ask", "/search", "/compare"):
        assert reply.json()["error"]["field"] == "colour"
