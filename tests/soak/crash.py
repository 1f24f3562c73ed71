"""Makes every change of a file go wrong, one after the other, in every command that writes.

    python -m tests.soak.crash                 all points, all faults
    python -m tests.soak.crash --most 40       forty points of each command

Each trial starts from the same corpus and index, lets one call go wrong, looks at what is left
with a fresh process, runs `index` again and looks once more. The encoder is a stand-in that makes
vectors by hashing, and documents are read in the process itself: a fifth of a second a trial.
"""

import argparse
import contextlib
import hashlib
import io
import json
import os
import shutil
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from corpus.catalogue import sha256_of
from corpus.errors import IcsearchError
from indexer import administer, build, isolate, recipe, store
from indexer.embed import EncoderFacts
from indexer.settings import IndexSettings
from indexer.store import publish
from tests.soak.trace import FAULTS, SYNCS, Fault, Point, Traced, trace

KEEP = 2
SYSTEMS = '[[system]]\nid = "northvale"\nname = "Northvale"\n'
TEXTS = {
    "children": "Northvale plan\n\nWe want every child to have the best start in life.\n",
    "dental": "Dental plan\n\nWe will commission 40 extra dental sessions by September 2026.\n",
}
NEW_TEXT = "Trees plan\n\nWe will plant a thousand trees by May 2027.\n"
BUG = 70
# Files without an entry that a crash may leave in `documents/`; `index` names them.
LEFT = {f"{name}.txt" for name in ("northvale-trees", "northvale-broken", "children")}
LEFT |= {f".{name}.new" for name in LEFT}


class HashEncoder:
    """Unit vectors made from a hash of the text: quick, and the same every time."""

    facts = EncoderFacts("hash", "0" * 64, 16, 256, "", "", "0" * 64)

    def query(self, text: str) -> Any:
        """One unit vector."""
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        vector = np.random.default_rng(seed).normal(size=16).astype(np.float32)
        return vector / np.linalg.norm(vector)

    def passages(self, texts: Sequence[str], done: Callable[[int], None] = lambda _: None) -> Any:
        """Unit vectors, one a text."""
        rows = np.empty((len(texts), 16), np.float32)
        for i, text in enumerate(texts):
            rows[i] = self.query(text)
        done(len(texts))
        return rows

    def count_pieces(self, text: str) -> int:
        """Words stand in for word pieces."""
        return len(text.split()) + 2

    def knows(self, word: str) -> bool:
        """No word is known."""
        return False


def stand_in() -> None:
    """Use the stand-in encoder, and read documents in this process."""
    encoder = HashEncoder()
    build.prepare = lambda name, place: place / "hash"  # type: ignore[assignment]
    build.open_encoder = lambda *_, **__: encoder  # type: ignore[assignment]
    store.open_encoder = lambda *_, **__: encoder  # type: ignore[assignment]

    def read(path: Path, documents: Any, limits: Any) -> Any:
        from indexer.assemble import assemble
        from indexer.load import load

        return assemble(load(path, limits), documents)

    build.read_isolated = read
    isolate.read_isolated = read


@dataclass(frozen=True, slots=True)
class Place:
    """A corpus and its index, in one folder."""

    folder: Path

    @property
    def corpus(self) -> Path:
        """The corpus folder."""
        return self.folder / "corpus"

    @property
    def index(self) -> Path:
        """The index folder."""
        return self.folder / "index"

    @property
    def incoming(self) -> Path:
        """Where a new document lies."""
        return self.folder.parent / "incoming"

    def build(self) -> Any:
        """Build the index."""
        return build.build_index(
            IndexSettings(corpus=self.corpus, index=str(self.index), keep_generations=KEEP)
        )

    def listing(self) -> bytes:
        """The catalogue as it is on the disk."""
        return (self.corpus / "documents.toml").read_bytes()


def index(place: Place) -> None:
    """Index."""
    place.build()


def add(place: Place) -> None:
    """Add a document."""
    addition = administer.Addition(place.incoming / "trees.txt", "northvale", "Trees")
    administer.add(place.corpus, addition, place.build)


def add_unreadable(place: Place) -> None:
    """Add a file that cannot be read: everything must be undone."""
    addition = administer.Addition(place.incoming / "broken.txt", "northvale", "Broken")
    administer.add(place.corpus, addition, place.build)


def remove(place: Place) -> None:
    """Remove a document."""
    administer.remove(place.corpus, "children", place.build)


def roll_back(place: Place) -> None:
    """Serve the generation before."""
    publish.roll_back(place.index)


COMMANDS: dict[str, tuple[str, Callable[[Place], None]]] = {
    "first index": ("index of a new corpus", index),
    "index": ("index after a change, an old generation pruned", index),
    "add": ("add", add),
    "add, refused": ("add of a file that cannot be read", add_unreadable),
    "remove": ("remove", remove),
    "roll back": ("index --rollback", roll_back),
}


def _entry(place: Place, name: str, text: str) -> str:
    path = place.corpus / "documents" / f"{name}.txt"
    path.write_text(text)
    return (
        f'[[document]]\nid = "{name}"\nsystem = "northvale"\ntitle = "{name}"\n'
        f'file = "{name}.txt"\nsha256 = "{sha256_of(path)}"\n'
    )


def prepare(base: Place, command: str) -> None:
    """A corpus and an index as the command finds them: two generations where there is an index."""
    (base.corpus / "documents").mkdir(parents=True)
    base.incoming.mkdir(exist_ok=True)
    (base.incoming / "trees.txt").write_text(NEW_TEXT)
    (base.incoming / "broken.txt").write_bytes(b"\x00\x01\x02\x03" * 50)
    (base.corpus / "systems.toml").write_text(SYSTEMS)
    listing = base.corpus / "documents.toml"
    entries = {name: _entry(base, name, text) for name, text in TEXTS.items()}
    if command == "first index":
        listing.write_text("\n".join(entries.values()))
        return
    listing.write_text(entries["children"])
    base.build()
    listing.write_text("\n".join(entries.values()))
    base.build()
    if command == "index":
        entries["children"] = _entry(base, "children", TEXTS["children"] + "\nAnd a new line.\n")
        listing.write_text("\n".join(entries.values()))


def apart(action: Callable[[], Any]) -> Any:
    """What an action returns in a process of its own, so that no library's state is carried on."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = BUG
        try:
            with os.fdopen(write, "w") as pipe:
                json.dump(action(), pipe)
            status = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read) as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError("the check itself failed")
    return json.loads(told)


def attempt(place: Place, command: str, said: Path) -> int:
    """Run a command as the command line would; its exit status. What it says goes to a file."""
    try:
        COMMANDS[command][1](place)
    except IcsearchError as error:
        said.write_text(error.message)
        return 1
    except BaseException:
        import traceback

        said.write_text(traceback.format_exc())
        return BUG
    return 0


def state(place: Place) -> dict[str, Any]:
    """What is served and listed, after checking that all of it is whole.

    Raises:
        AssertionError: something is lost or damaged.
    """
    listed = tomllib.loads(place.listing().decode())["document"]
    for entry in listed:
        assert sha256_of(place.corpus / "documents" / entry["file"]) == entry["sha256"], entry
    try:
        served = store.current_id(str(place.index))
    except IcsearchError:
        return {
            "served": None,
            "listing": place.listing().decode(),
            "documents": [],
            "failures": [],
        }
    for kept in store.kept_ids(str(place.index)):
        publish.check(place.index / store.GENERATIONS / kept)
    opened: Any = store.open_store(str(place.index))
    passages = opened.passages(range(opened.manifest.passages))
    assert passages
    for passage in passages:
        text = opened.reading(passage.document_id).text
        assert text[passage.start : passage.end] == passage.text
    for report in opened.manifest.documents:
        assert recipe.text_sha256(opened.reading(report.id).text) == report.text_sha256
    rows, _ = opened.nearest(opened.encoder.query("plan"), 3, None)
    found, _ = opened.matching({"plan": 1.0}, 3, None)
    assert len(rows) and len(found)
    return {
        "served": served,
        "listing": place.listing().decode(),
        "documents": sorted(opened.documents),
        "failures": sorted(opened.manifest.failures),
    }


def after(place: Place) -> dict[str, Any]:
    """What is there after `index` is run once more.

    Raises:
        AssertionError: index and catalogue do not agree, or working files are left.
    """
    place.build()
    found = state(place)
    listed = sorted(e["id"] for e in tomllib.loads(found["listing"])["document"])
    accounted = sorted({*found["documents"], *found["failures"]})
    assert listed == accounted, (listed, accounted)
    left = [p.name for p in (place.index / store.GENERATIONS).iterdir() if p.name[0] == "."]
    assert not left, left
    found["left over"] = [p.name for p in administer.left_over(place.corpus)]
    return found


def judge(place: Place, known: Sequence[dict[str, Any]]) -> None:
    """Hold what a fault left against what was there before and what the command makes.

    Raises:
        AssertionError: it is neither.
    """
    now = apart(partial(state, place))
    assert now["served"] in {k["served"] for k in known}, "another generation is served"
    right = {k["listing"]: k["then"] for k in known}
    assert now["listing"] in right, f"the catalogue is neither: {now['listing']}"
    then = apart(partial(after, place))
    assert then["served"] == right[now["listing"]], "the next run made something else"
    assert set(then["left over"]) <= LEFT, then["left over"]


def synced(points: Sequence[Point]) -> None:
    """Nothing is renamed into place before it is on the disk.

    Raises:
        AssertionError: a file was written after it was last synced, or never synced.
    """
    for i, point in enumerate(points):
        if not point.call.startswith("rename") or f"/{publish.DELETING}" in point.path:
            continue
        last: dict[str, str] = {}
        for earlier in points[:i]:
            inside = earlier.path == point.path or earlier.path.startswith(f"{point.path}/")
            if inside and not earlier.path.endswith(".lock"):
                gone = earlier.call.startswith(("unlink", "rmdir"))
                last[earlier.path] = "gone" if gone else earlier.call
                if earlier.call.startswith("rename"):
                    last[earlier.path] = "gone"
        unsynced = [p for p, call in last.items() if call not in (*SYNCS, "gone", "fchmod")]
        if point.path.split("/")[-1].startswith((publish.BUILDING, "CURRENT", "documents.toml")):
            assert not unsynced, (point, unsynced)


@dataclass(frozen=True, slots=True)
class Bench:
    """One command with the state it starts from, a place to try it, and a file for what it says."""

    command: str
    base: Place
    place: Place
    said: Path

    def fresh(self) -> None:
        """Bring back the state the command starts from."""
        shutil.rmtree(self.place.folder, ignore_errors=True)
        shutil.copytree(self.base.folder, self.place.folder)
        self.said.write_text("")

    def try_it(self, at: int | None = None, fault: Fault = "kill") -> Traced:
        """Run the command from its start, with one call going wrong."""
        self.fresh()
        act = partial(attempt, self.place, self.command, self.said)
        return trace(act, self.place.folder, at, fault)

    def may_leave(self) -> tuple[list[Point], list[dict[str, Any]]]:
        """The changes that the command makes, and the states that a fault in one may leave."""
        self.fresh()
        known = [_known(self.place)]
        clean = self.try_it()
        refused = self.command == "add, refused"
        assert clean.status == int(refused), self.said.read_text()
        synced(clean.points)
        known.append(_known(self.place))
        if refused:
            self.fresh()
            apart(partial(list_unreadable, self.place))
            known.append(_known(self.place))
            known.append({**known[-1], "served": known[-1]["then"]})
        return clean.points, known

    def judge(self, traced: Traced, fault: Fault, known: Sequence[dict[str, Any]]) -> None:
        """Hold the end of a trial against what may be.

        Raises:
            AssertionError, RuntimeError: it is something else.
        """
        expected = (-9,) if fault in ("kill", "torn") else (0, 1)
        assert traced.status in expected, self.said.read_text()
        if traced.status == 1:
            _one_sentence(self.said.read_text())
        judge(self.place, known)


def run(
    most: int, faults: Sequence[Fault], commands: Sequence[str], tell: Callable[[str], Any]
) -> dict[str, Any]:
    """Every trial; counts by command and fault, and what failed."""
    results: dict[str, Any] = {"commands": {}, "failures": []}
    with tempfile.TemporaryDirectory(prefix="icsearch-crash-") as scratch:
        root = Path(scratch).resolve()
        for command in commands:
            bench = Bench(command, Place(root / "base"), Place(root / "trial"), root / "said")
            shutil.rmtree(bench.base.folder, ignore_errors=True)
            apart(partial(prepare, bench.base, command))
            points, known = bench.may_leave()
            counts: Counter[str] = Counter()
            step = -(-len(points) // most) if most else 1
            for at in range(0, len(points), step):
                for fault in faults:
                    traced = bench.try_it(at, fault)
                    if not traced.hit:
                        continue
                    counts[fault] += 1
                    try:
                        bench.judge(traced, fault, known)
                    except (AssertionError, RuntimeError) as error:
                        where = [command, fault, at, points[at].call, points[at].path]
                        results["failures"].append([*where, str(error)[-1500:]])
                        tell(f"FAILED {results['failures'][-1]}")
            results["commands"][command] = {"points": len(points), **counts}
            tell(f"{command}: {results['commands'][command]}")
    return results


def _known(place: Place) -> dict[str, Any]:
    """A state that a fault may leave, and what the next run makes of it."""
    return {**apart(partial(state, place)), "then": apart(partial(after, place))["served"]}


def list_unreadable(place: Place) -> None:
    """Leave the catalogue as it is while a file that will be refused stands in it."""

    def stop() -> Any:
        os._exit(0)

    child = os.fork()
    if child == 0:
        addition = administer.Addition(place.incoming / "broken.txt", "northvale", "Broken")
        administer.add(place.corpus, addition, stop)
    os.waitpid(child, 0)


def _one_sentence(text: str) -> None:
    assert text and "\n" not in text and "Traceback" not in text, text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print what was found and write it to a file if one is given."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.crash")
    parser.add_argument("--most", type=int, default=0, help="points of each command; 0: all")
    parser.add_argument("--fault", action="append", choices=list(FAULTS))
    parser.add_argument("--command", action="append", choices=list(COMMANDS))
    parser.add_argument("--output", type=Path, help="JSON file of the counts")
    given = parser.parse_args(arguments)
    stand_in()
    with contextlib.redirect_stdout(io.StringIO()):
        results = run(
            given.most,
            given.fault or list(FAULTS),
            given.command or list(COMMANDS),
            lambda line: sys.stderr.write(f"{line}\n"),
        )
    if given.output:
        given.output.write_text(json.dumps(results, indent=1) + "\n")
    return 1 if results["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
