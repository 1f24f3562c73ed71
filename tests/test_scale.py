"""Finding vectors by size: graph and cells find what comparing every vector finds."""

from pathlib import Path

import numpy as np
import pytest

from eval import synthetic
from indexer.embed import Vectors
from indexer.settings import IndexSettings
from indexer.statements import statements
from indexer.store import Store, ann, open_store
from indexer.store.folder import FolderStore
from search_api.searcher import Searcher

PASSAGES = 4_000
GRAPH = IndexSettings(exact_up_to=300)
CELLS = IndexSettings(exact_up_to=300, graph_megabytes=0)


@pytest.fixture(scope="module")
def like(searcher: Searcher) -> synthetic.Likeness:
    return synthetic.Likeness.of(searcher.store)


def made(store: Store, index_dir: Path, root: Path, settings: IndexSettings) -> FolderStore:
    synthetic.build(root, store, index_dir, PASSAGES, settings)
    opened = open_store(str(root))
    assert isinstance(opened, FolderStore)
    return opened


def recall(store: Store, questions: Vectors, documents: list[str] | None) -> float:
    if documents is None:
        rows = np.arange(store.manifest.passages)
    else:
        rows = np.concatenate([np.arange(*store.rows_of(d)) for d in documents])
    vectors = store.vectors(rows)
    shares = []
    for question in questions:
        found, scores = store.nearest(question, 10, documents)
        assert np.allclose(scores, store.vectors(found) @ question, atol=1e-6)
        assert list(scores) == sorted(scores, reverse=True)
        best = rows[np.argsort(-(vectors @ question))[:10]]
        shares.append(len(set(found.tolist()) & set(best.tolist())) / len(best))
    return float(np.mean(shares))


@pytest.mark.parametrize(("settings", "kind"), [(GRAPH, "hnsw"), (CELLS, "ivf")])
def test_graph_and_cells_find_what_comparing_all_finds(
    searcher: Searcher,
    like: synthetic.Likeness,
    index_dir: Path,
    tmp_path: Path,
    settings: IndexSettings,
    kind: str,
) -> None:
    store = made(searcher.store, index_dir, tmp_path, settings)
    assert store.manifest.made["nearest"]["kind"] == kind
    assert (store.folder / ann.FILE).stat().st_size > PASSAGES * 384
    questions = like.vectors(40, (7,))
    every = list(store.documents)
    assert recall(store, questions, None) >= 0.98
    # A wide filter goes through graph or cells, a narrow one through comparing.
    assert recall(store, questions, every[1:]) >= 0.98
    assert recall(store, questions, every[:1]) == 1.0
    assert recall(store, questions, every[3:7:2]) >= 0.98


def test_what_a_filter_hides_is_found_by_comparing(
    searcher: Searcher,
    like: synthetic.Likeness,
    index_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where everything that the graph finds is filtered out, what is left is compared."""
    store = made(searcher.store, index_dir, tmp_path, GRAPH)
    others = list(store.documents)[4:8]
    assert recall(store, like.vectors(5, (8,)), others) >= 0.98
    monkeypatch.setattr(ann.Nearest, "rows", lambda *_: np.arange(100))
    assert recall(store, like.vectors(5, (8,)), others) == 1.0


def test_the_rule_of_sizes() -> None:
    assert ann.plan(50_000, 384, 50_000, 1_024) is None
    graph = ann.plan(1_000_000, 384, 50_000, 1_024)
    cells = ann.plan(10_000_000, 384, 50_000, 1_024)
    assert graph is not None and graph["kind"] == "hnsw"
    assert cells is not None and cells["kind"] == "ivf"


def test_a_small_index_says_nothing_of_graphs(searcher: Searcher) -> None:
    assert "nearest" not in searcher.store.manifest.made


def test_graphs_are_the_same_each_time(like: synthetic.Likeness, tmp_path: Path) -> None:
    vectors = like.vectors(2_000, (3,))
    how = ann.plan(len(vectors), vectors.shape[1], 100, 1_024)
    assert how is not None
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        ann.build(tmp_path / name, vectors, how)
    assert (tmp_path / "one" / ann.FILE).read_bytes() == (tmp_path / "two" / ann.FILE).read_bytes()


def test_made_up_passages_have_the_statements_that_have_vectors(
    searcher: Searcher, index_dir: Path, tmp_path: Path
) -> None:
    store = made(searcher.store, index_dir, tmp_path, GRAPH)
    for identity in list(store.documents)[::5]:
        reading = store.reading(identity)
        rows = range(*store.rows_of(identity))
        for row, passage in zip(rows, store.passages(rows), strict=True):
            assert reading.text[passage.start : passage.end] == passage.text
            assert len(statements(passage, reading)) == len(store.statement_vectors(row))
