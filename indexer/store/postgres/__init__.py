"""An index in a PostgreSQL database with pgvector: any number of processes read from one database.

A generation is all rows with its index_id; one row points to the one that is served. Reading goes
to a replica if the settings name one.
"""

from corpus.errors import IndexGone, IndexMissing
from indexer.settings import DatabaseSettings
from indexer.store.postgres.database import Database, database, shown
from indexer.store.postgres.models import model_folder
from indexer.store.postgres.store import PostgresStore
from indexer.store.postgres.write import Keeper

__all__ = ["Keeper", "PostgresStore", "current_id", "kept_ids", "open_generation"]


def _reading(url: str, settings: DatabaseSettings) -> Database:
    return database(settings.replica or url, settings)


def current_id(url: str) -> str:
    """The index_id of the generation that is served now.

    Raises:
        IndexMissing: there is none.
        IndexUnreachable: the database does not answer.
    """
    return kept_ids(url)[0]


def kept_ids(url: str) -> list[str]:
    """The generations that can still be opened, the current one first."""
    settings = DatabaseSettings()
    found = _reading(url, settings).rows(
        "SELECT g.index_id FROM icsearch.generations g, icsearch.serving s "
        "ORDER BY g.index_id <> s.index_id, g.number"
    )
    if not found:
        raise IndexMissing(
            f"There is no index in {shown(url)}; make one with: icsearch index --index {shown(url)}"
        )
    return [index_id for (index_id,) in found]


def open_generation(
    url: str,
    index_id: str | None = None,
    settings: DatabaseSettings | None = None,
    threads: int = 0,
) -> PostgresStore:
    """A generation, the current one unless another is named.

    Raises:
        IndexMissing: there is none.
        IndexGone: the named generation is no longer kept.
        IndexUnreachable: the database does not answer.
    """
    from indexer.embed import open_encoder

    settings = settings or DatabaseSettings()
    known = kept_ids(url)
    wanted = index_id or known[0]
    if wanted not in known:
        raise IndexGone(
            f"The generation {index_id} is no longer kept; the current one is {known[0]}.",
            field="index_id",
        )
    reading = _reading(url, settings)
    folder = model_folder(reading, wanted, settings.models)
    return PostgresStore(reading, wanted, open_encoder(folder, threads), settings)
