"""The query adapter: fitted on made-up corpora, and the one that comes with the package."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.optimize import approx_fprime

from corpus.errors import CatalogueError
from eval import fit_adapter
from eval.fit_adapter import Corpus, bent, fitted, told_of
from eval.labels import read_labels
from indexer.embed import EncoderFacts
from indexer.store import open_store
from search_api import adapter
from search_api.adapter import Adapter, adapted
from search_api.model import Query
from search_api.searcher import Searcher


def unit(values: np.ndarray) -> np.ndarray:
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def turned(seed: int, passages: int = 40, size: int = 8) -> Corpus:
    """Questions that are their passages seen through one fixed turn."""
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(size, size)))[0]
    found = unit(np.random.default_rng(seed).normal(size=(passages, size)))
    return Corpus(found, found @ turn, np.arange(passages))


def test_what_was_learned_of_one_corpus_holds_for_another() -> None:
    matrix = fitted([turned(2)], penalty=1e-4)
    assert told_of(turned(3), matrix).endswith("MRR 1.000, R@10 1.000 with")
    assert not told_of(turned(3), np.zeros((8, 8))).endswith("MRR 1.000, R@10 1.000 with")


def test_a_greater_penalty_bends_less() -> None:
    small, large = (np.linalg.norm(fitted([turned(2)], penalty)) for penalty in (0.01, 10.0))
    assert large < small / 2


def test_the_slope_that_is_followed_is_that_of_the_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = {}

    def look(loss: object, start: np.ndarray, **_: object) -> object:
        taken["loss"], taken["start"] = loss, start

        class Found:
            x = start

        return Found()

    monkeypatch.setattr(fit_adapter, "minimize", look)
    fitted([turned(2, 6, 3), turned(3, 5, 3)], penalty=0.1)
    at = np.random.default_rng(4).normal(size=9) / 3
    near = approx_fprime(at, lambda flat: taken["loss"](flat)[0], 1e-7)
    assert np.allclose(taken["loss"](at)[1], near, atol=1e-4)


def test_a_bent_question_is_of_unit_length(searcher: Searcher) -> None:
    vector = searcher.store.encoder.query("who helps me look after my dad")
    found = adapted(searcher.store, vector)
    assert found.dtype == np.float32 and found.shape == vector.shape
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
    assert 0.3 < float(found @ vector) < 0.99
    whole, _ = bent(vector[np.newaxis].astype(np.float64), adapter.shipped().matrix)
    assert np.allclose(found, whole[0], atol=1e-5)


def test_with_another_model_questions_stay_as_they_are(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(searcher.settings.index)
    vector = store.encoder.query("carers")
    facts = EncoderFacts("other", "0" * 64, 384, 256, "", "", "0" * 64)
    monkeypatch.setattr(store.encoder, "facts", facts)
    assert adapted(store, vector) is vector
    assert adapted(searcher.store, vector) is not vector


def test_it_is_made_for_the_model_that_comes_with_the_package(searcher: Searcher) -> None:
    assert adapter.shipped().told == adapter.told(searcher.store.encoder.facts)


def test_search_looks_with_it_unless_it_is_switched_off(searcher: Searcher) -> None:
    plain = Searcher(searcher.store, searcher.settings.model_copy(update={"adapter": False}))
    written = [e for e in read_labels("written.jsonl") if e["corpus"] == "shipped"][::8]
    found = []
    for one in (plain, searcher):
        hits = ((e["passage"], one.search(Query(e["questions"][0])).hits) for e in written)
        found.append(sum(wanted in {hit.passage.id for hit in some} for wanted, some in hits))
    assert found[1] > found[0] > len(written) / 3


def test_a_damaged_adapter_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = adapter.MADE.read_bytes()
    monkeypatch.setattr(adapter, "MADE", tmp_path / "adapter.npz")
    adapter.shipped.cache_clear()
    try:
        with pytest.raises(CatalogueError, match="install icsearch again"):
            adapter.shipped()
        for content in (b"", b"not an archive", whole[:1_000], whole[:-1_000]):
            adapter.MADE.write_bytes(content)
            with pytest.raises(CatalogueError, match="install icsearch again"):
                adapter.shipped()
        adapter.write(Adapter("abc", np.eye(3, dtype=np.float32) / 2))
        kept = adapter.shipped()
        assert kept.told == "abc" and (kept.matrix == np.eye(3) / 2).all()
        assert np.allclose(kept.adapted(np.array([0, 1, 0], dtype=np.float32)), [0, 1, 0])
    finally:
        monkeypatch.undo()
        adapter.shipped.cache_clear()


def test_what_cannot_be_fitted_is_told(searcher: Searcher) -> None:
    for corpus in ("nowhere", "elsewhere", "shipped"):  # of the shipped documents alone
        given = ["--index", searcher.settings.index, "--without", corpus]
        told = CliRunner().invoke(fit_adapter.main, given)
        assert told.exit_code == 1 and "questions were written for" in told.output
        assert "Traceback" not in told.output
