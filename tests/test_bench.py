"""What `icsearch bench` measures of pages and of indexing is what it says."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval import bench_pages, rates, timing
from eval.bench_pages import TWINS, measure_pages, show_pages
from search_api.searcher import Searcher
from search_api.settings import SearchSettings


@pytest.fixture()
def few_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = ("/", "/search?q=dementia", "/documents")
    monkeypatch.setattr(bench_pages, "TWINS", {page: TWINS[page] for page in pages})
    monkeypatch.setattr(bench_pages, "WARM_UP", 1)


def test_pages_are_timed_beside_their_twins(
    few_pages: None, index_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = measure_pages(str(index_dir), 2)
    timed = {page["page"]: page for page in found["pages"]}
    viewer = next(page for page in timed if page.startswith("/documents/"))
    assert set(timed) == {"/", "/search?q=dementia", "/documents", viewer}
    assert timed[viewer]["twin"].endswith("/text") and "?cite=" in viewer
    for page in timed.values():
        assert page["page_ms"] > 0 and page["twin_ms"] > 0
        assert page["over_ms"] == pytest.approx(page["page_ms"] - page["twin_ms"], abs=0.011)
        assert page["page_p50"] >= page["page_ms"] and page["twin_p50"] >= page["twin_ms"]
        # A page with its style sheet and scripts, compressed: neither nothing nor all unpacked.
        assert 5_000 < page["bytes"] < bench_pages.MOST_BYTES
    show_pages(found)
    assert "Best of 2 rounds" in capsys.readouterr().out


def test_a_page_that_is_not_there_is_no_timing(index_dir: Path) -> None:
    with (
        bench_pages.serving(str(index_dir)) as connection,
        pytest.raises(RuntimeError, match="/nowhere answers 404"),
    ):
        bench_pages._get(connection, "/nowhere")


def test_rates_of_indexing_are_of_all_that_was_done(
    searcher: Searcher, index_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model and the build are slow and have tests of their own: here they only take note."""
    embedded: list[int] = []

    class Encoder(type(searcher.store.encoder)):  # type: ignore[misc]
        def passages(self, texts: list[str]) -> None:
            embedded.append(len(texts))

    store = searcher.store
    encoder = object.__new__(Encoder)
    encoder.__dict__ = store.encoder.__dict__
    opened = timing.open_store(str(index_dir))
    opened.encoder = encoder
    monkeypatch.setattr(rates, "open_store", lambda _: opened)
    bare: list[int] = []
    monkeypatch.setattr(rates, "_bare", lambda _, texts: bare.append(len(texts)) or 1.0)
    monkeypatch.setattr(rates, "_build", lambda _: (9.0, 2.0))
    found = rates.measure(SearchSettings(index=str(index_dir)))
    passages = store.manifest.passages
    assert embedded == bare == [passages, passages]
    assert found["passages_split_a_second"] > 0
    # Documents taken over from a former generation took no time to read.
    reports = store.reports.values()
    seconds, pages = sum(r.seconds for r in reports), sum(r.pages for r in reports)
    assert found["pages_read_a_second_and_core"] == rates._rate(pages, seconds)
    assert rates._rate(30, 2.0) == 15.0 and rates._rate(30, 0.0) is None
    assert (found["build_seconds"], found["build_again_unchanged_seconds"]) == (9.0, 2.0)
    assert found["share_of_bare_model"] > 0


def test_the_bare_model_is_given_every_text(searcher: Searcher) -> None:
    given: list[tuple[int, int]] = []

    class Session:
        def get_inputs(self) -> list[Any]:
            return searcher.store.encoder._of_passages.get_inputs()

        def run(self, names: list[str], feed: dict[str, np.ndarray]) -> None:
            assert names == ["sentence"]
            given.append((len(feed["input_ids"]), int(feed["attention_mask"].sum())))

    encoder = searcher.store.encoder
    watched = object.__new__(type(encoder))
    watched.__dict__ = {**vars(encoder), "_of_passages": Session()}
    texts = ["Dementia care", "Housing", *["Support for carers of all ages."] * rates.BATCH]
    assert rates._bare(watched, texts) > 0
    assert sum(rows for rows, _ in given) == len(texts)
    assert sum(pieces for _, pieces in given) == sum(map(encoder.count_pieces, texts))


def test_recall_is_the_share_of_the_nearest_that_is_found(searcher: Searcher) -> None:
    store = searcher.store
    questions = store.vectors(np.arange(0, 200, 20))
    assert timing.recall(store, questions, None) == 1.0
    assert timing.recall(store, questions, list(store.documents)[:2]) == 1.0

    class Blind:
        def nearest(self, vector: object, k: int, documents: object) -> tuple[object, None]:
            return store.nearest(vector, k // 2, documents)[0], None

    assert timing.recall(store, questions, found_by=Blind()) == 0.5
