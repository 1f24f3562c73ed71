"""What ranking needs to know of a passage's words, worked out once, when it is indexed."""

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from corpus.model import Passage
from indexer.analyse import distinct

VERSION = "2"
"""Raised when a gist, or what counts as a statement, changes: indexes are then written anew."""
DATE = re.compile(r"\b20\d\d\b|\bQ[1-4]\b")


@dataclass(frozen=True, slots=True)
class Gist:
    """A passage's stems, each once, without stop words, and what else its rank rests on.

    Attributes:
        own: the stems of its text, each between spaces.
        around: those of its headings and its document's title, likewise.
        words: how many words the text has.
        dated: whether a year or a quarter stands in it.
        form: the passage's.
    """

    own: str
    around: str
    words: int
    dated: bool
    form: str


@lru_cache(maxsize=20_000)
def gist_of(passage: Passage) -> Gist:
    """The gist of a passage.

    >>> from corpus.model import Passage
    >>> passage = Passage("a.0-9", "Care by 2030", "a", "a", "Plan", "prose", (), (), None, False,
    ...     None, 0, 12)
    >>> gist_of(passage)
    Gist(own=' 2030 care ', around=' plan ', words=3, dated=True, form='prose')
    """
    return Gist(
        own=_line(passage.text),
        around=_line(" ".join((*passage.heading, passage.document_title))),
        words=len(passage.text.split()),
        dated=DATE.search(passage.text) is not None,
        form=passage.form,
    )


class Standing(NamedTuple):
    """Those of some stems that stand in a passage, and those that stand around it."""

    own: frozenset[str]
    around: frozenset[str]


def standing(stems: Set[str], known: Sequence[Gist]) -> list[Standing]:
    """Which of some stems stand in each of several passages, and which around it."""
    wanted = frozenset(stems)
    # Passages of a section have what stands around them in common.
    around = {line: wanted.intersection(line.split()) for line in {g.around for g in known}}
    return [Standing(wanted.intersection(g.own.split()), around[g.around]) for g in known]


def _line(text: str) -> str:
    return f" {' '.join(sorted(distinct(text)))} "
