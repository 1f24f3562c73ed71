"""Stored nouns as JSON text and back, alike in every store."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from corpus.model import Box, Cell, Lineage, Page, Passage, Reading, Section, System, Theme
from indexer.store.base import Acronym, Contents


def as_json(value: object) -> str:
    """A value of plain types as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def by_id(items: Iterable[Any]) -> Mapping[str, Any]:
    """Items by their id, in their order, not to be changed."""
    return MappingProxyType({item.id: item for item in items})


@dataclass(frozen=True, slots=True)
class Facts:
    """What a generation knows beyond its documents' own content."""

    systems: Mapping[str, System]
    themes: Mapping[str, Theme]
    acronyms: Sequence[Acronym]
    definitions: Mapping[str, Sequence[tuple[str, str]]]


def facts_json(contents: Contents) -> dict[str, Any]:
    """Facts of what is to be kept, ready for JSON."""
    return {
        "systems": [asdict(s) for s in contents.systems],
        "themes": [asdict(t) for t in contents.themes],
        "acronyms": [asdict(a) for a in contents.acronyms],
        "definitions": contents.definitions,
    }


def facts_of(d: Mapping[str, Any]) -> Facts:
    """Facts from their fields; older ones have no definitions."""
    return Facts(
        by_id(map(system_of, d["systems"])),
        by_id(map(theme_of, d["themes"])),
        tuple(Acronym(**a | {"documents": tuple(a["documents"])}) for a in d["acronyms"]),
        {name: [(a, b) for a, b in pairs] for name, pairs in d.get("definitions", {}).items()},
    )


def reading_json(reading: Reading) -> tuple[str, str, str, str, str]:
    """A reading as `reading_of` takes it."""
    return (
        reading.text,
        as_json([asdict(s) for s in reading.sections]),
        as_json([asdict(p) for p in reading.pages]),
        as_json(reading.warnings),
        reading.reader,
    )


def system_of(d: dict[str, Any]) -> System:
    """A system from its fields."""
    lineage = tuple(Lineage(**s | {"bodies": tuple(s["bodies"])}) for s in d["lineage"])
    names = {name: tuple(d.get(name, ())) for name in ("aliases", "places")}
    return System(**d | names | {"lineage": lineage})


def theme_of(d: dict[str, Any]) -> Theme:
    """A theme from its fields."""
    words = {name: tuple(d.get(name, ())) for name in ("words", "passing", "names")}
    return Theme(**d | words)


def passage_of(d: dict[str, Any]) -> Passage:
    """A passage from its fields."""
    cells = tuple(Cell(**c) for c in d["cells"])
    return Passage(
        **d | {"heading": tuple(d["heading"]), "pages": tuple(d["pages"]), "cells": cells}
    )


def section_of(d: dict[str, Any]) -> Section:
    """A section from its fields."""
    if not d["cells"] and not d["boxes"]:
        return Section(d["start"], d["end"], d["form"], tuple(d["heading"]), d["level"])
    return Section(
        **d
        | {
            "heading": tuple(d["heading"]),
            "cells": tuple(Cell(**c) for c in d["cells"]),
            "boxes": tuple(Box(**b) for b in d["boxes"]),
        }
    )


def pages_of(pages: str) -> tuple[Page, ...]:
    """Pages from their JSON."""
    return tuple(Page(**p | {"chrome": tuple(p["chrome"])}) for p in json.loads(pages))


def reading_of(text: str, sections: str, pages: str, warnings: str, reader: str) -> Reading:
    """A reading from its text and the JSON of its parts."""
    return Reading(
        text,
        tuple(section_of(s) for s in json.loads(sections)),
        pages_of(pages),
        tuple(json.loads(warnings)),
        reader,
    )
