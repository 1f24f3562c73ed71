"""One PostgreSQL database: connections, its schema, and what to say when it does not answer."""

import atexit
import logging
import os
import re
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from typing import Any, LiteralString, TypeVar

from corpus.errors import IndexDamaged, IndexGone, IndexMissing, IndexUnreachable, IndexWriteError
from indexer.settings import DatabaseSettings

try:
    import psycopg
    from psycopg import errors, sql
    from psycopg_pool import ConnectionPool, PoolTimeout
except ImportError as error:
    raise IndexUnreachable(
        "An index in PostgreSQL needs psycopg; run: pip install 'icsearch[postgres]'"
    ) from error

Connection = psycopg.Connection[tuple[Any, ...]]
T = TypeVar("T")
Query = LiteralString | sql.Composed

SCHEMA = "icsearch"
CONNECT_SECONDS = 5
# Beyond what the server is told to take at most, so that it is the first to say so.
SILENT_SECONDS = 2.0
RENEW_SECONDS = 2.0
# What a pool warns of is told by our own errors, once.
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
# Candidates that HNSW goes through; recall is measured by `icsearch bench`.
EF_SEARCH = 200


def shown(url: str) -> str:
    """A database's address without its password."""
    return re.sub(r"(?<=[?&])password=[^&]*&?", "", re.sub(r"//([^/@:]*):[^/@]*@", r"//\1@", url))


def migrations() -> list[tuple[int, str]]:
    """The numbered steps that make the schema, in order."""
    folder = resources.files("indexer.store.postgres") / "migrations"
    steps = [(int(p.name[:4]), p.read_text()) for p in folder.iterdir() if p.name.endswith(".sql")]
    return sorted(steps)


def table(name: LiteralString, index_id: str) -> sql.Identifier:
    """The table that holds one generation's rows."""
    return sql.Identifier(SCHEMA, f"{name}_{index_id}")


class Silent(psycopg.OperationalError):
    """A server took what it was asked and says nothing: it hangs, or the network swallows it."""


class Patient(Connection):
    """A connection that gives up on a silent server; the kernel would wait for hours."""

    seconds: float | None = None

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **kwargs: Any) -> T:
        """What a generator of psycopg comes to, if it does so in time."""
        return super().wait(self._until(gen), *args, **kwargs)

    def _until(self, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        """The same generator, which psycopg resumes several times a second, with an end."""
        end = None if self.seconds is None else time.monotonic() + self.seconds
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and end is not None and time.monotonic() > end:
                    self.pgconn.finish()  # what comes later must not pass for another's answer
                    raise Silent(f"no word for {self.seconds:g} seconds")
                wanted = gen.send(ready)
        except StopIteration as done:
            result: T = done.value
            return result


class Database:
    """Connections of this process to one database. Safe to use from many threads."""

    def __init__(self, url: str, settings: DatabaseSettings) -> None:
        """Connect.

        Raises:
            IndexUnreachable: it does not answer.
            IndexMissing: it holds no index, or one of a schema that this version does not read.
        """
        self.url = url
        self._seconds = settings.database_timeout
        with self.told(), connect(url) as connection:
            check_schema(connection, url)
        self._most = settings.database_connections
        self._renewing = threading.Lock()
        self._renewed = -RENEW_SECONDS
        self._pool = self._filled()

    def _filled(self) -> ConnectionPool[Patient]:
        return ConnectionPool(
            self.url,
            connection_class=Patient,
            min_size=1,
            max_size=self._most,
            timeout=self._seconds,
            kwargs={"autocommit": True, "connect_timeout": CONNECT_SECONDS},
            configure=self._configure,
            open=True,
        )

    def close(self) -> None:
        """Give every connection back."""
        self._pool.close(timeout=0)

    def _configure(self, connection: Patient) -> None:
        connection.seconds = self._seconds + SILENT_SECONDS
        for name, value in (
            ("statement_timeout", f"{int(self._seconds * 1000)}"),
            ("hnsw.ef_search", f"{EF_SEARCH}"),
            ("hnsw.iterative_scan", "strict_order"),
        ):
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))

    def rows(self, query: Query, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows that a query gives. A connection that was lost is made anew, once.

        Raises:
            IndexUnreachable: the database does not answer.
            IndexGone: the generation was deleted meanwhile.
        """
        with self.told():
            try:
                return self._rows(query, values)
            except psycopg.OperationalError as error:
                if isinstance(error, errors.QueryCanceled | Silent):
                    raise
                if isinstance(error, PoolTimeout):
                    self._renew()
                else:
                    self._pool.check()
                return self._rows(query, values)

    def _renew(self) -> None:
        """Start afresh if the server answers: a pool waits ever longer between its own attempts."""
        with self._renewing:
            connect(self.url).close()  # tells why it does not
            if time.monotonic() - self._renewed >= RENEW_SECONDS:
                former, self._pool = self._pool, self._filled()
                self._renewed = time.monotonic()
                former.close(timeout=0)

    def _rows(self, query: Query, values: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._pool.connection() as connection:
            return connection.execute(query, values, binary=True).fetchall()

    @contextmanager
    def told(self) -> Iterator[None]:
        """Errors of the database as ours, each one sentence."""
        try:
            yield
        except errors.UndefinedTable as error:
            raise IndexGone(
                "This generation of the index is no longer kept; ask the current one.",
                field="index_id",
            ) from error
        except psycopg.Error as error:
            raise IndexUnreachable(
                f"The database {shown(self.url)} does not answer ({reason(error)}); "
                "see that it runs and that its address is right."
            ) from error


_open: dict[tuple[str, DatabaseSettings, int], Database] = {}
_opening = threading.Lock()


def database(url: str, settings: DatabaseSettings) -> Database:
    """The connections of this process to a database, made once."""
    key = url, settings, os.getpid()
    with _opening:
        if key not in _open:
            _open[key] = Database(url, settings)
        return _open[key]


@atexit.register
def close_all() -> None:
    """Give back every connection of this process."""
    for key in [key for key in _open if key[2] == os.getpid()]:
        _open.pop(key).close()


def connect(url: str) -> Connection:
    """One connection outside the pool."""
    return psycopg.connect(url, connect_timeout=CONNECT_SECONDS, autocommit=True)


def reason(error: Exception) -> str:
    """Why, in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    return shown(text).rstrip(".")


def schema_number(connection: Connection) -> int:
    """The last migration that was applied; 0 where there is none."""
    (there,) = connection.execute(
        "SELECT to_regclass('icsearch.migrations') IS NOT NULL"
    ).fetchone() or (False,)
    if not there:
        return 0
    found = connection.execute("SELECT max(number) FROM icsearch.migrations").fetchone()
    return int(found[0] or 0) if found else 0


def check_schema(connection: Connection, url: str) -> None:
    """Compare the schema with what this version reads.

    Raises:
        IndexMissing: there is none.
        IndexDamaged: it is older or newer.
    """
    number, wanted = schema_number(connection), migrations()[-1][0]
    if number == 0:
        raise IndexMissing(
            f"There is no index in {shown(url)}; make one with: icsearch index --index {shown(url)}"
        )
    if number < wanted:
        raise IndexDamaged(
            f"The index in {shown(url)} has schema {number}, but this version reads schema "
            f"{wanted}; run: icsearch index --index {shown(url)}"
        )
    if number > wanted:
        raise IndexDamaged(
            f"The index in {shown(url)} has schema {number}, made by a newer version; "
            f"this one reads schema {wanted}: update icsearch."
        )


def migrate(connection: Connection, url: str) -> None:
    """Bring the schema up to date, each step in a transaction of its own.

    Raises:
        IndexWriteError: pgvector is not there and may not be added, or a newer version wrote it.
    """
    number, steps = schema_number(connection), migrations()
    if number > steps[-1][0]:
        check_schema(connection, url)
    try:
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except (errors.InsufficientPrivilege, errors.UndefinedFile, errors.FeatureNotSupported) as why:
        raise IndexWriteError(
            f"The database {shown(url)} needs the extension pgvector ({reason(why)}); "
            "have an administrator install it and run there: CREATE EXTENSION vector"
        ) from why
    for step, text in steps:
        if step > number:
            with connection.transaction():
                connection.execute("CREATE SCHEMA IF NOT EXISTS icsearch")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS icsearch.migrations (number integer PRIMARY KEY, "
                    "applied_at timestamptz NOT NULL DEFAULT now())"
                )
                connection.execute(sql.SQL(text))  # a file of ours
                connection.execute("INSERT INTO icsearch.migrations VALUES (%s)", (step,))
