"""The source files behind documents: to download, and their pages as pictures.

A file is found by its document's id, never by a name in a request, and is given out only while it
is byte for byte what was indexed.
"""

import hashlib
import io
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from corpus.catalogue import Catalogue, open_catalogue
from corpus.errors import IcsearchError, UnknownId
from corpus.model import Box, Document

TYPES = {
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
PLAIN = "text/plain; charset=utf-8"
POINTS_AN_INCH = 72
BOX_LINE = (213, 40, 27, 255)
BOX_FILL = (255, 235, 59, 70)


class SourceFiles:
    """The files of a corpus folder."""

    def __init__(self, corpus: Path) -> None:
        """Look for files in a corpus folder."""
        self._corpus = corpus
        self._catalogue = lru_cache(maxsize=1)(self._opened)
        self._drawing = threading.Semaphore(2)
        self._picture = lru_cache(maxsize=16)(self._drawn)

    def path(self, document: Document) -> Path | None:
        """Where a document's file is, or None where it cannot be given out."""
        try:
            path = self._catalogue(self._changed()).path(document)
        except (IcsearchError, OSError):
            return None
        return path if path.is_file() else None

    def _changed(self) -> int:
        """When the catalogue was last changed; it is read again only then."""
        declared = self._corpus / "documents.toml"
        return (declared if declared.exists() else self._corpus).stat().st_mtime_ns

    def _opened(self, _changed: int) -> Catalogue:
        return open_catalogue(self._corpus)

    def content(self, document: Document) -> tuple[bytes, str, str]:
        """The bytes of a document's file, its type and the name to save it by.

        Raises:
            UnknownId: the file is no longer there, or no longer what was indexed.
        """
        path = self.path(document)
        content = path.read_bytes() if path else b""
        if path is None or hashlib.sha256(content).hexdigest() != document.sha256:
            raise UnknownId(
                f"The file of “{document.title}” is no longer there as it was indexed; "
                "its text still is.",
                field="document",
            )
        # Web pages too are given out as text, so that no page of others runs at our address.
        kind = TYPES.get(path.suffix.lower(), PLAIN)
        suffix = path.suffix.lower() if kind != PLAIN or path.suffix else ".txt"
        return content, kind, f"{document.id}{suffix}"

    def has_pictures(self, document: Document) -> bool:
        """Whether pages of a document can be shown as pictures."""
        path = self.path(document)
        if path is None or path.suffix.lower() != ".pdf":
            return False
        try:
            from indexer.isolate import page_image  # noqa: F401
        except ImportError:
            return False
        return True

    def picture(self, document: Document, page: int, boxes: Sequence[Box]) -> bytes:
        """A page of a PDF as PNG with boxes drawn on it.

        Raises:
            UnknownId: the document has no pictures.
            DocumentError: the page cannot be drawn.
        """
        path = self.path(document)
        if path is None or not self.has_pictures(document):
            raise UnknownId(f"The pages of “{document.title}” have no pictures.", field="page")
        with self._drawing:
            plain = self._picture(path, path.stat().st_mtime_ns, page)
        return boxed(plain, [box for box in boxes if box.page == page])

    def _drawn(self, path: Path, _changed: int, page: int) -> bytes:
        from indexer.isolate import page_image

        return page_image(path, page)


def boxed(png: bytes, boxes: Sequence[Box]) -> bytes:
    """A picture of a page with boxes drawn, if the picture says how many pixels a point has."""
    if not boxes:
        return png
    from PIL import Image, ImageDraw

    picture = Image.open(io.BytesIO(png))
    resolution = picture.info.get("dpi")
    if not resolution:
        return png
    scale = float(resolution[0]) / POINTS_AN_INCH
    over = Image.new("RGBA", picture.size)
    pen = ImageDraw.Draw(over)
    for box in boxes:
        place = tuple(round(v * scale) for v in (box.left, box.top, box.right, box.bottom))
        pen.rectangle(place, fill=BOX_FILL, outline=BOX_LINE, width=max(2, round(scale * 1.2)))
    out = io.BytesIO()
    Image.alpha_composite(picture.convert("RGBA"), over).convert("RGB").save(out, "PNG")
    return out.getvalue()
