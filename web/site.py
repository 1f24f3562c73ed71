"""What every route needs: the index, the templates, the settings, and how to answer with a page."""

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from search_api.searcher import Searcher
from search_api.serving import Serving
from web.files import SourceFiles
from web.settings import WebSettings
from web.templating import environment

STATIC = Path(__file__).parent / "static"
COOKIE = "icsearch_home"
A_YEAR = 365 * 24 * 3600
FORMATS = {
    "comparison": ("docx", "xlsx", "csv"),
    "priorities": ("docx", "xlsx", "csv"),
    "commitments": ("xlsx", "csv"),
}


@dataclass(frozen=True, slots=True)
class Tab:
    """An entry of the menu."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around every page, as HTML."""

    top: str
    bottom: str


MENU = (
    Tab("Ask", "/"),
    Tab("Compare", "/compare"),
    Tab("Commitments", "/commitments"),
    Tab("Documents", "/documents"),
    Tab("Systems", "/systems"),
    Tab("Quality", "/quality"),
    Tab("About", "/about"),
)
NHS_PARTS = (
    "nhsuk/components/error-",
    "nhsuk/components/footer/",
    "nhsuk/components/header/",
    "nhsuk/components/heading/",
    "nhsuk/components/hint/",
    "nhsuk/components/label/",
    "nhsuk/components/select/",
    "nhsuk/components/skip-link/",
    "nhsuk/macros/",
)
UNDER = {"/ask": "/", "/search": "/", "/priorities": "/compare"}


class Site:
    """Answers requests with pages."""

    def __init__(self, serving: Serving, settings: WebSettings) -> None:
        """Show what `serving` serves."""
        self.serving = serving
        self.settings = settings
        self.files = SourceFiles(settings.corpus)
        self.templates: Environment = environment()
        self.templates.globals |= {
            "service": settings.service_name,
            "feedback": settings.feedback,
            "signs_in": settings.oidc_issuer is not None,
            "masks_contacts": serving.settings.mask_contacts,
            "administration": bool(settings.admin_tokens),
            "static": self._static,
            "frame": lru_cache(maxsize=len(MENU) + 1)(self._frame),
        }
        self._versions: dict[str, str] = {}

    def warm(self) -> None:
        """Compile what pages are made of, so that the first visitor does not wait for it."""
        for name in self.templates.list_templates():
            if "/" not in name or name.startswith(("components/", "admin/", *NHS_PARTS)):
                self.templates.get_template(name)

    def show(
        self, request: Request, template: str, page: object, status: int = 200
    ) -> HTMLResponse:
        """A page as HTML; to htmx only its results."""
        partial = "hx-request" in request.headers and "hx-history-restore-request" not in (
            request.headers
        )
        under = UNDER.get(request.url.path, request.url.path)
        body = self.templates.get_template(template).render(
            page=page,
            here=next((t.href for t in reversed(MENU) if _within(under, t.href)), ""),
            layout="partial.jinja" if partial else "layout.jinja",
            partial=partial,
            path=request.url.path,
            signed_in="who" in request.scope.get("session", {}),
        )
        return HTMLResponse(body, status, {"Vary": "HX-Request, Cookie"})

    def home(self, request: Request, searcher: Searcher) -> str | None:
        """The home system that the browser remembers, if it is still one."""
        remembered = request.cookies.get(COOKIE)
        return remembered if remembered in searcher.store.systems else None

    def remember(self, request: Request, response: Response, home: str | None) -> None:
        """Have the browser remember the home system that was just chosen, or forget it."""
        if home:
            response.set_cookie(
                COOKIE,
                home,
                max_age=A_YEAR,
                httponly=True,
                samesite="lax",
                secure=request.url.scheme == "https",
            )
        elif "home" in request.query_params:
            response.delete_cookie(COOKIE, httponly=True, samesite="lax")

    def searcher(self, request: Request) -> Searcher:
        """The generation that a request is for.

        Raises:
            IcsearchError: there is none, or the one named is no longer kept.
        """
        return self.serving.searcher(request.query_params.get("index_id") or None)

    def _frame(self, here: str) -> Frame:
        """Top and bottom of pages under an entry of the menu."""
        made: Any = self.templates.get_template("components/frame.jinja").module
        return Frame(made.top(MENU, here), made.bottom())

    def _static(self, name: str) -> str:
        """The address of a static file, new whenever the file is."""
        if name not in self._versions:
            self._versions[name] = sha256((STATIC / name).read_bytes()).hexdigest()[:12]
        return f"/static/{name}?v={self._versions[name]}"


def _within(path: str, tab: str) -> bool:
    return path == tab or (tab != "/" and path.startswith(f"{tab}/"))


def formats(of: str) -> tuple[str, ...]:
    """The formats that a comparison, priorities or the commitments can be taken away in."""
    return FORMATS[of] if importlib.util.find_spec("search_api.export") else ()
