"""The whole site: the API, the pages, static files, headers, and errors in the right form."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from corpus.errors import IcsearchError
from search_api.app import create_api, error_body, in_api, refused, too_busy
from search_api.gate import Refuse
from search_api.operations import REQUEST_ID, Operations
from search_api.serving import Serving
from search_api.settings import SearchSettings
from search_api.turns import RETRY_SECONDS
from web.admin.routes import Desk, SignInFirst, sign_in_first
from web.admin.routes import routes as admin_routes
from web.headers import HEADERS, SecurityHeaders, headers_of
from web.pages import routes
from web.parts import Link
from web.present.plain import ErrorPage
from web.settings import WebSettings
from web.signin import add_sign_in
from web.site import STATIC, Site

FOREVER = "public, max-age=31536000, immutable"
GZIP_LEVEL = 5
SMALLEST_GZIPPED = 600
TITLES = {
    400: "That could not be understood",
    403: "You cannot do that",
    404: "Page not found",
    405: "This page only answers requests to read it",
    408: "That took too long",
    410: "That version is no longer kept",
    413: "That is too large",
    421: "That is not our address",
    422: "There is a problem with the address",
    429: "Too many requests",
    500: "Sorry, there is a problem with this service",
    503: "Sorry, this service cannot answer right now",
}

Handler = Callable[[Request, Exception], Any]


class Assets(StaticFiles):
    """Static files that a browser may keep: their addresses change with what is in them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, kept for good where its address names a version."""
        response = await super().get_response(path, scope)
        if scope["query_string"].startswith(b"v="):
            response.headers["Cache-Control"] = FOREVER
        return response


def create_app(
    serving: Serving, settings: SearchSettings, web: WebSettings | None = None
) -> FastAPI:
    """The API's app with pages, static files and headers added.

    Example:
        >>> app = create_app(Serving(SearchSettings()), SearchSettings())  # doctest: +SKIP
    """
    site = Site(serving, web or WebSettings())
    app = create_api(serving, settings, _busy(site), _refused(site))
    app.state.site = site
    app.include_router(routes(site))
    if site.settings.admin_tokens:
        app.state.desk = Desk(site)
        app.include_router(admin_routes(site, app.state.desk))
        app.add_exception_handler(SignInFirst, sign_in_first)
    app.mount("/static", Assets(directory=STATIC), name="static")
    for kind in (IcsearchError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _told_as_page(site, app.exception_handlers[kind]))
    app.add_exception_handler(Exception, _broken(site))

    add_sign_in(app, site)
    app.add_middleware(Operations, serving=serving, settings=settings)
    app.add_middleware(GZipMiddleware, minimum_size=SMALLEST_GZIPPED, compresslevel=GZIP_LEVEL)
    app.add_middleware(SecurityHeaders)
    if settings.trusted_proxies:
        proxies = settings.trusted_proxies.replace(",", " ").split()
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=proxies)
    return app


def _refused(site: Site) -> Refuse:
    def answer(request: Request, status: int, message: str, headers: Mapping[str, str]) -> Response:
        if in_api(request):
            return refused(request, status, message, headers)
        told = error_page(site, request, status, message)
        told.headers.update(headers)
        return told

    return answer


def _busy(site: Site) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        if in_api(request):
            return too_busy(request)
        return error_page(site, request, 503, "Too many people are asking at once. Try again soon.")

    return answer


def _told_as_page(
    site: Site, as_json: Handler
) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Errors under /api/v1 as JSON, all others as a page."""

    async def handler(request: Request, error: Exception) -> Response:
        if in_api(request):
            response: Response = await as_json(request, error)
            return response
        told = error_page(site, request, *_sentence(request, error))
        told.headers.update(getattr(error, "headers", None) or {})
        return told

    return handler


def _sentence(request: Request, error: Exception) -> tuple[int, str]:
    """The status of an error, and what to say of it."""
    if isinstance(error, IcsearchError):
        return error.http_status, error.message
    if isinstance(error, RequestValidationError):
        return 404, f"There is nothing at {request.url.path}."
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return 404, f"There is nothing at {request.url.path}."
    return error.status_code, str(error.detail)


def _broken(site: Site) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handler(request: Request, error: Exception) -> Response:
        message = "Something went wrong on our side. Try again; if it stays, tell us what you did."
        told = {REQUEST_ID: str(getattr(request.state, "request_id", ""))}
        if in_api(request):
            return JSONResponse(error_body("error", message), 500, HEADERS | told)
        response = error_page(site, request, 500, message)
        response.headers.update(headers_of(request.url.path) | told)
        return response

    return handler


def error_page(site: Site, request: Request, status: int, message: str) -> Response:
    """An error as a page that says what happened and where to go on."""
    links = [Link("Ask a question", "/"), Link("See every document", "/documents")]
    if status == 410:
        kept = request.url.remove_query_params("index_id")
        now = f"{kept.path}?{kept.query}" if kept.query else kept.path
        links.insert(0, Link("See the same page with what is indexed now", now))
    if status == 503:
        links = [Link("About this service", "/accessibility")]
    page = ErrorPage(status, TITLES.get(status, "Something went wrong"), message, tuple(links))
    answer = site.show(request, "error.jinja", page, status)
    if status == 503:
        answer.headers["Retry-After"] = RETRY_SECONDS
    return answer
