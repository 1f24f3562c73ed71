"""What of each system's passages bears on a question: found system by system, and weighed."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from indexer.analyse import STOP_STEMS, stem
from indexer.embed import Vectors
from indexer.statements import Stated, statements
from indexer.store import Store
from search_api import answer as answering
from search_api import contacts
from search_api.answer import Weighed
from search_api.judge import Asked, ThemeWords
from search_api.model import Understood
from search_api.retrieve import Candidate, Scope, retrieve
from search_api.settings import SearchSettings

MOST_THEME_ROWS = 2_000
MOST_THEME_PASSAGES = 25


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
        self._stated = lru_cache(maxsize=20_000)(self._statements)

    def weighed(
        self, understood: Understood, asked: Asked, scopes: Mapping[str, Scope]
    ) -> dict[str, list[Weighed]]:
        """For each system, the statements of its best passages, likeliest first."""
        return {s: self._of_system(understood, asked, scope) for s, scope in scopes.items()}

    def _of_system(self, understood: Understood, asked: Asked, scope: Scope) -> list[Weighed]:
        vector = self._vector_of(understood)
        candidates = retrieve(self.store, understood, vector, scope, self.settings)
        if asked.theme is not None:
            candidates = self._with_theme(asked.theme, vector, candidates, scope)
            weighed = answering.weigh(
                self.store, asked, vector, candidates, self._stated, MOST_THEME_PASSAGES
            )
        else:
            weighed = answering.weigh(self.store, asked, vector, candidates, self._stated)
        return contacts.without_contacts(weighed) if self.settings.mask_contacts else weighed

    def _with_theme(
        self, theme: ThemeWords, vector: Vectors, candidates: Sequence[Candidate], scope: Scope
    ) -> list[Candidate]:
        """Every passage of the scope that uses a word of the theme, then the other candidates.

        Those that retrieval left out come too: a theme must not be silent because its passages
        did not rank.
        """
        stems = {w for phrase in theme.phrases for w in phrase if w not in STOP_STEMS}
        words = dict.fromkeys(stems | {stem(a.lower()) for a in theme.acronyms}, 1.0)
        rows, _ = self.store.matching(words, MOST_THEME_ROWS, scope.document_ids)
        self.store.passages(rows.tolist())  # all at once: a database is asked once, not per row
        spoken = {row for row in rows.tolist() if self._spoken(theme, row)}
        spoken |= {c.row for c in candidates if self._spoken(theme, c.row)}
        extra = sorted(spoken - {c.row for c in candidates})
        lowest = min((c.score for c in candidates), default=0.0)
        found = [c for c in candidates if c.row in spoken]
        if extra:
            dense = self.store.vectors(np.asarray(extra)) @ vector
            added = [
                Candidate(row, lowest, 0.0, float(d)) for row, d in zip(extra, dense, strict=True)
            ]
            found += sorted(added, key=lambda c: (-round(c.dense, 5), c.row))
        return found + [c for c in candidates if c.row not in spoken]

    def _statements(self, row: int) -> list[Stated]:
        (passage,) = self.store.passages([row])
        return statements(passage, self.store.reading(passage.document_id))

    def _speaks(self, theme: ThemeWords, row: int) -> bool:
        (passage,) = self.store.passages([row])
        return theme.spoken_in("\n".join((passage.text, *passage.heading[-1:])))
