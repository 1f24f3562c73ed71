"""Any BEIR-style folder through the same Searcher: its documents indexed by the same code.

A folder holds `corpus.jsonl` (`_id`, `title`, `text`), `queries.jsonl` (`_id`, `text`) and
`qrels.tsv` (`query-id`, `corpus-id`, `score`), as in Thakur and others, "BEIR" (NeurIPS 2021).
Each document becomes a document of one system; a document is as good as its best passage.
"""

import csv
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import IcsearchError
from corpus.model import Document, Passage, Reading, Section, System
from eval.metrics import Qrels, measure
from eval.run import Outcome, Tell, _quiet
from indexer import split
from indexer.embed import Encoder, folder_of
from indexer.manifest import DocumentReport, Manifest, digest
from indexer.statements import statements
from indexer.store import writer
from indexer.store.base import Contents, Entry, Made
from indexer.store.folder import FolderStore
from indexer.store.publish import written
from search_api.model import MOST_CHARACTERS, MOST_RESULTS, Query
from search_api.searcher import Searcher
from search_api.settings import SearchSettings

SYSTEM = "collection"
CONTEXT_SHARE = 0.5


class DatasetError(IcsearchError):
    """A BEIR-style folder cannot be used."""

    code = "dataset"


@dataclass(frozen=True, slots=True)
class Dataset:
    """Documents (id, title, text), questions by id, and judgements."""

    name: str
    documents: tuple[tuple[str, str, str], ...]
    queries: dict[str, str]
    qrels: Qrels


def read_dataset(folder: Path) -> Dataset:
    """A BEIR-style folder.

    Raises:
        DatasetError: a file is missing or is not as it should be.
    """
    try:
        documents = [
            (str(d["_id"]), str(d.get("title") or ""), str(d.get("text") or ""))
            for d in _lines(folder / "corpus.jsonl")
        ]
        queries = {str(q["_id"]): str(q["text"]) for q in _lines(folder / "queries.jsonl")}
        qrels: dict[str, dict[str, int]] = {}
        with (folder / "qrels.tsv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                grade = int(float(row["score"]))
                qrels.setdefault(row["query-id"], {})[row["corpus-id"]] = grade
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise DatasetError(
            f"{folder} is not a BEIR-style folder with corpus.jsonl, queries.jsonl and qrels.tsv: "
            f"{error!r}."
        ) from error
    judged = {q: r for q, r in qrels.items() if q in queries and any(g > 0 for g in r.values())}
    return Dataset(folder.name, tuple(documents), queries, judged)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()
    ]


def open_dataset(
    dataset: Dataset,
    encoder: Encoder,
    settings: SearchSettings,
    cache: Path | None = None,
    tell: Tell = _quiet,
) -> Searcher:
    """A Searcher over a dataset, indexed in a cache folder (a temporary one if not given)."""
    cache = cache or Path(tempfile.mkdtemp(prefix="icsearch-dataset-"))
    made = {
        "model": {"folder": folder_of(asdict(encoder.facts))},
        "splitter": [split.TARGET_WORDS, split.MOST_WORDS],
        "context_share": CONTEXT_SHARE,
        "fields": writer.FIELDS,
    }
    index_id = digest([made, dataset.documents])[:16]
    target = cache / index_id
    if not (target / "manifest.json").exists():
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        _index(dataset, encoder, target, index_id, made, tell)
    return Searcher(FolderStore(target, encoder), settings)


def _index(
    dataset: Dataset,
    encoder: Encoder,
    target: Path,
    index_id: str,
    made: dict[str, Any],
    tell: Tell,
) -> None:
    system = System(SYSTEM, dataset.name.capitalize())
    parts = [
        _part(f"d{i}", title, text, encoder)
        for i, (_, title, text) in enumerate(dataset.documents)
        if (title + text).strip()
    ]
    passages = [p for _, _, ps in parts for p in ps]
    said = [[s.text for s in statements(p, reading)] for _, reading, ps in parts for p in ps]
    alone = [split.embedded_text(p, p.start) for p in passages]
    whose = [f"{' – '.join(dict.fromkeys([p.document_title, *p.heading]))}" for p in passages]
    every = [*alone, *(f"{w}\n{a}" for w, a in zip(whose, alone, strict=True))]
    own = list(dict.fromkeys(t for texts in said for t in texts))
    count = 0

    def done(more: int) -> None:
        nonlocal count
        count += more
        tell("Embedding", count, len(every) + len(own))

    made_vectors = encoder.passages(every, done)
    mixed = (1 - CONTEXT_SHARE) * made_vectors[: len(alone)] + CONTEXT_SHARE * made_vectors[
        len(alone) :
    ]
    by_text = dict(zip(own, encoder.passages(own, done), strict=True))
    vectors = np.round(mixed / np.linalg.norm(mixed, axis=1, keepdims=True), 6)
    entries, at = [], 0
    for document, reading, held in parts:
        end = at + len(held)
        own_rows = [by_text[t] for texts in said[at:end] for t in texts]
        none = np.empty((0, vectors.shape[1]), dtype=np.float32)
        whole = Made(
            reading=reading,
            passages=held,
            vectors=vectors[at:end],
            statements=np.round(np.concatenate([none, *(row[np.newaxis] for row in own_rows)]), 4),
            ends=np.cumsum([len(texts) for texts in said[at:end]], dtype=np.int64),
            embedding_keys=[str(i) for i in range(at, end)],
        )
        key = digest([made, document.id, reading.text])
        entries.append(Entry(document, len(held), key, partial(_made, whole)))
        at = end
    contents = Contents(
        systems=[system],
        themes=[],
        documents=entries,
        dimensions=vectors.shape[1],
        acronyms=[],
        definitions={},
    )
    writer.write(target, contents)
    _manifest(target, index_id, made, parts)


def _made(whole: Made) -> Made:
    return whole


def _part(
    identity: str, title: str, text: str, encoder: Encoder
) -> tuple[Document, Reading, list[Passage]]:
    """A document of the dataset as read and split: its title a heading, its text a paragraph."""
    title = " ".join(title.split())
    body = "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())
    whole = f"{title}\n{body}" if title and body else title or body
    sections = []
    if title:
        # A document that is its title alone states what it has to say.
        sections.append(Section(0, len(title), "heading" if body else "prose", (), 1))
    if body:
        above = (title,) if title else ()
        sections.append(Section(len(whole) - len(body), len(whole), "prose", above))
    reading = Reading(whole, tuple(sections))
    document = Document(identity, SYSTEM, title or identity, file="corpus.jsonl", sha256="")
    passages = split.split(document, reading, encoder.count_pieces, encoder.facts.max_pieces)
    return document, reading, passages


def _manifest(
    target: Path,
    index_id: str,
    made: dict[str, Any],
    parts: Sequence[tuple[Document, Reading, list[Passage]]],
) -> None:
    reports = (
        DocumentReport(d.id, "", "", "", 0, len(r.text.split()), len(ps), 0, 0, (), 0.0)
        for d, r, ps in parts
    )
    Manifest(
        index_id=index_id,
        built_at="",
        made=made,
        documents=tuple(reports),
        failures={},
        passages=sum(len(ps) for _, _, ps in parts),
        systems=1,
        files=written(target),
    ).write(target)


def run_dataset(
    searcher: Searcher, dataset: Dataset, depth: int = 20, tell: Tell = _quiet
) -> Outcome:
    """What Searcher.search finds for the judged questions of a dataset, by document."""
    ids = {f"d{i}": identity for i, (identity, _, _) in enumerate(dataset.documents)}
    ranked: dict[str, list[str]] = {}
    took: dict[str, float] = {}
    for i, query_id in enumerate(dataset.qrels):
        tell("Searching", i, len(dataset.qrels))
        text = " ".join(dataset.queries[query_id].split())[:MOST_CHARACTERS]
        result = searcher.search(Query(text, limit=MOST_RESULTS))
        took[query_id] = result.took_ms
        found = dict.fromkeys(ids[hit.passage.document_id] for hit in result.hits)
        ranked[query_id] = list(found)[:depth]
    return Outcome("icsearch", ranked, measure(dataset.qrels, ranked), took)
