"""What one index takes in a process: time by stage, recall, memory, disk.

Stages are timed in turn over questions that the process has not seen, so that no cache answers and
a slow moment of the machine falls on all alike. `measure` is to run in a process of its own.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import faiss as published
import numpy as np

from eval import synthetic
from eval.labels import read_labels
from indexer.embed import Vectors
from indexer.store import Rows, Store, open_store
from indexer.store.folder import FolderStore
from search_api.commitments import found_anew, register
from search_api.model import Filters, Query
from search_api.retrieve import text_to_embed, words_of
from search_api.searcher import Searcher, open_searcher
from search_api.serving import Serving
from search_api.settings import SearchSettings

faiss: Any = published
WARM_UP = 100
ASKED = 5
THEMES_COMPARED = 25
FIRST_USES = 3
RECALL_QUESTIONS = 200
NEAREST = 10
COMPARED_AT_ONCE = 100_000
Spent = dict[str, list[float]]


def fresh_questions() -> Iterator[str]:
    """The judged questions, and then the same with a number each, so that none comes twice."""
    texts = [q["text"] for q in read_labels("questions.jsonl")]
    yield from texts
    number = 0
    while True:
        number += 1
        yield from (f"{text} {number}" for text in texts)


def measure(settings: SearchSettings, queries: int, like: str | None) -> dict[str, Any]:
    """Times by stage in milliseconds, recall and memory of an index opened here and now.

    Args:
        queries: questions per stage and filter.
        like: the index that a made-up one was made like; recall is then over vectors so made.
    """
    started = time.perf_counter()
    searcher = Serving(settings).searcher()
    opened = time.perf_counter()
    searcher.search(Query("dementia"))
    first = time.perf_counter()
    store = searcher.store
    assert isinstance(store, FolderStore)
    texts = fresh_questions()
    spent: Spent = {}
    narrow = narrow_filter(store)
    for _ in range(min(WARM_UP, 3 * queries)):
        searcher.search(Query(next(texts)))
        searcher.search(Query(next(texts), filters=narrow))
    idle = memory()
    for _ in range(queries):
        for name, filters in (("", Filters()), (" of 1 %", narrow)):
            _stages(searcher, name, filters, texts, spent)
    for _ in range(ASKED):
        timed(spent, "ask", lambda: searcher.ask(Query(next(texts))))
    used = memory()  # before recall, which goes through every vector
    questions = _recall_vectors(store, like)
    how = store.manifest.made.get("nearest", {"kind": "flat"})
    return {
        "passages": store.manifest.passages,
        "documents": len(store.documents),
        "vectors": how["kind"],
        "open_ms": round((opened - started) * 1000, 1),
        "first_answer_ms": round((first - opened) * 1000, 1),
        "disk_mb": round(sum(f.stat().st_size for f in store.folder.rglob("*")) / 2**20, 1),
        "memory_mb": used,
        "memory_before_mb": idle,
        "stages": {stage: timing(values) for stage, values in spent.items()},
        "recall_at_10": {
            "all": recall(store, questions, None),
            "of 1 %": recall(store, questions, narrow.document),
        },
    }


def whole_corpus(settings: SearchSettings) -> dict[str, dict[str, float]]:
    """What goes through every document: a comparison, declared priorities, the register.

    The register is timed as a process uses it first: kept beside the index, and found anew.
    """
    spent: Spent = {}
    searcher = open_searcher(settings)
    themes = list(searcher.store.themes)[:THEMES_COMPARED]
    searcher.compare(themes)
    searcher.priorities()
    for _ in range(ASKED):
        timed(spent, f"compare {len(themes)} themes", lambda: searcher.compare(themes))
        timed(spent, "declared priorities", searcher.priorities)
    register(searcher.store)  # so that it is kept
    for _ in range(FIRST_USES):
        kept, anew = open_store(settings.index), open_store(settings.index)
        timed(spent, "register, kept", partial(register, kept))
        timed(spent, "register, found anew", partial(found_anew, anew))
    return {stage: timing(values) for stage, values in spent.items()}


def narrow_filter(store: Store) -> Filters:
    """A filter that lets about one passage in a hundred through, one at least."""
    wanted, documents = store.manifest.passages / 100, []
    for identity in store.documents:
        if wanted <= 0:
            break
        documents.append(identity)
        wanted -= store.reports[identity].passages
    return Filters(document=tuple(documents))


def _stages(
    searcher: Searcher, name: str, filters: Filters, texts: Iterator[str], spent: Spent
) -> None:
    store, settings = searcher.store, searcher.settings
    among = list(filters.document) or None
    text = next(texts)
    understood = timed(
        spent, "understand" + name, lambda: searcher._understander.understand(text, None)
    )
    embedded = text_to_embed(understood)
    vector = timed(spent, "encode" + name, lambda: store.encoder.query(embedded))
    words, k = words_of(understood, settings), settings.candidates
    timed(spent, "vectors" + name, lambda: store.nearest(vector, k, among))
    timed(spent, "words" + name, lambda: store.matching(words, k, among))
    whole = next(texts)
    timed(spent, "search" + name, lambda: searcher.search(Query(whole, filters=filters)))
    beyond = next(texts)
    searcher._query_vector(text_to_embed(searcher._understander.understand(beyond, None)))
    cpu = time.thread_time()
    timed(
        spent,
        "search but encoding" + name,
        lambda: searcher.search(Query(beyond, filters=filters)),
    )
    spent.setdefault("search but encoding, CPU" + name, []).append(
        (time.thread_time() - cpu) * 1000
    )


def timed(spent: Spent, stage: str, run: Callable[[], Any]) -> Any:
    """What a function returns, its milliseconds put to a stage's."""
    started = time.perf_counter()
    out = run()
    spent.setdefault(stage, []).append((time.perf_counter() - started) * 1000)
    return out


def timing(values: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99 of milliseconds, and how many there are."""
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    shown = {"p50": statistics.median(values), "p95": cuts[94], "p99": cuts[98]}
    return {"runs": len(values)} | {name: round(value, 2) for name, value in shown.items()}


def memory(process: int | str = "self") -> dict[str, int]:
    """Megabytes of a process: resident, its share of what is shared, and what is its own alone."""
    path = Path(f"/proc/{process}/smaps_rollup")
    found = dict.fromkeys(("Rss", "Pss", "Anonymous"), 0)
    if path.exists():
        for line in path.read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in found:
                found[name] = int(rest.split()[0]) // 1024
    return found


def _recall_vectors(store: FolderStore, like: str | None) -> Vectors:
    if like is not None:
        return synthetic.Likeness.of(open_store(like)).vectors(RECALL_QUESTIONS, (0, 0, 99))
    texts = [q["text"] for q in read_labels("questions.jsonl")][:RECALL_QUESTIONS]
    return np.stack([store.encoder.query(text) for text in texts])


def recall(
    store: FolderStore,
    questions: Vectors,
    documents: Sequence[str] | None = None,
    found_by: Store | None = None,
) -> float:
    """Share of the ten nearest by comparing all that an index finds, over questions.

    Args:
        found_by: another store of the same passages, that is judged by the vectors of this one.
    """
    rows = np.arange(store.manifest.passages)
    if documents is not None:
        rows = np.concatenate([np.arange(*store.rows_of(d)) for d in documents])
    best = nearest_of(store, questions, rows)
    judged = found_by or store
    shares = [
        len({*judged.nearest(q, len(near), documents)[0].tolist()} & {*near.tolist()}) / len(near)
        for q, near in zip(questions, best, strict=True)
    ]
    return round(float(np.mean(shares)), 4)


def nearest_of(store: Store, questions: Vectors, rows: Rows) -> Rows:
    """Of some rows the ten nearest to each question, every one compared, shape (questions, 10)."""
    faiss.omp_set_num_threads(os.cpu_count() or 1)
    scores, places = [], []
    for at in range(0, len(rows), COMPARED_AT_ONCE):
        some = rows[at : at + COMPARED_AT_ONCE]
        found, near = faiss.knn(
            questions,
            store.vectors(some),
            min(NEAREST, len(some)),
            metric=faiss.METRIC_INNER_PRODUCT,
        )
        scores.append(found)
        places.append(some[near])
    every, of = np.concatenate(scores, axis=1), np.concatenate(places, axis=1)
    best = np.argsort(-every, axis=1, kind="stable")[:, :NEAREST]
    out: Rows = np.take_along_axis(of, best, axis=1)
    return out


def cold_start_ms(index: str) -> float:
    """A whole command from its start to its answer, interpreter and imports included."""
    command = [sys.executable, "-m", "search_api.cli", "search", "dementia", "--index", index]
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own command
    return round((time.perf_counter() - started) * 1000, 1)
