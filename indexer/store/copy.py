"""Bringing a generation from one store to another: a folder to a database, back, or on."""

import shutil
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from indexer.manifest import Manifest
from indexer.settings import DatabaseSettings
from indexer.store import MODELS, Store, in_database, open_store
from indexer.store.base import Contents, Parts, Place

KEY_LENGTH = 16


class Documents(Collection[Parts]):
    """The documents of a store, fetched one by one as they are gone through."""

    def __init__(self, store: Store) -> None:
        """Those of an open store."""
        self._store = store

    def __len__(self) -> int:
        """How many there are."""
        return len(self._store.documents)

    def __contains__(self, parts: object) -> bool:
        """Whether these parts are among them."""
        return any(parts == other for other in self)

    def __iter__(self) -> Iterator[Parts]:
        """Each with its reading and passages, in the order of rows."""
        for document_id, document in self._store.documents.items():
            rows = range(*self._store.rows_of(document_id))
            yield document, self._store.reading(document_id), self._store.passages(rows)


def contents_of(store: Store) -> Contents:
    """Everything that an open generation holds."""
    none = np.empty((0, store.encoder.facts.dimensions), dtype=np.float32)
    statements, vectors = [none], [none]
    for document_id in store.documents:
        rows = range(*store.rows_of(document_id))
        statements += [store.statement_vectors(row) for row in rows]
        vectors.append(store.vectors(np.asarray(rows, dtype=np.int64)))
    return Contents(
        systems=store.systems.values(),
        themes=store.themes.values(),
        documents=Documents(store),
        vectors=np.concatenate(vectors),
        statement_vectors=np.concatenate(statements),
        statement_ends=np.cumsum([len(s) for s in statements[1:]], dtype=np.int64),
        embedding_keys=store.embedding_keys(),
        acronyms=store.acronyms,
        nearest=store.manifest.made.get("nearest"),
    )


def copy_index(source: str, place: Place, keep: int) -> Manifest:
    """Bring the current generation of an index to another place and serve it there.

    Raises:
        IndexMissing, IndexDamaged: there is nothing that can be copied.
        IndexBusy, IndexWriteError: the place cannot be written; what it served before it still
            serves.
    """
    store = open_store(source)
    with place.writing():
        key = store.encoder.facts.weights_sha256[:KEY_LENGTH]
        ours = (DatabaseSettings().models if in_database(source) else Path(source) / MODELS) / key
        if not (place.models / key).exists():
            place.models.mkdir(parents=True, exist_ok=True)
            work = Path(tempfile.mkdtemp(prefix=".copied-", dir=place.models))
            shutil.copytree(ours, work, dirs_exist_ok=True)
            work.rename(place.models / key)
        place.former(store.encoder)
        if not place.holds(store.manifest.index_id):
            place.write(
                contents_of(store),
                lambda files: replace(store.manifest, files=files),
            )
        return place.switch(store.manifest.index_id, keep)
