"""How much of what was asked a text holds: the question's words, weighted by how rare they are.

A word's weight is its inverse document frequency (Spärck Jones 1972). A word also counts where its
acronym is spelled out, or, for less, where another word for it stands.
"""

import math
from collections.abc import Mapping, Set
from dataclasses import dataclass

from indexer.analyse import terms
from indexer.store import Store
from search_api.model import Understood
from search_api.subject import FRAME_STEMS
from search_api.thesaurus import SOURCE

ALIKE = 0.7
"""What another word for a word counts, beside the word itself."""


@dataclass(frozen=True, slots=True)
class Weight:
    """A word asked for: how rare it is, and the sets of words that count as it, for how much."""

    idf: float
    instead: tuple[tuple[frozenset[str], float], ...] = ()

    def share(self, held: Set[str]) -> float:
        """What words held make up for this one."""
        return max((worth for words, worth in self.instead if words <= held), default=0.0)


def asked_words(understood: Understood) -> list[str]:
    """The stems asked for, in order: of the subject, frame words only if there are no others."""
    words = terms(understood.subject)
    return [w for w in words if w not in FRAME_STEMS] or words


def weights_of(understood: Understood, store: Store) -> dict[str, Weight]:
    """The words of a question with their weights."""
    instead: dict[str, dict[frozenset[str], float]] = {}
    for expansion in understood.expansions:
        to = frozenset(terms(expansion.to))
        worth = ALIKE if expansion.source == SOURCE else 1.0
        for word in terms(expansion.from_):
            if to and word not in to:
                instead.setdefault(word, {})[to] = worth
    passages = max(1, store.manifest.passages)
    out = {}
    for word in asked_words(understood):
        frequency = store.document_frequency(word)
        idf = math.log(1 + (passages - frequency + 0.5) / (frequency + 0.5))
        out[word] = Weight(idf, tuple(instead.get(word, {}).items()))
    return out


def shares(words: Mapping[str, Weight], own: Set[str], around: Set[str]) -> tuple[float, float]:
    """Share of the words asked for, by rarity: in a text, and with what stands around it."""
    inside = with_context = total = 0.0
    both: Set[str] | None = None
    for word, weight in words.items():
        total += weight.idf
        here = 1.0 if word in own else weight.share(own) if weight.instead else 0.0
        inside += weight.idf * here
        if here == 1.0:
            with_context += weight.idf
            continue
        if weight.instead:
            both = own | around if both is None else both
            there = 1.0 if word in around else weight.share(both)
        else:
            there = 1.0 if word in around else 0.0
        with_context += weight.idf * max(here, there)
    return (inside / total, with_context / total) if total else (0.0, 0.0)


def holds(understood: Understood, text: str) -> bool:
    """Whether a text holds every quoted phrase and none of the words ruled out."""
    if not (understood.phrases or understood.without):
        return True
    lower = _plain(text)
    if any(_plain(phrase) not in lower for phrase in understood.phrases):
        return False
    return not any(word.lower() in lower for word in understood.without)


def _plain(text: str) -> str:
    """In lower case, with single spaces and straight apostrophes."""
    return " ".join(text.lower().replace("’", "'").split())
