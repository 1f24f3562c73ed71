"""What a question means: whose documents, which subject, which words beside those typed.

Nothing here looks at passages. What was understood is shown to the asker, who can undo it by
wording the question otherwise or by filters.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from corpus.errors import QueryError
from indexer.analyse import STOP_STEMS, stem, terms, tokens
from indexer.store import Acronym, Store
from search_api import medical
from search_api.cover import asked_words
from search_api.declaring import NUMBERS
from search_api.model import MOST_CHARACTERS, SEEN, Expansion, Understood
from search_api.naming import LEAST_FUZZY_LENGTH, WORD, Names, listed
from search_api.subject import FRAME_STEMS, subject_of
from search_api.thesaurus import SOURCE, open_thesaurus
from search_api.whom import put_to

PHRASE = re.compile(r"[\"“”]([^\"“”]{2,})[\"“”]")
WITHOUT = re.compile(r"(?:^|(?<=\s))-([^\W\d_][\w'’-]*)")
# Acronyms that are also everyday words count only in capitals.
EVERYDAY = frozenset(
    """
    ACT AP CAB FIT IC ICE IT MASH OR PALS REACT RESPECT SEAS SEND SPA SPOT STOMP TEC
    """.split()
)
DUE = re.compile(
    r"\b(?:over[- ]?due|past (?:its|their|the) (?:date|deadline)s?|deadlines?"
    r"|due (?:before|by|in|this|next)"
    r"|(?:targets?|commitments?|actions?)\s+(?:\w+ )?(?:for|by|in|before)\s+(?:\w+ )?20\d\d"
    r"|what (?:happens|will happen|is (?:planned|promised|to be done))\s+(?:in|by|before|during)"
    r"\s[^?]{0,20}?20\d\d)\b",
    re.IGNORECASE,
)
NOWHERE = "No indexed passage has"
ABOUT_DUE = "Dates are not searched for: what is due, and what is overdue, is in the register."
# What is asked for where nothing but priorities is: "what are the main priorities?"
PRIORITIES = frozenset(
    stem(w)
    for w in (
        *"priority priorities main key strategic top headline overall declared area".split(),
        *NUMBERS,
    )
)
# And what is asked for where all have it: "common themes across all four".
COMMON = PRIORITIES | {stem(w) for w in "common shared share theme across between".split()}
ABOUT_PRIORITIES = "The priorities that each system declares stand side by side under “Priorities”."
MOST_ALIKE = 5
MOST_NOWHERE = 3
SHORT = 5
# Quotation marks ask for the very words in a short query; in a long sentence they only stress.
MOST_BESIDE_PHRASE = 12
OWN_LIST = "icsearch's own list"


def asks_for_priorities(subject: str) -> bool:
    """Whether a subject is priorities as such, and not those for something.

    >>> asks_for_priorities("top five priorities"), asks_for_priorities("priorities for carers")
    (True, False)
    """
    asked_for = {w for w in terms(subject) if w not in FRAME_STEMS}
    common = {stem("common"), stem("shared"), stem("share")} & asked_for
    if common and {stem("priorities"), stem("theme")} & asked_for:
        return asked_for <= COMMON
    return stem("priorities") in asked_for and asked_for <= PRIORITIES


def also_searched(understood: Understood) -> list[tuple[str, str]]:
    """Words typed for which others were searched for too, each with a line that says so."""
    together: dict[tuple[str, str | None], list[str]] = {}
    for found in understood.expansions:
        together.setdefault((found.from_, found.source), []).append(f"“{found.to}”")
    return [
        (
            typed,
            f"“{typed}” was also searched for as {listed(others)}"
            + (f" (from {source})" if source else ""),
        )
        for (typed, source), others in together.items()
    ]


class Understander:
    """Reads questions against one generation's systems, acronyms and words."""

    def __init__(self, store: Store) -> None:
        """Prepare the tables of names, acronyms and words."""
        self._store = store
        self._names = Names(store)
        self._thesaurus = open_thesaurus()
        self._acronyms: dict[str, list[Acronym]] = {}
        for acronym in store.acronyms:
            self._acronyms.setdefault(acronym.short.upper(), []).append(acronym)
        for short, long in self._thesaurus.short.items():
            self._acronyms.setdefault(short, [Acronym(short, long)])
        self._long_forms = {
            key: acronym
            for acronym in reversed([a for held in self._acronyms.values() for a in held])
            if len(key := tuple(terms(acronym.long))) > 1
        }
        self._longest_form = max(map(len, self._long_forms), default=0)

    def understand(self, text: str, home: str | None) -> Understood:
        """What a question means.

        Raises:
            QueryError: it is empty or too long.
            UnknownId: the home system is not in the index.
        """
        text = " ".join(text.split())
        if not SEEN.search(text):
            raise QueryError("Type a question or some words to search for.", field="q")
        if len(text) > MOST_CHARACTERS:
            raise QueryError(
                f"The question has {len(text):,} characters; the most is {MOST_CHARACTERS:,}.",
                field="q",
            )
        notes: list[str] = [medical.REASON] if medical.is_personal_medical(text) else []
        phrases = tuple(m.strip() for m in PHRASE.findall(text))
        if len(PHRASE.sub(" ", text).split()) > MOST_BESIDE_PHRASE:
            phrases = ()
        found = self._names.find(text)
        whom = put_to(text, found, home, self._store.systems)
        notes += whom.notes
        without = [
            m[1]
            for m in WITHOUT.finditer(text)
            if not any(n.start <= m.end(1) - 1 < n.end for n in found)
        ]
        subject = subject_of(text, found, without, self._names)
        expansions = tuple(self._expansions(subject, notes))
        spelling, corrections = self._spelling(subject)
        for typed, right in corrections.items():
            subject = re.sub(rf"\b{re.escape(typed)}\b", right, subject)
            notes.append(f"“{typed}” is nowhere in the documents; “{right}” was searched for.")
        if DUE.search(text):
            notes.append(ABOUT_DUE)
        if asks_for_priorities(subject):
            notes.append(ABOUT_PRIORITIES)
        if corrections:
            expansions = tuple(self._expansions(subject, []))
        return Understood(
            text=text,
            systems=whom.systems,
            excluded_systems=whom.left_out,
            expansions=expansions,
            notes=tuple(dict.fromkeys(notes)),
            subject=subject,
            outside=whom.outside,
            phrases=phrases,
            without=tuple(dict.fromkeys(without)),
            spelling=spelling,
        )

    def nowhere(self, understood: Understood, answered: bool) -> tuple[str, ...]:
        """What is told of words typed that no passage has in any form, where nothing is sure.

        In a long question that is answered many words are not of the subject, so nothing.
        """
        if answered and len(asked_words(understood)) > SHORT:
            return ()
        found: dict[str, str] = {}
        for match in WORD.finditer(understood.subject):
            asked = [word for word in terms(match[0]) if word not in FRAME_STEMS]
            if asked and not any(map(self._known, asked)):
                found.setdefault(match[0].lower(), f"“{match[0]}”")
        some = list(found.values())[:MOST_NOWHERE]
        return (f"{NOWHERE} {' or '.join(some)}.",) if some else ()

    def _expansions(self, subject: str, notes: list[str]) -> Iterator[Expansion]:
        """Acronyms spelled out, and long forms shortened, as the documents define them."""
        seen = set()
        for match in WORD.finditer(subject):
            short = match[0].upper().removesuffix("'S")
            meanings = self._acronyms.get(short) or self._acronyms.get(short.removesuffix("S"))
            if not meanings or short in seen:
                continue
            capital = match[0][:2].isupper()
            if not capital and (short in EVERYDAY or len(short) < 3):
                continue
            seen.add(short)
            yield Expansion(match[0], meanings[0].long, self._where(meanings[0]))
            if len(meanings) > 1:
                others = " or ".join(m.long for m in meanings[1:3])
                notes.append(
                    f"“{match[0]}” was read as {meanings[0].long}; it can also be {others}."
                )
        places = [place for place in tokens(subject) if place[0] not in STOP_STEMS]
        words = [word for word, _, _ in places]
        spelled: list[tuple[int, int]] = []
        at = 0
        while at < len(words):
            for count in range(min(self._longest_form, len(words) - at), 1, -1):
                acronym = self._long_forms.get(tuple(words[at : at + count]))
                if acronym is None:
                    continue
                spelled.append((places[at][1], places[at + count - 1][2]))
                if acronym.short.upper() not in seen:
                    seen.add(acronym.short.upper())
                    yield Expansion(acronym.long, acronym.short, self._where(acronym))
                at += count - 1
                break
            at += 1
        yield from self._other_words(subject, spelled)

    def _other_words(self, subject: str, spelled: Sequence[tuple[int, int]]) -> Iterator[Expansion]:
        """Other words for the subject's, of those that stand in the documents.

        A word inside a spelled-out acronym means what that means: it is left alone, so that both
        ways of writing find the same.
        """
        for alike in self._thesaurus.alike(subject):
            start, end = alike.place
            if any(s <= start and end <= e and end - start < e - s for s, e in spelled):
                continue
            known = [w for w in alike.others if self._known(w)]
            for word in known[:MOST_ALIKE]:
                yield Expansion(alike.typed, word, SOURCE)

    def _known(self, text: str) -> bool:
        return all(self._store.document_frequency(word) for word in terms(text))

    def _where(self, acronym: Acronym) -> str:
        titles = [self._store.documents[d].title for d in acronym.documents[:2]]
        return " and ".join(titles) or OWN_LIST

    def _spelling(self, subject: str) -> tuple[str | None, Mapping[str, str]]:
        """The subject with words that are nowhere in the documents put right, if any are near."""
        corrections: dict[str, str] = {}
        for match in WORD.finditer(subject):
            word = match[0]
            if len(word) < LEAST_FUZZY_LENGTH or not word.isalpha() or word[1:].isupper():
                continue
            right = self._store.nearest_word(word.lower())
            if right is not None:
                corrections[word] = right
        if not corrections:
            return None, {}
        corrected = subject
        for typed, right in corrections.items():
            corrected = re.sub(rf"\b{re.escape(typed)}\b", right, corrected)
        return corrected, corrections
