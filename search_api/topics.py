"""What planners compare by: themes of the catalogue and single words of them, found in texts."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

from corpus.model import Theme
from indexer.analyse import stem, stems, terms, tokens
from search_api.model import Understood
from search_api.subject import FRAME_STEMS
from search_api.thesaurus import SOURCE


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
        phrases = tuple(stems(w) for w in theme.words if w not in acronyms)
        passing = tuple(stems(w) for w in theme.passing)
        return cls(theme.id, theme.label, phrases, acronyms, passing)

    def spoken_in(self, text: str) -> bool:
        """Whether a text uses a word of the theme."""
        return self.first_in(text) is not None

    def times_in(self, text: str) -> int:
        """How often a text uses a word of the theme, overlapping ones once."""
        count = start = 0
        while (place := self.first_in(text[start:])) is not None:
            count += 1
            start += place[1]
        return count

    def first_in(self, text: str) -> tuple[int, int] | None:
        """Where a word of the theme first stands in a text."""
        words = list(stems(text))
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
                found = tokens(text)
                places.append((found[at][1], found[at + len(phrase) - 1][2]))
        for acronym in self.acronyms:
            match = re.search(rf"(?<![\w&]){re.escape(acronym)}(?:s|'s|’s)?(?![\w&])", text)
            if match:
                places.append(match.span())
        return min(places, default=None)


def _find(words: Sequence[str], phrase: Sequence[str]) -> int | None:
    count = len(phrase)
    for at in range(len(words) - count + 1):
        if tuple(words[at : at + count]) == tuple(phrase):
            return at
    return None


def themes_of(text: str, themes: Sequence[ThemeWords]) -> tuple[str, ...]:
    """The themes of which a text uses a word; its words are taken apart once for all of them."""
    held = set(stems(text))
    return tuple(
        theme.id
        for theme in themes
        if (
            any(held.issuperset(p) for p in theme.phrases) or any(a in text for a in theme.acronyms)
        )
        and theme.spoken_in(text)
    )


# What is to be done about a theme does not make it another one: "reduce smoking".
DONE_ABOUT = frozenset(
    stem(w)
    for w in """
    address better boost cut develop expand improve increase lower prevent promote reduce
    strengthen support tackle transform
    """.split()
)


def _wanted(subject: str) -> list[tuple[str, ...]]:
    """The stems of a subject without those of its frame; then without what is to be done about it.

    >>> _wanted("reduce smoking"), _wanted("smoking")
    ([('reduc', 'smoke'), ('smoke',)], [('smoke',)])
    """
    words = tuple(w for w in terms(subject) if w not in FRAME_STEMS)
    less = words[1:] if words[:1] and words[0] in DONE_ABOUT else ()
    return [way for way in (words, less) if way]


def theme_of(subject: str, themes: Iterable[Theme]) -> Theme | None:
    """The theme that a subject names: by its label, its id or another name, and nothing more.

    A word of a theme is not the theme: who asks for menopause does not ask for women's health.
    """
    known = list(themes)
    best = None
    for wanted in _wanted(subject):
        for theme in known:
            label = tuple(terms(theme.label))
            names = (theme.id, *theme.names)
            if wanted == label or any(wanted == tuple(terms(name)) for name in names):
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
    listed = [word for theme in themes for word in theme.words]
    for wanted, word in product(_wanted(subject), listed):
        if word.isupper() and " " not in word and word not in subject:
            continue
        if tuple(terms(word)) == wanted:
            also = tuple(e.to for e in understood.expansions if e.source != SOURCE)
            typed = subject.strip(" .,;:?!")
            asked = typed if len(typed.split()) == len(word.split()) else word
            return replace(ThemeWords.of(Theme(word, asked, "", (word, *also))), narrow=True)
    return None
