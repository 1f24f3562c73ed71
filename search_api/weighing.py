"""What of each system's passages bears on a question: found system by system, and weighed."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache

import numpy as np

from indexer.analyse import STOP_STEMS, stem
from indexer.embed import Vectors
from indexer.gist import Gist
from indexer.store import Store
from search_api import answer as answering
from search_api import contacts
from search_api.answer import Weighed
from search_api.judge import Asked, Background, Near
from search_api.model import Understood
from search_api.retrieve import Candidate, Scope, retrieve_each
from search_api.settings import SearchSettings
from search_api.topics import ThemeWords

MOST_THEME_ROWS = 2_000
MOST_THEME_PASSAGES = 25
LOOKED_AT_ONCE = 50
SAMPLE = 1_000
"""So many passages, evenly spaced, show how like a question passages at large are."""


class Weigher:
    """Weighs statements of one generation of an index. Safe to use from many threads."""

    def __init__(
        self, store: Store, settings: SearchSettings, vector_of: Callable[[Understood], Vectors]
    ) -> None:
        """Weigh statements of a store; `vector_of` embeds what is asked."""
        self.store = store
        self.settings = settings
        self._vector_of = vector_of
        self._spoken = lru_cache(maxsize=200_000)(self._speaks)

    def weighed(
        self, understood: Understood, asked: Asked, scopes: Mapping[str, Scope]
    ) -> dict[str, list[Weighed]]:
        """For each system, the statements of its best passages, likeliest first."""
        vector, own = self._vector_of(understood), list(scopes.values())
        each = retrieve_each(self.store, understood, vector, own, self.settings)
        near = Near(vector, Background.of(self._sample, vector))
        most = answering.MOST_PASSAGES
        if asked.theme is not None:
            each, most = self._with_theme(asked.theme, vector, each, own), MOST_THEME_PASSAGES
        out = {}
        for system, candidates in zip(scopes, each, strict=True):
            weighed = answering.weigh(self.store, asked, near, candidates, most)
            masked = self.settings.mask_contacts
            out[system] = contacts.without_contacts(weighed) if masked else weighed
        return out

    @cached_property
    def _sample(self) -> Vectors:
        passages = self.store.manifest.passages
        rows = np.linspace(0, passages - 1, min(SAMPLE, passages)).astype(np.int64)
        return np.asarray(self.store.vectors(rows), dtype=np.float32)

    def _with_theme(
        self,
        theme: ThemeWords,
        vector: Vectors,
        each: Sequence[Sequence[Candidate]],
        scopes: Sequence[Scope],
    ) -> list[list[Candidate]]:
        """The passages of a scope that use a word of the theme, then its other candidates.

        Those that retrieval left out come too: a theme must not be silent because its passages
        did not rank.
        """
        needed = [tuple(w for w in phrase if w not in STOP_STEMS) for phrase in theme.phrases]
        needed += [(stem(acronym.lower()),) for acronym in theme.acronyms]
        groups = [scope.document_ids for scope in scopes]
        found = self.store.rows_with([p for p in needed if p], MOST_THEME_ROWS, groups)
        return [
            self._spoken_first(theme, vector, candidates, rows.tolist())
            for candidates, rows in zip(each, found, strict=True)
        ]

    def _spoken_first(
        self,
        theme: ThemeWords,
        vector: Vectors,
        candidates: Sequence[Candidate],
        rows: Sequence[int],
    ) -> list[Candidate]:
        """Only so many as are weighed are looked for, the best first."""
        known = {c.row: c for c in candidates}
        found = [known[row] for row in self._speaking(theme, list(known), MOST_THEME_PASSAGES)]
        extra = np.asarray(sorted({*rows} - known.keys()), dtype=np.int64)
        wanted = MOST_THEME_PASSAGES - len(found)
        if wanted and len(extra):
            lowest = min((c.score for c in candidates), default=0.0)
            dense = dict(
                zip(extra.tolist(), (self.store.vectors(extra) @ vector).tolist(), strict=True)
            )
            nearest = sorted(dense, key=lambda row: (-round(dense[row], 5), row))
            added = self._speaking(theme, nearest, wanted)
            found += [Candidate(row, lowest, 0.0) for row in added]
        spoken = {c.row for c in found}
        return found + [c for c in candidates if c.row not in spoken]

    def _speaking(self, theme: ThemeWords, rows: Sequence[int], most: int) -> list[int]:
        """The first of some rows that use a word of a theme, so many at the most."""
        told = by_stems(theme)
        found: list[int] = []
        for at in range(0, len(rows), LOOKED_AT_ONCE):
            some = rows[at : at + LOOKED_AT_ONCE]
            known = dict(zip(some, map(told, self.store.gists(some)), strict=True))
            # All at once: a database is asked once, not per row.
            self.store.passages([row for row, speaks in known.items() if speaks is None])
            found += [
                row
                for row, speaks in known.items()
                if speaks or (speaks is None and self._spoken(theme, row))
            ]
            if len(found) >= most:
                break
        return found[:most]

    def _speaks(self, theme: ThemeWords, row: int) -> bool:
        (passage,) = self.store.passages([row])
        return theme.spoken_in("\n".join((passage.text, *passage.heading[-1:])))


def by_stems(theme: ThemeWords) -> Callable[[Gist], bool | None]:
    """Whether a passage uses a word of a theme as far as its stems tell; None where they do not.

    Where a phrase of one word stands, they do, unless that may be in passing. An acronym may be
    part of a longer word, as where a space is missing after a full stop.
    """
    acronyms = [stem(acronym.lower()) for acronym in theme.acronyms]
    phrases = [_marks(phrase) for phrase in theme.phrases]
    alone = [
        marks[0]
        for marks, phrase in zip(phrases, theme.phrases, strict=True)
        if len(phrase) == 1
        if marks
    ]
    passing = [_marks(phrase) for phrase in theme.passing]

    def told(gist: Gist) -> bool | None:
        if any(word in gist.own for word in alone) and not any(
            all(word in gist.own for word in phrase) for phrase in passing
        ):
            return True
        held = gist.own + gist.around
        if any(acronym in held for acronym in acronyms):
            return None
        return None if any(all(word in held for word in phrase) for phrase in phrases) else False

    return told


def _marks(phrase: Sequence[str]) -> list[str]:
    """The stems of a phrase as they stand in a gist, stop words left out."""
    return [f" {word} " for word in phrase if word not in STOP_STEMS]
