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

from corpus import Catalogue, Document, Passage, Reading, open_catalogue
from corpus.catalogue import sha256_of
from corpus.errors import DocumentError, IcsearchError, IndexUnreachable
from indexer import acronyms, disk, gist, split
from indexer.assemble import READER_VERSION
from indexer.cluster import embedding
from indexer.embed import Encoder, EncoderFacts, open_encoder, prepare
from indexer.embedding import Progress, clear, embed
from indexer.isolate import Limits, read_isolated
from indexer.manifest import FORMAT, DocumentReport, FileFacts, Manifest, digest
from indexer.settings import IndexSettings
from indexer.store import ann, in_database, writer
from indexer.store.base import Contents, Place, Store
from indexer.store.publish import Folder

SPLITTER_VERSION = "1"
VERSIONS_THAT_COUNT = ("icsearch", "faiss-cpu", "tantivy", "onnxruntime", "numpy")

Tell = Callable[[str, int, int], None]
"""Told a stage, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Read:
    """A document that was read, or taken over, and how long reading took."""

    document: Document
    reading: Reading
    seconds: float
    kept: bool = False


def build_index(settings: IndexSettings, tell: Tell = lambda *_: None) -> Manifest:
    """Build or update the index of a corpus and serve it; the manifest of what is served now.

    Raises:
        CatalogueError, ModelError, ClusterError: what is given cannot be used.
        DocumentError: not one document could be read.
        IndexBusy: another process is writing to this index.
        IndexWriteError: it cannot be written; the former generation still serves.
        IndexUnreachable: the database stopped answering; the former generation still serves.
    """
    place = open_place(settings)
    with place.writing(), disk.corpus_locked(settings.corpus, change=False):
        catalogue = open_catalogue(settings.corpus)
        tell("Preparing the model", 0, 1)
        model = prepare(settings.model, place.models)
        encoder = open_encoder(model, 0)
        tell("Preparing the model", 1, 1)
        former = place.former(encoder)
        reads, failures = _read_all(catalogue, former, tell)
        parts = [(r.document, r.reading, _split(r, encoder, former)) for r in reads]
        made = _made(settings, encoder.facts, sum(len(passages) for _, _, passages in parts))
        index_id = digest(
            [made, _catalogue_facts(catalogue), [_facts(r) for r in reads], failures]
        )[:16]
        if not place.holds(index_id):
            with embedding(encoder, model, settings.scheduler) as able:
                progress = Progress(place.progress, able)
                share = settings.context_share
                embedded = embed(parts, catalogue, share, able, former, progress, tell)
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
        manifest = place.switch(index_id, settings.keep_generations)
        clear(place.progress)
        return manifest


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
        except IndexUnreachable:
            raise  # the document is not to blame, and must not be left out for it
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
    done[document.id] = Read(former.documents[document.id], former.reading(document.id), 0.0, True)
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
        return {d.id: Read(d, former.reading(d.id), 0.0, True) for d in documents}
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


def _split(read: Read, encoder: Encoder, former: Store | None) -> Sequence[Passage]:
    """The passages of a document: the former generation's where they would be the same."""
    if former is not None and read.kept and former.documents.get(read.document.id) == read.document:
        made = former.manifest.made
        how = [made.get("splitter"), made.get("words"), made.get("model")]
        if how == [SPLITTER_VERSION, _words(), asdict(encoder.facts)]:
            return former.passages(range(*former.rows_of(read.document.id)))
    return split.split(read.document, read.reading, encoder.count_pieces, encoder.facts.max_pieces)


def _made(settings: IndexSettings, facts: EncoderFacts, passages: int) -> dict[str, Any]:
    made = {
        "format": FORMAT,
        "model": asdict(facts),
        "context_share": settings.context_share,
        "splitter": SPLITTER_VERSION,
        "reader": READER_VERSION,
        "words": _words(),
        "gists": gist.VERSION,
        "fields": writer.FIELDS,
        "versions": {name: importlib.metadata.version(name) for name in VERSIONS_THAT_COUNT},
    }
    nearest = ann.plan(passages, facts.dimensions, settings.exact_up_to, settings.graph_megabytes)
    # Left out where every vector is compared, as in indexes made before there was a choice.
    return made | ({"nearest": dict(nearest)} if nearest else {})


def _words() -> dict[str, int]:
    return {"target": split.TARGET_WORDS, "most": split.MOST_WORDS}


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
