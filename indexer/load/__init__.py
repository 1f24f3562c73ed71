"""A file in, blocks out. The loader is chosen by what the file holds, not by its suffix."""

from pathlib import Path

from corpus.errors import DocumentError
from indexer.blocks import Loaded
from indexer.load import markdown, text


def load(path: Path) -> Loaded:
    """The blocks of a file.

    Raises:
        DocumentError: the file is missing, empty or of a format nobody reads.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DocumentError(f"Cannot read {path}: {error.strerror or error}.") from error
    if not content.strip():
        raise DocumentError(f"{path.name} is empty.")
    words, warnings = decoded(content, path)
    if markdown.claims(content[:4096], words):
        loaded = markdown.load(words).named("markdown")
    else:
        loaded = text.load(words).named("text")
    return Loaded(loaded.blocks, loaded.pages, warnings + loaded.warnings, loader=loaded.loader)


def decoded(content: bytes, path: Path) -> tuple[str, tuple[str, ...]]:
    """The text of a file's bytes, and a warning if its encoding had to be guessed."""
    if b"\x00" in content[:4096] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DocumentError(f"{path.name} is not text, and no reader knows its format.")
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return content.decode(encoding), ()
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace"), (
            "not valid UTF-8: read as Windows-1252",
        )
