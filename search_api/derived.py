"""What rules find in documents, kept beside the index so that no process works it out twice.

The register of commitments takes a second or two over a few hundred pages. It depends on the
documents and on our rules alone, so it is written to `derived/` of the index folder, by document:
`icsearch index`, `add` and `remove` do it when they are done, and otherwise whoever needs it first.
A new generation takes over what has not changed; rules that change are told by their source.
For an index in a database each machine keeps its own, beside the model that it keeps. Where
nothing can be written, each process works it out for itself.
"""

import json
import os
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import cache, wraps
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from corpus.model import Document
from indexer.manifest import digest
from indexer.settings import DatabaseSettings
from indexer.store import GENERATIONS, Store

T = TypeVar("T")
FOLDER = "derived"
MOST_KEPT = 6
"""Of indexes in databases, so many former generations of one kind stay on a machine."""

Found = dict[str, dict[str, Any]]
"""By document: {"key": what it was found in, "found": what was found, ready for JSON}."""


def once_a_store(find: Callable[[Store], T]) -> Callable[[Store], T]:
    """A function of a store that works once for each store while that lives, one at a time.

    A store is one generation, so what is found in it stays right.
    """
    found: WeakKeyDictionary[Store, T] = WeakKeyDictionary()
    lock = threading.Lock()

    @wraps(find)
    def kept(store: Store) -> T:
        with lock:
            if store not in found:
                found[store] = find(store)
            return found[store]

    return kept


def by_document(
    store: Store, name: str, rules: tuple[str, ...], find: Callable[[Document], Any]
) -> Mapping[str, Any]:
    """What `find` gives for each document of a store, as JSON has it: kept, or found now.

    Args:
        name: of what is found; a file name.
        rules: the modules whose source decides what is found.
        find: gives what is found in one document, ready for JSON.
    """
    path = path_of(store, name, rules)
    keys = _keys(store)
    known = _read(path)
    if known is not None and {d: f["key"] for d, f in known.items()} == keys:
        return {d: f["found"] for d, f in known.items()}
    before = known or _newest(path)
    found: Found = {}
    for document in store.documents.values():
        former = before.get(document.id)
        same = former is not None and former["key"] == keys[document.id]
        value = former["found"] if former and same else find(document)
        # Through JSON, so that what is found now and what was kept cannot differ.
        found[document.id] = {"key": keys[document.id], "found": json.loads(json.dumps(value))}
    _write(path, found)
    return {d: f["found"] for d, f in found.items()}


def path_of(store: Store, name: str, rules: tuple[str, ...]) -> Path:
    """The file of a store's generation."""
    return path_in(index_of(store), store.manifest.index_id, name, rules)


def index_of(store: Store) -> Path:
    """The folder of an index; of one in a database, this machine's own."""
    folder = getattr(store, "folder", None)
    return folder.parent.parent if isinstance(folder, Path) else _of_this_machine()


def path_in(index: Path, index_id: str, name: str, rules: tuple[str, ...]) -> Path:
    """The file of a generation of an index folder."""
    return index / FOLDER / f"{index_id}.{name}.{version(rules)}.json"


def _of_this_machine() -> Path:
    """Where a machine keeps what belongs to indexes in databases."""
    return DatabaseSettings().models.parent


@cache
def version(rules: tuple[str, ...]) -> str:
    """A hash of the source of some modules: it changes whenever the rules do."""
    found = sha256()
    for name in rules:
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            found.update(Path(spec.origin).read_bytes())
    return found.hexdigest()[:12]


def _keys(store: Store) -> dict[str, str]:
    """For each document, a hash of all that what is found in it depends on, but for the rules."""
    themes = digest([asdict(theme) for theme in store.themes.values()])
    reports = {r.id: [r.text_sha256, r.reader] for r in store.manifest.documents}
    return {d.id: digest([asdict(d), reports[d.id], themes]) for d in store.documents.values()}


def _newest(path: Path) -> Found:
    """What was last found by the same rules in another generation."""
    kind = path.name.partition(".")[2]
    try:
        others = sorted(path.parent.glob(f"*.{kind}"), key=lambda p: -p.stat().st_mtime)
    except OSError:
        return {}
    return next((found for other in others if (found := _read(other)) is not None), {})


def _read(path: Path) -> Found | None:
    """The file, if it is there and is what was written."""
    try:
        told, _, content = path.read_text(encoding="utf-8").partition("\n")
        if sha256(content.encode()).hexdigest() != told:
            return None
        found: Found = json.loads(content)
    except (OSError, ValueError):
        return None
    return found


def _write(path: Path, found: Found) -> None:
    """Keep what was found, and remove that of generations no longer kept."""
    content = json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()
    if keep(path, sha256(content).hexdigest().encode() + b"\n" + content):
        _prune(path)


def keep(path: Path, content: bytes) -> bool:
    """Write a file whole or not at all; whether that could be done.

    In a folder that is only to be read nothing is kept: each process finds it anew.
    """
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return True
    return False


def _prune(path: Path) -> None:
    index_id, kind, *_ = path.name.split(".")
    generations = path.parent.parent / GENERATIONS
    others = [p for p in path.parent.glob(f"*.{kind}.*.json") if p != path]
    others.sort(key=lambda p: -p.stat().st_mtime)
    kept = 0
    for other in others:
        whose = other.name.partition(".")[0]
        # What a database keeps cannot be seen from here: the latest stay.
        still = (generations / whose).is_dir() or (not generations.is_dir() and kept < MOST_KEPT)
        if not still or whose == index_id:
            other.unlink(missing_ok=True)
        else:
            kept += 1
