"""Adding documents to a corpus and taking them out: the files and the catalogue's entries.

A change is undone if the index cannot be built with it, so corpus and index never disagree.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import tomlkit

from corpus import Catalogue, Document, open_catalogue
from corpus.catalogue import sha256_of, slug
from corpus.errors import CatalogueError, UnknownId
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
    catalogue = open_catalogue(corpus)
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
        raise CatalogueError(f"{addition.file.name} is in the corpus already, as {same.id}.")
    identity = _free_id(catalogue, f"{addition.system}-{slug(addition.title)}")
    first, last = _period(addition.period)
    document = Document(
        id=identity,
        system=addition.system,
        title=addition.title,
        file=f"{identity}{addition.file.suffix.lower()}",
        sha256=sha256,
        kind=addition.kind,
        published=addition.published,
        period_from=first,
        period_to=last,
        url=addition.url,
    )
    listing = corpus / "documents.toml"
    before = listing.read_bytes()
    target = catalogue.path(document)
    try:
        with _written(corpus):
            shutil.copyfile(addition.file, target)
            content = tomlkit.parse(before.decode())
            content.setdefault("document", tomlkit.aot()).append(_entry(document))
            _replace(listing, tomlkit.dumps(content).encode())
        manifest = build()
        if reason := manifest.failures.get(identity):
            raise CatalogueError(f"{addition.file.name} was not added: {reason}")
    except BaseException:
        with _written(corpus):
            if listing.read_bytes() != before:
                _replace(listing, before)
            target.unlink(missing_ok=True)
        raise
    return identity, manifest


def remove(corpus: Path, identity: str, build: Callable[[], Manifest]) -> Manifest:
    """Take a document out and build; its file goes once no other document is in it.

    Raises:
        UnknownId: there is no such document.
        CatalogueError: it is the only one.
    """
    catalogue = open_catalogue(corpus)
    _declared(corpus)
    if identity not in catalogue.documents:
        raise UnknownId(f"There is no document {identity} in {corpus / 'documents.toml'}.")
    if len(catalogue.documents) == 1:
        raise CatalogueError(f"{identity} is the only document: an index needs at least one.")
    document = catalogue.documents[identity]
    listing = corpus / "documents.toml"
    before = listing.read_bytes()
    content = tomlkit.parse(before.decode())
    entries = content["document"]
    assert isinstance(entries, list)
    entries.pop(next(i for i, e in enumerate(entries) if e["id"] == identity))
    with _written(corpus):
        _replace(listing, tomlkit.dumps(content).encode())
    try:
        manifest = build()
    except BaseException:
        with _written(corpus):
            _replace(listing, before)
        raise
    if not any(d.file == document.file for d in catalogue.documents.values() if d != document):
        catalogue.path(document).unlink(missing_ok=True)
    return manifest


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


@contextmanager
def _written(corpus: Path) -> Iterator[None]:
    """Say in one sentence that a corpus cannot be written."""
    try:
        yield
    except OSError as error:
        raise CatalogueError(
            f"{error.filename or corpus} cannot be written: {error.strerror or error}."
        ) from error


def _declared(corpus: Path) -> None:
    if not (corpus / "documents.toml").exists():
        raise CatalogueError(
            f"{corpus} has no documents.toml: put files into it or take them out, "
            "then run: icsearch index."
        )


def _free_id(catalogue: Catalogue, wanted: str) -> str:
    number, identity = 1, wanted
    while identity in catalogue.documents:
        number += 1
        identity = f"{wanted}-{number}"
    return identity


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


def _replace(path: Path, content: bytes) -> None:
    new = path.with_name(path.name + ".new")
    new.write_bytes(content)
    new.replace(path)
