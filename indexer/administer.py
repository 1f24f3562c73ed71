"""Adding documents to a corpus and taking them out: the files and the catalogue's entries.

A change is undone if the index cannot be built with it, so corpus and index never disagree. After a
crash the catalogue is whole and every entry has its file; the next `icsearch index` does the rest,
and names a file that was left without an entry.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import tomlkit

from corpus import Catalogue, Document, open_catalogue
from corpus.catalogue import sha256_of, slug
from corpus.errors import CatalogueError, IcsearchError, IndexWriteError, UnknownId
from indexer import disk
from indexer.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Addition:
    """What is known of a document to be added."""

    file: Path
    system: str
    title: str
    kind: str = "document"
    published: str | None = None
    period: str | None = None
    url: str | None = None


def add(corpus: Path, addition: Addition, build: Callable[[], Manifest]) -> tuple[str, Manifest]:
    """Add a document and build; its id and the new manifest. Undone if it cannot be read.

    Raises:
        CatalogueError: the system is not declared, or this very file is in the corpus already.
        DocumentError: the document cannot be read.
    """
    with _changing(corpus):
        catalogue = open_catalogue(corpus)
        document = _described(corpus, catalogue, addition)
        target = catalogue.path(document)
        there = target.exists()
        listing = corpus / "documents.toml"
        content = tomlkit.parse(listing.read_text(encoding="utf-8"))
        content.setdefault("document", tomlkit.aot()).append(_entry(document))
        try:
            # The file first: an entry must never be without its file.
            disk.copy(addition.file, target)
            manifest = _rebuilt(listing, content, document, build, addition.file.name)
            return document.id, manifest
        except BaseException:
            if not there and document.id not in open_catalogue(corpus).documents:
                target.unlink(missing_ok=True)
            raise


def _rebuilt(
    listing: Path,
    content: tomlkit.TOMLDocument,
    document: Document,
    build: Callable[[], Manifest],
    called: str,
) -> Manifest:
    """Put a catalogue in place and build; put the former back if that fails."""
    before = listing.read_bytes()
    manifest = None
    try:
        disk.replace(listing, tomlkit.dumps(content).encode())
        manifest = build()
        if reason := manifest.failures.get(document.id):
            raise CatalogueError(f"{called} was not added: {reason}")
        return manifest
    except BaseException as error:
        _put_back(listing, before, document)
        if manifest is not None or isinstance(error, IndexWriteError):
            # The change may be served already: serve what the catalogue says again.
            with suppress(IcsearchError):
                build()
        raise


def _described(corpus: Path, catalogue: Catalogue, addition: Addition) -> Document:
    _declared(corpus)
    if addition.system not in catalogue.systems:
        known = ", ".join(catalogue.systems)
        raise CatalogueError(
            f"{corpus / 'systems.toml'} declares no system {addition.system!r}; it has {known}."
        )
    if not addition.file.is_file():
        raise CatalogueError(f"There is no file {addition.file}.")
    sha256 = sha256_of(addition.file)
    if same := next((d for d in catalogue.documents.values() if d.sha256 == sha256), None):
        raise CatalogueError(
            f"{addition.file.name} is in the corpus already, as {same.id}. "
            "If the index lacks it, index again."
        )
    suffix = addition.file.suffix.lower()
    wanted = f"{addition.system}-{slug(addition.title)}"
    identity = _free_id(catalogue, wanted, suffix, sha256)
    first, last = _period(addition.period)
    return Document(
        id=identity,
        system=addition.system,
        title=addition.title,
        file=f"{identity}{suffix}",
        sha256=sha256,
        kind=addition.kind,
        published=addition.published,
        period_from=first,
        period_to=last,
        url=addition.url,
    )


def remove(corpus: Path, identity: str, build: Callable[[], Manifest]) -> Manifest:
    """Take a document out and build; its file goes once no other document is in it.

    Raises:
        UnknownId: there is no such document.
        CatalogueError: it is the only one.
    """
    with _changing(corpus):
        catalogue = open_catalogue(corpus)
        _declared(corpus)
        if identity not in catalogue.documents:
            raise UnknownId(f"There is no document {identity} in {corpus / 'documents.toml'}.")
        if len(catalogue.documents) == 1:
            raise CatalogueError(f"{identity} is the only document: an index needs at least one.")
        document = catalogue.documents[identity]
        listing = corpus / "documents.toml"
        content = tomlkit.parse(listing.read_text(encoding="utf-8"))
        entries = content["document"]
        assert isinstance(entries, list)
        entries.pop(next(i for i, e in enumerate(entries) if e["id"] == identity))
        manifest = _rebuilt(listing, content, document, build, document.file)
        path = catalogue.path(document)
        if all(d.file != document.file for d in catalogue.documents.values() if d != document):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise CatalogueError(
                    f"{identity} is out of the catalogue and the index, but {path} could not be "
                    f"deleted ({error.strerror}); delete it."
                ) from error
        return manifest


def left_over(corpus: Path) -> list[Path]:
    """Files in `documents/` that no entry of the catalogue names, in order of name."""
    if not (corpus / "documents.toml").exists():
        return []
    catalogue = open_catalogue(corpus)
    named = {catalogue.path(d) for d in catalogue.documents.values()}
    return sorted(p for p in catalogue.folder.rglob("*") if p.is_file() and p not in named)


@contextmanager
def _changing(corpus: Path) -> Iterator[None]:
    """Hold the corpus alone; tell what the disk refuses in one sentence."""
    try:
        with disk.corpus_locked(corpus, change=True):
            yield
    except OSError as error:
        raise CatalogueError(
            f"The corpus in {corpus} cannot be written: {error.strerror or error}. It is as before."
        ) from error


def _put_back(listing: Path, before: bytes, document: Document) -> None:
    """Undo a change of the catalogue."""
    if listing.read_bytes() == before:
        return
    try:
        disk.replace(listing, before)
    except OSError as error:
        raise CatalogueError(
            f"{listing} could not be put back as it was ({error.strerror}): the change to "
            f"{document.id} is half done. Make room, then run: icsearch index"
        ) from error


def obstacle(corpus: Path) -> str | None:
    """Why documents cannot be added to a corpus or taken out, in a sentence; None if they can."""
    try:
        _declared(corpus)
    except CatalogueError as error:
        return error.message
    for path in (corpus, corpus / "documents.toml", corpus / "documents"):
        if not os.access(path, os.W_OK):
            return (
                f"{path} cannot be written, so no document can be added or removed; "
                "let the account that runs this service write there."
            )
    return None


def _declared(corpus: Path) -> None:
    if not (corpus / "documents.toml").exists():
        raise CatalogueError(
            f"{corpus} has no documents.toml: put files into it or take them out, "
            "then run: icsearch index."
        )


def _free_id(catalogue: Catalogue, wanted: str, suffix: str, sha256: str) -> str:
    """An id that no entry has, and whose file name no other file has."""
    number, identity = 1, wanted
    while True:
        path = catalogue.folder / f"{identity}{suffix}"
        taken = path.exists() and sha256_of(path) != sha256
        if identity not in catalogue.documents and not taken:
            return identity
        number += 1
        identity = f"{wanted}-{number}"


def _period(period: str | None) -> tuple[int | None, int | None]:
    if not period:
        return None, None
    first, _, last = period.replace("–", "-").partition("-")
    if last and len(last) == 2:
        last = first[:2] + last
    if not first.isdigit() or (last and not last.isdigit()) or len(first) != 4:
        raise CatalogueError(f"The period {period!r} must be written as 2023 or 2023-2025.")
    return int(first), int(last or first)


def _entry(document: Document) -> tomlkit.items.Table:
    table = tomlkit.table()
    for name, value in asdict(document).items():
        if value is not None and name != "status":
            table.add(name, value)
    return table
