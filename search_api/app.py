"""The HTTP API under /api/v1: what docs/api.md lists, errors included."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Annotated, Any, get_origin

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from corpus.errors import IcsearchError, QueryError
from search_api.gate import OWN_LIMITS, Gate, Refuse
from search_api.model import SEEN, Answer, Commitments, Comparison, Priorities, SearchResult
from search_api.openapi import mend_schema
from search_api.params import (
    AskParams,
    CommitmentParams,
    CompareParams,
    FilterParams,
    SearchParams,
    VerifyBody,
)
from search_api.serialise import document_entry, dumps, system_entry, text_entry
from search_api.serving import Serving
from search_api.settings import SearchSettings
from search_api.turns import BUSY, RETRY_SECONDS, Bounded, Busy, Turns

PREFIX = "/api/v1"
CODES = {
    401: "sign_in",
    404: "not_found",
    405: "method",
    413: "too_large",
    421: "host",
    429: "too_often",
    503: "busy",
}


def error_body(code: str, message: str, field: str | None = None) -> dict[str, Any]:
    """The one shape of every error."""
    return {"error": {"code": code, "message": message, "field": field}}


def too_busy(request: Request) -> Response:
    """What those who are turned away are told."""
    return _json(error_body("busy", BUSY), 503, {"Retry-After": RETRY_SECONDS})


def refused(request: Request, status: int, message: str, headers: Mapping[str, str]) -> Response:
    """What those are told who are not let in."""
    return _json(error_body(CODES.get(status, "error"), message), status, dict(headers))


def create_api(
    serving: Serving, settings: SearchSettings, busy: Busy = too_busy, refuse: Refuse = refused
) -> FastAPI:
    """An app that answers everything under /api/v1.

    Args:
        busy: answers requests for which there is no room.
        refuse: answers requests that are not let in.
    """
    app = FastAPI(
        title="icsearch",
        version="1",
        description="Search, cited answers and comparison over integrated care strategies.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.include_router(routes(serving))
    app.add_exception_handler(IcsearchError, _told)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _plain)
    turns = Turns(settings.at_work, settings.most_at_once, settings.longest_wait)
    free = (f"{PREFIX}/health", "/static/")
    app.add_middleware(Bounded, turns=turns, busy=busy, free=free, kept=OWN_LIMITS)
    app.add_middleware(
        Gate,
        refuse=refuse,
        rate=settings.rate_limit,
        hosts=settings.allowed_hosts,
        most_body=settings.most_body_mb << 20,
    )
    mend_schema(app)
    return app


def only(*known: str) -> Any:
    """A dependency that refuses every parameter of the address that is not known."""

    async def check(request: Request) -> None:
        for name in request.query_params:
            if name not in known:
                raise QueryError(f"There is no parameter {name}.", field=name)
        _given_once(request)

    return Depends(check)


def once(params: type[BaseModel]) -> Any:
    """A dependency that refuses to be given several of what is one thing: none is left out."""
    lists = {
        field.alias or name
        for name, field in params.model_fields.items()
        if get_origin(field.annotation) is list
    }

    async def check(request: Request) -> None:
        _given_once(request, lists)

    return Depends(check)


def _given_once(request: Request, lists: Collection[str] = ()) -> None:
    for name, count in Counter(n for n, _ in request.query_params.multi_items()).items():
        if count > 1 and name not in lists:
            raise QueryError(f"{name} was given {count} times; give it once.", field=name)


def routes(serving: Serving) -> APIRouter:
    """Every path of the API."""
    router = APIRouter(prefix=PREFIX)

    @router.get("/health", dependencies=[only()])
    def health() -> Response:
        """Whether an index is loaded, and which."""
        store = serving.searcher().store
        manifest = store.manifest
        index = {
            "id": manifest.index_id,
            "documents": len(store.documents),
            "passages": manifest.passages,
            "systems": len(store.systems),
            "built_at": manifest.built_at,
        }
        problem = {"problem": serving.problem} if serving.problem else {}
        return _json({"status": "ok", "index": index, **problem})

    @router.get("/systems", dependencies=[only()])
    def systems() -> Response:
        """The systems with counts."""
        store = serving.searcher().store
        return _json({"systems": [system_entry(store, s) for s in store.systems.values()]})

    @router.get("/documents", dependencies=[only()])
    def documents() -> Response:
        """The documents with counts."""
        store = serving.searcher().store
        return _json({"documents": [document_entry(store, d) for d in store.documents.values()]})

    @router.get("/documents/{document_id}", dependencies=[only()])
    def document(document_id: str) -> Response:
        """One document with counts."""
        searcher = serving.searcher()
        return _json(document_entry(searcher.store, searcher.document(document_id)[0]))

    @router.get("/documents/{document_id}/text", dependencies=[only("index_id")])
    def text(document_id: str, index_id: str | None = None) -> Response:
        """The canonical text of a document with its pages."""
        return _json(text_entry(*serving.searcher(index_id).document(document_id)))

    @router.get("/search", response_model=SearchResult, dependencies=[once(SearchParams)])
    def search(params: Annotated[SearchParams, Query()]) -> Response:
        """Passages for a question, best first."""
        return _json(serving.searcher(params.index_id).search(params.query()))

    @router.get("/ask", response_model=Answer, dependencies=[once(AskParams)])
    def ask(params: Annotated[AskParams, Query()]) -> Response:
        """A cited answer by system."""
        return _json(serving.searcher(params.index_id).ask(params.query()))

    @router.get("/compare", response_model=Comparison, dependencies=[once(CompareParams)])
    def compare(params: Annotated[CompareParams, Query()]) -> Response:
        """Themes by systems."""
        searcher = serving.searcher(params.index_id)
        return _json(searcher.compare(params.theme, params.home, params.filters()))

    @router.get("/priorities", response_model=Priorities, dependencies=[once(FilterParams)])
    def priorities(params: Annotated[FilterParams, Query()]) -> Response:
        """What each system declares as its priorities, side by side."""
        searcher = serving.searcher(params.index_id)
        return _json(searcher.priorities(params.home, params.filters()))

    @router.get("/commitments", response_model=Commitments, dependencies=[once(CommitmentParams)])
    def commitments(params: Annotated[CommitmentParams, Query()]) -> Response:
        """The register of commitments."""
        if params.theme is not None and not SEEN.search(params.theme):
            raise QueryError("A theme must have 1 to 1,000 characters.", field="theme")
        found = serving.searcher(params.index_id).commitments(
            theme=params.theme,
            home=params.home,
            filters=params.filters(),
            due_before=params.due_before,
            limit=params.limit,
            offset=params.offset,
            sort=params.sort,
        )
        return _json(found)

    @router.post("/verify", dependencies=[only()])
    def verify(body: VerifyBody) -> Response:
        """Whether each citation still stands, in the order given."""
        return _json({"results": serving.searcher().verify(body.citations)})

    @router.get("/docs", include_in_schema=False)
    def docs() -> Response:
        """The API for people: its paths and parameters as a plain page."""
        from search_api.apidocs import page

        return Response(page(PREFIX), media_type="text/html; charset=utf-8")

    return router


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(dumps(value), status, headers, media_type="application/json")


def in_api(request: Request) -> bool:
    """Whether a request is for the API rather than for a page."""
    return request.url.path == PREFIX or request.url.path.startswith(f"{PREFIX}/")


async def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, IcsearchError)
    again = {"Retry-After": RETRY_SECONDS} if error.http_status == 503 else None
    return _json(error_body(error.code, error.message, error.field), error.http_status, again)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    message, field = explain(error)
    return _json(error_body("invalid", message, field), 422)


async def _plain(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = str(error.detail)
    if error.status_code == 404:
        message = f"There is nothing at {request.url.path}."
    elif error.status_code == 405:
        message = f"{request.url.path} does not take {request.method}."
    elif error.status_code == 400:
        return _json(error_body("invalid", "The body cannot be read as JSON in UTF-8."), 422)
    return _json(
        error_body(CODES.get(error.status_code, "error"), message),
        error.status_code,
        dict(error.headers or {}),
    )


def explain(error: RequestValidationError) -> tuple[str, str | None]:
    """A sentence for the first thing wrong with a request, and the parameter it is about."""
    first = error.errors()[0]
    field = next((str(part) for part in reversed(first["loc"]) if isinstance(part, str)), None)
    kind = first["type"]
    if kind == "missing":
        return f"{field} is missing.", field
    if kind == "extra_forbidden":
        return f"There is no parameter {field}.", field
    given = first.get("input")
    shown = f", not {given!r}" if isinstance(given, str | int) and len(str(given)) < 80 else ""
    reason = str(first["msg"]).removeprefix("Input ").removeprefix("Value error, ")
    return f"{field}: {reason}{shown}.", field
