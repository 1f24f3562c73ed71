"""`icsearch bench --beside postgresql://…`: a database beside the folder, asked the same in turn.

The index is copied to the database first. Both are asked in this process, question by question in
turn, so that whatever else the machine does falls on both alike; the ratio is what to keep.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from eval.timing import Spent, fresh_questions, narrow_filter, recall, timed, timing
from indexer.embed import Vectors
from indexer.settings import IndexSettings
from indexer.store import Store, open_store
from indexer.store.copy import copy_index
from indexer.store.folder import FolderStore
from indexer.store.postgres import Keeper
from search_api.model import Filters, Query
from search_api.searcher import Searcher
from search_api.settings import SearchSettings

WARM_UP = 30
RECALL_QUESTIONS = 100
NOISE = 0.03
FOLDER, DATABASE = "folder", "PostgreSQL"


def measure_stores(folder: str, url: str, queries: int) -> dict[str, Any]:
    """Milliseconds of both by stage, the ratios of their p95, and whether they agree.

    Args:
        folder: an index in a folder, of any size.
        url: a database that may be written; the index is served there afterwards.
    """
    started = time.perf_counter()
    copy_index(folder, Keeper(url), IndexSettings().keep_generations)
    copied = time.perf_counter() - started
    settings = SearchSettings(answers_kept=0)
    searchers, opened = {}, {}
    for name, place in ((FOLDER, folder), (DATABASE, url)):
        started = time.perf_counter()
        searchers[name] = Searcher(open_store(place), settings)
        opened[name] = round((time.perf_counter() - started) * 1000, 1)
    narrow = narrow_filter(searchers[FOLDER].store)
    texts = fresh_questions()
    for _ in range(WARM_UP):
        for searcher in searchers.values():
            searcher.search(Query(next(texts)))
            searcher.search(Query(next(texts), filters=narrow))
    spent: dict[str, Spent] = {name: {} for name in searchers}
    same = total = 0
    for _ in range(queries):
        text = next(texts)
        for stage, filters in (("search", Filters()), ("search of 1 %", narrow)):
            found = {}
            for name, searcher in searchers.items():
                query = Query(text, filters=filters)
                reply = timed(spent[name], stage, partial(searcher.search, query))
                found[name] = {hit.passage.id for hit in reply.hits}
            same += len(found[FOLDER] & found[DATABASE])
            total += len(found[FOLDER])
        _parts(searchers, text, narrow, spent)
    first = searchers[FOLDER].store
    assert isinstance(first, FolderStore)
    questions = beside_passages(first, min(RECALL_QUESTIONS, queries))
    stages = {name: {s: timing(v) for s, v in by.items()} for name, by in spent.items()}
    return {
        "passages": searchers[FOLDER].store.manifest.passages,
        "copied_seconds": round(copied, 1),
        "open_ms": opened,
        "stages": stages,
        "p95_ratio": {
            stage: round(stages[DATABASE][stage]["p95"] / stages[FOLDER][stage]["p95"], 2)
            for stage in stages[FOLDER]
        },
        "same_hits": round(same / max(1, total), 4),
        "recall_at_10": {
            name: recall(first, questions, found_by=searcher.store)
            for name, searcher in searchers.items()
        },
    }


def _parts(
    searchers: Mapping[str, Searcher], text: str, narrow: Filters, spent: Mapping[str, Spent]
) -> None:
    """The two retrievers each by itself; the question is new to neither vector nor words."""
    for name, searcher in searchers.items():
        store = searcher.store
        vector = store.encoder.query(f"{text} again")
        words = dict.fromkeys(text.lower().split(), 1.0)
        asked: dict[str, Callable[[], object]] = {
            "vectors": partial(store.nearest, vector, 100, None),
            "vectors of 1 %": partial(store.nearest, vector, 100, narrow.document),
            "words": partial(store.matching, words, 100, None),
        }
        for stage, run in asked.items():
            timed(spent[name], stage, run)


def beside_passages(store: Store, count: int) -> Vectors:
    """Unit vectors near those of passages all over an index, shape (count, dimensions)."""
    rows = np.linspace(0, store.manifest.passages - 1, count).astype(np.int64)
    near = store.vectors(rows)
    asked = near + np.random.default_rng(1).normal(0, NOISE, near.shape).astype(np.float32)
    found: Vectors = asked / np.linalg.norm(asked, axis=1, keepdims=True)
    return found


def show_stores(result: Mapping[str, Any]) -> None:
    """Print what was measured."""
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=f"{result['passages']:,} passages, milliseconds")
    shown.add_column("Stage")
    for name in (FOLDER, DATABASE):
        shown.add_column(f"{name} p50", justify="right")
        shown.add_column(f"{name} p95", justify="right")
    shown.add_column("p95 ratio", justify="right")
    for stage, ratio in result["p95_ratio"].items():
        cells = [f"{result['stages'][n][stage][p]:.1f}" for n in (FOLDER, DATABASE)
                 for p in ("p50", "p95")]  # fmt: skip
        shown.add_row(stage, *cells, f"{ratio:.2f}")
    console = Console(highlight=False)
    console.print(shown)
    console.print(
        f"Copied in {result['copied_seconds']} s. The same passages among the first ten: "
        f"{result['same_hits']:.2%}. Recall at 10 of vectors: "
        + ", ".join(f"{name} {value:.3f}" for name, value in result["recall_at_10"].items())
    )
