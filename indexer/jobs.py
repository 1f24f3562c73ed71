"""Adding, removing and rebuilding in a process of their own, one after another.

A job is a folder: its task, how far it is, and the file that it adds. So its state outlives the
page, the server that started it, and a crash: a job holds a lock for as long as it lives.
"""

import fcntl
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from corpus.errors import AdminError, DocumentError, IcsearchError, IndexBusy, UnknownId
from indexer import disk
from indexer.journal import Journal

Act = Literal["add", "remove", "rebuild"]
State = Literal["waiting", "running", "done", "failed"]

IDENTITY = re.compile(r"\d{8}t\d{6}-[0-9a-f]{8}")
KEPT = 200
MOST_WAITING = 20
BUSY_SECONDS = 600
"""How long a job waits for another program, such as `icsearch index`, to be done writing."""
TELL_SECONDS = 0.3
STOPPED = (
    "It was stopped before it was done. What was served before still is; "
    "rebuild the index to bring it and the corpus together."
)
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done, for whom. `subject` names the document as people know it.

    Attributes:
        settings: the corpus folder and the index, as `IndexSettings` takes them.
        addition: for `add`: the fields of `Addition` but for its file, which is `stored` in the
            job's folder and was called `file_name` by whoever sent it.
        document_id: for `remove`.
    """

    act: Act
    who: str
    subject: str
    settings: dict[str, str]
    journal: str
    addition: dict[str, str | None] | None = None
    stored: str = ""
    file_name: str = ""
    document_id: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is. Times are seconds since 1970; `message` says in a sentence why it failed.

    Attributes:
        outcome: what came of it: `index_id`, `documents`, `failures`, and for an added document
            its `document_id`, `report` and, where it looks like a pack, `proposals`.
    """

    state: State = "waiting"
    stage: str = ""
    done: int = 0
    total: int = 0
    began: float | None = None
    ended: float | None = None
    message: str = ""
    outcome: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A task with its progress."""

    id: str
    task: Task
    progress: Progress

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.progress.state in ("done", "failed")

    @property
    def asked(self) -> datetime:
        """When it was asked for."""
        return datetime.strptime(self.id[:15], "%Y%m%dt%H%M%S").replace(tzinfo=UTC)


class Jobs:
    """The jobs of a folder."""

    def __init__(self, folder: Path) -> None:
        """Keep jobs in a folder, which need not be there yet."""
        self._folder = folder

    def room(self) -> tuple[str, Path]:
        """A new job's id and its folder, still without a task: files go there first.

        Raises:
            AdminError: the folder cannot be written.
        """
        identity = f"{datetime.now(UTC):%Y%m%dt%H%M%S}-{secrets.token_hex(4)}"
        home = self._folder / identity
        try:
            home.mkdir(parents=True, mode=0o700)
        except OSError as error:
            raise AdminError(
                f"Nothing was done: {self._folder} cannot be written ({error.strerror or error})."
            ) from error
        return identity, home

    def drop(self, identity: str) -> None:
        """Forget a job that was never started."""
        shutil.rmtree(self._folder / identity, ignore_errors=True)

    def start(self, identity: str, task: Task) -> None:
        """Start a job in a process of its own; it waits for those before it.

        Raises:
            AdminError: too many are waiting.
        """
        if sum(not job.over for job in self.last(KEPT)) >= MOST_WAITING:
            self.drop(identity)
            raise AdminError(f"{MOST_WAITING} jobs are waiting already; wait until some are done.")
        home = self._folder / identity
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        with (home / "alive").open("w") as alive, (home / "errors.txt").open("wb") as errors:
            # The lock goes over to the child with the open file, and ends with it.
            fcntl.flock(alive, fcntl.LOCK_EX)
            _write(home / "task.json", asdict(task))
            process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-P", "-m", "indexer.jobs", str(home), str(alive.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                env={**os.environ, "PYTHONPATH": path},
                pass_fds=(alive.fileno(),),
                start_new_session=True,
            )
        threading.Thread(target=process.wait, daemon=True).start()
        self._prune()

    def get(self, identity: str) -> Job:
        """A job as it is now.

        Raises:
            UnknownId: there is none of that id.
        """
        home = self._folder / identity
        if not IDENTITY.fullmatch(identity) or not (home / "task.json").exists():
            raise UnknownId(f"There is no job {identity}.")
        task = Task(**_read(home / "task.json"))
        progress = _progress(home)
        if progress.state in ("waiting", "running"):
            progress = _settled(home, task)
        return Job(identity, task, progress)

    def last(self, most: int) -> list[Job]:
        """The latest jobs, newest first."""
        return [self.get(identity) for identity in self._ids()[:most]]

    def _ids(self) -> list[str]:
        if not self._folder.is_dir():
            return []
        found = [p.parent.name for p in self._folder.glob("*/task.json")]
        return sorted((i for i in found if IDENTITY.fullmatch(i)), reverse=True)

    def _prune(self) -> None:
        for identity in self._ids()[KEPT:]:
            if self.get(identity).over:
                shutil.rmtree(self._folder / identity, ignore_errors=True)


def _settled(home: Path, task: Task) -> Progress:
    """How far a job is that has not said that it ended; one that died is written down as failed."""
    with (home / "alive").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return _progress(home)
        progress = _progress(home)  # it may have ended between the two looks
        if progress.state in ("waiting", "running"):
            Journal(Path(task.journal)).note(
                task.who, f"{task.act} ended", task.subject, f"failed: {STOPPED}"
            )
            progress = replace(progress, state="failed", message=STOPPED)
            _write(home / "progress.json", asdict(progress))
            if task.stored:
                (home / task.stored).unlink(missing_ok=True)
        return progress


def _progress(home: Path) -> Progress:
    try:
        return Progress(**_read(home / "progress.json"))
    except FileNotFoundError:
        return Progress()


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _write(path: Path, content: dict[str, Any]) -> None:
    """Write whole or not at all, so that a reader never sees half of it."""
    disk.replace(path, json.dumps(content, ensure_ascii=False).encode())


# The child's side.


class Worker:
    """Does one task and says how far it is."""

    def __init__(self, home: Path) -> None:
        """Work on the task in a job's folder."""
        self._home = home
        self._task = Task(**_read(home / "task.json"))
        self._now = Progress()
        self._told = 0.0

    def run(self) -> None:
        """Do the task when it is its turn, and say how it ended."""
        task = self._task
        with _turn(self._home.parent):
            self._say(state="running", stage="Starting", began=time.time())
            try:
                outcome = self._patiently()
                self._say(state="done", ended=time.time(), outcome=outcome)
                result = "done"
            except IcsearchError as error:
                told = error.message.replace(task.stored or "\0", f"“{task.file_name}”")
                self._say(state="failed", ended=time.time(), message=told)
                result = f"failed: {told}"
            except BaseException:
                traceback.print_exc()
                told = "Something went wrong on our side; errors.txt of this job says what."
                self._say(state="failed", ended=time.time(), message=told)
                result = f"failed: {told}"
            finally:
                if task.stored:
                    (self._home / task.stored).unlink(missing_ok=True)
        Journal(Path(task.journal)).note(task.who, f"{task.act} ended", task.subject, result)

    def _say(self, **now: Any) -> None:
        self._now = replace(self._now, **now)
        self._told = time.monotonic()
        _write(self._home / "progress.json", asdict(self._now))

    def _tell(self, stage: str, done: int, total: int) -> None:
        if stage != self._now.stage or time.monotonic() - self._told > TELL_SECONDS:
            self._say(stage=stage, done=done, total=total)

    def _patiently(self) -> dict[str, Any]:
        until = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return self._do()
            except IndexBusy:
                if time.monotonic() > until:
                    raise
                self._say(stage="Waiting for another program to finish writing", done=0, total=0)
                time.sleep(1)

    def _do(self) -> dict[str, Any]:
        from indexer.administer import Addition, add, remove
        from indexer.build import build_index
        from indexer.manifest import Manifest
        from indexer.packs import propose
        from indexer.settings import IndexSettings
        from indexer.store import open_store

        task = self._task
        settings = IndexSettings(**task.settings)  # type: ignore[arg-type]

        def build() -> Manifest:
            return build_index(settings, self._tell)

        more: dict[str, Any] = {}
        if task.act == "add":
            if task.addition is None:
                raise DocumentError("There is no document to add.")
            addition = Addition(file=self._home / task.stored, **task.addition)  # type: ignore[arg-type]
            identity, manifest = add(settings.corpus, addition, build)
            reading = open_store(settings.index).reading(identity)
            more = {
                "document_id": identity,
                "report": asdict(next(d for d in manifest.documents if d.id == identity)),
                "proposals": [{"title": p.title, "pages": p.pages} for p in propose(reading)],
            }
        elif task.act == "remove":
            manifest = remove(settings.corpus, task.document_id, build)
        else:
            manifest = build()
        return {
            "index_id": manifest.index_id,
            "documents": len(manifest.documents),
            "passages": manifest.passages,
            "failures": dict(manifest.failures),
            **more,
        }


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Wait until no other job of the folder is at work."""
    with (folder / "turn").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Does the task of the folder named on the command line."""
    home, alive = Path(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(alive, False)  # what this process starts must not seem to be the job
    Worker(home).run()


if __name__ == "__main__":
    main()
