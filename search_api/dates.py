"""Dates as plans write them: "September 2023", "Q3 2023/24", "by the end of June 2023", "by 2045"."""

import re
from dataclasses import dataclass

MONTHS = {
    name: number
    for number, names in enumerate(
        [
            ("january", "jan"),
            ("february", "feb"),
            ("march", "mar"),
            ("april", "apr"),
            ("may",),
            ("june", "jun"),
            ("july", "jul"),
            ("august", "aug"),
            ("september", "sept", "sep"),
            ("october", "oct"),
            ("november", "nov"),
            ("december", "dec"),
        ],
        1,
    )
    for name in names
}
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
DATE = re.compile(
    rf"\b(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?)?(?P<month>{_MONTH})\.?,?\s+(?P<year>20\d\d)\b"
    r"|\bQ(?P<quarter>[1-4])\s*,?\s*(?P<from>20\d\d|\d\d)\s*(?:[/–-]\s*(?P<to>20\d\d|\d\d))?\b"
    r"|\bby\s+(?:the\s+end\s+of\s+)?(?P<alone>20\d\d)\b(?!\s*[/–-]\s*\d)",
    re.IGNORECASE,
)
LAST_MONTH_OF_QUARTER = {1: 6, 2: 9, 3: 12, 4: 3}
CALENDAR_LAST_MONTH = {1: 3, 2: 6, 3: 9, 4: 12}


@dataclass(frozen=True, slots=True)
class Date:
    """A date found in a text: YYYY-MM or YYYY-MM-DD (or the year alone), its words, its place."""

    due: str
    text: str
    start: int
    end: int

    @property
    def dated(self) -> bool:
        """Whether a month is known."""
        return len(self.due) > len("2045")


def dates_in(text: str) -> list[Date]:
    """The dates of a text, in order.

    A quarter with a financial year ("Q3 2023/24") gives its last month, December 2023; one with a
    plain year ("Q1 2024") is a calendar quarter.
    """
    out = []
    for match in DATE.finditer(text):
        if match["month"]:
            due = f"{match['year']}-{MONTHS[match['month'].lower()]:02}"
            if match["day"]:
                due += f"-{int(match['day']):02}"
        elif match["quarter"]:
            year = int(match["from"]) if len(match["from"]) == 4 else 2000 + int(match["from"])
            quarter = int(match["quarter"])
            if match["to"]:
                due = f"{year + (quarter == 4)}-{LAST_MONTH_OF_QUARTER[quarter]:02}"
            else:
                due = f"{year}-{CALENDAR_LAST_MONTH[quarter]:02}"
        else:
            due = match["alone"]
        out.append(Date(due, match[0], match.start(), match.end()))
    return out
