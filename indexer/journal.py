"""The log of administrative acts: one line of JSON an act, only ever added to.

Text between acts is never rewritten, so the file can be sent elsewhere line by line.
"""

import json
import os
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from corpus.errors import AdminError


@dataclass(frozen=True, slots=True)
class Entry:
    """One act: when (UTC, ISO 8601), by whom, what, on what, and what came of it."""

    when: str
    who: str
    what: str
    subject: str
    result: str


class Journal:
    """The file of acts."""

    def __init__(self, path: Path) -> None:
        """Write to a file, which need not be there yet."""
        self.path = path

    def note(self, who: str, what: str, subject: str = "", result: str = "") -> None:
        """Add an act, and have it on the disk before anything else is done.

        Raises:
            AdminError: it cannot be written, so the act must not be done.
        """
        when = datetime.now(UTC).isoformat(timespec="seconds")
        line = json.dumps(asdict(Entry(when, who, what, subject, result)), ensure_ascii=False)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # One write to a file opened for adding: lines of several processes do not mix.
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, line.encode() + b"\n")
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise AdminError(
                f"Nothing was done: the log {self.path} cannot be written "
                f"({error.strerror or error})."
            ) from error

    def last(self, most: int) -> list[Entry]:
        """The latest acts, newest first; a line that is not one of ours is passed over.

        Raises:
            AdminError: the file is there and cannot be read.
        """
        try:
            with self.path.open(encoding="utf-8", errors="replace") as file:
                lines = deque(file, maxlen=most)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise AdminError(
                f"The log {self.path} cannot be read: {error.strerror or error}."
            ) from error
        return [entry for line in reversed(lines) if (entry := _entry(line))]


def _entry(line: str) -> Entry | None:
    try:
        return Entry(**{name: str(value) for name, value in json.loads(line).items()})
    except (ValueError, TypeError, AttributeError):
        return None
