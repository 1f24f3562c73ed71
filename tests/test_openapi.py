"""The API against its own description: requests made up by schemathesis, replies checked by it.

`make soak` asks many more.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema_rs
import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, assume, given, settings
from schemathesis import BaseSchema, Case, GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection

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


def read_back(address: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    """What an address says, in the types of the description where its texts can be read so.

    What was made up is often of another type but the same in an address: `kind=210` is a list of
    one text there, whether 210 was meant or "210".
    """
    schemas = {p["name"]: p["schema"] for p in parameters}
    said: dict[str, Any] = {}
    for name, texts in parse_qs(urlsplit(address).query, keep_blank_values=True).items():
        schema = schemas.get(name, {})
        types = {s.get("type") for s in (schema, *schema.get("anyOf", []))}
        if "array" in types or len(texts) > 1:
            said[name] = texts
        elif types & {"integer", "boolean"} and re.fullmatch(r"-?\d+|true|false", texts[0]):
            said[name] = json.loads(texts[0])
        else:
            said[name] = texts[0]
    return said


def is_right(said: Mapping[str, Any], parameters: list[dict[str, Any]]) -> bool:
    """Whether a query is one of those described."""
    described = {
        "properties": {p["name"]: p["schema"] for p in parameters},
        "required": [p["name"] for p in parameters if p["required"]],
        "additionalProperties": False,
    }
    return jsonschema_rs.is_valid(described, said)


@pytest.mark.parametrize(
    ("query", "right"),
    [
        ("q=falls&kind=false&index_id=", True),
        ("q=falls&kind=a&kind=b&limit=5&include_superseded=true", True),
        ("q=falls&limit=false", False),
        ("q=falls&limit=5&limit=5", False),
        ("q=falls&include_superseded=210", False),
        ("q=falls&from=soon", False),
        ("kind=false", False),
        ("q=falls&colour=red", False),
    ],
)
def test_an_address_is_right_or_wrong_by_what_it_says(
    client: TestClient, query: str, right: bool
) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    parameters = paths["/api/v1/search"]["get"]["parameters"]
    assert is_right(read_back(f"/api/v1/search?{query}", parameters), parameters) == right
    assert (client.get(f"/api/v1/search?{query}").status_code == 200) == right


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
        assume(mode == GenerationMode.NEGATIVE or not years_crossed(case.query or {}))
        reply = case.call()
        right = (
            method == "GET"
            and not case.path_parameters
            and is_right(read_back(reply.request.url, parameters), parameters)
        )
        case.validate_response(reply, excluded_checks=[negative_data_rejection] if right else [])

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
