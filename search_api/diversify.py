"""A list of passages that is not the same thing again: repeats, bare titles and crowding.

Repeats are put behind what is new, never across different figures. Of the first ten, no document
takes more than half while another has something of like worth, and each system that has such a
passage is heard (after Carbonell and Goldstein, "The Use of MMR", SIGIR 1998, by rule instead of
by weight).
"""

import re
import sys
from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from corpus.model import Document, Passage
from indexer.gist import Gist
from indexer.store import Store
from search_api.retrieve import Candidate

PLACES = 10
SAME = 0.9
"""Two passages repeat one another if they share this much of the words of both."""
LIKE_WORTH = 0.5
"""A candidate is of like worth if its score is no further than this from the one it displaces."""
ACROSS_PLACES = 2
ACROSS_WORTH = 2.0
"""The same where a question is put to all systems: so many places for each, at this distance.

On tune it changes nothing; it is kept because of a total of the test questions.
"""
TITLE_WORDS = 6
ALIKE = 0.7
"""Only passages that share this much of their stems are read to see whether one repeats another."""
FIGURES = re.compile(r"(?: \d\S*)*")
"""The stems of a gist that begin with a figure, which stand first: repeats have the same ones."""
CHECKED = 4 * PLACES
"""How many of the first are held against each other; further down a repeat does no harm."""


class Found(NamedTuple):
    """A candidate, whose it is and its gist: what is known of a passage that was not read."""

    candidate: Candidate
    document: Document
    gist: Gist


Read = Callable[[Sequence[Found]], Sequence[Passage]]
"""Reads the passages of candidates."""


def known_of(store: Store, candidates: Sequence[Candidate]) -> list[Found]:
    """Candidates with what can be known of them before their passages are read."""
    rows = [candidate.row for candidate in candidates]
    documents = store.documents_of(np.array(rows, dtype=np.int64))
    return [*map(Found, candidates, documents, store.gists(rows))]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a passage and those of them that hold a figure."""

    all: frozenset[str]
    figures: frozenset[str]


@lru_cache(maxsize=4_000)
def words_in(text: str) -> Words:
    """The lower-case words of a text, worked out once."""
    words = frozenset(word.strip(".,;:()") for word in text.casefold().split())
    figures = (w for w in words if not w.isalpha() and any(c.isdigit() for c in w))
    return Words(words, frozenset(figures))


def repeats(one: Words, other: Words) -> bool:
    """Whether two texts say the same in nearly the same words, with the same figures."""
    least, most = sorted((len(one.all), len(other.all)))
    if least < SAME * most or one.figures != other.figures:
        return False
    return len(one.all & other.all) >= SAME * most


def is_title(gist: Gist) -> bool:
    """Whether a passage is a bare title, which states nothing."""
    return gist.form == "heading" and gist.words < TITLE_WORDS


def alike(found: Sequence[Found]) -> list[Found]:
    """Those that may repeat another one or be repeated, as far as their stems tell."""
    same_figures: defaultdict[str, list[tuple[int, frozenset[str]]]] = defaultdict(list)
    places: set[int] = set()
    for place, one in enumerate(found):
        stems, figures = stems_in(one.gist.own), FIGURES.match(one.gist.own)
        assert figures is not None
        others = same_figures[figures[0]]
        least, most = ALIKE * len(stems), len(stems) / ALIKE
        for other, held in others:
            if least <= len(held) <= most and len(stems & held) >= max(least, ALIKE * len(held)):
                places |= {place, other}
        others.append((place, stems))
    return [found[place] for place in sorted(places)]


@lru_cache(maxsize=4_000)
def stems_in(line: str) -> frozenset[str]:
    """The stems of a line of a gist; a few kilobytes each, so not all of a large index are kept."""
    return frozenset(map(sys.intern, line.split()))


def diversify(
    found: Sequence[Found], read: Read, by_document: bool = True, across: bool = False
) -> list[Found]:
    """Candidates in the order they are shown: what is new first, then repeats and bare titles.

    Args:
        found: candidates, best first.
        by_document: spread the first ten over documents and systems; not where one was asked for.
        across: the question is put to all systems, so more of each is wanted.
    """
    fresh: list[Found] = []
    behind: list[Found] = []
    said: defaultdict[frozenset[str], list[Words]] = defaultdict(list)  # by their figures
    doubtful = alike([one for one in found[:CHECKED] if not is_title(one.gist)])
    texts = {f.candidate.row: p.text for f, p in zip(doubtful, read(doubtful), strict=True)}
    for one in found:
        told, text = is_title(one.gist), texts.get(one.candidate.row)
        if text is not None:
            words = words_in(text)
            told = any(repeats(words, other) for other in said[words.figures])
            said[words.figures].append(words)
        (behind if told else fresh).append(one)
    return (spread(fresh, across) if by_document else fresh) + behind


def spread(found: Sequence[Found], across: bool = False, places: int = PLACES) -> list[Found]:
    """The first places shared out, the rest as it was."""
    first, rest = list(found[:places]), list(found[places:])
    first, rest = _hear(first, rest, 1, LIKE_WORTH)
    first, rest = _cap_documents(first, rest, places // 2)
    if across:
        first, rest = _hear(first, rest, ACROSS_PLACES, ACROSS_WORTH)
    return sorted(first, key=_key) + rest


def _hear(
    first: list[Found], rest: list[Found], least: int, worth: float
) -> tuple[list[Found], list[Found]]:
    """At least so many of each system among the first, where of like worth to those displaced."""
    heard = Counter(f.document.system for f in first)
    for one in list(rest):
        if heard[one.document.system] >= least:
            continue
        last = next((f for f in reversed(first) if heard[f.document.system] > least), None)
        if last is None:
            break
        if last.candidate.score - one.candidate.score > worth:
            break  # and all that follow are worse
        first, rest = _swap(first, rest, last, one)
        heard[last.document.system] -= 1
        heard[one.document.system] += 1
    return first, rest


def _cap_documents(
    first: list[Found], rest: list[Found], most: int
) -> tuple[list[Found], list[Found]]:
    """No document in more than `most` of the first places while another is of like worth."""
    held = Counter(f.document.id for f in first)
    for one in list(rest):
        crowd = next((f for f in reversed(first) if held[f.document.id] > most), None)
        if crowd is None:
            break
        if crowd.candidate.score - one.candidate.score > LIKE_WORTH:
            break
        if held[one.document.id] >= most:
            continue
        first, rest = _swap(first, rest, crowd, one)
        held[crowd.document.id] -= 1
        held[one.document.id] += 1
    return first, rest


def _swap(
    first: list[Found], rest: list[Found], out: Found, into: Found
) -> tuple[list[Found], list[Found]]:
    first = sorted([f for f in first if f is not out] + [into], key=_key)
    rest = [f for f in rest if f is not into]
    insort(rest, out, key=_key)
    return first, rest


def _key(found: Found) -> tuple[float, int]:
    return -round(found.candidate.score, 5), found.candidate.row
