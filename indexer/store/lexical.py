"""Looking for words in a generation in a folder: one tantivy index of the segments of its parts.

Every search is one query; those of several groups of documents are asked together first.
"""

import json
import math
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import tantivy

from indexer.store import parts
from indexer.store.base import Found, Rows, rounded, within
from indexer.store.writer import FIELDS, LOCK, lexical_schema

WIDE = 0.2
"""A filter that lets so much through is applied to what was found rather than while searching."""
SCHEMA = lexical_schema()

Ranges = Callable[[Sequence[str] | None], Sequence[tuple[int, int]]]
"""Gives the rows of documents, or of all, as ranges in order and apart."""


class Lexical:
    """The words of a generation. Safe to use from many threads."""

    def __init__(self, folder: Path, firsts: Mapping[str, int], ranges: Ranges) -> None:
        """Open the index in a generation's folder.

        Args:
            firsts: by the name of each part its first row.

        Raises:
            OSError, ValueError, LookupError: it cannot be read.
        """
        self._searcher = _opened(folder / parts.LEXICAL)
        self._firsts = _firsts_of_segments(folder / parts.LEXICAL, firsts)
        self._ranges = ranges

    def frequency(self, word: str) -> int:
        """In how many passages a stem stands."""
        return int(self._searcher.doc_freq("text", word))

    def best(self, query: tantivy.Query, k: int, documents: Sequence[str] | None) -> Found:
        """The k best hits of a query, among documents if given."""
        if documents is None:
            return self._hits(query, k)
        ranges = self._ranges(documents)
        size = sum(end - first for first, end in self._ranges(None))
        share = sum(end - first for first, end in ranges) / max(1, size)
        if share >= WIDE:
            # Nearly everything passes: fetch some more and filter, unless too few are left.
            fetched = math.ceil(2 * k / share)
            rows, scores = self._hits(query, fetched)
            passed = within(rows, ranges)
            if int(passed.sum()) >= k or len(rows) < fetched:
                return rows[passed][:k], scores[passed][:k]
        among = tantivy.Query.term_set_query(SCHEMA, "document", list(documents))
        among = tantivy.Query.const_score_query(among, 0.0)
        both = [(tantivy.Occur.Must, query), (tantivy.Occur.Must, among)]
        return self._hits(tantivy.Query.boolean_query(both), k)

    def best_each(
        self,
        query: tantivy.Query,
        k: int,
        groups: Sequence[Sequence[str] | None],
        fetched: int,
    ) -> list[Found]:
        """The best hits of a query in each of several groups: k, or more as they come along.

        So many are fetched for all of them; a group that got too few of those is asked for alone,
        so that each has its own best.
        """
        rows, scores = self._hits(query, fetched)
        out = []
        for group in groups:
            passed = np.flatnonzero(within(rows, self._ranges(group)))
            if len(passed) >= k or len(rows) < fetched:
                out.append((rows[passed], scores[passed]))
            else:
                out.append(self.best(query, k, group))
        return out

    def _hits(self, query: tantivy.Query, k: int) -> Found:
        hits = self._searcher.search(query, k, count=False).hits
        addresses = [address for _, address in hits]
        found = np.asarray(self._searcher.fast_field_values("row", addresses), dtype=np.int64)
        return (
            found + self._firsts[[address.segment_ord for address in addresses]],
            rounded(np.asarray([score for score, _ in hits], dtype=np.float32)),
        )


def any_of(words: Mapping[str, float]) -> tantivy.Query:
    """Weighted stems in any field."""
    # One flat union of terms: only that lets tantivy pass over blocks that cannot be best.
    clauses = [
        tantivy.Query.boost_query(tantivy.Query.term_query(SCHEMA, field, word), weight * boost)
        for word, weight in words.items()
        for field, boost in FIELDS.items()
    ]
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, c) for c in clauses])


def any_whole(phrases: Collection[Sequence[str]]) -> tantivy.Query:
    """Every stem of some phrase, each in the text or in a heading."""
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, _all_of(p)) for p in phrases])


def _all_of(phrase: Sequence[str]) -> tantivy.Query:
    whole = []
    for word in phrase:
        fields = [
            (tantivy.Occur.Should, tantivy.Query.term_query(SCHEMA, field, word))
            for field in ("text", "heading")
        ]
        whole.append((tantivy.Occur.Must, tantivy.Query.boolean_query(fields)))
    return tantivy.Query.boolean_query(whole)


def _firsts_of_segments(lexical: Path, firsts: Mapping[str, int]) -> Rows:
    """For each segment of the index the first row of its part, after which it is named."""
    meta = json.loads((lexical / "meta.json").read_text(encoding="utf-8"))
    names = [s["segment_id"].replace("-", "")[: parts.NAME_DIGITS] for s in meta["segments"]]
    if len(firsts) == 1:  # it is all of them, as in a generation made before there were parts
        return np.zeros(len(names), dtype=np.int64)
    return np.array([firsts[name] for name in names], dtype=np.int64)


def _opened(lexical: Path) -> tantivy.Searcher:
    """A searcher of an index, also where nothing can be written.

    tantivy makes a lock file to open an index. On a read-only or full disk it makes it beside links
    to the index's files; they can go once the searcher has the files open.
    """
    try:
        return tantivy.Index.open(str(lexical)).searcher()
    except ValueError:
        with tempfile.TemporaryDirectory(prefix="icsearch-") as links:
            for file in lexical.iterdir():
                if file.suffix != LOCK:
                    (Path(links) / file.name).symlink_to(file.absolute())
            return tantivy.Index.open(links).searcher()
