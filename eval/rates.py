"""How fast documents are read, split and embedded, and how near embedding is to the bare model."""

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from indexer import split
from indexer.cli import run
from indexer.embed import OnnxEncoder
from indexer.settings import IndexSettings
from indexer.store import MODELS, open_store
from search_api.settings import SearchSettings

BATCH = 32


def measure(settings: SearchSettings) -> dict[str, Any]:
    """Rates of the stages of indexing, over the documents of an index."""
    store = open_store(settings.index)
    encoder = store.encoder
    assert isinstance(encoder, OnnxEncoder)
    started = time.perf_counter()
    passages = []
    for identity, document in store.documents.items():
        reading = store.reading(identity)
        most = encoder.facts.max_pieces
        passages += split.split(document, reading, encoder.count_pieces, most)
    split_seconds = time.perf_counter() - started
    texts = [split.embedded_text(p, p.start) for p in passages]
    ours, bare = [], []
    for _ in range(2):
        # In turn, so that a slow moment of the machine falls on both.
        started = time.perf_counter()
        encoder.passages(texts)
        ours.append(time.perf_counter() - started)
        bare.append(_bare(encoder, texts))
    reports = store.reports.values()
    reading_seconds = sum(r.seconds for r in reports)
    whole, again = _build(settings)
    return {
        "pages_read_a_second_and_core": _rate(sum(r.pages for r in reports), reading_seconds),
        "words_read_a_second_and_core": _rate(sum(r.words for r in reports), reading_seconds),
        "passages_split_a_second": _rate(len(passages), split_seconds),
        "passages_embedded_a_second": _rate(len(texts), min(ours)),
        "share_of_bare_model": round(sum(bare) / sum(ours), 3),
        "build_seconds": round(whole, 2),
        "build_again_unchanged_seconds": round(again, 2),
    }


def _rate(count: int, seconds: float) -> float | None:
    return round(count / seconds, 1) if seconds else None


def _bare(encoder: OnnxEncoder, texts: list[str]) -> float:
    """Seconds that the model alone takes for texts already made into word pieces."""
    pieces = [e.ids for e in encoder._tokenizer.encode_batch(texts)]
    pieces.sort(key=len, reverse=True)
    session, spent = encoder._of_passages, 0.0
    for at in range(0, len(pieces), BATCH):
        some = pieces[at : at + BATCH]
        ids = np.zeros((len(some), len(some[0])), dtype=np.int64)
        for row, own in zip(ids, some, strict=True):
            row[: len(own)] = own
        feed = {"input_ids": ids, "attention_mask": (ids > 0).astype(np.int64)}
        feed["token_type_ids"] = np.zeros_like(ids)
        feed = {i.name: feed[i.name] for i in session.get_inputs()}
        started = time.perf_counter()
        session.run(["sentence"], feed)
        spent += time.perf_counter() - started
    return spent


def _build(settings: SearchSettings) -> tuple[float, float]:
    """Seconds to index the shipped corpus from nothing but the model, and to do it again."""
    with tempfile.TemporaryDirectory() as work:
        os.symlink(Path(settings.index, MODELS).resolve(), Path(work, MODELS))
        seconds = []
        for _ in range(2):
            started = time.perf_counter()
            run(IndexSettings(index=work), quiet=True)
            seconds.append(time.perf_counter() - started)
    return seconds[0], seconds[1]
