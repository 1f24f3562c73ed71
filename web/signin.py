"""Sign-in by OpenID Connect for the whole site and the API, where settings ask for it.

The organisation's own provider says who somebody is; we keep that in a signed cookie for a working
day and nothing else of them. The provider named in the settings is the one address that the server
ever asks anything of. Needs the packages of the `oidc` extra.
"""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from corpus.errors import ServeError
from search_api.app import in_api, refused
from web.parts import Link
from web.present.plain import ErrorPage
from web.settings import WebSettings
from web.site import Site

SESSION_SECONDS = 8 * 3600
SHORTEST_KEY = 32
PROVIDER_SECONDS = 10
OPEN = ("/static/", "/sign-in/", "/api/v1/health")
"""What is there for everybody: how pages look, signing in itself, and whether the service is up."""
COOKIE = "icsearch_session"
SAY = "This service is for people of the organisation. Sign in to go on."


class SignInFirst:
    """Lets in who is signed in; others get the page to do so, and 401 from the API."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        """Wrap an app; a session is read around it."""
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the app does to those who are signed in."""
        if scope["type"] != "http" or scope["path"].startswith(OPEN):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        if signed_in(request.session):
            await self._app(scope, receive, _privately(send))
            return
        request.session.pop("who", None)  # it was too long ago: nobody is to be signed out
        await self._answer(request)(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        if in_api(request):
            return refused(request, 401, "Sign in to use this service.", {})
        start = "/sign-in/start"
        if request.method == "GET":
            query = f"?{request.url.query}" if request.url.query else ""
            start += f"?next={quote(request.url.path + query, safe='')}"
        return page(self._site, request, 401, "Sign in", SAY, Link("Sign in", start))


def signed_in(session: Mapping[str, Any]) -> bool:
    """Whether a session is of somebody who signed in, and not too long ago."""
    until = session.get("until")
    return bool(session.get("who")) and isinstance(until, int) and time.time() < until


def page(site: Site, request: Request, status: int, title: str, say: str, *links: Link) -> Response:
    """A page of one sentence and where to go on."""
    return site.show(request, "error.jinja", ErrorPage(status, title, say, links), status)


def add_sign_in(app: FastAPI, site: Site) -> None:
    """Has an app ask everybody to sign in, where the settings name a provider.

    Raises:
        ServeError: a setting that signing in needs is missing or not usable.
    """
    settings = site.settings
    if not settings.oidc_issuer:
        return
    client = _client(settings)
    app.include_router(routes(site, client))
    app.add_middleware(SignInFirst, site=site)
    session = _session(settings)
    app.add_middleware(session.cls, *session.args, **session.kwargs)


def routes(site: Site, client: Any) -> APIRouter:
    """To the provider, back from it, and out."""
    router = APIRouter(include_in_schema=False)
    settings = site.settings
    home = str(settings.public_url).rstrip("/")

    @router.get("/sign-in/start")
    async def start(request: Request, next: str = "/") -> Response:  # noqa: A002 - as in the address
        request.session.clear()
        request.session["next"] = within(next)
        try:
            answer: Response = await client.authorize_redirect(request, f"{home}/sign-in/done")
        except Exception as error:
            return _failed(site, request, error)
        return answer

    @router.get("/sign-in/done")
    async def done(request: Request) -> Response:
        after = within(request.session.get("next", "/"))
        try:
            told = await client.authorize_access_token(request)
        except Exception as error:
            request.session.clear()
            return _failed(site, request, error)
        request.session.clear()
        person = told.get("userinfo") or {}
        if not may_enter(person, settings.oidc_domains):
            say = "You are signed in, but your account may not use this service."
            return page(site, request, 403, "You cannot use this service", say)
        request.session["who"] = str(person.get("sub", ""))
        request.session["until"] = int(time.time()) + SESSION_SECONDS
        return RedirectResponse(after, 303)

    @router.post("/sign-out")
    async def out(request: Request) -> Response:
        request.session.clear()
        again = Link("Sign in", "/sign-in/start")
        return page(site, request, 200, "You are signed out", "Close the browser, too.", again)

    return router


def may_enter(person: Mapping[str, Any], domains: str) -> bool:
    """Whether somebody whom the provider vouches for may use the service.

    >>> may_enter({"sub": "1"}, "")
    True
    >>> may_enter({"sub": "1", "email": "a@NHS.example", "email_verified": True}, "nhs.example")
    True
    >>> may_enter({"sub": "1", "email": "a@evil-nhs.example"}, "nhs.example")
    False
    >>> may_enter({"sub": "1", "email": "a@nhs.example", "email_verified": False}, "nhs.example")
    False
    >>> may_enter({"sub": "1", "email": "a@nhs.example", "email_verified": "false"}, "nhs.example")
    False
    """
    if not person.get("sub"):
        return False
    allowed = {domain.lower() for domain in domains.replace(",", " ").split()}
    name, _, domain = str(person.get("email") or "").rpartition("@")
    # Some providers say it in a word.
    sure = str(person.get("email_verified", True)).lower() == "true"
    return not allowed or (bool(name) and sure and domain.lower() in allowed)


def within(address: str) -> str:
    """An address if it is one of ours, else the home page: nobody is sent elsewhere.

    >>> within("/ask?q=x"), within("//evil.test"), within("https://evil.test"), within("/\\\\evil")
    ('/ask?q=x', '/', '/', '/')
    """
    ours = address.startswith("/") and not address.startswith(("//", "/sign-in"))
    return address if ours and "\\" not in address and address.isprintable() else "/"


def _failed(site: Site, request: Request, error: Exception) -> Response:
    """What went wrong on the way to the provider or back, without its details."""
    from authlib.integrations.base_client import OAuthError

    again = Link("Try again", "/sign-in/start")
    if isinstance(error, OAuthError):
        say = "The sign-in was not completed, or took too long. You are not signed in."
        return page(site, request, 403, "You are not signed in", say, again)
    say = "The organisation’s sign-in service cannot be reached. Try again soon."
    return page(site, request, 503, "Signing in does not work right now", say, again)


def _client(settings: WebSettings) -> Any:
    try:
        from authlib.integrations.starlette_client import OAuth
    except ImportError as error:
        raise ServeError(
            "Signing in needs packages that are not installed; run: pip install 'icsearch[oidc]'"
        ) from error
    issuer, secret = str(settings.oidc_issuer).rstrip("/"), settings.oidc_client_secret
    if not settings.oidc_client_id or secret is None:
        raise ServeError(
            "ICSEARCH_OIDC_ISSUER is set, but ICSEARCH_OIDC_CLIENT_ID or "
            "ICSEARCH_OIDC_CLIENT_SECRET is not."
        )
    if not settings.public_url:
        raise ServeError(
            "ICSEARCH_OIDC_ISSUER is set, but not ICSEARCH_PUBLIC_URL, the address of this service "
            "to which the provider sends people back."
        )
    return OAuth().register(
        "provider",
        client_id=settings.oidc_client_id,
        client_secret=secret.get_secret_value(),
        server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid email",
            "code_challenge_method": "S256",
            "timeout": PROVIDER_SECONDS,
        },
    )


def _session(settings: WebSettings) -> Middleware:
    from starlette.middleware.sessions import SessionMiddleware

    key = settings.oidc_key.get_secret_value() if settings.oidc_key else ""
    if len(key) < SHORTEST_KEY:
        raise ServeError(
            f"ICSEARCH_OIDC_KEY must have {SHORTEST_KEY} characters or more, made at random."
        )
    return Middleware(
        SessionMiddleware,
        secret_key=key,
        session_cookie=COOKIE,
        max_age=SESSION_SECONDS,
        same_site="lax",
        https_only=str(settings.public_url).startswith("https:"),
    )


def _privately(send: Send) -> Send:
    """The same answer, kept by no cache that others share."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            names = {name.lower() for name, _ in message["headers"]}
            if b"cache-control" not in names:
                message["headers"] = [*message["headers"], (b"cache-control", b"private")]
        await send(message)

    return sending
