"""Words as both the index and the question see them: lower case, stemmed, stop words apart.

One analyser serves indexing, querying, marking matched words and judging whether a subject is
there, so the four never disagree about what matches what.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain

import Stemmer

TOKEN = re.compile(r"[^\W_]+(?:['’.&/](?=[^\W_])[^\W_]+)*")
STEMMER = Stemmer.Stemmer("english")

# American spellings are indexed and asked for as British ones.
AMERICAN = {
    "aging": "ageing",
    "behavior": "behaviour",
    "behavioral": "behavioural",
    "center": "centre",
    "centers": "centres",
    "counseling": "counselling",
    "defense": "defence",
    "diarrhea": "diarrhoea",
    "enrollment": "enrolment",
    "fetal": "foetal",
    "fulfill": "fulfil",
    "gynecology": "gynaecology",
    "gynecological": "gynaecological",
    "hematology": "haematology",
    "labor": "labour",
    "leukemia": "leukaemia",
    "neighborhood": "neighbourhood",
    "neighborhoods": "neighbourhoods",
    "orthopedic": "orthopaedic",
    "pediatric": "paediatric",
    "pediatrics": "paediatrics",
    "program": "programme",
    "programs": "programmes",
    "tumor": "tumour",
}
# Words that the stemmer takes for another's forms, by which it would find "emerging needs" for
# emergency care, and see estates in "build on".
APART = {
    form: word
    for word, forms in {
        "authority": "authority authorities",
        "building": "building buildings",
        "department": "department departments departmental",
        "emergency": "emergency emergencies",
        "experiment": "experiment experiments experimental",
        "hospital": "hospital hospitals hospitalised hospitalisation hospitalisations",
        "important": "important importantly importance",
        "international": "international internationally",
        "medication": "medication medications",
        "patience": "patience",
        "positive": "positive positively",
        "several": "several",
    }.items()
    for form in forms.split()
}
AMERICAN_ENDING = re.compile(r"(?<=[a-z]{3})iz(e|es|ed|er|ers|ing|ation|ations|ational)$")
SIZES = frozenset({"size", "sizes", "sized", "prize", "seize", "capsize"})

# Words that say how a question is put, or that every strategy is full of grammar with.
STOP_WORDS = frozenset(
    """
    a about above after again against all also am an and any are as at be because been before being
    below between both but by can cannot could did do does doing done down during each either else
    ever every few for from further had has have having he her here hers him his how i if in into is
    it its itself just let like may me might more most must my myself no nor not now of off on once
    one only or other others our ours out over own per quite rather same shall she should so some
    such than that the their theirs them themselves then there these they this those through thus to
    too under until up upon us very was we were what whatever when where whether which while who
    whom whose why will with within without would yes yet you your yours
    """.split()
)


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The stem of one lower-case word, American spelling made British first."""
    word = AMERICAN.get(word, word)
    if word in APART:
        return APART[word]
    if word not in SIZES:
        word = AMERICAN_ENDING.sub(r"is\1", word)
    return str(STEMMER.stemWord(word))


@lru_cache(maxsize=8_192)
def tokens(text: str) -> tuple[tuple[str, int, int], ...]:
    """(stem, start, end) of every word of the text, stop words included.

    A hyphen parts words ("co-production" is two); an apostrophe, full stop, ampersand or slash
    inside a word does not ("A&E", "66.7", "2023/24"), but "and/or" is two. Remembered, since the
    same passages are judged again and again.
    """
    return tuple(_tokens(text))


def _tokens(text: str) -> Iterator[tuple[str, int, int]]:
    for match in TOKEN.finditer(text):
        at = match.start()
        for word, start, end in _parts(match[0]):
            yield word, at + start, at + end


@lru_cache(maxsize=200_000)
def _parts(written: str) -> tuple[tuple[str, int, int], ...]:
    """(stem, start, end) of the words in what is written without a break, remembered."""
    word = written.lower().replace("’", "'")
    if "/" in word and not word[0].isdigit():
        parts = re.finditer(r"[^/]+", word)
        return tuple((_stem(part[0]), part.start(), part.end()) for part in parts)
    return ((_stem(word), 0, len(written)),)


def _stem(word: str) -> str:
    return stem(word.removesuffix("'s").removesuffix("'"))


def stems(text: str) -> tuple[str, ...]:
    """The stems of the text's words in order, stop words included: `tokens` without places."""
    return tuple(chain.from_iterable(map(_stems, TOKEN.findall(text))))


@lru_cache(maxsize=200_000)
def _stems(written: str) -> tuple[str, ...]:
    return tuple(stem for stem, _, _ in _parts(written))


def terms(text: str) -> list[str]:
    """The stems of the text's words in order, stop words left out."""
    return list(chain.from_iterable(map(_told, TOKEN.findall(text))))


def distinct(text: str) -> frozenset[str]:
    """The stems of the text's words, each once, stop words left out."""
    return frozenset().union(*map(_told, set(TOKEN.findall(text))))


@lru_cache(maxsize=200_000)
def _told(word: str) -> tuple[str, ...]:
    """The stems of one word as it is written, stop words left out."""
    return tuple(stem for stem in _stems(word) if stem not in STOP_STEMS)


STOP_STEMS = frozenset(stem(word) for word in STOP_WORDS) | STOP_WORDS
