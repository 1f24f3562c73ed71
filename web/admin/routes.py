"""The routes of the administration. All but signing in need a session; all that changes anything
needs the session's own form, too."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from corpus.errors import AdminError, IcsearchError, UnknownId
from indexer.administer import obstacle
from indexer.jobs import Act, Jobs, Task
from indexer.journal import Journal
from indexer.settings import IndexSettings
from indexer.store import Store
from search_api.gate import whose
from web.admin.form import Typed, suffix_of
from web.admin.pages import (
    DeskPage,
    Frame,
    JobPage,
    JobsPage,
    JobView,
    LogPage,
    SignInPage,
    SurePage,
    add_page,
    catalogue_of,
    job_view,
    log_entry,
    rows_of,
)
from web.admin.session import Attempts, Session, Sessions, tokens_of
from web.admin.upload import Sent, fields_of, receive
from web.format import moment
from web.pages import DocumentId
from web.parts import Problem
from web.site import Site

PREFIX = "/admin"
COOKIE = "icsearch_admin"
FORM_COOKIE = "icsearch_admin_form"
"""Of the form to sign in; apart, so that a link from elsewhere does not sign anybody out."""
FORM_TOKEN = "form_token"  # noqa: S105 - the name of a field
SHOWN = 100
UPLOADED = "upload"
STALE = "This form was open for too long, or did not come from here. Go back, reload and try again."


class SignInFirst(Exception):
    """A page of the administration was asked for by nobody who is signed in."""


class Desk:
    """What the administration works with."""

    def __init__(self, site: Site) -> None:
        """Work on the corpus and the index that a site shows.

        Raises:
            ServeError: the tokens or the key are not usable.
        """
        settings = site.settings
        folder = settings.admin_folder
        key = settings.admin_key.get_secret_value() if settings.admin_key else ""
        self.sessions = Sessions(tokens_of(settings.admin_tokens), key, folder / "ended")
        self.attempts = Attempts()
        self.jobs = Jobs(folder / "jobs")
        self.journal = Journal(settings.admin_log or folder / "log.jsonl")
        self.most_mb = settings.admin_upload_mb
        self.index = IndexSettings(corpus=settings.corpus, index=site.serving.settings.index)

    def frame(self, session: Session) -> Frame:
        """What every page of a session needs."""
        return Frame(session.who, self.sessions.form_token(session))

    def start(self, identity: str, act: Act, session: Session, subject: str, **more: Any) -> str:
        """Write an act down and start it; the address of its page."""
        task = Task(
            act=act,
            who=session.who,
            subject=subject,
            settings={"corpus": str(self.index.corpus), "index": self.index.index},
            journal=str(self.journal.path),
            **more,
        )
        try:
            self.journal.note(session.who, act, subject, f"job {identity}")
            self.jobs.start(identity, task)
        except AdminError:
            self.jobs.drop(identity)
            raise
        return f"{PREFIX}/jobs/{identity}"


def routes(site: Site, desk: Desk) -> APIRouter:
    """Every page of the administration."""
    router = APIRouter(prefix=PREFIX, include_in_schema=False)

    def page(path: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
        return router.api_route(path, methods=["GET", "HEAD"])

    def session_of(request: Request) -> Session | None:
        return desk.sessions.read(request.cookies.get(COOKIE))

    def signed_in(request: Request) -> Session:
        session = session_of(request)
        if session is None or not session.who:
            raise SignInFirst
        return session

    SignedIn = Annotated[Session, Depends(signed_in)]

    async def sent_by(request: Request, session: SignedIn) -> Session:
        fields = await fields_of(request)
        if not desk.sessions.own_form(session, fields.get(FORM_TOKEN, "")):
            raise HTTPException(403, STALE)
        return session

    Confirmed = Annotated[Session, Depends(sent_by)]

    @page("/sign-in")
    def sign_in_form(request: Request, then: str = PREFIX) -> Response:
        """The form to sign in."""
        session = session_of(request)
        if session and session.who:
            return _to(_within(then))
        return _sign_in_page(site, desk, request, _within(then))

    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        """Sign in with a token."""
        fields = await fields_of(request)
        asking = desk.sessions.read(request.cookies.get(FORM_COOKIE))
        if asking is None or not desk.sessions.own_form(asking, fields.get(FORM_TOKEN, "")):
            raise HTTPException(403, STALE)
        return await run_in_threadpool(_sign_in, site, desk, request, fields)

    @router.post("/sign-out")
    def sign_out(session: Confirmed) -> Response:
        """Sign out."""
        desk.sessions.end(session)
        desk.journal.note(session.who, "sign out")
        response = _to(f"{PREFIX}/sign-in")
        response.delete_cookie(COOKIE, path=PREFIX, httponly=True, samesite="strict")
        return response

    @page("")
    def documents(request: Request, session: SignedIn) -> Response:
        """Every document with its run report."""
        store = _store(site)
        view = DeskPage(
            frame=desk.frame(session),
            rows=rows_of(store, catalogue_of(desk.index)),
            obstacle=obstacle(desk.index.corpus),
            index=store.manifest.index_id if store else "",
            built=moment(store.manifest.built_at) if store else "",
            active=tuple(view for view in _jobs(desk) if not view.over),
        )
        return site.show(request, "admin/documents.jinja", view)

    @page("/add")
    def add_form(request: Request, session: SignedIn) -> Response:
        """The form to add a document."""
        view = add_page(desk.frame(session), desk.index, desk.most_mb, Typed())
        return site.show(request, "admin/add.jinja", view)

    @router.post("/add")
    async def add(request: Request, session: SignedIn) -> Response:
        """Take a document in, and start reading it."""
        identity, home = await run_in_threadpool(desk.jobs.room)
        try:
            sent = await receive(request, home / UPLOADED, desk.most_mb * 1_000_000)
            if not desk.sessions.own_form(session, sent.fields.get(FORM_TOKEN, "")):
                raise HTTPException(403, STALE)
            wrong, view = await run_in_threadpool(_checked, desk, session, sent)
        except BaseException:
            desk.jobs.drop(identity)
            raise
        if wrong:
            desk.jobs.drop(identity)
            return site.show(request, "admin/add.jinja", view, 413 if sent.too_large else 422)
        return _to(await run_in_threadpool(_add, desk, session, sent, identity, home))

    @page("/documents/{document_id}/remove")
    def remove_form(request: Request, document_id: DocumentId, session: SignedIn) -> Response:
        """The question whether to remove a document."""
        title, system = _named(desk, document_id)
        text = (
            f"It is a document of {system}. Its file will be deleted from the corpus.",
            "Answers will no longer quote it. Links that stay work while their index is kept.",
        )
        view = SurePage(
            frame=desk.frame(session),
            act="Remove a document",
            title=f"Are you sure you want to remove “{title}”?",
            text=text,
            action=f"{PREFIX}/documents/{document_id}/remove",
            button="Remove this document",
            warning=True,
            obstacle=obstacle(desk.index.corpus),
        )
        return site.show(request, "admin/sure.jinja", view)

    @router.post("/documents/{document_id}/remove")
    def remove(document_id: DocumentId, session: Confirmed) -> Response:
        """Take a document out."""
        title, _ = _named(desk, document_id)
        if told := obstacle(desk.index.corpus):
            raise AdminError(told)
        identity, _ = desk.jobs.room()
        return _to(desk.start(identity, "remove", session, title, document_id=document_id))

    @page("/rebuild")
    def rebuild_form(request: Request, session: SignedIn) -> Response:
        """The question whether to rebuild."""
        text = (
            "Every document of the corpus folder is looked at; those that changed are read again.",
            "What is served now stays in place until the new index is whole.",
        )
        view = SurePage(
            frame=desk.frame(session),
            act="Rebuild the index",
            title="Rebuild the index",
            text=text,
            action=f"{PREFIX}/rebuild",
            button="Rebuild now",
            warning=False,
        )
        return site.show(request, "admin/sure.jinja", view)

    @router.post("/rebuild")
    def rebuild(session: Confirmed) -> Response:
        """Build the index anew."""
        identity, _ = desk.jobs.room()
        return _to(desk.start(identity, "rebuild", session, ""))

    @page("/jobs")
    def jobs(request: Request, session: SignedIn) -> Response:
        """The latest jobs."""
        view = JobsPage(desk.frame(session), tuple(_jobs(desk)))
        return site.show(request, "admin/jobs.jinja", view)

    @page("/jobs/{identity}")
    def job(request: Request, identity: str, session: SignedIn) -> Response:
        """How far a job is, or what came of it."""
        view = job_view(desk.jobs.get(identity))
        if view.over:
            _store(site)  # so that the next visitor does not wait for the new index to be opened
        return site.show(request, "admin/job.jinja", JobPage(desk.frame(session), view))

    @page("/log")
    def log(request: Request, session: SignedIn) -> Response:
        """The latest acts."""
        entries = tuple(log_entry(e) for e in desk.journal.last(SHOWN))
        view = LogPage(desk.frame(session), entries, str(desk.journal.path), SHOWN)
        return site.show(request, "admin/log.jinja", view)

    return router


def sign_in_first(request: Request, _: Exception) -> Response:
    """Where those who are not signed in are sent."""
    if request.method in ("GET", "HEAD") and request.url.path != PREFIX:
        return _to(f"{PREFIX}/sign-in?then={request.url.path}")
    return _to(f"{PREFIX}/sign-in")


def _to(path: str) -> Response:
    return RedirectResponse(path, 303)


def _within(path: str) -> str:
    """A path of ours to go on to; whatever else is asked for, the first page."""
    known = path.startswith(f"{PREFIX}/") and not path.startswith(f"{PREFIX}/sign")
    plain = all(c.isascii() and (c.isalnum() or c in "/-") for c in path)
    return path if known and plain else PREFIX


def _sign_in_page(
    site: Site, desk: Desk, request: Request, then: str, told: str = "", status: int = 200
) -> Response:
    """The form to sign in, with the cookie that makes it ours."""
    cookie = desk.sessions.issue()
    session = desk.sessions.read(cookie)
    assert session is not None
    problems = (Problem(told, "token"),) if told else ()
    view = SignInPage(desk.frame(session), then, problems)
    response = site.show(request, "admin/sign-in.jinja", view, status)
    _set(request, response, FORM_COOKIE, cookie)
    return response


def _set(request: Request, response: Response, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        path=PREFIX,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def _sign_in(site: Site, desk: Desk, request: Request, fields: dict[str, str]) -> Response:
    then = _within(fields.get("then", PREFIX))
    address = request.client.host if request.client else ""
    counted = whose(address)
    if seconds := desk.attempts.wait(counted):
        minutes = -(-seconds // 60)
        told = f"Too many attempts. Try again in {minutes} minute{'s' if minutes > 1 else ''}."
        response = _sign_in_page(site, desk, request, then, told, 429)
        response.headers["Retry-After"] = str(seconds)
        return response
    who = desk.sessions.name_of(fields.get("token", "").strip())
    if who is None:
        desk.attempts.failed(counted)
        desk.journal.note("", "sign in", address, "refused")
        return _sign_in_page(site, desk, request, then, "That token is not right", 403)
    desk.journal.note(who, "sign in", address, "done")
    desk.attempts.forget(counted)
    response = _to(then)
    _set(request, response, COOKIE, desk.sessions.issue(who))
    return response


def _store(site: Site) -> Store | None:
    """What is served now, if anything is."""
    try:
        return site.serving.searcher().store
    except IcsearchError:
        return None


def _jobs(desk: Desk) -> list[JobView]:
    return [job_view(job) for job in desk.jobs.last(SHOWN)]


def _named(desk: Desk, document_id: str) -> tuple[str, str]:
    """The title of a document of the corpus, and of which system it is."""
    catalogue = catalogue_of(desk.index)
    if catalogue is None or document_id not in catalogue.documents:
        raise UnknownId(f"There is no document {document_id}.")
    document = catalogue.documents[document_id]
    return document.title, catalogue.systems[document.system].name


def _checked(desk: Desk, session: Session, sent: Sent) -> tuple[bool, Any]:
    """Whether something is wrong with what was sent, and the form that says so."""
    typed = Typed.of(sent.fields)
    catalogue = catalogue_of(desk.index)
    problems = typed.problems(catalogue.systems if catalogue else {})
    if wrong := _wrong_file(desk, sent):
        problems.insert(0, Problem(wrong, "file"))
    view = add_page(desk.frame(session), desk.index, desk.most_mb, typed, problems)
    return bool(problems or view.obstacle), view


def _wrong_file(desk: Desk, sent: Sent) -> str | None:
    if not sent.file_name:
        return "Choose a file"
    if sent.too_large:
        return f"The file must be {desk.most_mb:,} MB or smaller"
    if not suffix_of(sent.file_name):
        return "The file must be a PDF, Word, PowerPoint, HTML, Markdown or text file"
    return None if sent.size else "The file is empty"


def _add(desk: Desk, session: Session, sent: Sent, identity: str, home: Path) -> str:
    typed = Typed.of(sent.fields)
    stored = f"document.{suffix_of(sent.file_name)}"
    (home / UPLOADED).rename(home / stored)
    return desk.start(
        identity,
        "add",
        session,
        typed.title,
        addition=typed.addition(),
        stored=stored,
        file_name=" ".join(sent.file_name.split())[-200:],
    )
