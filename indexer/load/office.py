"""What Word and PowerPoint files have in common: a zip archive of XML, and diagrams in it."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

from corpus.errors import DocumentError
from indexer.load.limits import Limits
from indexer.normalise import one_line

DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
WHITE = 250
DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
MOST_PARTS = 20_000
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    etree.XMLSyntaxError,
    KeyError,
    ValueError,
    IndexError,
    AttributeError,
    TypeError,
    NotImplementedError,
    EOFError,
    OSError,
)
"""What the libraries raise on a damaged package."""


def check_package(content: bytes, name: str, limits: Limits) -> None:
    """Refuses an archive that is damaged, encrypted, or unpacks to more than may be read.

    Raises:
        DocumentError: in each of these cases.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise DocumentError(f"{name} is damaged: its archive cannot be opened.") from error
    if any(part.flag_bits & 1 for part in parts):
        raise DocumentError(f"{name} is protected by a password.")
    # What a part is said to unpack to is also the most that is read of it.
    size = sum(part.file_size for part in parts)
    if size > limits.unpacked_mb << 20:
        raise DocumentError(
            f"{name} unpacks to {size >> 20} MB; up to {limits.unpacked_mb} MB are read."
        )
    if len(parts) > MOST_PARTS:
        raise DocumentError(f"{name} holds {len(parts)} parts; up to {MOST_PARTS} are read.")


def diagram_texts(part: Any, frame: Any) -> Iterator[str]:
    """The texts of a diagram (SmartArt), point by point, given what refers to its data."""
    for reference in frame.iter(f"{DIAGRAM}relIds"):
        data = part.related_part(reference.get(f"{RELATION}dm"))
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        for point in etree.fromstring(data.blob, parser).iter(f"{DIAGRAM}pt"):
            for paragraph in point.iter(f"{DRAWING}p"):
                text = one_line("".join(t.text or "" for t in paragraph.iter(f"{DRAWING}t")))
                if text:
                    yield text


def white(colour: str) -> bool:
    """Whether a colour as Office writes it, six hexadecimal digits, is white or nearly so."""
    try:
        return len(colour) == 6 and min(bytes.fromhex(colour)) >= WHITE
    except ValueError:
        return False
