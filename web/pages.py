"""The routes of the pages: read what is asked, ask the Searcher, show the page."""

import importlib
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from corpus.errors import IcsearchError, QueryError
from search_api.cite import packed
from search_api.params import (
    AskParams,
    CommitmentParams,
    CompareParams,
    FilterParams,
    SearchParams,
)
from search_api.searcher import Searcher
from web.address import Address, asked, read
from web.evidence import RUNGS, STATUSES
from web.parts import Problem
from web.present.ask import AskPage
from web.present.commitments import CommitmentsPage
from web.present.compare import ComparePage
from web.present.document import Asked, Behind, boxes_of, cited_in, document_page
from web.present.lists import Counts, DocumentsPage, HomePage, SystemsPage, counts_of
from web.present.plain import AboutPage, AccessibilityPage
from web.present.priorities import PrioritiesPage
from web.present.quality import QualityPage, read_report
from web.present.search import SearchPage
from web.site import Site, formats

DocumentId = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,200}$")]
MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
MOST_TO_FIND = 200
KEPT_A_DAY = "private, max-age=86400"

Make = Callable[[Searcher, Address], object]
WithForm = AskPage | SearchPage | ComparePage | PrioritiesPage | CommitmentsPage


def routes(site: Site) -> APIRouter:
    """Every page."""
    router = APIRouter(include_in_schema=False)

    def page(path: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
        return router.api_route(path, methods=["GET", "HEAD"])

    @page("/")
    def home(request: Request) -> Response:
        """The search box, examples, and what is in the corpus."""
        searcher = site.searcher(request)
        remembered = site.home(request, searcher)
        return site.show(request, "home.jinja", HomePage.of(searcher.store, remembered))

    @page("/ask")
    def ask(request: Request) -> Response:
        """A question, and what each system says to it."""

        def answered(searcher: Searcher, address: Address) -> AskPage:
            answer = searcher.ask(read(address, AskParams).query())
            return AskPage.of(searcher.store, address, answer)

        return _form_page(site, request, "ask.jinja", AskParams, "q", answered, AskPage)

    @page("/search")
    def search(request: Request) -> Response:
        """A search, and the passages found."""

        def found(searcher: Searcher, address: Address) -> SearchPage:
            params = read(address, SearchParams)
            result = searcher.search(params.query())
            return SearchPage.of(searcher.store, address, result, params.limit)

        return _form_page(site, request, "search.jinja", SearchParams, "q", found, SearchPage)

    @page("/compare")
    def compare(request: Request) -> Response:
        """Themes by systems, as a page or as a file."""
        if request.query_params.get("format"):
            return _file_of(site, request, "comparison")

        def compared(searcher: Searcher, address: Address) -> ComparePage:
            return ComparePage.of(
                searcher.store, address, _compare(searcher, address), formats("comparison")
            )

        return _form_page(
            site, request, "compare.jinja", CompareParams, "theme", compared, ComparePage
        )

    @page("/priorities")
    def priorities(request: Request) -> Response:
        """What each system declares as its priorities, as a page or as a file."""
        if request.query_params.get("format"):
            return _file_of(site, request, "priorities")

        def declared(searcher: Searcher, address: Address) -> PrioritiesPage:
            found = _priorities(searcher, address)
            return PrioritiesPage.of(searcher.store, address, found, formats("priorities"))

        return _form_page(
            site, request, "priorities.jinja", FilterParams, None, declared, PrioritiesPage
        )

    @page("/documents")
    def documents(request: Request) -> Response:
        """Every document by system."""
        store = site.searcher(request).store
        return site.show(request, "documents.jinja", DocumentsPage.of(store))

    @page("/documents/{document_id}")
    def document(request: Request, document_id: DocumentId) -> Response:
        """A document to read, with what is cited marked."""
        searcher = site.searcher(request)
        known, reading = searcher.document(document_id)
        behind = Behind(site.files.path(known) is not None, site.files.has_pictures(known))
        view = document_page(searcher.store, known, reading, _viewed(request), behind)
        return site.show(request, "document.jinja", view)

    @page("/documents/{document_id}/file")
    def file(request: Request, document_id: DocumentId) -> Response:
        """The file that a document was read from."""
        known, _ = site.searcher(request).document(document_id)
        content, kind, name = site.files.content(known)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, 200, headers, media_type=kind)

    @page("/documents/{document_id}/pages/{number}.png")
    def picture(request: Request, document_id: DocumentId, number: int) -> Response:
        """A page of a PDF as a picture with the cited passages boxed."""
        searcher = site.searcher(request)
        known, reading = searcher.document(document_id)
        cited = cited_in(searcher.store, known, request.query_params.getlist("cite"))
        png = site.files.picture(known, number, boxes_of(reading, cited))
        return Response(png, 200, {"Cache-Control": KEPT_A_DAY}, media_type="image/png")

    @page("/systems")
    def systems(request: Request) -> Response:
        """Every system, its level, its lineage and its documents."""
        return site.show(request, "systems.jinja", SystemsPage.of(site.searcher(request).store))

    @page("/quality")
    def quality(request: Request) -> Response:
        """What the evaluation's latest report says."""
        report = read_report(site.settings.report)
        return site.show(request, "quality.jinja", QualityPage.of(report))

    @page("/about")
    def about(request: Request) -> Response:
        """What this is and how it works."""
        view = AboutPage(_counts(site, request), tuple(RUNGS.values()), tuple(STATUSES.values()))
        return site.show(request, "about.jinja", view)

    @page("/accessibility")
    def accessibility(request: Request) -> Response:
        """The accessibility statement."""
        view = AccessibilityPage(site.settings.feedback)
        return site.show(request, "accessibility.jinja", view)

    @page("/commitments")
    def commitments(request: Request) -> Response:
        """The register of commitments, as a page or as a file."""
        if request.query_params.get("format"):
            return _file_of(site, request, "commitments")

        def promised(searcher: Searcher, address: Address) -> CommitmentsPage:
            found = _register(searcher, address)
            return CommitmentsPage.of(searcher.store, address, found, formats("commitments"))

        return _form_page(
            site, request, "commitments.jinja", CommitmentParams, None, promised, CommitmentsPage
        )

    return router


def _form_page(
    site: Site,
    request: Request,
    template: str,
    model: type[FilterParams],
    needed: str | None,
    made: Make,
    page: type[WithForm],
) -> Response:
    """A page with a form: empty before anything is asked, with what is wrong, or with the reply."""
    searcher = site.searcher(request)
    address = asked(request.url.path, request.query_params, model)

    def blank(problem: Problem | None = None) -> WithForm:
        return page.empty(searcher.store, address, site.home(request, searcher), problem)

    if needed is not None and needed not in request.query_params:
        return site.show(request, template, blank())
    try:
        view = made(searcher, address)
    except QueryError as error:
        told = blank(Problem(error.message, error.field))
        return site.show(request, template, told, error.http_status)
    response = site.show(request, template, view)
    if "hx-request" in request.headers:
        response.headers["HX-Push-Url"] = str(address)
    site.remember(request, response, dict(address.pairs).get("home"))
    return response


def _compare(searcher: Searcher, address: Address) -> Any:
    params = read(address, CompareParams)
    return searcher.compare(params.theme, params.home, params.filters())


def _priorities(searcher: Searcher, address: Address) -> Any:
    params = read(address, FilterParams)
    return searcher.priorities(params.home, params.filters())


def _register(searcher: Searcher, address: Address, limit: int | None = None) -> Any:
    params = read(address, CommitmentParams)
    return searcher.commitments(
        theme=params.theme,
        home=params.home,
        filters=params.filters(),
        due_before=params.due_before,
        limit=params.limit if limit is None else limit,
        offset=params.offset,
        sort=params.sort,
    )


def _file_of(site: Site, request: Request, name: str) -> Response:
    """A comparison, the priorities or the register as a file to keep."""
    wanted = request.query_params["format"]
    if wanted not in formats(name):
        raise QueryError(f"There is no format {wanted!r} for this.", field="format")
    searcher = site.searcher(request)
    export = importlib.import_module("search_api.export")
    if name == "comparison":
        address = asked("/compare", request.query_params, CompareParams)
        content = export.export(_compare(searcher, address), wanted, packed(searcher.store))
    elif name == "priorities":
        address = asked("/priorities", request.query_params, FilterParams)
        found = _priorities(searcher, address)
        content = export.export_priorities(found, wanted, packed(searcher.store))
    else:
        address = asked("/commitments", request.query_params, CommitmentParams)
        found = _register(searcher, address, limit=0)
        content = export.export_commitments(found, wanted, searcher.store.systems)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{wanted}"'}
    return Response(content, 200, headers, media_type=MEDIA[wanted])


def _counts(site: Site, request: Request) -> Counts | None:
    """How much is indexed; None while nothing is, so that the page can still be read."""
    try:
        return counts_of(site.searcher(request).store)
    except IcsearchError:
        return None


def _viewed(request: Request) -> Asked:
    """What the viewer is asked to show."""
    query = request.query_params
    pairs = tuple(
        (name, value.strip())
        for name, value in query.multi_items()
        if name in ("cite", "page", "find", "index_id") and value.strip()
    )
    return Asked(
        address=Address(request.url.path, pairs),
        cite=tuple(query.getlist("cite")),
        page=_number(query.get("page")),
        find=" ".join(query.get("find", "").split())[:MOST_TO_FIND],
        part=_number(query.get("part")),
    )


def _number(text: str | None) -> int | None:
    """A number typed into an address; what is none is not asked for."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 7 else None
