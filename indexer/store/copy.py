"""Bringing a generation from one store to another: a folder to a database, back, or on."""

import shutil
import tempfile
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from corpus.model import Document
from indexer.embed import folder_of
from indexer.manifest import FORMAT, Manifest, digest
from indexer.settings import DatabaseSettings
from indexer.store import MODELS, Store, in_database, open_store
from indexer.store.base import Contents, Entry, Place, as_planted, made_of

COPYING = ".copied-"


def contents_of(store: Store) -> Contents:
    """Everything that an open generation holds, its documents fetched one by one as needed."""
    documents = [
        Entry(
            document, store.reports[d].passages, _key(store, document), partial(made_of, store, d)
        )
        for d, document in store.documents.items()
    ]
    return Contents(
        systems=store.systems.values(),
        themes=store.themes.values(),
        documents=documents,
        dimensions=store.encoder.facts.dimensions,
        acronyms=store.acronyms,
        definitions=store.definitions(),
        nearest=store.manifest.made.get("nearest"),
        planted=store.planted or as_planted(documents),
        before=store,
    )


def _key(store: Store, document: Document) -> str:
    """The key of a document, made up for one that was indexed before documents had keys."""
    report = store.reports[document.id]
    return report.key or digest([asdict(document), asdict(report), store.manifest.made])


def copy_index(source: str, place: Place, keep: int) -> Manifest:
    """Bring the current generation of an index to another place and serve it there.

    Raises:
        IndexMissing, IndexDamaged: there is nothing that can be copied.
        IndexBusy, IndexWriteError: the place cannot be written; what it served before it still
            serves.
    """
    store = open_store(source)
    with place.writing():
        key = folder_of(asdict(store.encoder.facts))
        ours = (DatabaseSettings().models if in_database(source) else Path(source) / MODELS) / key
        _copy_model(ours, place.models / key)
        if not place.holds(store.manifest.index_id):
            place.write(
                contents_of(store),
                store.encoder,
                lambda files: replace(store.manifest, files=files, format=FORMAT),
            )
        return place.switch(store.manifest.index_id, keep)


def _copy_model(source: Path, target: Path) -> None:
    """Copy a model whole or not at all. What an earlier copy that was killed left goes first."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f"{COPYING}*"):
        shutil.rmtree(left, ignore_errors=True)
    if target.exists():
        return
    work = Path(tempfile.mkdtemp(prefix=COPYING, dir=target.parent))
    try:
        shutil.copytree(source, work, dirs_exist_ok=True)
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
