"""Is the subject really there? A statement is weighed against what was asked.

Two kinds of evidence: the share of the question's words that stand in the statement or in the
headings and cells around it, weighted by how rare they are (inverse document frequency), and the
cosine of the two embeddings. For a theme, its own words decide.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from corpus.model import Theme
from indexer.analyse import STOP_STEMS, terms, tokens
from indexer.statements import Stated
from indexer.store import Store
from search_api.amounts import Amount, amount_asked
from search_api.cover import Weight, shares, weights_of
from search_api.model import Understood
from search_api.thesaurus import SOURCE
from search_api.understand import FRAME_STEMS


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic model: the probability for some features."""

    intercept: float
    weights: tuple[float, ...]

    def __call__(self, values: Sequence[float]) -> float:
        """The probability."""
        z = self.intercept + sum(w * v for w, v in zip(self.weights, values, strict=True))
        return 1 / (1 + math.exp(-z))


# Fitted by `python -m eval.fit_judge` on the tune and former test questions.
STATEMENT = Logistic(-7.750, (2.126, 2.494, 5.992, 3.816, -2.0))
QUESTION = Logistic(-4.091, (5.415, 0.61, 2.801, -1.848, -2.103))
ANSWERABLE = 0.22
"""A question whose probability is below this is not answered.

With whole topics held back, 2 % of the answerable questions fell below it.
"""
NEVER = 1e-6


@dataclass(frozen=True, slots=True)
class Asked:
    """What statements are weighed against."""

    words: Mapping[str, Weight]
    theme: "ThemeWords | None" = None
    amount: Amount | None = None
    unknown: float = 0.0

    def coverage(self, own: frozenset[str], around: frozenset[str]) -> tuple[float, float]:
        """Share of the words asked for, by rarity: in the statement, and with what is around it."""
        return shares(self.words, own, around)


@dataclass(frozen=True, slots=True)
class ThemeWords:
    """The words of a theme as stems; an acronym counts only in capitals.

    `passing` are phrases in which a word of the theme only names those whom something is for.
    `narrow` says that it is one word of a theme: what is near to it may well be the rest of that.
    """

    id: str
    label: str
    phrases: tuple[tuple[str, ...], ...]
    acronyms: tuple[str, ...]
    passing: tuple[tuple[str, ...], ...] = ()
    narrow: bool = False

    @classmethod
    def of(cls, theme: Theme) -> "ThemeWords":
        """The words of a catalogue theme."""
        acronyms = tuple(w for w in theme.words if w.isupper() and " " not in w)
        phrases = tuple(_stems(w) for w in theme.words if w not in acronyms)
        passing = tuple(_stems(w) for w in theme.passing)
        return cls(theme.id, theme.label, phrases, acronyms, passing)

    def spoken_in(self, text: str) -> bool:
        """Whether a text uses a word of the theme."""
        return self.first_in(text) is not None

    def first_in(self, text: str) -> tuple[int, int] | None:
        """Where a word of the theme first stands in a text."""
        found = tokens(text)
        words = [word for word, _, _ in found]
        for phrase in self.passing:
            while (at := _find(words, phrase)) is not None:
                words[at : at + len(phrase)] = [""] * len(phrase)
        line = f" {' '.join(words)} "
        places = []
        for phrase in self.phrases:
            # Most phrases are not there: a look at the line tells it at once.
            if f" {' '.join(phrase)} " in line:
                at = _find(words, phrase)
                assert at is not None
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


def _wanted(subject: str) -> tuple[str, ...]:
    """The stems of a subject, without those of the question's frame."""
    return tuple(w for w in terms(subject) if w not in FRAME_STEMS)


def theme_of(subject: str, themes: Iterable[Theme]) -> Theme | None:
    """The theme that a subject names: by its label or its id, and nothing more.

    A word of a theme is not the theme: who asks for menopause does not ask for women's health.
    """
    wanted = _wanted(subject)
    if not wanted:
        return None
    best = None
    for theme in themes:
        label = tuple(terms(theme.label))
        if wanted in (label, tuple(terms(theme.id))):
            return theme
        if set(wanted) <= set(label) and len(wanted) * 2 >= len(label):
            best = best or theme
    return best


def topic_of(understood: Understood, themes: Iterable[Theme]) -> ThemeWords | None:
    """The words of a subject that is a word of a theme: that, and its acronym or long form.

    What planners compare by has a word of its own for it, so that word decides, as in a theme.
    Other words of the thesaurus do not: they may be wider, as women's health is for menopause.
    """
    subject = understood.subject
    wanted = _wanted(subject)
    if not wanted:
        return None
    for word in (word for theme in themes for word in theme.words):
        if word.isupper() and " " not in word and word not in subject:
            continue
        if tuple(terms(word)) == wanted:
            also = tuple(e.to for e in understood.expansions if e.source != SOURCE)
            return replace(ThemeWords.of(Theme(word, word, "", (word, *also))), narrow=True)
    return None


def ask_for(understood: Understood, store: Store) -> Asked:
    """The words of a question with their weights."""
    words = weights_of(understood, store)
    theme = theme_of(understood.subject, store.themes.values())
    topic = ThemeWords.of(theme) if theme else topic_of(understood, store.themes.values())
    amount = amount_asked(understood.text)
    strange = [
        w.idf for word, w in words.items() if not w.instead and not store.document_frequency(word)
    ]
    total = sum(w.idf for w in words.values())
    return Asked(
        words=words,
        theme=topic,
        amount=amount,
        unknown=sum(strange) / total if total else 0.0,
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
    missing = asked.amount is not None and not asked.amount.in_text(stated.text)
    return Features(inside, with_context, cosine, passage, missing)


def probability(f: Features) -> float:
    """How likely a statement with these features answers: a logistic model."""
    return STATEMENT((f.inside, f.around, f.cosine, f.passage, float(f.number_missing)))


@dataclass(frozen=True, slots=True)
class Support:
    """What the judgement of a whole question rests on: the best of everything found for it.

    `odds` are the logarithm of the odds of the likeliest statement, `words` that of how many words
    were asked for, `amount` says whether a figure was, and `unknown` is the share of the words, by
    rarity, that are nowhere in the documents and have no other word there.
    """

    cosine: float
    odds: float
    words: float
    amount: bool
    unknown: float

    @property
    def values(self) -> tuple[float, ...]:
        """Its numbers in the order of the model."""
        return self.cosine, self.odds, self.words, float(self.amount), self.unknown


def support(asked: Asked, found: Sequence[Features]) -> Support:
    """The evidence that anything found answers the question.

    Where a figure is asked for, statements that hold one of its kind count, if there are any.
    """
    telling = [f for f in found if not f.number_missing] or found
    best = max((probability(f) for f in telling), default=0.0)
    best = min(max(best, NEVER), 1 - NEVER)
    return Support(
        cosine=max((f.cosine for f in telling), default=0.0),
        odds=math.log(best / (1 - best)),
        words=math.log1p(len(asked.words)),
        amount=asked.amount is not None,
        unknown=asked.unknown,
    )


def answerable(found: Support) -> float:
    """How likely a question with this support has an answer: a logistic model like the other."""
    return QUESTION(found.values)
