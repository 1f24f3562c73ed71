"""Dates as plans write them: "September 2023", "Q3 2023/24", "by the end of June 2023", "by 2045".

A date is given as the last month, or the day, by which it has come. Where a text gives only a year,
no month is made up: the year alone is given.
"""

import re
from dataclasses import dataclass
from datetime import date

_NAMES = (
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
)
MONTHS = {name: number for number, names in enumerate(_NAMES, 1) for name in names}
SEASON_ENDS = {"spring": 5, "summer": 8, "autumn": 11, "winter": 2}
FINANCIAL_QUARTER_ENDS = {1: 6, 2: 9, 3: 12, 4: 3}
CALENDAR_QUARTER_ENDS = {1: 3, 2: 6, 3: 9, 4: 12}
FINANCIAL_YEAR_ENDS, CALENDAR_YEAR_ENDS = 3, 12
YEAR_ALONE = len("2045")

_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_DASH = r"\s*[/\u2010-\u2015-]\s*"
_DAY = r"(?:(?P<day>\d{1,2})(?:st|nd|rd|th)?\s+(?:of\s+)?)?"
# The month of a range that shares its year with the next: "June to September 2023".
_SHARED = (
    rf"(?:(?P<first>{_MONTH})\.?\s*(?:and|to|or|&|/|[\u2010-\u2015-])\s*"
    rf"(?=(?:\d{{1,2}}\s+)?(?:{_MONTH})\b\.?,?\s+(?P<shared>20\d\d)))"
)
_FINANCIAL = rf"(?P<from>20\d\d|\d\d)(?:{_DASH}(?P<to>20\d\d|\d\d)\b)?"
_NEXT = rf"(?:{_DASH}(?:20)?\d\d\b)"
_QUARTER = r"(?:Q|quarter\s+)(?P<quarter>[1-4])"
DATE = re.compile(
    "|".join(
        (
            rf"\b{_SHARED}",
            rf"\b{_DAY}(?P<month>{_MONTH})\b\.?,?\s+(?P<year>20\d\d)\b",
            rf"\b(?P<month2>{_MONTH})(?:-|\s?['’])(?P<year2>\d\d)\b(?!\s*[/-])",
            rf"\b{_QUARTER}(?:\s+of)?\s*,?\s*{_FINANCIAL}",
            rf"\b(?P<from2>20\d\d){_DASH}(?P<to2>20\d\d|\d\d)\s*,?\s*Q(?P<quarter2>[1-4])\b",
            rf"\b(?P<season>spring|summer|autumn|winter)\s+(?:of\s+)?(?P<year3>20\d\d){_NEXT}?",
            r"\b(?P<iso>20\d\d-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)\b(?!-)",
            r"\b(?P<d>0?[1-9]|[12]\d|3[01])[/.](?P<m>0?[1-9]|1[0-2])[/.](?P<y>20\d\d)\b",
            rf"\b(?:the\s+)?end\s+of\s+(?:the\s+)?(?P<ends>20\d\d)(?P<ends2>{_NEXT})?",
            rf"\b(?:by|before|until)\s+(?P<by>20\d\d\b{_NEXT}?)(?!{_DASH}\d)",
            rf"\b(?:in|during)\s+(?P<during>20\d\d\b{_NEXT})(?!{_DASH}\d)",
        )
    ),
    re.IGNORECASE,
)
YEAR = re.compile(rf"\b20\d\d(?:{_DASH}(?:20)?\d\d\b)?", re.IGNORECASE)
# Words before a date that make it a beginning or something past, not a date to be kept.
BEGINS = re.compile(
    r"\b(?:start(?:ed|ing|s)?|beg(?:an|un|inning)|since|commenc(?:ed|ing)|launched|published|dated"
    r"|established|introduced|from)\s+(?:in\s+|on\s+|from\s+|of\s+)?$",
    re.IGNORECASE,
)


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
        return len(self.due) > YEAR_ALONE


def dates_in(text: str, *, bare_years: bool = False) -> list[Date]:
    """The dates of a text, in order.

    A quarter with a financial year ("Q3 2023/24") gives its last month, December 2023; one with a
    plain year ("Q1 2024") is a calendar quarter. A season gives its last month (spring is March to
    May), the end of a year December, of a financial year March. A year alone counts only after
    "by" (a financial year also after "in"), unless `bare_years`, as in a column of dates.
    """
    out = []
    for match in DATE.finditer(text):
        due = _due(match)
        if due is not None:
            start = match.start("by" if match["by"] else "during" if match["during"] else 0)
            words = text[start : match.end("shared") if match["first"] else match.end()]
            out.append(Date(due, words, start, match.end()))
    if bare_years:
        for match in YEAR.finditer(text):
            if not any(d.start < match.end() and match.start() < d.end for d in out):
                out.append(Date(match[0][:YEAR_ALONE], match[0], match.start(), match.end()))
    return sorted(out, key=lambda d: d.start)


def deadlines_in(text: str, *, bare_years: bool = False) -> list[Date]:
    """The dates of a text by which something is due: not those when something began.

    Of a range ("April 2023 to March 2025") both count, in order.
    """
    found = dates_in(text, bare_years=bare_years)
    return [d for d in found if not BEGINS.search(text[: d.start])]


def _due(match: re.Match[str]) -> str | None:
    """A date as YYYY-MM-DD, YYYY-MM or YYYY; None if there is no such date."""
    if match["first"]:
        return _month(int(match["shared"]), MONTHS[match["first"].lower()])
    if match["month"]:
        return _day(match["year"], MONTHS[match["month"].lower()], match["day"])
    if match["month2"]:
        return _month(2000 + int(match["year2"]), MONTHS[match["month2"].lower()])
    if match["quarter"]:
        return _quarter(int(match["quarter"]), match["from"], match["to"])
    if match["quarter2"]:
        return _quarter(int(match["quarter2"]), match["from2"], match["to2"])
    if match["season"]:
        season, year = match["season"].lower(), int(match["year3"])
        return _month(year + (season == "winter"), SEASON_ENDS[season])
    if match["iso"]:
        return match["iso"]
    if match["y"]:
        return _day(match["y"], int(match["m"]), match["d"])
    if match["ends"]:
        if match["ends2"]:
            return _month(int(match["ends"]) + 1, FINANCIAL_YEAR_ENDS)
        return _month(int(match["ends"]), CALENDAR_YEAR_ENDS)
    return (match["by"] or match["during"])[:YEAR_ALONE]


def _quarter(quarter: int, first: str, second: str | None) -> str | None:
    year = int(first) if len(first) == YEAR_ALONE else 2000 + int(first)
    if second is not None:
        return _month(year + (quarter == 4), FINANCIAL_QUARTER_ENDS[quarter])
    if len(first) != YEAR_ALONE:
        return None
    return _month(year, CALENDAR_QUARTER_ENDS[quarter])


def _day(year: str, month: int, day: str | None) -> str:
    """A day of the calendar; its month where no day is given or there is none such."""
    try:
        return date(int(year), month, int(day or 0)).isoformat()
    except ValueError:
        return _month(int(year), month)


def _month(year: int, month: int) -> str:
    return f"{year}-{month:02}"


def british_date(date: str | None) -> str:
    """A date of the catalogue or an index in words; what is not a date comes back as it is.

    >>> british_date("2023-06-07"), british_date("2024-03"), british_date("2025")
    ('7 June 2023', 'March 2024', '2025')
    """
    parts = (date or "")[:10].split("-")
    if not all(part.isdigit() for part in parts) or len(parts) > 3:
        return date or ""
    if len(parts) > 1 and not 1 <= int(parts[1]) <= 12:
        return date or ""
    words = [parts[0]]
    if len(parts) > 1:
        words.insert(0, _NAMES[int(parts[1]) - 1][0].capitalize())
    if len(parts) > 2:
        words.insert(0, str(int(parts[2])))
    return " ".join(words)
