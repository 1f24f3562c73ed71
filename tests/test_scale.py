"""Finding vectors by size: graph and cells find what comparing every vector finds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval import bench, synthetic, timing
from indexer.embed import Vectors
from indexer.settings import IndexSettings
from indexer.statements import statements
from indexer.store import Store, ann, open_store
from indexer.store.base import Planted
from indexer.store.folder import FolderStore
from search_api.searcher import Searcher
from search_api.settings import SearchSettings

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


@pytest.fixture(scope="module")
def graph(
    searcher: Searcher, index_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> FolderStore:
    return made(searcher.store, index_dir, tmp_path_factory.mktemp("graph"), GRAPH)


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


def found_as_by_comparing(store: FolderStore, like: synthetic.Likeness) -> None:
    assert (store.folder / ann.FILE).stat().st_size > PASSAGES * 384
    questions = like.vectors(40, (7,))
    every = list(store.documents)
    assert recall(store, questions, None) >= 0.98
    # A wide filter goes through graph or cells, a narrow one through comparing.
    assert recall(store, questions, every[1:]) >= 0.98
    assert recall(store, questions, every[:1]) == 1.0
    assert recall(store, questions, every[3:7:2]) >= 0.98


def test_a_graph_finds_what_comparing_all_finds(
    graph: FolderStore, like: synthetic.Likeness
) -> None:
    assert graph.manifest.made["nearest"]["kind"] == "hnsw"
    found_as_by_comparing(graph, like)


def test_cells_find_what_comparing_all_finds(
    searcher: Searcher, like: synthetic.Likeness, index_dir: Path, tmp_path: Path
) -> None:
    store = made(searcher.store, index_dir, tmp_path, CELLS)
    assert store.manifest.made["nearest"]["kind"] == "ivf"
    found_as_by_comparing(store, like)


def test_what_a_filter_hides_is_found_by_comparing(
    graph: FolderStore, like: synthetic.Likeness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where everything that the graph finds is filtered out, what is left is compared."""
    others = list(graph.documents)[4:8]
    assert recall(graph, like.vectors(5, (8,)), others) >= 0.98
    monkeypatch.setattr(ann.Nearest, "rows", lambda *_: np.arange(100))
    assert recall(graph, like.vectors(5, (8,)), others) == 1.0


def test_the_rule_of_sizes() -> None:
    assert ann.plan(50_000, 384, 50_000, 1_024) is None
    graph = ann.plan(1_000_000, 384, 50_000, 1_024)
    cells = ann.plan(10_000_000, 384, 50_000, 1_024)
    assert graph is not None and graph["kind"] == "hnsw"
    assert cells is not None and cells["kind"] == "ivf"


def test_a_small_index_says_nothing_of_graphs(searcher: Searcher) -> None:
    assert "nearest" not in searcher.store.manifest.made


def planted(sizes: Sequence[int]) -> list[Planted]:
    return [Planted(f"d{n}", f"key{n}", size) for n, size in enumerate(sizes)]


def test_a_graph_gone_on_from_is_the_graph_of_all_at_once(
    like: synthetic.Likeness, tmp_path: Path
) -> None:
    vectors = like.vectors(2_000, (3,))
    how = ann.plan(len(vectors), vectors.shape[1], 100, 1_024)
    assert how is not None
    holds = planted([1_200, 300, 0, 480, 20])
    ends = np.cumsum([document.nodes for document in holds])
    asked: list[str] = []

    def vectors_of(document: str) -> Vectors:
        asked.append(document)
        end = int(ends[int(document[1:])])
        return vectors[end - holds[int(document[1:])].nodes : end]

    for name, held, former in (
        ("first", holds[:2], None),
        ("second", holds, tmp_path / "first"),
        ("at once", holds, None),
        ("again", holds, None),
    ):
        (tmp_path / name).mkdir()
        asked.clear()
        ann.build(tmp_path / name, held, vectors_of, how, former)
        assert (name != "second") or asked == ["d2", "d3", "d4"]
    made = {name: (tmp_path / name / ann.FILE).read_bytes() for name in ("second", "at once")}
    assert made["second"] == made["at once"] == (tmp_path / "again" / ann.FILE).read_bytes()


def test_when_a_graph_is_gone_on_from() -> None:
    former = planted([100, 100, 100])
    more = [*former, Planted("e", "e", 10)]
    assert ann.order((), former) == former
    assert ann.order(former, more) == more
    # What goes leaves its nodes, what comes is put at the end, wherever it stands in the catalogue.
    fewer = [more[3], former[0], former[2]]
    assert ann.order(former, fewer) == fewer  # a third of it would be idle
    small = [*planted([100, 100, 5]), Planted("e", "e", 10)]
    assert ann.order(small[:3], [small[3], *small[:2]]) == small
    changed = [small[0], small[1], Planted("d2", "another key", 6)]
    assert ann.order(small[:3], changed) == [*small[:3], changed[2]]


def test_made_up_passages_have_the_statements_that_have_vectors(graph: FolderStore) -> None:
    store = graph
    for identity in list(store.documents)[::5]:
        reading = store.reading(identity)
        rows = range(*store.rows_of(identity))
        for row, passage in zip(rows, store.passages(rows), strict=True):
            assert reading.text[passage.start : passage.end] == passage.text
            _, counts = store.vectors_of_statements(np.array([row]))
            assert counts.tolist() == [len(statements(passage, reading))]


def test_the_bench_measures_what_it_says(
    searcher: Searcher, index_dir: Path, tmp_path: Path
) -> None:
    settings = SearchSettings(index=str(tmp_path))
    synthetic.build(tmp_path, searcher.store, index_dir, 600, IndexSettings(exact_up_to=100))
    found = timing.measure(settings, 2, str(index_dir))
    assert found["passages"] == 600 and found["vectors"] == "hnsw"
    assert found["recall_at_10"]["all"] >= 0.98
    assert found["recall_at_10"]["of 1 %"] >= 0.98
    assert found["stages"]["search of 1 %"]["runs"] == 2
    assert found["stages"]["search"]["p95"] >= found["stages"]["search"]["p50"] > 0
    assert found["memory_mb"]["Rss"] >= found["memory_mb"]["Anonymous"] > 0


def test_growth_is_a_power_of_the_passages() -> None:
    def corpus(passages: int, ms: float) -> dict[str, Any]:
        beyond = "search but encoding"
        stages = {name: {"p50": ms} for name in (beyond, f"{beyond}, CPU", f"{beyond} of 1 %")}
        size = {"memory_mb": {"Rss": passages}, "build_seconds": passages, "disk_mb": passages}
        return {"name": "made up", "passages": passages, "stages": stages} | size

    found = bench.growth([corpus(10_000, 2.0), corpus(1_000_000, 20.0)])
    assert found["search but encoding, p50"] == 0.5
    assert found["memory"] == found["build"] == 1.0


def test_a_figure_stands_beside_the_earlier_one() -> None:
    assert bench.compared(3.0, 2.0) == "3 (1.50 times 2)"
    assert bench.compared(3.0, None) == "3"
