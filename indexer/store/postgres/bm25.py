"""BM25 over postings from the database, in the arithmetic of tantivy.

The embedded store ranks by tantivy's BM25. So that both stores give the same scores, lengths are
rounded to the same 256 values and every step is taken in 32-bit floats. What a word is worth in a
field is the same to the last bit; only the order of the sum differs, by a last bit now and then.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.store.base import Rows, Scores, top
from indexer.store.writer import FIELDS

RECORD = np.dtype(
    [("row", "<u4"), ("text", "<u2"), ("heading", "<u2"), ("text_norm", "u1"), ("head_norm", "u1")]
)
"""A passage that holds a word: how often in its text and headings, and their coded lengths."""

Records = NDArray[np.void]
Ids = NDArray[np.uint8]
Flags = NDArray[np.bool_]

K1 = np.float32(1.2)
B = np.float32(0.75)
ONE = np.float32(1)
HALF = np.float32(0.5)
EXACT_LENGTHS = 24


def _lengths() -> NDArray[np.int64]:
    """The lengths that the 256 codes stand for: exact at first, then in ever longer steps."""
    out = list(range(EXACT_LENGTHS))
    for code in range(256 - EXACT_LENGTHS):
        step = code if code < 8 else ((code & 7) | 8) << ((code >> 3) - 1)
        out.append(EXACT_LENGTHS + step)
    return np.array(out, dtype=np.int64)


LENGTHS = _lengths()


def coded(lengths: Sequence[int]) -> Ids:
    """Lengths in words as codes: that of the longest length not above each."""
    return (np.searchsorted(LENGTHS, lengths, side="right") - 1).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Totals:
    """How many passages are searched, and how many words their fields have in all."""

    passages: int
    text: int
    heading: int
    title: int


class Titles:
    """Which words stand in which documents' titles, and which rows belong to which document."""

    def __init__(self, stems: Sequence[Sequence[str]], of_row: Rows, searched: Flags) -> None:
        """The stems of each document's title.

        Args:
            of_row: for each row the place of its document.
            searched: for each row whether it is ever a candidate.
        """
        self.of_row = of_row
        self.searched = searched
        self._passages = np.bincount(of_row[searched], minlength=len(stems))
        self._norms = coded([len(title) for title in stems])
        self._held: dict[str, dict[int, int]] = defaultdict(dict)
        for place, title in enumerate(stems):
            for word, times in Counter(title).items():
                self._held[word][place] = times

    def holding(self, word: str) -> tuple[Rows, Rows, Ids, int]:
        """Places of documents, how often each title has the word, coded lengths; all passages."""
        held = self._held.get(word, {})
        places = np.fromiter(held.keys(), dtype=np.int64, count=len(held))
        times = np.fromiter(held.values(), dtype=np.int64, count=len(held))
        return places, times, self._norms[places], int(self._passages[places].sum())


class Bm25:
    """Scores passages of one generation."""

    def __init__(self, totals: Totals, titles: Titles) -> None:
        """A generation with its totals and titles."""
        self._totals = totals
        self._titles = titles
        self._norms = {field: self._norm(field) for field in FIELDS}

    def _norm(self, field: str) -> NDArray[np.float32]:
        words = int(getattr(self._totals, field))
        if not words:
            return np.ones(256, dtype=np.float32)
        mean = np.float32(words) / np.float32(self._totals.passages)
        return np.asarray(K1 * ((ONE - B) + B * LENGTHS.astype(np.float32) / mean), np.float32)

    def _weight(self, frequency: int, boost: float) -> np.float32:
        """What a word in a field is worth, found in so many passages."""
        n, df = np.float32(self._totals.passages), np.float32(frequency)
        odds = (n - df + HALF) / (df + HALF)
        # Rounded once from 64 bits, as the C library's logf is; numpy's own may differ by a bit.
        rarity = np.float32(math.log(float(ONE + odds)))
        return np.float32(rarity * (ONE + K1) * np.float32(boost))

    def best(
        self,
        words: Mapping[str, float],
        k: int,
        records: Mapping[str, Records],
        frequencies: Mapping[str, tuple[int, int]],
        among: Flags | None,
    ) -> tuple[Rows, Scores]:
        """The k best rows and their scores; ties go to the lower row.

        Args:
            words: stems with their weights.
            records: of each word, of at least the rows that are searched.
            frequencies: in how many passages each word stands, in text and in headings.
            among: for each row whether it may be found, if not all may.
        """
        of_row = self._titles.of_row
        total = np.zeros(len(of_row), dtype=np.float32)
        found = np.zeros(len(of_row), dtype=np.bool_)
        for word, weight in words.items():
            own = np.zeros(len(of_row), dtype=np.float32)
            held = records.get(word)
            if held is not None:
                in_text, in_heading = frequencies[word]
                share = self._share("text", held["text"], held["text_norm"], in_text, weight)
                share += self._share(
                    "heading", held["heading"], held["head_norm"], in_heading, weight
                )
                own[held["row"]] = share
                found[held["row"]] = True
            places, times, norms, passages = self._titles.holding(word)
            if len(places):
                shares = np.zeros(int(of_row[-1]) + 1, dtype=np.float32)
                shares[places] = self._share("title", times, norms, passages, weight)
                own += shares[of_row]
                found |= (shares > 0)[of_row]
            total += own
        found &= self._titles.searched
        if among is not None:
            found &= among
        rows = np.flatnonzero(found)
        return top(rows, total[rows], k)

    def _share(
        self,
        field: str,
        times: NDArray[np.integer],
        norms: NDArray[np.integer],
        frequency: int,
        weight: float,
    ) -> NDArray[np.float32]:
        tf = times.astype(np.float32)
        value = self._weight(frequency, weight * FIELDS[field])
        return np.asarray(value * (tf / (tf + self._norms[field][norms])), np.float32)
