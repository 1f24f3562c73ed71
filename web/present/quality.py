"""The evaluation's report as a page: figures, tables and texts, whatever the report holds.

The report is a JSON file that `icsearch eval report` writes. Its shape is the evaluation's affair,
so each entry is laid out as what it is: a figure, a text, or a table.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search_api.dates import british_date
from web.format import capital

MOST_COLUMNS = 7
NAMES = {
    "icsearch": "icsearch",
    "bm25-chunks": "Words alone",
    "dense-chunks": "Meaning alone",
    "rrf-chunks": "Words and meaning",
    "search_ms": "One search, milliseconds",
    "judged@10": "Judged@10",
    "places@10": "Places@10",
    "alpha_nDCG@10": "Alpha-nDCG@10",
    "StRecall@10": "Systems@10",
}
"""What names of the report are called where they say too little, as in docs/evaluation.md."""
OUTER = "Answers"
"""The part of the report whose name says nothing that the names inside it do not."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the evaluation report with its name."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the evaluation report."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class QualityPage:
    """How good the answers are, as the evaluation's latest report says."""

    found: bool
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    texts: tuple[Figure, ...] = ()

    @classmethod
    def of(cls, report: Mapping[str, Any] | None) -> "QualityPage":
        """The page of a report as `icsearch eval report` writes it, or of none."""
        if report is None:
            return cls(found=False)
        figures: list[Figure] = []
        texts: list[Figure] = []
        tables: list[Table] = []
        for name, value in report.items():
            _add(in_words(name), value, figures, texts, tables)
        return cls(True, tuple(figures), tuple(tables), tuple(texts))


def _add(
    name: str, value: Any, figures: list[Figure], texts: list[Figure], tables: list[Table]
) -> None:
    """Lay one entry of the report out as what it is: a figure, a text or a table."""
    if isinstance(value, Mapping):
        if _alike(list(value.values())):
            tables.append(_table(name, [{"": in_words(k), **v} for k, v in value.items()]))
        elif any(isinstance(v, Mapping | list) for v in value.values()):
            plain = {k: v for k, v in value.items() if not isinstance(v, Mapping | list)}
            if plain:
                _add(name, plain, figures, texts, tables)
            for inner, item in value.items():
                if inner not in plain:
                    title = (
                        in_words(inner) if name == OUTER else f"{name}: {in_words(inner).lower()}"
                    )
                    _add(title, item, figures, texts, tables)
        else:
            rows = tuple((in_words(k), _shown(v)) for k, v in value.items())
            tables.append(Table(name, ("", "Value"), rows))
    elif isinstance(value, list) and value and all(isinstance(v, Mapping) for v in value):
        tables.append(_table(name, value))
    elif isinstance(value, list):
        texts.append(Figure(name, ", ".join(map(_shown, value)) or "none"))
    elif isinstance(value, str) and len(value) > 40:
        texts.append(Figure(name, value))
    else:
        figures.append(Figure(name, _shown(value)))


def _alike(values: Sequence[Any]) -> bool:
    """Whether values are entries with the same fields by and large: the rows of one table."""
    if not values or not all(isinstance(v, Mapping) for v in values):
        return False
    shared = set.intersection(*(set(v) for v in values))
    every = set.union(*(set(v) for v in values))
    return 2 * len(shared) >= len(every)


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    keys = tuple(dict.fromkeys(key for row in rows for key in row))
    headers = tuple(in_words(key) for key in keys)
    cells = tuple(tuple(_shown(row.get(key)) for key in keys) for row in rows)
    if len(keys) > MOST_COLUMNS and len(rows) < len(keys):
        # Turned, so that it fits: the fields become rows.
        turned = tuple(zip(headers, *cells, strict=True))
        return Table(name, turned[0], turned[1:])
    return Table(name, headers, cells)


def in_words(name: str) -> str:
    """A name of the report as words.

    >>> in_words("false_silence_rate"), in_words("nDCG@10")
    ('False silence rate', 'nDCG@10')
    """
    if name in NAMES:
        return NAMES[name]
    return capital(name.replace("_", " ")) if "@" not in name else name


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if value.is_integer():
            return f"{value:,.0f}"
        return f"{value:,.3f}" if abs(value) >= 0.0005 else "under 0.001"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return " to ".join(_shown(v) for v in value) if len(value) == 2 else ", ".join(
            _shown(v) for v in value
        )  # fmt: skip
    if isinstance(value, Mapping):
        return "; ".join(f"{in_words(k).lower()} {_shown(v)}" for k, v in value.items())
    return british_date(value) if isinstance(value, str) else str(value)


def read_report(path: Path) -> Mapping[str, Any] | None:
    """The report in a file, or None where there is none that can be read."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return report if isinstance(report, dict) else None
