"""The words of a picture, by Tesseract where it is installed."""

import csv
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

LEAST_CONFIDENCE = 30.0
LANGUAGE = "eng"


class Place(NamedTuple):
    """A rectangle of a picture, in its pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def scaled(self, by: float) -> "Place":
        """The same in another unit."""
        return Place(*(value * by for value in self))


class Recognised(NamedTuple):
    """A paragraph as recognised."""

    text: str
    box: Place


@dataclass(slots=True)
class Budget:
    """The seconds that are left for all pictures of a file, and the most for one."""

    seconds: float
    each: float
    started: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """Seconds for the next picture; 0 or less if all are spent."""
        return min(self.each, self.seconds - (time.monotonic() - self.started))


@cache
def installed() -> str | None:
    """The path of the program, or None if it is not installed."""
    return shutil.which("tesseract")


def read(png: bytes, budget: Budget) -> list[Recognised]:
    """The paragraphs of a picture in Tesseract's order; none if it fails or takes too long."""
    program = installed()
    if program is None or budget.left() <= 0:
        return []
    try:
        done = subprocess.run(  # noqa: S603 - the program found on the path, no shell
            [program, "stdin", "stdout", "-l", LANGUAGE, "tsv"],
            input=png,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=budget.left(),
            # Its own threads slow each other down when several files are read at once.
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            check=True,
        )
    except (subprocess.SubprocessError, OSError):
        return []
    return list(_paragraphs(done.stdout.decode(errors="replace")))


def _paragraphs(table: str) -> Iterator[Recognised]:
    held: list[dict[str, str]] = []
    key: tuple[str, str] | None = None
    for row in csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row.get("level") != "5" or not (row.get("text") or "").strip():
            continue
        here = row["block_num"], row["par_num"]
        if held and here != key:
            yield from _paragraph(held)
            held = []
        held.append(row)
        key = here
    if held:
        yield from _paragraph(held)


def _paragraph(rows: list[dict[str, str]]) -> Iterator[Recognised]:
    """The paragraph, unless Tesseract itself hardly believes it."""
    sure = sum(float(row["conf"]) for row in rows) / len(rows)
    if sure < LEAST_CONFIDENCE:
        return
    lefts = [int(row["left"]) for row in rows]
    tops = [int(row["top"]) for row in rows]
    rights = [int(row["left"]) + int(row["width"]) for row in rows]
    bottoms = [int(row["top"]) + int(row["height"]) for row in rows]
    text = " ".join(row["text"] for row in rows)
    yield Recognised(text, Place(min(lefts), min(tops), max(rights), max(bottoms)))
