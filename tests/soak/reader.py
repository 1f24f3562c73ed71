"""Kills what `index` starts, and `index` itself while that runs: readers, and the model's export.

    python -m tests.soak.reader                     forty kills of each, sixty faults of an export
    python -m tests.soak.reader --kills 4 --most 2

Documents are read in real child processes, which are killed at random moments, or their parent is;
none of them may be left. The export is the real one of the default model, with every fault of
`tests.soak.trace` at changes of its files. The encoder of the readers' part is a stand-in.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal

from corpus.catalogue import sha256_of
from corpus.errors import IcsearchError
from indexer import build
from indexer.embed import DEFAULT_MODEL, EXPORTING, prepare
from indexer.isolate import read_isolated
from indexer.store.publish import Folder, prune
from tests.soak import crash
from tests.soak.trace import FAULTS, Fault, trace

Victim = Literal["reader", "index"]
VICTIMS: tuple[Victim, ...] = ("reader", "index")
DOCUMENTS = 1
# Long enough that readers are at work at most moments, and would be for a while as orphans.
PARAGRAPHS = 6_000
ORPHAN_SECONDS = 0.5
WHOLE_SECONDS = 60.0
MODELS = "models"
MARK = "ICSEARCH_SOAK"


def readers(mark: str) -> list[int]:
    """The processes alive that were started with a mark in their environment."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            marked = wanted in (folder / "environ").read_bytes().split(b"\0")
            if marked and (folder / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def kill_readers(root: Path, kills: int, seed: int, tell: Callable[[str], Any]) -> dict[str, Any]:
    """Kill readers, or `index` while they run; counts and failures."""
    crash.stand_in()
    build.read_isolated = read_isolated  # type: ignore[attr-defined]
    os.environ[MARK] = mark = uuid.uuid4().hex
    chance = random.Random(seed)
    base, place = crash.Place(root / "base"), crash.Place(root / "trial")
    crash.TEXTS |= {f"plan{n}": f"{n}\n\nIt is our plan to grow trees.\n" for n in range(DOCUMENTS)}
    crash.prepare(base, "first index")
    _add_long(base)
    clean = _fresh(base, place)
    known = crash.apart(partial(crash.after, clean))
    assert not known["failures"], known
    _fresh(base, place)
    started = time.monotonic()
    assert not _kill(place, "index", WHOLE_SECONDS, mark, root / "said")
    longest = time.monotonic() - started
    counts: Counter[str] = Counter()
    failures: list[str] = []
    for number in range(kills):
        for victim in VICTIMS:
            _fresh(base, place)
            delay = chance.uniform(0, longest)
            try:
                counts[victim] += _kill(place, victim, delay, mark, root / "said")
                _whole(place, known)
            except (AssertionError, RuntimeError) as error:
                failures.append(f"{victim} {number} after {delay:.2f} s: {error}")
                tell(f"FAILED {failures[-1]}")
    return {"kills": dict(counts), "failures": failures}


def _add_long(base: crash.Place) -> None:
    path = base.corpus / "documents" / "long.html"
    path.write_text(f"<html>{'<p>It is our <b>plan</b>.</p>' * PARAGRAPHS}</html>")
    entry = f"""
[[document]]
id = "long"
system = "northvale"
title = "long"
file = "{path.name}"
sha256 = "{sha256_of(path)}"
"""
    with (base.corpus / "documents.toml").open("a") as listing:
        listing.write(entry)


def _fresh(base: crash.Place, place: crash.Place) -> crash.Place:
    shutil.rmtree(place.folder, ignore_errors=True)
    shutil.copytree(base.folder, place.folder)
    return place


def _kill(place: crash.Place, victim: Victim, delay: float, mark: str, said: Path) -> bool:
    """One kill; whether something was there to be killed."""
    said.write_text("")
    indexing = os.fork()
    if indexing == 0:
        os._exit(crash.attempt(place, "first index", said))
    status, alive = _ended(indexing, delay), list[int]()
    if status is None:
        alive = readers(mark)
        for process in alive if victim == "reader" else [indexing]:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(indexing, 0)
    if victim == "index":
        until = time.monotonic() + ORPHAN_SECONDS
        while left := readers(mark):
            assert time.monotonic() < until, f"readers are left: {left}"
            time.sleep(0.02)
        return os.WIFSIGNALED(status)
    assert os.waitstatus_to_exitcode(status) in (0, 1), said.read_text()
    assert "Traceback" not in said.read_text(), said.read_text()
    return bool(alive)


def _ended(process: int, within: float) -> int | None:
    """How a child ended, if it did within so many seconds."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return status
        time.sleep(0.005)
    return None


def _whole(place: crash.Place, known: dict[str, Any]) -> None:
    now = crash.apart(partial(crash.state, place))
    listed = {*known["documents"]}
    if now["served"]:
        assert {*now["documents"], *now["failures"]} == listed, now
        assert not {*now["documents"]} & {*now["failures"]}, now
    then = crash.apart(partial(crash.after, place))
    assert then["served"] == known["served"], "the next run made something else"
    assert not then["failures"], then


def export(index: Path) -> int:
    """Export the model into an index folder, as `index` does; an exit status."""
    try:
        with Folder(index).writing():
            prepare(DEFAULT_MODEL, index / MODELS)
            prune(index, 1)  # as the end of every build
    except IcsearchError as error:
        return int("\n" in error.message) * crash.BUG or 1
    except BaseException:
        import traceback

        traceback.print_exc()
        return crash.BUG
    return 0


def exported(index: Path) -> dict[str, str]:
    """The files of the export by their SHA-256; empty where there is none.

    Raises:
        AssertionError: it is not what was written.
    """
    folders = [p for p in (index / MODELS).glob("*") if not p.name.startswith(".")]
    if not folders:
        return {}
    (folder,) = folders
    hashes: dict[str, str] = json.loads((folder / "files.json").read_text())
    for name, told in hashes.items():
        assert sha256_of(folder / name) == told, f"{name} of the export is damaged"
    return hashes


def break_exports(
    root: Path, most: int, faults: Sequence[Fault], tell: Callable[[str], Any]
) -> dict[str, Any]:
    """Let changes of files go wrong while the model is exported; counts and failures."""
    import sentence_transformers  # noqa: F401 - once, and not in every child
    import torch

    torch.set_num_threads(1)
    index = root / "export"
    index.mkdir()
    clean = trace(partial(export, index), index)
    assert clean.status == 0
    known = exported(index)
    assert known
    counts: Counter[str] = Counter()
    failures: list[str] = []
    for at in range(0, len(clean.points), -(-len(clean.points) // most)):
        for fault in faults:
            shutil.rmtree(index)
            index.mkdir()
            traced = trace(partial(export, index), index, at, fault)
            counts[fault] += traced.hit
            try:
                expected = (-9,) if fault in ("kill", "torn") else (0, 1)
                assert traced.status in expected, f"exit status {traced.status}"
                assert exported(index) in ({}, known), "another export"
                assert crash.apart(partial(export, index)) == 0, "the next run failed"
                assert exported(index) == known, "the next run made something else"
                left = [*(index / MODELS).glob(f"{EXPORTING}*")]
                assert not left, left
            except (AssertionError, RuntimeError) as error:
                failures.append(f"export, {fault} at {at} {clean.points[at]}: {error}")
                tell(f"FAILED {failures[-1]}")
    return {"points": len(clean.points), "faults": dict(counts), "failures": failures}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print what was found and write it to a file if one is given."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.reader")
    parser.add_argument("--kills", type=int, default=40, help="of readers, and of index")
    parser.add_argument("--most", type=int, default=12, help="points of an export; 0: none")
    parser.add_argument("--fault", action="append", choices=list(FAULTS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, help="JSON file of the counts")
    given = parser.parse_args(arguments)
    results: dict[str, Any] = {}

    def tell(line: str) -> None:
        sys.stderr.write(f"{line}\n")

    with tempfile.TemporaryDirectory(prefix="icsearch-reader-") as scratch:
        root = Path(scratch).resolve()
        if given.most:  # before the encoder is replaced
            results["export"] = break_exports(root, given.most, given.fault or [*FAULTS], tell)
        if given.kills:
            results["readers"] = kill_readers(root, given.kills, given.seed, tell)
    tell(json.dumps(results))
    if given.output:
        given.output.write_text(json.dumps(results, indent=1) + "\n")
    return 1 if any(part["failures"] for part in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
