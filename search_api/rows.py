"""Rows of tables by what their columns are about, as the headers say."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from search_api.dates import Date, deadlines_in
from search_api.wording import compiled

# Columns by what their header says.
COLUMNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "owner",
        compiled(
            r"\b(?:leads?|owners?|responsib\w+|accountab\w+|sro|by whom|who)\b"
            r"(?! (?:will )?benefits?)"
        ),
    ),
    (
        "time",
        compiled(
            r"\b(?:time\w*|dates?|when|deadline|milestones?|due|target date|completion|by)\b$|"
            r"\b(?:timeframe|timescales?|target date|deadline|by when|due|date to)\b"
        ),
    ),
    ("why", compiled(r"\b(?:why|rationale|reasons?|context|background|issues?|needs?)\b")),
    ("act", compiled(r"\b(?:actions?|deliverables?|tasks?|steps?|what we will do)\b")),
    (
        "aim",
        compiled(r"\b(?:objectives?|commitments?|aims?|goals?|priorit\w+ actions?|outcomes? &)\b"),
    ),
    (
        "impact",
        compiled(
            r"\b(?:impact|outcomes?|benefits?|difference|result|success|measures?|kpis?|metrics?)\b"
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Row:
    """The texts of a table row by what their column is about."""

    columns: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, cells: Sequence[tuple[str, str]]) -> "Row":
        """The row whose cells are (header, text)."""
        return cls(tuple((column_of(header), text) for header, text in cells))

    def texts(self, *kinds: str) -> tuple[str, ...]:
        """The texts of the columns of these kinds."""
        return tuple(text for kind, text in self.columns if kind in kinds and text.strip())

    @property
    def deadlines(self) -> list[Date]:
        """The dates in the columns of dates, or beside the lead where one column has both."""
        kind = "time" if any(kind == "time" for kind, _ in self.columns) else "owner"
        return deadlines_in("\n".join(self.texts(kind)), bare_years=kind == "time")

    @property
    def owners(self) -> tuple[str, ...]:
        """Who leads, as the row says."""
        return self.texts("owner")

    def place(self, text: str) -> str:
        """The kind of column in which a text stands; "row" if it is more than one cell's."""
        words = _spaced(text)
        kinds = [kind for kind, cell in self.columns if words in _spaced(cell)]
        for kind in ("act", "aim"):
            if kind in kinds:
                return kind
        return kinds[0] if kinds else "row"


def column_of(header: str) -> str:
    """What a column is about, by its header: owner, time, why, act, aim, impact or other."""
    return next((kind for kind, pattern in COLUMNS if pattern.search(header)), "other")


def _spaced(text: str) -> str:
    return " ".join(text.split())
