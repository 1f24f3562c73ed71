"""A page of a PDF as a picture."""

import io
from pathlib import Path

import pypdfium2

from corpus.errors import DocumentError
from indexer.load.pdf.opening import opened


def png(path: Path, page: int, long_side: int) -> bytes:
    """A PNG of a page, counted from 1, its longer side as many pixels as asked for.

    Raises:
        DocumentError: the file is no PDF that can be opened, or has no such page.
    """
    document = opened(path.read_bytes(), path.name)
    if not 1 <= page <= len(document):
        raise DocumentError(f"{path.name} has {len(document)} pages and no page {page}.")
    try:
        return drawn(document[page - 1], long_side)
    except pypdfium2.PdfiumError as error:
        raise DocumentError(
            f"Page {page} of {path.name} is damaged and cannot be drawn."
        ) from error


def drawn(page: "pypdfium2.PdfPage", long_side: int) -> bytes:
    """A PNG of a page, its longer side as many pixels as asked for."""
    scale = long_side / max(*page.get_size(), 1.0)
    out = io.BytesIO()
    picture = page.render(scale=scale).to_pil().convert("RGB")
    # The resolution tells the viewer where on the picture a box of the page's points goes.
    picture.save(out, "PNG", compress_level=3, dpi=(72 * scale, 72 * scale))
    return out.getvalue()
