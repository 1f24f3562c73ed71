"""Generations into PostgreSQL: each in one transaction, so that it is there whole or not at all."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any, LiteralString

import numpy as np
import psycopg
from psycopg import errors, sql

from corpus.errors import IcsearchError, IndexBusy, IndexGone, IndexMissing, IndexWriteError
from indexer.embed import Encoder, Vectors, folder_of
from indexer.manifest import FileFacts, Manifest
from indexer.settings import DatabaseSettings
from indexer.store.base import Contents, Entry, Store
from indexer.store.nouns import as_json, facts_json, reading_json
from indexer.store.postgres import models
from indexer.store.postgres.bm25 import RECORD, coded
from indexer.store.postgres.database import (
    SCHEMA,
    Connection,
    connect,
    database,
    migrate,
    reason,
    shown,
    table,
)
from indexer.store.postgres.store import PostgresStore
from indexer.store.writer import stems, vocabulary

# How many passages are brought over at a time.
BLOCK = 5_000
PARTITIONED: tuple[LiteralString, ...] = ("documents", "passages", "vectors", "postings")
COLUMNS: dict[LiteralString, tuple[str, ...]] = {
    "documents": ("text", "text", "int4", "int4", "int4[]", *["text"] * 6),
    "passages": ("text", "text", "int4", "text", "text", "bytea", "text"),
    # A vector travels as its own bytes; COPY does not ask for a type.
    "vectors": ("text", "text", "int4", "bytea"),
    "postings": ("text", "text", "text", "bytea"),
    "words": ("text", "text", "int4", "int4"),
    "spellings": ("text", "text", "int4"),
}
MOST_DIMENSIONS_OF_HNSW = 2_000
INDEX_MEMORY = "1GB"
# So that deleting an old generation never keeps readers waiting.
DROP_WAIT = "2s"


class Keeper:
    """Writes generations to a database, one process at a time."""

    _switching = False

    def __init__(self, url: str, settings: DatabaseSettings | None = None) -> None:
        """A database that may be empty."""
        self.url = url
        self.settings = settings or DatabaseSettings()
        self.models = self.settings.models
        # Several databases may share a folder of models, but no unfinished work.
        self.progress = self.models / f".embedding-{hashlib.sha256(url.encode()).hexdigest()[:16]}"
        self._connection: Connection | None = None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the database for writing."""
        try:
            with connect(self.url) as connection:
                self._lock(connection)
                migrate(connection, self.url)
                self._connection = connection
                try:
                    yield
                finally:
                    self._connection = None
                    with suppress(psycopg.Error):  # at once: the server may notice the end later
                        connection.execute("SELECT pg_advisory_unlock_all()")
        except IcsearchError:
            raise
        except OSError as error:  # the model, and vectors under way, are kept on this machine
            raise IndexWriteError(
                f"The index in {shown(self.url)} cannot be made: {error.strerror or error} "
                f"({error.filename or self.models}). What was served before still is."
            ) from error
        except psycopg.Error as error:
            # Once the switch was asked for, the answer that is missing may have been yes.
            served = "What was served before still is, or already its successor: run it again"
            if not self._switching:
                served = "What was served before still is"
            raise IndexWriteError(
                f"The index in {shown(self.url)} cannot be written: {reason(error)}. {served}."
            ) from error
        finally:
            self._switching = False

    def _lock(self, connection: Connection) -> None:
        """Take the lock that the server gives back when this connection ends, however it ends."""
        number = int.from_bytes(hashlib.sha256(SCHEMA.encode()).digest()[:8], signed=True)
        (got,) = connection.execute("SELECT pg_try_advisory_lock(%s)", (number,)).fetchone() or (0,)
        if not got:
            raise IndexBusy(
                f"Another process is writing to {shown(self.url)}; wait until it is done."
            )

    @property
    def _writer(self) -> Connection:
        assert self._connection is not None, "only within writing()"
        return self._connection

    def former(self, encoder: Encoder) -> Store | None:
        """The generation served until now, if there is one."""
        found = self._writer.execute("SELECT index_id FROM icsearch.serving").fetchone()
        if found is None:
            return None
        try:
            # From the database that is written: a replica may not have it yet.
            reading = database(self.url, self.settings)
            return PostgresStore(reading, found[0], encoder, self.settings)
        except IcsearchError:
            return None

    def holds(self, index_id: str) -> bool:
        """Whether a generation is there: what is there is whole."""
        found = self._writer.execute(
            "SELECT 1 FROM icsearch.generations WHERE index_id = %s", (index_id,)
        ).fetchone()
        return found is not None

    def write(
        self,
        contents: Contents,
        encoder: Encoder,
        manifest: Callable[[Mapping[str, FileFacts]], Manifest],
    ) -> None:
        """Keep a generation, all in one transaction."""
        made = manifest({})
        models.put(self._writer, encoder, self.models)
        with self._writer.transaction():
            _Generation(self._writer, made, self.settings).write(contents)

    def switch(self, index_id: str, keep: int) -> Manifest:
        """Serve a generation, and delete all but the newest."""
        self._switching = True
        self._writer.execute(
            "INSERT INTO icsearch.serving (index_id) VALUES (%s) "
            "ON CONFLICT (one) DO UPDATE SET index_id = excluded.index_id",
            (index_id,),
        )
        self._prune(keep)
        found = self._writer.execute(
            "SELECT manifest FROM icsearch.generations WHERE index_id = %s", (index_id,)
        ).fetchone()
        assert found is not None
        return Manifest.parse(found[0], shown(self.url))

    def roll_back(self, index_id: str | None) -> Manifest:
        """Serve another generation that is kept: that written last, unless one is named.

        Raises:
            IndexMissing: nothing is served yet.
            IndexGone: there is no such generation.
        """
        known = [
            name
            for (name,) in self._writer.execute(
                "SELECT g.index_id FROM icsearch.generations g, icsearch.serving s "
                "ORDER BY g.index_id <> s.index_id, g.number DESC"
            )
        ]
        if not known:
            raise IndexMissing(f"There is no index in {shown(self.url)} to go back to.")
        wanted = index_id or (known[1] if len(known) > 1 else None)
        if wanted is None:
            raise IndexGone(
                f"The index in {shown(self.url)} keeps no other generation to go back to."
            )
        if wanted not in known:
            raise IndexGone(
                f"The index in {shown(self.url)} does not keep the generation {wanted}; "
                f"it keeps {', '.join(known)}.",
                field="index_id",
            )
        return self.switch(wanted, keep=len(known))

    def _prune(self, keep: int) -> None:
        old = self._writer.execute(
            "SELECT index_id FROM icsearch.generations "
            "WHERE index_id NOT IN (SELECT index_id FROM icsearch.serving) "
            "ORDER BY number DESC OFFSET %s",
            (keep - 1,),
        ).fetchall()
        for (index_id,) in old:
            try:
                with self._writer.transaction():
                    self._writer.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(DROP_WAIT))
                    for name in PARTITIONED:
                        drop = sql.SQL("DROP TABLE {}").format(table(name, index_id))
                        self._writer.execute(drop)
                    self._writer.execute(
                        "DELETE FROM icsearch.generations WHERE index_id = %s", (index_id,)
                    )
            except errors.LockNotAvailable:
                # Somebody reads it just now: the next build deletes it.
                continue
        left = self._writer.execute("SELECT manifest FROM icsearch.generations").fetchall()
        used = [folder_of(json.loads(text)["made"]["model"]) for (text,) in left]
        self._writer.execute("DELETE FROM icsearch.models WHERE model <> ALL(%s)", (used,))


class _Generation:
    """One generation on its way into the database."""

    def __init__(
        self, connection: Connection, manifest: Manifest, settings: DatabaseSettings
    ) -> None:
        self._connection = connection
        self._manifest = manifest
        self._id = manifest.index_id
        self._settings = settings
        self._words: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        self._spellings: Counter[str] = Counter()
        self._totals = Counter(passages=0, text=0, heading=0, title=0)

    def write(self, contents: Contents) -> None:
        """Write all rows and indexes."""
        size = contents.dimensions
        hnsw = contents.nearest is not None and size <= MOST_DIMENSIONS_OF_HNSW
        ranked = self._manifest.passages > self._settings.postings_up_to and self._pg_textsearch()
        for name in PARTITIONED:
            self._connection.execute(
                sql.SQL("CREATE TABLE {} PARTITION OF {} FOR VALUES IN ({})").format(
                    table(name, self._id), sql.Identifier(SCHEMA, name), self._id
                )
            )
        row = 0
        for block in _blocks(contents.documents):
            row = self._write_block(block, row, ranked)
        facts = facts_json(contents) | {
            "totals": dict(self._totals),
            "dimensions": size,
            "hnsw": hnsw,
            "pg_textsearch": ranked,
        }
        self._connection.execute(
            "INSERT INTO icsearch.generations (index_id, manifest, facts) VALUES (%s, %s, %s)",
            (self._id, self._manifest.text(), as_json(facts)),
        )
        self._copy("words", ((self._id, w, *n) for w, n in sorted(self._words.items())))
        self._copy("spellings", ((self._id, w, n) for w, n in sorted(self._spellings.items())))
        self._index(size, hnsw, ranked)

    def _pg_textsearch(self) -> bool:
        """Whether pg_textsearch is in the database, or can be added."""
        try:
            with self._connection.transaction():
                self._connection.execute("CREATE EXTENSION IF NOT EXISTS pg_textsearch")
        except psycopg.Error:
            return False
        return True

    def _index(self, size: int, hnsw: bool, ranked: bool) -> None:
        """Indexes of approximate search, and the planner's statistics."""
        run = self._connection.execute
        run(sql.SQL("SET LOCAL maintenance_work_mem = {}").format(INDEX_MEMORY))
        vectors, passages = table("vectors", self._id), table("passages", self._id)
        if hnsw:
            of = sql.SQL("CREATE INDEX ON {} USING hnsw ((embedding::vector({})) vector_ip_ops)")
            run(of.format(vectors, sql.Literal(size)))
        if ranked:
            of = sql.SQL("CREATE INDEX {} ON {} USING bm25 (stems) WITH (text_config = 'simple')")
            run(of.format(sql.Identifier(f"stems_{self._id}"), passages))
        for name in PARTITIONED:
            run(sql.SQL("ANALYZE {}").format(table(name, self._id)))

    def _write_block(self, block: Sequence[Entry], first: int, ranked: bool) -> int:
        documents: list[tuple[Any, ...]] = []
        passages: list[tuple[Any, ...]] = []
        vectors: list[tuple[Any, ...]] = []
        postings: list[tuple[Any, ...]] = []
        row = first
        for entry in block:
            document, made = entry.document, entry.make()
            words = _Postings()
            title = len(stems(document.title).split())
            unsearched = []
            start = 0
            for place, passage in enumerate(made.passages):
                i, end = row + place, int(made.ends[place])
                own, start = made.statements[start:end], end
                text = stems(passage.text)
                heading = stems(" ".join(passage.heading))
                if passage.form == "contents":
                    unsearched.append(i)
                else:
                    words.add(i, text.split(), heading.split())
                    self._totals.update(passages=1, title=title)
                passages.append(
                    (
                        self._id,
                        document.id,
                        i,
                        as_json(asdict(passage)),
                        made.embedding_keys[place],
                        np.asarray(own, dtype="<f2").tobytes(),
                        f"{text} {heading}" if ranked and passage.form != "contents" else None,
                    )
                )
                vectors.append((self._id, document.id, i, _sent(made.vectors[place])))
            documents.append(
                (
                    self._id,
                    document.id,
                    row,
                    row + len(made.passages),
                    unsearched,
                    as_json(asdict(document)),
                    *reading_json(made.reading),
                )
            )
            row += len(made.passages)
            self._spellings.update(vocabulary(made.passages))
            postings += [(self._id, document.id, *record) for record in words.records()]
            words.count(self._words)
            self._totals.update(text=words.text, heading=words.heading)
        self._copy("documents", documents)
        self._copy("passages", passages)
        self._copy("vectors", vectors)
        self._copy("postings", postings)
        return row

    def _copy(self, name: LiteralString, rows: Iterable[tuple[Any, ...]]) -> None:
        target = table(name, self._id) if name in PARTITIONED else sql.Identifier(SCHEMA, name)
        statement = sql.SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(target)
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(COLUMNS[name])
            for row in rows:
                copy.write_row(row)


class _Postings:
    """Which passages of one document hold which words, how often."""

    def __init__(self) -> None:
        self.text = 0
        self.heading = 0
        self._held: dict[str, list[tuple[int, int, int, int, int]]] = defaultdict(list)

    def add(self, row: int, text: Sequence[str], heading: Sequence[str]) -> None:
        """Count the words of a passage."""
        self.text += len(text)
        self.heading += len(heading)
        lengths = coded([len(text), len(heading)]).tolist()
        in_text, in_heading = Counter(text), Counter(heading)
        for word in dict.fromkeys((*text, *heading)):
            self._held[word].append((row, in_text[word], in_heading[word], *lengths))

    def records(self) -> Iterator[tuple[str, bytes]]:
        """Every word with its records."""
        for word, records in sorted(self._held.items()):
            yield word, np.array(records, dtype=RECORD).tobytes()

    def count(self, words: dict[str, list[int]]) -> None:
        """Add in how many passages each word stands, in text and in headings."""
        for word, records in self._held.items():
            words[word][0] += sum(r[1] > 0 for r in records)
            words[word][1] += sum(r[2] > 0 for r in records)


def _blocks(documents: Iterable[Entry]) -> Iterator[list[Entry]]:
    block: list[Entry] = []
    size = 0
    for entry in documents:
        block.append(entry)
        size += entry.passages
        if size >= BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block


def _sent(vector: Vectors) -> bytes:
    """A vector as pgvector takes it: its size, an unused number, then big-endian floats."""
    return np.array([len(vector), 0], dtype=">u2").tobytes() + vector.astype(">f4").tobytes()
