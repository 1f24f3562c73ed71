"""Stored nouns as JSON text and back, alike in every store."""

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from corpus.model import Box, Cell, Lineage, Page, Passage, Reading, Section, System, Theme


def as_json(value: object) -> str:
    """A value of plain types as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def by_id(items: Iterable[Any]) -> Mapping[str, Any]:
    """Items by their id, in their order, not to be changed."""
    return MappingProxyType({item.id: item for item in items})


def system_of(d: dict[str, Any]) -> System:
    """A system from its fields."""
    lineage = tuple(Lineage(**s | {"bodies": tuple(s["bodies"])}) for s in d["lineage"])
    return System(**d | {"aliases": tuple(d["aliases"]), "lineage": lineage})


def theme_of(d: dict[str, Any]) -> Theme:
    """A theme from its fields."""
    return Theme(**d | {"words": tuple(d["words"]), "passing": tuple(d.get("passing", ()))})


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
