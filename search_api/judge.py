"""Is the subject really there? A statement is weighed against what was asked.

Two kinds of evidence: the question's words, by how rare they are (inverse document frequency), and
the cosine of the two embeddings. Words count for more where they stand together, and for less in a
long row that holds many. A cosine counts by how far it stands above those of passages at large: a
question on what is nowhere in the corpus is about as near to all of them. For a theme, its own
words decide.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from indexer.analyse import STOP_STEMS, distinct, stems
from indexer.embed import Vectors
from indexer.statements import Stated
from indexer.store import Store
from search_api.amounts import Amount, amount_asked
from search_api.concepts import concepts_of
from search_api.cover import Weight, asked_words, shares, weights_of
from search_api.model import Understood
from search_api.topics import ThemeWords, joined_of, theme_of, topic_of


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic model: the probability for some features."""

    intercept: float
    weights: tuple[float, ...]

    def __call__(self, values: Sequence[float]) -> float:
        """The probability."""
        z = self.intercept + sum(w * v for w, v in zip(self.weights, values, strict=True))
        return 1 / (1 + math.exp(-z))


# Fitted by `python -m eval.fit_judge` on the tune and former test questions and labelled
# statements. Some weights are negative: what a word tells beyond the others is what is left.
STATEMENT = Logistic(
    -6.909,
    (-2.714, 3.474, 0.102, 0.038, 1.642, 0.337, 11.749, -0.309, 0.544, -1.035, -5.302, -0.17),
)
QUESTION = Logistic(-4.597, (11.863, 0.644, 0.463, -0.026, -1.076, -2.939, 0.461))
ANSWERABLE = 0.213
"""A question whose probability is below this is not answered.

With whole topics held back, 2 % of the answerable questions fell below it.
"""
FIGURE_ANSWERABLE = 0.45
"""The same where nothing but a figure answers: a figure of something else is worse than none.

Of labelled questions for which some statement gives a figure, 1 of 33 that have an answer falls
below it, and 31 of 37 that have none.
"""
WINDOW = 6
"""Words asked for that stand within so many words, stop words too, stand together."""
FEWEST_WORDS = 3
LEAST_SPREAD = 1e-6
LEAST_LIKELY = 1e-4


@dataclass(frozen=True, slots=True)
class Asked:
    """What statements are weighed against.

    `theme` is what is asked for where that is one theme, or a word of one; `joined` are several of
    which all must be spoken of.
    """

    words: Mapping[str, Weight]
    theme: ThemeWords | None = None
    joined: tuple[ThemeWords, ...] = ()
    amount: Amount | None = None
    unknown: float = 0.0
    foreign: float = 0.0
    pairs: frozenset[tuple[str, str]] = frozenset()
    """Words asked for next to each other, stop words left out."""

    @property
    def figure(self) -> Amount | None:
        """The figure that was asked for, where nothing else is an answer."""
        return self.amount if self.amount is not None and self.amount.strict else None

    @property
    def rarity(self) -> float:
        """How much all the words tell together: the sum of their rarities."""
        return sum(weight.idf for weight in self.words.values())

    def coverage(self, own: frozenset[str], around: frozenset[str]) -> tuple[float, float]:
        """Share of the words asked for, by rarity: in the statement, and with what is around it."""
        return shares(self.words, own, around)


def ask_for(understood: Understood, store: Store, vector: Vectors) -> Asked:
    """The words of a question with their weights, and what it is about.

    Args:
        vector: of the question.
    """
    words = weights_of(understood, store)
    theme = theme_of(understood.subject, store.themes.values())
    topic = ThemeWords.of(theme) if theme else topic_of(understood, store.themes.values())
    amount = amount_asked(understood.text, words)
    strange = [
        w.idf for word, w in words.items() if not w.instead and not store.document_frequency(word)
    ]
    total = sum(w.idf for w in words.values())
    order = asked_words(understood)
    concepts = concepts_of(store)
    return Asked(
        words=words,
        theme=topic,
        joined=() if topic else joined_of(understood.subject, store.themes.values()),
        amount=amount,
        unknown=sum(strange) / total if total else 0.0,
        foreign=concepts.foreign(concepts.about(vector), store),
        pairs=frozenset(zip(order, order[1:], strict=False)),
    )


@dataclass(frozen=True, slots=True)
class Background:
    """How like a question passages at large are: the mean and spread of their cosines."""

    mean: float
    spread: float

    @classmethod
    def of(cls, sample: Vectors, vector: Vectors) -> "Background":
        """That of a question over a sample of passages."""
        if not len(sample):
            return cls(0.0, 1.0)
        cosines = sample @ vector
        return cls(float(cosines.mean()), float(cosines.std()) + LEAST_SPREAD)

    def apart(self, cosine: float) -> float:
        """How many spreads a cosine stands above the mean."""
        return (cosine - self.mean) / self.spread


@dataclass(frozen=True, slots=True)
class Near:
    """What tells by meaning how near a text is to a question: its vector, and what is usual for it.

    Attributes:
        vector: of the question, shape (dimensions,).
        background: how like it passages at large are.
    """

    vector: Vectors
    background: Background


@dataclass(frozen=True, slots=True)
class Features:
    """What a judgement of one statement rests on.

    `inside` and `around` are shares of the words asked for, by rarity: in the statement, and with
    the headings and cells around it. `held` is the rarity that the statement holds, not as a share,
    and `lacking` that of the rarest word it lacks. `near` is the share that stands within a few
    words, `pairs` that of neighbours asked for that are neighbours there. `cosine` is with the
    question, `apart` says how far it stands above those of passages at large, `passage_apart` the
    same of the statement's passage. `words` counts the statement's.
    """

    inside: float
    around: float
    held: float
    lacking: float
    near: float
    pairs: float
    cosine: float
    apart: float
    passage_apart: float
    words: int
    number_missing: bool

    @property
    def values(self) -> tuple[float, ...]:
        """Its numbers in the order of the model."""
        length = max(FEWEST_WORDS, self.words)
        return (
            self.inside,
            self.around,
            self.held,
            self.lacking,
            self.near,
            self.pairs,
            self.cosine,
            self.apart,
            self.passage_apart,
            length / 100,
            1 / math.sqrt(length),
            float(self.number_missing),
        )


def features(
    asked: Asked,
    stated: Stated,
    cosine: float,
    passage: float,
    background: Background,
) -> Features:
    """The evidence that a statement answers what was asked.

    Args:
        cosine: with the question.
        passage: that of its passage with it.
        background: those of passages at large with it.
    """
    order = _order(stated.text)
    own = _distinct(stated.text)
    inside, with_context = asked.coverage(own, _distinct(stated.around))
    return Features(
        inside=inside,
        around=with_context,
        held=inside * asked.rarity,
        lacking=_lacking(asked, own),
        near=_near(asked, order, own) if inside else 0.0,
        pairs=_paired(asked, order) if inside else 0.0,
        cosine=cosine,
        apart=background.apart(cosine),
        passage_apart=background.apart(passage),
        words=len(order),
        number_missing=asked.amount is not None and not asked.amount.in_text(stated.text),
    )


@lru_cache(maxsize=20_000)
def _distinct(text: str) -> frozenset[str]:
    return distinct(text)


@lru_cache(maxsize=20_000)
def _order(text: str) -> tuple[str, ...]:
    return stems(text)


def _lacking(asked: Asked, own: frozenset[str]) -> float:
    """The rarity of the rarest word asked for that a statement lacks."""
    # A word without others for it needs no look at them: this is done for every statement.
    return max(
        (
            w.idf * (1 - w.share(own)) if w.instead else w.idf
            for word, w in asked.words.items()
            if word not in own
        ),
        default=0.0,
    )


def _near(asked: Asked, order: Sequence[str], own: frozenset[str]) -> float:
    """The largest share of the words asked for, by rarity, that stands within a few words."""
    worth: dict[str, list[tuple[str, float]]] = {}
    for word, weight in asked.words.items():
        if word in own:
            worth.setdefault(word, []).append((word, weight.idf))
        for others, share in weight.instead:
            if others <= own:
                for other in others:
                    worth.setdefault(other, []).append((word, weight.idf * share))
    hits = [(at, *hit) for at, stem in enumerate(order) if stem in worth for hit in worth[stem]]
    best = 0.0
    for n, (start, _, _) in enumerate(hits):
        held: dict[str, float] = {}
        for at, word, value in hits[n:]:
            if at >= start + WINDOW:
                break
            held[word] = max(value, held.get(word, 0.0))
        best = max(best, sum(held.values()))
    total = asked.rarity
    return best / total if total else 0.0


def _paired(asked: Asked, order: Sequence[str]) -> float:
    """The share of the pairs asked for that are neighbours; of a single word, whether it stands."""
    if not asked.pairs:
        return float(any(word in asked.words for word in order))
    content = [word for word in order if word not in STOP_STEMS]
    there = set(zip(content, content[1:], strict=False))
    return len(asked.pairs & there) / len(asked.pairs)


def probability(f: Features) -> float:
    """How likely a statement with these features answers: a logistic model."""
    return STATEMENT(f.values)


@dataclass(frozen=True, slots=True)
class Support:
    """What the judgement of a whole question rests on: the best of everything found for it.

    `cosine` is the highest of a statement, `around` the largest share of the words asked for.
    `words` is the logarithm of how many words were asked for, `amount` says whether a figure was,
    and `unknown` is the share of the words, by rarity, that are nowhere in the documents and have
    no other word there. `foreign` is the share of the concepts near to the question of which no
    term is there. `likely` is the highest probability of a statement.
    """

    cosine: float
    around: float
    words: float
    amount: bool
    unknown: float
    foreign: float
    likely: float

    @property
    def values(self) -> tuple[float, ...]:
        """Its numbers in the order of the model."""
        likely = min(max(self.likely, LEAST_LIKELY), 1 - LEAST_LIKELY)
        return (
            self.cosine,
            self.around,
            self.words,
            float(self.amount),
            self.unknown,
            self.foreign,
            math.log(likely / (1 - likely)),
        )


def support(asked: Asked, found: Sequence[Features], likely: float) -> Support:
    """The evidence that anything found answers the question.

    Where a figure is asked for, statements that hold one of its kind count, if there are any.

    Args:
        likely: the highest probability of what was found; 0 of nothing.
    """
    telling = [f for f in found if not f.number_missing] or found
    return Support(
        cosine=max((f.cosine for f in telling), default=0.0),
        around=max((f.around for f in telling), default=0.0),
        words=math.log1p(len(asked.words)),
        amount=asked.amount is not None,
        unknown=asked.unknown,
        foreign=asked.foreign,
        likely=likely,
    )


def answerable(found: Support) -> float:
    """How likely a question with this support has an answer: a logistic model like the other."""
    return QUESTION(found.values)
