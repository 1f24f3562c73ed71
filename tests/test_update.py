"""Updates: a generation made from the one before is the one that would be made of everything."""

import errno
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpus.catalogue import SHIPPED
from corpus.model import Document, Reading
from eval.labels import read_labels
from indexer import administer, build, embed
from indexer.build import build_index
from indexer.check import examine
from indexer.embed import Vectors
from indexer.isolate import Limits, read_isolated
from indexer.manifest import FileFacts, Manifest
from indexer.manifest import sha256 as sha256_of_file
from indexer.settings import IndexSettings
from indexer.store import GENERATIONS, current_id, kept_ids, parts
from indexer.store.base import Entry
from indexer.store.publish import check
from search_api.model import Filters, Query
from search_api.searcher import Searcher, open_searcher
from search_api.serialise import to_json
from search_api.settings import SearchSettings
from tests.conftest import share_models

QUESTIONS = 8
LINES = [
    f"By March {2026 + n} we will open {n + 2} memory clinics for people living with dementia."
    for n in range(4)
]


def vectors_by_hash(self: Any, texts: Sequence[str], *_: Any) -> Vectors:
    """Unit vectors that depend on a text alone: encoding is not what is tested here."""
    made = [
        np.random.default_rng(list(sha256(text.encode()).digest())).standard_normal(384)
        for text in texts
    ]
    return np.stack([v / np.linalg.norm(v) for v in made]).astype(np.float32)


READ: dict[tuple[str, ...], list[Reading]] = {}


def read_once(path: Path, documents: Sequence[Document], limits: Limits) -> list[Reading]:
    """The readings of a file, as before if these very bytes were read before."""
    key = tuple(f"{d.sha256} {d.pages} {d.first_line}" for d in documents)
    if key not in READ:
        READ[key] = read_isolated(path, documents, limits)
    return READ[key]


@pytest.fixture()
def settings(
    tmp_path: Path, index_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, int], IndexSettings]:
    """Settings for an index of that name of a copy of the shipped corpus, in parts of few."""
    monkeypatch.setattr(embed.OnnxEncoder, "passages", vectors_by_hash)
    monkeypatch.setattr(build, "read_isolated", read_once)
    for name, size in (("LEAST", 40), ("TYPICAL", 80), ("MOST", 200)):
        monkeypatch.setattr(parts, name, size)
    corpus = tmp_path / "corpus"
    shutil.copytree(SHIPPED, corpus, ignore=shutil.ignore_patterns("*.py", "__pycache__"))

    def of(name: str, exact_up_to: int = 50_000) -> IndexSettings:
        root = tmp_path / name
        if not root.exists():
            share_models(root, index_dir / "models")
        return IndexSettings(corpus=corpus, index=str(root), exact_up_to=exact_up_to)

    return of


def add_plan(settings: IndexSettings, system: str, text: str) -> str:
    path = settings.corpus.parent / "plan.txt"
    path.write_text(f"Plan\n\n{text}\n")
    addition = administer.Addition(path, system, f"Plan of {len(text)} characters")
    return administer.add(settings.corpus, addition, lambda: build_index(settings))[0]


def answers(searcher: Searcher) -> list[str]:
    """What real questions are answered, as bytes but for the time it took and the index's id."""
    out = []
    texts = [q["text"] for q in read_labels("questions.jsonl")][:QUESTIONS]
    for text in [*texts, "memory clinics for people living with dementia", "dementai clinics"]:
        narrow = Filters(system=tuple(searcher.store.systems)[:1])
        replies = [searcher.search(Query(text, limit=50)), searcher.ask(Query(text))]
        for reply in (*replies, searcher.search(Query(text, filters=narrow, limit=50))):
            told = to_json(reply)
            told.pop("took_ms", None)
            out.append(json.dumps(told).replace(searcher.index_id, "id"))
    out.append(json.dumps([a.short + a.long for a in searcher.store.acronyms]))
    return out


def opened(settings: IndexSettings) -> Searcher:
    return open_searcher(SearchSettings(index=settings.index))


@pytest.mark.parametrize("exact_up_to", [50_000, 100])
def test_an_updated_index_answers_as_one_made_anew(
    settings: Callable[..., IndexSettings], exact_up_to: int
) -> None:
    updated = settings("updated", exact_up_to)
    build_index(updated)
    folder = Path(updated.index) / GENERATIONS
    assert len(list((folder / current_id(updated.index) / parts.FOLDER).iterdir())) >= 3

    first = add_plan(updated, "sefton", LINES[0])
    anew = settings("added", exact_up_to)
    assert build_index(anew).index_id == current_id(updated.index)
    assert answers(opened(updated)) == answers(opened(anew))

    add_plan(updated, "south-east-london", "\n\n".join(LINES[1:]))
    listing = updated.corpus / "documents.toml"
    listing.write_text(listing.read_text().replace('title = "', 'title = "Newly named ', 1))
    build_index(updated)
    administer.remove(updated.corpus, first, lambda: build_index(updated))
    anew = settings("changed", exact_up_to)
    made = build_index(anew)
    # A graph that was gone on from in another order is another index, and says so.
    assert (made.index_id == current_id(updated.index)) == (exact_up_to > 100)
    assert answers(opened(updated)) == answers(opened(anew))
    assert build_index(updated).index_id == opened(updated).index_id
    assert not examine(updated).problems


def test_an_update_writes_the_parts_that_changed_and_pruning_spares_the_others(
    settings: Callable[..., IndexSettings],
) -> None:
    own = settings("own").model_copy(update={"keep_generations": 1})
    first = build_index(own)
    before = {p.stat().st_ino for p in Path(own.index).rglob("vectors.npy")}
    expected = answers(opened(own))
    added = add_plan(own, "sefton", LINES[0])
    second = current_id(own.index)
    assert kept_ids(own.index) == [second] != [first.index_id]
    now = {p.stat().st_ino for p in Path(own.index).rglob("vectors.npy")}
    assert len(now - before) == 1 and len(now & before) >= 2
    check(Path(own.index) / GENERATIONS / second)
    administer.remove(own.corpus, added, lambda: build_index(own))
    assert current_id(own.index) == first.index_id
    assert answers(opened(own)) == expected


def test_without_second_names_files_are_copied(
    settings: Callable[..., IndexSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = settings("own")
    build_index(own)

    def refused(*_: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    add_plan(own, "sefton", LINES[0])
    generation = Path(own.index) / GENERATIONS / current_id(own.index)
    assert {p.stat().st_nlink for p in generation.rglob("*.npy")} == {1}
    check(generation)
    assert opened(own).search(Query("memory clinics")).hits


def of_format_2(generation: Path) -> None:
    """Rewrite a generation of one part as version 2 of the format had it."""
    (part,) = (generation / parts.FOLDER).iterdir()
    facts = json.loads((generation / "facts.json").read_text())
    for path in part.iterdir():
        path.rename(generation / path.name)
    part.rmdir()
    part.parent.rmdir()
    (generation / "facts.json").unlink()
    connection = sqlite3.connect(generation / "passages.sqlite")
    connection.executescript(
        "ALTER TABLE documents DROP COLUMN words; ALTER TABLE passages DROP COLUMN stems;"
        "ALTER TABLE passages DROP COLUMN heading; DROP TABLE gists; DROP TABLE statements;"
        "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);"
    )
    connection.executemany(
        "INSERT INTO facts VALUES (?, ?)",
        [(name, json.dumps(facts[name])) for name in ("systems", "themes", "acronyms")],
    )
    connection.commit()
    connection.close()
    manifest = Manifest.read(generation)
    files = [p for p in generation.rglob("*") if p.is_file() and p.suffix != ".lock"]
    replace(
        manifest,
        format=2,
        documents=tuple(replace(d, key="", reading_sha256="") for d in manifest.documents),
        files={
            str(p.relative_to(generation)): FileFacts(sha256_of_file(p), p.stat().st_size)
            for p in files
            if not p.name.startswith("manifest")
        },
    ).write(generation)


def test_an_index_of_the_former_format_opens_and_is_taken_over(
    tiny_settings: IndexSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build_index(tiny_settings).index_id
    expected = answers(opened(tiny_settings))
    generation = Path(tiny_settings.index) / GENERATIONS / first
    of_format_2(generation)
    check(generation)
    assert answers(opened(tiny_settings)) == expected
    # It is of another name than what this version makes.
    older = "0123456789abcdef"
    generation.rename(generation.with_name(older))
    replace(Manifest.read(generation.with_name(older)), index_id=older).write(
        generation.with_name(older)
    )
    (Path(tiny_settings.index) / "CURRENT").write_text(f"{older}\n")
    embedded: list[str] = []
    monkeypatch.setattr(
        embed.OnnxEncoder, "passages", lambda self, texts, *_: embedded.extend(texts)
    )
    monkeypatch.setattr("indexer.embedding.Progress.passages", nothing_to_embed)
    assert build_index(tiny_settings).index_id == first
    assert not embedded
    assert answers(opened(tiny_settings)) == expected


def nothing_to_embed(self: Any, texts: Sequence[str], *_: Any) -> Vectors:
    assert not texts
    return np.empty((0, 384), dtype=np.float32)


def entries(sizes: Sequence[int]) -> list[Entry]:
    def unmade() -> Any:
        raise AssertionError("nothing is made to tell parts apart")

    return [
        Entry(Document(f"document-{n}", "s", "t", "f", "h"), size, f"key-{n}", unmade)
        for n, size in enumerate(sizes)
    ]


def test_a_change_of_a_document_changes_few_parts() -> None:
    chance = np.random.default_rng(7)
    every = entries(chance.integers(0, 160, size=1_500).tolist())
    names = [parts.name_of(run) for run in parts.cut(every)]
    sizes = [sum(e.passages for e in run) for run in parts.cut(every)]
    assert [e for run in parts.cut(every) for e in run] == every
    assert max(sizes) <= parts.MOST and min(sizes[:-1]) >= parts.LEAST
    assert 2 * parts.LEAST < np.mean(sizes) < 2 * parts.TYPICAL
    for at in chance.integers(0, len(every), size=40).tolist():
        less = [*every[:at], *every[at + 1 :]]
        fewer = {parts.name_of(run) for run in parts.cut(less)}
        assert len(set(names) - fewer) <= 4, at
        renamed = [*every[:at], replace(every[at], key="another"), *every[at + 1 :]]
        again = {parts.name_of(run) for run in parts.cut(renamed)}
        assert len(again - set(names)) == 1


def test_parts_grow_with_the_square_root_of_the_index() -> None:
    def count(passages: int) -> int:
        return sum(1 for _ in parts.cut(entries([250] * (passages // 250))))

    few, more, most = (count(times * parts.LARGE - 250) for times in (1, 4, 16))
    assert 1.5 < more / few < 3
    assert 1.5 < most / more < 3
    assert count(4 * parts.LARGE) < more


def test_one_document_larger_than_a_part_is_a_part() -> None:
    found = [[e.passages for e in run] for run in parts.cut(entries([10, parts.MOST + 5, 10]))]
    assert [parts.MOST + 5] in found
    assert not list(parts.cut([]))
