"""A file in, blocks out. The loader is chosen by what the file holds, not by its suffix.

A new format is one new file and its line in `FORMATS`. A loader's libraries are imported only when
a file of its format is read.
"""

import importlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

from corpus.errors import DocumentError
from indexer.blocks import Loaded
from indexer.load.limits import DEFAULT, Limits

HEAD = 4096
# Old Word, Excel and PowerPoint files, and Office files under a password.
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class Loader(Protocol):
    """A module that reads one format."""

    def load(self, content: bytes, name: str, limits: Limits) -> Loaded:
        """The blocks of the file called `name`."""


def is_pdf(content: bytes) -> bool:
    """Whether a PDF starts within the first kilobyte, where readers look for it."""
    return b"%PDF-" in content[:1024]


def is_docx(content: bytes) -> bool:
    """Whether it is a zip archive that holds a Word document."""
    return _zip_holds(content, "word/")


def is_pptx(content: bytes) -> bool:
    """Whether it is a zip archive that holds a presentation."""
    return _zip_holds(content, "ppt/")


def is_html(content: bytes) -> bool:
    """Whether it opens as a web page, comments and declarations aside."""
    head = content[:HEAD].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    marks = (b"<!doctype html", b"<html", b"<head", b"<body", b"<main", b"<article")
    return head.startswith((*marks, b"<?xml", b"<!--")) and any(mark in head for mark in marks)


FORMATS: dict[str, Callable[[bytes], bool]] = {
    "pdf": is_pdf,
    "docx": is_docx,
    "pptx": is_pptx,
    "html": is_html,
}
"""The formats told by a file's first bytes: module of this package, and how it is recognised."""


def load(path: Path, limits: Limits = DEFAULT) -> Loaded:
    """The blocks of a file.

    Raises:
        DocumentError: the file is missing, empty, damaged or of a format nobody reads.
    """
    content = _content(path, limits)
    for name, claims in FORMATS.items():
        if claims(content):
            loader = cast(Loader, importlib.import_module(f"{__name__}.{name}"))
            return loader.load(content, path.name, limits).named(name)
    if content.startswith(COMPOUND):
        raise DocumentError(
            f"{path.name} is an old Office file or under a password; save it as DOCX, PPTX or PDF."
        )
    if content.startswith(b"PK"):
        raise DocumentError(f"{path.name} is a zip archive, but no document that can be read.")
    words, warnings = decoded(content, path)
    loaded = _load_words(content, words)
    return Loaded(loaded.blocks, loaded.pages, warnings + loaded.warnings, loader=loaded.loader)


def _load_words(content: bytes, words: str) -> Loaded:
    from indexer.load import markdown, text

    if markdown.claims(content[:HEAD], words):
        return markdown.load(words).named("markdown")
    return text.load(words).named("text")


def _content(path: Path, limits: Limits) -> bytes:
    try:
        size = path.stat().st_size
        if size > limits.file_mb << 20:
            raise DocumentError(
                f"{path.name} is {size >> 20} MB; files of up to {limits.file_mb} MB are read."
            )
        content = path.read_bytes()
    except OSError as error:
        raise DocumentError(f"Cannot read {path}: {error.strerror or error}.") from error
    if not content.strip():
        raise DocumentError(f"{path.name} is empty.")
    return content


def _zip_holds(content: bytes, folder: str) -> bool:
    if not content.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return any(name.startswith(folder) for name in archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        # A truncated archive has lost its directory; the local headers still name the parts.
        return folder.encode() in content


def decoded(content: bytes, path: Path) -> tuple[str, tuple[str, ...]]:
    """The text of a file's bytes, and a warning if its encoding had to be guessed."""
    if b"\x00" in content[:HEAD] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DocumentError(f"{path.name} is not text, and no reader knows its format.")
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return content.decode(encoding), ()
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace"), (
            "not valid UTF-8: read as Windows-1252",
        )
