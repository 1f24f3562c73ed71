"""The catalogue: which systems, themes and documents there are, read from TOML and checked.

A corpus is a folder with `systems.toml`, `themes.toml`, `documents.toml` and the files in
`documents/`, or simply a folder of documents: then the system is the folder a file lies in, and the
title is its name.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from corpus.errors import CatalogueError
from corpus.model import LEVEL_NAMES, Document, Lineage, System, Theme

SHIPPED = Path(__file__).parent
ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
T = TypeVar("T")
Noun = TypeVar("Noun", System, Theme, Document)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Systems, themes and documents by id, in the order they were declared."""

    folder: Path
    systems: Mapping[str, System]
    themes: Mapping[str, Theme]
    documents: Mapping[str, Document]

    def path(self, document: Document) -> Path:
        """Where the document's file is."""
        return self.folder / document.file


def open_catalogue(folder: Path = SHIPPED) -> Catalogue:
    """The catalogue of a corpus folder, checked as far as it can be without reading documents.

    Themes that the folder does not declare are the shipped ones.

    Raises:
        CatalogueError: the folder or a TOML file is missing, unreadable or wrong; the sentence
            names the file, the entry and what to do.
    """
    if not folder.is_dir():
        raise CatalogueError(f"There is no corpus folder at {folder}; give one with --corpus.")
    themes_file = folder / "themes.toml"
    themes = _themes(themes_file if themes_file.exists() else SHIPPED / "themes.toml")
    if (folder / "documents.toml").exists():
        systems = _systems(folder / "systems.toml")
        return Catalogue(
            folder / "documents", systems, themes, _documents(folder / "documents.toml", systems)
        )
    return _bare(folder, themes)


def slug(name: str) -> str:
    """A name as an id: lower case, words joined by single hyphens."""
    words = re.findall(r"[a-z0-9]+", name.lower().replace("'", "").replace("’", ""))
    return "-".join(words) or "unnamed"


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CatalogueError(f"Cannot read {path}: {error.strerror or error}.") from error


def _load(path: Path, table: str) -> list[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
    except FileNotFoundError:
        raise CatalogueError(f"The catalogue needs {path.name}, but {path} is missing.") from None
    except OSError as error:
        raise CatalogueError(f"Cannot read {path}: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path} is not valid TOML: {error}.") from error
    entries = content.pop(table, [])
    if content:
        raise CatalogueError(f"{path} has unknown top-level keys: {', '.join(sorted(content))}.")
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise CatalogueError(f"{path} must hold [[{table}]] entries.")
    return entries


def _make(noun: type[T], entry: dict[str, Any], path: Path) -> T:
    """One noun from one TOML entry; every key must be a field, every required field present."""
    name = entry.get("id", "an entry without id")
    known = {f.name: f for f in fields(noun)}  # type: ignore[arg-type]
    if unknown := sorted(set(entry) - set(known)):
        raise CatalogueError(f"{path}: {name} has unknown keys: {', '.join(unknown)}.")
    needed = [f.name for f in known.values() if f.default is MISSING and f.name not in entry]
    if needed:
        raise CatalogueError(f"{path}: {name} lacks {', '.join(needed)}.")
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
    for key, value in values.items():
        number = known[key].type in (int, int | None)
        if isinstance(value, bool) or (number != isinstance(value, int)):
            wanted = "a whole number" if number else "text"
            raise CatalogueError(f"{path}: {key} of {name} must be {wanted}, not {value!r}.")
    if "id" in known and not ID.fullmatch(str(values["id"])):
        raise CatalogueError(
            f"{path}: the id {values['id']!r} may hold only a-z, 0-9 and single hyphens."
        )
    return noun(**values)


def _by_id(items: Iterable[Noun], path: Path) -> Mapping[str, Noun]:
    found: dict[str, Noun] = {}
    for item in items:
        if item.id in found:
            raise CatalogueError(f"{path}: the id {item.id} is used twice.")
        found[item.id] = item
    return MappingProxyType(found)


def _systems(path: Path) -> Mapping[str, System]:
    systems = []
    for entry in _load(path, "system"):
        lineage = [_make(Lineage, step, path) for step in entry.pop("lineage", [])]
        system = _make(System, entry | {"lineage": lineage}, path)
        if system.level not in LEVEL_NAMES:
            raise CatalogueError(
                f"{path}: the level of {system.id} is {system.level!r}; "
                f"it must be one of {', '.join(LEVEL_NAMES)}."
            )
        systems.append(system)
    return _by_id(systems, path)


def _themes(path: Path) -> Mapping[str, Theme]:
    return _by_id([_make(Theme, entry, path) for entry in _load(path, "theme")], path)


def _documents(path: Path, systems: Mapping[str, System]) -> Mapping[str, Document]:
    documents = []
    for entry in _load(path, "document"):
        document = _make(Document, entry, path)
        if document.system not in systems:
            raise CatalogueError(
                f"{path}: {document.id} belongs to {document.system!r}, "
                "which systems.toml does not declare."
            )
        if Path(document.file).is_absolute() or ".." in Path(document.file).parts:
            raise CatalogueError(f"{path}: the file of {document.id} must lie in documents/.")
        documents.append(document)
    return _by_id(documents, path)


def _bare(folder: Path, themes: Mapping[str, Theme]) -> Catalogue:
    """A catalogue made from folder and file names alone."""
    systems: dict[str, System] = {}
    documents: dict[str, Document] = {}
    try:
        files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name[0] not in ".~")
    except OSError as error:
        raise CatalogueError(f"Cannot read {folder}: {error.strerror or error}.") from error
    files = [p for p in files if p.suffix != ".toml"]
    if not files:
        raise CatalogueError(f"The corpus folder {folder} holds no documents.")
    for file in files:
        owner = file.relative_to(folder).parts[0] if file.parent != folder else folder.name
        system = slug(owner)
        systems.setdefault(system, System(id=system, name=_title(owner)))
        identity = stem = f"{system}-{slug(file.stem)}"
        number = 1
        while identity in documents:
            number += 1
            identity = f"{stem}-{number}"
        documents[identity] = Document(
            id=identity,
            system=system,
            title=_title(file.stem),
            file=str(file.relative_to(folder)),
            sha256=sha256_of(file),
            kind="document",
        )
    return Catalogue(folder, MappingProxyType(systems), themes, MappingProxyType(documents))


def _title(name: str) -> str:
    words = re.sub(r"[-_]+", " ", name).strip()
    return words[:1].upper() + words[1:]


def outside_bodies(path: Path = SHIPPED / "outside.toml") -> tuple[str, ...]:
    """Names of bodies that a question may name, the longest first.

    A system's parts count too: "Rutland" of "Leicester, Leicestershire and Rutland".
    """
    content = _outside(path)
    names = {*content["places"], *content["everyday"], *content["national"]}
    for system in content["systems"]:
        names.add(system)
        if "," in system or not system.startswith(("North ", "Mid ", "South ")):
            names |= {p.strip() for p in re.split(r",| and ", system) if len(p.strip()) > 3}
    return tuple(sorted(names, key=lambda n: (-len(n), n)))


def outside_of(
    kind: Literal["everyday", "national"], path: Path = SHIPPED / "outside.toml"
) -> frozenset[str]:
    """Names outside the corpus that not every use of them means.

    Args:
        kind: *everyday*: places that are everyday words too, so that only a capital tells them;
            *national*: bodies that documents speak of, so that only who asks what they say does.
    """
    return frozenset(_outside(path)[kind])


@cache
def _outside(path: Path) -> Mapping[str, list[str]]:
    with path.open("rb") as file:
        return tomllib.load(file)
