"""Pages that say something of the service itself."""

from dataclasses import dataclass

from web.evidence import Rung, Status
from web.parts import Link
from web.present.lists import Counts


@dataclass(frozen=True, slots=True)
class AboutPage:
    """What this is, how it works and what its words mean."""

    counts: Counts | None
    rungs: tuple[Rung, ...]
    statuses: tuple[Status, ...]


@dataclass(frozen=True, slots=True)
class AccessibilityPage:
    """The accessibility statement."""

    feedback: str | None


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What went wrong, in a sentence, and where to go on."""

    status: int
    title: str
    message: str
    links: tuple[Link, ...]
