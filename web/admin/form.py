"""What is typed about a document to be added, checked field by field, and kept as it was typed."""

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from web.parts import Problem

SUFFIXES = ("pdf", "docx", "pptx", "html", "htm", "md", "txt")
MOST_TITLE = 200
MOST_KIND = 60
MOST_URL = 2_000
EARLIEST, LATEST = 1900, 2200
FIELDS = ("title", "system", "kind", "day", "month", "year", "first", "last", "url")


@dataclass(frozen=True, slots=True)
class Typed:
    """The fields as they were typed, trimmed."""

    title: str = ""
    system: str = ""
    kind: str = ""
    day: str = ""
    month: str = ""
    year: str = ""
    first: str = ""
    last: str = ""
    url: str = ""

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> "Typed":
        """What was typed, of what was sent."""
        return cls(**{name: " ".join(fields.get(name, "").split()) for name in FIELDS})

    def addition(self) -> dict[str, str | None]:
        """What is known of the document, as `indexer.administer.Addition` takes it."""
        period = f"{self.first}-{self.last or self.first}" if self.first else None
        return {
            "system": self.system,
            "title": self.title,
            "kind": self.kind.lower() or "document",
            "published": self._published(),
            "period": period,
            "url": self.url or None,
        }

    def problems(self, systems: Mapping[str, object]) -> list[Problem]:
        """What is wrong, in the order of the form."""
        found = [
            self._title(),
            None if self.system in systems else Problem("Choose whose document it is", "system"),
            Problem(f"The kind must have {MOST_KIND} characters or fewer", "kind")
            if len(self.kind) > MOST_KIND
            else None,
            self._date(),
            self._period(),
            self._url(),
        ]
        return [problem for problem in found if problem]

    def _title(self) -> Problem | None:
        if not self.title:
            return Problem("Enter the title of the document", "title")
        if len(self.title) > MOST_TITLE:
            return Problem(f"The title must have {MOST_TITLE} characters or fewer", "title")
        return None

    def _date(self) -> Problem | None:
        if not (self.day or self.month or self.year):
            return None
        if not self.year:
            return Problem("The date must have a year", "year")
        if not _whole(self.year, EARLIEST, LATEST):
            return Problem(f"The year must be from {EARLIEST} to {LATEST}", "year")
        if self.day and not self.month:
            return Problem("The date must have a month", "month")
        if self.month and not _whole(self.month, 1, 12):
            return Problem("The month must be a number from 1 to 12", "month")
        if self.day:
            most = calendar.monthrange(int(self.year), int(self.month))[1]
            if not _whole(self.day, 1, most):
                return Problem(f"The day must be a number from 1 to {most} in that month", "day")
        return None

    def _period(self) -> Problem | None:
        for name, value in (("first", self.first), ("last", self.last)):
            if value and not _whole(value, EARLIEST, LATEST):
                return Problem(f"The {name} year must be from {EARLIEST} to {LATEST}", name)
        if self.last and not self.first:
            return Problem("Enter the first year too", "first")
        if self.last and int(self.last) < int(self.first):
            return Problem("The last year must not be before the first", "last")
        return None

    def _url(self) -> Problem | None:
        if not self.url:
            return None
        try:
            parts = urlsplit(self.url)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.netloc or " " in self.url:
            return Problem(
                "The web address must be whole, for example https://example.org/plan.pdf", "url"
            )
        if len(self.url) > MOST_URL:
            return Problem(f"The web address must have {MOST_URL:,} characters or fewer", "url")
        return None

    def _published(self) -> str | None:
        if not self.year:
            return None
        parts = [self.year]
        parts += [f"{int(self.month):02}"] if self.month else []
        parts += [f"{int(self.day):02}"] if self.day else []
        return "-".join(parts)


def _whole(text: str, least: int, most: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 5 and least <= int(text) <= most


def suffix_of(file_name: str) -> str | None:
    """The suffix to keep a file by, chosen from ours by what its name ends in; None for others."""
    end = re.search(r"\.([A-Za-z0-9]{1,5})$", file_name)
    return next((s for s in SUFFIXES if end and s == end[1].lower()), None)
