"""Where generations are kept: `open_store` is the only place that maps a string to a store."""

import re
from pathlib import Path

from corpus.errors import IndexDamaged, IndexGone, IndexMissing
from indexer.embed import folder_of, open_encoder
from indexer.manifest import Manifest
from indexer.store.base import Acronym, Rows, Scores, Store

POINTER = "CURRENT"
GENERATIONS = "generations"
MODELS = "models"
PROGRESS = "embedding"

DATABASES = ("postgresql://", "postgres://")

__all__ = [
    "Acronym",
    "Rows",
    "Scores",
    "Store",
    "current_id",
    "history",
    "in_database",
    "kept_ids",
    "open_store",
    "there",
]


def in_database(url: str) -> bool:
    """Whether an index is kept in PostgreSQL rather than in a folder.

    Raises:
        IndexMissing: it is an address of another kind.
    """
    scheme = re.match(r"([a-z][a-z0-9+.-]+)://", url, re.IGNORECASE)
    if scheme and not url.startswith(DATABASES):
        raise IndexMissing(
            f"There is no store for {scheme[1]} addresses; give a folder or postgresql://…"
        )
    return scheme is not None


def history(url: str) -> list[str]:
    """What the pointer says: the generation served now, then those served before, latest first.

    Raises:
        IndexDamaged: the pointer holds something else.
    """
    path = Path(url) / POINTER
    try:
        names = path.read_text(encoding="ascii").split()
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise IndexDamaged(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError:
        names = []
    if not names or not all(re.fullmatch(r"[0-9a-f]{16}", name) for name in names):
        raise _misled(url, f"{path} is damaged: it does not name a generation")
    return names


def current_id(url: str) -> str:
    """The index_id of the generation that is served now.

    Raises:
        IndexMissing: there is no index at that place.
        IndexDamaged: the pointer does not name a generation.
        IndexUnreachable: the database that holds it does not answer.
    """
    if in_database(url):
        from indexer.store import postgres

        return postgres.current_id(url)
    served = history(url)
    if not served:
        raise IndexMissing(f"There is no index at {url}: icsearch index --index {url} makes one.")
    return served[0]


def kept_ids(url: str) -> list[str]:
    """The generations that can be opened: the current one, then those served last before it.

    Raises:
        IndexMissing, IndexDamaged, IndexUnreachable: as `current_id`.
    """
    if in_database(url):
        from indexer.store import postgres

        return postgres.kept_ids(url)
    current_id(url)
    served = history(url)
    lying = there(url)
    return [name for name in served if name in lying] + sorted(lying - {*served})


def there(url: str) -> set[str]:
    """The names of the generations that lie in an index, whole or not."""
    folder = Path(url) / GENERATIONS
    return {p.name for p in folder.iterdir() if p.name[0] != "."} if folder.is_dir() else set()


def _misled(url: str, what: str) -> IndexDamaged:
    lying = sorted(there(url))
    back = f", or go back with: icsearch index --rollback {lying[0]}" if lying else ""
    return IndexDamaged(f"{what}. Nothing else was touched. Run: icsearch index{back}.")


def open_store(url: str, index_id: str | None = None, threads: int = 0) -> Store:
    """A generation of the index, the current one unless another is named.

    Args:
        threads: how many encode a question; 0: as many as cores.

    Raises:
        IndexMissing: there is no index at that place.
        IndexGone: the named generation is no longer kept.
        IndexDamaged: a file of it is not what was written, or the pointer misleads.
        ModelError: its model cannot be opened.
        IndexUnreachable: the database that holds it does not answer.
    """
    if in_database(url):
        from indexer.store import postgres

        return postgres.open_generation(url, index_id, threads=threads)
    from indexer.store.folder import FolderStore

    wanted = index_id or current_id(url)
    folder = Path(url) / GENERATIONS / wanted
    if not wanted.isalnum() or not folder.is_dir():
        if index_id is None:
            raise _misled(url, f"The index at {url} points to {wanted}, which is not there")
        raise IndexGone(
            f"The generation {index_id} is no longer kept; the current one is {current_id(url)}.",
            field="index_id",
        )
    made = Manifest.read(folder).made
    model = Path(url) / MODELS / folder_of(made["model"])
    encoder = open_encoder(model, threads)
    return FolderStore(folder, encoder)
