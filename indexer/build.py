"""Documents in, index out: read, split, embed, write, switch.

A generation is built aside and published by one rename and one pointer switch; whatever happens on
the way, the generation that was served before still is. What has not changed is taken over from it:
readings by the document's SHA-256, vectors by what was embedded.
"""

import importlib.metadata
import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus import Catalogue, Document, Passage, Reading, open_catalogue
from corpus.catalogue import sha256_of
from corpus.errors import DocumentError, IcsearchError
from indexer import acronyms, disk, split
from indexer.assemble import READER_VERSION
from indexer.cluster import embedding
from indexer.embed import Encoder, EncoderFacts, Vectors, open_encoder, prepare
from indexer.isolate import Limits, read_isolated
from indexer.manifest import FORMAT, DocumentReport, FileFacts, Manifest, digest
from indexer.settings import IndexSettings
from indexer.statements import statements
from indexer.store import ann, in_database, writer
from indexer.store.base import Contents, Place, Store
from indexer.store.publish import Folder

SPLITTER_VERSION = "1"
VERSIONS_THAT_COUNT = ("icsearch", "faiss-cpu", "tantivy", "onnxruntime", "numpy")
TAKEN_AT_ONCE = 5_000

Tell = Callable[[str, int, int], None]
"""Told a stage, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Read:
    """A document that was read, or taken over, and how long reading took."""

    document: Document
    reading: Reading
    seconds: float


def build_index(settings: IndexSettings, tell: Tell = lambda *_: None) -> Manifest:
    """Build or update the index of a corpus and serve it; the manifest of what is served now.

    Raises:
        CatalogueError, ModelError, ClusterError: what is given cannot be used.
        DocumentError: not one document could be read.
        IndexBusy: another process is writing to this index.
        IndexWriteError: it cannot be written; the former generation still serves.
    """
    place = open_place(settings)
    with place.writing(), disk.corpus_locked(settings.corpus, change=False):
        catalogue = open_catalogue(settings.corpus)
        tell("Preparing the model", 0, 1)
        model = prepare(settings.model, place.models)
        encoder = open_encoder(model)
        tell("Preparing the model", 1, 1)
        former = place.former(encoder)
        reads, failures = _read_all(catalogue, former, tell)
        parts = [(r.document, r.reading, _split(r, encoder)) for r in reads]
        made = _made(settings, encoder.facts, sum(len(passages) for _, _, passages in parts))
        index_id = digest(
            [made, _catalogue_facts(catalogue), [_facts(r) for r in reads], failures]
        )[:16]
        if not place.holds(index_id):
            with embedding(encoder, model, settings.scheduler) as able:
                embedded = _embed(parts, catalogue, settings, able, former, tell)
            contents = Contents(
                systems=catalogue.systems.values(),
                themes=catalogue.themes.values(),
                documents=parts,
                vectors=embedded.vectors,
                statement_vectors=embedded.statements,
                statement_ends=embedded.ends,
                embedding_keys=embedded.keys,
                acronyms=acronyms.mine((r.document.id, r.reading.text) for r in reads),
                nearest=made.get("nearest"),
            )
            place.write(
                contents,
                lambda written: _manifest(
                    index_id, made, reads, parts, failures, catalogue, written
                ),
            )
        return place.switch(index_id, settings.keep_generations)


def open_place(settings: IndexSettings) -> Place:
    """Where the settings say that generations are kept."""
    if in_database(settings.index):
        from indexer.store import postgres

        return postgres.Keeper(settings.index)
    return Folder(Path(settings.index))


def _read_all(
    catalogue: Catalogue, former: Store | None, tell: Tell
) -> tuple[list[Read], dict[str, str]]:
    """Every document read or taken over, in the catalogue's order; and why others failed.

    Raises:
        DocumentError: none could be read.
    """
    by_file: dict[str, list[Document]] = defaultdict(list)
    for document in catalogue.documents.values():
        by_file[document.file].append(document)
    done: dict[str, Read] = {}
    failures: dict[str, str] = {}

    def attempt(documents: Sequence[Document]) -> dict[str, Read] | str:
        try:
            return _read_file(catalogue, documents, former)
        except IcsearchError as error:
            return error.message

    tell("Reading", 0, len(by_file))
    # Threads only wait: every file is read in a child process of its own.
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        attempts = pool.map(attempt, by_file.values())
        for i, (documents, read) in enumerate(zip(by_file.values(), attempts, strict=True), 1):
            if isinstance(read, dict):
                done |= read
            else:
                for document in documents:
                    failures[document.id] = read + _kept(document, former, done)
            tell("Reading", i, len(by_file))
    if not done:
        raise DocumentError(
            "Not one document could be read: " + " ".join(dict.fromkeys(failures.values()))
        )
    return [done[d] for d in catalogue.documents if d in done], failures


def _kept(document: Document, former: Store | None, done: dict[str, Read]) -> str:
    """Keep the former version of a document that failed, if there is one; the words to say so."""
    if former is None or document.id not in former.documents:
        return ""
    done[document.id] = Read(former.documents[document.id], former.reading(document.id), 0.0)
    return " Its former version stays in the index."


def _read_file(
    catalogue: Catalogue, documents: Sequence[Document], former: Store | None
) -> dict[str, Read]:
    path = catalogue.path(documents[0])
    actual = sha256_of(path)
    for document in documents:
        if document.sha256 != actual:
            raise DocumentError(
                f"{path.name} is not the file that the catalogue describes as {document.id}: "
                f"its SHA-256 is {actual}. Put that into documents.toml if the change is meant."
            )
    if former is not None and all(_unchanged(d, former) for d in documents):
        return {d.id: Read(d, former.reading(d.id), 0.0) for d in documents}
    started = time.perf_counter()
    readings = read_isolated(path, documents, Limits())
    seconds = (time.perf_counter() - started) / len(documents)
    return {d.id: Read(d, r, seconds) for d, r in zip(documents, readings, strict=True)}


def _unchanged(document: Document, former: Store) -> bool:
    before = former.documents.get(document.id)
    if before is None or before.sha256 != document.sha256:
        return False
    same_part = (before.pages, before.first_line) == (document.pages, document.first_line)
    return same_part and former.reading(document.id).reader.endswith(f"/{READER_VERSION}")


def _split(read: Read, encoder: Encoder) -> list[Passage]:
    return split.split(read.document, read.reading, encoder.count_pieces, encoder.facts.max_pieces)


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors of passages and of their statements, and what each passage's were made of."""

    keys: list[str]
    vectors: Vectors
    statements: Vectors
    ends: NDArray[np.int64]


def _embed(
    parts: Sequence[tuple[Document, Reading, Sequence[Passage]]],
    catalogue: Catalogue,
    settings: IndexSettings,
    encoder: Encoder,
    former: Store | None,
    tell: Tell,
) -> Embedded:
    """Vectors of every passage and statement; only what the former generation lacks is encoded.

    A passage's vector is the mean, by `context_share`, of those of it alone and with its context.
    """
    passages = [p for _, _, ps in parts for p in ps]
    said = [[s.text for s in statements(p, reading)] for _, reading, ps in parts for p in ps]
    alone = [split.embedded_text(p, p.start) for p in passages]
    whose = [split.context(p, catalogue.systems[p.system].name) for p in passages]
    recipe = [asdict(encoder.facts), settings.context_share]
    keys = [digest([recipe, *three]) for three in zip(whose, alone, said, strict=True)]
    keys_before = former.embedding_keys() if former is not None else []
    known = {key: row for row, key in enumerate(keys_before)}
    fresh = [i for i, key in enumerate(keys) if key not in known]
    texts = [alone[i] for i in fresh] + [f"{whose[i]}\n{alone[i]}" for i in fresh]
    own = list(dict.fromkeys(text for i in fresh for text in said[i]))
    count = 0

    def done(more: int) -> None:
        nonlocal count
        count += more
        tell("Embedding", count, len(texts) + len(own))

    done(0)
    made = encoder.passages(texts, done)
    share = settings.context_share
    mixed = (1 - share) * made[: len(fresh)] + share * made[len(fresh) :]
    by_text = dict(zip(own, encoder.passages(own, done), strict=True))
    ends = np.cumsum([len(texts) for texts in said], dtype=np.int64)
    vectors = np.empty((len(passages), encoder.facts.dimensions), dtype=np.float32)
    rows = np.empty((int(ends[-1]) if len(ends) else 0, vectors.shape[1]), dtype=np.float32)
    # Six decimals: what is left of how a batch was put together is rounded away.
    vectors[fresh] = np.round(mixed / np.linalg.norm(mixed, axis=1, keepdims=True), 6)
    spans = [slice(int(end) - len(texts), int(end)) for end, texts in zip(ends, said, strict=True)]
    for i in fresh:
        rows[spans[i]] = [by_text[text] for text in said[i]] or np.empty((0, rows.shape[1]))
    same = [i for i, key in enumerate(keys) if key in known]
    for at in range(0, len(same), TAKEN_AT_ONCE):
        assert former is not None
        some = same[at : at + TAKEN_AT_ONCE]
        before = [known[keys[i]] for i in some]
        vectors[some] = former.vectors(np.asarray(before))
        for i, row in zip(some, before, strict=True):
            rows[spans[i]] = former.statement_vectors(row)
    return Embedded(keys, vectors, np.round(rows, 4), ends)


def _made(settings: IndexSettings, facts: EncoderFacts, passages: int) -> dict[str, Any]:
    made = {
        "format": FORMAT,
        "model": asdict(facts),
        "context_share": settings.context_share,
        "splitter": SPLITTER_VERSION,
        "reader": READER_VERSION,
        "words": {"target": split.TARGET_WORDS, "most": split.MOST_WORDS},
        "fields": writer.FIELDS,
        "versions": {name: importlib.metadata.version(name) for name in VERSIONS_THAT_COUNT},
    }
    nearest = ann.plan(passages, facts.dimensions, settings.exact_up_to, settings.graph_megabytes)
    # Left out where every vector is compared, as in indexes made before there was a choice.
    return made | ({"nearest": dict(nearest)} if nearest else {})


def _catalogue_facts(catalogue: Catalogue) -> list[object]:
    return [
        [asdict(s) for s in catalogue.systems.values()],
        [asdict(t) for t in catalogue.themes.values()],
    ]


def _facts(read: Read) -> list[object]:
    return [asdict(read.document), digest(read.reading.text), digest(asdict(read.reading))]


def _manifest(
    index_id: str,
    made: Mapping[str, object],
    reads: Sequence[Read],
    parts: Sequence[tuple[Document, Reading, Sequence[Passage]]],
    failures: Mapping[str, str],
    catalogue: Catalogue,
    written: Mapping[str, FileFacts],
) -> Manifest:
    reports = tuple(
        DocumentReport(
            id=read.document.id,
            sha256=read.document.sha256,
            text_sha256=text_sha256(read.reading.text),
            reader=read.reading.reader,
            pages=len(read.reading.pages),
            words=len(read.reading.text.split()),
            passages=len(passages),
            tables=_tables(read.reading),
            unreadable_pages=read.reading.unreadable_pages,
            warnings=read.reading.warnings,
            seconds=round(read.seconds, 3),
        )
        for read, (_, _, passages) in zip(reads, parts, strict=True)
    )
    return Manifest(
        index_id=index_id,
        built_at=datetime.now(UTC).isoformat(timespec="seconds"),
        made=made,
        documents=reports,
        failures=dict(failures),
        passages=sum(len(passages) for _, _, passages in parts),
        systems=len(catalogue.systems),
        files=written,
    )


def _tables(reading: Reading) -> int:
    """How many tables: runs of rows that share a column."""
    count, columns = 0, set[str]()
    for section in reading.sections:
        headers = {cell.header for cell in section.cells}
        count += bool(headers) and not headers & columns
        columns = headers
    return count


def text_sha256(text: str) -> str:
    """SHA-256 of a canonical text in UTF-8, in hexadecimal."""
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()
