"""What each page of the administration shows."""

from collections.abc import Sequence
from dataclasses import dataclass

from corpus import Catalogue
from corpus.catalogue import open_catalogue
from corpus.errors import IcsearchError
from indexer.administer import obstacle
from indexer.jobs import Job
from indexer.journal import Entry
from indexer.settings import IndexSettings
from indexer.store import Store
from web.admin.form import SUFFIXES, Typed
from web.format import moment
from web.parts import Option, Problem

ACTS = {"add": "Add", "remove": "Remove", "rebuild": "Rebuild the index"}
STATES = {
    "waiting": ("Waiting", "grey"),
    "running": ("Running", "blue"),
    "done": ("Done", "green"),
    "failed": ("Failed", "red"),
}


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page needs: who is signed in, and the token that its forms send along."""

    who: str
    form_token: str


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The form to sign in."""

    frame: Frame
    then: str
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A document with what reading it found; the counts are None where it could not be read."""

    id: str
    title: str
    system: str
    indexed: bool
    pages: int = 0
    unreadable: int = 0
    words: int = 0
    tables: int = 0
    passages: int = 0
    seconds: str = ""
    warnings: tuple[str, ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True)
class DeskPage:
    """Every document with its run report, what is under way, and what can be done."""

    frame: Frame
    rows: tuple[Row, ...]
    obstacle: str | None
    index: str
    built: str
    active: tuple["JobView", ...]


@dataclass(frozen=True, slots=True)
class AddPage:
    """The form to add a document, as it was typed, with what is wrong."""

    frame: Frame
    typed: Typed
    systems: tuple[Option, ...]
    kinds: tuple[str, ...]
    most_mb: int
    accept: str
    obstacle: str | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class SurePage:
    """The question before something is done."""

    frame: Frame
    act: str
    title: str
    text: tuple[str, ...]
    action: str
    button: str
    warning: bool
    obstacle: str | None = None


@dataclass(frozen=True, slots=True)
class JobView:
    """A job in words."""

    id: str
    title: str
    who: str
    asked: str
    state: str
    colour: str
    over: bool
    failed: bool
    stage: str
    done: int
    total: int
    message: str
    seconds: str
    facts: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    failures: tuple[tuple[str, str], ...] = ()
    proposals: tuple[tuple[str, str], ...] = ()
    document: str = ""


@dataclass(frozen=True, slots=True)
class JobPage:
    """One job: how far it is, then what came of it."""

    frame: Frame
    job: JobView


@dataclass(frozen=True, slots=True)
class JobsPage:
    """The latest jobs."""

    frame: Frame
    jobs: tuple[JobView, ...]


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An act in words."""

    when: str
    who: str
    what: str
    subject: str
    result: str


@dataclass(frozen=True, slots=True)
class LogPage:
    """The latest acts."""

    frame: Frame
    entries: tuple[LogEntry, ...]
    path: str
    most: int


def rows_of(store: Store | None, catalogue: Catalogue | None) -> tuple[Row, ...]:
    """The documents of the index and of the catalogue, what could not be read among them."""
    rows = []
    failures = dict(store.manifest.failures) if store else {}
    known = catalogue.documents if catalogue else {}
    names = {s.id: s.name for s in (catalogue.systems.values() if catalogue else ())}
    if store:
        names |= {s.id: s.name for s in store.systems.values()}
        for document in store.documents.values():
            found = store.reports[document.id]
            rows.append(
                Row(
                    id=document.id,
                    title=document.title,
                    system=names[document.system],
                    indexed=True,
                    pages=found.pages,
                    unreadable=found.unreadable_pages,
                    words=found.words,
                    tables=found.tables,
                    passages=found.passages,
                    seconds=f"{found.seconds:.1f}" if found.seconds else "as before",
                    warnings=found.warnings,
                    failure=failures.get(document.id, ""),
                )
            )
    for document in known.values():
        if store is None or document.id not in store.documents:
            why = failures.get(document.id, "It is not indexed yet; rebuild the index.")
            system = names[document.system]
            rows.append(Row(document.id, document.title, system, indexed=False, failure=why))
    return tuple(sorted(rows, key=lambda row: (row.system, row.title)))


def catalogue_of(settings: IndexSettings) -> Catalogue | None:
    """The catalogue, if it can be opened."""
    try:
        return open_catalogue(settings.corpus)
    except IcsearchError:
        return None


def add_page(
    frame: Frame,
    settings: IndexSettings,
    most_mb: int,
    typed: Typed,
    problems: Sequence[Problem] = (),
) -> AddPage:
    """The form to add a document."""
    catalogue = catalogue_of(settings)
    systems = catalogue.systems.values() if catalogue else ()
    kinds = {d.kind for d in catalogue.documents.values()} if catalogue else set()
    return AddPage(
        frame=frame,
        typed=typed,
        systems=tuple(Option(s.id, s.name, s.id == typed.system) for s in systems),
        kinds=tuple(sorted(kinds)),
        most_mb=most_mb,
        accept=",".join(f".{suffix}" for suffix in SUFFIXES),
        obstacle=obstacle(settings.corpus),
        problems=tuple(problems),
    )


def job_view(job: Job) -> JobView:
    """A job in words."""
    now, outcome = job.progress, job.progress.outcome or {}
    report = outcome.get("report") or {}
    state, colour = STATES[now.state]
    named = f"{ACTS[job.task.act]} “{job.task.subject}”" if job.task.subject else ACTS[job.task.act]
    seconds = f"{now.ended - now.began:.1f} seconds" if now.began and now.ended else ""
    facts = []
    if report:
        facts += [
            ("Pages", f"{report['pages']:,}"),
            ("Pages not readable", f"{report['unreadable_pages']:,}"),
            ("Words", f"{report['words']:,}"),
            ("Tables", f"{report['tables']:,}"),
            ("Passages", f"{report['passages']:,}"),
            ("Seconds to read", f"{report['seconds']:.1f}"),
        ]
    if outcome:
        facts += [
            ("Documents in the index", f"{outcome['documents']:,}"),
            ("Passages in the index", f"{outcome['passages']:,}"),
            ("Index", outcome["index_id"]),
        ]
    return JobView(
        id=job.id,
        title=named,
        who=job.task.who,
        asked=moment(job.asked.isoformat()),
        state=state,
        colour=colour,
        over=job.over,
        failed=now.state == "failed",
        stage=now.stage,
        done=now.done,
        total=now.total,
        message=now.message,
        seconds=seconds,
        facts=tuple(facts),
        warnings=tuple(report.get("warnings", ())),
        failures=tuple(outcome.get("failures", {}).items()),
        proposals=tuple((p["title"], p["pages"]) for p in outcome.get("proposals", ())),
        document=outcome.get("document_id", ""),
    )


def log_entry(entry: Entry) -> LogEntry:
    """An act in words."""
    return LogEntry(moment(entry.when), entry.who, entry.what, entry.subject, entry.result)
