"""Bodies that a question names: those of the corpus, by any name, and those that it lacks."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from corpus.catalogue import outside_bodies, outside_of
from corpus.model import System
from indexer.analyse import stem
from indexer.store import Store

WORD = re.compile(r"[^\W_]+(?:['’&./][^\W_]+)*")
LIKENESS = 87
LEAST_FUZZY_LENGTH = 5
MOST_FUZZY_WORDS = 7
OF = re.compile(r"\s+of\b", re.IGNORECASE)
# "What does NHS England say": whoever stands between is asked, not what others say of them.
ASKED_OF = re.compile(r"\b(?:do|does|did|has|have|is|are|will)\s+(?:the\s+)?$", re.IGNORECASE)
SAYING = re.compile(
    r"\s+(?:say(?:ing)?|said|think|want|plan(?:ning)?|expect|recommend(?:ed)?|require|advise|mean"
    r"|propose|promise[d]?|commit(?:ted)?|do|doing|done|published|set|intend|ask)\b",
    re.IGNORECASE,
)
CAPITAL_NEXT = re.compile(r"\s+[A-Z]")

Kind = Literal["own", "region", "place", "whole", "outside"]
"""How a name names systems: as theirs, as the region or whole they lie in, as a place in one, or,
if outside, not at all."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name stands for: the systems of the corpus that it names, and its usual spelling."""

    kind: Kind
    systems: tuple[str, ...]
    name: str


@dataclass(frozen=True, slots=True)
class Named:
    """A name found in a question: what it means and where it stands."""

    meaning: Meaning
    start: int
    end: int
    typed: str

    @property
    def systems(self) -> tuple[str, ...]:
        """The systems of the corpus that it names."""
        return self.meaning.systems


class Names:
    """Knows the names of bodies and places, as far as a corpus goes and beyond."""

    def __init__(self, store: Store) -> None:
        """Prepare the tables of names."""
        self._store = store
        systems = list(store.systems.values())
        self._meanings = _meanings(systems)
        self._longest_from: dict[str, int] = {}  # of names that begin with a word
        for words in self._meanings:
            self._longest_from[words[0]] = max(len(words), self._longest_from.get(words[0], 0))
        self._place_words = {s.id: _place_words(s) for s in systems}
        own = [words for words, meaning in self._meanings.items() if meaning.kind == "own"]
        fuzzy = [words for words in own if len(" ".join(words)) > LEAST_FUZZY_LENGTH]
        self._fuzzy = {" ".join(words): self._meanings[words] for words in fuzzy}
        self._fuzzy_by_count = [
            [" ".join(words) for words in fuzzy if abs(len(words) - count) <= 1]
            for count in range(MOST_FUZZY_WORDS + 1)
        ]

    def find(self, text: str) -> list[Named]:
        """Bodies named in a text: as they are written first, then what is like a name."""
        words = list(WORD.finditer(text.replace("’", "'")))
        lower = [w[0].lower().removesuffix("'s") for w in words]
        found: list[Named] = []
        taken = [False] * len(words)
        strange = [not self._store.document_frequency(stem(w)) for w in lower]
        for look in (self._exact, self._alike) if any(strange) else (self._exact,):
            for at in range(len(words)):
                if taken[at]:
                    continue
                for meaning, count in look(lower, strange, at):
                    start, end = words[at].start(), words[at + count - 1].end()
                    if any(taken[at : at + count]) or not self._counts(meaning, text, start, end):
                        continue
                    taken[at : at + count] = [True] * count
                    typed = re.sub(r"['’]s$", "", text[start:end])
                    found.append(Named(meaning, start, end, typed))
                    break
        own = {s for n in found if n.meaning.kind == "own" for s in n.systems}
        # "Sefton in Cheshire and Merseyside" names Sefton alone.
        kept = [
            n for n in found if n.meaning.kind not in ("region", "whole") or not own & {*n.systems}
        ]
        return sorted(kept, key=lambda n: n.start)

    def rest_of(self, named: Named) -> str:
        """The words of a name that name no place: of "Sefton Partnership" the Partnership."""
        place = frozenset[str]().union(*(self._place_words[s] for s in named.systems))
        if named.meaning.kind != "own":
            return ""
        return " ".join(w for w in named.typed.split() if w.lower() not in place)

    def _exact(
        self, words: Sequence[str], _: Sequence[bool], at: int
    ) -> Iterator[tuple[Meaning, int]]:
        longest = self._longest_from.get(words[at], 0)
        for count in range(min(longest, len(words) - at), 0, -1):
            meaning = self._meanings.get(tuple(words[at : at + count]))
            if meaning is not None:
                yield meaning, count

    def _alike(
        self, words: Sequence[str], strange: Sequence[bool], at: int
    ) -> Iterator[tuple[Meaning, int]]:
        """A misspelt name: like an alias, as many words, and not words that the documents know."""
        for count in range(min(MOST_FUZZY_WORDS, len(words) - at), 0, -1):
            if not any(strange[at : at + count]):
                break  # nor in fewer of them
            typed = " ".join(words[at : at + count])
            if len(typed) < LEAST_FUZZY_LENGTH:
                break
            near = self._fuzzy_by_count[count]
            best = process.extractOne(typed, near, scorer=fuzz.ratio, score_cutoff=LIKENESS)
            # One letter is more of a short name: "Seften".
            short = near if best is None and count == 1 else []
            one_off = (name for name in short if OSA.distance(typed, name, score_cutoff=1) <= 1)
            name = best[0] if best else next(one_off, None)
            if name is not None:
                yield self._fuzzy[name], count

    def _counts(self, meaning: Meaning, text: str, start: int, end: int) -> bool:
        """Whether a name stands there for the body, and not for something called after it."""
        if meaning.kind == "own":
            return True
        if meaning.kind == "region":  # not "London Living Wage", nor "the north west of Sefton"
            return not CAPITAL_NEXT.match(text, end) and not OF.match(text, end)
        typed = text[start:end]
        if meaning.name in outside_of("national"):
            return bool(ASKED_OF.search(text[:start]) and SAYING.match(text, end))
        if " " in typed:
            return True
        # What the documents speak of themselves is searched for; "bath" is mostly no city.
        spoken_of = self._store.document_frequency(stem(typed.lower())) > 0
        everyday = meaning.name in outside_of("everyday") and (start == 0 or not typed[0].isupper())
        return not spoken_of and not everyday


def listed(names: Sequence[str]) -> str:
    """Names as a list in words: "A", "A and B", "A, B and C"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def tokenised(name: str) -> tuple[str, ...]:
    """The lower-case words of a name."""
    return tuple(w[0].lower() for w in WORD.finditer(name))


def _meanings(systems: Sequence[System]) -> Mapping[tuple[str, ...], Meaning]:
    """Every name by its words; what is the corpus's own goes before what lies around it."""
    out: dict[tuple[str, ...], Meaning] = {}

    def add(name: str, kind: Kind, of: Iterable[str]) -> None:
        words = tokenised(name)
        swapped = tuple("and" if w == "&" else w for w in words)
        for spelled in (words, swapped):
            out.setdefault(spelled, Meaning(kind, tuple(of), name))

    for system in systems:
        for name in (system.name, *system.aliases):
            add(name, "own", [system.id])
    for system in systems:
        if system.part_of:
            within = [s.id for s in systems if s.part_of == system.part_of]
            add(system.part_of.removeprefix("NHS "), "whole", within)
        for place in system.places:
            add(place, "place", [system.id])
    for region in dict.fromkeys(s.region for s in systems if s.region):
        add(region, "region", [s.id for s in systems if s.region == region])
    for body in outside_bodies():
        add(body, "outside", [])
    return out


def _place_words(system: System) -> frozenset[str]:
    """The words of a system's name and of its shortest alias."""
    shortest = min((tokenised(n) for n in (system.name, *system.aliases)), key=len)
    return frozenset((*shortest, *tokenised(system.name)))
