"""The files of a generation: parts of SQLite and vectors, a tantivy index, a graph; written once.

A part that the generation before has too is not written again: its files get a second name.
"""

import errno
import json
import os
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import accumulate
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol
from uuid import UUID

import numpy as np
import tantivy
from numpy.typing import NDArray

from corpus.model import Document, Passage
from indexer.analyse import terms
from indexer.embed import Vectors
from indexer.store import ann, gists, parts
from indexer.store.base import Contents, Entry
from indexer.store.nouns import as_json, facts_json, reading_json
from indexer.store.parts import Rendered

SCHEMA = """
CREATE TABLE documents (
    id TEXT PRIMARY KEY, first_row INTEGER NOT NULL, last_row INTEGER NOT NULL,
    document TEXT NOT NULL, text TEXT NOT NULL, sections TEXT NOT NULL, pages TEXT NOT NULL,
    warnings TEXT NOT NULL, reader TEXT NOT NULL, words TEXT NOT NULL
);
CREATE TABLE words (word TEXT PRIMARY KEY, passages INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE passages (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document_id TEXT NOT NULL,
    passage TEXT NOT NULL, embedding_key TEXT NOT NULL,
    stems TEXT, heading TEXT NOT NULL -- for the lexical index; no stems: not searched
);
"""
FIELDS = {"text": 1.0, "heading": 0.6, "title": 0.25}
WORD = re.compile(r"[^\W\d_]{4,}")
WRITER_HEAP = 64 * 2**20
HEAP_A_PASSAGE = 4 * 2**10
"""So much is ample: a part is written as one segment, and parts are larger in large indexes."""
FACTS = "facts.json"
LOCK = ".lock"
UNLINKABLE = (errno.EPERM, errno.EXDEV, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS, errno.EACCES)


def lexical_schema() -> tantivy.Schema:
    """Fields of the lexical index: stems parted by spaces, and what filters need."""
    builder = tantivy.SchemaBuilder()
    for field in FIELDS:
        builder.add_text_field(field, stored=False, tokenizer_name="whitespace")
    builder.add_text_field("document", stored=False, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("row", stored=False, indexed=True, fast=True)
    return builder.build()


def stems(text: str) -> str:
    """Stems of a text without stop words, parted by spaces."""
    return " ".join(terms(text))


def vocabulary(passages: Iterable[Passage]) -> Counter[str]:
    """Lower-case words of letters alone, and in how many passages each stands."""
    counts: Counter[str] = Counter()
    for passage in passages:
        counts.update(set(WORD.findall(passage.text.lower())))
    return counts


class Former(Protocol):
    """A whole generation in a folder, as far as it is asked here."""

    folder: Path

    def rendered(self, document_id: str, key: str) -> Rendered | None:
        """A document as it lies in its part, if it is the one of that key."""
        ...


def write(
    folder: Path, contents: Contents, former: Former | None = None, *, linked: bool = True
) -> None:
    """Write the files of a generation, all but its manifest.

    Args:
        former: what this one holds already is taken over from it.
        linked: its files get a second name rather than a copy.
    """
    there = former.folder if former is not None else None
    names: list[str] = []
    ranges: dict[str, tuple[str, int, int]] = {}
    (folder / parts.LEXICAL).mkdir()
    for run in parts.cut(contents.documents):
        name, at = parts.name_of(run), 0
        names.append(name)
        for entry in run:
            ranges[entry.document.id] = name, at, at + entry.passages
            at += entry.passages
        if there is None or not (there / parts.FOLDER / name).is_dir():
            part = _Part(folder, name, contents.dimensions, sum(e.passages for e in run))
            part.write(_rendered(e, former) for e in run)
            continue
        held = (there / parts.FOLDER / name).iterdir()
        for path in sorted([*held, *(there / parts.LEXICAL).glob(f"{name}*")]):
            _take_over(path, folder / path.relative_to(there), linked)
    _join(folder / parts.LEXICAL, names)
    facts = facts_json(contents) | {"parts": names}
    (folder / FACTS).write_text(as_json(facts), encoding="utf-8")
    if contents.nearest is None:
        return

    def vectors_of(document_id: str) -> Vectors:
        name, first, end = ranges[document_id]
        found: Vectors = vectors[name][first:end]
        return found

    vectors = {
        name: np.load(folder / parts.FOLDER / name / "vectors.npy", mmap_mode="r") for name in names
    }
    ann.build(folder, contents.planted, vectors_of, contents.nearest, there)


def _take_over(path: Path, target: Path, linked: bool) -> None:
    """Give a file that nobody ever changes a second name; a copy where that cannot be."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if linked:
        try:
            os.link(path, target)
            return
        except OSError as error:
            if error.errno not in UNLINKABLE:
                raise
    shutil.copyfile(path, target)


def _join(lexical: Path, names: Sequence[str]) -> None:
    """Make one tantivy index of the segments of parts, in the order of rows."""
    metas = {name: json.loads((lexical / f"{name}.json").read_text("ascii")) for name in names}
    if not metas:
        return
    whole = next(iter(metas.values())) | {"opstamp": 0}
    whole["segments"] = [segment for name in names for segment in metas[name]["segments"]]
    files = sorted(p.name for p in lexical.iterdir() if p.suffix != ".json")
    (lexical / "meta.json").write_text(json.dumps(whole), "ascii")
    (lexical / ".managed.json").write_text(json.dumps([*files, "meta.json"]), "ascii")


class _Part:
    """A part on its way to the disk."""

    def __init__(self, generation: Path, name: str, dimensions: int, passages: int) -> None:
        self._heap = max(WRITER_HEAP, passages * HEAP_A_PASSAGE)
        self._folder = generation / parts.FOLDER / name
        self._lexical = generation / parts.LEXICAL
        self._name = name
        self._dimensions = dimensions

    def write(self, run: Iterable[tuple[Document, Rendered]]) -> None:
        """Write the documents of a part."""
        self._folder.mkdir(parents=True)
        work = self._folder / "segments"
        work.mkdir()
        # One thread, so that the same passages always give the same segments.
        writer = tantivy.Index(lexical_schema(), path=str(work)).writer(self._heap, 1)
        connection = sqlite3.connect(self._folder / "passages.sqlite")
        words: Counter[str] = Counter()
        kept: list[Rendered] = []
        try:
            connection.executescript(
                "PRAGMA journal_mode=OFF; PRAGMA synchronous=FULL;" + SCHEMA + gists.SCHEMA
            )
            row = 0
            for document, rendered in run:
                _insert(connection, row, document.id, rendered)
                gists.insert(connection, row, rendered.gists, rendered.said)
                title = stems(document.title)
                for place, (_, _, _, text, heading) in enumerate(rendered.passages, start=row):
                    if text is not None:
                        writer.add_document(_entry(place, document.id, text, heading, title))
                words.update(json.loads(rendered.document[-1]))
                row += len(rendered.passages)
                kept.append(rendered)
            connection.executemany("INSERT INTO words VALUES (?, ?)", sorted(words.items()))
            connection.commit()
        finally:
            connection.close()
        writer.commit()
        writer.wait_merging_threads()
        del writer
        self._name_segments(work)
        self._save_vectors(kept)

    def _name_segments(self, work: Path) -> None:
        """Bring the segments to the lexical index under names of the part."""
        meta = json.loads((work / "meta.json").read_text("ascii"))
        for number, segment in enumerate(meta["segments"]):
            drawn = segment["segment_id"].replace("-", "")
            name = f"{self._name}{number:x}"
            segment["segment_id"] = str(UUID(name))
            for path in work.glob(f"{drawn}.*"):
                path.rename(self._lexical / (name + path.suffix))
        (self._lexical / f"{self._name}.json").write_text(json.dumps(meta), "ascii")
        shutil.rmtree(work)

    def _save_vectors(self, kept: Sequence[Rendered]) -> None:
        none = np.empty((0, self._dimensions), dtype=np.float32)
        own = [made.statements for made in kept]
        before = [0, *accumulate(len(made) for made in own)]
        ends = [made.ends + first for made, first in zip(kept, before, strict=False)]
        _save(self._folder / "vectors.npy", np.concatenate([none, *(m.vectors for m in kept)]))
        _save(self._folder / "statements.npy", np.concatenate([none.astype(np.float16), *own]))
        _save(self._folder / "statement_ends.npy", np.concatenate([np.empty(0, np.int64), *ends]))


def _save(path: Path, array: NDArray[Any]) -> None:
    """Write an array as .npy. numpy's own way does not notice a last write that failed."""
    with path.open("wb") as file:
        np.lib.format.write_array(SimpleNamespace(write=file.write), array, allow_pickle=False)


def _entry(row: int, document_id: str, text: str, heading: str, title: str) -> tantivy.Document:
    """What the lexical index knows of a passage: stems of its text and of what stands above it."""
    entry = tantivy.Document(text=text, heading=heading, title=title, document=document_id)
    entry.add_integer("row", row)
    return entry


def _rendered(entry: Entry, former: Former | None) -> tuple[Document, Rendered]:
    """A document as it is to lie in a part: as it lies in a former one, or made."""
    found = former.rendered(entry.document.id, entry.key) if former is not None else None
    if found is not None:
        return entry.document, found
    made = entry.make()
    words = vocabulary(made.passages)
    summed, said = gists.made(made.reading, made.passages)
    return entry.document, Rendered(
        document=(as_json(asdict(entry.document)), *reading_json(made.reading), as_json(words)),
        passages=[
            (
                passage.id,
                as_json(asdict(passage)),
                key,
                None if passage.form == "contents" else stems(passage.text),
                stems(" ".join(passage.heading)),
            )
            for passage, key in zip(made.passages, made.embedding_keys, strict=True)
        ],
        vectors=made.vectors,
        statements=made.statements.astype(np.float16, copy=False),
        ends=made.ends,
        gists=summed,
        said=said,
    )


def _insert(connection: sqlite3.Connection, row: int, document_id: str, rendered: Rendered) -> None:
    """A document and its passages, the first of them with number `row` of the part."""
    connection.execute(
        "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (document_id, row, row + len(rendered.passages), *rendered.document),
    )
    connection.executemany(
        "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (place, identity, document_id, *rest)
            for place, (identity, *rest) in enumerate(rendered.passages, start=row)
        ],
    )
