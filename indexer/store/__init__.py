"""Where generations are kept: `open_store` is the only place that maps a string to a store."""

from pathlib import Path

from corpus.errors import IndexGone, IndexMissing
from indexer.embed import open_encoder
from indexer.manifest import Manifest
from indexer.store.base import Acronym, Rows, Scores, Store

POINTER = "CURRENT"
GENERATIONS = "generations"
MODELS = "models"

__all__ = ["Acronym", "Rows", "Scores", "Store", "current_id", "kept_ids", "open_store"]


def current_id(url: str) -> str:
    """The index_id of the generation that is served now.

    Raises:
        IndexMissing: there is no index at that place.
    """
    try:
        return (Path(url) / POINTER).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise IndexMissing(f"There is no index at {url}; make one with: icsearch index.") from None


def kept_ids(url: str) -> list[str]:
    """The generations that can still be opened, the current one first."""
    current = current_id(url)
    folder = Path(url) / GENERATIONS
    others = sorted(p.name for p in folder.iterdir() if p.name[0] != "." and p.name != current)
    return [current, *others]


def open_store(url: str, index_id: str | None = None, threads: int = 0) -> Store:
    """A generation of the index, the current one unless another is named.

    Args:
        threads: how many encode a question; 0: as many as cores.

    Raises:
        IndexMissing: there is no index at that place.
        IndexGone: the named generation is no longer kept.
        IndexDamaged: a file of it is not what was written.
        ModelError: its model cannot be opened.
    """
    from indexer.store.folder import FolderStore

    wanted = index_id or current_id(url)
    folder = Path(url) / GENERATIONS / wanted
    if not wanted.isalnum() or not folder.is_dir():
        if index_id is None:
            raise IndexMissing(
                f"The index at {url} points to {wanted}, which is not there; run: icsearch index."
            )
        raise IndexGone(
            f"The generation {index_id} is no longer kept; the current one is {current_id(url)}.",
            field="index_id",
        )
    made = Manifest.read(folder).made
    model = Path(url) / MODELS / str(made["model"]["weights_sha256"])[:16]
    encoder = open_encoder(model, threads)
    return FolderStore(folder, encoder)
