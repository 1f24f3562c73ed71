"""Whether what was cited still stands: citations read back from an export and checked again.

The check needs the documents alone: their canonical text is read afresh from the source files, or
taken from an index that is open. A citation that fails is one of three things:

* moved: the quote stands in the document, but not where it was said to
* changed: it does not stand there, or the words in the file are not those that were cited
* missing: there is no such document
"""

import csv
import io
import json
import re
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from corpus.catalogue import Catalogue, open_catalogue, sha256_of
from corpus.errors import CatalogueError, IndexMissing, VerifyError
from corpus.model import Document, Reading
from indexer import read
from search_api.cite import CITATION_ID, sha256
from search_api.model import Verified
from search_api.sheets import CITATION_ID as ID_COLUMN
from search_api.sheets import plain_text, restored

LARGEST_FILE = 64 * 2**20
LARGEST_UNPACKED = 512 * 2**20
HEADER_WITHIN = 20
"""The header of a table is looked for among this many first rows."""
NEEDED = ("quote", "quote_sha256")
WHOLE_NUMBERS = ("start", "end", "file_page")
NUMBERED = re.compile(r"\[\d+\]\s")
HASHES = re.compile(
    r"\b(citation_id|document_sha256|text_sha256|quote_sha256|index_id|url|source_url|pages)\s+"
    r"(\d+(?:; \d+)*(?=\s|$)|\S+)"
)

Found = dict[str, Any]


class Documents(Protocol):
    """Where documents are read: an open store, or a corpus folder."""

    @property
    def documents(self) -> Mapping[str, Document]:
        """The documents by id."""
        ...

    def reading(self, document_id: str) -> Reading:
        """A document's canonical text and pages."""
        ...


class SourceDocuments:
    """The documents of a corpus folder, read from their source files as they are now."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Read the documents of a catalogue when they are asked for."""
        self._catalogue = catalogue
        self._readings: dict[str, Reading] = {}

    @cached_property
    def documents(self) -> Mapping[str, Document]:
        """The documents whose file is there, with the SHA-256 that it has now."""
        out = {}
        for document in self._catalogue.documents.values():
            try:
                now = sha256_of(self._catalogue.path(document))
            except CatalogueError:
                continue
            out[document.id] = replace(document, sha256=now)
        return MappingProxyType(out)

    def reading(self, document_id: str) -> Reading:
        """A document read afresh, each once.

        Raises:
            DocumentError: it cannot be read.
        """
        if document_id not in self._readings:
            present = replace(self._catalogue, documents=self.documents)
            self._readings[document_id] = read(present, self.documents[document_id])
        return self._readings[document_id]


def verify_file(
    citations: Sequence[Mapping[str, object]],
    index: str | None = None,
    corpus: Path | None = None,
) -> list[Verified]:
    """Whether each citation still stands, in order.

    Args:
        index: check against this index.
        corpus: check against the documents of this folder instead, without an index. With neither,
            the usual index is used, or the usual corpus where there is no index.
    """
    return verify_citations(citations, _open(index, corpus))


def _open(index: str | None, corpus: Path | None) -> Documents:
    from indexer.settings import IndexSettings
    from indexer.store import open_store
    from search_api.settings import SearchSettings

    if corpus is not None:
        return SourceDocuments(open_catalogue(corpus))
    try:
        return open_store(SearchSettings().index if index is None else index)
    except IndexMissing:
        if index is not None:
            raise
        return SourceDocuments(open_catalogue(IndexSettings().corpus))


def verify_citations(
    citations: Sequence[Mapping[str, object]], documents: Documents
) -> list[Verified]:
    """Whether each citation still stands in the documents, in order."""
    return [_verified(c, documents) for c in citations]


def _verified(citation: Mapping[str, object], documents: Documents) -> Verified:
    identity = str(citation.get("id") or "")
    name, start, end = _place(citation)
    quote = citation.get("quote")

    def failed(reason: str, detail: str) -> Verified:
        return Verified(False, reason, identity, detail)

    if name not in documents.documents:
        return failed("missing", f"There is no document {name or 'named'} here.")
    if not isinstance(quote, str) or not quote:
        return failed("changed", "It quotes nothing.")
    claimed = citation.get("quote_sha256")
    if claimed and str(claimed).lower() != sha256(quote):
        return failed("changed", "The words in the file are not those that were cited.")
    reading = documents.reading(name)
    if start is None or end is None or reading.text[start:end] != quote:
        at = reading.text.find(quote)
        if at < 0:
            return failed("changed", "The quote does not stand in the document.")
        return failed("moved", f"It stands at {at} to {at + len(quote)}{_on(reading, at, quote)}.")
    cited = _pages(citation.get("pages"))
    pages = [page.number for page in reading.pages_of(start, end)]
    if cited is not None and pages != cited:
        return failed("moved", f"It stands{_on(reading, start, quote) or ' on no page'}.")
    document = documents.documents[name]
    old = citation.get("document_sha256")
    same = not old or str(old).lower() == document.sha256
    return Verified(
        True, None, identity, "" if same else "The source file has changed, but not these words."
    )


def _place(citation: Mapping[str, object]) -> tuple[str, int | None, int | None]:
    """Document, start and end as a citation gives them, or as its id does."""
    name = str(citation.get("document_id") or "")
    start, end = _whole(citation.get("start")), _whole(citation.get("end"))
    match = CITATION_ID.fullmatch(str(citation.get("id") or ""))
    if match:
        name = name or match["document"]
        start = int(match["start"]) if start is None else start
        end = int(match["end"]) if end is None else end
    if start is not None and (start < 0 or end is None or end < start):
        start = end = None
    return name, start, end


def _whole(value: object) -> int | None:
    """A whole number, also one that a spreadsheet gives as text or with a decimal point."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def _pages(value: object) -> list[int] | None:
    """The page numbers of a citation; None where it gives none."""
    if value is None or value == "":
        return None
    given = re.split(r"[;,\s]+", value.strip()) if isinstance(value, str) else value
    items = list(given) if isinstance(given, Iterable) else [given]
    numbers = [_whole(item) for item in items]
    return None if None in numbers or not numbers else [n for n in numbers if n is not None]


def _on(reading: Reading, start: int, quote: str) -> str:
    pages = [str(p.number) for p in reading.pages_of(start, start + len(quote))]
    return f" on page {' and '.join(pages)}" if pages else ""


# Reading citations back


def citations_in(path: Path) -> list[Found]:
    """The citations of an exported CSV, XLSX, DOCX or JSON, told apart by content, in order.

    Raises:
        VerifyError: the file cannot be read, or holds none.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise VerifyError(f"{path} is larger than {LARGEST_FILE // 2**20} MB.")
        content = path.read_bytes()
    except OSError as error:
        raise VerifyError(f"Cannot read {path}: {error.strerror or error}.") from error
    try:
        found = list(_reader(content)(content))
    except (ValueError, KeyError, csv.Error, zipfile.BadZipFile, RecursionError) as error:
        raise VerifyError(f"{path} is damaged or not an export: {error}.") from error
    if not found:
        raise VerifyError(f"{path} holds no citations that can be checked.")
    return found


def _reader(content: bytes) -> Callable[[bytes], Iterator[Found]]:
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            if sum(info.file_size for info in package.infolist()) > LARGEST_UNPACKED:
                raise ValueError("it unpacks to too much")
            names = package.namelist()
        if "xl/workbook.xml" in names:
            return _in_xlsx
        if "word/document.xml" in names:
            return _in_docx
        raise ValueError("it is neither a workbook nor a document")
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return _in_json
    return _in_csv


def _in_csv(content: bytes) -> Iterator[Found]:
    """The rows of a CSV, as written by us or saved again by a spreadsheet."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252")
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    yield from _in_table([restored(cell) for cell in row] for row in rows)


def _in_xlsx(content: bytes) -> Iterator[Found]:
    """The rows of every sheet that has the columns of citations."""
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    try:
        for sheet in book.worksheets:
            yield from _in_table(
                [plain_text(v) if isinstance(v, str) else v for v in row]
                for row in sheet.iter_rows(values_only=True)
            )
    finally:
        book.close()


def _in_table(rows: Iterable[Sequence[object]]) -> Iterator[Found]:
    """The citations of a table, by the names of its columns; rows without a quote have none."""
    header: list[str] | None = None
    for number, row in enumerate(rows):
        if header is None:
            names = [str(v or "").strip() for v in row]
            if all(n in names for n in NEEDED):
                header = names
            elif number > HEADER_WITHIN:
                return
            continue
        found = dict(zip(header, row, strict=False))
        if found.get("quote") or found.get(ID_COLUMN):
            yield _citation(found)


def _citation(found: Mapping[str, object]) -> Found:
    """A row as a citation: its own name for the id, and numbers as numbers."""
    out: Found = {k: v for k, v in found.items() if k != ID_COLUMN}
    out["id"] = found.get(ID_COLUMN) or found.get("id") or ""
    for name in WHOLE_NUMBERS:
        if name in out:
            out[name] = _whole(out[name])
    return out


def _in_docx(content: bytes) -> Iterator[Found]:
    """The numbered evidence of a paper: after the line of hashes, before it the quote."""
    from docx import Document as open_paper

    paper = open_paper(io.BytesIO(content))
    lines: list[str] | None = None
    for paragraph in paper.paragraphs:
        text = plain_text(paragraph.text)
        if text.startswith(f"{ID_COLUMN} "):
            named = {k: v for k, v in HASHES.findall(text) if v != "·"}
            yield _citation(named | {"quote": "\n".join(lines or [])})
            lines = None
        elif NUMBERED.match(text) and lines != []:
            lines = []
        elif lines is not None:
            lines.append(text)


def _in_json(content: bytes) -> Iterator[Found]:
    """Every citation of an answer, comparison or register, and every statement that departs."""
    value = json.loads(content.decode("utf-8-sig"))
    cited = [c for c in _objects(value) if all(isinstance(c.get(n), str) for n in NEEDED)]
    yield from cited
    by_id = {str(c.get("id")): c for c in cited}
    for entry in _objects(value):
        named = entry.get("citation")
        known = named if isinstance(named, dict) else by_id.get(str(named))
        if known is None or not isinstance(entry.get("text"), str):
            continue
        if entry["text"] != known.get("quote"):
            yield known | {"quote": entry["text"]}


def _objects(value: object) -> Iterator[dict[str, Any]]:
    """Every object inside a JSON value, in order."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _objects(item)
