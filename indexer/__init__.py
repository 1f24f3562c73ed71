"""Documents in, index out. Its public doors besides building: `read` and `page_image`."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corpus import Catalogue, Document, Reading


def read(catalogue: "Catalogue", document: "Document") -> "Reading":
    """A document read afresh from its file, in an isolated child process.

    Raises:
        DocumentError: it cannot be read, or its file is not the one the catalogue describes.
    """
    from corpus.catalogue import sha256_of
    from corpus.errors import DocumentError
    from indexer.isolate import Limits, read_isolated

    path = catalogue.path(document)
    if sha256_of(path) != document.sha256:
        raise DocumentError(f"{path.name} is not the file that the catalogue describes.")
    parts = [d for d in catalogue.documents.values() if d.file == document.file]
    return read_isolated(path, parts, Limits())[parts.index(document)]


def page_image(catalogue: "Catalogue", document: "Document", page: int) -> bytes:
    """A page of a document's file, counted from 1, as a PNG, drawn in an isolated child process.

    Raises:
        DocumentError: the file has no such page, or no pages that can be drawn.
    """
    from indexer.isolate import Limits
    from indexer.isolate import page_image as drawn

    return drawn(catalogue.path(document), page, Limits())
