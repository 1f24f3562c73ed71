"""What planners compare by: themes of the catalogue and single words of them, found in texts."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

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


def _find(words: Sequence[str | None], phrase: Sequence[str]) -> int | None:
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


# Words that may stand beside a theme without making it another one: who is asked, what is to be
# done about it, for whom, and what of it is wanted.
ASIDE = frozenset(
    stem(w)
    for w in """
    anybody anyone area areas bodies body board boards borough boroughs council councils everybody
    everyone icb icbs ics icss icses nobody one place places plan plans region regions somebody
    someone strategy strategies system systems partnership partnerships they
    address addressed appear appears approach boost commit commitment commitments commits consider
    cover covered covers cut deal dealing dealt define describe develop developing do does doing
    done expand feature features forward forwards future get give given go goes going happen
    happening happens has help helped helping improve improved improving include included includes
    increase invest investing know latest lead leading leads learn lower make makes making manage
    managed meet objective objectives offer offered offering planned planning promise promised
    promises promote reduce reducing responsible set strengthen support supported supporting tackle
    tackling take taken target targets tell transform transforming try trying update updates use
    used date dates deadline deadlines timescale timescales due overdue
    both different differ differs way ways
    january february march april june july august september october november december
    aren't doesn't don't hasn't haven't isn't
    care cared living patient patients people person population provision resident residents service
    services
    all any anything every everything idea ideas interested nothing re something thing things whole
    position role stance view views
    """.split()
)


TELLS_NOTHING = frozenset({stem("health")})
"""Words of labels that are no part of one by themselves."""
YEAR = re.compile(r"20\d\d")
AND = re.compile(r"\s*(?:,|/|&|\band\b|\bor\b)\s*", re.IGNORECASE)


@lru_cache(maxsize=10_000)
def _words(name: str) -> tuple[str, ...]:
    return tuple(terms(name))


def _wanted(subject: str) -> tuple[str, ...]:
    """The stems of a subject, without those of the question's frame."""
    return tuple(w for w in terms(subject) if w not in FRAME_STEMS)


def _aside(words: Iterable[str]) -> bool:
    """Whether words may all stand beside a theme: those that may, and years."""
    return all(word in ASIDE or YEAR.fullmatch(word) for word in words)


def _asks_for(name: str, wanted: tuple[str, ...]) -> bool:
    """Whether the words wanted are those of a name, together, and others that may stand aside.

    >>> _asks_for("health inequalities", _wanted("what people do about health inequalities"))
    True
    >>> _asks_for("carers", _wanted("young carers")), _asks_for("carers", _wanted("support carers"))
    (False, True)
    """
    words = _words(name)
    return bool(words) and any(
        wanted[at : at + len(words)] == words and _aside(wanted[:at] + wanted[at + len(words) :])
        for at in range(len(wanted) - len(words) + 1)
    )


def _asks_for_part(label: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Whether the words wanted are half of a label, or more where other words stand aside.

    One of two words tells enough.
    """
    held = {word for word in wanted if word in label}
    if held <= TELLS_NOTHING:
        return False
    if held == {*wanted}:
        return len(held) * 2 >= len(label)
    return _aside({*wanted} - held) and (len(held) * 2 > len(label) or len(label) == 2)


def theme_of(subject: str, themes: Iterable[Theme]) -> Theme | None:
    """The theme that a subject names: by its label, its id or another name, and nothing more.

    A word of a theme is not the theme: who asks for menopause does not ask for women's health.
    """
    wanted = _wanted(subject)
    best: tuple[int, Theme] | None = None
    partly = None
    for theme in themes:
        for name in (theme.label, theme.id, *theme.names):
            if _asks_for(name, wanted) and (best is None or len(_words(name)) > best[0]):
                best = len(_words(name)), theme
        if _asks_for_part(_words(theme.label), wanted):
            partly = partly or theme
    return best[1] if best else partly


def topic_of(understood: Understood, themes: Iterable[Theme]) -> ThemeWords | None:
    """The words of a subject that is a word of a theme: that, and its acronym or long form.

    What planners compare by has a word of its own for it, so that word decides, as in a theme.
    Other words of the thesaurus do not: they may be wider, as women's health is for menopause.
    """
    themes = list(themes)
    subject = understood.subject
    wanted = _wanted(subject)
    best = ""
    for word in (word for theme in themes for word in theme.words):
        if word.isupper() and " " not in word and word not in subject:
            continue
        if len(_words(word)) > len(_words(best)) and _asks_for(word, wanted):
            best = word
    if not best:
        return _several(subject, themes)
    also = tuple(e.to for e in understood.expansions if e.source != SOURCE)
    typed = subject.strip(" .,;:?!")
    asked = typed if len(typed.split()) == len(best.split()) else best
    return replace(ThemeWords.of(Theme(best, asked, "", (best, *also))), narrow=True)


def _several(subject: str, themes: Iterable[Theme]) -> ThemeWords | None:
    """The words of a subject that is several of one theme, any of which will do.

    "Hospices and bereavement", "autism or ADHD"; not "staff retention", which is narrower than
    either word.
    """
    parts = [_wanted(part) for part in AND.split(subject)]
    if len(parts) < 2:
        return None
    for theme in themes:
        words = sorted(theme.words, key=lambda w: -len(_words(w)))
        found = [next((w for w in words if _asks_for(w, part)), None) for part in parts]
        named = tuple(w for w in found if w and (not w.isupper() or w in subject))
        if len(named) == len(parts):
            several = Theme(named[0], " or ".join(dict.fromkeys(named)), "", named)
            return replace(ThemeWords.of(several), narrow=True)
    return None


def joined_of(subject: str, themes: Iterable[Theme]) -> tuple[ThemeWords, ...]:
    """The themes, or words of themes, that a subject is made of where it is made of several.

    "Children's mental health" asks for what speaks of both. The longest names are taken first.
    """
    left: list[str | None] = list(_wanted(subject))
    names = [
        (_words(name), name, theme, narrow)
        for theme in themes
        for narrow, of in ((False, (theme.label, theme.id, *theme.names)), (True, theme.words))
        for name in of
    ]
    found: dict[str, ThemeWords] = {}
    for words, name, theme, narrow in sorted(names, key=lambda n: (-len(n[0]), n[3])):
        at = _find(left, words) if words else None
        if at is None or theme.id in found:
            continue
        left[at : at + len(words)] = [None] * len(words)
        own = Theme(name, name, "", (name,)) if narrow else theme
        found[theme.id] = ThemeWords.of(own)
    if len(found) < 2 or not _aside(word for word in left if word):
        return ()
    return tuple(found.values())
