"""Is the subject really there? A statement is weighed against what was asked.

Two kinds of evidence: the share of the question's words that stand in the statement or in the
headings and cells around it, weighted by how rare they are (inverse document frequency), and the
cosine of the two embeddings. For a theme, its own words decide.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from corpus.model import Theme
from indexer.analyse import STOP_STEMS, terms, tokens
from indexer.statements import Stated
from indexer.store import Store
from search_api.cover import Weight, shares, weights_of
from search_api.model import Understood
from search_api.understand import FRAME_STEMS

NUMBER_ASKED = re.compile(
    r"\bhow (?:many|much|often|long|big|large|old|far)\b|\bwhat (?:percentage|proportion|share|number"
    r"|rate|price|age|amount)\b|\b(?:percentage|price|cost) of\b",
    re.IGNORECASE,
)
DIGIT = re.compile(r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|half|third|all)\b", re.I)


@dataclass(frozen=True, slots=True)
class Asked:
    """What statements are weighed against."""

    words: Mapping[str, Weight]
    theme: "ThemeWords | None" = None
    number: bool = False
    total: float = field(default=0.0)

    def coverage(self, own: frozenset[str], around: frozenset[str]) -> tuple[float, float]:
        """Share of the words asked for, by rarity: in the statement, and with what is around it."""
        return shares(self.words, own, around)


@dataclass(frozen=True, slots=True)
class ThemeWords:
    """The words of a theme as stems; an acronym counts only in capitals."""

    id: str
    label: str
    phrases: tuple[tuple[str, ...], ...]
    acronyms: tuple[str, ...]

    @classmethod
    def of(cls, theme: Theme) -> "ThemeWords":
        """The words of a catalogue theme."""
        acronyms = tuple(w for w in theme.words if w.isupper() and " " not in w)
        phrases = tuple(_stems(w) for w in theme.words if w not in acronyms)
        return cls(theme.id, theme.label, phrases, acronyms)

    def spoken_in(self, text: str) -> bool:
        """Whether a text uses a word of the theme."""
        return self.first_in(text) is not None

    def first_in(self, text: str) -> tuple[int, int] | None:
        """Where a word of the theme first stands in a text."""
        found = [(word, start, end) for word, start, end in tokens(text)]
        words = [word for word, _, _ in found]
        places = []
        for phrase in self.phrases:
            at = _find(words, phrase)
            if at is not None:
                places.append((found[at][1], found[at + len(phrase) - 1][2]))
        for acronym in self.acronyms:
            match = re.search(rf"(?<![\w&]){re.escape(acronym)}(?:s|'s|’s)?(?![\w&])", text)
            if match:
                places.append(match.span())
        return min(places, default=None)


def _stems(text: str) -> tuple[str, ...]:
    return tuple(word for word, _, _ in tokens(text))


def _find(words: Sequence[str], phrase: Sequence[str]) -> int | None:
    count = len(phrase)
    for at in range(len(words) - count + 1):
        if tuple(words[at : at + count]) == tuple(phrase):
            return at
    return None


def theme_of(subject: str, themes: Iterable[Theme]) -> Theme | None:
    """The theme that a subject names: by its label, its id or one of its words, and nothing more."""
    wanted = tuple(w for w in terms(subject) if w not in FRAME_STEMS)
    if not wanted:
        return None
    best = None
    for theme in themes:
        for name in (theme.label, theme.id, *theme.words):
            if name.isupper() and " " not in name and name not in subject:
                continue
            if tuple(terms(name)) == wanted:
                return theme
        if set(wanted) <= set(terms(theme.label)) and len(wanted) * 2 >= len(terms(theme.label)):
            best = best or theme
    return best


def ask_for(understood: Understood, store: Store) -> Asked:
    """The words of a question with their weights."""
    words = weights_of(understood, store)
    theme = theme_of(understood.subject, store.themes.values())
    return Asked(
        words=words,
        theme=ThemeWords.of(theme) if theme else None,
        number=bool(NUMBER_ASKED.search(understood.text)),
        total=sum(w.idf for w in words.values()),
    )


@dataclass(frozen=True, slots=True)
class Features:
    """What a judgement of one statement rests on."""

    inside: float
    around: float
    cosine: float
    passage: float
    number_missing: bool


def features(asked: Asked, stated: Stated, cosine: float, passage: float) -> Features:
    """The evidence that a statement answers what was asked."""
    own = frozenset(w for w, _, _ in tokens(stated.text) if w not in STOP_STEMS)
    around = frozenset(w for w, _, _ in tokens(stated.around) if w not in STOP_STEMS)
    inside, with_context = asked.coverage(own, around)
    missing = asked.number and not DIGIT.search(stated.text)
    return Features(inside, with_context, cosine, passage, missing)


INTERCEPT, INSIDE, AROUND, COSINE, PASSAGE, MISSING = -5.418, 1.731, 2.108, 4.836, 0.604, -2.126


def probability(f: Features) -> float:
    """How likely a statement with these features answers: a logistic model set on the tune split."""
    z = (
        INTERCEPT
        + INSIDE * f.inside
        + AROUND * f.around
        + COSINE * f.cosine
        + PASSAGE * f.passage
        + MISSING * f.number_missing
    )
    return 1 / (1 + math.exp(-z))


