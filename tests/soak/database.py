"""Makes every message of the commands that write to PostgreSQL go wrong, one after the other.

    python -m tests.soak.database                 all messages, all faults
    python -m tests.soak.database --most 40       forty messages of each command

Each trial starts from a copy of the same database, lets one message go wrong, compares every row of
every generation that is left with what was written before, runs `index` again and compares once
more. The encoder is the stand-in of `tests.soak.crash`, the server is a real one.
"""

import argparse
import itertools
import json
import os
import shutil
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from corpus.catalogue import sha256_of
from corpus.errors import IcsearchError, IndexMissing
from indexer import embed
from indexer.build import build_index, open_place
from indexer.settings import IndexSettings
from indexer.store import kept_ids, open_store
from indexer.store.postgres import models
from indexer.store.postgres.database import close_all, connect
from tests.servers import Postgres, running
from tests.soak import crash
from tests.soak.wire import FAULTS, Fault, Wire

MODEL_FILES = ("model.onnx", "tokenizer.json", "encoder.json")
COMMANDS = ("first index", "index", "add", "remove", "roll back")
TABLES = ("documents", "passages", "vectors", "postings", "words", "spellings")
UNTRUE = "What was served before still is."
NOTICED_SECONDS = 5.0
NUMBERS = itertools.count()


@dataclass(frozen=True, slots=True)
class InDatabase(crash.Place):
    """A corpus in a folder, and its index in a database."""

    url: str

    def build(self) -> Any:
        """Build the index."""
        return build_index(
            IndexSettings(corpus=self.corpus, index=self.url, keep_generations=crash.KEEP)
        )


def roll_back(place: InDatabase) -> None:
    """Serve the generation before."""
    keeper: Any = open_place(IndexSettings(index=place.url))
    with keeper.writing():
        keeper.roll_back(None)


ACTIONS: dict[str, Callable[[Any], None]] = {
    **{name: crash.COMMANDS[name][1] for name in COMMANDS},
    "roll back": roll_back,
}


@contextmanager
def a_server(folder: Path) -> Iterator[Postgres]:
    """A server of our own, and a stand-in for the model whose files it is given."""
    crash.stand_in()
    embed.open_encoder = lambda *_, **__: crash.HashEncoder()  # type: ignore[assignment]
    made = folder / "models" / models.key_of(crash.HashEncoder())
    made.mkdir(parents=True)
    for name in MODEL_FILES:
        (made / name).write_bytes(name.encode() * 1000)
    os.environ["ICSEARCH_MODELS"] = str(folder / "models")
    os.environ["ICSEARCH_DATABASE_TIMEOUT"] = "5"
    with running() as server:
        yield server


def state(place: InDatabase) -> dict[str, Any]:
    """What is served, listed and held, every generation as a hash of all its rows.

    Raises:
        AssertionError: something is there that belongs to no generation, or cannot be opened.
    """
    listing = place.listing().decode()
    for entry in tomllib.loads(listing)["document"]:
        path = place.corpus / "documents" / entry["file"]
        assert sha256_of(path) == entry["sha256"], entry
    try:
        kept = kept_ids(place.url)
    except IndexMissing:
        return {"served": None, "listing": listing, "rows": {}, "documents": []}
    with connect(place.url) as connection:
        run = connection.execute
        held = {i for (i,) in run("SELECT index_id FROM icsearch.generations")}
        assert held == set(kept), (held, kept)
        names = run("SELECT tablename FROM pg_tables WHERE schemaname = 'icsearch'").fetchall()
        owners = {name[-16:] for (name,) in names if len(name) > 17 and name[-17] == "_"}
        assert owners == held, f"tables of {owners}, generations {held}"
        rows: dict[str, list[Any]] = {i: [] for i in sorted(held)}
        for name in TABLES:
            # Names are ours.
            of = f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM icsearch.{name} t"
            for index_id, hashes in rows.items():
                (found,) = run(f"{of} WHERE index_id = %s", (index_id,)).fetchone() or ("",)
                hashes.append(found)
            (stray,) = run(
                f"SELECT count(*) FROM icsearch.{name} WHERE index_id <> ALL(%s)",
                (sorted(held),),
            ).fetchone() or (1,)
            assert stray == 0, f"{stray} rows of no generation in {name}"
    for index_id in kept:
        opened = open_store(place.url, index_id)
        passages = opened.passages(range(opened.manifest.passages))
        assert passages
        for passage in passages:
            text = opened.reading(passage.document_id).text
            assert text[passage.start : passage.end] == passage.text
        found_rows, _ = opened.nearest(opened.encoder.query("plan"), 3, None)
        matched, _ = opened.matching({"plan": 1.0}, 3, None)
        assert len(found_rows) and len(matched)
    served = open_store(place.url)
    accounted = sorted({*served.documents, *served.manifest.failures})
    return {"served": kept[0], "listing": listing, "rows": rows, "documents": accounted}


def after(place: InDatabase) -> dict[str, Any]:
    """What is there after `index` is run once more, without any fault.

    Raises:
        AssertionError: index and catalogue do not agree, or the database lacks the model.
    """
    place.build()
    found = state(place)
    listed = sorted(e["id"] for e in tomllib.loads(found["listing"])["document"])
    assert listed == found["documents"], (listed, found["documents"])
    with connect(place.url) as connection:
        query = "SELECT string_agg(content, '' ORDER BY part) FROM icsearch.models WHERE file = %s"
        for name in MODEL_FILES:
            (content,) = connection.execute(query, (name,)).fetchone() or (b"",)
            assert content == name.encode() * 1000, f"{name} of the model is not whole"
    return found


def _alone(url: str) -> None:
    """Wait until the server has noticed that those who asked are gone: it gives locks back then."""
    close_all()
    of = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    until = time.monotonic() + NOTICED_SECONDS
    with connect(url) as connection:
        while connection.execute(of).fetchone() != (1,):
            assert time.monotonic() < until, "a connection that was lost is still there"
            time.sleep(0.01)


class Bench:
    """One command with the database it starts from, and what a fault in it may leave."""

    def __init__(self, server: Postgres, wire: Wire, folder: Path, command: str) -> None:
        """Prepare a corpus and a database as the command finds them, and run it once."""
        self.command = command
        self._server = server
        self._wire = wire
        self._base = InDatabase(folder / f"base{next(NUMBERS)}" / "place", "")
        self._template = self._base.folder.parent.name
        crash.prepare(InDatabase(self._base.folder, server.create(self._template)), command)
        close_all()
        self.rows: dict[str, Any] = {}
        self.known: list[dict[str, Any]] = []
        with self.fresh() as (direct, _):
            self._learn(direct)
        with self.fresh() as (direct, wired):
            self._wire.arm(None)
            ACTIONS[command](wired)
            self.points = list(self._wire.said)
            self._learn(direct)

    def _learn(self, place: InDatabase) -> None:
        now = state(place)
        then = after(place)
        self.rows |= now["rows"] | then["rows"]
        self.known.append({**now, "then": then["served"]})

    @contextmanager
    def fresh(self) -> Iterator[tuple[InDatabase, InDatabase]]:
        """The state the command starts from: as checks reach it, and as the command does."""
        name = f"trial{next(NUMBERS)}"
        with psycopg.connect(self._server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {self._template}")
        folder = self._base.folder.parent / "trial"
        shutil.copytree(self._base.folder, folder)
        try:
            yield (
                InDatabase(folder, self._server.url(name)),
                InDatabase(folder, self._wire.url(name)),
            )
        finally:
            close_all()
            shutil.rmtree(folder)
            with psycopg.connect(self._server.url("postgres"), autocommit=True) as connection:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def try_it(self, at: int, fault: Fault) -> bool:
        """Run the command with one message going wrong, and judge; whether it came up.

        Raises:
            AssertionError, psycopg.Error, IcsearchError: something is lost, or an error is a bug.
        """
        with self.fresh() as (direct, wired):
            self._wire.arm(at, fault)
            said = ""
            try:
                ACTIONS[self.command](wired)
            except IcsearchError as error:
                said = error.message
                assert said and "\n" not in said, said
            hit = self._wire.hit
            self._wire.arm(None)
            if hit:
                self._judge(direct, said)
            return hit

    def _judge(self, place: InDatabase, said: str) -> None:
        _alone(place.url)
        now = state(place)
        served = {k["served"] for k in self.known}
        assert now["served"] in served, f"{now['served']} is served, not one of {served}"
        self._whole(now)
        if now["served"] != self.known[0]["served"]:
            assert UNTRUE not in said, f"it says what is not so: {said}"
        right = {k["listing"]: k["then"] for k in self.known}
        assert now["listing"] in right, f"the catalogue is neither: {now['listing']}"
        then = after(place)
        assert then["served"] == right[now["listing"]], "the next run made something else"
        self._whole(then)

    def _whole(self, found: dict[str, Any]) -> None:
        for index_id, rows in found["rows"].items():
            assert rows == self.rows[index_id], f"{index_id} is not whole"


def run(
    most: int, faults: Sequence[Fault], commands: Sequence[str], tell: Callable[[str], Any]
) -> dict[str, Any]:
    """Every trial; counts by command and fault, and what failed."""
    results: dict[str, Any] = {"commands": {}, "failures": []}
    with tempfile.TemporaryDirectory(prefix="icsearch-database-") as scratch:
        with a_server(Path(scratch)) as server:
            wire = Wire(server.port)
            for command in commands:
                started = time.monotonic()
                bench = Bench(server, wire, Path(scratch), command)
                counts: Counter[str] = Counter()
                step = -(-len(bench.points) // most) if most else 1
                for at in range(0, len(bench.points), step):
                    for fault in faults:
                        try:
                            counts[fault] += bench.try_it(at, fault)
                        except (AssertionError, psycopg.Error, IcsearchError) as error:
                            where = [command, fault, at, bench.points[at]]
                            results["failures"].append([*where, repr(error)[-1500:]])
                            tell(f"FAILED {results['failures'][-1]}")
                results["commands"][command] = {"messages": len(bench.points), **counts}
                seconds = time.monotonic() - started
                tell(f"{command}: {results['commands'][command]}, {seconds:.0f} s")
            wire.close()
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print what was found and write it to a file if one is given."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.database")
    parser.add_argument("--most", type=int, default=0, help="messages of each command; 0: all")
    parser.add_argument("--fault", action="append", choices=list(FAULTS))
    parser.add_argument("--command", action="append", choices=list(COMMANDS))
    parser.add_argument("--output", type=Path, help="JSON file of the counts")
    given = parser.parse_args(arguments)
    results = run(
        given.most,
        given.fault or list(FAULTS),
        given.command or COMMANDS,
        lambda line: sys.stderr.write(f"{line}\n"),
    )
    if given.output:
        given.output.write_text(json.dumps(results, indent=1) + "\n")
    return 1 if results["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
