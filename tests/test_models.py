"""Other models by folder: embedding models and cross-encoders, tiny ones that are made here."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpus.errors import IndexWriteError, ModelError
from indexer.build import build_index
from indexer.embed import DEFAULT_MODEL, Encoder, prepare
from indexer.settings import IndexSettings
from indexer.store import open_store
from indexer.store.publish import Folder
from search_api.diversify import known_of
from search_api.model import Query
from search_api.rerank import CrossEncoderReranker, reranked, text_of
from search_api.retrieve import Candidate
from search_api.searcher import Searcher, open_searcher
from search_api.settings import SearchSettings
from tests.models import bert, embedding_model


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an embedding model of 16 dimensions that wants prefixes."""
    return embedding_model(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cross-encoder of one label."""
    return bert(tmp_path_factory.mktemp("models") / "cross", labels=1)


def test_another_model_brings_its_own_dimensions_and_prefixes(
    small_model: Path, tiny_settings: IndexSettings
) -> None:
    from sentence_transformers import SentenceTransformer

    first = build_index(tiny_settings)
    second = build_index(tiny_settings.model_copy(update={"model": str(small_model)}))
    assert first.index_id != second.index_id
    assert first.made["model"]["model"] == DEFAULT_MODEL
    assert second.made["model"]["model"] == str(small_model)
    store = open_store(tiny_settings.index)
    encoder: Encoder = store.encoder
    assert encoder.facts.dimensions == 16 == store.vectors(np.array([0])).shape[1]
    assert (encoder.facts.query_prefix, encoder.facts.passage_prefix) == ("ask: ", "told: ")
    theirs = SentenceTransformer(str(small_model), device="cpu")
    expected = theirs.encode("dementia care", prompt_name="query", normalize_embeddings=True)
    assert float(encoder.query("dementia care") @ np.asarray(expected)) > 0.9999
    searcher = Searcher(store, SearchSettings(index=tiny_settings.index))
    assert searcher.search(Query("dementia")).hits


def test_a_model_goes_with_the_last_generation_that_was_made_with_it(
    small_model: Path, tiny_settings: IndexSettings, tmp_path: Path
) -> None:
    import torch
    from sentence_transformers import SentenceTransformer

    other = SentenceTransformer(str(small_model), device="cpu")
    with torch.no_grad():
        next(other.parameters()).mul_(1.5)
    other.save(str(tmp_path / "other"))
    own = tiny_settings.model_copy(update={"index": str(tmp_path / "own"), "keep_generations": 2})
    models = tmp_path / "own" / "models"

    def there(model: Path, kept: int = 2) -> set[str]:
        build_index(own.model_copy(update={"model": str(model), "keep_generations": kept}))
        return {folder.name for folder in models.iterdir()}

    first = there(small_model)
    both = there(tmp_path / "other")
    assert len(first) == 1 and first < both and len(both) == 2
    # What is shared with another index is left alone.
    models.rename(tmp_path / "shared")
    models.symlink_to(tmp_path / "shared")
    assert there(tmp_path / "other", kept=1) == both
    models.unlink()
    (tmp_path / "shared").rename(models)
    assert there(tmp_path / "other", kept=1) == both - first


def test_a_disk_that_is_full_when_the_words_of_a_model_are_written_is_told(
    small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Path.write_text

    def full(path: Path, *given: Any, **named: Any) -> int:
        if path.name == "tokenizer.json":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return whole(path, *given, **named)

    monkeypatch.setattr(Path, "write_text", full)
    index = Folder(tmp_path / "index")
    with pytest.raises(IndexWriteError, match="No space left on device"), index.writing():
        prepare(str(small_model), index.models)
    assert not [*index.models.iterdir()]


def test_a_folder_that_holds_no_model_is_told(tiny_settings: IndexSettings, tmp_path: Path) -> None:
    empty = tmp_path / "nothing"
    empty.mkdir()
    (empty / "config.json").write_text(json.dumps({}))
    with pytest.raises(ModelError, match="nothing"):
        build_index(tiny_settings.model_copy(update={"model": str(empty)}))


def test_a_reranker_orders_the_first_passages_and_leaves_the_rest(
    searcher: Searcher, cross_encoder: Path
) -> None:
    model = CrossEncoderReranker(str(cross_encoder))
    hits = searcher.search(Query("carers", limit=30)).hits
    found = known_of(searcher.store, [Candidate(h.rank, h.score, 0.0) for h in hits])
    out = reranked(model, "carers", found, [h.passage for h in hits[:10]])
    assert out[10:] == found[10:]
    expected = model.scores("carers", [text_of(h.passage) for h in hits[:10]])
    best = sorted(range(10), key=lambda i: (-round(float(expected[i]), 5), i))
    assert len({round(float(score), 5) for score in expected}) > 1
    assert [one.candidate.row for one in out[:10]] == [hits[i].rank for i in best]
    head = sorted((one.candidate.score for one in found[:10]), reverse=True)
    assert [one.candidate.score for one in out[:10]] == head


def test_search_goes_through_the_reranker_that_is_set(
    searcher: Searcher, cross_encoder: Path
) -> None:
    settings = searcher.settings.model_copy(update={"reranker": str(cross_encoder)})
    query = Query("carers", limit=100)
    before = [hit.passage.id for hit in searcher.search(query).hits]
    once, again = (
        [hit.passage.id for hit in Searcher(searcher.store, settings).search(query).hits]
        for _ in range(2)
    )
    assert once == again != before
    assert sorted(once) == sorted(before)


def test_a_reranker_that_is_not_there_is_told(index_dir: Path, tmp_path: Path) -> None:
    settings = SearchSettings(index=str(index_dir), reranker=str(tmp_path / "gone"))
    with pytest.raises(ModelError, match="ICSEARCH_RERANKER"):
        open_searcher(settings)
