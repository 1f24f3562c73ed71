"""Documents in, index out: read, split, embed, write, switch.

A generation is built aside and published by one rename and one pointer switch; whatever happens on
the way, the generation that was served before still is. What has not changed is taken over from it:
readings by the document's SHA-256, vectors by what was embedded.
"""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from corpus import Catalogue, Document, Passage, Reading, open_catalogue
from corpus.catalogue import sha256_of
from corpus.errors import DocumentError, IcsearchError, IndexUnreachable
from indexer import acronyms, disk, recipe, split
from indexer.cluster import embedding
from indexer.embed import Encoder, EncoderFacts, open_encoder, prepare
from indexer.embedding import Progress, Split, clear, embed
from indexer.isolate import Limits, read_isolated
from indexer.manifest import DocumentReport, Manifest, digest
from indexer.settings import IndexSettings
from indexer.store import ann, in_database
from indexer.store.base import Contents, Entry, Made, Place, Planted, Store, made_of
from indexer.store.publish import Folder

Tell = Callable[[str, int, int], None]
"""Told a stage, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Read:
    """A document that was read, or whose former reading stands; how long reading took.

    `sha256` is of the reading, `key` also of all that decides what is made of it. `reading` is None
    where the generation before holds it.
    """

    document: Document
    reading: Reading | None
    seconds: float
    sha256: str
    key: str = ""

    def read(self, former: Store | None) -> Reading:
        """The reading, fetched if need be."""
        if self.reading is not None:
            return self.reading
        assert former is not None
        return former.reading(self.document.id)


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
        how = recipe.recipe_of(settings, encoder.facts)
        reads, failures = _read_all(catalogue, former, tell)
        reads = [
            replace(r, key=recipe.key_of(r.document, catalogue.systems, r.sha256, how))
            for r in reads
        ]
        changed = {
            r.document.id: Split(r.document, r.read(former), _split(r, encoder, former))
            for r in reads
            if not _whole(r, former)
        }
        wanted = [_planted(r, changed, former) for r in reads]
        made = how | _nearest(settings, encoder.facts, sum(p.nodes for p in wanted))

        def id_of(made: Mapping[str, object]) -> str:
            inputs = [[asdict(r.document), r.sha256] for r in reads]
            return digest([made, _catalogue_facts(catalogue), inputs, failures])[:16]

        order: Sequence[Planted] = wanted
        if not place.holds(id_of(made)):
            made, order = _grown(made, wanted, former)
        index_id = id_of(made)
        if not place.holds(index_id):
            known = _known(former, [r.document.id for r in reads if _whole(r, former)])
            with embedding(encoder, model, settings.scheduler) as able:
                progress = Progress(place.progress, able)
                share = settings.context_share
                embedded = embed(
                    [*changed.values()], catalogue, share, able, former, known, progress, tell
                )
            fresh = dict(zip(changed, embedded, strict=True))
            defined = _definitions(reads, changed, former)
            contents = Contents(
                systems=catalogue.systems.values(),
                themes=catalogue.themes.values(),
                documents=[
                    _entry(r, p.nodes, fresh, former) for r, p in zip(reads, wanted, strict=True)
                ],
                dimensions=encoder.facts.dimensions,
                acronyms=acronyms.mine(defined),
                definitions=defined,
                nearest=made.get("nearest"),
                planted=order,
                before=former,
            )
            tell("Writing", 0, 1)
            place.write(
                contents,
                encoder,
                lambda files: Manifest(
                    index_id=index_id,
                    built_at=datetime.now(UTC).isoformat(timespec="seconds"),
                    made=made,
                    documents=tuple(_report(r, changed, former) for r in reads),
                    failures=dict(failures),
                    passages=sum(p.nodes for p in wanted),
                    systems=len(catalogue.systems),
                    files=files,
                ),
            )
            tell("Writing", 1, 1)
        manifest = place.switch(index_id, settings.keep_generations)
        clear(place.progress)
        return manifest


def _whole(read: Read, former: Store | None) -> bool:
    """Whether the former generation holds all that a document is made into."""
    if former is None or read.document.id not in former.reports:
        return False
    return former.reports[read.document.id].key == read.key


def _planted(read: Read, changed: Mapping[str, Split], former: Store | None) -> Planted:
    identity = read.document.id
    if identity in changed:
        return Planted(identity, read.key, len(changed[identity].passages))
    assert former is not None
    return Planted(identity, read.key, former.reports[identity].passages)


def _grown(
    made: dict[str, Any], wanted: Sequence[Planted], former: Store | None
) -> tuple[dict[str, Any], Sequence[Planted]]:
    """How the index is made if its graph goes on from the former one, and in which order.

    Where that gives another graph than these documents at once would, the order counts for the id.
    """
    plan = made.get("nearest")
    before = dict(former.manifest.made.get("nearest") or {}) if former is not None else {}
    before.pop("order", None)
    if former is None or plan is None or plan["kind"] != "hnsw" or before != plan:
        return made, wanted
    order = ann.order(former.planted, wanted)
    if list(order) == list(wanted):
        return made, wanted
    named = digest([asdict(document) for document in order])[:16]
    return made | {"nearest": plan | {"order": named}}, order


def _known(former: Store | None, whole: Sequence[str]) -> dict[str, int]:
    """The rows of former documents that are not taken over whole, by what made their vectors."""
    known: dict[str, int] = {}
    if former is None:
        return known
    for identity in set(former.documents).difference(whole):
        first = former.rows_of(identity)[0]
        known |= {key: row for row, key in enumerate(former.embedding_keys(identity), first)}
    return known


def _definitions(
    reads: Sequence[Read], changed: Mapping[str, Split], former: Store | None
) -> dict[str, Sequence[tuple[str, str]]]:
    """By document the acronyms that it defines."""
    before = former.definitions() if former is not None else {}
    defined: dict[str, Sequence[tuple[str, str]]] = {}
    for read in reads:
        identity = read.document.id
        if identity in changed or identity not in before:
            defined[identity] = [*acronyms.definitions(read.read(former).text)]
        else:
            defined[identity] = [*before[identity]]
    return defined


def _entry(read: Read, passages: int, fresh: Mapping[str, Made], former: Store | None) -> Entry:
    identity = read.document.id
    if identity in fresh:
        return Entry(read.document, passages, read.key, lambda: fresh[identity])
    assert former is not None
    return Entry(read.document, passages, read.key, partial(made_of, former, identity))


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
    done[document.id] = _taken_over(former.documents[document.id], former)
    return " Its former version stays in the index."


def _taken_over(document: Document, former: Store) -> Read:
    """A document whose former reading stands."""
    known = former.reports[document.id].reading_sha256
    return Read(document, None, 0.0, known or recipe.sha256_of_reading(former.reading(document.id)))


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
        return {d.id: _taken_over(d, former) for d in documents}
    started = time.perf_counter()
    readings = read_isolated(path, documents, Limits())
    seconds = (time.perf_counter() - started) / len(documents)
    return {
        d.id: Read(d, r, seconds, recipe.sha256_of_reading(r))
        for d, r in zip(documents, readings, strict=True)
    }


def _unchanged(document: Document, former: Store) -> bool:
    before = former.documents.get(document.id)
    if before is None or before.sha256 != document.sha256:
        return False
    same_part = (before.pages, before.first_line) == (document.pages, document.first_line)
    return same_part and former.reports[document.id].reader.endswith(f"/{recipe.reader_version()}")


def _split(read: Read, encoder: Encoder, former: Store | None) -> Sequence[Passage]:
    """The passages of a document: the former generation's where they would be the same."""
    if (
        former is not None
        and read.reading is None
        and former.documents.get(read.document.id) == read.document
    ):
        made = former.manifest.made
        how = [made.get("splitter"), made.get("words"), made.get("model")]
        if how == [recipe.SPLITTER_VERSION, recipe.words(), asdict(encoder.facts)]:
            return former.passages(range(*former.rows_of(read.document.id)))
    reading = read.read(former)
    return split.split(read.document, reading, encoder.count_pieces, encoder.facts.max_pieces)


def _nearest(settings: IndexSettings, facts: EncoderFacts, passages: int) -> dict[str, Any]:
    plan = ann.plan(passages, facts.dimensions, settings.exact_up_to, settings.graph_megabytes)
    # Left out where every vector is compared, as in indexes made before there was a choice.
    return {"nearest": dict(plan)} if plan else {}


def _catalogue_facts(catalogue: Catalogue) -> list[object]:
    return [
        [asdict(s) for s in catalogue.systems.values()],
        [asdict(t) for t in catalogue.themes.values()],
    ]


def _report(read: Read, changed: Mapping[str, Split], former: Store | None) -> DocumentReport:
    identity, document = read.document.id, read.document
    if identity not in changed:
        assert former is not None
        return replace(former.reports[identity], seconds=0.0)
    reading = changed[identity].reading
    return DocumentReport(
        id=identity,
        sha256=document.sha256,
        text_sha256=recipe.text_sha256(reading.text),
        reader=reading.reader,
        pages=len(reading.pages),
        words=len(reading.text.split()),
        passages=len(changed[identity].passages),
        tables=_tables(reading),
        unreadable_pages=reading.unreadable_pages,
        warnings=reading.warnings,
        seconds=round(read.seconds, 3),
        reading_sha256=read.sha256,
        key=read.key,
    )


def _tables(reading: Reading) -> int:
    """How many tables: runs of rows that share a column."""
    count, columns = 0, set[str]()
    for section in reading.sections:
        headers = {cell.header for cell in section.cells}
        count += bool(headers) and not headers & columns
        columns = headers
    return count
