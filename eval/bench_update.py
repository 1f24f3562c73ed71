"""`icsearch bench --add`: what adding one document to a corpus takes, and taking it out again.

The corpus is a made-up one of any size; the document is read, split and embedded as any other is.
CPU seconds and bytes written are of the process that does it and of the readers it starts, so other
work of the machine changes them little.
"""

import os
import resource
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eval import synthetic
from indexer import administer
from indexer.cli import run
from indexer.manifest import Manifest
from indexer.settings import IndexSettings
from indexer.store import GENERATIONS, open_store
from search_api.prepare import prepare

WORDS_OF_A_PARAGRAPH = 90
ADDED = "a-plan-added"


def measure_update(root: str, like: str, size: int, paragraphs: int) -> dict[str, Any]:
    """What adding a document of so many paragraphs to a made-up corpus takes. To be run apart.

    Returns:
        Seconds of CPU by stage, megabytes written, and the megabytes of the whole index.
    """
    folder = Path(root)
    synthetic.build(folder, open_store(like), Path(like), size, IndexSettings())
    settings = IndexSettings(corpus=folder / synthetic.CORPUS, index=root)
    prepare(root)
    former = folder / f"{ADDED}.txt"
    former.write_text(_text(like, paragraphs), encoding="utf-8")
    addition = administer.Addition(former, "system-05", ADDED.replace("-", " "))
    added = _Watch()
    try:
        identity, manifest = administer.add(
            settings.corpus, addition, lambda: run(settings, True, added.tell)
        )
        added.tell("What rules find", 0, 1)
        prepare(root)
        adding = added.result()
        removed = _Watch()
        administer.remove(settings.corpus, identity, lambda: run(settings, True, removed.tell))
        removed.tell("What rules find", 0, 1)
        prepare(root)
    finally:
        former.unlink()
    whole = folder / GENERATIONS / manifest.index_id
    return {
        "passages": size,
        "passages_added": _passages(manifest, identity),
        "add": adding,
        "remove": removed.result(),
        "index_mb": round(sum(f.bytes for f in manifest.files.values()) / 2**20, 1),
        "shared_mb": round(_shared(whole) / 2**20, 1),
    }


def _passages(manifest: Manifest, identity: str) -> int:
    return next(report.passages for report in manifest.documents if report.id == identity)


def _shared(generation: Path) -> int:
    """Bytes of files that another generation has too."""
    facts = (path.stat() for path in generation.rglob("*") if path.is_file())
    return sum(fact.st_size for fact in facts if fact.st_nlink > 1)


def _text(like: str, paragraphs: int) -> str:
    """A plan in words of the shipped corpus, the same each time."""
    words = synthetic.Likeness.of(open_store(like)).words[:2_000]
    drawn = np.random.default_rng(2).choice(words, (paragraphs, WORDS_OF_A_PARAGRAPH)).tolist()
    return "A plan\n\n" + "\n\n".join(" ".join(line).capitalize() + "." for line in drawn) + "\n"


class _Watch:
    """CPU seconds by stage, bytes written and time passed since it was made."""

    def __init__(self) -> None:
        self._started, self._before = time.perf_counter(), _written()
        self._stage, self._since = "Catalogue", _cpu()
        self._stages: dict[str, float] = {}

    def tell(self, stage: str, *_: int) -> None:
        """A stage begins, or goes on."""
        now = _cpu()
        self._stages[self._stage] = self._stages.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = stage, now

    def result(self) -> dict[str, Any]:
        """What was measured."""
        self.tell("")
        return {
            "cpu_seconds": round(sum(self._stages.values()), 2),
            "stages": {stage: round(seconds, 2) for stage, seconds in self._stages.items()},
            "mb_written": round((_written() - self._before) / 2**20, 1),
            "seconds": round(time.perf_counter() - self._started, 1),
        }


def _cpu() -> float:
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _written() -> int:
    """Bytes that this process had the system write to a disk; Linux alone tells."""
    path = Path(f"/proc/{os.getpid()}/io")
    facts = (
        dict(line.split(": ") for line in path.read_text().splitlines()) if path.exists() else {}
    )
    return int(facts.get("write_bytes", 0))


def show_updates(results: Sequence[Mapping[str, Any]]) -> None:
    """Print the figures."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="One document more")
    for column in ("Passages", "Added", "", "CPU s", "MB written", "Seconds", "CPU s by stage"):
        table.add_column(column, justify="right" if column else "left")
    for result in results:
        for act in ("add", "remove"):
            found = result[act]
            stages = ", ".join(f"{name} {seconds:g}" for name, seconds in found["stages"].items())
            cells = [f"{found[n]:g}" for n in ("cpu_seconds", "mb_written", "seconds")]
            known = [f"{result['passages']:,}", f"{result['passages_added']}", act]
            table.add_row(*known, *cells, stages.lower())
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    for result in results:
        console.print(
            f"{result['passages']:,} passages: {result['shared_mb']} of {result['index_mb']} MB "
            "shared with the generation before."
        )
