"""From candidates to what each system says: statements chosen, graded, cited, or silence shown."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import numpy as np

from indexer.analyse import STOP_STEMS, stem
from indexer.statements import Stated
from indexer.store import Store
from search_api.cite import citation_id, cite_stated
from search_api.judge import (
    ANSWERABLE,
    FIGURE_ANSWERABLE,
    Asked,
    Features,
    Near,
    answerable,
    features,
    probability,
    support,
)
from search_api.ladder import grade
from search_api.model import (
    LADDER,
    STATUS_OF,
    CellStatus,
    Citation,
    Ladder,
    Searched,
    SearchedAll,
    Statement,
    SystemAnswer,
)
from search_api.retrieve import Candidate, Scope
from search_api.topics import ThemeWords

FIGURE = re.compile(r"\d+(?:\.\d+)?\s?(?:%|per cent)|£\s?\d")
MOST_PASSAGES = 10
MOST_STATEMENTS = 6
FOUND = 0.08
"""Below this probability a system does not count as speaking of the subject.

Of 370 labelled pairs of something asked and a system that speaks of it 8 fall silent, by it or as a
whole. Where a question as a whole has an answer, the likeliest statement of all counts even so.
"""
LIKELY = 0.4
"""From this probability on every statement is given; below it one of each system, if any.

With what was asked held back, .74 of the labelled statements from here on are on the subject.
"""
SURE = 0.8
"""From this probability on a statement is taken to be about the subject; below it may be.

Held back, .93 of the labelled statements from here on are on the subject.
"""
BARE_HEADING = re.compile(
    r"(?:how|what|why|when|where|who)\b"
    r"|(?:the|our|your|an?|about)\b(?!.*\b(?:will|must|should|shall|is|are|has|have|can)\b)",
    re.IGNORECASE | re.DOTALL,
)
"""A heading that names what follows and states nothing: "The big root causes of poor health"."""

CAPITAL = re.compile(r"[^\W\d_][\w'’&-]*")
LONGEST_TITLE = 14
UNSPOKEN = 0.2
"""A statement that uses no word of a theme speaks of it from this probability on.

Of the labelled words of themes, 2 of 160 systems that speak of one in other words fall silent by
it.
"""
BESIDE_SPOKEN = 0.6
SPOKEN_IN_DOUBT = 0.2
"""For one word of a theme, beside what surely speaks of it: from here on what does not use it is
given too, and from there on what does. Of such statements .8 were labelled as on the subject.
"""
WORDS_FOR_EACH = 80
"""A statement speaks firmly of a theme if it uses a word of it once for so many words, or more.

Of the labelled statements of catalogue themes, .94 of those firm are on the subject.
"""
NARROWLY_LIKELY = 0.3
"""Of one word of a theme also only if it is as likely: others were mostly of something else."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A statement with how likely it answers, and whether it uses a word of the theme.

    `sure` is whether it is taken to be about the subject.
    """

    stated: Stated
    probability: float
    spoken: bool
    sure: bool
    evidence: Features

    @property
    def rung(self) -> tuple[Ladder, tuple[str, ...]]:
        """Its place on the ladder, and the words that gave it."""
        return _graded(self.stated.text, self.stated.cells, self.stated.heading)


@lru_cache(maxsize=8_192)
def _graded(
    text: str, cells: tuple[tuple[str, str], ...], heading: tuple[str, ...]
) -> tuple[Ladder, tuple[str, ...]]:
    return grade(text, cells, heading)


def weigh(
    store: Store,
    asked: Asked,
    near: Near,
    candidates: Sequence[Candidate],
    most: int = MOST_PASSAGES,
) -> list[Weighed]:
    """The statements of the best candidates, likeliest first."""
    out = []
    best = candidates[:most]
    if not best:
        return []
    rows = [candidate.row for candidate in best]
    said = zip(store.passages(rows), store.statements(rows), strict=True)
    held = np.asarray(rows, dtype=np.int64)
    vectors, counts = store.vectors_of_statements(held)
    parted = np.split(vectors, np.cumsum(counts)[:-1])
    for (passage, found), whole, own in zip(said, store.vectors(held), parted, strict=True):
        if passage.form == "contents":
            continue
        # Passage by passage, since the last digit depends on how many are multiplied at once.
        like, cosines = float(whole @ near.vector), (own @ near.vector).tolist()
        for stated, cosine in zip(found, cosines, strict=True):
            if states_nothing(stated):
                continue
            evidence = features(asked, stated, cosine, like, near.background)
            likely = probability(evidence)
            of_all = bool(asked.joined) and speaks_of_all(asked, stated, evidence)
            spoken = of_all or (asked.theme is not None and speaks_of(asked, stated))
            sure = surely(evidence, likely) or of_all
            if asked.theme is not None and spoken:
                sure = firmly(asked, stated, evidence, likely)
            out.append(Weighed(stated, likely, spoken, sure, evidence))
    return sorted(
        out, key=lambda w: (-round(w.probability, 5), w.stated.document_id, w.stated.start)
    )


def states_nothing(stated: Stated) -> bool:
    """Whether a statement is a bare heading, or a title: nothing but capitals and no promise."""
    text = stated.text
    if stated.form == "heading" and BARE_HEADING.match(text):
        return True
    return _is_title(text) and _graded(text, stated.cells, stated.heading)[0] == "mention"


@lru_cache(maxsize=20_000)
def _is_title(text: str) -> bool:
    if "\n" in text:
        return False
    count = 0
    for word in CAPITAL.findall(text):
        if stem(word.lower()) not in STOP_STEMS:
            if not word[0].isupper():
                return False  # as nearly every sentence does, within a few words
            count += 1
    return 0 < count <= LONGEST_TITLE


def surely(evidence: Features, likely: float) -> bool:
    """Whether a statement is about the subject: it is very likely, or likely and in those words.

    Of the labelled statements from `LIKELY` to `SURE` that hold all that was asked for, word by
    word, and are not long, 19 of 20 are on the subject; of the others two in three.
    """
    in_those_words = min(evidence.inside, evidence.pairs) > 0.99
    short = evidence.words <= WORDS_FOR_EACH
    return likely >= SURE or (likely >= LIKELY and in_those_words and short)


def firmly(asked: Asked, stated: Stated, evidence: Features, likely: float) -> bool:
    """Whether a statement itself speaks of the theme, and not of something else beside it."""
    assert asked.theme is not None
    if asked.theme.narrow and likely < NARROWLY_LIKELY:
        return False
    times = asked.theme.times_in(stated.text)
    # Of one word of a theme also what stands under it, or beside it in a row, where it is likely.
    beside = asked.theme.narrow and not times and likely >= LIKELY
    return beside or times * WORDS_FOR_EACH >= evidence.words


def speaks_of(asked: Asked, stated: Stated) -> bool:
    """Whether a statement, or the row or heading it belongs to, uses a word of the theme."""
    assert asked.theme is not None
    if asked.theme.spoken_in(stated.text):
        return True
    row = "\n".join(text for _, text in stated.cells)
    return asked.theme.spoken_in(row) or asked.theme.spoken_in("\n".join(stated.heading[-1:]))


def speaks_of_all(asked: Asked, stated: Stated, evidence: Features) -> bool:
    """Whether a statement itself speaks of all the themes that a subject is made of.

    Of the labelled statements that do, 12 of 12 are on the subject.
    """
    return all(
        theme.times_in(stated.text) * WORDS_FOR_EACH >= evidence.words for theme in asked.joined
    )


def spoken_to(asked: Asked, weighed: Mapping[str, Sequence[Weighed]]) -> dict[str, list[Weighed]]:
    """For each system the statements that speak to the subject; none where it is not there at all.

    Where a figure is asked for, only what gives one counts. A theme is judged by its own words.
    Anything else is first judged as a whole, unless something is surely about it.
    """
    weighed = {system: telling(asked, held) for system, held in weighed.items()}
    everything = [w for held in weighed.values() for w in held]
    best = max((w.probability for w in everything), default=0.0)
    if asked.theme is None and not any(w.sure for w in everything):
        whole = support(asked, [w.evidence for w in everything], best)
        if answerable(whole) < (FIGURE_ANSWERABLE if asked.figure else ANSWERABLE):
            return {system: [] for system in weighed}
    return {system: found_in(held, best, asked.theme) for system, held in weighed.items()}


def telling(asked: Asked, weighed: Sequence[Weighed]) -> list[Weighed]:
    """The statements that can answer: where nothing but a figure does, those that give one."""
    return [w for w in weighed if not (asked.figure and w.evidence.number_missing)]


def found_in(
    weighed: Sequence[Weighed], best: float, theme: ThemeWords | None = None
) -> list[Weighed]:
    """The statements that speak to the subject: those that likely do, or else the likeliest one.

    What is less than likely is more often off the subject than on it, so one is enough to tell a
    reader where to look. Where no word of a theme is used, a statement that is near all the same
    still counts, so that other words for the same thing are not taken for silence.

    Args:
        weighed: the statements of one system, likeliest first.
        best: the probability of the likeliest of all systems.
    """
    uses_a_word = any(w.spoken for w in weighed)
    spoken_in_doubt = never = math.inf
    if theme is None:
        line = min(FOUND, best)
    elif theme.narrow:
        line = BESIDE_SPOKEN if uses_a_word else UNSPOKEN
        spoken_in_doubt = SPOKEN_IN_DOUBT
    else:
        line = never if uses_a_word else UNSPOKEN
    found = [w for w in weighed if w.spoken or w.probability >= line]
    likely = [
        w for w in found if w.sure or w.probability >= (spoken_in_doubt if w.spoken else LIKELY)
    ]
    return likely or found[:1]


def strongest(found: Sequence[Weighed], most: int = MOST_STATEMENTS) -> list[Weighed]:
    """What is sure, then the strongest statements first, none saying what one before it said.

    So a cell's rung rests on what is sure where it can.
    """
    kept: list[Weighed] = []
    seen: list[frozenset[str]] = []
    # Lazily: what is not sure is graded only where it is needed.
    groups = ([w for w in found if w.sure], [w for w in found if not w.sure])
    for w in chain.from_iterable(sorted(group, key=_strength) for group in groups):
        words = frozenset(w.stated.text.casefold().split())
        if any(_overlap(words, other) for other in seen):
            continue
        seen.append(words)
        kept.append(w)
        if len(kept) == most:
            break
    return kept


def _strength(weighed: Weighed) -> tuple[int, bool, bool, float, str, int]:
    """Sorts by rung, then what is likely, then those with a figure, then the likeliest."""
    ladder, triggers = weighed.rung
    figure = any(FIGURE.search(t) for t in triggers)
    place = weighed.stated.document_id, weighed.stated.start
    likely = round(weighed.probability, 5)
    return -LADDER.index(ladder), likely < LIKELY, not figure, -likely, *place


def _overlap(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two statements say the same: nearly the same words, and no figure that differs."""
    shared = len(one & other) / max(1, min(len(one), len(other)))
    if shared < 0.9:
        return False
    return not any(c.isdigit() for w in one ^ other for c in w)


def searched_in(store: Store, scope: Scope) -> Searched:
    """How much of a scope was searched."""
    reports = [store.reports[d] for d in scope.document_ids]
    return Searched(
        documents=len(scope.documents),
        passages=scope.passages,
        unreadable_pages=sum(r.unreadable_pages for r in reports),
        pages=sum(r.pages for r in reports),
    )


def searched_all(answers: Sequence[SystemAnswer]) -> SearchedAll:
    """How much was searched for all systems together."""
    searched = [a.searched for a in answers]
    return SearchedAll(
        systems=len(answers),
        documents=sum(s.documents for s in searched),
        passages=sum(s.passages for s in searched),
        unreadable_pages=sum(s.unreadable_pages for s in searched),
        pages=sum(s.pages for s in searched),
    )


class Sheet:
    """Collects the citations of one reply, each once, in the order they are first named."""

    def __init__(self, store: Store) -> None:
        """Start with none."""
        self._store = store
        self._citations: dict[str, Citation] = {}

    def statement(self, weighed: Weighed) -> Statement:
        """A statement with its citation noted."""
        stated = weighed.stated
        ladder, triggers = weighed.rung
        identity = citation_id(stated.document_id, stated.start, stated.end)
        if identity not in self._citations:
            self._citations[identity] = cite_stated(self._store, stated)
        return Statement(
            text=stated.text,
            ladder=ladder,
            triggers=triggers,
            citation=identity,
            score=round(weighed.probability, 5),
            sure=weighed.sure,
            form=stated.form,
            context=_context(stated),
        )

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Every citation named so far."""
        return tuple(self._citations.values())


def _context(stated: Stated) -> str:
    """What a reader needs beside the quote: the lead of a list, or the other cells of a row."""
    if stated.form == "table_row":
        rest = [(h, t) for h, t in stated.cells if t not in stated.text]
        return " · ".join(
            f"{h}: {' '.join(t.split())}" if h else " ".join(t.split()) for h, t in rest
        )
    return stated.lead


def system_answer(
    store: Store,
    system: str,
    scope: Scope,
    weighed: Sequence[Weighed],
    found: Sequence[Weighed],
    sheet: Sheet,
) -> SystemAnswer:
    """What one system says, or its nearest miss."""
    chosen = strongest(found)
    searched = searched_in(store, scope)
    said = store.systems[system]
    status: CellStatus = "silent"
    ladder = chosen[0].rung[0] if chosen else None
    if ladder is not None:
        status = STATUS_OF[ladder]
    elif searched.unreadable_pages:
        status = "unreadable"
    nearest = None if chosen or not weighed else sheet.statement(weighed[0])
    return SystemAnswer(
        system=system,
        name=said.name,
        level=said.level,
        status=status,
        statements=tuple(sheet.statement(w) for w in chosen),
        nearest=nearest,
        searched=searched,
        ladder=ladder,
    )
